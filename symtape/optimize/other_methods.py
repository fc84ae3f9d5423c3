"""Methods beside those of ``scipy.optimize.minimize``: linear programs by HiGHS, minimizers of the caller's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.optimize

from symtape.optimize.method import Capabilities, Ending, Outcome, Settings, StopSignal
from symtape.optimize.scipy_rows import as_linear_program, as_objects
from symtape.optimize.standard_form import Array, StandardForm

_LINEAR = Capabilities(bounds=True, affine_rows=True, equations=True, affine_only=True)
_ANYTHING = Capabilities(hessian=True, product=True, bounds=True, affine_rows=True, general_rows=True, equations=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearMethod:
    """The HiGHS solvers of ``scipy.optimize.linprog``, for an affine objective with affine rows."""

    name: str = "highs"
    capabilities: Capabilities = _LINEAR
    source: str = "Huangfu and Hall, Parallelizing the dual revised simplex method, Math. Prog. Comp. 10, 2018"

    def run(self, form: StandardForm, start: Array, settings: Settings) -> Outcome:
        """See `symtape.optimize.method.Method.run`."""
        cost = form.objective.gradient(start)
        matrices = as_linear_program(form, start)
        found = scipy.optimize.linprog(
            cost,
            **matrices,
            bounds=np.column_stack([form.lower, form.upper]),
            method="highs",
            options=dict(settings.options) or None,
        )
        endings = {0: Ending.CONVERGED, 1: Ending.LIMIT, 2: Ending.INFEASIBLE, 3: Ending.UNBOUNDED}
        ending = endings.get(int(found.status), Ending.STALLED)
        if found.x is None:
            return Outcome(x=start, ending=ending, message=str(found.message), iterations=int(found.nit))
        x = np.array(found.x, dtype=np.float64)
        if settings.watch(x.copy(), {}):
            ending = Ending.STOPPED
        return Outcome(x=x, ending=ending, message=str(found.message), iterations=int(found.nit))


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomMethod:
    """A minimizer that the caller wrote for ``scipy.optimize.minimize(method=...)``; it is handed exact derivatives.

    Attributes
    ----------
    function : callable
        ``function(fun, x0, args=(), jac=..., hess=..., hessp=..., bounds=..., constraints=..., callback=...,
        **options)``.
    """

    function: Callable[..., Any]
    capabilities: Capabilities = _ANYTHING
    source: str = "supplied by the caller"

    @property
    def name(self) -> str:
        """The function's own name."""
        return str(getattr(self.function, "__name__", type(self.function).__name__))

    def run(self, form: StandardForm, start: Array, settings: Settings) -> Outcome:
        """See `symtape.optimize.method.Method.run`."""
        last = start.copy()
        iterations = 0

        def step(x: Array, *state: Any) -> None:
            nonlocal last, iterations
            iterations += 1
            last = np.array(x, dtype=np.float64)
            if settings.watch(last.copy(), {}):
                raise StopSignal

        try:
            found = scipy.optimize.minimize(
                form.objective.value,
                start,
                method=self.function,
                jac=form.objective.gradient,
                hess=form.objective.hessian,
                hessp=form.objective.hvp,
                bounds=scipy.optimize.Bounds(form.lower, form.upper) if form.bounded else None,
                constraints=as_objects(form, start),
                tol=settings.tolerance,
                options=dict(settings.options),
                callback=step,
            )
        except StopSignal:
            return Outcome(x=last, ending=Ending.STOPPED, message="Stopped by the callback.", iterations=iterations)
        ending = Ending.CONVERGED if found.get("success", True) else Ending.STALLED
        message = str(found.get("message", ""))
        x = np.array(found.x, dtype=np.float64)
        return Outcome(x=x, ending=ending, message=message, iterations=int(found.get("nit", iterations)))
