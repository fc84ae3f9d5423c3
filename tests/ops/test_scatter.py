import numpy as np
import pytest

from symtape.autodiff.forward import tangents
from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.errors import ShapeError, SymbolicTruthError
from symtape.graph.node import leaf, symbol
from symtape.graph.shapes import Dim
from symtape.graph.traverse import topological
from symtape.ops.namespace import NODES as B
from symtape.ops.scatter import names_a_place_twice
from tests.ops.against_numpy import numbers, same

n = Dim("n")


def layouts():
    """Shapes of an array, its index arrays, the indexed axes, and the place of their common axes in the result."""
    yield (4,), [(3,)], (0,), 0
    yield (4, 3), [(2,)], (0,), 0
    yield (4, 3), [(2, 2)], (1,), 1
    yield (4, 3, 2), [(2, 1), (3,)], (0, 2), 0
    yield (4, 3, 2), [(5,), ()], (1, 2), 1
    yield (4, 3, 2), [(2,), (2,)], (0, 2), 1
    yield (2, 3, 4, 2), [(3,), (2, 1)], (3, 1), 2
    yield (4,), [(0,)], (0,), 0


@pytest.mark.parametrize("layout", list(layouts()), ids=str)
@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "?"])
def test_scatters_write_where_gathers_read(layout, dtype):
    shape, index_shapes, axes, at = layout
    rng = np.random.default_rng(len(shape))
    indices = [rng.integers(-shape[a], shape[a], s) for a, s in zip(axes, index_shapes, strict=True)]
    places = np.arange(int(np.prod(shape))).reshape(shape)
    read = numbers([B.gather(leaf(places), indices, axes, at)])[0]
    values = (rng.random(read.shape) * 9 - 4).astype(dtype) if dtype != "?" else rng.random(read.shape) < 0.5
    added = np.zeros(places.size, dtype)
    x = (rng.random(shape) * 9).astype(dtype)
    replaced = x.copy().reshape(-1)
    for place, value in zip(read.ravel(), values.ravel(), strict=True):
        added[place] = added[place] | value if dtype == "?" else added[place] + value
        replaced[place] = value
    graph = [leaf(i) for i in indices]
    for index in (indices, graph):
        (ours,) = numbers([B.scatter_add(leaf(values), index, axes, at, shape)])
        assert ours.dtype == values.dtype
        np.testing.assert_allclose(ours, added.reshape(shape), rtol=1e-6)
        same(numbers([B.scatter_set(leaf(x), leaf(values), index, axes, at)])[0], replaced.reshape(shape))


def test_an_array_in_another_order_is_written_as_well():
    x = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    before = x.copy()
    same(
        numbers([B.scatter_set(leaf(x), leaf(np.zeros((2, 2))), ([0, 2],), (1,), 1)])[0],
        np.array([[0.0, 1, 0], [0, 4, 0]]),
    )
    np.testing.assert_array_equal(x, before)


def test_an_index_outside_is_refused():
    with pytest.raises(IndexError, match="index 4 is out of bounds for axis 0 with size 4"):
        B.scatter_add(leaf(np.ones(1)), ([4],), (0,), 0, (4,))
    i = symbol("i", (1,), np.int64)
    y = B.scatter_add(leaf(np.ones(1)), (i,), (0,), 0, (4,))
    for k in (4, -5):
        with pytest.raises(IndexError, match="out of bounds"):
            evaluate([y], {i: np.array([k])})


def test_values_must_fit():
    with pytest.raises(ShapeError, match=r"\(3,\) do not fit an index that selects \(2,\)"):
        B.scatter_add(leaf(np.ones(3)), ([0, 1],), (0,), 0, (4,))
    with pytest.raises(ShapeError, match="do not fit"):
        B.scatter_set(leaf(np.ones(4)), leaf(np.ones(1)), ([0, 1],), (0,), 0)


def test_of_values_for_one_place_the_last_has_the_gradient():
    x, v, i = leaf(np.zeros(3)), leaf(np.array([1.0, 2.0, 3.0])), leaf(np.array([2, -1, 0]))
    for index in (i, i.value):
        y = B.scatter_set(x, v, (index,), (0,), 0)
        np.testing.assert_array_equal(evaluate([y])[0], [3.0, 0.0, 2.0])
        gx, gv = gradient(B.sum(B.multiply(y, B.const(np.array([5.0, 6.0, 7.0])))), [x, v])
        np.testing.assert_array_equal(evaluate([gx])[0], [0.0, 6.0, 0.0])
        np.testing.assert_array_equal(evaluate([gv])[0], [0.0, 7.0, 5.0])
        (t,) = tangents([y], [v], [B.const(np.array([1.0, 10.0, 100.0]))])
        np.testing.assert_array_equal(evaluate([t])[0], [100.0, 0.0, 10.0])


def test_a_constant_index_without_repeats_needs_no_search_for_winners():
    x, v = leaf(np.zeros(3)), leaf(np.ones(2))
    (g,) = gradient(B.sum(B.scatter_set(x, v, ([2, 0],), (0,), 0)), [v])
    assert "equal" not in {node.op.name for node in topological([g])}


def test_repeats_are_known_only_of_constants():
    a, b = B.const(np.array([0, 1])), B.const(np.array([0, 0]))
    assert not names_a_place_twice(B, [a], (0,), (3,))
    assert names_a_place_twice(B, [b], (0,), (3,))
    assert not names_a_place_twice(B, [a, b], (0, 1), (3, 3))
    assert names_a_place_twice(B, [leaf(np.array([0, 1]))], (0,), (3,))
    assert not names_a_place_twice(B, [leaf(np.array(1))], (0,), (3,))
    assert names_a_place_twice(B, [a], (0,), (n,))


def test_masks_go_through_scatters():
    x = leaf(np.array([0.0, 1.0, 4.0]))
    picked = B.take(x, [0, 2, 2])
    safe = B.where(B.greater(picked, 0), B.sqrt(picked), B.const(np.zeros(3)))
    (g,) = gradient(B.sum(safe), [x])
    np.testing.assert_array_equal(evaluate([g])[0], [0.0, 0.0, 0.5])


def test_bincount():
    i, w = np.array([1, 3, 1, 0]), np.array([0.5, 1.0, 2.0, 4.0])
    same(numbers([B.bincount(i)])[0], np.bincount(i))
    same(numbers([B.bincount(i, minlength=7)])[0], np.bincount(i, minlength=7))
    same(numbers([B.bincount(i, leaf(w))])[0], np.bincount(i, w))
    same(numbers([B.bincount(i, leaf(w), 6)])[0], np.bincount(i, w, 6))
    same(numbers([B.bincount([], leaf(np.zeros(0)))])[0], np.zeros(0))
    v = leaf(w)
    (g,) = gradient(B.sum(B.multiply(B.bincount(i, v), B.const(np.arange(4.0)))), [v])
    np.testing.assert_array_equal(evaluate([g])[0], [1.0, 3.0, 1.0, 0.0])


def test_bincount_refuses():
    with pytest.raises(ValueError, match="negative"):
        B.bincount([-1])
    with pytest.raises(TypeError, match="integers"):
        B.bincount([0.5])
    with pytest.raises(ValueError, match="one axis"):
        B.bincount([[1]])
    with pytest.raises(ValueError, match="minlength"):
        B.bincount([1], minlength=-1)
    with pytest.raises(ValueError, match="same length"):
        B.bincount([1], leaf(np.ones(2)))
    with pytest.raises(SymbolicTruthError, match="decide a shape"):
        B.bincount(leaf(np.array([1])))


def test_named_lengths():
    v = symbol("v", (n,))
    i = symbol("i", (n,), np.int64)
    assert B.scatter_add(v, (i,), (0,), 0, (5,)).shape == (5,)
    y = B.scatter_set(symbol("x", (5,)), v, (i,), (0,), 0)
    (g,) = gradient(B.sum(y), [v])
    assert g.shape == (n,)
