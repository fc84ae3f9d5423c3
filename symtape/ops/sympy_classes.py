"""What each class of sympy's becomes: the function or the op that it is, or its definition in terms of others.

Which class is which function is read off the declarations: an op whose formula is ``sp.sin(x)`` is what ``sympy.sin``
becomes. A few classes take other arguments than ours, and a few are known by a definition only (sec, factorial, ...).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from symtape.ops import registry
from symtape.ops.op import Kind
from symtape.ops.sympy_functions import sympy_function

#: Functions of sympy that are known by a definition in terms of others.
DEFINITIONS: dict[str, Callable[..., Any]] = {
    "sec": lambda sp, x: 1 / sp.cos(x),
    "csc": lambda sp, x: 1 / sp.sin(x),
    "cot": lambda sp, x: 1 / sp.tan(x),
    "sech": lambda sp, x: 1 / sp.cosh(x),
    "csch": lambda sp, x: 1 / sp.sinh(x),
    "coth": lambda sp, x: 1 / sp.tanh(x),
    "asec": lambda sp, x: sp.acos(1 / x),
    "acsc": lambda sp, x: sp.asin(1 / x),
    "acot": lambda sp, x: sp.atan(1 / x),
    "asech": lambda sp, x: sp.acosh(1 / x),
    "acsch": lambda sp, x: sp.asinh(1 / x),
    "acoth": lambda sp, x: sp.atanh(1 / x),
    "frac": lambda sp, x: x - sp.floor(x),
    "Rem": lambda sp, x, y: sympy_function("fmod")(x, y),
    "UnevaluatedExpr": lambda sp, x: x,
    # of numbers that are real
    "re": lambda sp, x: x,
    "im": lambda sp, x: sp.Integer(0),
    **dict.fromkeys(("conjugate", "adjoint", "transpose"), lambda sp, x: x),
    "arg": lambda sp, x: sp.Piecewise((0, x > 0), (sp.pi, x < 0), (sp.nan, True)),
    # factorials and the gamma function's family
    "factorial": lambda sp, x: sp.gamma(x + 1),
    "FallingFactorial": lambda sp, x, k: sp.RisingFactorial(x - k + 1, k),
    "binomial": lambda sp, n, k: sp.gamma(n + 1) / (sp.gamma(k + 1) * sp.gamma(n - k + 1)),
    "catalan": lambda sp, n: 4**n * sp.gamma(n + sp.S.Half) / (sp.sqrt(sp.pi) * sp.gamma(n + 2)),
    "beta": lambda sp, a, b: sp.gamma(a) * sp.gamma(b) / sp.gamma(a + b),
    "betainc": lambda sp, a, b, low, high: sp.beta(a, b) * sp.betainc_regularized(a, b, low, high),
    "betainc_regularized": lambda sp, a, b, low, high: (
        sp.betainc_regularized(a, b, 0, high) - sp.betainc_regularized(a, b, 0, low)
    ),
    "lowergamma": lambda sp, a, x: sp.gamma(a) * sp.Function("gammainc")(a, x),
    "uppergamma": lambda sp, a, x: sp.gamma(a) * sp.Function("gammaincc")(a, x),
    "trigamma": lambda sp, x: sp.polygamma(1, x),
    "harmonic": lambda sp, n: sp.polygamma(0, n + 1) + sp.EulerGamma,
    # integrals
    "erf2": lambda sp, x, y: sp.erf(y) - sp.erf(x),
    "erf2inv": lambda sp, x, y: sp.erfinv(y + sp.erf(x)),
    "li": lambda sp, x: sp.Ei(sp.log(x)),
    "Li": lambda sp, x: sp.Ei(sp.log(x)) - sp.Ei(sp.log(2)),
    # zeta's family
    "dirichlet_eta": lambda sp, s: (1 - 2 ** (1 - s)) * sp.zeta(s),
    "riemann_xi": lambda sp, s: s * (s - 1) * sp.gamma(s / 2) * sp.zeta(s) / (2 * sp.pi ** (s / 2)),
    # choices and conditions
    "SingularityFunction": lambda sp, x, at, n: (
        sp.Piecewise(((x - at) ** n, x >= at), (0, True)) if n.is_nonnegative else None
    ),
    "Contains": lambda sp, x, where: (
        where.as_relational(x) if hasattr(where, "as_relational") and not where.is_ProductSet else None
    ),
    "KroneckerDelta": lambda sp, i, j: sp.Piecewise((1, sp.Eq(i, j)), (0, True)),
    "Implies": lambda sp, a, b: sp.Or(sp.Not(a), b),
    "Equivalent": lambda sp, *args: sp.Or(sp.And(*args), sp.And(*[sp.Not(a) for a in args])),
    # sympy.codegen's
    "fma": lambda sp, x, y, z: x * y + z,
    "Cbrt": lambda sp, x: sympy_function("cbrt")(x),
    "Sqrt": lambda sp, x: sp.sqrt(x),
    "powm1": lambda sp, x, y: sp.Function("expm1")(y * sp.log(x)),
}

#: Classes that no formula shows in the bare form, by name: the function, and how many arguments it takes.
_NAMED = {
    "loggamma": ("gammaln", 1),
    "And": ("logical_and", 2),
    "Or": ("logical_or", 2),
    "Xor": ("logical_xor", 2),
    "Not": ("logical_not", 1),
    **{name: (name, 2) for name in ("gammainc", "gammaincc", "hypot", "logaddexp", "logaddexp2", "maximum", "minimum")},
    **{name: (name, 1) for name in ("log1p", "expm1", "exp2", "log2", "log10", "cosm1")},
}

#: Functions of two arguments that sympy takes in any number: folded from the left.
FOLDED = frozenset({"maximum", "minimum", "logical_and", "logical_or", "logical_xor"})

#: Functions with a signature of their own that apply the op of their name to their arguments.
_PLAIN = frozenset({"maximum", "minimum", "fmax", "fmin"})

#: Classes of which only some arguments have a meaning: `meaning` decides.
_DECIDED = frozenset({"LambertW"})

_tables: dict[int, dict[str, tuple[str, tuple[int, ...]]]] = {}
_op_tables: dict[int, dict[tuple[str, int], tuple[str, tuple[int, ...]]]] = {}


def functions_by_class() -> Mapping[str, tuple[str, tuple[int, ...]]]:
    """Name of a sympy class to the function that it becomes, and the order of its arguments there.

    Read off the formulas of the declarations once; of two ops with one formula the first declared is taken.

    Examples
    --------
    >>> functions_by_class()["atan2"]
    ('arctan2', (0, 1))
    """
    size = len(registry.functions())
    if size not in _tables:
        _tables.clear()
        _tables[size] = _read_off_formulas()
    return _tables[size]


def _read_off_formulas() -> dict[str, tuple[str, tuple[int, ...]]]:
    table: dict[str, tuple[str, tuple[int, ...]]] = {
        name: (function, tuple(range(count))) for name, (function, count) in _NAMED.items()
    }
    for entry in registry.functions().values():
        op = entry.op if entry.op is not None else registry.ops().get(entry.name) if entry.name in _PLAIN else None
        if op is None or not entry.implements or op.kind is not Kind.ELEMENTWISE or op.formula is None:
            continue
        found = _bare(op)
        if found is not None:
            table.setdefault(found[0], (entry.name, found[1]))
    return table


def arguments_of(formula: Callable[..., Any]) -> int:
    """How many arguments a formula takes, sympy itself and what has a default aside.

    Examples
    --------
    >>> arguments_of(lambda sp, x, y: x + y)
    2
    """
    parameters = inspect.signature(formula).parameters.values()
    return sum(1 for p in parameters if p.default is p.empty) - 1


def ops_by_class() -> Mapping[tuple[str, int], tuple[str, tuple[int, ...]]]:
    """Ops that are no function of their own, or another one with that number of arguments, by class and that number.

    Examples
    --------
    >>> ops_by_class()["Si", 1]
    ('sine_integral', (0,))
    """
    size = len(registry.ops())
    if size not in _op_tables:
        _op_tables.clear()
        _op_tables[size] = _read_off_ops()
    return _op_tables[size]


def _read_off_ops() -> dict[tuple[str, int], tuple[str, tuple[int, ...]]]:
    table: dict[tuple[str, int], tuple[str, tuple[int, ...]]] = {}
    for op in registry.ops().values():
        if getattr(op, "kind", None) is not Kind.ELEMENTWISE or op.formula is None or op.params:
            continue
        found = _bare(op)
        if found is not None:
            name, order = found
            if name not in _DECIDED:
                table.setdefault((name, len(order)), (op.name, order))
    return table


def _bare(op: Any) -> tuple[str, tuple[int, ...]] | None:
    """The class that a formula is, applied to the arguments alone, and their order; else None."""
    import sympy

    symbols = sympy.symbols(f"x:{arguments_of(op.formula)}", real=True)
    shown = op.formula(sympy, *symbols)
    if shown.is_Symbol or len(shown.args) != len(symbols) or set(shown.args) != set(symbols):
        return None
    return type(shown).__name__, tuple(shown.args.index(s) for s in symbols)


def definition(sp: Any, e: Any) -> Any:
    """What an expression is in terms of others, if its class is known so with that number of arguments; else None.

    Examples
    --------
    >>> import sympy
    >>> definition(sympy, sympy.sec(sympy.Symbol("x")))
    1/cos(x)
    """
    written = DEFINITIONS.get(type(e).__name__)
    if written is None:
        return None
    parameters = inspect.signature(written).parameters.values()
    any_number = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return written(sp, *e.args) if any_number or len(parameters) == len(e.args) + 1 else None


def meaning(sp: Any, name: str, args: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]] | None:
    """The function that a class is with these arguments, and what sympy's arguments make of its own; else None.

    Examples
    --------
    >>> import sympy
    >>> meaning(sympy, "polygamma", (sympy.Integer(0), sympy.Symbol("x")))
    ('digamma', (x,))
    """
    match name, args:
        case "sinc", (x,):
            return "sinc", (x / sp.pi,)
        case "polygamma", (n, x) if n.is_Integer:
            return ("digamma", (x,)) if n == 0 else ("polygamma", (n, x))
        case "zeta", (s,):
            return "hurwitz_zeta", (s, sp.Integer(1))
        case "LambertW", (x, *branch) if branch in ([], [0], [-1]):
            return "lambertw", (x, *(branch or [sp.Integer(0)]))
        case "polylog", (s, x) if s == 2:
            return "spence", (1 - x,)
        case "betainc_regularized", (a, b, low, x) if low == 0:
            return "betainc", (a, b, x)
        case "hyper", (above, below, x) if (len(above), len(below)) in {(0, 1), (1, 1), (2, 1)}:
            return f"hyp{len(above)}f1", (*above, *below, x)
    return None
