import numpy as np
import pytest

from symtape.autodiff.forward import tangents
from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.graph.node import leaf, symbol
from symtape.graph.shapes import Dim
from symtape.ops.namespace import NODES as B
from symtape.ops.reductions import LENGTH
from tests.ops.against_numpy import agree, both_refuse, numbers, same

rng = np.random.default_rng(0)
X = rng.integers(-3, 4, (2, 3, 4)) / 2
M = rng.random((2, 3, 4)) < 0.6
n = Dim("n")
OVER_AXES = ["sum", "prod", "max", "min", "any", "all"]


@pytest.mark.parametrize("name", OVER_AXES)
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (-1, 0), ()])
@pytest.mark.parametrize("keepdims", [False, True])
def test_axes(name, axis, keepdims):
    agree(name, X, axis=axis, keepdims=keepdims)
    agree(name, np.array(2.0), axis=axis if axis in (0, -1, ()) else None)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("keepdims", [False, True])
def test_places_of_extremes(name, axis, keepdims):
    agree(name, X, axis=axis, keepdims=keepdims)
    agree(name, np.array([1.0, np.nan, 3.0, np.nan]))


@pytest.mark.parametrize("name", [*OVER_AXES, "argmax", "argmin"])
def test_axes_that_are_none(name):
    both_refuse(name, X, axis=3)
    both_refuse(name, X, axis=-4)
    both_refuse(name, X, axis=1.5)
    with pytest.raises(TypeError, match="out"):
        getattr(B, name)(leaf(X), out=np.zeros(1))


@pytest.mark.parametrize("name", OVER_AXES)
def test_an_axis_twice(name):
    both_refuse(name, X, axis=(0, 0), match="duplicate")


def test_an_extreme_has_one_place():
    both_refuse("argmax", X, axis=(0, 1), match="axis must be an integer")


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "i4", "i8", "u8", "f2", "f4", "f8"])
@pytest.mark.parametrize("name", OVER_AXES)
def test_dtypes(name, dtype):
    agree(name, np.array([[1, 0, 1], [2, 1, 1]]).astype(dtype), axis=0)


@pytest.mark.parametrize("name", ["sum", "prod"])
def test_dtype_of_the_result(name):
    agree(name, X.astype("f4"), dtype="f8")
    agree(name, np.array([1.7, 2.2]), dtype=int)
    agree(name, np.array([100, 100], "i1"), dtype="i1")
    agree(name, np.array([True, True]), dtype=float)


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min"])
def test_initial_and_where(name):
    agree(name, X, initial=0.75)
    agree(name, X, axis=1, initial=-9.0, keepdims=True)
    agree(name, X, axis=(0, 2), initial=0.5, where=M)
    agree(name, X, initial=0.5, where=M[0])
    agree(name, X.astype("f4"), initial=np.float64(2.0))
    agree(name, np.zeros((0, 3)), axis=0, initial=2.0)


@pytest.mark.parametrize("name", ["sum", "prod", "any", "all"])
def test_where(name):
    agree(name, X, axis=0, where=M)
    agree(name, X, where=True)


def test_an_extreme_of_a_selection_needs_a_start():
    both_refuse("max", X, where=M, match="specify 'initial'")


def test_empty_arrays():
    for name in ("sum", "prod", "any", "all"):
        agree(name, np.zeros((0, 3)), axis=0)
        agree(name, np.zeros(0))
    for name in ("max", "min", "argmax", "argmin"):
        agree(name, np.zeros((0, 3)), axis=1)
        both_refuse(name, np.zeros((0, 3)), axis=0, match="empty|zero-size")
        both_refuse(name, np.zeros(0), match="empty|zero-size")


def test_nan():
    x = np.array([1.0, np.nan, 3.0])
    for name in ("sum", "prod", "max", "min", "any", "all"):
        agree(name, x)


def gradient_of(name, x, **kwargs):
    node = leaf(np.array(x))
    y = getattr(B, name)(node, **kwargs)
    return evaluate([gradient(B.sum(y), [node])[0]])[0]


def test_ties_share_equally():
    np.testing.assert_array_equal(gradient_of("max", [1.0, 4.0, 4.0, 0.0]), [0, 0.5, 0.5, 0])
    np.testing.assert_allclose(gradient_of("max", [2.0, 2.0, 2.0]), [1 / 3] * 3)
    np.testing.assert_array_equal(gradient_of("min", [[2.0, 0.0], [2.0, 0.0]], axis=1), [[0, 1], [0, 1]])
    np.testing.assert_array_equal(gradient_of("max", [[2.0, 0.0], [2.0, 1.0]], axis=0), [[0.5, 0], [0.5, 1]])
    x = leaf(np.array([3.0, 1.0, 3.0]))
    (t,) = tangents([B.max(x)], [x], [B.const(np.array([1.0, 10.0, 3.0]))])
    assert evaluate([t])[0] == 2.0


def test_an_element_that_was_not_chosen_gets_zero_whatever_flows():
    x = leaf(np.array([-1.0, 0.0]))
    (g,) = gradient(B.sqrt(B.max(x)), [x])
    np.testing.assert_array_equal(evaluate([g])[0], [0.0, np.inf])


def derivative(f, x, order):
    """The full derivative of the given order at a point, as one array."""
    node = leaf(np.array(x))
    level = [f(node)]
    for _ in range(order):
        level = [B.getitem(gradient(y, [node])[0], k) for y in level for k in range(len(x))]
    return np.array(evaluate(level)).reshape((len(x),) * order)


def exact(x, order):
    """Derivatives of a product: of what is left when the named elements are taken away, 0 if one is named twice."""
    out = np.zeros((len(x),) * order)
    for at in np.ndindex(out.shape):
        if len(set(at)) == order:
            out[at] = np.prod(np.delete(x, at))
    return out


@pytest.mark.parametrize("x", [[2.0, 3.0, 5.0, 7.0], [2.0, 0.0, 5.0, 7.0], [0.0, 3.0, 0.0, 7.0], [0.0, 0.0, 0.0, 2.0]])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_derivatives_of_products_with_zeros(x, order):
    np.testing.assert_allclose(derivative(B.prod, x, order), exact(x, order))


def test_products_of_one_and_of_no_element():
    np.testing.assert_array_equal(gradient_of("prod", [5.0]), [1.0])
    np.testing.assert_array_equal(gradient_of("prod", np.zeros((0, 2)), axis=0), np.zeros((0, 2)))
    np.testing.assert_array_equal(gradient_of("prod", np.array(3.0)), 1.0)


def test_the_gradient_of_nothing_is_empty():
    np.testing.assert_array_equal(gradient_of("sum", np.zeros((0, 3))), np.zeros((0, 3)))


def test_named_lengths():
    x = symbol("x", (n, 3))
    assert B.sum(x).shape == ()
    assert B.sum(x, axis=1).shape == (n,)
    assert B.max(x, axis=0, keepdims=True).shape == (1, 3)
    for name in ("sum", "prod", "max"):
        (g,) = gradient(getattr(B, name)(x), [x])
        assert g.shape == (n, 3)


def test_the_length_of_named_axes_waits():
    assert B.length(symbol("x", (2, 3)), (0, 1), np.float64).op.name == "const"
    count = B.length(symbol("x", (n, 3)), (0, 1), np.float32)
    assert (count.shape, count.dtype) == ((), np.dtype("f4"))
    same(numbers([B.build(LENGTH, (leaf(X),), ((0, 2),))])[0], np.asarray(8))
