"""`least_squares` and `curve_fit`, with SciPy's signatures: exact Jacobians, standard errors by QR, a certificate.

The model or the residuals are recorded once; their Jacobian and second derivatives are graphs. SciPy's methods find
the minimum, exact Newton steps by QR finish it, and the result says whether it is one.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy.optimize

from symtape.errors import FitNotConvergedError
from symtape.graph.node import symbol
from symtape.graph.traverse import substitute
from symtape.optimize.covariance import parameter_covariance
from symtape.optimize.derivative_check import check_derivative, check_points, is_supplied
from symtape.optimize.fit_arguments import as_start, fit_settings, named_limits, parameter_names, starting_point
from symtape.optimize.fit_data import FitData, read_data
from symtape.optimize.fit_result import FitResult, LeastSquaresResult
from symtape.optimize.fit_search import FitSettings, read_limits, search_minimum
from symtape.optimize.graph_functions import GraphFunction, as_scalar, as_vector
from symtape.optimize.losses import loss_function, robust_cost
from symtape.optimize.model import plain_objective
from symtape.optimize.recorded_functions import RecordedFunction, parameter_name
from symtape.optimize.residuals import WeightedResiduals, half_square, read_sigma
from symtape.optimize.result import Params, Solution
from symtape.optimize.scipy_arguments import as_arguments
from symtape.optimize.solving import start_vector
from symtape.optimize.unknowns import Unknowns, flat, given_parameters, listed, starting_values
from symtape.optimize.unknowns import check_finite as refuse_non_finite
from symtape.tape.operators import sympy_value
from symtape.tape.tensor import Tensor, lift

_FREE = (-np.inf, np.inf)


def least_squares(
    fun: Any,
    x0: Any = None,
    jac: Any = None,
    bounds: Any = _FREE,
    method: str | None = None,
    ftol: float | None = None,
    xtol: float | None = None,
    gtol: float | None = None,
    x_scale: Any = None,
    loss: Any = "linear",
    f_scale: float = 1.0,
    diff_step: Any = None,
    tr_solver: str | None = None,
    tr_options: Mapping[str, Any] | None = None,
    jac_sparsity: Any = None,
    max_nfev: int | None = None,
    verbose: int = 0,
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    callback: Callable[..., Any] | None = None,
    workers: Any = None,
    *,
    variables: Any = None,
    given: Mapping[Any, Any] | None = None,
    start: Any = None,
) -> LeastSquaresResult:
    """Minimize half the sum of squares of residuals, with exact derivatives and a certificate.

    SciPy's signature and result, or ``least_squares(tensor, variables)``.

    Parameters
    ----------
    fun : callable or Tensor
        ``fun(x, *args, **kwargs)`` returns the residuals; or the residuals as an expression of any shape.
    x0 : array_like, or Tensor or sequence of them
        The start; for an expression the variables to solve for.
    jac : optional
        Not needed. A function is compared once with the exact Jacobian and refused if it is wrong; a string is
        passed over.
    bounds : (lower, upper) or Bounds
    method : {"trf", "dogbox", "lm"}, optional
        Chosen if omitted.
    ftol, xtol, gtol : float, optional
        The method's tolerances; near rounding by default.
    x_scale : optional
        ``"jac"`` by default.
    loss : str or callable
        ``"linear"``, ``"soft_l1"``, ``"huber"``, ``"cauchy"``, ``"arctan"``, or a callable that records.
    f_scale : float
    tr_solver, tr_options, max_nfev, verbose : optional
        As in SciPy.
    diff_step, jac_sparsity, workers : optional
        Taken for SciPy's sake and passed over: no differences are taken.
    args, kwargs : optional
        Further arguments of ``fun``.
    callback : callable, optional
        Called with each iterate; may raise StopIteration.
    variables, given, start : optional
        For an expression, as in `minimize`.

    Returns
    -------
    LeastSquaresResult

    Raises
    ------
    NonFiniteError
        A ValueError, if the start or the residuals there are NaN or infinite.
    ValueError
        If the start lies outside the bounds, or the method does not take the problem.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> res = st.least_squares(lambda x: np.array([10*(x[1] - x[0]**2), 1 - x[0]]), [-1.2, 1.0])
    >>> res.x.round(8), res.success
    (array([1., 1.]), True)
    """
    by = "st.least_squares"
    options = {
        "ftol": ftol,
        "xtol": xtol,
        "gtol": gtol,
        "x_scale": x_scale,
        "tr_solver": tr_solver,
        "tr_options": tr_options,
        "max_nfev": max_nfev,
        "verbose": verbose,
    }
    settings = FitSettings(method=method, options=options, loss=loss, f_scale=f_scale, callback=callback)
    if isinstance(fun, Tensor):
        if variables is None:
            variables, x0 = x0, None
        return _of_tensor(fun, variables, x0 if start is None else start, given or {}, jac, bounds, settings, by)
    if not callable(fun):
        hint = ", st.from_sympy(expression)" if sympy_value(fun) else ""
        raise TypeError(f"{by}: fun is {fun!r}; wanted a callable or a tensor{hint}")
    extra, named = as_arguments(args), dict(kwargs or {})
    x = start_vector(x0, by)
    name = parameter_name(fun)
    unknowns = flat([(name, symbol(name, x.shape), None)])
    refuse_non_finite(x, unknowns.label, f"{by}: the start")
    limits = read_limits(bounds, x, unknowns, by)

    def residual(z: Any, *rest: Any) -> Any:
        return fun(z, *rest, **named)

    recorded = RecordedFunction(residual, extra, unknowns, by, vector=True)
    recorded.graph(x, pure=True)
    residuals = WeightedResiduals(recorded.bind({}))
    if is_supplied(jac):
        check_derivative(
            "jac",
            lambda z: jac(z, *extra, **named),
            lambda z: residuals.joint(z)[1],
            check_points(x, *limits),
            by,
        )
    objective = half_square(residuals, recorded.degree())
    if settings.robust:
        rho = loss_function(loss, by)
        cost = RecordedFunction(
            residual, extra, unknowns, by, pick=lambda found: robust_cost(_stacked(found), rho, f_scale)
        )
        cost.graph(x)
        objective = plain_objective(cost.bind({}), cost.degree())
    result: LeastSquaresResult = search_minimum(
        LeastSquaresResult, unknowns, objective, residuals, x, limits, settings, by
    )
    return result


def _stacked(found: Any) -> Tensor:
    """Residuals as one tensor, whatever nesting of tensors they came in."""
    return found if isinstance(found, Tensor) else lift(np.asarray(found))


def _of_tensor(
    fun: Tensor,
    variables: Any,
    start: Any,
    given: Mapping[Any, Any],
    jac: Any,
    bounds: Any,
    settings: FitSettings,
    by: str,
) -> LeastSquaresResult:
    if jac is not None:
        raise TypeError(f"{by}: jac belongs to a callable; fun is an expression: leave it out")
    outputs = [fun.node]
    unknowns = listed(variables, outputs, by)
    parameters = given_parameters(given, unknowns, outputs, by)
    x = starting_values(unknowns, start, by)
    limits = read_limits(bounds, x, unknowns, by)
    values = {node: value for node, _, value in parameters}
    mapping = unknowns.substitution()
    function = GraphFunction(unknowns.x, as_vector(substitute(outputs, mapping)[0]))
    residuals = WeightedResiduals(function.bind(values))
    objective = half_square(residuals, function.degree())
    if settings.robust:
        expression = robust_cost(fun, loss_function(settings.loss, by), settings.f_scale).node
        cost = GraphFunction(unknowns.x, as_scalar(substitute([expression], mapping)[0], by))
        objective = plain_objective(cost.bind(values), cost.degree())
    result: LeastSquaresResult = search_minimum(
        LeastSquaresResult, unknowns, objective, residuals, x, limits, settings, by
    )
    result.__dict__["_solution"] = Solution.of(unknowns, result.x, parameters)
    return result


def curve_fit(
    f: Callable[..., Any],
    xdata: Any,
    ydata: Any,
    p0: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    check_finite: bool | None = None,
    bounds: Any = _FREE,
    method: str | None = None,
    jac: Any = None,
    *,
    full_output: bool = False,
    nan_policy: str | None = None,
    **kwargs: Any,
) -> Any:
    """Fit a model to data: ``popt, pcov = curve_fit(f, xdata, ydata)``, and more by name.

    Parameters
    ----------
    f : callable
        ``f(xdata, *params)``, written with NumPy functions; it is recorded.
    xdata : array_like, Series, DataFrame or object
        Handed to ``f``: arrays as tensors, a DataFrame as it is.
    ydata : array_like or Series
    p0 : sequence or mapping, optional
        Where to start; by name if it is a mapping. Ones by default, or points within the bounds.
    sigma : float or array_like, optional
        Standard deviations of the data, shape (m,), or their covariance, shape (m, m).
    absolute_sigma : bool
        Whether ``sigma`` is in the units of the data. If not, only its proportions count.
    check_finite : bool, optional
        Whether to refuse NaN and infinity in the data; True unless ``nan_policy`` is given.
    bounds : (lower, upper), Bounds, or mapping from names to (low, high)
    method : {"trf", "dogbox", "lm"}, optional
    jac : optional
        Not needed; a function ``jac(xdata, *params)`` is compared once with the exact Jacobian.
    full_output : bool
        Whether to return SciPy's ``popt, pcov, infodict, mesg, ier``.
    nan_policy : {"raise", "omit"}, optional
    **kwargs
        As for `least_squares` (``maxfev`` counts as ``max_nfev``).

    Returns
    -------
    FitResult
        Unpacks as ``popt, pcov``.

    Raises
    ------
    FitNotConvergedError
        A RuntimeError, if no minimum was reached; its attribute ``fit`` is the FitResult.
    NonFiniteError
        A ValueError, for NaN or infinity in data, start, or the model at the start.
    ShapeError
        A ValueError, if model and data differ in shape.

    Warns
    -----
    scipy.optimize.OptimizeWarning
        If the data do not determine the parameters, so that their covariance is infinite.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> X = np.linspace(0, 800, 40)
    >>> Y = 239*(1 - np.exp(-5.5e-4*X)) + 0.1*np.random.default_rng(0).standard_normal(40)
    >>> fit = st.curve_fit(lambda x, b1, b2: b1*(1 - np.exp(-b2*x)), X, Y, p0={"b1": 500, "b2": 1e-4})
    >>> fit.success, abs(fit.params["b1"] - 239) < 3*fit.stderr["b1"]
    (True, True)
    """
    by = "st.curve_fit"
    if not callable(f):
        raise TypeError(f"{by}: the model is {f!r}; wanted a callable f(xdata, *params)")
    data = read_data(xdata, ydata, sigma, check_finite, nan_policy, by)
    p0 = as_start(p0, by)
    names = parameter_names(f, p0, by)
    low, high = named_limits(bounds, names, by)
    x = starting_point(p0, names, low, high, by)
    unknowns = flat([(name, symbol(name), None) for name in names])
    refuse_non_finite(x, unknowns.label, f"{by}: the start")
    limits = read_limits((low, high), x, unknowns, by)
    m = data.y.size
    bounded = bool(np.any(np.isfinite(limits)))
    if (method == "lm" or (method is None and not bounded)) and x.size > m:
        raise TypeError(f"{by}: {x.size} parameters, but only {m} observations to determine them")
    weights = read_sigma(data.sigma, m, by)
    settings = fit_settings(method, kwargs, by)
    model = _recorded_model(f, data, unknowns, by)
    model.graph(x, pure=True)
    residuals = WeightedResiduals(model.bind({}), data.y, weights)
    if is_supplied(jac):
        exact = model.bind({}).jacobian
        check_derivative("jac", lambda z: jac(data.x, *z), exact, check_points(x, *limits), by)
    objective = half_square(residuals, model.degree())
    if settings.robust:
        rho = loss_function(settings.loss, by)

        def cost_of(found: Any) -> Any:
            return robust_cost(weights.apply_to_tensor(np.ravel(_stacked(found)) - data.y), rho, settings.f_scale)

        cost = _recorded_model(f, data, unknowns, by)
        cost = RecordedFunction(cost.function, cost.args, unknowns, by, pick=cost_of)
        cost.graph(x)
        objective = plain_objective(cost.bind({}), cost.degree())
    result: FitResult = search_minimum(FitResult, unknowns, objective, residuals, x, limits, settings, by)
    return _finished(result, f, absolute_sigma=absolute_sigma, full_output=full_output)


def _recorded_model(f: Callable[..., Any], data: FitData, unknowns: Unknowns, by: str) -> RecordedFunction:
    """The model as a function of its parameters, to be recorded with the data as a further argument."""

    def model(*arguments: Any) -> Any:
        *params, x = arguments
        return f(x, *params)

    plain = inspect.Parameter.POSITIONAL_ONLY
    names = [*[item.name for item in unknowns.items], "xdata"]
    if all(name.isidentifier() for name in names) and len(set(names)) == len(names):
        vars(model)["__signature__"] = inspect.Signature([inspect.Parameter(name, plain) for name in names])
    return RecordedFunction(model, (data.argument,), unknowns, by, vector=True, shape=data.shape)


def _finished(result: FitResult, f: Callable[..., Any], *, absolute_sigma: bool, full_output: bool) -> Any:
    """Add what statistics says of the fit; refuse one that is no minimum."""
    found = parameter_covariance(result.jac, result.fun, absolute=absolute_sigma)
    names = list(result.params)
    result.update(
        covariance=found.matrix,
        stderr=Params(dict(zip(names, found.deviations.tolist(), strict=True))),
        rss=float(result.fun @ result.fun),
        dof=result.fun.size - len(names),
    )
    result.__dict__["_model"] = f
    if not result.success:
        error = FitNotConvergedError(
            f"Optimal parameters not found: {result.message} ({result.method}: {result.solver_message}) "
            "The attribute fit of this exception is what was reached"
        )
        error.fit = result
        raise error
    if not found.determined:
        warnings.warn(
            "Covariance of the parameters could not be estimated: the data do not determine all of them",
            category=scipy.optimize.OptimizeWarning,
            stacklevel=3,
        )
    if full_output:
        info = {"nfev": result.nfev, "fvec": result.fun}
        return result.popt, result.covariance, info, result.message, result.status
    return result
