"""Recipes of random graphs, by choices that anybody may make: hypothesis, which shrinks them, or a seeded generator.

Every row of the op table may be called on what other rows gave. A value is fitted to the shape that the row wants and
mapped into its domain smoothly, or taken as it is where it lies inside; so kinks and ties stay as far away as the row
keeps them. What the table says of a row's inputs is all that is used: an op that is added with its row is drawn.
"""

import functools
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symtape.compile.evaluate import evaluate
from symtape.graph.node import CONST
from symtape.graph.traverse import topological
from symtape.ops.namespace import NODES
from symtape.ops.op import Kind
from tests.formula.test_rows import CANCEL
from tests.ops.rows import Domain, Row, near, results
from tests.ops.test_op_table import ROWS, recorded
from tests.random_graphs.recipes import SQUASHES, Feed, Leaf, Recipe, Shape, Step, as_node, fed, ways

#: ``pick(n)``: a number from 0 up to but without n; 0 is the simplest choice.
Pick = Callable[[int], int]

DEPTH = 8
ELEMENTS = 120  #: larger results are not used again
SHAPES: tuple[Shape, ...] = ((3,), (), (2, 3), (1,), (0,), (2, 1, 3), (1, 1), (3, 0), (4, 2), (1, 5))


@functools.cache
def rows_by_op() -> Mapping[str, Sequence[Row]]:
    """The rows of each op."""
    found: dict[str, list[Row]] = {}
    for row in ROWS:
        found.setdefault(row.op, []).append(row)
    return found


@functools.cache
def _pointwise() -> frozenset[str]:
    """Names of the rows that are scalar functions of broadcast elements, so that their inputs may have any shape."""
    return frozenset(row.name for row in ROWS if _is_pointwise(row))


def _is_pointwise(row: Row) -> bool:
    _, outputs = recorded(row, row.draw())
    made = [n for n in topological(outputs) if n.inputs or n.op is CONST]
    return all(n.shape == () if n.op is CONST else n.op.kind is Kind.ELEMENTWISE for n in made)


@dataclass(slots=True)
class _Value:
    node: Any
    array: np.ndarray
    depth: int
    usable: bool
    used: bool = False


@dataclass(frozen=True, slots=True)
class _Call:
    """A row called on feeds; ``results`` are numbers of values."""

    row: Row
    feeds: tuple[Feed, ...]
    inputs: tuple[np.ndarray, ...]
    results: range


@functools.cache
def scalar_rows() -> Mapping[str, Sequence[Row]]:
    """The rows, by op, that are smooth functions of numbers and have a formula that can be computed as it stands."""
    found: dict[str, list[Row]] = {}
    for row in ROWS:
        cancels = row.op in CANCEL or row.name in CANCEL
        if row.name in _pointwise() and row.order and "float64" in row.dtypes and _all_floats(row) and not cancels:
            found.setdefault(row.op, []).append(row)
    return found


def _all_floats(row: Row) -> bool:
    return all(a.dtype.kind == "f" and bool(np.all(np.isfinite(a))) for a in row.draw())


def draw_graph(
    pick: Pick,
    ops: Sequence[str],
    seed: int,
    dtype: str = "float64",
    *,
    rows: Mapping[str, Sequence[Row]] | None = None,
    shapes: Sequence[Shape] = SHAPES,
) -> Recipe:
    """A recipe in which a row of each of the ops is called, in any order and on one another's results."""
    rows = rows_by_op() if rows is None else rows
    order = list(ops)
    for k in range(len(order) - 1):
        j = k + pick(len(order) - k)
        order[k], order[j] = order[j], order[k]
    rng = np.random.default_rng([seed, pick(1 << 16)])
    graph = _Graph(pick, rng, dtype, shapes)
    for name in order:
        row = rows[name][pick(len(rows[name]))]
        if not graph.call(row):  # NumPy's shortcuts leave the op out in other shapes: a roll of nothing joins nothing
            graph.call(row, plain=True)
    return graph.recipe(seed)


class _Graph:
    """A recipe in the making, with the numbers that stand in it so far."""

    def __init__(self, pick: Pick, rng: np.random.Generator, dtype: str, shapes: Sequence[Shape]) -> None:
        self.pick, self.rng, self.dtype, self.shapes = pick, rng, dtype, shapes
        self.leaves: dict[int, Leaf] = {}  # by the number of the value
        self.calls: list[_Call] = []
        self.values: list[_Value] = []  # of leaves and results, as they came
        self.chain = pick(4) == 3  # whether each row is called on what the one before gave, so that the graph is deep

    def call(self, row: Row, *, plain: bool = False) -> bool:
        """Call a row on what there is; whether its op came of it. ``plain``: in the shapes that the row has itself."""
        arrays = self.typed(row, [np.asarray(d(self.rng)) for d in row.inputs] if plain else self.arrays(row))
        moves = _moving(row, arrays)
        feeds = tuple(self.feed(a, d, moves=m) for a, d, m in zip(arrays, row.inputs, moves, strict=True))
        inputs = [fed(NODES, f, [v.node for v in self.values]) for f in feeds]
        outputs = results(row.call(NODES, *inputs))
        numbers = [np.asarray(a) for a in evaluate([*inputs, *outputs], {v.node: v.array for v in self.values})]
        depth = 1 + max((self.values[f.source].depth for f in feeds), default=0)
        start = len(self.values)
        for node, array in zip(outputs, numbers[len(inputs) :], strict=True):
            usable = depth < DEPTH and array.size <= ELEMENTS and bool(np.all(np.isfinite(array)))
            self.values.append(_Value(node, array, depth, usable))
        self.calls.append(_Call(row, feeds, tuple(numbers[: len(inputs)]), range(start, len(self.values))))
        return any(n.op.name == row.op for n in topological(outputs, stop=frozenset(inputs)))

    def arrays(self, row: Row) -> list[np.ndarray]:
        """Arrays that the row may be called on."""
        draws = list(row.inputs)
        free = all(isinstance(d, Domain) and d.free for d in draws)
        if row.name in _pointwise():
            return self.of_any_shape(row, draws, free=free)
        if free and self.pick(3) == 2:
            return self.of_other_lengths(row, draws)
        return [np.asarray(d(self.rng)) for d in draws]

    def typed(self, row: Row, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The arrays in the precision of the graph, where the row has it."""
        dtype = self.dtype if self.dtype in row.dtypes else "float64"
        return [a.astype(dtype) if a.dtype.kind == "f" else a for a in arrays]

    def of_any_shape(self, row: Row, draws: Sequence[Any], *, free: bool) -> list[np.ndarray]:
        shape = self.shapes[self.pick(len(self.shapes))]
        if free:
            stretches = len({d.shape for d in draws}) > 1
            other = [np.asarray(d.make(self.rng, self.narrowed(shape) if stretches else shape)) for d in draws]
            if row.op == row.name or _taken_by_numpy(row, other):
                return other
            return [np.asarray(d(self.rng)) for d in draws]
        drawn = np.broadcast_arrays(*[d(self.rng) for d in draws])
        places = self.rng.integers(drawn[0].size, size=shape)
        return [a.ravel()[places] for a in drawn]

    def narrowed(self, shape: Shape) -> Shape:
        """A shape that broadcasts to the given one."""
        match self.pick(4):
            case 1:
                return ()
            case 2:
                return tuple(1 if self.pick(2) else n for n in shape)
            case 3:
                return shape[self.pick(len(shape) + 1) :]
        return shape

    def of_other_lengths(self, row: Row, draws: Sequence[Domain]) -> list[np.ndarray]:
        """Arrays in which one length is another one throughout, where NumPy takes them."""
        lengths = sorted({n for d in draws for n in d.shape})
        if lengths and row.reference is None:
            old, new = lengths[self.pick(len(lengths))], (1, 0, 4)[self.pick(3)]
            other = [np.asarray(d.make(self.rng, tuple(new if n == old else n for n in d.shape))) for d in draws]
            if _taken_by_numpy(row, other):
                return other
        return [np.asarray(d(self.rng)) for d in draws]

    def feed(self, x: np.ndarray, draw: Any, *, moves: bool) -> Feed:
        """What an input is made of: a leaf of its own, or an earlier value."""
        domain = draw if isinstance(draw, Domain) else None
        may_follow = moves if x.dtype.kind == "f" else domain is not None
        candidates = [k for k, v in enumerate(self.values) if v.usable]
        if not may_follow or not candidates or (not self.chain and self.pick(5) == 0):
            return Feed(self.leaf(x, moving=moves), x)
        source = candidates[-1] if self.chain else self.source(candidates)
        value = self.values[source]
        value.used = True
        have = value.array
        choices = ways(have.shape, x.shape)
        way = choices[self.pick(len(choices))]
        if x.dtype.kind != "f":
            return Feed(source, x, way, image=domain.image)
        image = domain.image if domain is not None else near
        inside = have.dtype.kind == "f" and domain is not None and way not in ("sum", "pad") and domain.holds(have)
        if inside and self.pick(4) != 3:
            return Feed(source, x, way)
        squashes = list(SQUASHES)
        largest = float(np.max(np.abs(have), initial=0)) * (have.size if way == "sum" else 1)
        scale = float(f"{1 / max(1.0, largest):.3g}")
        return Feed(source, x, way, squashes[self.pick(len(squashes))], scale, image)

    def source(self, candidates: Sequence[int]) -> int:
        """One of the last values, or any."""
        if self.pick(2):
            return candidates[-1 - self.pick(min(3, len(candidates)))]
        return candidates[self.pick(len(candidates))]

    def leaf(self, x: np.ndarray, *, moving: bool) -> int:
        moving = moving and x.dtype.kind == "f"
        new = Leaf(x, moving, constant=not moving and self.pick(2) == 1)
        number = len(self.values)
        self.values.append(_Value(as_node(new, number), x, 0, bool(np.all(np.isfinite(x)))))
        self.leaves[number] = new
        return number

    def recipe(self, seed: int) -> Recipe:
        """The recipe, with the leaves in front: all results that nothing was made of are outputs, and some more."""
        order = [*self.leaves, *[k for call in self.calls for k in call.results]]
        place = {k: j for j, k in enumerate(order)}
        steps = tuple(
            Step(
                call.row,
                tuple(replace(f, source=place[f.source]) for f in call.feeds),
                call.inputs,
                tuple(self.values[k].array for k in call.results),
            )
            for call in self.calls
        )
        made = order[len(self.leaves) :]
        outputs = tuple(place[k] for k in made if not self.values[k].used or self.pick(6) == 5)
        return Recipe(tuple(self.leaves.values()), steps, outputs, seed)


def _moving(row: Row, arrays: Sequence[np.ndarray]) -> list[bool]:
    """Which inputs derivatives may be taken in, or may follow other values: not those that a row holds at an edge."""
    if row.wrt is not None:
        allowed = set(row.wrt) if row.order else set()
    else:
        allowed = set(range(len(arrays)))
    return [k in allowed and bool(np.all(np.isfinite(a))) for k, a in enumerate(arrays)]


def _taken_by_numpy(row: Row, arrays: Sequence[np.ndarray]) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            row.expected(*arrays)
        except (ValueError, IndexError, TypeError, ZeroDivisionError, RuntimeWarning):
            return False
    return True
