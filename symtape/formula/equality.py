"""Whether two formulas are the same function: by sympy where it can tell, by numbers with a counterexample else."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symtape.formula.rules import truth
from symtape.formula.symbols import printed_names
from symtape.ops.registry import as_number

_POINTS = 24
_POINTS_OF_LARGE = 6
_SCALES = (1.0, 0.3, 4.0, 0.3, 1.0, 20.0)
_DIGITS = 30
_WORKING_DIGITS = 60
_EXACT = 1e-25  # relative; what 30 digits leave
_ROUNDED = 1e-12  # where doubles among the numbers have been rounded
_SMALL = 150  # operations up to which sympy is asked to simplify
_LARGE = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Equality:
    """True or false, and how it was found.

    Attributes
    ----------
    equal : bool
    how : str
        "symbolic" or "numeric".
    counterexample : dict or None
        Where the two differ: value per symbol, with the two results under "left" and "right"; of arrays also the
        place of the element, under "at".
    """

    equal: bool
    how: str
    counterexample: Mapping[str, Any] | None = None

    def __bool__(self) -> bool:
        return self.equal

    def __eq__(self, other: object) -> bool:
        return self.equal is other if isinstance(other, bool) else self is other

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        if self.equal:
            return f"equal ({self.how})"
        return f"not equal: {self.counterexample}" if self.counterexample else f"not equal ({self.how})"


def equality(left: Any, right: Any) -> Equality:
    """Compare two sympy expressions over real symbols, or two arrays of them.

    Sympy decides where the difference simplifies to zero. Else random points do, with 30 digits; points at which either
    side is not a finite real number say nothing. Numbers that are doubles count as equal within rounding.

    Raises
    ------
    ValueError
        If sympy does not settle it and at no point both sides are real.

    Examples
    --------
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> equality(sympy.sin(x)**2, 1 - sympy.cos(x)**2)
    equal (symbolic)
    >>> equality(sympy.Abs(x), x).counterexample["left"] > 0
    True
    """
    import sympy

    if isinstance(left, sympy.NDimArray) or isinstance(right, sympy.NDimArray):
        return _of_arrays(sympy.Array(left), sympy.Array(right))
    if all(isinstance(e, sympy.logic.boolalg.Boolean) for e in (left, right)):
        left, right = (_canonical(truth(sympy, e)) for e in (left, right))
        if left == right:
            return Equality(True, "symbolic")
    else:
        left, right = as_number(sympy, left), as_number(sympy, right)
        if left - right == 0:
            return Equality(True, "symbolic")
    operations = _operations(left) + _operations(right)
    tolerance = _ROUNDED if left.has(sympy.Float) or right.has(sympy.Float) else _EXACT
    compared = 0
    for point, values in _points(left, right, _POINTS if operations < _LARGE else _POINTS_OF_LARGE):
        if values[0] is None or values[1] is None:
            continue
        compared += 1
        if not _agree(values[0], values[1], tolerance):
            names = printed_names(point)
            shown = {names[s]: float(v) for s, v in point.items()}
            return Equality(False, "numeric", {**shown, "left": _plain(values[0]), "right": _plain(values[1])})
    if isinstance(left, sympy.Expr) and operations <= _SMALL and _simplifies_to_zero(left - right):
        return Equality(True, "symbolic")
    if not compared:
        raise ValueError(
            f"{left} and {right} could not be compared: neither does sympy settle it, "
            "nor are both real at any of the random points"
        )
    return Equality(True, "numeric")


def _canonical(condition: Any) -> Any:
    """A condition whose comparisons all stand the same way round."""
    import sympy

    relations = condition.atoms(sympy.core.relational.Relational)
    return condition.xreplace({r: r.canonical for r in relations}) if relations else condition


def _simplifies_to_zero(difference: Any) -> bool:
    import sympy

    try:
        return bool(sympy.simplify(difference) == 0)
    except (ArithmeticError, AttributeError, TypeError, ValueError, RecursionError):
        return False  # sympy did not get through; the numbers decide


def _of_arrays(left: Any, right: Any) -> Equality:
    if left.shape != right.shape:
        return Equality(False, "symbolic", {"left shape": left.shape, "right shape": right.shape})
    how = "symbolic"
    for at in np.ndindex(*left.shape):
        verdict = equality(left[at], right[at])
        if not verdict:
            return replace(verdict, counterexample={"at": at, **(verdict.counterexample or {})})
        how = how if verdict.how == "symbolic" else "numeric"
    return Equality(True, how)


def _points(left: Any, right: Any, count: int) -> Iterator[tuple[dict[Any, Any], list[Any]]]:
    """Random points, and the numbers of both sides there (None where one is no real number)."""
    import sympy

    symbols = sorted(left.free_symbols | right.free_symbols, key=sympy.default_sort_key)
    rng = np.random.default_rng(20210421)
    for k in range(count if symbols else 1):
        draw = rng.normal(size=len(symbols)) * _SCALES[k % len(_SCALES)]
        if k % 2:
            draw = np.abs(draw) if isinstance(left, sympy.Expr) else np.round(draw)  # truth values differ at ties
        point = {s: sympy.Float(round(v * 4096) / 4096, _WORKING_DIGITS) for s, v in zip(symbols, draw, strict=True)}
        yield point, [_real(e, point) for e in (left, right)]


def _real(expression: Any, point: Mapping[Any, Any]) -> Any:
    """A finite real number with 30 digits, a truth value, or None."""
    import sympy

    try:
        value = expression.xreplace(point)
        if value in (sympy.true, sympy.false):
            return value
        value = sympy.N(value, _DIGITS)
    except (TypeError, ValueError, ArithmeticError, RecursionError):
        return None
    if not value.is_Float and not value.is_Rational:
        return None
    return value if math.isfinite(value) else None


def _agree(left: Any, right: Any, tolerance: float) -> bool:
    if not left.is_number or not right.is_number:
        return bool(left == right)
    return bool(abs(left - right) <= tolerance * max(abs(left), abs(right), 1 if tolerance == _ROUNDED else 0))


def _plain(value: Any) -> Any:
    return float(value) if value.is_number else bool(value)


def _operations(expression: Any) -> int:
    """Operations of the tree, counted up to the number that makes it large."""
    count, stack = 0, [expression]
    while stack and count <= _LARGE:
        e = stack.pop()
        count += bool(e.args)
        stack.extend(e.args)
    return count
