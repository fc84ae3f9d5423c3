"""Graphs of numbers against sympy: the formula of each result, differentiated by sympy itself, in 30 digits."""

import functools
import traceback
from typing import Any

import mpmath
import numpy as np
import sympy

from symtape.autodiff.reverse import gradient
from symtape.errors import FormulaTooLargeError
from symtape.formula.element import element_expression
from symtape.formula.symbols import element_symbol
from symtape.graph.traverse import topological
from symtape.ops.op import Kind
from symtape.ops.sympy_classes import arguments_of
from tests.random_graphs.cases import Case, DisagreementError, Numbers
from tests.random_graphs.recipes import Recipe

DIGITS = 30
CHOICES = 2  #: of cases in a formula; sympy takes minutes to put conditions on conditions together
OPERATIONS = 80  #: of a formula; sympy takes minutes over the derivatives of larger ones

#: What stays in an expression that sympy could not differentiate.
UNKNOWN = (sympy.Derivative, sympy.Subs, sympy.Integral, sympy.DiracDelta, sympy.zoo, sympy.nan, sympy.AccumBounds)

#: What sympy's printer calls by a name that mpmath knows under another one, or with another meaning.
MPMATH = {
    "erfcinv": lambda z: mpmath.erfinv(1 - z),
    "betainc_regularized": lambda a, b, low, high: mpmath.betainc(a, b, low, high, regularized=True),
    "airyaiprime": lambda z: mpmath.airyai(z, derivative=1),
    "airybiprime": lambda z: mpmath.airybi(z, derivative=1),
    "jn": lambda n, z: mpmath.sqrt(mpmath.pi / (2 * z)) * mpmath.besselj(n + mpmath.mpf(1) / 2, z),
    "yn": lambda n, z: mpmath.sqrt(mpmath.pi / (2 * z)) * mpmath.bessely(n + mpmath.mpf(1) / 2, z),
    "frexp_mantissa": lambda x: mpmath.sign(x) * mpmath.frexp(abs(x))[0],
}


def against_sympy(recipe: Recipe) -> Case:
    """Values and gradients of scalar results are those of their formulas.

    Raises
    ------
    DisagreementError
    """
    case = Case.of(recipe)
    point = {element_symbol(x): mpmath.mpf(float(a)) for x, a in case.env.items()}
    for output in case.outputs:
        gradients = gradient(output, case.moving)
        numbers = Numbers.of(case, [output, *case.present(gradients)])
        if sum(_is_choice(node.op) for node in topological([output])) > CHOICES:
            case.counts["formula too large"] += 1
            continue
        try:
            expression = element_expression(output)
        except FormulaTooLargeError:
            expression = None
        except AttributeError as error:  # such as polylog(2, besselj(3, airybiprime(x)))
            if not _stands_in_sympy(error):
                raise
            case.counts["sympy fails"] += 1
            continue
        if expression is None or sympy.count_ops(expression) > OPERATIONS:
            case.counts["formula too large"] += 1
            continue
        _compare(case, "the value", output, numbers, expression, point)
        for x, g in zip(case.moving, gradients, strict=True):
            derivative = sympy.diff(expression, element_symbol(x))
            if g is None:
                if derivative != 0 and not derivative.has(*UNKNOWN):
                    raise DisagreementError(f"no gradient of {output!r} in {x!r}, and sympy has {derivative}")
                continue
            _compare(case, f"the derivative in {x!r}", g, numbers, derivative, point)
    return case


@functools.cache
def _is_choice(op: Any) -> bool:
    """Whether the formula of an op tells cases apart."""
    formula = getattr(op, "formula", None)
    if formula is None or op.kind is not Kind.ELEMENTWISE or op.params:
        return False
    return bool(formula(sympy, *sympy.symbols(f"x:{arguments_of(formula)}", real=True)).has(sympy.Piecewise))


def _stands_in_sympy(error: BaseException) -> bool:
    """Whether an error is of sympy's own making."""
    frames = list(traceback.walk_tb(error.__traceback__))
    return frames[-1][0].f_globals["__name__"].startswith("sympy.")


def _compare(case: Case, what: str, node: Any, numbers: Numbers, expression: Any, point: dict[Any, Any]) -> None:
    if expression.has(*UNKNOWN):
        case.counts["unknown to sympy"] += 1
        return
    exact = in_digits(expression, point)
    ours, bound = float(numbers.values[node]), numbers.bounds[node]
    if bound is None or not np.isfinite(ours):
        case.counts["on an edge"] += 1
    elif not abs(ours - exact) <= bound:
        raise DisagreementError(f"{what} is {ours!r}, and sympy's {exact!r} (allowed: {bound}): {expression}")
    else:
        case.counts["compared with sympy"] += 1


def in_digits(expression: Any, point: dict[Any, Any]) -> float:
    """The value of an expression, worked out by mpmath with 30 digits, or with as many more as it cancels."""
    # sympy prints what stands in these, or beside them, without parentheses
    expression = expression.replace(sympy.Mod, lambda a, b: a - b * sympy.floor(a / b))
    expression = expression.replace(sympy.Heaviside, lambda z, *at_zero: (1 + sympy.sign(z)) / 2)
    function = sympy.lambdify(list(point), expression, modules=[MPMATH, "mpmath"], cse=_shared)
    before = mpmath.nan
    for digits in (DIGITS, 2 * DIGITS, 8 * DIGITS, 16 * DIGITS):
        with mpmath.workdps(digits):
            value = mpmath.mpmathify(function(*point.values()))
            if abs(value - before) <= mpmath.mpf(10) ** -18 * abs(value):
                return float(value.real) if abs(value.imag) <= mpmath.mpf(10) ** -18 * abs(value) else float("nan")
            before = value
    return float(before.real)


def _shared(expression: Any) -> Any:
    """Common parts, by names that are real as all else is."""
    return sympy.cse(expression, symbols=sympy.numbered_symbols(real=True), list=False)
