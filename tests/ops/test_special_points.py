"""Every op at its special points: zeros, ties, empty arrays, axes of length 1, strides of either sign, NaN, infinities,
denormals, single precision, broadcasting, batches, and one input in several places.

Driven by the registry and its rows, evaluated and compiled. The values are NumPy's or SciPy's, what they refuse is
refused; gradients have the shape and dtype of their inputs, and compiled code gives the numbers that evaluation gives,
NaN and infinities in the same places. What derivatives are at corners, ties and the ends of a domain stands in
docs/semantics.md: partial derivatives of elementwise ops are held against their own limits from either side, and what
was agreed on for the others is listed here.
"""

import warnings

import numpy as np
import pytest

from symtape.autodiff.batching import batch_graph
from symtape.autodiff.forward import tangents
from symtape.compile.options import Options
from symtape.compile.program import Program
from symtape.graph.node import symbol
from symtape.graph.traverse import topological
from symtape.ops import registry
from symtape.ops.namespace import NODES
from symtape.ops.op import Kind
from tests.ops.edge_cases import (
    ENDLESS,
    KNOWN,
    LEAST,
    SPARED,
    UNLIKE,
    Case,
    broadcasts,
    floating,
    lengths,
    near,
    numbers,
    unlike,
    untouchable,
    views,
)
from tests.ops.rows import results
from tests.ops.test_op_table import ELSEWHERE, ROWS, close, kind, pulled_back, recorded, run

every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)

#: Loops as they are written: what LLVM makes of them, and straight-line code, is what the op table compiles.
OPTIONS = Options(cache=False, unroll=0, optimize=0, level=0)

REFUSALS = (ValueError, TypeError, IndexError, ArithmeticError, np.linalg.LinAlgError)

# ------------------------------------------------------------------------------------------ values, gradients, compiled


def attempt(do):
    """The result, or the exception that came instead."""
    try:
        return do(), None
    except REFUSALS as error:
        return None, error


def expected(row, arrays):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's own: of means of nothing, of vectors of length 2
        return row.expected(*arrays)


def alike(actual, wanted, tolerance, message):
    """Shape, dtype, places of NaN and infinities, and numbers to a tolerance."""
    wanted = np.asarray(wanted)
    assert actual.shape == wanted.shape, message
    assert actual.dtype == wanted.dtype, message
    try:
        close(actual, wanted, tolerance)
    except AssertionError as error:
        error.add_note(message)
        raise


def weights(nodes):
    rng = np.random.default_rng(3)
    return [rng.uniform(0.5, 1.5, n.shape).astype(n.dtype) for n in nodes]


class Graph:
    """The results of a row for inputs of certain shapes, and the gradients of their weighted sum."""

    def __init__(self, row, case):
        self.row, self.case = row, case
        self.leaves, self.outputs = recorded(row, case.arrays)
        real = [o for o in self.outputs if o.dtype.kind == "f"]
        found = pulled_back(real, self.leaves, weights(real)) if real else [None] * len(self.leaves)
        for g, leaf in zip(found, self.leaves, strict=True):
            assert g is None or (g.shape == leaf.shape and g.dtype == leaf.dtype), f"{row.name}: {case.label}"
        self.gradients = [g for g in found if g is not None]
        self.nodes = [*self.outputs, *self.gradients]

    def tolerance(self):
        return 2e-5 if any(o.dtype == np.float32 for o in self.nodes) else 1e-11


def shaped(row):
    """The row's own inputs, and those of other shapes and dtypes."""
    base = row.draw(11)
    yield Case("", "", base)
    yield from lengths(base)
    if kind(row) is Kind.ELEMENTWISE:
        yield from broadcasts(base)
    if "float32" in row.dtypes and floating(base):
        yield Case("float32", "", row.draw(11, "float32"))


def check_refusal(row, case, do, error):
    """What NumPy refuses is refused with the same kind of exception."""
    mine, ours = attempt(do)
    assert ours is not None, f"{row.name}, {case.point} {case.label}: {error!r} is not raised: {mine}"
    if case.point not in unlike(row):
        assert isinstance(ours, type(error)), f"{row.name}, {case.point} {case.label}: {ours!r}, not {error!r}"


def check_values(graph, case):
    """Evaluated values against the reference; the numbers of all nodes, or None if some are refused."""
    row = graph.row
    wanted, error = attempt(lambda: expected(row, case.arrays))
    message = f"{row.name}, {case.point} {case.label}"
    if error is not None:
        check_refusal(row, case, lambda: run(graph.outputs, graph.leaves, case.arrays), error)
        return None
    found, error = attempt(lambda: run(graph.nodes, graph.leaves, case.arrays))
    if isinstance(error, np.linalg.LinAlgError):  # of a singular matrix: the derivative alone
        found = run(graph.outputs, graph.leaves, case.arrays)
    elif error is not None:
        raise error
    assert len(wanted) == len(graph.outputs)
    for ours, theirs in zip(found, wanted, strict=False):
        alike(ours, theirs, graph.tolerance() / 10, message)
    for ours, node in zip(found, graph.nodes, strict=error is None):
        assert ours.shape == node.shape, message
        assert ours.dtype == node.dtype, message
    return found if error is None else None


@pytest.mark.filterwarnings("ignore::symtape.errors.DegenerateMatrixWarning")
@every_row
def test_values_and_compiled_code(row):
    graphs, values = [], []
    for case in shaped(row):
        if case.point in unlike(row):
            continue
        _, error = attempt(lambda case=case: expected(row, case.arrays))
        if error is not None:
            check_refusal(row, case, lambda case=case: run(*reversed(recorded(row, case.arrays)), case.arrays), error)
            continue
        graph = Graph(row, case)
        graphs.append(graph)
        values.append(check_values(graph, case))
    program = Program(
        [leaf for g in graphs for leaf in g.leaves],
        [n for g in graphs for n in g.nodes],
        options=OPTIONS,
    )
    found = iter(program(*[a for g in graphs for a in g.case.arrays]))
    for graph, wanted in zip(graphs, values, strict=True):
        for node in wanted:
            alike(next(found), node, graph.tolerance(), f"compiled {row.name}, {graph.case.point} {graph.case.label}")

    base = graphs[0]
    others = [a for g in graphs[1:] for a in g.case.arrays]
    for case in [*numbers(base.case.arrays), *views(base.case.arrays)]:
        if case.point in unlike(row):
            if case.point in untouchable(row):
                continue
            wanted, error = attempt(lambda case=case: run(base.nodes, base.leaves, case.arrays))
            if error is not None:
                continue
        else:
            wanted = check_values(base, case)
        if wanted is None:
            check_refusal(row, case, lambda case=case: program(*case.arrays, *others), ValueError())
            continue
        for ours, node in zip(program(*case.arrays, *others), wanted, strict=False):
            alike(ours, node, base.tolerance(), f"compiled {row.name}, {case.point} {case.label}")


# ------------------------------------------------------------------------------------- partial derivatives at the edges


def limit(values):
    """Where three numbers in a row lead: a number, an infinity, or None."""
    first, second, third = map(float, values)
    if np.isnan(values).any():
        return None
    if third == second or abs(third - second) <= 1e-5 * max(abs(second), abs(third)):
        return third
    if abs(third) <= 0.5 * abs(second) and abs(second) <= 0.5 * abs(first):
        return 0.0
    steps = second - first, third - second
    grows = steps[0] * steps[1] > 0 and abs(steps[1]) >= 0.5 * abs(steps[0]) and abs(third) > abs(second)
    if grows:
        return np.copysign(np.inf, third)
    return 0.0 if max(abs(first), abs(second), abs(third)) < 1e-12 else None


def same_number(a, b):
    return a == b or (np.isnan(a) and np.isnan(b)) or abs(a - b) <= 1e-4 * max(abs(a), abs(b), 1e-3)


def leads_to(slope, wanted):
    """Whether a slope at a denormal number fits the limit at zero: where that is infinite, a large one."""
    return same_number(slope, wanted) or (np.isinf(wanted) and slope * wanted > 50)


def oddities(edges, labels, value, slope):
    """What is odd of one partial derivative along one argument, as (where, what it is, what was wanted)."""
    at = {label: n for n, label in enumerate(labels)}
    constant = np.unique(slope).size == 1

    def towards(edge, side):
        places = [at[str(edge), (side, k)] for k in range(3) if (str(edge), (side, k)) in at]
        inside = places and np.isfinite(value[places]).all()
        return [limit(slope[places])] if inside else []

    for edge in [*edges, np.nan]:
        here = float(slope[at[str(edge), 0]])
        if np.isnan(value[at[str(edge), 0]]):
            if np.isfinite(here) and not constant:
                yield "where the value is NaN", edge, here, np.nan
            continue
        sides = [] if np.isnan(edge) else [*towards(edge, -1), *towards(edge, 1)]
        if None in sides:
            if not np.isnan(here):
                yield "without a limit", edge, here, np.nan
        elif sides:
            agree = all(same_number(w, sides[0]) for w in sides)
            between = min(sides) <= here <= max(sides)
            if not (same_number(here, sides[0]) if agree else between or np.isnan(here)):
                yield "NaN" if np.isnan(here) else "beside the limit", edge, here, sides
        if edge == 0 and not same_number(abs(here), abs(slope[at["-0.0", 0]])):
            yield "at -0.0", edge, slope[at["-0.0", 0]], here
        for side in (-1, 1):
            least = float(slope[at[str(side * LEAST), 0]])
            for wanted in towards(edge, side) if edge == 0 else []:
                if wanted is not None and not leads_to(least, wanted):
                    yield "at denormals", side * LEAST, least, wanted


def real_functions(row):
    """Whether the row is of elementwise ops alone, with derivatives and floats to differentiate in."""
    if kind(row) is not Kind.ELEMENTWISE or not registry.op_named(row.op).differentiable:
        return False
    arrays = row.draw(12)
    nodes = topological(recorded(row, arrays)[1])
    return bool(floating(arrays)) and all(not n.inputs or n.op.kind is Kind.ELEMENTWISE for n in nodes)


FUNCTIONS = [row for row in ROWS if real_functions(row)]


def odd_partials(row):
    """What is odd of the partial derivatives of a row: NaN in an infinite argument is not, whatever the limit."""
    if row.op in ENDLESS:
        return
    draws = [np.ravel(a)[0] for a in np.broadcast_arrays(*row.draw(12))]
    for i in floating(draws):
        ties = [float(d) for k, d in enumerate(draws) if k != i and d.dtype.kind == "f" and np.isfinite(d)]
        edges, labels, points = near(ties)
        arrays = [points if k == i else np.full(points.shape, d) for k, d in enumerate(draws)]
        leaves, (output, *_) = recorded(row, arrays)
        if output.shape != points.shape:  # a function of whole vectors, in which the op is one step
            return
        found = pulled_back([output], leaves, [np.ones(output.shape)])
        present = [k for k, g in enumerate(found) if g is not None]
        value, *slopes = run([output, *[found[k] for k in present]], leaves, arrays)
        for k, slope in zip(present, slopes, strict=True):
            for what, edge, here, wanted in oddities(edges, labels, value, np.broadcast_to(slope, points.shape)):
                if not (what == "NaN" and np.isinf(edge)):
                    yield what, f"partial {k} at {edge} of argument {i}: {here}, {what}, wanted {wanted}"


@pytest.mark.parametrize("row", FUNCTIONS, ids=lambda row: row.name)
def test_partial_derivatives_at_the_edges(row):
    for what, message in odd_partials(row):
        assert row.op in KNOWN[what], message


def test_no_excuse_is_stale():
    seen = {what: {row.op for row in FUNCTIONS if what in dict(odd_partials(row))} for what in KNOWN}
    assert seen == KNOWN, "an op is listed in edge_cases.KNOWN without need: take it out"


# ---------------------------------------------------------------------------------- corners, ties, NaN and empty arrays

nan, inf = np.nan, np.inf

#: (name, function of a namespace and arrays, arrays, gradients of the sum of the result)
CORNERS = [
    ("max of ties", lambda B, x: B.max(x), [[1, 3, 3]], [[0, 0.5, 0.5]]),
    ("max beside NaN", lambda B, x: B.max(x), [[1, nan, 2]], [[nan, nan, nan]]),
    ("min along an axis", lambda B, x: B.min(x, axis=1), [[[1, nan], [2, 2]]], [[[nan, nan], [0.5, 0.5]]]),
    ("max of infinities", lambda B, x: B.max(x), [[inf, inf, 0]], [[0.5, 0.5, 0]]),
    ("max with an initial value", lambda B, x: B.max(x, initial=1.0), [[1, 1]], [[0.25, 0.25]]),
    ("peak to peak of ties", lambda B, x: B.ptp(x), [[1, 1]], [[0, 0]]),
    ("maximum beside NaN", lambda B, x: B.maximum(x, 1.0), [[nan, 2, 1]], [[nan, 1, 0.5]]),
    ("clip beside NaN", lambda B, x: B.clip(x, 0, 1), [[nan, 2, 1, 0.5, 0]], [[nan, 0, 1, 1, 1]]),
    ("norm at zero", lambda B, x: B.norm(x), [[0, 0]], [[0, 0]]),
    ("norm beside NaN", lambda B, x: B.norm(x), [[0, nan]], [[nan, nan]]),
    ("3-norm at zero", lambda B, x: B.norm(x, 3), [[0, 0]], [[0, 0]]),
    ("1-norm", lambda B, x: B.norm(x, 1), [[0, 2]], [[0, 1]]),
    ("largest of ties in size", lambda B, x: B.norm(x, inf), [[2, -2, 1]], [[0.5, -0.5, 0]]),
    ("Frobenius norm at zero", lambda B, x: B.norm(x, "fro"), [[[0, 0], [0, 0]]], [[[0, 0], [0, 0]]]),
    ("hypot at zero", lambda B, x, y: B.hypot(x, y), [[0, 0], [0, 2]], [[0, 0], [0, 1]]),
    ("std of equal values", lambda B, x: B.std(x), [[3, 3, 3]], [[0, 0, 0]]),
    ("std of one value with ddof", lambda B, x: B.std(x, ddof=1), [[3]], [[nan]]),
    ("var of equal values", lambda B, x: B.var(x), [[3, 3, 3]], [[0, 0, 0]]),
    ("product with a zero", lambda B, x: B.prod(x), [[2, 0, 3]], [[0, 6, 0]]),
    ("product with two zeros", lambda B, x: B.prod(x), [[0, 0, 3]], [[0, 0, 0]]),
    ("product of zero and infinity", lambda B, x: B.prod(x), [[0, inf, 3]], [[inf, 0, nan]]),
    ("running product with a zero", lambda B, x: B.cumprod(x), [[2, 0, 3]], [[1, 8, 0]]),
    ("running maximum of ties", lambda B, x: B.maximum_accumulate(x), [[1, 1, 0]], [[3, 0, 0]]),
    ("running maximum beside NaN", lambda B, x: B.maximum_accumulate(x), [[1, nan, 0]], [[1, 2, 0]]),
    ("sort of ties", lambda B, x: B.multiply(B.sort(x), B.positions_of(3)), [[2, 1, 1]], [[2, 0, 1]]),
    ("sort with NaN", lambda B, x: B.multiply(B.sort(x), B.positions_of(3)), [[nan, 2, 1]], [[2, 1, 0]]),
    ("median of ties", lambda B, x: B.median(x), [[1, 1, 3, 5]], [[0, 0.5, 0.5, 0]]),
    ("median beside NaN", lambda B, x: B.median(x), [[1, nan, 3]], [[0, 0, nan]]),
    ("quantile of ties", lambda B, x: B.quantile(x, 0.5), [[1, 1, 1]], [[0, 1, 0]]),
    ("nanmedian of nothing", lambda B, x: B.nanmedian(x), [[nan, nan]], [[0, 0]]),
    ("nanmax of nothing", lambda B, x: B.nanmax(x), [[nan, nan]], [[0, 0]]),
    ("nanmax of ties", lambda B, x: B.nanmax(x), [[nan, 1, 1]], [[0, 0.5, 0.5]]),
    ("nanmean of nothing", lambda B, x: B.nanmean(x), [[nan, nan]], [[0, 0]]),
    ("nanmean", lambda B, x: B.nanmean(x), [[nan, 2, 3]], [[0, 0.5, 0.5]]),
    ("nansum of nothing", lambda B, x: B.nansum(x), [[nan, nan]], [[0, 0]]),
    ("nanprod with a zero", lambda B, x: B.nanprod(x), [[nan, 0, 2]], [[0, 2, 0]]),
    ("nanstd of nothing", lambda B, x: B.nanstd(x), [[nan, nan]], [[0, 0]]),
    ("nanstd of equal values", lambda B, x: B.nanstd(x), [[nan, 2, 2]], [[0, 0, 0]]),
    ("logsumexp of nothing but -inf", lambda B, x: B.logsumexp(x), [[-inf, -inf]], [[nan, nan]]),
    ("division masked", lambda B, x: B.where(B.not_equal(x, 0), B.divide(1, x), 0), [[0, 2]], [[0, -0.25]]),
    ("root masked", lambda B, x: B.where(B.greater(x, 0), B.sqrt(x), 0), [[0, 4]], [[0, 0.25]]),
    ("logarithm masked", lambda B, x: B.where(B.greater(x, 0), B.log(x), x), [[0, -1, 2]], [[1, 1, 0.5]]),
    ("zero times infinity", lambda B, x: B.multiply(0.0, B.sqrt(x)), [[0, 4]], [[nan, 0]]),
    ("interpolation at nodes", lambda B, x: B.interp(x, [0, 1, 2], [0, 1, 5]), [[0, 1, 2, 3]], [[1, 4, 0, 0]]),
    ("quantile fractions outside", lambda B, q: B.quantile([0.0, 2], q), [[-1, 0.5, 2, nan]], [[0, 2, 0, 0]]),
    ("root of -0.0", lambda B, x: B.sqrt(x), [[0.0, -0.0]], [[inf, -inf]]),
    ("det of zeros", lambda B, x: B.det(x), [np.zeros((3, 3))], [np.zeros((3, 3))]),
    ("det of no rows", lambda B, x: B.det(x), [np.zeros((0, 0))], [np.zeros((0, 0))]),
    ("slogdet of no rows", lambda B, x: B.slogdet(x)[1], [np.zeros((2, 0, 0))], [np.zeros((2, 0, 0))]),
    ("inverse of one number", lambda B, x: B.inv(x), [[[2]]], [[[-0.25]]]),
    ("inverse of no rows", lambda B, x: B.inv(x), [np.zeros((2, 0, 0))], [np.zeros((2, 0, 0))]),
    ("inverse of no matrices", lambda B, x: B.inv(x), [np.zeros((0, 2, 2))], [np.zeros((0, 2, 2))]),
    ("Cholesky of one number", lambda B, x: B.cholesky(x), [[[4]]], [[[0.25]]]),
    ("Cholesky of no rows", lambda B, x: B.cholesky(x), [np.zeros((0, 0))], [np.zeros((0, 0))]),
    (
        "solution of no equations",
        lambda B, a, b: B.solve(a, b),
        [np.zeros((0, 0)), np.zeros((0, 2))],
        [np.zeros((0, 0)), np.zeros((0, 2))],
    ),
    (
        "product over nothing",
        lambda B, a, b: B.matmul(a, b),
        [np.zeros((2, 0)), np.zeros((0, 3))],
        [np.zeros((2, 0)), np.zeros((0, 3))],
    ),
    ("mean of nothing", lambda B, x: B.mean(x), [np.zeros(0)], [np.zeros(0)]),
    ("sum of no rows", lambda B, x: B.sum(x, axis=0), [np.zeros((0, 2))], [np.zeros((0, 2))]),
    ("median of nothing", lambda B, x: B.median(x, axis=1), [np.zeros((2, 0))], [np.zeros((2, 0))]),
    ("quantiles of nothing", lambda B, x: B.quantile(x, [0.1, 0.2], axis=0), [np.zeros((0, 2))], [np.zeros((0, 2))]),
    ("logsumexp of nothing", lambda B, x: B.logsumexp(x, axis=1), [np.zeros((2, 0))], [np.zeros((2, 0))]),
]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_what_was_agreed_on_at_corners(dtype):
    """Reverse mode as listed; compiled code, and forward mode where all is finite, say the same."""
    graphs = []
    for name, call, point, wanted in CORNERS:
        arrays = [np.asarray(a, dtype) for a in point]
        leaves = [symbol(None, a.shape, a.dtype) for a in arrays]
        outputs = results(call(Corner(), *leaves))
        pulled = pulled_back(outputs, leaves, [np.ones(o.shape, o.dtype) for o in outputs])
        found = run(pulled, leaves, arrays)
        for ours, theirs in zip(found, wanted, strict=True):
            alike(ours, np.asarray(theirs, dtype), 1e-6, name)
        if all(np.isfinite(w).all() for w in wanted) and "nothing" not in name:
            moved = tangents(outputs, leaves, [NODES.const(np.ones(a.shape, a.dtype)) for a in arrays])
            pushed = sum(float(np.sum(t)) for t in run([t for t in moved if t is not None], leaves, arrays))
            assert pushed == pytest.approx(sum(float(np.sum(w)) for w in wanted), rel=1e-6), name
        graphs.append((name, arrays, leaves, pulled, found))
    program = Program([n for g in graphs for n in g[2]], [n for g in graphs for n in g[3]], options=OPTIONS)
    compiled = iter(program(*[a for g in graphs for a in g[1]]))
    for name, _, _, _, found in graphs:
        for one in found:
            alike(next(compiled), one, 1e-6, f"compiled: {name}")


class Corner:
    """The namespace of nodes, and the numbers 0, 1, 2, ... to tell elements apart with."""

    def __getattr__(self, name):
        return getattr(NODES, name)

    def positions_of(self, n):
        return np.arange(n, dtype=np.float32)


def test_places_outside_and_nothing_but_nan_are_refused_as_by_numpy():
    x = symbol("x", (2, 2))
    places = symbol("i", (2,), np.dtype(np.intp))
    cases = [
        (NODES.nanargmax(x, axis=1), x, np.array([[1.0, nan], [nan, nan]]), "All-NaN slice encountered"),
        (NODES.nanargmin(x, axis=0), x, np.array([[nan, 1.0], [nan, nan]]), "All-NaN slice encountered"),
        (NODES.unravel_index(places, (2, 3))[0], places, np.array([5, 6]), "index 6 is out of bounds for array with"),
        (NODES.unravel_index(places, (2, 3))[1], places, np.array([-1, 0]), "index -1 is out of bounds for array with"),
        (NODES.ravel_multi_index((places, places), (3, 2)), places, np.array([1, 2]), "index 2 is out of bounds"),
    ]
    for node, leaf, array, message in cases:
        with pytest.raises(ValueError, match=message):
            run([node], [leaf], [array])
        with pytest.raises(ValueError, match=message):
            Program([leaf], [node], options=OPTIONS)(array)
    with pytest.raises(ValueError, match="clipmode must be one of"):
        NODES.ravel_multi_index((places, places), (3, 2), mode="nearest")


# ------------------------------------------------------------------------------------- one input in all places, batches


def repeated(row):
    """Inputs, and groups of floating ones among them that have one shape: one leaf may stand for a group."""
    arrays = row.draw(13)
    if kind(row) is Kind.ELEMENTWISE:
        alike_in_shape = [np.resize(a, (2, 3)) for a in arrays]
        if attempt(lambda: recorded(row, alike_in_shape))[1] is None:
            arrays = alike_in_shape
    groups = {}
    for k in floating(arrays):
        groups.setdefault(arrays[k].shape, []).append(k)
    return arrays, [g for g in groups.values() if len(g) > 1]


def has_repeated(row):
    return row.order > 0 and bool(repeated(row)[1])


REPEATED = [row for row in ROWS if has_repeated(row)]


@pytest.mark.filterwarnings("ignore::symtape.errors.DegenerateMatrixWarning")
@pytest.mark.parametrize("row", REPEATED, ids=lambda row: row.name)
def test_one_input_in_several_places(row):
    """The gradient in it is the sum of the gradients in each place, and so is the tangent."""
    draws, groups = repeated(row)
    for group in groups:
        arrays = [draws[group[0]] if k in group else a for k, a in enumerate(draws)]
        leaves, apart = recorded(row, arrays)
        one = [leaves[group[0]] if k in group else leaf for k, leaf in enumerate(leaves)]
        together = results(row.call(NODES, *one))
        real = [o for o in apart if o.dtype.kind == "f"]
        g = weights(real)
        parts = [p for k, p in enumerate(pulled_back(real, leaves, g)) if k in group and p is not None]
        (whole,) = pulled_back([o for o in together if o.dtype.kind == "f"], [one[group[0]]], g)
        shared = run([whole] if whole is not None else [], leaves, arrays)
        wanted = run(parts, leaves, arrays)
        assert bool(shared) == bool(wanted)
        for number in shared:
            close(number, sum(np.asarray(w) for w in wanted), 1e-10)
        if shared:
            direction = np.linspace(-1, 1, arrays[group[0]].size).reshape(arrays[group[0]].shape)
            moved = tangents([o for o in together if o.dtype.kind == "f"], [one[group[0]]], [NODES.const(direction)])
            pushed = sum(
                float(np.sum(w * t))
                for w, t in zip(
                    [w for w, t in zip(g, moved, strict=True) if t is not None],
                    run([t for t in moved if t is not None], leaves, arrays),
                    strict=True,
                )
            )
            assert pushed == pytest.approx(float(np.sum(shared[0] * direction)), rel=1e-9, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("row", [row for row in ROWS if row.batch], ids=lambda row: row.name)
def test_batches_of_none_and_of_one(row):
    """Over a stack without a member come stacks without a member, with gradients of that shape; over one, the row."""
    arrays = row.draw(14)
    leaves, outputs = recorded(row, arrays)
    alone = run(outputs, leaves, arrays)
    for length in (0, 1):
        over = [symbol(f"b{k}", (length, *a.shape), a.dtype) for k, a in enumerate(arrays)]
        stacks = [np.repeat(a[None], length, axis=0) for a in arrays]
        nodes = batch_graph(outputs, leaves, over)
        real = [n for n in nodes if n.dtype.kind == "f"]
        found = pulled_back(real, over, weights(real)) if real else []
        slopes = [(g, leaf) for g, leaf in zip(found, over, strict=bool(real)) if g is not None]
        values = run([*nodes, *[g for g, _ in slopes]], over, stacks)
        for value, node, one in zip(values, nodes, alone, strict=False):
            assert value.shape == node.shape == (length, *np.shape(one))
            if length:
                close(value[0], one, 1e-12)
        for value, (_, leaf) in zip(values[len(nodes) :], slopes, strict=True):
            assert value.shape == leaf.shape
            assert value.dtype == leaf.dtype


# -------------------------------------------------------------------------------------------------- nothing is left out


def tried(row):
    """The points at which a row is tried: values compared, or seen to be refused where the reference refuses."""
    arrays = row.draw(11)
    points = {case.point for case in [*shaped(row), *numbers(arrays), *views(arrays)]} - unlike(row).keys() - {""}
    return points | ({"repeated"} if has_repeated(row) else set()) | ({"batch"} if row.batch else set())


POINTS = {
    *("zeros", "ties", "NaN", "infinities", "denormals", "float32"),
    *("empty", "size 1", "negative strides", "layouts", "broadcasting", "repeated", "batch"),
}


def spared(name, point):
    """Whether a point cannot apply to an op: told by its kind and inputs, or with a reason in the table."""
    op = registry.op_named(name)
    rows = [row for row in ROWS if row.op == name]
    inputs = [row.draw(11) for row in rows]
    floats = max(len(floating(arrays)) for arrays in inputs)
    if point in ("zeros", "ties", "NaN", "infinities", "denormals", "float32") and not floats:
        return True  # it takes whole numbers and truth values
    if point == "float32" and not any("float32" in row.dtypes for row in rows):
        return True  # it takes double precision alone
    if point == "broadcasting" and (op.kind is not Kind.ELEMENTWISE or max(map(len, inputs)) < 2):
        return True  # the shapes of its inputs belong together, or there is one input
    if point == "repeated" and (floats < 2 or not any(row.order for row in rows)):
        return True
    return point in SPARED.get(name, {}) or any(point in unlike(row) for row in rows)


def test_every_op_is_tried_at_every_point():
    reached = {}
    for row in ROWS:
        reached.setdefault(row.op, set()).update(tried(row))
    missing = {
        (name, point) for name, points in reached.items() for point in POINTS - points if not spared(name, point)
    }
    assert not missing
    assert reached.keys() == registry.ops().keys() - ELSEWHERE


def test_what_is_excused_exists():
    names = registry.ops().keys() | {row.name for row in ROWS}
    assert {*UNLIKE, *ENDLESS, *SPARED} <= names
    assert all(reason for points in (*UNLIKE.values(), *SPARED.values()) for reason in points.values())
    assert {point for points in (*UNLIKE.values(), *SPARED.values()) for point in points} <= POINTS
