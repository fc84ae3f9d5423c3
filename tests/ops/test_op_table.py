"""Every check on every row: values, derivatives, batching, element rules, compiled code. An op without a row fails."""

import functools
import importlib
import pathlib
import pkgutil

import mpmath
import numpy as np
import pytest

import symtape.ops
from symtape.autodiff.batching import batch_graph
from symtape.autodiff.forward import tangents
from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.compile.options import Options
from symtape.compile.program import Program
from symtape.graph.node import ITEM, symbol
from symtape.graph.traverse import topological
from symtape.ops import registry
from symtape.ops.namespace import DERIVATIVES, NODES
from symtape.ops.op import Kind
from symtape.testing import difference
from tests.ops.oracle import by_element
from tests.ops.rows import Row, results

for _module in pkgutil.iter_modules(symtape.ops.__path__):
    importlib.import_module(f"symtape.ops.{_module.name}")

ROWS: list[Row] = [
    row
    for path in sorted(pathlib.Path(__file__).parent.glob("rows_*.py"))
    for row in importlib.import_module(f"tests.ops.{path.stem}").ROWS
]

# Ops that the graph itself knows, or that autodiff inserts, tested where they live.
ELSEWHERE = {"item"}

every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def each(condition):
    return pytest.mark.parametrize("row", [r for r in ROWS if condition(r)], ids=lambda row: row.name)


def kind(row):
    return registry.op_named(row.op).kind


def recorded(row, arrays, namespace=NODES):
    leaves = [symbol(f"x{k}", a.shape, a.dtype) for k, a in enumerate(arrays)]
    return leaves, results(row.call(namespace, *leaves))


def run(outputs, leaves, arrays):
    with np.errstate(all="raise"):  # evaluation quietens what NumPy would say
        return evaluate(outputs, dict(zip(leaves, arrays, strict=True)))


def close(actual, expected, tolerance):
    """Within the tolerance times the largest finite element; NaN and infinity in the same places."""
    expected = np.asarray(expected)
    finite = np.abs(expected[np.isfinite(expected)]) if expected.dtype.kind == "f" else np.zeros(0)
    scale = max(1.0, float(finite.max())) if finite.size else 1.0
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * scale)


# --------------------------------------------------------------------------------------------------------- the table


def test_every_op_has_a_row():
    missing = registry.ops().keys() - {row.op for row in ROWS} - ELSEWHERE
    assert not missing, f"ops without a row in tests/ops/rows_*.py: {sorted(missing)}"


def test_every_row_names_an_op_and_calls_it():
    for row in ROWS:
        assert row.op in registry.ops(), f"the row {row.name} names no op"
        _, outputs = recorded(row, row.draw())
        assert any(n.op.name == row.op for n in topological(outputs)), f"the row {row.name} never applies its op"


def test_names_of_rows_differ():
    names = [row.name for row in ROWS]
    assert sorted(names) == sorted(set(names)), "give rows of one op a label"


# ------------------------------------------------------------------------------------------------------------ values


@every_row
def test_value(row):
    for dtype in row.dtypes:
        arrays = row.draw(1, dtype)
        before = [a.copy() for a in arrays]
        leaves, outputs = recorded(row, arrays)
        expected = row.expected(*arrays)
        actual = run(outputs, leaves, arrays)
        assert len(actual) == len(expected)
        for node, ours, theirs in zip(outputs, actual, expected, strict=True):
            assert ours.dtype == theirs.dtype == node.dtype
            assert ours.shape == theirs.shape == node.shape
            close(ours, theirs, 1e-13 if dtype == "float64" else 1e-5)
        for array, copy in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(array, copy)


# ------------------------------------------------------------------------------------------------------- derivatives


def sources(row, arrays):
    return [k for k, a in enumerate(arrays) if a.dtype.kind == "f"] if row.wrt is None else list(row.wrt)


def pulled_back(outputs, wrt, weights):
    """The gradient of ``sum(weights * outputs)``: a node or None per leaf."""
    parts = [gradient(o, wrt, NODES.const(w)) for o, w in zip(outputs, weights, strict=True)]
    total = []
    for column in zip(*parts, strict=True):
        present = [g for g in column if g is not None]
        total.append(functools.reduce(DERIVATIVES.add, present) if present else None)
    return total


def check_level(row, outputs, leaves, arrays, wrt, rng):
    """vjp, jvp and difference agree on ``sum(weights * outputs)`` along a random direction; gives the gradients."""
    outputs = [o for o in outputs if o.dtype.kind == "f"]
    weights = [rng.uniform(0.5, 1.5, o.shape) * rng.choice([-1, 1], o.shape) for o in outputs]
    directions = [rng.uniform(-1, 1, arrays[k].shape) for k in wrt]
    chosen = [leaves[k] for k in wrt]

    def projected(*values):
        filled = list(arrays)
        for k, value in zip(wrt, values, strict=True):
            filled[k] = value
        return float(sum(np.sum(w * y) for w, y in zip(weights, run(outputs, leaves, filled), strict=True)))

    numeric = difference(projected, [arrays[k] for k in wrt], directions)
    grads = pulled_back(outputs, chosen, weights)
    present = [(g, d) for g, d in zip(grads, directions, strict=True) if g is not None]
    for g, k in zip(grads, wrt, strict=True):
        assert g is None or (g.shape == arrays[k].shape and g.dtype == arrays[k].dtype)
    pulled = [
        np.sum(g * d)
        for g, d in zip(run([g for g, _ in present], leaves, arrays), [d for _, d in present], strict=True)
    ]
    moved = tangents(outputs, chosen, [NODES.const(d) for d in directions])
    pushed = [
        np.sum(w * t)
        for w, t in zip(
            [w for w, t in zip(weights, moved, strict=True) if t is not None],
            run([t for t in moved if t is not None], leaves, arrays),
            strict=True,
        )
    ]
    for o, t in zip(outputs, moved, strict=True):
        assert t is None or (t.shape == o.shape and t.dtype == o.dtype)
    scale = max(1.0, abs(numeric), *map(abs, pulled), *map(abs, pushed))
    assert sum(pulled) == pytest.approx(sum(pushed), rel=1e-10, abs=1e-10 * scale), "vjp and jvp disagree"
    assert sum(pulled) == pytest.approx(numeric, rel=row.tolerance, abs=row.tolerance * scale), (
        "vjp and difference disagree"
    )
    return [g for g in grads if g is not None]


@each(lambda row: row.order > 0)
def test_derivatives(row):
    arrays = row.draw(2)
    rng = np.random.default_rng(3)
    wrt = sources(row, arrays)
    leaves, outputs = recorded(row, arrays)
    for _ in range(row.order):
        outputs = check_level(row, outputs, leaves, arrays, wrt, rng)


@every_row
def test_no_gradient_where_none_is_declared(row):
    arrays = row.draw(2)
    leaves, outputs = recorded(row, arrays)
    with_gradient = sources(row, arrays) if row.order or row.wrt is not None else []
    for output in outputs:
        for k, g in enumerate(gradient(output, leaves)):
            assert k in with_gradient or g is None, f"a gradient flows into input {k}"


@each(lambda row: row.order > 0 and "float32" in row.dtypes)
def test_derivatives_keep_single_precision(row):
    arrays = row.draw(4, "float32")
    leaves, outputs = recorded(row, arrays)
    doubles, wide = recorded(row, [a.astype("f8") if a.dtype.kind == "f" else a for a in arrays])
    wrt = sources(row, arrays)
    for output, twin in zip(outputs, wide, strict=True):
        if output.dtype.kind != "f":
            continue
        ours = gradient(output, [leaves[k] for k in wrt])
        theirs = gradient(twin, [doubles[k] for k in wrt])
        assert [g is None for g in ours] == [g is None for g in theirs]
        ours, theirs = [[g for g in gs if g is not None] for gs in (ours, theirs)]
        for g, single, double in zip(
            ours,
            run(ours, leaves, arrays),
            run(theirs, doubles, [a.astype("f8") if a.dtype.kind == "f" else a for a in arrays]),
            strict=True,
        ):
            assert g.dtype == np.float32
            assert single.dtype == np.float32
            close(single, double, 2e-4)


# ------------------------------------------------------------------------------------------------- elementwise, exact


def partials_at(row, point, order=1):
    """Numbers: the gradient, or with order 2 the Hessian, of an elementwise op at a scalar point; None: no gradient."""
    leaves, (output,) = recorded(row, [np.asarray(p) for p in point])
    arrays = [np.asarray(p) for p in point]

    def numbers(nodes):
        return [None if g is None else float(run([g], leaves, arrays)[0]) for g in nodes]

    first = gradient(output, leaves)
    if order == 1:
        return numbers(first)
    return [None if g is None else numbers(gradient(g, leaves)) for g in first]


@each(lambda row: row.special)
def test_derivatives_at_special_points(row):
    for point, expected in row.special:
        actual = partials_at(row, point)
        assert [a is None for a in actual] == [e is None for e in expected], point
        np.testing.assert_allclose(
            [a for a in actual if a is not None], [e for e in expected if e is not None], rtol=1e-14, err_msg=str(point)
        )


def known_to_mpmath(row):
    return row.mp is not False and (row.mp is not None or hasattr(mpmath, row.op))


def test_every_differentiable_elementwise_op_is_compared_with_mpmath():
    compared = {row.op for row in ROWS if row.mp is False or known_to_mpmath(row)}
    for op in registry.ops().values():
        if op is not ITEM and op.kind is Kind.ELEMENTWISE and op.differentiable:
            assert op.name in compared, f"a row of {op.name} needs mp="


@each(lambda row: kind(row) is Kind.ELEMENTWISE and row.order > 0 and known_to_mpmath(row))
def test_derivatives_in_thirty_digits(row):
    arrays = [np.ravel(a) for a in row.draw(5)]
    reference = row.mp if row.mp is not None else lambda mp, *x: getattr(mp, row.op)(*x)
    count = min(3, *[a.size for a in arrays]) if len(arrays) > 1 else min(3, arrays[0].size)
    floats = sources(row, arrays)
    for k in range(count):
        point = [a[k] for a in arrays]
        with mpmath.workdps(60):
            exact = [mpmath.mpf(float(p)) for p in point]

            def at(i, *more):
                orders = [0] * len(point)
                for j in (i, *more):
                    orders[j] += 1
                varying = [j for j, n in enumerate(orders) if n]

                def restricted(*values):
                    filled = list(exact)
                    for j, v in zip(varying, values, strict=True):
                        filled[j] = v
                    return reference(mpmath, *filled)

                where = tuple(exact[j] for j in varying)
                if len(varying) == 1:
                    return float(mpmath.diff(restricted, where[0], orders[varying[0]]))
                return float(mpmath.diff(restricted, where, tuple(orders[j] for j in varying)))

            first = {i: at(i) for i in floats}
            second = {(i, j): at(i, j) for i in floats for j in floats} if row.order > 1 else {}
        ours = partials_at(row, point)
        for i, expected in first.items():
            actual = 0.0 if ours[i] is None else ours[i]
            assert actual == pytest.approx(expected, rel=1e-12, abs=1e-13), f"partial {i} at {point}"
        if second:
            hessian = partials_at(row, point, 2)
            for (i, j), expected in second.items():
                actual = 0.0 if hessian[i] is None or hessian[i][j] is None else hessian[i][j]
                assert actual == pytest.approx(expected, rel=1e-11, abs=1e-12), f"partial {i}, {j} at {point}"


# ---------------------------------------------------------------------------------------------------------- element


def has_element_rule(row):
    return row.oracle and registry.op_named(row.op).element is not None


@each(has_element_rule)
def test_element_rule(row):
    for dtype in row.dtypes:
        arrays = row.draw(6, dtype)
        leaves, outputs = recorded(row, arrays)
        ours = [n for n in topological(outputs) if n.op.name == row.op]
        inputs = list(dict.fromkeys(i for n in ours for i in n.inputs))
        values = dict(zip(inputs, run(inputs, leaves, arrays), strict=True))
        for node, expected in zip(ours, run(ours, leaves, arrays), strict=True):
            actual = by_element(
                node.op, node.inputs, node.params, [values[i] for i in node.inputs], node.shape, node.dtype
            )
            close(actual, expected, 1e-13 if dtype == "float64" else 1e-5)


def test_every_op_of_an_indexed_kind_has_an_element_rule():
    for op in registry.ops().values():
        if op is not ITEM and op.kind in (Kind.ELEMENTWISE, Kind.LAYOUT, Kind.INDEXED):
            assert op.element is not None, f"{op.name} needs an element rule"


# ---------------------------------------------------------------------------------------------------------- batching


@each(lambda row: row.batch)
def test_batching(row):
    arrays = row.draw(7)
    leaves, outputs = recorded(row, arrays)
    draws = [row.draw(seed) for seed in (7, 8, 9)]
    kept = [k for k, a in enumerate(arrays) if all(d[k].shape == a.shape for d in draws)]
    for batched in {tuple(kept), tuple(kept[:1]), tuple(kept[-1:])}:
        if not batched:
            continue
        stacks = [np.stack([d[k] for d in draws]) if k in batched else None for k in range(len(arrays))]
        over = [None if s is None else symbol(f"b{k}", s.shape, s.dtype) for k, s in enumerate(stacks)]
        together = batch_graph(outputs, leaves, over)
        given = [(b, s) for b, s in zip(over, stacks, strict=True) if b is not None]
        given += [(leaf, a) for leaf, a, b in zip(leaves, arrays, over, strict=True) if b is None]
        actual = run(together, [n for n, _ in given], [a for _, a in given])
        for k, draw in enumerate(draws):
            one = [draw[j] if j in batched else arrays[j] for j in range(len(arrays))]
            for node, a, e in zip(together, actual, run(outputs, leaves, one), strict=True):
                assert a.shape == node.shape
                assert a.dtype == node.dtype == np.asarray(e).dtype
                close(a[k], e, 1e-13)


# ---------------------------------------------------------------------------------------------------------- compiled

EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -2.5, 3.0, 30.0, -30.0, np.inf, -np.inf, np.nan, 1e300, -1e300, 1e-310]


def edge_arrays(row, arrays, dtype):
    """All combinations of edge values, as one-dimensional inputs; None where the row is not of plain numbers."""
    if not row.edges or any(a.dtype.kind != "f" for a in arrays):
        return None
    _, outputs = recorded(row, arrays)
    if any(n.inputs and n.op.kind is not Kind.ELEMENTWISE for n in topological(outputs)):
        return None
    with np.errstate(all="ignore"):
        values = np.array(EDGES).astype(dtype)
    return [np.ravel(a) for a in np.meshgrid(*[values] * len(arrays), indexing="ij")]


def within(actual, expected, bound):
    """NaN and infinity in the same places; elsewhere at most ``bound`` apart."""
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected))
    np.testing.assert_array_equal(np.isinf(actual), np.isinf(expected))
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(actual[~finite], expected[~finite])
    apart = np.abs(actual[finite].astype("f8") - expected[finite].astype("f8"))
    bound = np.broadcast_to(bound, expected.shape)[finite]
    worst = np.argmax(apart - bound) if apart.size else 0
    assert np.all(apart <= bound), f"{actual[finite][worst]!r} against {expected[finite][worst]!r}"


def agreement(row, outputs):
    if row.agree is not None:
        return row.agree
    if kind(row) is Kind.ELEMENTWISE and any(o.op.name != row.op for o in outputs):
        return 1e-14  # several ops together
    return {Kind.ELEMENTWISE: "ulp", Kind.LAYOUT: "exact"}.get(kind(row), "terms")


def check_compiled(row, how, arrays, actual, expected):
    if expected.dtype.kind != "f" or how == "exact":
        np.testing.assert_array_equal(actual, expected)
        return
    eps = np.finfo(expected.dtype).eps
    with np.errstate(all="ignore"):
        if how == "ulp":
            bound = 4 * np.abs(np.spacing(expected)).astype("f8")
        elif how == "terms":
            if row.terms is not None:
                total = np.asarray(row.terms(*arrays))
            else:
                total = row.expected(*[np.abs(a) if a.dtype.kind == "f" else a for a in arrays])[0]
            bound = 8 * eps * np.abs(total.astype("f8"))
        else:
            finite = np.abs(expected[np.isfinite(expected)])
            bound = how * (eps / np.finfo("f8").eps) * max(1.0, float(finite.max()) if finite.size else 1.0)
    within(actual, expected, bound)


@every_row
def test_compiled(row):
    cases = []
    for dtype in row.dtypes or ("float64",):
        arrays = row.draw(10, dtype)
        cases.append(arrays)
        edges = edge_arrays(row, arrays, dtype)
        if edges is not None:
            cases.append(edges)
    graphs = [recorded(row, arrays) for arrays in cases]
    program = Program(
        [leaf for leaves, _ in graphs for leaf in leaves],
        [o for _, outputs in graphs for o in outputs],
        options=Options(cache=False),
    )
    actual = iter(program(*[a for arrays in cases for a in arrays]))
    for (leaves, outputs), arrays in zip(graphs, cases, strict=True):
        for expected in run(outputs, leaves, arrays):
            check_compiled(row, agreement(row, outputs), arrays, next(actual), np.asarray(expected))
