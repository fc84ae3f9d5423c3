"""A problem as graphs, made once, and its standard form, made for each solve.

Rows that only limit one unknown (``x >= 0``, ``v[1:] <= 3``) become bounds: methods treat bounds better than rows,
and no Jacobian is formed for them. That reduction, like the flattening of the unknowns, knows its way back:
`Reduced.row_multipliers` gives the multipliers of the constraints as they were written.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from symtape.compile.evaluate import evaluate
from symtape.graph.node import Node
from symtape.graph.traverse import substitute, topological
from symtape.ops.op import Kind
from symtape.optimize.certify import Certificate
from symtape.optimize.constraints import Comparison
from symtape.optimize.graph_functions import GraphFunction
from symtape.optimize.result import Params
from symtape.optimize.standard_form import Array, Degree, Objective, Rows, StandardForm
from symtape.optimize.unknowns import Unknowns

_SINGLE_ENTRY_WORK = 10**6


class Function(Protocol):
    """A function of the flat vector: one graph, or a callable recorded branch by branch."""

    def degree(self) -> Degree:
        """How it depends on x at most."""
        ...

    def bind(self, values: Mapping[Node, Any]) -> Any:
        """With values for its parameters."""
        ...


@dataclass(frozen=True, slots=True)
class Block:
    """Constraint rows as a graph.

    Attributes
    ----------
    label : str
    function : Function
    lower, upper : Node, ndarray or None
        Limits that do not depend on x; None for no limit.
    coordinates : ndarray or None
        The coordinate of x that each row is, if each row is one.
    """

    label: str
    function: Function
    lower: Node | Array | None
    upper: Node | Array | None
    coordinates: npt.NDArray[np.int64] | None = None


def block_of(comparison: Comparison, unknowns: Unknowns) -> Block:
    """The block of a comparison, over the flat vector."""
    (output,) = substitute((comparison.expression,), unknowns.substitution())
    function = GraphFunction(unknowns.x, output)
    return Block(comparison.label, function, comparison.lower, comparison.upper, _coordinates(output, unknowns.x))


def _coordinates(output: Node, x: Node) -> npt.NDArray[np.int64] | None:
    """Which coordinate of x each element of the output is, if it is nothing but elements of x in some order."""
    for node in topological([output]):
        if node is not x and not (node.op.name == "getitem" or getattr(node.op, "kind", None) is Kind.LAYOUT):
            return None
    places = evaluate([output], {x: np.arange(int(x.shape[0]), dtype=np.float64)})[0]
    return np.asarray(places).astype(np.int64)


@dataclass(slots=True)
class Model:
    """A whole problem as graphs.

    Attributes
    ----------
    unknowns : Unknowns
    objective : Function
    blocks : list of Block
    reduce_objective : callable
        Makes the numeric objective from the bound function; least squares has its own.
    """

    unknowns: Unknowns
    objective: Function
    blocks: list[Block] = field(default_factory=list)
    reduce_objective: Callable[[Any, Degree], Objective] | None = None

    def reduced(self, values: Mapping[Node, Any], lower: Array, upper: Array) -> Reduced:
        """The standard form for parameter values and bounds.

        Parameters
        ----------
        values : mapping of Node to array
            Parameters that do not have their leaves' own values.
        lower, upper : ndarray of shape (n,)

        Returns
        -------
        Reduced
        """
        bound = self.objective.bind(values)
        degree = self.objective.degree()
        make = self.reduce_objective or plain_objective
        lower, upper = lower.copy(), upper.copy()
        rows: list[Rows] = []
        origins: list[Rows | _AsBounds] = []
        for block in self.blocks:
            row = _numeric_rows(block, values, self.unknowns.size)
            as_bounds = _as_bounds(block, row)
            if as_bounds is None:
                rows.append(row)
                origins.append(row)
            else:
                as_bounds.tighten(lower, upper)
                origins.append(as_bounds)
        form = StandardForm(
            objective=make(bound, degree), lower=lower, upper=upper, rows=tuple(rows), label=self.unknowns.label
        )
        return Reduced(self.unknowns, form, tuple(origins))


def plain_objective(bound: Any, degree: Degree) -> Objective:
    """The objective that a scalar function is."""
    return Objective(
        function=bound.value,
        function_and_gradient=bound.joint,
        full_hessian=bound.hessian,
        hessian_product=bound.product,
        degree=degree,
        exact=bound.graph.exact,
    )


def _numeric_rows(block: Block, values: Mapping[Node, Any], n: int) -> Rows:
    function = block.function.bind(values)
    degree = block.function.degree()
    size = function.graph.rows
    jacobian = function.jacobian
    if degree <= Degree.AFFINE and block.coordinates is None:
        constant: Array = function.jacobian(np.zeros(n))

        def jacobian(x: Array) -> Array:
            return constant

    return Rows(
        label=block.label,
        lower=_limit(block.lower, values, size, -np.inf),
        upper=_limit(block.upper, values, size, np.inf),
        function=function.value,
        full_jacobian=jacobian,
        weighted_hessian=function.curvature,
        weighted_product=function.bend,
        degree=degree,
    )


def _limit(limit: Node | Array | None, values: Mapping[Node, Any], size: int, absent: float) -> Array:
    if limit is None:
        return np.full(size, absent)
    number = evaluate([limit], dict(values))[0] if isinstance(limit, Node) else limit
    return np.array(np.broadcast_to(np.asarray(number, dtype=np.float64), (size,)))


@dataclass(frozen=True, slots=True)
class _AsBounds:
    """Rows ``factor * x[coordinate] + offset`` that became bounds."""

    coordinates: npt.NDArray[np.int64]
    factors: Array
    lower: Array
    upper: Array

    def tighten(self, lower: Array, upper: Array) -> None:
        np.maximum.at(lower, self.coordinates, self.lower)
        np.minimum.at(upper, self.coordinates, self.upper)


def _as_bounds(block: Block, rows: Rows) -> _AsBounds | None:
    if block.coordinates is not None:
        return _AsBounds(block.coordinates, np.ones(rows.size), rows.lower, rows.upper)
    if rows.degree is not Degree.AFFINE:
        return None
    jacobian = rows.jacobian(np.zeros(0))
    if jacobian.size > _SINGLE_ENTRY_WORK or np.any(np.count_nonzero(jacobian, axis=1) != 1):
        return None
    coordinates = np.argmax(jacobian != 0, axis=1)
    factors = jacobian[np.arange(rows.size), coordinates]
    offset = rows.value(np.zeros(jacobian.shape[1]))
    one, other = (rows.lower - offset) / factors, (rows.upper - offset) / factors
    return _AsBounds(coordinates, factors, np.minimum(one, other), np.maximum(one, other))


@dataclass(frozen=True, slots=True)
class Reduced:
    """A standard form and the way back from it.

    Attributes
    ----------
    unknowns : Unknowns
    form : StandardForm
    origins : tuple
        For each block of constraints what became of it: rows, or bounds.
    """

    unknowns: Unknowns
    form: StandardForm
    origins: tuple[Any, ...]

    def params(self, x: Array) -> Params:
        """The values by name: floats for scalars, else arrays."""
        items = self.unknowns.items
        values = {i.name: float(x[i.offset]) if i.shape == () else x[i.place].reshape(i.shape).copy() for i in items}
        return Params(values, [item.tensor for item in items])

    @property
    def crossed(self) -> bool:
        """Whether some lower bound lies above its upper one."""
        return bool(np.any(self.form.lower > self.form.upper))

    def as_written(self, x: Array, certificate: Certificate) -> Certificate:
        """The certificate with the multipliers of the constraints as they were written.

        Parameters
        ----------
        x : ndarray of shape (n,)
        certificate : Certificate
            Of the standard form.

        Returns
        -------
        Certificate
        """
        left = certificate.bound_multipliers.copy()
        found: list[Array] = []
        start = 0
        for origin in self.origins:
            if isinstance(origin, Rows):
                found.append(certificate.multipliers[start : start + origin.size])
                start += origin.size
            else:
                found.append(_shared_multipliers(origin, left, self.form))
        rows = np.concatenate(found) if found else np.zeros(0)
        return dataclasses.replace(certificate, multipliers=rows, bound_multipliers=left)


def _shared_multipliers(origin: _AsBounds, left: Array, form: StandardForm) -> Array:
    """What of the bounds' multipliers belongs to these rows; what is given out is taken off ``left``."""
    found = np.zeros(origin.coordinates.size)
    for k, i in enumerate(origin.coordinates):
        pull = left[i]
        holds = (pull > 0 and origin.lower[k] >= form.lower[i]) or (pull < 0 and origin.upper[k] <= form.upper[i])
        if holds:
            found[k] = pull / origin.factors[k]
            left[i] = 0.0
    return found
