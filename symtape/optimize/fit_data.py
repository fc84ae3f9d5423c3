"""The data of a fit as they are handed to the model and compared with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from symtape.errors import NonFiniteError, ShapeError
from symtape.graph.quantities import real_number
from symtape.optimize.standard_form import Array
from symtape.tape.callable_arguments import Static


@dataclass(frozen=True, slots=True)
class FitData:
    """Data of a fit.

    Attributes
    ----------
    x : object
        What the model gets as its first argument.
    y : ndarray of shape (m,)
    shape : tuple of int
        Of y as it came.
    sigma : ndarray or None
    """

    x: Any
    y: Array
    shape: tuple[int, ...]
    sigma: Any

    @property
    def argument(self) -> Any:
        """The model's first argument for a recording: a table (DataFrame) is handed on as it is."""
        return Static(self.x) if hasattr(self.x, "columns") else self.x


def read_data(
    xdata: Any, ydata: Any, sigma: Any, check_finite: bool | None, nan_policy: str | None, by: str
) -> FitData:
    """The data as arrays of float64 where they are arrays.

    Parameters
    ----------
    xdata : array_like, Series, DataFrame or object
    ydata : array_like or Series
    sigma : array_like or None
    check_finite : bool or None
        None: True unless there is a ``nan_policy``.
    nan_policy : None, "raise" or "omit"
    by : str

    Returns
    -------
    FitData

    Raises
    ------
    NonFiniteError
        Naming the first entry that is NaN or infinite.
    """
    if nan_policy not in {None, "raise", "omit"}:
        raise ValueError(f"{by}: nan_policy is {nan_policy!r}; wanted None, 'raise' or 'omit'")
    check = nan_policy is None if check_finite is None else check_finite
    y = _as_floats(ydata, "ydata", by)
    if not y.size:
        raise ValueError(f"{by}: ydata is empty")
    x = _argument(xdata, by)
    sigma = None if sigma is None else _as_floats(sigma, "sigma", by)
    if check or nan_policy == "raise":
        _refuse(y, "ydata", by)
        if isinstance(x, np.ndarray):
            _refuse(x, "xdata", by)
        elif hasattr(x, "columns"):
            _refuse(x.select_dtypes("number").to_numpy(dtype=np.float64), "xdata", by)
    elif nan_policy == "omit":
        x, y, sigma = _without_nan(x, y, sigma, by)
    return FitData(x, y.ravel(), y.shape, sigma)


def _argument(xdata: Any, by: str) -> Any:
    if hasattr(xdata, "columns"):
        return xdata
    if isinstance(xdata, (list, tuple, np.ndarray)) or hasattr(xdata, "to_numpy"):
        return _as_floats(xdata, "xdata", by)
    return xdata


def _as_floats(data: Any, name: str, by: str) -> Array:
    data = real_number(data, f"{by}: {name}")
    try:
        return np.array(data, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{by}: {name} is no array of numbers: {error}") from error


def _refuse(data: Array, name: str, by: str) -> None:
    bad = np.argwhere(~np.isfinite(data))
    if bad.size:
        index = ", ".join(str(int(k)) for k in bad[0])
        raise NonFiniteError(
            f"{by}: {name}[{index}] is {data[tuple(bad[0])]}; data have to be finite (nan_policy='omit' leaves NaN out)"
        )


def _without_nan(x: Any, y: Array, sigma: Any, by: str) -> tuple[Any, Array, Any]:
    if not isinstance(x, np.ndarray) or y.ndim != 1 or x.shape[-1] != y.size:
        raise ShapeError(f"{by}: nan_policy='omit' needs arrays: ydata of shape (m,), xdata of shape (..., m)")
    missing = np.isnan(x).any(axis=tuple(range(x.ndim - 1))) | np.isnan(y)
    kept = ~missing
    if sigma is not None and sigma.ndim:
        sigma = sigma[np.ix_(kept, kept)] if sigma.ndim == 2 else sigma[kept]
    return x[..., kept], y[kept], sigma
