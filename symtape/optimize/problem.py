"""`minimize` and `Problem`: from tensors or callables to a certified minimum.

`minimize` has SciPy's signature. A callable is recorded, never called with numbers again; a tensor comes with the
variables to solve for. Either way the problem becomes a `symtape.optimize.model.Model`, whose derivatives are
graphs, compiled when first needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symtape.compile.evaluate import evaluate
from symtape.errors import AssumptionViolated, MissingValueError
from symtape.graph.node import Node, symbol
from symtape.graph.traverse import ancestors, leaves, substitute
from symtape.optimize.constraints import as_sequence, constraint_nodes, read_comparison
from symtape.optimize.derivative_check import check_derivative, check_points, is_supplied
from symtape.optimize.driver import Search
from symtape.optimize.graph_functions import GraphFunction, as_scalar
from symtape.optimize.model import Block, Model, block_of
from symtape.optimize.recorded_functions import RecordedFunction, parameter_name, recorded_constraints
from symtape.optimize.result import OptimizeResult, Solution
from symtape.optimize.scipy_arguments import as_arguments, read_bounds, read_callback, read_constraints
from symtape.optimize.solving import solve_reduced, start_vector
from symtape.optimize.standard_form import Array
from symtape.optimize.unknowns import (
    check_finite,
    flat,
    given_parameters,
    listed,
    starting_values,
)
from symtape.tape.guards import logged
from symtape.tape.operators import sympy_value
from symtape.tape.tensor import Tensor

_BY = "st.minimize"


class Problem:
    """A minimization problem, read and differentiated once, solved as often as wanted.

    Parameters
    ----------
    objective : Tensor
        One number.
    variables : Tensor or sequence of them
        What is solved for, of any shapes; everything else in the expressions is a parameter.
    subject_to : Tensor, sequence of them, or callable
        Comparisons with ``<=``, ``>=`` or ``==``; `between` for two limits. A callable gets the variables and
        returns comparisons.

    Raises
    ------
    UnusedVariableError
        A ValueError naming a variable that neither objective nor constraints contain.
    AmbiguousVariableError
        If an expression contains several versions of a variable.
    ConstraintError
        For ``<``, ``>``, ``!=``, chained comparisons, and what is no comparison.

    Examples
    --------
    >>> import symtape as st
    >>> x, y = st.Variable(0.0, name="x"), st.Variable(0.0, name="y")
    >>> k = st.Variable(1.0, name="k", trainable=False)
    >>> problem = st.Problem(k*(x - 1)**2 + y**2, [x, y], subject_to=[x + y >= 1])
    >>> round(float(problem.solve().params["x"]), 6)
    1.0
    >>> res = problem.solve(given={k: 5.0})
    >>> res.success, float(res.value(k))
    (True, 5.0)
    """

    def __init__(self, objective: Any, variables: Any, subject_to: Any = ()) -> None:
        if not isinstance(objective, Tensor):
            raise TypeError(
                f"st.Problem: the objective is {objective!r}; wanted a tensor. For a callable use st.minimize"
            )
        if callable(subject_to) and not isinstance(subject_to, Tensor):
            tensors = variables if isinstance(variables, (list, tuple)) else [variables]
            subject_to = subject_to(*tensors)
        output = objective.node
        comparisons = constraint_nodes(as_sequence(subject_to))
        self.unknowns = listed(variables, [output, *comparisons], _BY)
        own = {item.node for item in self.unknowns.items}

        def depends(node: Node) -> bool:
            return any(below in own for below in ancestors(node))

        mapping = self.unknowns.substitution()
        self.model = Model(
            self.unknowns,
            GraphFunction(self.unknowns.x, as_scalar(substitute((output,), mapping)[0], "st.Problem")),
            [
                block_of(found, self.unknowns)
                for k, node in enumerate(comparisons)
                for found in read_comparison(node, f"subject_to[{k}]", depends)
            ],
        )
        self._outputs = [output, *comparisons]
        self._decisions = [g for g in logged(leaves([output]), before=objective.ident) if depends(g.node)]

    def solve(
        self,
        given: Mapping[Any, Any] | None = None,
        start: Any = None,
        *,
        method: Any = None,
        bounds: Any = None,
        tol: float | None = None,
        callback: Callable[..., Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> OptimizeResult:
        """Solve with the parameters' values at this moment.

        Parameters
        ----------
        given : mapping, optional
            Values for parameters (variables that are not solved for, constants, symbols), by tensor or name.
        start : optional
            An earlier result, a mapping from variables or names to values, one value per variable, or a flat array;
            the variables' current values by default.
        method : str or callable, optional
            A method of SciPy's; chosen by what the problem needs if omitted.
        bounds : sequence of pairs or Bounds, optional
            On the variables laid out one after the other.
        tol, callback, options : optional
            As in SciPy.

        Returns
        -------
        OptimizeResult

        Raises
        ------
        NonFiniteError
            A ValueError, if the start or the objective there is NaN or infinite.
        MissingValueError
            If a parameter has no value.
        AssumptionViolated
            If an ``if`` taken while the expression was built would go the other way at the minimum.
        """
        parameters = given_parameters(given or {}, self.unknowns, self._outputs, _BY)
        values = {node: value for node, _, value in parameters}
        known = {item.node for item in self.unknowns.items}
        for node in leaves(self._outputs):
            if node.value is None and node not in values and node not in known:
                raise MissingValueError(
                    f"{_BY}: {node.params[1]!r} has no value; list it among the variables or give "
                    f"given={{{node.params[1]!r}: ...}}"
                )
        x0 = starting_values(self.unknowns, start, _BY)
        lower, upper = read_bounds(bounds, self.unknowns.size)
        reduced = self.model.reduced(values, lower, upper)
        search = Search(reduced.form, x0, tol, dict(options or {}), read_callback(callback, method))
        result = solve_reduced(reduced, search, method, _BY)
        result.__dict__["_solution"] = Solution.of(self.unknowns, result.x, parameters)
        if result.success:
            self._check_decisions(result.x, values)
        return result

    def _check_decisions(self, x: Array, values: Mapping[Node, Any]) -> None:
        """Refuse a point at which Python would have built another expression than the one that was minimized."""
        at = {**values, **self.unknowns.split(x)}
        for decision in self._decisions:
            if not evaluate([decision.condition()], at)[0]:
                raise AssumptionViolated(
                    f"{_BY}: the expression rests on a decision at {decision.line}, which would be another one at the "
                    f"point that was reached, {np.array2string(x, threshold=6)}; write np.where for a choice that "
                    "depends on what is solved for, or build the expression again from there"
                )


def minimize(
    fun: Any,
    x0: Any = None,
    args: Any = (),
    method: Any = None,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    variables: Any = None,
    subject_to: Any = (),
    given: Mapping[Any, Any] | None = None,
    start: Any = None,
) -> OptimizeResult:
    """Minimize a function of one or more variables, with exact derivatives and a certificate.

    SciPy's signature and result, or ``minimize(tensor, variables, subject_to=[...])``.

    Parameters
    ----------
    fun : callable or Tensor
        ``fun(x, *args) -> float``, or an expression.
    x0 : array_like, or Tensor or sequence of them
        The start; for an expression the variables to solve for, which start from their current values.
    args : tuple
        Further arguments of ``fun``.
    method : str or callable, optional
        One of SciPy's methods. If omitted it is chosen by what the problem has (bounds, constraints, size) and what
        methods declare.
    jac, hess, hessp : optional
        Not needed. Functions are compared once with the exact derivatives and refused if they are wrong; True for
        ``jac`` says that ``fun`` returns value and gradient; anything else is passed over, since exact derivatives
        are used in any case.
    bounds : sequence of (low, high) or Bounds, optional
    constraints : dict, LinearConstraint, NonlinearConstraint, or sequence of them
        As in SciPy; their functions are recorded.
    tol : float, optional
    callback : callable, optional
    options : mapping, optional
        The method's own options.
    variables : Tensor or sequence of them, optional
        For an expression: what to solve for, if it is not given as the second argument.
    subject_to : Tensor, sequence of them, or callable
        Comparisons with ``<=``, ``>=`` or ``==``; a callable gets what ``fun`` gets and returns them.
    given : mapping, optional
        For an expression: values of its parameters.
    start : optional
        For an expression: where to start; see `Problem.solve`.

    Returns
    -------
    OptimizeResult

    Raises
    ------
    NonFiniteError
        A ValueError, if the start or the objective there is NaN or infinite.
    WrongDerivativeError
        A ValueError, if a supplied derivative is wrong.
    ConcreteValueError
        If ``fun`` takes a number out of what it is given, so that it cannot be recorded.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> def rosen(x):
    ...     return np.sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)
    >>> res = st.minimize(rosen, np.zeros(5))
    >>> res.x.round(8)
    array([1., 1., 1., 1., 1.])
    >>> print(res.message)
    Strict local minimum: the KKT conditions hold and the Hessian is positive definite on the critical cone.
    """
    if isinstance(fun, Tensor):
        if variables is None:
            variables, x0 = x0, None
        _refuse_for_tensors(args=args, jac=jac, hess=hess, hessp=hessp, constraints=constraints)
        problem = Problem(fun, variables, subject_to)
        return problem.solve(
            given,
            x0 if start is None else start,
            method=method,
            bounds=bounds,
            tol=tol,
            callback=callback,
            options=options,
        )
    if not callable(fun):
        hint = ", st.from_sympy(expression)" if sympy_value(fun) else ""
        raise TypeError(f"{_BY}: fun is {fun!r}; wanted a callable or a tensor{hint}")
    if variables is not None or given is not None or start is not None:
        raise TypeError(
            f"{_BY}: variables, given and start belong to an expression; fun is a callable: pass x0 and args"
        )
    return _minimize_callable(
        fun, x0, as_arguments(args), method, (jac, hess, hessp), bounds, constraints, subject_to, tol, callback, options
    )


def _refuse_for_tensors(**arguments: Any) -> None:
    for name, value in arguments.items():
        if value is not None and not (isinstance(value, (tuple, list)) and not value):
            hint = "write subject_to=[...]" if name == "constraints" else "leave it out"
            raise TypeError(f"{_BY}: {name} belongs to a callable; fun is an expression: {hint}")


def _minimize_callable(
    fun: Callable[..., Any],
    x0: Any,
    args: tuple[Any, ...],
    method: Any,
    supplied: tuple[Any, Any, Any],
    bounds: Any,
    constraints: Any,
    subject_to: Any,
    tol: float | None,
    callback: Callable[..., Any] | None,
    options: Mapping[str, Any] | None,
) -> OptimizeResult:
    x = start_vector(x0, _BY)
    name = parameter_name(fun)
    unknowns = flat([(name, symbol(name, x.shape), None)])
    check_finite(x, unknowns.label, f"{_BY}: the start")
    lower, upper = read_bounds(bounds, x.size)
    with_gradient = supplied[0] is True
    objective = RecordedFunction(fun, args, unknowns, _BY, pick=_first if with_gradient else _itself)
    inside = np.clip(x, lower, upper)
    objective.graph(inside, pure=True)
    _check_supplied(fun, args, supplied, objective, check_points(inside, lower, upper))
    blocks: list[Block] = read_constraints(constraints, unknowns, inside, lower, upper)
    blocks += recorded_constraints(subject_to, args, unknowns, inside, _BY)
    reduced = Model(unknowns, objective, blocks).reduced({}, lower, upper)
    search = Search(reduced.form, x, tol, dict(options or {}), read_callback(callback, method))
    return solve_reduced(reduced, search, method, _BY)


def _itself(result: Any) -> Any:
    return result


def _first(result: Any) -> Any:
    return result[0]


def _check_supplied(
    fun: Callable[..., Any],
    args: tuple[Any, ...],
    supplied: tuple[Any, Any, Any],
    objective: RecordedFunction,
    points: tuple[Array, ...],
) -> None:
    jac, hess, hessp = supplied
    exact = objective.bind({})
    if jac is True:
        check_derivative("jac", lambda x: fun(x, *args)[1], lambda x: exact.joint(x)[1], points, _BY)
    elif is_supplied(jac):
        check_derivative("jac", lambda x: jac(x, *args), lambda x: exact.joint(x)[1], points, _BY)
    if is_supplied(hess):
        check_derivative("hess", lambda x: hess(x, *args), exact.hessian, points, _BY)
    if is_supplied(hessp):
        direction = 1.0 + 0.5 * np.cos(np.arange(points[0].size))
        check_derivative(
            "hessp", lambda x: hessp(x, direction, *args), lambda x: exact.product(x, direction), points, _BY
        )
