import numpy as np
import pytest

from symtape.compile.evaluate import evaluate
from symtape.errors import ShapeError
from symtape.graph.node import leaf, symbol
from symtape.graph.shapes import Dim
from symtape.ops.element import index
from symtape.ops.layout import inverse_permutation, reshape_map
from symtape.ops.namespace import NODES as B
from tests.ops.against_numpy import agree, both_refuse, numbers, same

X = np.arange(24.0).reshape(2, 3, 4)
n = Dim("n")


@pytest.mark.parametrize("shape", [(6, 4), (-1,), 24, (4, -1, 2), (1, 24, 1), [2, 12], np.int64(24)])
@pytest.mark.parametrize("order", ["C", "F", "A"])
def test_reshape(shape, order):
    agree("reshape", X, shape, order)


def test_reshape_by_its_older_keyword():
    same(numbers([B.reshape(leaf(X), newshape=(4, 6))])[0], X.reshape(4, 6))


@pytest.mark.parametrize("shape", [(5, 5), (-1, -1), (-1, 7), (2.5, 2)])
def test_reshape_refuses(shape):
    both_refuse("reshape", X, shape)


def test_reshape_needs_a_shape_and_a_known_order():
    with pytest.raises(TypeError, match="one shape"):
        B.reshape(leaf(X))
    with pytest.raises(ValueError, match="'C', 'F' or 'A', got 'X'"):
        B.reshape(leaf(X), 24, "X")
    with pytest.raises(ShapeError, match="negative"):
        B.reshape(leaf(X), (-2, 12))


def test_an_empty_array_is_reshaped():
    agree("reshape", np.zeros((0, 3)), (3, 0, 5))
    agree("reshape", np.zeros((0, 3)), (0,))
    both_refuse("reshape", np.zeros((0, 3)), (-1, 0))


@pytest.mark.parametrize("order", ["C", "F", "A", "K"])
def test_ravel(order):
    agree("ravel", X, order)


def test_flatten_is_ravel():
    assert B.flatten(leaf(X)).shape == (24,)


def test_transpose_and_kin():
    agree("transpose", X)
    agree("transpose", X, (2, 0, 1))
    agree("transpose", X, (-1, 0, 1))
    agree("swapaxes", X, 0, -1)
    agree("moveaxis", X, 0, -1)
    agree("moveaxis", X, [0, 1], [-1, 0])
    agree("matrix_transpose", X)
    for axis in range(-3, 3):
        for start in range(-3, 4):
            agree("rollaxis", X, axis, start)


def test_transpose_and_kin_refuse():
    both_refuse("transpose", X, (0, 1))
    both_refuse("transpose", X, (0, 0, 1), match="repeated axis")
    both_refuse("transpose", X, (0, 1, 3))
    both_refuse("swapaxes", X, 0, 3)
    both_refuse("moveaxis", X, [0, 0], [1, 2], match="repeated axis in `source`")
    both_refuse("moveaxis", X, [0, 1], [2], match="same number")
    both_refuse("moveaxis", X, 3, 0)
    both_refuse("rollaxis", X, 0, 5, match="start")
    both_refuse("matrix_transpose", X[0, 0], match="at least 2-dimensional")


def test_permutations_are_undone():
    for axes in [(2, 0, 1), (0, 1), (), (3, 1, 0, 2)]:
        inverse = inverse_permutation(axes)
        assert tuple(axes[k] for k in inverse) == tuple(range(len(axes)))


def test_axes_are_added_and_removed():
    for axis in [0, -1, (0, 2), (-1, 0), 3]:
        agree("expand_dims", X, axis)
    agree("squeeze", np.ones((1, 3, 1)))
    agree("squeeze", np.ones((1, 3, 1)), 0)
    agree("squeeze", np.ones((1, 3, 1)), (0, -1))
    both_refuse("expand_dims", X, 4)
    both_refuse("expand_dims", X, (0, 0))
    both_refuse("squeeze", X, 0, match="axis 0 of .* has length 2")
    both_refuse("squeeze", X, 3)


def test_arrays_get_at_least_so_many_axes():
    for name in ("atleast_1d", "atleast_2d", "atleast_3d"):
        for x in (np.array(2.0), X[0, 0], X[0], X):
            agree(name, x)
        agree(name, X[0], np.array(1.0))


def test_broadcasting():
    agree("broadcast_to", X, (5, 2, 3, 4))
    agree("broadcast_to", np.array(1.0), (2, 2))
    agree("broadcast_to", X[:, :1], (2, 6, 4))
    agree("broadcast_to", np.ones(1), 3)
    agree("broadcast_arrays", X, X[0, 0], np.ones((3, 1)))
    both_refuse("broadcast_to", X, (3, 4), match="more dimensions")
    both_refuse("broadcast_to", X[0, 0], (3,), match="axis 0 has length 4, wanted 1 or 3")
    both_refuse("broadcast_arrays", X, np.ones(5))
    both_refuse("broadcast_to", X, (-1, 2, 3, 4))
    with pytest.raises(TypeError, match="subok"):
        B.broadcast_to(leaf(X), (2, 3, 4), subok=True)


def test_a_broadcast_is_undone_by_sums():
    g = np.arange(30.0).reshape(2, 3, 5)
    for shape in [(2, 3, 5), (3, 5), (3, 1), (2, 1, 5), (1, 1, 1), ()]:
        axes = tuple(k for k in range(3) if k < 3 - len(shape) or shape[k - 3 + len(shape)] == 1)
        same(numbers([B.sum_to(leaf(g), shape)])[0], g.sum(axis=axes).reshape(shape))


def test_a_broadcast_of_a_mask_is_undone_by_or():
    mask = np.array([[True, False, False], [True, False, True]])
    same(numbers([B.sum_to(leaf(mask), (3,))])[0], mask.any(axis=0))
    same(numbers([B.sum_to(leaf(mask), (2, 1))])[0], mask.any(axis=1, keepdims=True))


def test_reduced_axes_are_put_back():
    shape = (2, 3, 4)
    for axes in [(), (0,), (1,), (0, 2), (0, 1, 2)]:
        g = np.sum(X, axis=axes)
        wanted = np.broadcast_to(np.sum(X, axis=axes, keepdims=True), shape)
        same(numbers([B.expand(leaf(g), axes, shape)])[0], wanted)


def test_no_node_is_built_where_a_rule_has_nothing_to_do():
    x = leaf(X)
    assert B.sum_to(x, X.shape) is x
    assert B.expand(x, (), X.shape) is x
    assert len(B.expand(B.sum(x, axis=0), (0,), X.shape).inputs[0].inputs) == 1  # a broadcast adds leading axes itself


def test_an_axis_that_a_reshape_leaves_alone_keeps_its_index():
    i, j, k = index(3)
    assert reshape_map((6, 5), (2, 3, 5), (i, j, k)) == (i * 3 + j, k)
    assert reshape_map((n, 4), (n, 2, 2), (i, j, k)) == (i, j * 2 + k)
    assert reshape_map((n, 1, 4), (1, n, 4), (i, j, k)) == (j, 0, k)
    assert reshape_map((n * 2,), (n, 2), (i, j)) == (i * 2 + j,)


def test_named_lengths_pass_through():
    x = symbol("x", (n, 3))
    assert B.reshape(x, (-1,)).shape == (3 * n,)
    assert B.reshape(x, (n, 3, 1)).shape == (n, 3, 1)
    assert B.transpose(x).shape == (3, n)
    assert B.broadcast_to(x, (2, n, 3)).shape == (2, n, 3)
    assert B.squeeze(symbol("y", (n, 1))).shape == (n,)
    assert B.sum_to(x, (1, 3)).shape == (1, 3)
    with pytest.raises(ShapeError, match="wanted 1 or 5"):
        B.broadcast_to(x, (5, 3))


def test_bound_lengths_give_numbers():
    x = symbol("x", (2, 3))
    (value,) = evaluate([B.reshape(x, (-1,))], {x: X[:, :, 0]})
    np.testing.assert_array_equal(value, X[:, :, 0].ravel())
