"""SciPy's ways of saying things, read into this room's: bounds, constraint dictionaries and objects, callbacks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.optimize

from symtape.errors import ConstraintError, ShapeError
from symtape.graph.node import leaf
from symtape.ops.namespace import NODES
from symtape.optimize.derivative_check import check_derivative, check_points, is_supplied
from symtape.optimize.graph_functions import GraphFunction
from symtape.optimize.model import Block
from symtape.optimize.recorded_functions import RecordedFunction
from symtape.optimize.standard_form import Array
from symtape.optimize.unknowns import Unknowns

_BY = "st.minimize"


def read_bounds(bounds: Any, n: int, by: str = _BY) -> tuple[Array, Array]:
    """Lower and upper bounds from a ``Bounds`` object, a sequence of pairs, or None.

    Parameters
    ----------
    bounds : None, Bounds, or sequence of (low, high)
        None in a pair means no limit.
    n : int
    by : str

    Returns
    -------
    lower, upper : ndarray of shape (n,)

    Raises
    ------
    ValueError
        If the number of pairs is not n, a limit is NaN, or a lower bound lies above its upper one.
    """
    if bounds is None:
        return np.full(n, -np.inf), np.full(n, np.inf)
    if isinstance(bounds, scipy.optimize.Bounds):
        low, high = np.asarray(bounds.lb, dtype=np.float64), np.asarray(bounds.ub, dtype=np.float64)
    else:
        pairs = list(bounds)
        if len(pairs) != n or any(np.size(pair) != 2 for pair in pairs):
            raise ShapeError(
                f"{by}: bounds has {len(pairs)} entries, wanted {n} pairs (low, high), one for each unknown"
            )
        low = np.array([-np.inf if pair[0] is None else pair[0] for pair in pairs], dtype=np.float64)
        high = np.array([np.inf if pair[1] is None else pair[1] for pair in pairs], dtype=np.float64)
    return checked_limits(low, high, n, by)


def checked_limits(low: Array, high: Array, n: int, by: str) -> tuple[Array, Array]:
    """Bounds of shape (n,) from arrays that broadcast to it."""
    try:
        low, high = np.broadcast_to(low, (n,)).copy(), np.broadcast_to(high, (n,)).copy()
    except ValueError as error:
        raise ShapeError(f"{by}: bounds of shapes {low.shape} and {high.shape}, wanted ({n},)") from error
    if np.any(np.isnan(low)) or np.any(np.isnan(high)):
        raise ValueError(f"{by}: a bound is NaN; write None or infinity for no limit")
    if np.any(low > high):
        i = int(np.argmax(low > high))
        raise ValueError(f"{by}: the lower bound {low[i]} of unknown {i} lies above its upper bound {high[i]}")
    return low, high


def read_constraints(constraints: Any, unknowns: Unknowns, x: Array, lower: Array, upper: Array) -> list[Block]:
    """Blocks from SciPy's ``constraints=``: a dictionary, a constraint object, or a sequence of them.

    Their functions are recorded; derivatives that come with them are compared with the exact ones.

    Parameters
    ----------
    constraints : dict, LinearConstraint, NonlinearConstraint, or sequence of them
    unknowns : Unknowns
        One item: x.
    x : ndarray of shape (n,)
        The start, where functions are recorded.
    lower, upper : ndarray of shape (n,)
        Bounds, within which derivatives are compared.

    Returns
    -------
    list of Block
    """
    single = isinstance(constraints, (Mapping, scipy.optimize.LinearConstraint, scipy.optimize.NonlinearConstraint))
    items: Sequence[Any] = [constraints] if single else list(constraints)
    points = check_points(x, lower, upper)
    blocks: list[Block] = []
    for k, item in enumerate(items):
        label = "constraint" if single else f"constraints[{k}]"
        if isinstance(item, scipy.optimize.LinearConstraint):
            blocks.append(_linear(item, label, unknowns))
        elif isinstance(item, scipy.optimize.NonlinearConstraint):
            recorded = _recorded(item.fun, (), label, unknowns, x)
            _check(item.jac, recorded, label, points)
            _check_curvature(item.hess, recorded, label, points)
            blocks.append(Block(label, recorded, np.asarray(item.lb, float), np.asarray(item.ub, float)))
        elif isinstance(item, Mapping):
            blocks.append(_dictionary(item, label, unknowns, x, points))
        else:
            raise TypeError(
                f"{label} is of type {type(item).__name__}; wanted a dict with 'type' and 'fun', a LinearConstraint or "
                "a NonlinearConstraint; comparisons of tensors belong in subject_to"
            )
    return blocks


def _dictionary(item: Mapping[str, Any], label: str, unknowns: Unknowns, x: Array, points: tuple[Array, ...]) -> Block:
    kind, function = item.get("type"), item.get("fun")
    if not isinstance(kind, str) or kind.lower() not in {"eq", "ineq"}:
        raise ConstraintError(f"{label} has the type {kind!r}; wanted 'eq' (value 0) or 'ineq' (value at least 0)")
    if not callable(function):
        raise ConstraintError(f"{label} has no function under 'fun', but {function!r}")
    args = as_arguments(item.get("args", ()))
    recorded = _recorded(function, args, label, unknowns, x)
    jac: Any = item.get("jac")
    _check((lambda z: jac(z, *args)) if is_supplied(jac) else None, recorded, label, points)
    zero = np.zeros(1)
    return Block(label, recorded, zero, zero if kind.lower() == "eq" else None)


def _recorded(
    function: Callable[..., Any], args: tuple[Any, ...], label: str, unknowns: Unknowns, x: Array
) -> RecordedFunction:
    recorded = RecordedFunction(function, args, unknowns, f"{_BY} ({label})", vector=True)
    recorded.graph(x, pure=True)
    return recorded


def _check(jac: Any, recorded: RecordedFunction, label: str, points: tuple[Array, ...]) -> None:
    if is_supplied(jac):
        bound = recorded.bind({})
        check_derivative("jac", jac, bound.jacobian, points, f"{_BY} ({label})")


def _check_curvature(hess: Any, recorded: RecordedFunction, label: str, points: tuple[Array, ...]) -> None:
    if is_supplied(hess):
        bound = recorded.bind({})
        weights = np.ones(bound.graph.rows)
        check_derivative(
            "hess", lambda z: hess(z, weights), lambda z: bound.curvature(z, weights), points, f"{_BY} ({label})"
        )


def _linear(item: Any, label: str, unknowns: Unknowns) -> Block:
    matrix = item.A.toarray() if hasattr(item.A, "toarray") else item.A
    matrix = np.atleast_2d(np.asarray(matrix, dtype=np.float64))
    if matrix.shape[1] != unknowns.size:
        raise ShapeError(f"{label}: the matrix has shape {matrix.shape}, wanted {unknowns.size} columns")
    output = NODES.matmul(leaf(matrix, label), unknowns.x)
    return Block(label, GraphFunction(unknowns.x, output), np.asarray(item.lb, float), np.asarray(item.ub, float))


def as_arguments(args: Any) -> tuple[Any, ...]:
    """SciPy's ``args``: a tuple, or a single value that stands for one."""
    return args if isinstance(args, tuple) else (args,)


def read_callback(callback: Any, method: Any) -> Callable[[Array, float, Mapping[str, Any]], bool] | None:
    """A user's callback as a function of iterate, value and the solver's state that says whether to stop.

    SciPy knows three forms: ``callback(intermediate_result)`` by that name; ``callback(xk)``; and for trust-constr
    ``callback(xk, state)``. Each may raise StopIteration; the third may return True.
    """
    if callback is None:
        return None
    if not callable(callback):
        raise TypeError(f"{_BY}: callback is {callback!r}; wanted a function")
    try:
        names = list(inspect.signature(callback).parameters)
    except (TypeError, ValueError):
        names = ["xk"]
    two = isinstance(method, str) and method.lower() == "trust-constr" and len(names) > 1

    def call(x: Array, value: float, state: Mapping[str, Any]) -> bool:
        try:
            if names == ["intermediate_result"]:
                callback(intermediate_result=scipy.optimize.OptimizeResult({**state, "x": x, "fun": value}))
            elif two:
                return bool(callback(x, state))
            else:
                callback(x)
        except StopIteration:
            return True
        return False

    return call
