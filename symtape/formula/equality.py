"""Whether two formulas are the same function: by sympy where it can tell, by numbers with a counterexample else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

_POINTS = 24
_DIGITS = 30
_TOLERANCE = 1e-20


@dataclass(frozen=True, slots=True)
class Equality:
    """True or false, and how it was found.

    Attributes
    ----------
    equal : bool
    how : str
        "symbolic" or "numeric".
    counterexample : dict or None
        Where the two differ: value per symbol, with the two results under "left" and "right".
    """

    equal: bool
    how: str
    counterexample: Mapping[str, Any] | None = None

    def __bool__(self) -> bool:
        return self.equal

    def __repr__(self) -> str:
        if self.equal:
            return f"equal ({self.how})"
        return f"not equal: {self.counterexample}" if self.counterexample else f"not equal ({self.how})"


def equality(left: Any, right: Any) -> Equality:
    """Compare two sympy expressions over real symbols.

    First by sympy's simplification of the difference; where that does not settle it, at random points with 30 digits.
    Points at which either side is not a finite real number say nothing.
    """
    import sympy

    difference = left - right
    if difference == 0 or sympy.simplify(difference) == 0:
        return Equality(True, "symbolic")
    symbols = sorted(difference.free_symbols | left.free_symbols | right.free_symbols, key=str)
    rng = np.random.default_rng(20210421)
    compared = 0
    for k in range(_POINTS):
        scale = (1.0, 0.3, 4.0)[k % 3]
        draw = rng.normal(size=len(symbols)) * scale
        if k % 2:
            draw = np.abs(draw)
        point = {s: sympy.Rational(round(v * 4096), 4096) for s, v in zip(symbols, draw, strict=True)}
        values = [_real(e.subs(point)) for e in (left, right)]
        if values[0] is None or values[1] is None:
            continue
        compared += 1
        scale_of = max(1, abs(values[0]), abs(values[1]))
        if abs(values[0] - values[1]) > _TOLERANCE * scale_of:
            shown = {str(s): float(v) for s, v in point.items()}
            return Equality(False, "numeric", {**shown, "left": float(values[0]), "right": float(values[1])})
    if not compared:
        raise ValueError(
            f"{left} and {right} could not be compared: neither does sympy settle it, "
            f"nor are both real at any of {_POINTS} random points"
        )
    return Equality(True, "numeric")


def _real(expression: Any) -> Any:
    """A finite real number with 30 digits, or None."""
    import sympy

    try:
        value = sympy.N(expression, _DIGITS)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    if not value.is_Float and not value.is_Rational:
        return None
    return value if math.isfinite(float(value)) else None
