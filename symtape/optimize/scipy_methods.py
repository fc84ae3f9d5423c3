"""SciPy's minimizers as methods: one table of what each is fed, what it takes, and how it is asked for accuracy.

All are fed exact derivatives as far as they use them. Their own messages and statuses become an `Ending`; warnings
that they raise on the way are theirs alone and are not passed on, since the certificate says what matters about the
result.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy
import scipy.optimize

from symtape.errors import UnknownNameError
from symtape.optimize.method import Capabilities, Ending, Method, Outcome, Settings, StopSignal
from symtape.optimize.other_methods import LinearMethod
from symtape.optimize.scipy_rows import as_dictionaries, as_objects
from symtape.optimize.standard_form import Array, StandardForm

_ROWS = {"bounds": True, "affine_rows": True, "general_rows": True, "equations": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScipyMethod:
    """One of the methods of ``scipy.optimize.minimize``.

    Attributes
    ----------
    name : str
    capabilities : Capabilities
    source : str
    accuracy : mapping
        Options for a tighter tolerance than SciPy's own, used where the caller gives neither ``tol`` nor the option.
    limits : tuple of int
        Values of SciPy's ``status`` that mean a limit on iterations or evaluations.
    """

    name: str
    capabilities: Capabilities
    source: str
    accuracy: Mapping[str, Any] = field(default_factory=dict)
    limits: tuple[int, ...] = (1,)

    def run(self, form: StandardForm, start: Array, settings: Settings) -> Outcome:
        """See `symtape.optimize.method.Method.run`."""
        uses = self.capabilities
        last = start.copy()
        iterations = 0

        def step(x: Array, state: Mapping[str, Any]) -> None:
            nonlocal last, iterations
            iterations += 1
            last = np.array(x, dtype=np.float64)
            if settings.watch(last.copy(), state):
                raise StopSignal

        options = dict(settings.options)
        if settings.tolerance is None:
            options = {**self.accuracy, **options}
        arguments: dict[str, Any] = {
            "method": self.name,
            "tol": settings.tolerance,
            "options": options,
            "callback": _callback(self.name, step),
        }
        if uses.gradient:
            arguments["jac"] = True
        if uses.hessian and form.dense:
            arguments["hess"] = form.objective.hessian
        elif uses.product:
            arguments["hessp"] = form.objective.hvp
        if form.bounded:
            arguments["bounds"] = scipy.optimize.Bounds(form.lower, form.upper)
        if form.rows:
            lowered = self.name.lower()
            if lowered in {"slsqp", "cobyla"}:
                arguments["constraints"] = as_dictionaries(form, start, equations=lowered == "slsqp")
            else:
                arguments["constraints"] = as_objects(form, start)
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.filterwarnings("ignore", module=r"(scipy|numpy)\b")
                function = form.objective.value_and_gradient if uses.gradient else form.objective.value_only
                found = scipy.optimize.minimize(function, start, **arguments)
        except StopSignal:
            return Outcome(x=last, ending=Ending.STOPPED, message="Stopped by the callback.", iterations=iterations)
        except (ValueError, np.linalg.LinAlgError, OverflowError) as error:
            # the problem was checked before: what comes here is a method that met NaN or infinity on its way
            if any(name in str(error) for name in ("option", "Unknown solver", "unexpected keyword")):
                raise
            return Outcome(x=last, ending=Ending.STALLED, message=f"{self.name}: {error}", iterations=iterations)
        return self._outcome(found, iterations)

    def _outcome(self, found: Any, iterations: int) -> Outcome:
        status = int(found.get("status", 0))
        if found.get("success", False):
            ending = Ending.CONVERGED
        elif status in self.limits:
            ending = Ending.LIMIT
        else:
            ending = Ending.STALLED
        known = {"x", "fun", "jac", "hess", "success", "message", "nit", "nfev", "njev", "nhev"}
        return Outcome(
            x=np.array(found.x, dtype=np.float64),
            ending=ending,
            message=str(found.get("message", "")),
            iterations=int(found.get("nit", iterations)),
            details={key: value for key, value in found.items() if key not in known},
        )


def _callback(method: str, step: Any) -> Any:
    """A callback in the form that SciPy hands iterates to this method."""
    lowered = method.lower()
    if lowered == "trust-constr":

        def two(xk: Array, state: Any) -> None:
            step(xk, state)

        return two
    if lowered in {"tnc", "slsqp", "cobyla"}:

        def one(xk: Array) -> None:
            step(xk, {})

        return one

    def named(intermediate_result: Any) -> None:
        step(intermediate_result.x, intermediate_result)

    return named


_NOCEDAL = "Nocedal and Wright, Numerical Optimization, Springer 2006"

_SCIPY = tuple(int(part) for part in scipy.__version__.split(".")[:2])

#: All methods of this SciPy by their lower-case name.
METHODS: dict[str, Method] = {
    method.name.lower(): method
    for method in (
        ScipyMethod(
            name="trust-exact",
            capabilities=Capabilities(hessian=True),
            source="Conn, Gould and Toint, Trust-Region Methods, SIAM 2000, chapter 7",
            accuracy={"gtol": 1e-8, "maxiter": 600},
        ),
        ScipyMethod(
            name="trust-krylov",
            capabilities=Capabilities(product=True),
            source="Gould, Lucidi, Roma and Toint, SIAM J. Optim. 9, 1999",
            accuracy={"gtol": 1e-8, "maxiter": 600},
        ),
        ScipyMethod(
            name="trust-ncg",
            capabilities=Capabilities(product=True),
            source="Steihaug, SIAM J. Numer. Anal. 20, 1983",
            accuracy={"gtol": 1e-8, "maxiter": 600},
        ),
        ScipyMethod(name="dogleg", capabilities=Capabilities(hessian=True), source=f"{_NOCEDAL}, chapter 4"),
        ScipyMethod(
            name="Newton-CG",
            capabilities=Capabilities(product=True),
            source=f"{_NOCEDAL}, chapter 7",
            accuracy={"xtol": 1e-10},
        ),
        ScipyMethod(
            name="BFGS",
            capabilities=Capabilities(),
            source=f"{_NOCEDAL}, chapter 6",
            accuracy={"gtol": 1e-8},
        ),
        ScipyMethod(name="CG", capabilities=Capabilities(), source=f"{_NOCEDAL}, chapter 5", accuracy={"gtol": 1e-8}),
        ScipyMethod(
            name="L-BFGS-B",
            capabilities=Capabilities(bounds=True),
            source="Byrd, Lu, Nocedal and Zhu, SIAM J. Sci. Comput. 16, 1995",
            accuracy={"ftol": 1e-15, "gtol": 1e-9, "maxfun": 100_000, "maxiter": 50_000},
        ),
        ScipyMethod(
            name="TNC",
            capabilities=Capabilities(bounds=True),
            source="Nash, SIAM J. Numer. Anal. 21, 1984",
            limits=(3,),
        ),
        ScipyMethod(
            name="SLSQP",
            capabilities=Capabilities(**_ROWS),
            source="Kraft, A software package for sequential quadratic programming, DFVLR-FB 88-28, 1988",
            accuracy={"ftol": 1e-10, "maxiter": 500},
            limits=(9,),
        ),
        ScipyMethod(
            name="trust-constr",
            capabilities=Capabilities(hessian=True, product=True, **_ROWS),
            source="Byrd, Hribar and Nocedal, SIAM J. Optim. 9, 1999",
            accuracy={"gtol": 1e-9, "xtol": 1e-10, "barrier_tol": 1e-9, "maxiter": 2000},
            limits=(0,),
        ),
        ScipyMethod(
            name="Nelder-Mead",
            capabilities=Capabilities(gradient=False, bounds=True),
            source="Nelder and Mead, Computer Journal 7, 1965",
            limits=(1, 2),
        ),
        ScipyMethod(
            name="Powell",
            capabilities=Capabilities(gradient=False, bounds=True),
            source="Powell, Computer Journal 7, 1964",
            limits=(1, 2),
        ),
        ScipyMethod(
            name="COBYLA",
            capabilities=Capabilities(gradient=False, **_ROWS),
            source="Powell, A direct search optimization method, 1994",
            limits=(2, 3),
        ),
        ScipyMethod(
            name="COBYQA",
            capabilities=Capabilities(gradient=False, **_ROWS),
            source="Ragonneau and Zhang, COBYQA, 2024",
            limits=(5, 6),
        ),
        LinearMethod(),
    )
    if method.name != "COBYQA" or _SCIPY >= (1, 14)
}


def method_named(name: str) -> Method:
    """The method of a name, in any case of letters.

    Parameters
    ----------
    name : str

    Returns
    -------
    Method

    Raises
    ------
    UnknownNameError
        A ValueError that lists the names.
    """
    method = METHODS.get(name.lower())
    if method is None:
        raise UnknownNameError(f"there is no method {name!r}; there are {', '.join(m.name for m in METHODS.values())}")
    return method


@functools.cache
def _ends_its_subproblems() -> bool:
    """Whether this SciPy's trust-exact has a limit on the steps of its subproblem; older ones may go on for ever."""
    return "subproblem_maxiter" in str(scipy.optimize.show_options("minimize", "trust-exact", disp=False))


def preference(form: StandardForm) -> list[Method]:
    """Methods in the order in which they are tried where the caller names none.

    Those that use second derivatives come first while the Hessian is small; for many unknowns those that need only
    products or gradients.
    """
    small = form.size <= 300
    names = ["highs"]
    if form.rows:
        names += ["SLSQP", "trust-constr"] if form.size <= 500 else ["trust-constr", "SLSQP"]
    elif form.bounded:
        names += ["L-BFGS-B", "TNC", "SLSQP"]
    else:
        exact = "trust-exact" if _ends_its_subproblems() else "trust-krylov"
        first = [exact] if form.objective.exact else []
        names += [*first, "BFGS", "L-BFGS-B"] if small else ["L-BFGS-B", "trust-krylov"]
    return [METHODS[name.lower()] for name in names]
