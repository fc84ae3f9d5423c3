"""Graphs of numbers against sympy: the formula of each result, differentiated by sympy itself, in 30 digits."""

import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mpmath
import numpy as np
import sympy

from symtape.autodiff.reverse import gradient
from symtape.errors import FormulaTooLargeError
from symtape.formula.element import array_expression
from symtape.formula.symbols import element_symbol
from tests.random_graphs.cases import Case, DisagreementError, Numbers
from tests.random_graphs.recipes import Recipe

DIGITS = 30
OPERATIONS = 80  #: of a formula; sympy takes minutes over the derivatives of larger ones
SECONDS = 10.0  #: that sympy may take for a result

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


class _TooSlowError(Exception):
    """Sympy has had its time."""


def against_sympy(recipe: Recipe) -> Case:
    """Values and gradients of scalar results are those of their formulas; what sympy does not do is counted.

    Raises
    ------
    DisagreementError
    """
    case = Case.of(recipe)
    point = {element_symbol(x): mpmath.mpf(float(a)) for x, a in case.env.items()}
    for output in case.outputs:
        try:
            with _limited():
                _compare_result(case, output, point)
        except FormulaTooLargeError:
            case.counts["formula too large"] += 1
        except _TooSlowError:
            case.counts["sympy takes too long"] += 1
        except (AttributeError, TypeError) as error:  # such as polylog(2, besselj(3, airybiprime(x)))
            if not _stands_in_sympy(error):
                raise
            case.counts["sympy fails"] += 1
    return case


def _compare_result(case: Case, output: Any, point: dict[Any, Any]) -> None:
    gradients = gradient(output, case.moving)
    numbers = Numbers.of(case, [output, *case.present(gradients)])
    expression = array_expression(output, limit=OPERATIONS)
    _compare(case, "the value", output, numbers, expression, point)
    for x, g in zip(case.moving, gradients, strict=True):
        derivative = sympy.diff(expression, element_symbol(x))
        if g is not None:
            _compare(case, f"the derivative in {x!r}", g, numbers, derivative, point)
        elif derivative != 0 and not derivative.has(*UNKNOWN):
            raise DisagreementError(f"no gradient of {output!r} in {x!r}, and sympy has {derivative}")


@contextmanager
def _limited() -> Iterator[None]:
    """Interrupts sympy, which can ask itself for hours whether a tanh is real; where no such signal is, it may."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: Any) -> None:
        raise _TooSlowError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _stands_in_sympy(error: BaseException) -> bool:
    """Whether an error is of sympy's own making, or of the code that it prints (numbers complex on the way)."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    package = frame.f_globals.get("__name__", "").partition(".")[0]
    return package in ("sympy", "mpmath") or "<lambdifygenerated" in frame.f_code.co_filename


def _compare(case: Case, what: str, node: Any, numbers: Numbers, expression: Any, point: dict[Any, Any]) -> None:
    if expression.has(*UNKNOWN):
        case.counts["unknown to sympy"] += 1
        return
    try:
        exact = in_digits(expression, point)
    except ZeroDivisionError:  # such as (exp(x) - 1)/x at 0: the formula says nothing of this point
        case.counts["no value of the formula"] += 1
        return
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
