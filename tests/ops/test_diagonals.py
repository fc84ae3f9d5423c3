import numpy as np
import pytest

from symtape.errors import ShapeError
from symtape.graph.node import leaf, symbol
from symtape.graph.shapes import Dim
from symtape.ops.namespace import NODES as B
from tests.ops.against_numpy import agree, both_refuse, numbers, same

X = np.random.default_rng(0).random((3, 4, 5))
n = Dim("n")


@pytest.mark.parametrize("k", [-4, -3, -1, 0, 2, 4, 5])
def test_diagonal(k):
    agree("diagonal", X[0], k)
    agree("diagonal", X, k, 2, 0)
    agree("diagonal", X, offset=k, axis1=-1, axis2=-2)
    agree("linalg_diagonal", X, offset=k)
    agree("diag", X[:, :, 0], k)
    agree("diag", X[0, 0], k)
    agree("diagflat", X[0], k)


def test_empty_diagonals():
    agree("diag", np.zeros(0))
    agree("diag", np.zeros(0), 2)
    agree("diag", np.zeros((0, 3)))


def test_refused():
    both_refuse("diagonal", X[0, 0], match="at least two dimensions")
    both_refuse("diagonal", X, 0, 1, 1, match="cannot be the same")
    both_refuse("diagonal", X, 0, 0, 3)
    both_refuse("diag", X, match="1- or 2-d")
    both_refuse("diag", np.array(1.0))


def test_a_diagonal_must_fit():
    from symtape.ops.diagonals import DIAG

    with pytest.raises(ShapeError, match="3 elements do not fit diagonal 1 of a matrix of 3 by 3"):
        B.build(DIAG, (leaf(X[0, :3, 0]),), (1, 3, 3))


def test_matrices_with_a_batch_of_diagonals():
    y = numbers([B.diagonal_matrix(leaf(X))])[0]
    same(y, np.array([[np.diag(v) for v in m] for m in X]))


def test_named_lengths():
    x = symbol("x", (n, n))
    assert B.diagonal(x).shape == (n,)
    assert B.diagonal(x, 1).shape == (n - 1,)
    assert B.diag(symbol("v", (n,)), -1).shape == (n + 1, n + 1)
    with pytest.raises(ShapeError, match="which side is longer"):
        B.diagonal(symbol("y", (n, 3)))
