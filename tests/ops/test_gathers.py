import numpy as np
import pytest

from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.graph.node import leaf, symbol
from symtape.graph.shapes import Dim
from symtape.ops.namespace import NODES as B
from tests.ops.against_numpy import agree, both_refuse, numbers, same

X = np.random.default_rng(0).random((3, 4, 5))
n = Dim("n")


def fixed(name, x, i, **kwargs):
    """As `agree`, with the index not recorded: an array that is known while recording."""
    same(numbers([getattr(B, name)(leaf(x), i, **kwargs)])[0], getattr(np, name)(x, i, **kwargs))


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("i", [1, [0, -1], np.array([[0, 1], [2, 2]]), np.zeros((0, 2), int), [], np.uint8(2)])
def test_take(axis, i):
    fixed("take", X, i, axis=axis)
    if isinstance(i, np.ndarray):
        agree("take", X, i, axis=axis)


@pytest.mark.parametrize("mode", ["wrap", "clip"])
def test_take_outside(mode):
    i = np.array([-7, -1, 0, 3, 9])
    fixed("take", X, i, axis=1, mode=mode)
    agree("take", X, i, axis=1, mode=mode)
    agree("take", X, i, mode=mode)


def test_take_refuses():
    both_refuse("take", X, 3, axis=0, match="index 3 is out of bounds for axis 0 with size 3")
    both_refuse("take", X, 0, axis=3)
    both_refuse("take", X, 0, mode="bounce", match="'bounce'")
    both_refuse("take", np.zeros((0,)), 0, mode="clip", match="non-empty take")
    with pytest.raises(TypeError, match="out"):
        B.take(leaf(X), 0, out=np.zeros(1))
    for index in (symbol("i", (2,)), [0.5], np.array([0.5])):
        with pytest.raises(TypeError, match="integers, got float64"):
            B.take(leaf(X), index)


def test_an_index_in_the_graph_is_checked_when_it_is_known():
    x, i = symbol("x", (3,)), symbol("i", (2,), np.int64)
    y = B.take(x, i)
    with pytest.raises(IndexError, match="out of bounds"):
        evaluate([y], {x: np.zeros(3), i: np.array([0, 3])})


def test_take_along_axis():
    for axis in (0, 1, -1):
        i = np.argsort(X, axis=axis)
        fixed("take_along_axis", X, i, axis=axis)
        agree("take_along_axis", X, i, axis=axis)
    agree("take_along_axis", X, np.array([3, -1]), axis=None)
    agree("take_along_axis", X, np.array([[[1, -1]]]), axis=-1)


def test_take_along_axis_refuses():
    both_refuse("take_along_axis", X, np.array([0, 1]), axis=1, match="same number of dimensions")
    both_refuse("take_along_axis", X, np.array([[0, 1]]), axis=None, match="single dimension")
    both_refuse("take_along_axis", X, np.zeros((2, 4, 5), int), axis=1, match="shape mismatch")
    both_refuse("take_along_axis", X, np.zeros((3, 4, 5), int), axis=3)
    with pytest.raises(IndexError, match="index 5 is out of bounds for axis 2 with size 5"):
        B.take_along_axis(leaf(X), np.full((3, 4, 1), 5), axis=2)


def test_gradients_of_repeated_reads_add_up():
    x = leaf(np.array([1.0, 2.0, 3.0]))
    (g,) = gradient(B.sum(B.take(x, [1, 1, -1])), [x])
    np.testing.assert_array_equal(evaluate([g])[0], [0.0, 2.0, 1.0])


def test_named_lengths():
    x = symbol("x", (n, 3))
    assert B.take(x, [0, 1], axis=0).shape == (2, 3)
    assert B.take(x, symbol("i", (n,), np.int64), axis=0, mode="wrap").shape == (n, 3)
    assert B.take_along_axis(x, symbol("i", (n, 1), np.int64), axis=1).shape == (n, 1)
    assert B.positions(x, 0).shape == (n,)
    assert B.positions(x, 1).op.name == "const"
    i = symbol("i", (n,), np.int64)
    (g,) = gradient(B.sum(B.take(x, i, axis=0)), [x])
    assert g.shape == (n, 3)
