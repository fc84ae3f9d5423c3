"""What of sympy's has no counterpart here, and what to do instead: one remedy for each kind of object.

A remedy is entered under the name of a class and holds for the classes below it, so that sympy need not be loaded to
read the table and the nearest entry speaks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from symtape.errors import NoFormulaError

_WRITTEN_DOWN = "it is only written down: evaluate it first, with .doit()"
_COMPLEX = "the numbers here are real; write real and imaginary part as two expressions, with .as_real_imag()"
_WHOLE = "it counts, and has values at integers only: put numbers in first, with .subs(...)"
_SPREAD = "it has no value at a point: integrate it away first, with .doit() or sympy.integrate"
_ORDERED = "numbers commute: write matrices as MatrixSymbol, or substitute commutative symbols"

_COUNTING = (
    *("andre", "bell", "bernoulli", "carmichael", "divisor_sigma", "euler", "factorial2", "fibonacci", "genocchi"),
    *("jacobi_symbol", "kronecker_symbol", "legendre_symbol", "lucas", "mobius", "motzkin", "nC", "nP", "nT"),
    *("partition", "primenu", "primeomega", "primepi", "reduced_totient", "stieltjes", "subfactorial", "totient"),
    *("tribonacci", "udivisor_sigma", "chebyshevt_root", "chebyshevu_root"),
)

REMEDIES: dict[str, str] = {
    # what is only written down
    **dict.fromkeys(
        ("Derivative", "Integral", "Limit", "Subs", "IntegralTransform", "LeviCivita", "RootSum"), _WRITTEN_DOWN
    ),
    **dict.fromkeys(("Sum", "Product"), "its range is not known: give numbers for its limits, with .subs(...)"),
    "Order": "take it away first, with .removeO()",
    "SeriesBase": "cut it off first, with .truncate(terms)",
    "hyper": "write it in other functions first, with sympy.hyperexpand",
    "meijerg": "write it in other functions first, with sympy.hyperexpand",
    "polylog": "only those of order 2 are here; write others out first, with sympy.expand_func",
    "polygamma": "its order must be a number: put it in first, with .subs(...)",
    "LambertW": "its real branches are 0 and -1: put the number of the branch in first, with .subs(...)",
    "AppliedUndef": "it is undefined: map its name to a function, st.from_sympy(expression, {name: function})",
    "FunctionClass": "it is a function: apply it to arguments",
    # what is not a real number
    **dict.fromkeys(("ImaginaryUnit", "ComplexInfinity", "exp_polar", "polar_lift", "principal_branch"), _COMPLEX),
    **dict.fromkeys(("periodic_argument", "hankel1", "hankel2", "hn1", "hn2", "Ynm", "Znm"), _COMPLEX),
    "ComplexRootOf": _COMPLEX,
    **dict.fromkeys(("DiracDelta", "SingularityFunction"), _SPREAD),
    "AccumulationBounds": "it is a range of numbers: take one of its ends, .min or .max",
    "Quaternion": "bring in its parts, .a, .b, .c and .d, one by one",
    "Quantity": "it is a unit: put a number in its place, with .subs({unit: 1})",
    "Dimension": "it is a dimension and no number",
    "RandomSymbol": "it is random: take its density, sympy.stats.density(X)(x)",
    **dict.fromkeys(("QExpr", "Commutator", "AntiCommutator", "Dagger"), _ORDERED),
    **dict.fromkeys(_COUNTING, _WHOLE),
    # what is no number
    "Set": "to ask whether a number lies in it, write sympy.Contains(number, set)",
    "Contains": "only sets of real numbers that a relation describes can be asked: see Set.as_relational",
    "Poly": "write it as an expression first, with .as_expr()",
    "Dict": "bring in its values one by one",
    "Str": "it is a text",
    "BaseScalar": "put a number in its place, with .subs(...)",
    "BasisDependent": "write it as a matrix first, with .to_matrix(system)",
    "CodegenAST": "it is code: bring in the expressions in it",
    "Idx": "it counts elements: give it a number, with .subs(...)",
    "IndexedBase": "it stands for an array: write its elements, base[i], or map the whole to a MatrixSymbol",
    "Permutation": "bring in its matrix, sympy.PermutationMatrix(permutation)",
    "Permanent": "write it out first, for a matrix of numbers and symbols, with .doit()",
    "Factorization": "factor the tensor that its matrix stands for, with np.linalg",
    "MatrixExpr": "write it out first, with .as_explicit() or .doit(); a function of its elements is A.applyfunc(f)",
    "_ArrayExpr": "write its elements, array[i, j], or .as_explicit()",
    "_CodegenArrayAbstract": "write its elements, or .as_explicit()",
    "NDimArray": "bring in its elements one by one",
    "Tensor": "replace it by an array first, with .replace_with_arrays(...)",
    "Lambda": "apply it first",
}


def remedy_for(value: Any) -> str | None:
    """What to do about an object of sympy's; None if no class of it is known.

    Examples
    --------
    >>> import sympy
    >>> remedy_for(sympy.Interval(0, 1))
    'to ask whether a number lies in it, write sympy.Contains(number, set)'
    """
    return next((REMEDIES[c.__name__] for c in type(value).__mro__ if c.__name__ in REMEDIES), None)


def refusal(part: Any, there: Iterable[str] = ()) -> NoFormulaError:
    """The error for a part of an expression that has no counterpart.

    Parameters
    ----------
    part : sympy object
    there : iterable of str
        The classes that there are, for one whose remedy is not known.

    Examples
    --------
    >>> import sympy
    >>> print(refusal(sympy.I))  # doctest: +ELLIPSIS
    symtape has no function for sympy's ImaginaryUnit, which the expression contains: the numbers here are real; ...
    """
    remedy = remedy_for(part)
    if remedy is None:
        remedy = (
            "write it in other functions first, with .rewrite(...) or sympy.expand_func, or enter your own, with "
            f"st.register_elementwise; it has {', '.join(sorted(there))}"
        )
    return NoFormulaError(
        f"symtape has no function for sympy's {type(part).__name__}, which the expression contains: {remedy}"
    )


def not_an_expression(value: Any) -> TypeError:
    """The error for what is no expression at all.

    Examples
    --------
    >>> import sympy
    >>> print(not_an_expression(sympy.FiniteSet(1)))  # doctest: +ELLIPSIS
    wanted a sympy expression or a number, got {1} of class FiniteSet: to ask whether a number...
    """
    remedy = remedy_for(value)
    more = f" of class {type(value).__name__}: {remedy}" if remedy else ""
    return TypeError(f"wanted a sympy expression or a number, got {value!r}{more}")
