"""A recipe with its nodes and numbers, and how far two roads to the same number may be apart.

Rounding is judged by itself: the graph is computed again with every inner result off by a few units in the last place.
What that does to a number, times a margin, is what another order of the same arithmetic may do to it. Where it flips a
comparison, nothing can be said; such graphs are counted.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symtape.autodiff.reverse import pullback
from symtape.compile.evaluate import evaluate
from symtape.graph.node import CONST, ITEM, Node
from symtape.graph.traverse import topological
from symtape.ops.namespace import DERIVATIVES, NODES
from tests.random_graphs.recipes import Recipe

MARGIN = 30  #: times what rounding was seen to do


class DisagreementError(AssertionError):
    """Two roads to one number ended apart."""


@dataclass(slots=True)
class Case:
    """A recipe with its nodes, the numbers of its leaves, and what has been seen of it.

    Attributes
    ----------
    moving : list of Node
        The leaves that derivatives are taken in.
    weights : list
        Per output the cotangent, None where it is not of floats or not finite.
    along, across : list of arrays
        Two directions, an array for each moving leaf.
    gradients : list of Node or None
        Of the weighted outputs, in the moving leaves.
    counts : Counter
        What could not be compared, and how much was.
    """

    recipe: Recipe
    leaves: list[Node]
    outputs: list[Node]
    env: dict[Node, np.ndarray]
    rng: np.random.Generator
    moving: list[Node] = field(default_factory=list)
    weights: list[np.ndarray | None] = field(default_factory=list)
    along: list[np.ndarray] = field(default_factory=list)
    across: list[np.ndarray] = field(default_factory=list)
    gradients: list[Node | None] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    _numbers: Any = None

    @classmethod
    def of(cls, recipe: Recipe) -> "Case":
        """The case, with its gradient."""
        leaves, outputs = recipe.nodes()
        env = {n: leaf.array for n, leaf in zip(leaves, recipe.leaves, strict=True) if not leaf.constant}
        case = cls(recipe, leaves, outputs, env, np.random.default_rng([recipe.seed, 7]))
        case.moving = [n for n, leaf in zip(leaves, recipe.leaves, strict=True) if leaf.moving]
        for node, value in zip(outputs, evaluate(outputs, env), strict=True):
            finite = node.dtype.kind == "f" and bool(np.all(np.isfinite(value)))
            case.weights.append(case.random(node) if finite else None)
        case.along = [case.random(n) for n in case.moving]
        case.across = [case.random(n) for n in case.moving]
        case.gradients = pullback(
            outputs, [None if w is None else NODES.const(w) for w in case.weights], case.moving, DERIVATIVES
        )
        return case

    def second(self) -> list[Node | None]:
        """The derivative of the gradient in a direction, in reverse again."""
        pairs = [(g, NODES.const(d)) for g, d in zip(self.gradients, self.along, strict=True) if g is not None]
        return pullback([g for g, _ in pairs], [d for _, d in pairs], self.moving, DERIVATIVES)

    @property
    def numbers(self) -> "Numbers":
        """The values of results and gradients."""
        if self._numbers is None:
            self._numbers = Numbers.of(self, [*self.outputs, *self.present(self.gradients)])
        return self._numbers

    def random(self, node: Node) -> np.ndarray:
        """Weights or a direction: of both signs, away from zero."""
        drawn = self.rng.uniform(0.25, 1.0, node.shape) * self.rng.choice([-1.0, 1.0], node.shape)
        return np.asarray(drawn, node.dtype)

    @property
    def single(self) -> bool:
        """Whether single precision takes part."""
        order = topological([*self.leaves, *self.outputs])
        return any(n.dtype == np.float32 for n in order if isinstance(n.dtype, np.dtype))

    @property
    def eps(self) -> float:
        """The precision of the coarsest number in the graph."""
        return float(np.finfo(np.float32 if self.single else np.float64).eps)

    @property
    def order(self) -> int:
        """How often the rows say that they can be differentiated."""
        return min((s.row.order for s in self.recipe.steps if s.row.order), default=2)

    @property
    def tolerance(self) -> float:
        """Of differences: the widest of the rows."""
        return max(s.row.tolerance for s in self.recipe.steps)

    def weighted(self) -> list[tuple[Node, np.ndarray]]:
        """The outputs that count, with their weights."""
        return [(o, w) for o, w in zip(self.outputs, self.weights, strict=True) if w is not None]

    def present(self, nodes: Sequence[Node | None]) -> list[Node]:
        """Without None."""
        return [n for n in nodes if n is not None]


# ----------------------------------------------------------------------------------------------------------- rounding


def shaken(nodes: Sequence[Node], env: dict[Node, Any], moving: Iterable[Node], rng: np.random.Generator) -> list[Any]:
    """Values of the nodes with every inner result, and every moving leaf, off by some units in the last place."""

    def off(value: np.ndarray, given: Sequence[Any], picked: Sequence[Any]) -> np.ndarray:
        if value.dtype.kind != "f":
            return value
        flat = value.ravel()
        whole = all(_is_whole(array) for array in given)
        exact = flat == np.rint(flat) if whole else np.zeros(flat.shape, bool)
        for array in picked:  # what was only picked or moved has no rounding of its own, nor have integers of integers
            exact |= (flat[:, None] == np.ravel(array)).any(1)
        noise = np.where(exact, 0, 4 * np.finfo(value.dtype).eps * rng.uniform(-1, 1, flat.size))
        return (flat * (1 + noise)).astype(value.dtype).reshape(value.shape)

    moving = set(moving)
    values: dict[Node, Any] = {n: off(a, (), ()) if n in moving else a for n, a in env.items()}
    with np.errstate(all="ignore"):
        for node in topological(nodes):
            if node in values:
                continue
            if not node.inputs:
                values[node] = node.value
                continue
            inputs = [values[i] for i in node.inputs]
            picked = [values[i] for i in node.inputs if i.op is not CONST]  # 1 + tiny is 1 by rounding
            try:
                value = node.op.value(*inputs, *node.params)
            except np.linalg.LinAlgError:  # a comparison flipped, and what came of it was no number
                value = _nothing(node)
            if node.op is ITEM:
                values[node] = value
            elif type(value) is tuple:
                values[node] = tuple(off(np.asarray(v), inputs, picked) for v in value)
            else:
                values[node] = off(np.asarray(value), inputs, picked)
    return [values[n] for n in nodes]


def _nothing(node: Node) -> Any:
    """NaN in the place of a result."""
    if isinstance(node.dtype, np.dtype):
        return np.full(node.shape, np.nan, node.dtype)
    return tuple(np.full(s, np.nan if d.kind == "f" else 0, d) for s, d in zip(node.shape, node.dtype, strict=True))


def _is_whole(array: Any) -> bool:
    return bool(np.all(np.rint(array) == array))


@dataclass(slots=True)
class Numbers:
    """Values of nodes, and per node how far rounding may move them; None where it flips what is discrete."""

    values: dict[Node, np.ndarray]
    bounds: dict[Node, float | None]

    @classmethod
    def of(cls, case: Case, nodes: Sequence[Node]) -> "Numbers":
        """Compute, and compute again with other roundings."""
        nodes = list(dict.fromkeys(nodes))
        values = [np.asarray(v) for v in evaluate(nodes, case.env)]
        others = [shaken(nodes, case.env, case.moving, case.rng) for _ in range(2)]
        bounds: dict[Node, float | None] = {}
        for k, (node, value) in enumerate(zip(nodes, values, strict=True)):
            bounds[node] = _bound(value, [np.asarray(o[k]) for o in others], case.eps)
        return cls(dict(zip(nodes, values, strict=True)), bounds)


def _bound(value: np.ndarray, others: Sequence[np.ndarray], eps: float) -> float | None:
    if value.dtype.kind != "f":
        return 0.0 if all(np.array_equal(value, o) for o in others) else None
    finite = np.isfinite(value)
    if any(not np.array_equal(finite, np.isfinite(o)) for o in others):
        return None
    size = float(np.max(np.abs(value[finite]), initial=1.0))
    seen = max(float(np.max(np.abs(o[finite].astype("f8") - value[finite]), initial=0.0)) for o in others)
    return 5000 * eps * size + MARGIN * seen


def agree(case: Case, what: str, numbers: Numbers, nodes: Sequence[Node], others: Sequence[Any]) -> None:
    """Values that came about in another way are those of the nodes."""
    for node, found in zip(nodes, others, strict=True):
        value, bound, other = numbers.values[node], numbers.bounds[node], np.asarray(found)
        if (value.shape, value.dtype) != (other.shape, other.dtype):
            raise DisagreementError(
                f"{what}: {node!r} is {value.dtype}{list(value.shape)} here, {other.dtype}{list(other.shape)} there"
            )
        if bound is None:
            case.counts["on an edge"] += 1
            continue
        if value.dtype.kind != "f":
            same = np.array_equal(value, other)
        else:
            finite = np.isfinite(value)
            same = bool(np.array_equal(value[~finite], other[~finite], equal_nan=True)) and bool(
                np.all(np.abs(other[finite].astype("f8") - value[finite]) <= bound)
            )
        if not same:
            raise DisagreementError(f"{what}: {node!r} is\n{value}\nhere, and there\n{other}\n(allowed: {bound})")
