"""SciPy's least-squares methods (trf, dogbox, lm) as methods of this room."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.optimize

from symtape.errors import UnknownNameError
from symtape.optimize.method import Capabilities, Ending, Outcome, Settings, StopSignal
from symtape.optimize.standard_form import Array, StandardForm

#: Tolerances where the caller gives none: near rounding, since flat valleys look like convergence at 1e-8.
TOLERANCE = 1e-15
#: Evaluations where the caller sets no limit: of a method, and of one that is tried after another has failed.
EVALUATIONS = 3000
SECOND_EVALUATIONS = 600

_SOURCES = {
    "trf": "Branch, Coleman and Li, SIAM J. Sci. Comput. 21, 1999",
    "dogbox": "Voglis and Lagaris, WSEAS Int. Conf. on Applied Mathematics, 2004",
    "lm": "More, The Levenberg-Marquardt algorithm: implementation and theory, Lecture Notes in Math. 630, 1977",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastSquaresMethod:
    """One of the methods of ``scipy.optimize.least_squares``.

    Attributes
    ----------
    name : str
    joint : callable
        ``x -> (r, J)``: residuals and their exact Jacobian.
    loss, f_scale
        As in SciPy.
    evaluations : int
        At most so many where the caller sets no limit.
    options : mapping
        Further arguments of ``scipy.optimize.least_squares``.
    """

    name: str
    joint: Callable[[Array], tuple[Array, Array]]
    loss: Any = "linear"
    f_scale: float = 1.0
    evaluations: int = EVALUATIONS
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def capabilities(self) -> Capabilities:
        """Bounds, but for lm."""
        return Capabilities(bounds=self.name != "lm")

    @property
    def source(self) -> str:
        """The paper to cite."""
        return _SOURCES[self.name]

    def run(self, form: StandardForm, start: Array, settings: Settings) -> Outcome:
        """See `symtape.optimize.method.Method.run`."""
        evaluations = 0
        last = start.copy()

        def values(x: Array) -> Array:
            nonlocal evaluations
            evaluations += 1
            return self.joint(x)[0]

        def jacobian(x: Array) -> Array:
            # asked for at the start and at accepted points only: these are the iterates
            nonlocal last
            last = np.array(x)
            if settings.watch(last.copy(), {}):
                raise StopSignal
            return self.joint(x)[1]

        options = {name: value for name, value in self.options.items() if value is not None}
        for name in ("ftol", "xtol", "gtol"):
            options.setdefault(name, TOLERANCE if settings.tolerance is None else settings.tolerance)
        options.setdefault("max_nfev", self.evaluations)
        options.setdefault("x_scale", "jac")
        if self.name == "lm":
            options = {k: v for k, v in options.items() if k not in {"tr_solver", "tr_options"}}
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.filterwarnings("ignore", module=r"(scipy|numpy)\b")
                found = scipy.optimize.least_squares(
                    values,
                    start,
                    jac=jacobian,
                    bounds=(form.lower, form.upper),
                    method=self.name,
                    loss=self.loss,
                    f_scale=self.f_scale,
                    **options,
                )
        except StopSignal:
            return Outcome(x=last, ending=Ending.STOPPED, message="Stopped by the callback.", iterations=evaluations)
        except (ValueError, np.linalg.LinAlgError, OverflowError) as error:
            if np.all(np.isfinite(self.joint(start)[0])) and not _is_numeric(error):
                raise
            return Outcome(x=last, ending=Ending.STALLED, message=f"{self.name}: {error}", iterations=evaluations)
        endings = {0: Ending.LIMIT, -1: Ending.STALLED, -2: Ending.STOPPED}
        return Outcome(
            x=np.array(found.x, dtype=np.float64),
            ending=endings.get(int(found.status), Ending.CONVERGED),
            message=str(found.message),
            iterations=int(found.nfev),
            details={"solver_status": int(found.status)},
        )


def _is_numeric(error: Exception) -> bool:
    """Whether SciPy complains about numbers that it met, and not about what it was asked."""
    return isinstance(error, (np.linalg.LinAlgError, OverflowError)) or "finite" in str(error) or "NaN" in str(error)


def least_squares_methods(
    name: str | None, joint: Callable[[Array], tuple[Array, Array]], by: str, **given: Any
) -> list[LeastSquaresMethod]:
    """The method of a name, or those that are tried in turn where the caller names none.

    Parameters
    ----------
    name : str or None
    joint : callable
    by : str
    **given
        Other fields of `LeastSquaresMethod`.

    Returns
    -------
    list of LeastSquaresMethod

    Raises
    ------
    UnknownNameError
        A ValueError that lists the names.
    """
    if name is not None and name not in _SOURCES:
        raise UnknownNameError(f"{by}: there is no method {name!r}; there are {', '.join(_SOURCES)}")
    names = [name] if name is not None else ["trf", "lm", "dogbox"]
    if name is None and given.get("loss", "linear") != "linear":
        names = ["trf", "dogbox"]
    limits = [EVALUATIONS, *[SECOND_EVALUATIONS] * (len(names) - 1)]
    return [
        LeastSquaresMethod(name=n, joint=joint, evaluations=limit, **given)
        for n, limit in zip(names, limits, strict=True)
    ]
