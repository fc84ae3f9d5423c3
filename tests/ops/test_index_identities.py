import numpy as np
import pytest

from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.graph.node import leaf, symbol
from symtape.graph.shapes import Dim
from symtape.graph.traverse import topological
from symtape.ops.boxes import as_slices, basic_shape, compose
from symtape.ops.index_identities import merge_boxes
from symtape.ops.namespace import DERIVATIVES as D
from symtape.ops.namespace import NODES as B
from symtape.ops.subscripts import parse
from tests.ops.random_indices import random_slice

n = Dim("n")
X = leaf(np.arange(12.0).reshape(3, 4))
V = leaf(np.array([2.0, 3.0, 5.0]))


def same_value(simple, plain):
    np.testing.assert_array_equal(evaluate([simple])[0], evaluate([plain])[0])
    assert simple.shape == plain.shape
    assert simple.dtype == plain.dtype


def ops(node):
    return [m.op.name for m in topological([node]) if m.inputs]


def part(rng, k):
    return int(rng.integers(-k, k)) if rng.random() < 0.3 else random_slice(rng, k)


@pytest.mark.parametrize("seed", range(5))
def test_boxes_of_boxes(seed):
    rng = np.random.default_rng(seed)
    for _ in range(40):
        x = np.arange(60).reshape(5, 4, 3)
        outer = parse(B, x.shape, tuple(part(rng, k) for k in x.shape)).basic
        y = x[as_slices(outer)]
        if 0 in y.shape:
            continue
        inner = parse(B, y.shape, tuple(part(rng, k) for k in y.shape)).basic if y.ndim else ()
        np.testing.assert_array_equal(x[as_slices(compose(outer, inner))], y[as_slices(inner)])
        node = leaf(x)
        same_value(D.slice_box(D.slice_box(node, outer), inner), B.slice_box(B.slice_box(node, outer), inner))
        assert len(ops(D.slice_box(D.slice_box(node, outer), inner))) <= 1
        v = leaf(rng.random(basic_shape(inner)))
        plain = B.embed((B.embed((v,), (inner,), y.shape),), (outer,), x.shape)
        simple = D.embed((D.embed((v,), (inner,), y.shape),), (outer,), x.shape)
        same_value(simple, plain)
        assert len(ops(simple)) <= 1


def test_the_gradient_of_unpacking_is_one_array():
    a, b, c = (B.getitem(V, k) for k in range(3))
    (g,) = gradient(B.add(B.multiply(a, b), B.sin(c)), [V])
    assert g.op.name == "stack"
    assert "embed" not in ops(g)
    np.testing.assert_allclose(evaluate([g])[0], [3.0, 2.0, np.cos(5.0)])
    (g,) = gradient(B.multiply(a, b), [V])
    assert g.op.name == "embed"
    assert len(g.inputs) == 2
    np.testing.assert_array_equal(evaluate([g])[0], [3.0, 2.0, 0.0])


def test_the_gradient_of_slices_that_fill_an_array_joins_them():
    y = B.add(B.sum(B.sin(B.getitem(V, slice(2)))), B.exp(B.getitem(V, slice(2, None))))
    (g,) = gradient(B.sum(y), [V])
    assert g.op.name == "concatenate"
    np.testing.assert_allclose(evaluate([g])[0], [*np.cos([2.0, 3.0]), np.exp(5.0)])


def test_sums_of_boxes():
    one, two = leaf(np.array(1.0)), leaf(np.array(10.0))
    apart = [B.embed((one,), ((0,),), (4,)), B.embed((two,), ((2,),), (4,))]
    (merged,) = merge_boxes(D, apart)
    same_value(merged, B.add(*apart))
    equal = [B.embed((one,), ((1,),), (4,)), B.embed((two,), ((1,),), (4,))]
    (merged,) = merge_boxes(D, equal)
    same_value(merged, B.add(*equal))
    a, b = leaf(np.ones(2)), leaf(np.full(2, 10.0))
    overlapping = [B.embed((a,), (((0, 2, 1),),), (3,)), B.embed((b,), (((1, 2, 1),),), (3,))]
    assert merge_boxes(D, overlapping) == overlapping
    again = [*overlapping, B.embed((b,), (((0, 2, 1),),), (3,))]
    merged = merge_boxes(D, again)
    assert len(merged) == 2
    same_value(B.add(*merged), B.add_n(*again))
    assert merge_boxes(D, [V, V]) == [V, V]
    assert merge_boxes(D, [V, B.embed((one,), ((0,),), (3,))])[0] is V


def test_reading_what_was_put_together():
    a, b = B.getitem(X, 0), B.getitem(X, 2)
    stacked = B.stack((a, b), axis=1)
    for basic in [(3, 1), ((0, 4, 1), 0), ((1, 2, 1), 1)]:
        same_value(D.slice_box(stacked, basic), B.slice_box(stacked, basic))
        assert "stack" not in ops(D.slice_box(stacked, basic))
    assert D.slice_box(stacked, ((0, 4, 1), 1)) is b
    joined = B.concatenate((a, b))
    for basic in [(0,), (5,), ((4, 4, 1),), ((7, 2, -3),)]:
        same_value(D.slice_box(joined, basic), B.slice_box(joined, basic))
        assert "concatenate" not in ops(D.slice_box(joined, basic))
    across = D.slice_box(joined, ((3, 2, 1),))
    same_value(across, B.slice_box(joined, ((3, 2, 1),)))
    placed = B.embed((a,), ((1, (0, 4, 1)),), (3, 4))
    assert D.slice_box(placed, (1, (0, 4, 1))) is a
    same_value(D.slice_box(placed, (0, (0, 4, 1))), B.slice_box(placed, (0, (0, 4, 1))))
    assert "embed" not in ops(D.slice_box(placed, (0, (0, 4, 1))))
    same_value(D.slice_box(placed, ((0, 2, 1), 0)), B.slice_box(placed, ((0, 2, 1), 0)))
    replaced = B.set_slice(X, a, (1, (0, 4, 1)))
    assert D.slice_box(replaced, (1, (0, 4, 1))) is a
    assert D.slice_box(replaced, (2, (0, 4, 1))) is b
    same_value(D.slice_box(replaced, ((0, 2, 1), 0)), B.slice_box(replaced, ((0, 2, 1), 0)))


def test_putting_together_what_was_taken_apart():
    parts = [B.getitem(X, k) for k in range(3)]
    assert D.stack(parts) is X
    assert D.stack(parts[::-1]) is not X
    assert D.stack(parts[:2]) is not X
    assert D.stack(parts, axis=1) is not X
    columns = [B.getitem(X, (slice(None), k)) for k in range(4)]
    assert D.stack(columns, axis=1) is X
    assert D.concatenate([X]) is X


def test_whole_arrays_and_constants():
    assert D.getitem(X, slice(None)) is X
    assert D.embed((X,), (((0, 3, 1), (0, 4, 1)),), (3, 4)) is X
    zeros = D.embed((B.const(np.zeros(())),), ((1,),), (3,))
    same_value(zeros, B.zeros((3,)))
    ones = B.broadcast_to(B.const(1.0), (3, 4))
    for index in [0, (slice(1), 2), [0, 2], (slice(None), [1, 1])]:
        same_value(D.getitem(ones, index), B.getitem(ones, index))
        assert ops(D.getitem(ones, index)) in ([], ["broadcast_to"])
    assert "scatter_add" not in ops(D.scatter_add(B.zeros((2,)), ([0, 1],), (0,), 0, (3,)))


def test_an_index_in_the_graph_is_still_read():
    i = symbol("i", (2,), np.int64)
    ones = B.broadcast_to(B.const(1.0), (3,))
    assert i in D.take(ones, i).inputs


def test_named_lengths_are_left_alone_where_nothing_is_certain():
    x = symbol("x", (n,))
    d = B.subtract(B.getitem(x, slice(1, None)), B.getitem(x, slice(None, -1)))
    (g,) = gradient(B.sum(B.multiply(d, d)), [x])
    assert ops(g).count("embed") == 2
    assert D.getitem(D.getitem(x, slice(1, None)), slice(None, -1)).params == (((1, n - 2, 1),),)
