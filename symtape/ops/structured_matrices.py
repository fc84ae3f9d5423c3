"""Matrices put together by a pattern: Toeplitz matrices and blocks on a diagonal."""

from __future__ import annotations

from typing import Any

import numpy as np

from symtape.graph.shapes import Length, broadcast
from symtape.ops.registry import function


@function("scipy.linalg.toeplitz")
def toeplitz(B: Any, c: Any, r: Any = None) -> Any:
    """``scipy.linalg.toeplitz``: first column ``c`` and first row ``r``, along the last axis of stacks."""
    column = B.atleast_1d(B.lift(c))
    row = column if r is None else B.atleast_1d(B.lift(r))
    lead = broadcast([B.shape(column)[:-1], B.shape(row)[:-1]])
    m, n = B.shape(column)[-1], B.shape(row)[-1]
    column, row = B.broadcast_to(column, (*lead, m)), B.broadcast_to(row, (*lead, n))
    # element (i, j) is number m - 1 + j - i of: the column upwards, then the row without its first element
    line = B.concatenate([B.flip(column, axis=-1), B.getitem(row, (..., slice(1, None)))], axis=-1)
    if isinstance(m, int) and isinstance(n, int):
        return B.take(line, np.arange(m)[::-1, None] + np.arange(n), axis=-1)
    last = B.subtract(B.length(column, (len(lead),), np.intp), 1)
    places = B.subtract(B.add(last, B.positions(row, len(lead))), B.expand_dims(B.positions(column, len(lead)), -1))
    return B.take(line, places, axis=-1)


@function("scipy.linalg.block_diag")
def block_diag(B: Any, *arrs: Any) -> Any:
    """``scipy.linalg.block_diag``: a vector is one row, a number one element; stacks broadcast."""
    blocks = [B.atleast_2d(B.lift(a)) for a in arrs] or [B.zeros((1, 0))]
    lead = broadcast([B.shape(x)[:-2] for x in blocks])
    dtype = np.result_type(*[B.dtype(x) for x in blocks])
    blocks = [B.astype(B.broadcast_to(x, (*lead, *B.shape(x)[-2:])), dtype) for x in blocks]
    widths: list[Length] = [B.shape(x)[-1] for x in blocks]
    rows = []
    for k, x in enumerate(blocks):
        m = B.shape(x)[-2]
        before, after = sum(widths[:k]), sum(widths[k + 1 :])
        parts = [B.zeros((*lead, m, before), dtype), x, B.zeros((*lead, m, after), dtype)]
        rows.append(B.concatenate(parts, axis=-1))
    return B.concatenate(rows, axis=-2)
