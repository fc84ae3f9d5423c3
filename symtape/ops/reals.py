"""Functions of complex numbers, on real ones: what is left of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from symtape.ops.registry import function


@function("numpy.angle")
def angle(B: Any, z: Any, deg: bool = False) -> Any:
    """``np.angle``: 0 for positive numbers, pi for negative ones."""
    x = B.lift(z)
    x = x if B.dtype(x).kind == "f" else B.astype(x, np.float64)
    turned = B.arctan2(B.const(np.zeros((), B.dtype(x))), x)
    return B.multiply(turned, 180 / np.pi) if deg else turned


@function("numpy.real_if_close")
def real_if_close(B: Any, a: Any, tol: float = 100) -> Any:
    """``np.real_if_close``: the array itself."""
    return B.lift(a)


@function("numpy.isreal")
def isreal(B: Any, x: Any) -> Any:
    """``np.isreal``: True everywhere."""
    return B.broadcast_to(B.const(np.asarray(True)), B.shape(B.lift(x)))


@function("numpy.iscomplex")
def iscomplex(B: Any, x: Any) -> Any:
    """``np.iscomplex``: False everywhere."""
    return B.broadcast_to(B.const(np.asarray(False)), B.shape(B.lift(x)))
