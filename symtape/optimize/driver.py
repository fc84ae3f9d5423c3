"""The way from a start to a certified point: run a method, polish, certify, and act on what the certificate says.

A saddle or a flat point with a lower neighbor is left along the direction that was found; an infeasible end is
answered by the point of least violation, from which the method starts again or which shows that there is no
feasible point; where no method was named the next one that takes the problem has its turn. What comes back is the
best certified attempt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symtape.optimize.certify import FEASIBLE, Certificate, Verdict, certify, unchecked
from symtape.optimize.feasibility import least_violation
from symtape.optimize.history import History
from symtape.optimize.method import Ending, Method, Outcome, Settings
from symtape.optimize.optimality import violation
from symtape.optimize.polish import polish
from symtape.optimize.probes import falls_without_limit
from symtape.optimize.scipy_methods import METHODS
from symtape.optimize.standard_form import Array, StandardForm

_ESCAPES = 4
_CROSSOVER_LIMIT = 500
_NEAR = 1e-3
#: A value this far below what the start had counts as no bottom.
_BOTTOMLESS = 1e20


@dataclass(frozen=True, slots=True)
class Attempt:
    """A certified end of a run.

    Attributes
    ----------
    x : ndarray of shape (n,)
    certificate : Certificate
    method : Method
    outcome : Outcome
        Of the method's last run.
    polished : int
        Newton steps taken after it.
    """

    x: Array
    certificate: Certificate
    method: Method
    outcome: Outcome
    polished: int


@dataclass(slots=True)
class Search:
    """One minimization: the problem, where it starts, what the caller asked."""

    form: StandardForm
    start: Array
    tolerance: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    user_callback: Callable[[Array, float, Mapping[str, Any]], bool] | None = None
    history: History = field(default_factory=History)

    def solve(self, methods: Sequence[Method]) -> Attempt:
        """Try the methods in turn until one ends in success.

        Parameters
        ----------
        methods : sequence of Method
            All of them take the problem.

        Returns
        -------
        Attempt
            The first success, or else the most telling failure.
        """
        self.history.add(self.start, self.form.objective.value(self.start))
        best: Attempt | None = None
        for method in methods:
            attempt = self._attempt(method)
            if best is None or _rank(attempt, self.form) < _rank(best, self.form):
                best = attempt
            if attempt.certificate.success or attempt.certificate.verdict in _FINAL:
                break
        assert best is not None
        self.history.add(best.x, self.form.objective.value(best.x))
        return best

    def _attempt(self, method: Method) -> Attempt:
        attempt = self._crossed_over(self._run(method, self.start))
        restarted = False
        for _ in range(_ESCAPES):
            certificate = attempt.certificate
            if certificate.lower is not None:
                attempt = self._run(method, self.form.clip(certificate.lower))
            elif certificate.violation > FEASIBLE and not self._is_cut(attempt.outcome) and not restarted:
                restarted = True
                least = least_violation(self.form, attempt.x)
                if least.feasible and np.isfinite(self.form.objective.value(least.x)):
                    attempt = self._run(method, least.x)
                elif least.stationary:
                    verdict = Verdict.INFEASIBLE if least.proved else Verdict.LOCALLY_INFEASIBLE
                    found = unchecked(verdict, self.form, least.violation)
                    attempt = Attempt(least.x, found, method, attempt.outcome, attempt.polished)
            else:
                break
        return attempt

    def _crossed_over(self, attempt: Attempt) -> Attempt:
        """Let SLSQP settle which constraints are active, where a method (an interior one) stopped short of them."""
        form, certificate = self.form, attempt.certificate
        slsqp = METHODS["slsqp"]
        fits = attempt.method is not slsqp and (form.rows or form.bounded) and form.size <= _CROSSOVER_LIMIT
        if certificate.verdict is not Verdict.NOT_CONVERGED or certificate.violation > _NEAR or not fits:
            return attempt
        outcome = slsqp.run(form, attempt.x, Settings(watch=self._watch))
        with np.errstate(all="ignore"):
            x, steps = polish(form, form.clip(outcome.x))
            rise = form.objective.value(x) - form.objective.value(attempt.x)
        found = certify(form, x, self.start)
        if not found.success or rise > _NEAR * (1 + abs(form.objective.value(attempt.x))):
            return attempt
        first = attempt.outcome
        details = {**first.details, "crossover": "SLSQP"}
        message = f"{first.message} (active constraints settled by SLSQP)"
        joined = Outcome(x=x, ending=first.ending, message=message, iterations=first.iterations, details=details)
        return Attempt(x, found, attempt.method, joined, steps)

    def _run(self, method: Method, start: Array) -> Attempt:
        settings = Settings(tolerance=self.tolerance, options=dict(self.options), watch=self._watch)
        outcome = method.run(self.form, start, settings)
        x = self.form.clip(outcome.x)
        with np.errstate(all="ignore"):
            if not np.all(np.isfinite(x)) or not np.isfinite(self.form.objective.value(x)):
                x = self._last_finite(x, start)
        steps = 0
        if not self._is_cut(outcome):
            x, steps = polish(self.form, x)
        if outcome.ending is Ending.INFEASIBLE and violation(self.form, x) > FEASIBLE:
            found = unchecked(Verdict.INFEASIBLE, self.form, violation(self.form, x))
            return Attempt(x, found, method, outcome, steps)
        value = self.form.objective.value(x)
        if (
            value < -_BOTTOMLESS * (1 + abs(self.form.objective.value(self.start)))
            and violation(self.form, x) <= FEASIBLE
        ):
            return Attempt(x, unchecked(Verdict.UNBOUNDED, self.form, 0.0), method, outcome, steps)
        otherwise = _OTHERWISE[outcome.ending] if self._is_cut(outcome) else Verdict.NOT_CONVERGED
        certificate = certify(self.form, x, self.start, otherwise)
        if certificate.verdict in {Verdict.NOT_CONVERGED, Verdict.NOT_FINITE, Verdict.LIMIT} and self._falls(
            outcome, x
        ):
            certificate = unchecked(Verdict.UNBOUNDED, self.form, certificate.violation)
        return Attempt(x, certificate, method, outcome, steps)

    def _last_finite(self, x: Array, start: Array) -> Array:
        """The lowest iterate with a finite objective, where the method ended without one."""
        if self.form.objective.value(x) == -np.inf and np.all(np.isfinite(x)):
            return x
        finite = [iterate for iterate in self.history if np.isfinite(iterate.fun)]
        return min(finite, key=lambda iterate: iterate.fun).x if finite else start

    def _is_cut(self, outcome: Outcome) -> bool:
        """Whether the caller wants no further step: its callback said so, or a limit of its own was reached."""
        own_limit = any(name.startswith("max") for name in self.options)
        return outcome.ending is Ending.STOPPED or (outcome.ending is Ending.LIMIT and own_limit)

    def _falls(self, outcome: Outcome, x: Array) -> bool:
        if outcome.ending is Ending.UNBOUNDED:
            return True
        with np.errstate(all="ignore"):
            value, gradient = self.form.objective.value_and_gradient(x)
            if value == -np.inf:
                return True
            if not np.all(np.isfinite(gradient)) or violation(self.form, x) > FEASIBLE:
                return False
            return falls_without_limit(self.form, x, self.start, gradient)

    def _watch(self, x: Array, state: Mapping[str, Any]) -> bool:
        value = self.form.objective.value(x)
        self.history.add(x, value)
        return self.user_callback is not None and self.user_callback(x, value, state)


_OTHERWISE = {Ending.LIMIT: Verdict.LIMIT, Ending.STOPPED: Verdict.STOPPED}
#: Verdicts that another method would not change.
_FINAL = {Verdict.INFEASIBLE, Verdict.UNBOUNDED, Verdict.STOPPED, Verdict.LIMIT}


def _rank(attempt: Attempt, form: StandardForm) -> tuple[int, float]:
    """Smaller is better: success, then what is known for certain, then feasible points by their value."""
    certificate = attempt.certificate
    if certificate.success:
        order = 0
    elif certificate.verdict in _FINAL:
        order = 1
    elif certificate.violation <= FEASIBLE:
        order = 2
    else:
        order = 3
    value = form.objective.value(attempt.x) if order == 2 else certificate.violation
    return order, value if np.isfinite(value) else np.inf
