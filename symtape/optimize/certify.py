"""The certificate: what can be said of a point that a method returned, and whether that is success.

The verdict is reached from exact first and second derivatives at the point, never from what the method believes.
The order of questions: is everything finite, is the point feasible, do the values fall without end, is it
stationary, is the problem convex, what does the Hessian say on the critical cone. `success` follows from the
verdict.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symtape.optimize.convexity import is_convex
from symtape.optimize.curvature import Curvature, gradient_reach
from symtape.optimize.optimality import FirstOrder, bound_multipliers, first_order, largest, row_multipliers
from symtape.optimize.probes import lower_along
from symtape.optimize.second_order import examine
from symtape.optimize.standard_form import Array, StandardForm

#: Relative size of the KKT residual, of Newton's step and of complementarity below which a point counts as stationary.
STATIONARY = 1e-6
#: The same where the curvature does not tell how far a stationary point is: near rounding.
UNDECIDED_STATIONARY = 1e-12
#: Relative violation of a constraint that still counts as feasible.
FEASIBLE = 1e-8
#: A multiplier smaller than this part of the gradient counts as zero: its constraint is weakly active.
WEAK = 1e-8
#: Largest relative change of the Hessian over Newton's step for which the step is believed.
DRIFT = 0.25
#: Largest multiplier, relative to the gradient, that counts as one.
LARGEST_MULTIPLIER = 1e6
_SMALLEST_CHANGE = 1e-12
_RUNAWAY = 1e6
_WAY = 1e-3
_WHOLE = 1e-7
_MARGIN, _MARGIN_WAY = 1e-9, 1e-10
_SHOWN = 6


class Verdict(enum.Enum):
    """What is known of the point; the value is the sentence that a result shows as its message."""

    STRICT_LOCAL_MINIMUM = (
        "Strict local minimum: the KKT conditions hold and the Hessian is positive definite on the critical cone."
    )
    CONVEX_MINIMUM = "Minimum of a convex problem: the KKT conditions hold, so no feasible point is lower."
    CURVATURE_UNDECIDED = (
        "Curvature undecided: the KKT conditions hold, but the Hessian on the critical cone is not positive definite."
    )
    NOT_A_MINIMUM = (
        "Not a minimum: the KKT conditions hold, but the Hessian has negative curvature on the critical cone."
    )
    NOT_CONVERGED = "Not converged: the KKT conditions do not hold at the point that was reached."
    INFEASIBLE = "Infeasible: no point satisfies the constraints (they are convex, and their violation is least here)."
    LOCALLY_INFEASIBLE = (
        "Infeasible here: the violation of the constraints has a local minimum above zero; another start may do better."
    )
    UNBOUNDED = "Unbounded: the objective falls without limit."
    NOT_FINITE = "Not finite: the objective or a derivative is NaN or infinite at the point that was reached."
    LIMIT = "Stopped at a limit on iterations or evaluations before the KKT conditions held."
    STOPPED = "Stopped by the callback before the KKT conditions held."

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What was checked at the returned point, and the verdict.

    Attributes
    ----------
    verdict : Verdict
    kkt_residual : float
        Largest entry of ``gradient f - sum_j multiplier_j * gradient c_j`` and of the complementarity products.
    kkt_scale : float
        The size of the terms that cancel in it; what `kkt_residual` was compared with, times the tolerance.
    violation : float
        Largest violation of a constraint, relative to ``1 + |limit|``.
    curvature : float
        Smallest eigenvalue of the Hessian on the critical cone, in unknowns scaled so that its rows have size 1;
        infinite at a vertex, NaN if it was not examined.
    newton_step : float
        Length of Newton's step relative to x, in the same scaling.
    drift : float
        Relative change of the Hessian over that step.
    convex : bool
        Whether the problem was proved convex.
    multipliers : ndarray
        Of the constraints' rows, positive at an active lower limit, negative at an upper one.
    bound_multipliers : ndarray
        Of the bounds, shape (n,).
    active : tuple of str
        The constraints that hold with equality.
    semidefinite : bool
        Whether the Hessian on the critical cone is positive semidefinite within the tolerance.
    lower : ndarray or None
        A feasible point with a lower value, if one was found along a direction without positive curvature.
    tolerance : float
        Of the relative KKT residual and of Newton's step.
    """

    verdict: Verdict
    kkt_residual: float = np.nan
    kkt_scale: float = np.nan
    violation: float = np.nan
    curvature: float = np.nan
    newton_step: float = np.nan
    drift: float = np.nan
    convex: bool = False
    multipliers: Array
    bound_multipliers: Array
    active: tuple[str, ...] = ()
    semidefinite: bool = False
    lower: Array | None = None
    tolerance: float = STATIONARY

    @property
    def success(self) -> bool:
        """True for a strict local minimum and the minimum of a convex problem.

        For undecided curvature only if the Hessian on the critical cone is positive semidefinite within the
        tolerance and no lower point was found along its null directions.
        """
        if self.verdict is Verdict.CURVATURE_UNDECIDED:
            return self.semidefinite and self.lower is None
        return self.verdict in {Verdict.STRICT_LOCAL_MINIMUM, Verdict.CONVEX_MINIMUM}

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        return self.verdict.sentence

    def rows(self) -> list[tuple[str, str]]:
        """What was found, as pairs of a name and a text."""
        rows = [
            ("KKT residual", f"{self.kkt_residual:.3g} (of terms of size {self.kkt_scale:.3g})"),
            ("violation", f"{self.violation:.3g}"),
            ("curvature", f"{self.curvature:.3g} (smallest scaled eigenvalue on the critical cone)"),
            ("Newton step", f"{self.newton_step:.3g} (relative)"),
            ("active", _listed(self.active)),
            ("convex", "yes" if self.convex else "not known"),
        ]
        if self.lower is not None:
            rows.append(("lower point", "found along a direction without positive curvature"))
        return rows

    def __str__(self) -> str:
        return "\n".join([self.sentence, *(f"  {name:<13}{text}" for name, text in self.rows())])


def _listed(names: tuple[str, ...]) -> str:
    more = f", ... ({len(names)} in all)" if len(names) > _SHOWN else ""
    return (", ".join(names[:_SHOWN]) or "none") + more


def unchecked(verdict: Verdict, form: StandardForm, violation: float = np.nan) -> Certificate:
    """A certificate of a point at which nothing more can be examined."""
    rows = sum(block.size for block in form.rows)
    return Certificate(
        verdict=verdict, multipliers=np.zeros(rows), bound_multipliers=np.zeros(form.size), violation=violation
    )


def certify(form: StandardForm, x: Array, start: Array, otherwise: Verdict = Verdict.NOT_CONVERGED) -> Certificate:
    """Examine a point.

    Parameters
    ----------
    form : StandardForm
    x : ndarray of shape (n,)
        The point, within its bounds.
    start : ndarray of shape (n,)
        Where the search began: gives sizes of x and of the objective to compare with.
    otherwise : Verdict
        The verdict where the KKT conditions do not hold.

    Returns
    -------
    Certificate
    """
    with np.errstate(all="ignore"):
        order = first_order(form, x)
        if not (np.isfinite(order.value) and np.all(np.isfinite(order.gradient))):
            return unchecked(Verdict.NOT_FINITE, form, order.violation)
        if order.violation > FEASIBLE:
            return _described(form, order, otherwise, kkt_scale=order.scale)
        return _certify_feasible(form, x, start, order, otherwise)


def _certify_feasible(form: StandardForm, x: Array, start: Array, order: FirstOrder, otherwise: Verdict) -> Certificate:
    face = order.active.subset(strongly_active(order))
    margin = _MARGIN * np.abs(x) + _MARGIN_WAY * np.abs(x - start)
    curvature = examine(form, x, order.residual, row_multipliers(form, order), face, margin=margin)
    scales = _kkt_scales(form, x, start, order, curvature)
    step = relative_step(curvature, x, start)
    convex = is_convex(form, x)
    lower: Array | None = None
    stationary = (
        _is_stationary(order, scales, x) and step <= STATIONARY and _flat_slopes_vanish(curvature, order, x, start)
    )
    if stationary and convex:
        verdict = Verdict.CONVEX_MINIMUM
    elif stationary and curvature.positive and curvature.drift <= DRIFT:
        verdict = Verdict.STRICT_LOCAL_MINIMUM
    else:
        if not convex and otherwise is Verdict.NOT_CONVERGED:
            lower = lower_along(form, x, curvature.directions, order, face, start)
        negative = curvature.negative and lower is not None
        undecided = Verdict.NOT_A_MINIMUM if negative else Verdict.CURVATURE_UNDECIDED
        exact = bool(np.all(np.abs(order.residual) <= UNDECIDED_STATIONARY * scales))
        verdict = undecided if stationary and exact else otherwise
    worst = int(np.argmax(np.abs(order.residual) / scales))
    return _described(
        form,
        order,
        verdict,
        kkt_scale=float(scales[worst]),
        curvature=curvature.smallest,
        newton_step=step,
        drift=curvature.drift,
        convex=convex,
        semidefinite=curvature.examined and not curvature.negative,
        lower=lower,
    )


def _is_stationary(order: FirstOrder, scales: Array, x: Array) -> bool:
    """Whether the KKT conditions hold: residual entry by entry, complementarity, and multipliers that exist.

    Where no multipliers exist (the constraints' gradients are dependent) least squares makes them as large as it
    likes.
    """
    active = order.active
    sizes = np.abs(order.multipliers) * active.lengths
    return bool(
        np.all(np.abs(order.residual) <= STATIONARY * scales)
        and order.complementarity <= STATIONARY * order.scale * (1 + largest(x))
        and largest(sizes) <= LARGEST_MULTIPLIER * max(order.scale, np.finfo(float).tiny)
    )


def _flat_slopes_vanish(curvature: Curvature, order: FirstOrder, x: Array, start: Array) -> bool:
    """Whether moving along flat directions as far as x is long would change the objective by a millionth at most.

    Newton's step says nothing there: in a valley without curvature a small slope still leads far. An x that has run
    off along a flat direction beyond all proportion to its start has found no minimum either.
    """
    if not curvature.positive and largest(x) > _RUNAWAY * (1 + largest(start)):
        return False
    reach = curvature.flat_slope * float(np.linalg.norm(x / curvature.scale))
    return reach <= STATIONARY * abs(order.value) + _SMALLEST_CHANGE


def strongly_active(order: FirstOrder) -> npt.NDArray[np.bool_]:
    """Which active constraints pull: equations, and those with a multiplier that is not negligible; shape (k,)."""
    active = order.active
    pulls: npt.NDArray[np.bool_] = order.multipliers * active.lengths > WEAK * max(order.scale, np.finfo(float).tiny)
    return active.equation | pulls


def relative_step(curvature: Curvature, x: Array, start: Array) -> float:
    """The length of Newton's step relative to x, in scaled unknowns; the way from the start counts a thousandth."""
    step, here, way = (float(np.linalg.norm(v / curvature.scale)) for v in (curvature.step, x, x - start))
    return step / max(here, _WAY * way, np.finfo(float).tiny) if step else 0.0


def _kkt_scales(form: StandardForm, x: Array, start: Array, order: FirstOrder, curvature: Curvature) -> Array:
    """The size of what cancels in each entry of the KKT residual: pulls of active constraints, the Hessian times x.

    For entries of x that are zero a part of the way from the start counts, and of the whole x in scaled unknowns; and
    rounding spreads over entries, so a millionth of the largest size is the least.
    """
    whole = float(np.linalg.norm(x / curvature.scale))
    reach = np.abs(x) + _WAY * np.abs(x - start) + _WHOLE * whole * curvature.scale
    scales: Array = order.active.total_pull(order.multipliers) + gradient_reach(form, x, reach)
    scales = np.where(np.isfinite(scales), scales, 0.0)
    largest_size = max(largest(scales), order.scale if order.active.size else 0.0)
    return np.maximum(scales, max(1e-6 * largest_size, np.finfo(float).tiny))


def _described(form: StandardForm, order: FirstOrder, verdict: Verdict, **findings: Any) -> Certificate:
    active = order.active
    names = []
    for k in range(active.size):
        i = int(active.index[k])
        if k < active.bounds:
            sign = "=" if active.equation[k] else ">=" if active.side[k] > 0 else "<="
            limit = form.lower[i] if active.side[k] > 0 else form.upper[i]
            names.append(f"{form.label(i)} {sign} {limit:g}")
        else:
            names.append(form.row_label(i))
    return Certificate(
        verdict=verdict,
        kkt_residual=order.kkt_residual,
        violation=order.violation,
        multipliers=row_multipliers(form, order),
        bound_multipliers=bound_multipliers(form, order),
        active=tuple(names),
        **findings,
    )
