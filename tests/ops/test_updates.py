import numpy as np
import pytest

from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.errors import DTypeError, ShapeError
from symtape.graph.node import leaf, symbol
from symtape.graph.shapes import Dim
from symtape.ops.namespace import NODES as B
from tests.ops.against_numpy import numbers, same
from tests.ops.random_indices import applies, random_index

X = np.arange(12.0).reshape(3, 4) + 1.0
n = Dim("n")
UFUNCS = {
    "add": np.add,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "min": np.minimum,
    "max": np.maximum,
}


def at(name, x, index, value):
    out = x.copy()
    UFUNCS[name].at(out, index, value)
    return out


@pytest.mark.parametrize("seed", range(20))
def test_set_at_every_mixture_that_numpy_takes(seed):
    rng = np.random.default_rng(seed)
    for _ in range(20):
        shape = tuple(int(k) for k in rng.integers(1, 5, int(rng.integers(1, 4))))
        x = rng.random(shape)
        index = random_index(rng, shape, unique=True)
        if not applies(x, index):
            continue
        v = rng.random(x[index].shape)
        wanted = x.copy()
        wanted[index] = v
        same(numbers([B.index_set(leaf(x), index, leaf(v))])[0], wanted)
        wanted[index] = 0.5
        same(numbers([B.index_set(leaf(x), index, 0.5)])[0], wanted)


@pytest.mark.parametrize("seed", range(20))
def test_updates_at_every_mixture_that_numpy_takes(seed):
    rng = np.random.default_rng(seed)
    for _ in range(20):
        shape = tuple(int(k) for k in rng.integers(1, 5, int(rng.integers(1, 4))))
        x = rng.random(shape) + 0.5
        index = random_index(rng, shape)
        if not applies(x, index):
            continue
        v = rng.random(x[index].shape) + 0.5
        for name in UFUNCS:
            same(numbers([getattr(B, f"index_{name}")(leaf(x), index, leaf(v))])[0], at(name, x, index, v))


@pytest.mark.parametrize(
    "index", [True, False, (True, 0), (np.array(True), [0, 1]), (None, [0, 0, 1]), np.s_[..., None]], ids=repr
)
def test_boolean_scalars_and_added_axes(index):
    v = np.random.default_rng(1).random(X[index].shape)
    for name in ("add", "multiply"):
        same(numbers([getattr(B, f"index_{name}")(leaf(X), index, leaf(v))])[0], at(name, X, index, v))
    wanted = X.copy()
    wanted[index] = v
    same(numbers([B.index_set(leaf(X), index, leaf(v))])[0], wanted)


def test_get_is_reading():
    same(numbers([B.index_get(leaf(X), (0, [1, 2]))])[0], X[0, [1, 2]])


def test_apply():
    y = B.index_apply(leaf(X), np.s_[1:, 0], lambda v: B.multiply(v, v))
    wanted = X.copy()
    wanted[1:, 0] **= 2
    same(numbers([y])[0], wanted)
    twice = B.index_apply(leaf(X), [0, 0], lambda v: B.multiply(v, 3.0))
    same(numbers([twice])[0], X * np.array([[9.0], [1], [1]]))
    with pytest.raises(ShapeError, match="wanted the same"):
        B.index_apply(leaf(X), 0, lambda v: B.sum(v))


def test_values_broadcast_as_in_an_assignment():
    x = leaf(X)
    for v in (np.ones(4), np.ones((1, 1, 1, 4)), np.array(2.0), np.ones((2, 1))):
        wanted = X.copy()
        wanted[1:] = v
        same(numbers([B.index_set(x, slice(1, None), leaf(v))])[0], wanted)
    with pytest.raises(ShapeError, match=r"shape \(3,\) into the selected shape \(2, 4\)"):
        B.index_set(x, slice(1, None), leaf(np.ones(3)))
    with pytest.raises(ShapeError, match="could not broadcast"):
        B.index_add(x, 0, leaf(np.ones((2, 4))))


def test_values_take_the_dtype_of_the_array():
    single = leaf(X.astype("f4"))
    assert B.index_set(single, 0, leaf(np.ones(4))).dtype == np.float32
    assert B.index_set(leaf(X), 0, 1).dtype == np.float64
    integers = leaf(np.arange(3))
    same(numbers([B.index_add(integers, 0, 2)])[0], np.array([2, 1, 2]))
    with pytest.raises(DTypeError, match="astype"):
        B.index_set(integers, 0, 0.5)
    with pytest.raises(DTypeError, match="astype"):
        B.index_divide(integers, 0, 2)


def test_an_index_outside_is_refused():
    for index in (3, (0, 4), [0, 5]):
        with pytest.raises(IndexError, match="out of bounds"):
            B.index_set(leaf(X), index, 0.0)


def test_a_mask_in_the_graph_needs_no_places():
    x, m = symbol("x", (3,)), symbol("m", (3,), np.bool_)
    values = {x: np.array([1.0, 2.0, 3.0]), m: np.array([True, False, True])}
    assert evaluate([B.index_set(x, m, 0.0)], values)[0].tolist() == [0.0, 2.0, 0.0]
    assert evaluate([B.index_add(x, m, 1.0)], values)[0].tolist() == [2.0, 2.0, 4.0]
    assert evaluate([B.index_multiply(x, m, 5.0)], values)[0].tolist() == [5.0, 2.0, 15.0]


def test_an_index_in_the_graph():
    x, i = leaf(X), leaf(np.array([2, 0]))
    same(numbers([B.index_set(x, i, 0.0)])[0], X * np.array([[0.0], [1], [0]]))
    same(numbers([B.index_add(x, i, 1.0)])[0], X + np.array([[1.0], [0], [1]]))
    one = leaf(np.array(-1))
    same(numbers([B.index_multiply(x, one, 2.0)])[0], X * np.array([[1.0], [1], [2]]))
    with pytest.raises(TypeError, match=r"may name a place twice.*\.set or \.add"):
        B.index_multiply(x, i, 2.0)


def test_gradients():
    x, v = leaf(X), leaf(np.array([2.0, 3.0]))
    w = B.const(np.arange(12.0).reshape(3, 4))
    gx, gv = gradient(B.sum(B.multiply(w, B.index_set(x, np.s_[1:, 2], v))), [x, v])
    wanted = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(evaluate([gv])[0], wanted[1:, 2])
    wanted[1:, 2] = 0
    np.testing.assert_array_equal(evaluate([gx])[0], wanted)
    gx, gv = gradient(B.sum(B.multiply(w, B.index_multiply(x, (0, [1, 1]), v))), [x, v])
    np.testing.assert_array_equal(evaluate([gv])[0], [2.0 * 3.0, 2.0 * 2.0])
    wanted = np.arange(12.0).reshape(3, 4)
    wanted[0, 1] = 6.0
    np.testing.assert_array_equal(evaluate([gx])[0], wanted)


def test_named_lengths():
    x = symbol("x", (n,))
    assert B.index_set(x, 0, 1.0).shape == (n,)
    assert B.index_add(x, slice(1, None), symbol("v", (n - 1,))).shape == (n,)
    assert B.index_add(x, [0, 1], 1.0).shape == (n,)
    with pytest.raises(ShapeError, match="could not broadcast"):
        B.index_set(x, slice(1, None), x)
