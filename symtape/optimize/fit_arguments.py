"""What ``curve_fit`` is given beside the data: names of parameters, where to start, limits, options."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.optimize

from symtape.errors import ShapeError
from symtape.graph.quantities import real_number
from symtape.optimize.fit_search import FitSettings
from symtape.optimize.standard_form import Array

#: Arguments of SciPy's that concern finite differences or workspaces: taken and passed over.
_PASSED_OVER = {"epsfcn", "diff_step", "jac_sparsity", "workers", "factor", "diag", "col_deriv"}
_KNOWN = {"ftol", "xtol", "gtol", "x_scale", "tr_solver", "tr_options", "max_nfev", "verbose"}


def parameter_names(f: Callable[..., Any], p0: Any, by: str) -> list[str]:
    """The names of a model's parameters: those after its first argument.

    Parameters
    ----------
    f : callable
        ``f(xdata, *params)``; with a starred parameter p0 tells how many.
    p0 : sequence or mapping or None
    by : str

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        If the number cannot be told, or p0 has another one.
    """
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    positional = [p for p in parameters if p.kind in plain]
    starred = any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters) or not parameters
    own = [p.name for p in positional[1:]]
    if isinstance(p0, Mapping):
        return _names_of_mapping(own, p0, by, starred=starred)
    if p0 is None:
        if starred or not own:
            raise ValueError(f"{by}: the model's signature does not tell its parameters; give p0")
        return own
    count = int(np.size(p0))
    if count > len(own) and starred:
        return own + [f"p{k}" for k in range(len(own), count)]
    required = [p.name for p in positional[1:] if p.default is inspect.Parameter.empty]
    if not len(required) <= count <= len(own):
        raise ShapeError(f"{by}: p0 has {count} values, but the model has the parameters {', '.join(own) or 'none'}")
    return own[:count]


def _names_of_mapping(own: Sequence[str], p0: Mapping[str, Any], by: str, *, starred: bool) -> list[str]:
    if starred:
        return list(p0)
    for name in p0:
        if name not in own:
            raise ValueError(f"{by}: p0 names {name!r}, which is no parameter of the model; there are {', '.join(own)}")
    missing = [name for name in own if name not in p0]
    if missing:
        raise ValueError(f"{by}: p0 has no value for {', '.join(missing)}")
    return list(own)


def named_limits(bounds: Any, names: Sequence[str], by: str) -> tuple[Any, Any]:
    """Lower and upper limits: from a pair, a ``Bounds`` object, or a mapping from names to pairs."""
    if isinstance(bounds, Mapping):
        for name in bounds:
            if name not in names:
                raise ValueError(f"{by}: bounds names {name!r}, which is no parameter; there are {', '.join(names)}")
        pairs = [bounds.get(name, (None, None)) for name in names]
        low = [-np.inf if pair[0] is None else pair[0] for pair in pairs]
        return low, [np.inf if pair[1] is None else pair[1] for pair in pairs]
    if isinstance(bounds, scipy.optimize.Bounds):
        return bounds.lb, bounds.ub
    if len(bounds) != 2:
        raise ShapeError(f"{by}: bounds has {len(bounds)} entries; wanted (lower, upper)")
    return bounds[0], bounds[1]


def as_start(p0: Any, by: str) -> Any:
    """``p0`` as a vector of floats; None and a mapping from names as they are."""
    if p0 is None or isinstance(p0, Mapping):
        return p0
    p0 = real_number(p0, f"{by}: p0")
    try:
        return np.atleast_1d(np.array(p0, dtype=np.float64)).ravel()
    except (TypeError, ValueError) as error:
        raise TypeError(f"{by}: p0 is {p0!r}; wanted numbers") from error


def starting_point(p0: Any, names: Sequence[str], lower: Any, upper: Any, by: str) -> Array:
    """Where the fit starts: p0, or as in SciPy ones, or points within the limits."""
    if isinstance(p0, Mapping):
        p0 = [p0[name] for name in names]
    if p0 is not None:
        return np.asarray(as_start(p0, by), dtype=np.float64)
    low = np.broadcast_to(np.asarray(lower, dtype=np.float64), (len(names),))
    high = np.broadcast_to(np.asarray(upper, dtype=np.float64), (len(names),))
    below, above = np.isfinite(low), np.isfinite(high)
    x = np.ones(len(names))
    both = below & above
    x[both] = 0.5 * (low[both] + high[both])
    x[below & ~above] = low[below & ~above] + 1
    x[~below & above] = high[~below & above] - 1
    return x


def fit_settings(method: str | None, options: Mapping[str, Any], by: str) -> FitSettings:
    """The settings in the further keywords of ``curve_fit``.

    Raises
    ------
    TypeError
        Naming a keyword that is not known.
    """
    rest = {name: value for name, value in options.items() if name not in _PASSED_OVER}
    loss, f_scale = rest.pop("loss", "linear"), rest.pop("f_scale", 1.0)
    callback = rest.pop("callback", None)
    limit = rest.pop("maxfev", None)
    if limit:
        rest.setdefault("max_nfev", limit)
    unknown = sorted(set(rest) - _KNOWN)
    if unknown:
        raise TypeError(
            f"{by}: unknown keyword {unknown[0]!r}; there are {', '.join(sorted(_KNOWN | {'loss', 'f_scale'}))}"
        )
    return FitSettings(method=method, options=rest, loss=loss, f_scale=float(f_scale), callback=callback)
