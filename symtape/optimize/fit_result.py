"""What fits return: a result with standard errors that unpacks as SciPy's ``popt, pcov``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symtape.optimize.result import OptimizeResult, shown
from symtape.optimize.standard_form import Array


class LeastSquaresResult(OptimizeResult):
    """The result of `least_squares`: SciPy's fields, and those of `OptimizeResult`.

    Attributes
    ----------
    x : ndarray of shape (n,)
    cost : float
        Half the sum of squares (or of losses).
    fun : ndarray of shape (m,)
        The residuals at x.
    jac : ndarray of shape (m, n)
        Their Jacobian.
    grad : ndarray of shape (n,)
        Of the cost.
    optimality : float
        Largest entry of the gradient that no bound holds.
    active_mask : ndarray of int
        -1 at a lower bound, 1 at an upper one.
    """

    def _headline(self) -> tuple[str, str]:
        return "cost", f"{self.cost:.10g}"


class FitResult(LeastSquaresResult):
    """The result of `curve_fit`: ``popt, pcov = fit``, and parameters, standard errors, covariance by name.

    Attributes
    ----------
    params : Params
        Fitted values by name.
    stderr : Params
        Standard errors by name.
    popt : ndarray of shape (n,)
    covariance, pcov : ndarray of shape (n, n)
        Infinite where the data do not determine the parameters.
    rss : float
        Sum of squared (weighted) residuals.
    dof : int
        Degrees of freedom: observations less parameters.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> x = np.linspace(0, 1, 20)
    >>> fit = st.curve_fit(lambda x, a, b: a*np.exp(b*x), x, 2*np.exp(0.5*x), p0={"a": 1, "b": 0})
    >>> round(fit.params["a"], 6), round(fit.params["b"], 6)
    (2.0, 0.5)
    >>> popt, pcov = fit
    >>> fit.predict([0.0, 1.0]).round(4)
    array([2.    , 3.2974])
    """

    def __iter__(self) -> Iterator[Array]:
        return iter((self.popt, self.covariance))

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, (int, slice)):
            return (self.popt, self.covariance)[key]
        return super().__getitem__(key)

    @property
    def popt(self) -> Array:
        """The fitted values, shape (n,), as SciPy calls them."""
        found: Array = self.x
        return found

    @property
    def pcov(self) -> Array:
        """The covariance, as SciPy calls it."""
        found: Array = self.covariance
        return found

    def predict(self, xdata: Any) -> Array:
        """The model at the fitted parameters.

        Parameters
        ----------
        xdata : array_like, Series, DataFrame or object
            What the model takes as its first argument.

        Returns
        -------
        ndarray

        Raises
        ------
        TypeError
            If the result was pickled with a model that has no name (a lambda, an inner function) and so did not
            come along.
        """
        model: Callable[..., Any] | None = self.__dict__.get("_model")
        if model is None:
            raise TypeError(
                "this fit came out of a pickle without its model, which has no name that could be stored (a lambda or "
                "an inner function); call the model with *fit.popt, or define it at the top of a module"
            )
        given = np.asarray(xdata, dtype=np.float64) if isinstance(xdata, (list, tuple)) else xdata
        return np.asarray(model(given, *self.popt), dtype=np.float64)

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        model = state.get("_model")
        if "<" in getattr(model, "__qualname__", "<"):
            state["_model"] = None
        return state

    def _headline(self) -> tuple[str, str]:
        return "rss", f"{self.rss:.10g} with {self.dof} degrees of freedom"

    def _param_rows(self) -> list[tuple[str, str]]:
        return [(name, f"{shown(value):<18} +/- {self.stderr[name]:.4g}") for name, value in self.params.items()]
