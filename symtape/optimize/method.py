"""What a minimization method is, what it says it can do, and how one is chosen by that.

A method takes a `StandardForm` and a start and returns an `Outcome`: where it stopped and why, in its own view.
What is true of that point is for `symtape.optimize.certify` to say. A method declares its `Capabilities`; the
choice reads them and nothing else, so adding a method is one object in a table.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from symtape.errors import MethodCapabilityError
from symtape.optimize.standard_form import Array, Degree, StandardForm


class Ending(enum.Enum):
    """Why a method stopped, in its own view."""

    CONVERGED = "converged"
    STALLED = "could not go on"
    LIMIT = "reached a limit on iterations or evaluations"
    STOPPED = "was stopped by the callback"
    INFEASIBLE = "found no feasible point"
    UNBOUNDED = "found no lower bound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a method uses, and what problems it takes.

    Attributes
    ----------
    gradient, hessian, product : bool
        Which exact derivatives it is fed: the gradient, the dense Hessian, products of the Hessian with vectors.
    bounds, affine_rows, general_rows, equations : bool
        Which constraints it takes: bounds, affine rows, any rows, rows that are equations.
    affine_only : bool
        Whether the objective has to be affine.
    unconstrained : bool
        Whether it takes problems without any constraint.
    """

    gradient: bool = True
    hessian: bool = False
    product: bool = False
    bounds: bool = False
    affine_rows: bool = False
    general_rows: bool = False
    equations: bool = False
    affine_only: bool = False
    unconstrained: bool = True

    def lacks(self, form: StandardForm) -> tuple[str, ...]:
        """What the problem has and the method does not take, in words; empty if it fits.

        Parameters
        ----------
        form : StandardForm

        Returns
        -------
        tuple of str
        """
        lower, upper = form.row_limits()
        degrees = form.row_degrees()
        wants = {
            "bounds": form.bounded and not self.bounds,
            "constraints": bool(form.rows) and not (self.affine_rows or self.general_rows),
            "nonlinear constraints": bool(np.any(degrees > Degree.AFFINE))
            and self.affine_rows
            and not self.general_rows,
            "equations": bool(np.any(lower == upper))
            and (self.affine_rows or self.general_rows)
            and not self.equations,
            "a nonlinear objective": form.objective.degree > Degree.AFFINE and self.affine_only,
            "a problem without constraints": not (form.bounded or form.rows) and not self.unconstrained,
        }
        return tuple(name for name, missing in wants.items() if missing)


@dataclass(slots=True, kw_only=True)
class Settings:
    """What the caller asked of a method.

    Attributes
    ----------
    tolerance : float or None
        SciPy's ``tol``.
    options : dict
        The method's own options, under SciPy's names.
    watch : callable
        Called with each iterate (a fresh array); returning True asks the method to stop.
    """

    tolerance: float | None = None
    options: dict[str, Any] = field(default_factory=dict)
    watch: Callable[[Array, Mapping[str, Any]], bool] = lambda x, state: False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Where a method stopped.

    Attributes
    ----------
    x : ndarray of shape (n,)
    ending : Ending
    message : str
        The solver's own words.
    iterations : int
    details : dict
        Further fields of the solver's result.
    """

    x: Array
    ending: Ending
    message: str
    iterations: int = 0
    details: dict[str, Any] = field(default_factory=dict)


class StopSignal(Exception):  # noqa: N818 (a way out of a solver's loop, not an error)
    """Raised in a solver's callback to leave it."""


class Method(Protocol):
    """A minimization method.

    Attributes
    ----------
    name : str
        As the user writes it.
    capabilities : Capabilities
    source : str
        The paper to cite.
    """

    @property
    def name(self) -> str:
        """As the user writes it."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it uses and takes."""
        ...

    @property
    def source(self) -> str:
        """The paper to cite."""
        ...

    def run(self, form: StandardForm, start: Array, settings: Settings) -> Outcome:
        """Minimize from a start.

        Parameters
        ----------
        form : StandardForm
        start : ndarray of shape (n,)
            Within the bounds, with a finite objective.
        settings : Settings

        Returns
        -------
        Outcome
        """
        ...


def check_capable(method: Method, form: StandardForm, all_methods: Iterable[Method]) -> None:
    """Refuse a method that does not take the problem, and name those that do.

    Parameters
    ----------
    method : Method
    form : StandardForm
    all_methods : iterable of Method
        What is offered instead.

    Raises
    ------
    MethodCapabilityError
    """
    missing = method.capabilities.lacks(form)
    if missing:
        able = [m.name for m in all_methods if not m.capabilities.lacks(form)]
        raise MethodCapabilityError(
            f"method {method.name!r} does not take {' and '.join(missing)}; methods that take this problem: "
            f"{', '.join(able)}. Leave method=None to have one chosen"
        )


def choose(form: StandardForm, preference: Iterable[Method]) -> list[Method]:
    """The methods that take the problem, in order of preference.

    Parameters
    ----------
    form : StandardForm
    preference : iterable of Method

    Returns
    -------
    list of Method
    """
    return [method for method in preference if not method.capabilities.lacks(form)]
