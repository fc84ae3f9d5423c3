"""Each op of the op table alone, compiled, against its meaning by NumPy: in registers and in loops."""

import itertools

import numpy as np
import pytest

from symtape.compile.evaluate import evaluate
from symtape.compile.options import Options
from symtape.compile.program import Program
from symtape.graph.node import symbol
from symtape.graph.traverse import topological
from symtape.ops import registry
from symtape.ops.namespace import NODES
from symtape.ops.op import Kind
from tests.ops.rows import results
from tests.ops.test_op_table import ROWS

REGISTERS, LOOPS, CUT = Options(), Options(unroll=0), Options(unroll=4, chunk=10, optimize=0)
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
every_way = pytest.mark.parametrize("options", [REGISTERS, LOOPS, CUT], ids=["registers", "loops", "cut"])


def ulps(actual, expected):
    """Distances in units in the last place of the expected values."""
    with np.errstate(all="ignore"):
        gap = np.abs(actual.astype(np.longdouble) - expected.astype(np.longdouble))
        unit = np.spacing(np.abs(expected))
        return np.where(np.isfinite(expected), gap / unit.astype(np.longdouble), 0)


def same_places(actual, expected):
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected))
    infinite = np.isinf(expected)
    np.testing.assert_array_equal(np.isinf(actual), infinite)
    np.testing.assert_array_equal(actual[infinite], expected[infinite])


def run_both(row, arrays, options):
    leaves = [symbol(f"x{k}", a.shape, a.dtype) for k, a in enumerate(arrays)]
    outputs = results(row.call(NODES, *leaves))
    expected = [np.asarray(e) for e in evaluate(outputs, dict(zip(leaves, arrays, strict=True)))]
    return Program(leaves, outputs, options=options)(*arrays), expected


def agreement(row):
    if row.agree is not None:
        return row.agree
    kind = registry.op_named(row.op).kind
    if kind is Kind.ELEMENTWISE:
        return "ulp"
    return "exact" if kind is Kind.LAYOUT or row.op in ("gather", "getitem", "embed") else "terms"


def compare(row, arrays, actual, expected):
    how = agreement(row)
    for k, (ours, theirs) in enumerate(zip(actual, expected, strict=True)):
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        if theirs.dtype.kind != "f" or how == "exact":
            np.testing.assert_array_equal(ours, theirs)
            continue
        same_places(ours, theirs)
        if how == "ulp":
            worst = ulps(ours, theirs)
            assert worst.max(initial=0) <= 4, (ours, theirs)
        elif how == "terms":
            absolute = [np.abs(a) if a.dtype.kind == "f" else a for a in arrays]
            bound = row.terms(*arrays) if row.terms else row.expected(*absolute)[k]
            limit = 8 * np.finfo(theirs.dtype).eps * np.abs(np.asarray(bound, np.float64))
            assert np.all(np.abs(ours - theirs) <= limit), (ours, theirs)
        else:
            finite = np.isfinite(theirs)
            scale = np.abs(theirs[finite]).max(initial=0)
            room = how * (np.finfo(theirs.dtype).eps / np.finfo(float).eps)
            assert np.all(np.abs(ours[finite] - theirs[finite]) <= room * scale), (ours, theirs)


@every_row
@every_way
def test_compiled_code_agrees_with_numpy(row, options):
    for dtype in row.dtypes:
        arrays = row.draw(3, dtype)
        actual, expected = run_both(row, arrays, options)
        compare(row, arrays, actual, expected)


SPECIAL = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -2.0,
    3.0,
    np.inf,
    -np.inf,
    np.nan,
    1e300,
    -1e300,
    1e-300,
    5e-324,
    1e17,
    710.0,
]
EDGES = {
    "float64": np.array(SPECIAL),
    "float32": np.array([*SPECIAL[:12], 1e38, -1e38, 1e-38, 1e-45, 1e9, 89.0], np.float32),
}


def edge_inputs(row, dtype):
    drawn = row.draw(0, dtype)
    floats = [k for k, a in enumerate(drawn) if a.dtype.kind == "f"]
    grid = np.array(list(itertools.product(EDGES[dtype], repeat=min(len(floats), 2))), dtype)
    if len(floats) > 2:
        grid = np.concatenate([np.repeat(grid, 6, 0), np.tile(EDGES[dtype][:6], len(grid))[:, None]], 1)
    arrays = [np.resize(a, len(grid)) for a in drawn]
    for column, k in enumerate(floats[:3]):
        arrays[k] = np.ascontiguousarray(grid[:, column])
    return arrays


def is_elementwise(row):
    """Whether the row applies elementwise ops alone, so that its inputs can have any shape."""
    leaves = [symbol(f"x{k}", a.shape, a.dtype) for k, a in enumerate(row.draw())]
    made = [n for n in topological(results(row.call(NODES, *leaves))) if n.inputs]
    return all(getattr(n.op, "kind", None) is Kind.ELEMENTWISE for n in made)


EDGE_ROWS = [r for r in ROWS if r.edges and is_elementwise(r) and agreement(r) in ("ulp", "exact")]


@pytest.mark.parametrize("row", EDGE_ROWS, ids=lambda row: row.name)
def test_compiled_code_agrees_at_the_edges(row):
    for dtype in row.dtypes:
        arrays = edge_inputs(row, dtype)
        actual, expected = run_both(row, arrays, LOOPS)
        if expected[0].dtype.kind in "iu":  # C leaves open which integer a float outside the range becomes
            inside = np.abs(np.nan_to_num(arrays[0], nan=np.inf)) < 2.0**62
            actual, expected = [a[inside] for a in actual], [e[inside] for e in expected]
        compare(row, arrays, actual, expected)
