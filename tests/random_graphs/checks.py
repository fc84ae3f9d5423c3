"""What is compared on a graph, and how far two roads to the same number may be apart.

Rounding is judged by itself: the graph is computed again with every inner result off by a few units in the last place.
What that does to a number, times a margin, is what another order of the same arithmetic may do to it. Where it flips a
comparison, nothing can be said; such graphs are counted.

Differences are taken of the graph whose step functions (comparisons, rounding, orders, whatever no gradient flows
through) stay at the values that they had: that is the function whose derivative is meant. Two step lengths have to
agree before a difference is believed; where none do, that is counted too.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import symtape as st
from symtape.autodiff.batching import batch_graph
from symtape.autodiff.forward import tangents
from symtape.autodiff.reverse import pullback
from symtape.autodiff.rewrite import stable_graph
from symtape.compile.evaluate import evaluate
from symtape.compile.options import Options
from symtape.compile.program import Program
from symtape.graph.node import ITEM, Node, symbol
from symtape.graph.serialize import dump, load
from symtape.graph.traverse import topological
from symtape.ops.namespace import DERIVATIVES, NODES
from symtape.ops.registry import functions, op_named
from symtape.tape.tensor import TENSORS, Tensors
from tests.random_graphs.recipes import Recipe

MARGIN = 30  #: times what rounding was seen to do
WEIGHTS = (4 / 5, -1 / 5, 4 / 105, -1 / 280)  #: of the central difference of order eight
STEPS = (2e-3, 2.5e-4, 3e-5)


class DisagreementError(AssertionError):
    """Two roads to one number ended apart."""


@dataclass(slots=True)
class Case:
    """A recipe with its nodes, the numbers of its leaves, and what has been seen of it.

    Attributes
    ----------
    moving : list of int
        The leaves that derivatives are taken in.
    weights : list
        Per output the cotangent, None where it is not of floats or not finite.
    along : list of arrays
        A direction for each moving leaf.
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

    def off(value: np.ndarray, given: Sequence[np.ndarray]) -> np.ndarray:
        if value.dtype.kind != "f":
            return value
        flat = value.ravel()
        exact = flat == np.rint(flat)  # and what was only picked or moved has no rounding of its own
        for array in given:
            exact |= (flat[:, None] == np.ravel(array)).any(1)
        noise = np.where(exact, 0, 4 * np.finfo(value.dtype).eps * rng.uniform(-1, 1, flat.size))
        return (flat * (1 + noise)).astype(value.dtype).reshape(value.shape)

    moving = set(moving)
    values: dict[Node, Any] = {n: off(a, ()) if n in moving else a for n, a in env.items()}
    with np.errstate(all="ignore"):
        for node in topological(nodes):
            if node in values:
                continue
            if not node.inputs:
                values[node] = node.value
                continue
            inputs = [values[i] for i in node.inputs]
            value = node.op.value(*inputs, *node.params)
            if node.op is ITEM:
                values[node] = value
            elif type(value) is tuple:
                values[node] = tuple(off(np.asarray(v), inputs) for v in value)
            else:
                values[node] = off(np.asarray(value), inputs)
    return [values[n] for n in nodes]


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


# -------------------------------------------------------------------------------------------------------- derivatives


def forward_and_reverse(case: Case) -> None:
    """The adjoint identity, and differences; None in reverse means None or zero forward."""
    outputs = [o for o, _ in case.weighted()]
    weights = [w for _, w in case.weighted()]
    for g, x in zip(case.gradients, case.moving, strict=True):
        if g is not None and (g.shape, g.dtype) != (x.shape, x.dtype):
            raise DisagreementError(f"the gradient in {x!r} is {g!r}")
    moved = tangents(outputs, case.moving, [NODES.const(d) for d in case.along])
    for t, o in zip(moved, outputs, strict=True):
        if t is not None and (t.shape, t.dtype) != (o.shape, o.dtype):
            raise DisagreementError(f"the tangent of {o!r} is {t!r}")
    _adjoint(
        case, "first order", list(zip(moved, weights, strict=True)), list(zip(case.gradients, case.along, strict=True))
    )
    unmoved = [(x, d) for x, d, g in zip(case.moving, case.along, case.gradients, strict=True) if g is None]
    if unmoved:
        alone = case.present(tangents(outputs, [x for x, _ in unmoved], [NODES.const(d) for _, d in unmoved]))
        for t, value in zip(alone, evaluate(alone, case.env), strict=True):
            if np.any(value):
                raise DisagreementError(f"reverse mode gives None where forward mode gives {t!r}, {value}")
    if outputs and case.moving and not case.single:
        _difference(case, "first order", case.weighted(), case.gradients, case.along)


def second_order(case: Case) -> None:
    """The derivative of the gradient is the same forward and in reverse, and that of a difference."""
    if case.order < 2 or not case.moving:
        return
    second = case.second()
    places = [k for k, g in enumerate(case.gradients) if g is not None]
    gradients = [case.gradients[k] for k in places]
    pushed = tangents(gradients, case.moving, [NODES.const(d) for d in case.along])
    _adjoint(
        case,
        "second order",
        [(t, case.across[k]) for t, k in zip(pushed, places, strict=True)],
        list(zip(second, case.across, strict=True)),
    )
    if gradients and not case.single:
        _difference(
            case,
            "second order",
            [(g, case.along[k]) for g, k in zip(gradients, places, strict=True)],
            second,
            case.across,
        )


def _adjoint(case: Case, what: str, left: list[tuple[Any, np.ndarray]], right: list[tuple[Any, np.ndarray]]) -> None:
    """Two sums of products of nodes with numbers are one number."""
    sides = [[(n, a.astype("f8")) for n, a in side if n is not None] for side in (left, right)]
    nodes = [n for side in sides for n, _ in side]
    runs = [evaluate(nodes, case.env), shaken(nodes, case.env, case.moving, case.rng)]
    sums, sizes = [], []
    for run in runs:
        values = iter(run)
        parts = [[next(values) * a for _, a in side] for side in sides]
        sums.append([float(sum(np.sum(p) for p in part)) for part in parts])
        sizes.append(sum(float(np.sum(np.abs(p))) for part in parts for p in part))
    (a, b), others = sums[0], sums[1:]
    if not np.isfinite(sizes[0]):
        case.counts[f"not finite: {what}"] += 1
        return
    seen = max((abs(x - y) for other in others for x, y in zip(other, (a, b), strict=True)), default=0.0)
    if not abs(a - b) <= 5000 * case.eps * (1 + sizes[0]) + MARGIN * seen:
        raise DisagreementError(f"{what}: forward mode gives {a!r}, reverse mode {b!r}")


def _difference(
    case: Case,
    what: str,
    weighted: list[tuple[Node, np.ndarray]],
    derivative: Sequence[Node | None],
    along: Sequence[np.ndarray],
) -> None:
    nodes = [n for n, _ in weighted]
    held = [n for n in topological(nodes) if _is_step(n)]
    fixed = dict(zip(held, evaluate(held, case.env), strict=True))
    present = [(g, d) for g, d in zip(derivative, along, strict=True) if g is not None]
    parts = [v * d for v, (_, d) in zip(evaluate([g for g, _ in present], case.env), present, strict=True)]
    ours = float(sum(np.sum(p) for p in parts))
    size = sum(float(np.sum(np.abs(p))) for p in parts)

    known: dict[float, float] = {}

    def at(t: float) -> float:
        if t not in known:
            env = fixed | case.env
            for x, d in zip(case.moving, along, strict=True):
                env[x] = case.env[x] + t * d
            known[t] = float(sum(np.sum(w * y) for (_, w), y in zip(weighted, evaluate(nodes, env), strict=True)))
        return known[t]

    def slope(h: float) -> float:
        return sum(w * (at(k * h) - at(-k * h)) for k, w in enumerate(WEIGHTS, 1)) / h

    if not np.isfinite(size):
        case.counts[f"not finite: difference of {what}"] += 1
        return
    noise = 1e-13 * sum(
        float(np.sum(np.abs(w * y))) for (_, w), y in zip(weighted, evaluate(nodes, case.env), strict=True)
    )
    for h in STEPS:
        coarse, fine = slope(h), slope(h / 2)
        allowed = case.tolerance * max(size, abs(fine)) + noise / h
        if abs(coarse - fine) <= 0.1 * allowed:
            if abs(fine - ours) > allowed:
                raise DisagreementError(f"{what}: reverse mode gives {ours!r}, differences {coarse!r} and {fine!r}")
            case.counts["differences"] += 1
            return
    case.counts[f"undecided difference of {what}"] += 1


def _is_step(node: Node) -> bool:
    """Whether a node is a step function, or is declared to count as one."""
    if not node.inputs or not isinstance(node.dtype, np.dtype):
        return False
    return node.dtype.kind != "f" or not getattr(node.op, "differentiable", True)


# --------------------------------------------------------------------------------------------------------- other roads


def reference(case: Case) -> None:
    """Each row that is NumPy's own function gives what NumPy gives."""
    for step in case.recipe.steps:
        if step.row.reference is not None:
            continue
        expected = step.row.expected(*step.inputs)
        for ours, theirs in zip(step.results, expected, strict=True):
            if (ours.shape, ours.dtype) != (theirs.shape, theirs.dtype):
                raise DisagreementError(
                    f"{step.row.name}: {ours.dtype}{ours.shape}, NumPy {theirs.dtype}{theirs.shape}"
                )
            finite = np.abs(theirs[np.isfinite(theirs)]) if theirs.dtype.kind == "f" else np.zeros(0)
            scale = max(1.0, float(finite.max(initial=0)))
            tolerance = 1e-12 if theirs.dtype != np.float32 else 2e-5
            if not np.allclose(ours, theirs, rtol=tolerance, atol=tolerance * scale, equal_nan=True):
                raise DisagreementError(f"{step.row.name} gives\n{ours}\nwhere NumPy gives\n{theirs}")


def round_trip(case: Case) -> None:
    """The graph as bytes, read again, has the same values."""
    numbers = case.numbers
    nodes = list(numbers.values)
    again, inputs = load(dump(nodes, list(case.env)), op_named)
    agree(case, "read from bytes", numbers, nodes, evaluate(again, dict(zip(inputs, case.env.values(), strict=True))))


def batch(case: Case) -> None:
    """The batched graph has the values of a loop."""
    chosen = [x for x in case.moving if case.rng.random() < 0.7] or case.moving[:1]
    if not chosen or not all(s.row.batch for s in case.recipe.steps):
        return
    nodes = [*case.outputs, *case.present(case.gradients)]
    moved = [
        {x: (case.env[x] + 0.004 * case.rng.uniform(-1, 1, x.shape)).astype(x.dtype) for x in chosen} for _ in range(3)
    ]
    stacks = [symbol(None, (3, *x.shape), x.dtype) for x in chosen]
    together = batch_graph(nodes, chosen, stacks)
    given = {s: np.stack([m[x] for m in moved]) for s, x in zip(stacks, chosen, strict=True)}
    values = evaluate(together, case.env | given)
    for node, value in zip(nodes, values, strict=True):
        if value.shape != (3, *node.shape):
            raise DisagreementError(f"batched: {node!r} has shape {value.shape}")
    for k, m in enumerate(moved):
        alone = [np.asarray(v) for v in evaluate(nodes, case.env | m)]
        there = Numbers(dict(zip(nodes, alone, strict=True)), case.numbers.bounds)
        agree(case, "batched", there, nodes, [np.asarray(v[k]) for v in values])


def stable(case: Case) -> None:
    """With stable forms in the place of what was written: the same values and gradients, where both are finite."""
    rewritten = stable_graph(case.outputs, case.moving)
    if rewritten == case.outputs:
        return
    case.counts["stable forms"] += 1
    again = pullback(rewritten, [None if w is None else NODES.const(w) for w in case.weights], case.moving, DERIVATIVES)
    _same_nones(case, "with stable forms", again)
    nodes = [*case.outputs, *case.present(case.gradients)]
    others = evaluate([*rewritten, *case.present(again)], case.env)
    _where_finite(case, "with stable forms", case.numbers, nodes, others)


class _Called(Tensors):
    """Tensors as a user makes them: functions that only rules call get lifted values, the others get variables."""

    @staticmethod
    def build(op: Any, inputs: tuple[Any, ...], params: tuple[Any, ...] = ()) -> Any:
        return TENSORS.build(op, tuple(TENSORS.lift(x) for x in inputs), params)

    def __getattr__(self, name: str) -> Any:
        entry = functions().get(name)
        return getattr(TENSORS, name) if entry is not None and entry.implements else super().__getattr__(name)


def tape(case: Case) -> None:
    """A tape that records the recipe gives the same gradient, and None for the same leaves."""
    leaves = [
        st.Variable(leaf.array, dtype=leaf.array.dtype)
        if leaf.moving
        else TENSORS.const(leaf.array)
        if leaf.constant
        else st.constant(leaf.array, dtype=leaf.array.dtype)
        for leaf in case.recipe.leaves
    ]
    with st.GradientTape() as recording:
        values = case.recipe.play(_Called(), leaves)
        targets = [(values[k], w) for k, w in zip(case.recipe.outputs, case.weights, strict=True) if w is not None]
    variables = [x for x, leaf in zip(leaves, case.recipe.leaves, strict=True) if leaf.moving]
    if not targets or not variables:
        return
    found = recording.gradient([t for t, _ in targets], variables, output_gradients=[w for _, w in targets])
    _same_nones(case, "on a tape", found)
    numbers = case.numbers
    agree(case, "recorded", numbers, case.outputs, [values[k].numpy() for k in case.recipe.outputs])
    _where_finite(case, "on a tape", numbers, case.present(case.gradients), [g.numpy() for g in found if g is not None])


def _same_nones(case: Case, what: str, found: Sequence[Any]) -> None:
    ours, theirs = [g is None for g in case.gradients], [g is None for g in found]
    if ours != theirs:
        raise DisagreementError(f"{what}: gradients are None {theirs}, of the graph {ours}")


def _where_finite(case: Case, what: str, numbers: Numbers, nodes: Sequence[Node], others: Sequence[Any]) -> None:
    both = [
        (n, o)
        for n, o in zip(nodes, others, strict=True)
        if np.all(np.isfinite(o)) and np.all(np.isfinite(numbers.values[n]))
    ]
    agree(case, what, numbers, [n for n, _ in both], [o for _, o in both])


def compiled(cases: Sequence[Case], unroll: int = Options().unroll) -> None:
    """Machine code has the values of `evaluate`: several cases in one program, so that compiling costs less.

    With ``unroll=0`` arrays of any size are gone through by loops.
    """
    nodes = [(case, numbers, n) for case in cases for numbers in [case.numbers] for n in numbers.values]
    leaves = {x: strided(a) for case in cases for x, a in case.env.items()}
    program = Program(list(leaves), [n for *_, n in nodes], options=Options(cache=False, unroll=unroll))
    for (case, numbers, node), value in zip(nodes, program(*leaves.values()), strict=True):
        agree(case, "compiled", numbers, [node], [value])


def strided(array: np.ndarray) -> np.ndarray:
    """The same numbers with a step between them, backwards in memory."""
    return np.repeat(array[..., ::-1], 2, axis=-1)[..., ::-2] if array.ndim else array


#: The checks that a graph can be put to besides `forward_and_reverse`.
CHECKS: tuple[Callable[[Case], None], ...] = (second_order, batch, tape, stable, round_trip)


def examine(recipe: Recipe, checks: Sequence[Callable[[Case], None]] = CHECKS) -> Case:
    """Everything but the compiler on one recipe, or some of it.

    Raises
    ------
    DisagreementError
    """
    case = Case.of(recipe)
    reference(case)
    forward_and_reverse(case)
    for check in checks:
        check(case)
    return case
