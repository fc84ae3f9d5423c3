"""What is compared on a graph: derivatives with each other and with differences, and other roads to the same numbers.

Differences are taken of the graph whose step functions (comparisons, rounding, orders, whatever no gradient flows
through) stay at the values that they had: that is the function whose derivative is meant. Two step lengths have to
agree before a difference is believed; where none do, that is counted.
"""

from collections.abc import Callable, Sequence
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
from symtape.graph.node import Node, symbol
from symtape.graph.serialize import dump, load
from symtape.graph.traverse import topological
from symtape.ops.namespace import DERIVATIVES, NODES
from symtape.ops.registry import functions, op_named
from symtape.tape.tensor import TENSORS, Tensors
from symtape.testing import difference
from tests.random_graphs.cases import MARGIN, Case, DisagreementError, Numbers, agree, shaken
from tests.random_graphs.recipes import Recipe

STEPS = (2e-3, 2.5e-4, 3e-5)  #: of differences, each tried with its half

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
    seen = float(np.max([abs(x - y) for other in others for x, y in zip(other, (a, b), strict=True)]))
    if not np.isfinite(seen):
        case.counts["on an edge"] += 1
        return
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
    asked = [g for g, _ in present]
    runs = [evaluate(asked, case.env), shaken(asked, case.env, case.moving, case.rng)]
    parts, others = ([v * d for v, (_, d) in zip(run, present, strict=True)] for run in runs)
    ours = float(sum(np.sum(p) for p in parts))
    size = sum(float(np.sum(np.abs(p))) for p in parts)
    rounding = MARGIN * abs(ours - float(sum(np.sum(p) for p in others)))

    def total(*moved: np.ndarray) -> float:
        values = evaluate(nodes, fixed | case.env | dict(zip(case.moving, moved, strict=True)))
        return float(sum(np.sum(w * y) for (_, w), y in zip(weighted, values, strict=True)))

    point = [case.env[x] for x in case.moving]
    if not np.isfinite(size):
        case.counts[f"not finite: difference of {what}"] += 1
        return
    noise = 1e-13 * sum(
        float(np.sum(np.abs(w * y))) for (_, w), y in zip(weighted, evaluate(nodes, case.env), strict=True)
    )
    for h in STEPS:
        coarse, fine = (difference(total, point, along, step=step) for step in (h, h / 2))
        allowed = case.tolerance * max(size, abs(fine)) + noise / h + rounding
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
    try:
        values = evaluate(together, case.env | given)
    except np.linalg.LinAlgError as error:
        if not any(_refused(nodes, case.env | m) for m in moved):
            raise DisagreementError(f"batched: {error}, and of no item alone") from error
        case.counts["refused alone and batched"] += 1
        return
    for node, value in zip(nodes, values, strict=True):
        if value.shape != (3, *node.shape):
            raise DisagreementError(f"batched: {node!r} has shape {value.shape}")
    for k, m in enumerate(moved):
        alone = [np.asarray(v) for v in evaluate(nodes, case.env | m)]
        there = Numbers(dict(zip(nodes, alone, strict=True)), case.numbers.bounds)
        agree(case, "batched", there, nodes, [np.asarray(v[k]) for v in values])


def _refused(nodes: Sequence[Any], env: dict[Any, Any]) -> bool:
    """Whether a matrix on the way is one that LAPACK gives up on."""
    try:
        evaluate(nodes, env)
    except np.linalg.LinAlgError:
        return True
    return False


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
