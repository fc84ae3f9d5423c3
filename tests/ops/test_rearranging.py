import numpy as np
import pytest

from symtape.errors import UnboundDimensionError
from symtape.graph.node import leaf, symbol
from symtape.graph.shapes import Dim
from symtape.ops.namespace import NODES as B
from tests.ops.against_numpy import agree, both_refuse, numbers, same

X = np.arange(24.0).reshape(2, 3, 4)
n = Dim("n")


def test_flips():
    for axis in (None, 0, -1, (0, 2)):
        agree("flip", X, axis=axis)
    agree("flip", np.zeros((0, 2)))
    agree("fliplr", X)
    agree("flipud", X)
    agree("flipud", X[0, 0])
    both_refuse("flip", X, axis=3)
    both_refuse("fliplr", X[0, 0], match=">= 2-d")
    both_refuse("flipud", np.array(1.0))


def test_roll():
    for shift in (0, 1, -1, 2, 5, -30):
        agree("roll", X, shift)
        agree("roll", X, shift, axis=1)
    agree("roll", X, (1, -1), axis=(0, 2))
    agree("roll", X, 1, axis=(0, 2))
    agree("roll", X, (1, 1), axis=0)
    agree("roll", np.zeros(0), 2)
    both_refuse("roll", X, 1, axis=3)
    both_refuse("roll", X, (1, 2, 3), axis=(0, 1))
    with pytest.raises(TypeError, match="shift must be an integer"):
        B.roll(leaf(X), 0.5)


def test_rot90():
    for k in range(-2, 6):
        agree("rot90", X, k)
        agree("rot90", X, k, axes=(2, 0))
    both_refuse("rot90", X, axes=(0, 0), match="different")
    both_refuse("rot90", X, axes=(0, 1, 2), match="must be 2")
    both_refuse("rot90", X, axes=(0, 3))


def test_split():
    agree("split", X, 2, axis=2)
    agree("split", X, [1, 3], axis=2)
    agree("split", X, [1, 3, 9], axis=-1)
    agree("split", X, [3, 1], axis=2)
    agree("array_split", X, 3, axis=2)
    agree("array_split", X, 5, axis=0)
    agree("array_split", X, [-1], axis=1)
    agree("hsplit", X, 3)
    agree("hsplit", X[0, 0], 2)
    agree("vsplit", X, 2)
    agree("dsplit", X, [1])
    both_refuse("split", X, 3, axis=2, match="equal division")
    both_refuse("array_split", X, 0, match="larger than 0")
    both_refuse("hsplit", np.array(1.0), 1)
    both_refuse("vsplit", X[0, 0], 1)
    both_refuse("dsplit", X[0], 1)
    with pytest.raises(TypeError, match="number of sections"):
        B.split(leaf(X), 1.5)


def test_splits_are_lists():
    assert isinstance(B.split(leaf(X), 2), list)


def test_named_lengths():
    x = symbol("x", (2 * n, 3))
    assert [p.shape for p in B.split(x, 2)] == [(n, 3), (n, 3)]
    assert [p.shape for p in B.split(x, [1])] == [(1, 3), (2 * n - 1, 3)]
    assert B.flip(x).shape == (2 * n, 3)
    assert B.roll(x, 1, axis=0).shape == (2 * n, 3)
    assert B.rot90(x).shape == (3, 2 * n)
    with pytest.raises(UnboundDimensionError, match=r"2\*n has no number yet"):
        B.array_split(x, 3)


def test_a_flip_is_one_slice():
    y = B.flip(leaf(X), 0)
    assert y.op.name == "getitem"
    same(numbers([B.flip(y, 0)])[0], X)
