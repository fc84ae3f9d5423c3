"""Arrays made by request that may be filled with tensors: ``np.zeros`` makes one that holds numbers alone."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from symtape.tape.in_place import FillableTensor, fillable
from symtape.tape.tensor import TENSORS, Tensor, lift


def zeros(shape: Any, dtype: Any = np.float64) -> FillableTensor:
    """Zeros that may be filled with tensors: ``np.zeros`` makes an array, which holds numbers and no expressions.

    Parameters
    ----------
    shape : int or tuple of int
    dtype : dtype, optional

    Returns
    -------
    FillableTensor

    Examples
    --------
    >>> import symtape as st
    >>> x = st.Variable(3.0, name="x")
    >>> t = st.zeros(2)
    >>> t[1] = x**2
    >>> t.numpy()
    array([0., 9.])
    """
    return full(shape, 0.0, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> FillableTensor:
    """``np.full`` of a tensor: one value everywhere, and it may be filled on.

    Parameters
    ----------
    shape : int or tuple of int
    fill_value : Tensor or array_like
        Broadcasts to the shape.
    dtype : dtype, optional
        That of the value unless given.

    Returns
    -------
    FillableTensor

    Examples
    --------
    >>> import symtape as st
    >>> st.full((2, 2), st.Variable(3.0)).numpy()
    array([[3., 3.],
           [3., 3.]])
    """
    lengths = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    value = lift(fill_value)
    value = value if dtype is None or value.dtype == np.dtype(dtype) else TENSORS.astype(value, dtype)
    return fillable(cast(Tensor, TENSORS.broadcast_to(value, lengths)))
