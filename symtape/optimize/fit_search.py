"""The search behind every fit: from an objective made of residuals to a certified result with SciPy's fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.optimize

from symtape.errors import NonFiniteError, ShapeError
from symtape.optimize.driver import Search
from symtape.optimize.fit_result import LeastSquaresResult
from symtape.optimize.least_squares_methods import least_squares_methods
from symtape.optimize.method import check_capable
from symtape.optimize.model import Reduced
from symtape.optimize.residuals import WeightedResiduals
from symtape.optimize.scipy_arguments import checked_limits, read_callback
from symtape.optimize.solving import assembled, check_start
from symtape.optimize.standard_form import Array, Objective, StandardForm
from symtape.optimize.unknowns import Unknowns


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """How to search.

    Attributes
    ----------
    method : str or None
    options : mapping
        Arguments of ``scipy.optimize.least_squares``; None for those that the caller did not give.
    loss : str or callable
    f_scale : float
    callback : callable or None
    """

    method: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    loss: Any = "linear"
    f_scale: float = 1.0
    callback: Callable[..., Any] | None = None

    @property
    def robust(self) -> bool:
        """Whether the cost is another than half the sum of squares."""
        return not (isinstance(self.loss, str) and self.loss == "linear")


def read_limits(bounds: Any, x: Array, unknowns: Unknowns, by: str) -> tuple[Array, Array]:
    """Bounds in the form of ``least_squares``: a pair of arrays; the start has to lie within them."""
    if isinstance(bounds, scipy.optimize.Bounds):
        low, high = bounds.lb, bounds.ub
    elif len(bounds) == 2:
        low, high = bounds
    else:
        raise ShapeError(f"{by}: bounds has {len(bounds)} entries; wanted (lower, upper)")
    lower, upper = checked_limits(np.asarray(low, float), np.asarray(high, float), x.size, by)
    if np.any(lower >= upper):
        raise ValueError(f"{by}: each lower bound has to lie below its upper bound")
    outside = np.flatnonzero((x < lower) | (x > upper))
    if outside.size:
        i = int(outside[0])
        raise ValueError(
            f"{by}: the start of {unknowns.label(i)} is {x[i]:g}, outside its bounds {lower[i]:g} to {upper[i]:g}"
        )
    return lower, upper


def search_minimum(
    kind: type[LeastSquaresResult],
    unknowns: Unknowns,
    objective: Objective,
    residuals: WeightedResiduals,
    x: Array,
    limits: tuple[Array, Array],
    settings: FitSettings,
    by: str,
) -> Any:
    """Search from x and put the result together.

    Parameters
    ----------
    kind : type
        Of the result.
    unknowns : Unknowns
    objective : Objective
    residuals : WeightedResiduals
    x : ndarray of shape (n,)
        Within the limits.
    limits : (ndarray, ndarray)
    settings : FitSettings
    by : str

    Returns
    -------
    LeastSquaresResult

    Raises
    ------
    NonFiniteError
        If a residual at x is NaN or infinite.
    """
    lower, upper = limits
    method, options = settings.method, settings.options
    form = StandardForm(objective=objective, lower=lower, upper=upper, label=unknowns.label)
    with np.errstate(all="ignore"):
        first = residuals.value(x)
    if not np.all(np.isfinite(first)):
        i = int(np.argmin(np.isfinite(first)))
        raise NonFiniteError(f"{by}: residual {i} is {first[i]} at the start; start elsewhere")
    check_start(form, x, by)
    methods = least_squares_methods(
        method, residuals.joint, by, options=options, loss=settings.loss, f_scale=settings.f_scale
    )
    if method is not None:
        check_capable(methods[0], form, least_squares_methods(None, residuals.joint, by))
        if method == "lm" and first.size < x.size:
            raise ValueError(f"{by}: method 'lm' needs at least as many residuals as unknowns, {first.size} < {x.size}")
    methods = [m for m in methods if not m.capabilities.lacks(form) and (m.name != "lm" or first.size >= x.size)]
    watch = read_callback(settings.callback, method)
    given_limit = {"max_nfev": options["max_nfev"]} if options.get("max_nfev") is not None else {}
    search = Search(form, x, None, given_limit, watch)
    attempt = search.solve(methods)
    result = assembled(Reduced(unknowns, form, ()), attempt, search.history, kind)
    values, jacobian = residuals.joint(attempt.x)
    gradient = result["jac"]
    mask = np.where(attempt.x <= lower, -1, np.where(attempt.x >= upper, 1, 0))
    result.update(
        cost=result["fun"],
        fun=values.copy(),
        jac=jacobian.copy(),
        grad=gradient,
        optimality=float(np.max(np.abs(np.where((mask * gradient) < 0, 0.0, gradient)), initial=0.0)),
        active_mask=mask,
        status=(max(int(result.pop("solver_status", 2)), 1) if result.success else 0),
    )
    return result
