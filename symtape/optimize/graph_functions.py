"""Functions of the flat vector x given as graphs: their derivatives as graphs, compiled when first asked for.

What the graph needs besides x (variables that are not solved for, data, constants made by the user) are inputs of
the compiled programs, so new values, and new data of the same shape, compile nothing. A `GraphFunction` is made
once per problem; `bind` gives it the values of one solve.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symtape.autodiff.jacobian import hessian, hvp, jacobian
from symtape.autodiff.reverse import gradient
from symtape.autodiff.rewrite import stable_graph
from symtape.compile.program import Guard, Program
from symtape.errors import NotDifferentiableError, ShapeError, SingularMatrixError
from symtape.graph.node import LEAF, Node, symbol
from symtape.graph.shapes import size
from symtape.graph.traverse import leaves, topological
from symtape.ops.namespace import DERIVATIVES, NODES
from symtape.ops.op import Kind
from symtape.optimize import differences
from symtape.optimize.degrees import degree_in
from symtape.optimize.differences import announce
from symtape.optimize.standard_form import Array, Degree

_FLOAT = np.dtype(np.float64)


@dataclass(slots=True)
class GraphFunction:
    """A scalar or vector function of x as a graph.

    Attributes
    ----------
    x : Node
        The flat vector's leaf, shape (n,).
    output : Node
        Shape () or (m,), float64.
    guards : tuple of (Node, value, message)
        Decisions of a recorded callable; the graph holds where their conditions have these values.
    """

    x: Node
    output: Node
    guards: tuple[Guard, ...] = ()
    parameters: tuple[Node, ...] = field(init=False)
    _derivatives: dict[str, Node] = field(init=False, default_factory=dict)
    _programs: dict[str, Program] = field(init=False, default_factory=dict)
    _weights: Node = field(init=False)
    _direction: Node = field(init=False)
    _differenced: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        (self.output,) = stable_graph([self.output], [self.x])
        nodes = [self.output, *[guard[0] for guard in self.guards]]
        self.parameters = tuple(node for node in leaves(nodes) if node is not self.x)
        self._weights = symbol("weights", self.output.shape)
        self._direction = symbol("direction", self.x.shape)

    @property
    def rows(self) -> int:
        """Number of values: 1 for a scalar."""
        return int(self.output.shape[0]) if self.output.shape else 1

    # ------------------------------------------------------------------------------------------------ derivatives

    def node(self, name: str) -> Node:
        """A derivative as a graph: ``gradient``, ``hessian``, ``product``, ``jacobian``, ``curvature``, ``bend``.

        ``product`` is the Hessian times a direction; ``curvature`` and ``bend`` are Hessian and product of the rows
        combined with weights.
        """
        found = self._derivatives.get(name)
        if found is None:
            found = self._derivatives[name] = self._derive(name)
        return found

    def _derive(self, name: str) -> Node:
        if name == "gradient":
            return self._gradient(self.output)
        if name == "hessian":
            return hessian(self.output, self.x)
        if name == "product":
            return hvp(self.output, self.x, self._direction)
        if name == "jacobian":
            return jacobian(self.output, self.x)
        combined = NODES.sum(NODES.multiply(self._weights, self.output))
        if name == "curvature":
            return hessian(combined, self.x)
        return hvp(combined, self.x, self._direction)

    @property
    def exact(self) -> bool:
        """Whether second derivatives are known to the graph; asked of those with black boxes only."""
        if any(
            node.op is not LEAF and getattr(node.op, "kind", None) is Kind.OPAQUE for node in topological([self.output])
        ):
            return self.has("bend" if self.output.shape else "product")
        return True

    def has(self, name: str) -> bool:
        """Whether a second derivative can be derived; where it cannot, differences of the first one stand in.

        Raises
        ------
        NotDifferentiableError
            If there is no first derivative either.
        """
        if self._differenced:
            return False
        try:
            self.node(name)
        except NotDifferentiableError as error:
            self.node("jacobian" if self.output.shape else "gradient")
            self._differenced = True
            announce(error)
        return not self._differenced

    def _gradient(self, output: Node) -> Node:
        (found,) = gradient(output, [self.x])
        return DERIVATIVES.zeros(self.x.shape, _FLOAT) if found is None else found

    def degree(self) -> Degree:
        """How the function depends on x at most."""
        if any(degree_in(guard[0], self.x) for guard in self.guards):
            return Degree.GENERAL
        return degree_in(self.output, self.x)

    # --------------------------------------------------------------------------------------------------- programs

    def program(self, name: str) -> Program:
        """The compiled program of ``value``, of ``joint`` value and first derivative, or of a derivative."""
        found = self._programs.get(name)
        if found is None:
            found = self._programs[name] = self._compile(name)
        return found

    def _compile(self, name: str) -> Program:
        first = "jacobian" if self.output.shape else "gradient"
        extra = {"product": [self._direction], "curvature": [self._weights], "bend": [self._weights, self._direction]}
        if name == "value":
            outputs = [self.output]
        elif name == "joint":
            outputs = [self.output, self.node(first)]
        else:
            outputs = [self.node(name)]
        return Program([self.x, *extra.get(name, []), *self.parameters], outputs, guards=self.guards)

    def bind(self, values: Mapping[Node, Any]) -> BoundFunction:
        """The function with values for its parameters; those not given keep their leaves' own.

        Parameters
        ----------
        values : mapping of Node to array

        Returns
        -------
        BoundFunction
        """
        arrays = [np.asarray(values.get(node, node.value), dtype=node.dtype) for node in self.parameters]
        return BoundFunction(self, tuple(arrays))


@dataclass(slots=True)
class BoundFunction:
    """A `GraphFunction` with numbers for everything but x.

    Where a matrix is singular the value is infinite and derivatives are NaN, so that a line search turns back.
    """

    graph: GraphFunction
    arrays: tuple[Array, ...]

    def _call(self, name: str, *given: Array) -> Sequence[Array] | None:
        program = self.graph.program(name)
        try:
            return program(*given, *self.arrays)
        except SingularMatrixError:
            return None

    def value(self, x: Array) -> Any:
        """A float for a scalar function, else an array of shape (m,)."""
        found = self._call("value", x)
        if found is None:
            return np.full(self.graph.rows, np.inf) if self.graph.output.shape else np.inf
        return found[0] if self.graph.output.shape else float(found[0])

    def joint(self, x: Array) -> tuple[Any, Array]:
        """Value and first derivative: gradient of shape (n,) or Jacobian of shape (m, n)."""
        found = self._call("joint", x)
        if found is None:
            rows, n = self.graph.rows, x.size
            if self.graph.output.shape:
                return np.full(rows, np.inf), np.full((rows, n), np.nan)
            return np.inf, np.full(n, np.nan)
        return (found[0] if self.graph.output.shape else float(found[0])), found[1]

    def jacobian(self, x: Array) -> Array:
        """Shape (m, n)."""
        return self._matrix("jacobian", (self.graph.rows, x.size), x)

    def hessian(self, x: Array) -> Array:
        """Of a scalar function, shape (n, n)."""
        if not self.graph.has("hessian"):
            return differences.matrix(self._slope, x)
        return self._matrix("hessian", (x.size, x.size), x)

    def product(self, x: Array, direction: Array) -> Array:
        """The Hessian of a scalar function times a direction, shape (n,)."""
        if not self.graph.has("product"):
            return differences.along(self._slope, x, direction)
        return self._matrix("product", (x.size,), x, direction)

    def curvature(self, x: Array, weights: Array) -> Array:
        """``sum_j weights_j * Hessian of row j``, shape (n, n)."""
        if not self.graph.has("curvature"):
            return differences.matrix(lambda z: weights @ self.jacobian(z), x)
        return self._matrix("curvature", (x.size, x.size), x, weights)

    def bend(self, x: Array, weights: Array, direction: Array) -> Array:
        """That matrix times a direction, shape (n,)."""
        if not self.graph.has("bend"):
            return differences.along(lambda z: weights @ self.jacobian(z), x, direction)
        return self._matrix("bend", (x.size,), x, weights, direction)

    def _slope(self, x: Array) -> Array:
        return self.joint(x)[1]

    def _matrix(self, name: str, shape: tuple[int, ...], *given: Array) -> Array:
        found = self._call(name, *given)
        return np.full(shape, np.nan) if found is None else np.asarray(found[0], dtype=np.float64)


def as_scalar(node: Node, by: str) -> Node:
    """A float64 scalar from a node with one element.

    Raises
    ------
    ShapeError
        If it has more.
    """
    B = NODES
    if size(node.shape) != 1:
        raise ShapeError(
            f"{by}: the objective has shape {node.shape}, wanted one number; sum it, or use st.least_squares for the "
            "sum of its squares"
        )
    if node.shape != ():
        node = B.reshape(node, ())
    return node if node.dtype == _FLOAT else B.astype(node, _FLOAT)


def as_vector(node: Node) -> Node:
    """A float64 vector of all elements of a node."""
    B = NODES
    if len(node.shape) != 1:
        node = B.reshape(node, (-1,))
    return node if node.dtype == _FLOAT else B.astype(node, _FLOAT)


def is_leaf(node: Node) -> bool:
    """Whether a node is a variable's version, a constant made by the user or a symbol."""
    return node.op is LEAF
