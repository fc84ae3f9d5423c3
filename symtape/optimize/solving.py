"""From a reduced problem to its result: choose the method, check the start, search, put the result together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symtape.errors import NonFiniteError, ShapeError
from symtape.graph.quantities import real_number
from symtape.optimize.certify import Verdict, unchecked
from symtape.optimize.driver import Attempt, Search
from symtape.optimize.history import History
from symtape.optimize.method import Ending, Method, Outcome, check_capable, choose
from symtape.optimize.model import Reduced
from symtape.optimize.other_methods import CustomMethod
from symtape.optimize.result import OptimizeResult, result_fields
from symtape.optimize.scipy_methods import METHODS, method_named, preference
from symtape.optimize.standard_form import Array, StandardForm
from symtape.tape.tensor import Tensor


def start_vector(x0: Any, by: str) -> Array:
    """The start as a vector of floats, as SciPy reads it."""
    if x0 is None:
        raise TypeError(f"{by}: x0 is missing: where should the search start?")
    given = x0.numpy() if isinstance(x0, Tensor) else real_number(x0, f"{by}: x0")
    try:
        x = np.atleast_1d(np.array(given, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise TypeError(f"{by}: x0 is {x0!r}; wanted numbers") from error
    if x.ndim != 1:
        raise ShapeError(f"{by}: x0 has shape {x.shape}; wanted one dimension (variables of any shape go with tensors)")
    if not x.size:
        raise ShapeError(f"{by}: x0 is empty; wanted at least one number")
    return x


def solve_reduced(reduced: Reduced, search: Search, method: Any, by: str) -> OptimizeResult:
    """Solve a standard form and put the result together.

    Parameters
    ----------
    reduced : Reduced
    search : Search
        Where it starts and what the caller asked.
    method : None, str or callable
    by : str
        Who asks, for messages.

    Returns
    -------
    OptimizeResult
    """
    form = reduced.form
    methods = chosen_methods(form, method, by)
    if reduced.crossed:
        outcome = Outcome(x=search.start, ending=Ending.INFEASIBLE, message="A lower bound lies above an upper one.")
        violated = float(np.max(form.lower - form.upper))
        attempt = Attempt(search.start, unchecked(Verdict.INFEASIBLE, form, violated), methods[0], outcome, 0)
    else:
        search.start = form.clip(search.start)
        check_start(form, search.start, by)
        attempt = search.solve(methods)
    return assembled(reduced, attempt, search.history)


def chosen_methods(form: StandardForm, method: Any, by: str) -> Sequence[Method]:
    """The method that the caller named, checked against the problem, or those that fit it."""
    if method is None:
        return choose(form, preference(form))
    if callable(method):
        return [CustomMethod(function=method)]
    if not isinstance(method, str):
        raise TypeError(f"{by}: method is {method!r}; wanted a name or a callable")
    named = method_named(method)
    check_capable(named, form, METHODS.values())
    return [named]


def check_start(form: StandardForm, x: Array, by: str) -> None:
    """Refuse a start at which the objective or its gradient is no number."""
    with np.errstate(all="ignore"):
        value, gradient = form.objective.value_and_gradient(x)
    if not np.isfinite(value):
        raise NonFiniteError(
            f"{by}: the objective is {value} at the start {np.array2string(x, threshold=6)}; start elsewhere"
        )
    bad = np.flatnonzero(~np.isfinite(gradient))
    if bad.size:
        i = int(bad[0])
        raise NonFiniteError(f"{by}: the derivative in {form.label(i)} is {gradient[i]} at the start; start elsewhere")


def assembled(
    reduced: Reduced, attempt: Attempt, history: History, kind: type[OptimizeResult] = OptimizeResult
) -> OptimizeResult:
    """The result of an attempt, of a kind."""
    form, x = reduced.form, attempt.x
    with np.errstate(all="ignore"):
        value, gradient = form.objective.value_and_gradient(x)
    certificate = reduced.as_written(x, attempt.certificate)
    counts = form.objective.counts
    return kind(
        fun=value,
        jac=gradient,
        nfev=counts.value,
        njev=counts.gradient,
        nhev=counts.hessian + counts.product,
        **result_fields(
            x,
            reduced.params(x),
            certificate,
            attempt.method,
            attempt.outcome.message,
            attempt.outcome.iterations + attempt.polished,
            history,
            attempt.outcome.details,
        ),
    )
