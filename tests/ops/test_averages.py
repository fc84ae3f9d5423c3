import numpy as np
import pytest

from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.graph.node import leaf, symbol
from symtape.graph.shapes import Dim
from symtape.ops.namespace import NODES as B
from tests.ops.against_numpy import agree, both_refuse, numbers, same

rng = np.random.default_rng(0)
X = rng.integers(-3, 4, (2, 3, 4)) / 2
M = rng.random((2, 3, 4)) < 0.6
HOLES = np.where(rng.random((2, 3, 4)) < 0.3, np.nan, X)
n = Dim("n")


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), ()])
@pytest.mark.parametrize("keepdims", [False, True])
def test_axes(axis, keepdims):
    for name in ("mean", "ptp", "count_nonzero"):
        if axis == () and name != "mean":
            continue
        agree(name, X, axis=axis, keepdims=keepdims)
    for name in ("nansum", "nanprod", "nanmean", "nanmax", "nanmin"):
        agree(name, HOLES, axis=axis if axis != () else 1, keepdims=keepdims)
        agree(name, X, axis=axis if axis != () else 1, keepdims=keepdims)


@pytest.mark.parametrize("dtype", ["?", "i1", "i8", "f2", "f4", "f8"])
def test_dtypes(dtype):
    x = np.array([[1, 0, 1], [2, 1, 1]]).astype(dtype)
    for name in ("mean", "count_nonzero", "nansum", "nanmean", "nanmax"):
        agree(name, x, axis=0)


def test_halves_add_up_in_single_precision():
    agree("mean", np.full(5000, 1.001, "f2"))


def test_mean():
    agree("mean", X, where=M)
    agree("mean", X, axis=1, where=M[0])
    agree("mean", X.astype("f4"), dtype="f8")
    agree("mean", np.array([1, 2]), dtype="f4")
    agree("mean", np.array(3.0))
    both_refuse("mean", X, axis=3)
    with pytest.raises(TypeError, match="out"):
        B.mean(leaf(X), out=np.zeros(1))


def test_of_nothing_the_mean_is_nan():
    assert np.isnan(numbers([B.mean(leaf(np.zeros(0)))])[0])
    assert np.isnan(numbers([B.nanmean(leaf(np.full(2, np.nan)))])[0])
    assert np.isnan(numbers([B.nanmax(leaf(np.full(2, np.nan)))])[0])
    agree("nansum", np.full(2, np.nan))


def test_initial_and_where_beside_nan():
    agree("nansum", HOLES, axis=0, where=M, initial=2.0)
    agree("nanmean", HOLES, where=M)
    agree("nanmax", HOLES, initial=0.25)


def test_the_gradient_of_a_mean_is_even_and_of_nan_zero():
    x = leaf(np.array([1.0, np.nan, 5.0, 2.0]))
    (g,) = gradient(B.nanmean(x), [x])
    np.testing.assert_allclose(evaluate([g])[0], [1 / 3, 0, 1 / 3, 1 / 3])
    y = leaf(X)
    (g,) = gradient(B.mean(y), [y])
    same(evaluate([g])[0], np.full(X.shape, 1 / 24))


@pytest.mark.parametrize(
    ("name", "ufunc"),
    [
        ("add", np.add),
        ("multiply", np.multiply),
        ("maximum", np.maximum),
        ("minimum", np.minimum),
        ("logical_or", np.logical_or),
        ("logical_and", np.logical_and),
    ],
)
def test_reduce_of_a_ufunc(name, ufunc):
    ours = getattr(B, f"{name}_reduce")
    for kwargs in ({}, {"axis": None}, {"axis": (0, 1)}, {"axis": 2, "keepdims": True}):
        same(numbers([ours(leaf(X), **kwargs)])[0], ufunc.reduce(X, **kwargs))
    dtype = "?" if name.startswith("logical") else "f4"
    same(numbers([ours(leaf(X), dtype=dtype, initial=2.0)])[0], ufunc.reduce(X, dtype=dtype, initial=2.0))
    with pytest.raises(TypeError, match="out"):
        ours(leaf(X), out=(np.zeros((3, 4)),))


def test_named_lengths():
    x = symbol("x", (n, 3), np.float32)
    y = B.mean(x, axis=0)
    assert (y.shape, y.dtype) == ((3,), np.dtype("f4"))
    (g,) = gradient(B.sum(y), [x])
    assert g.shape == (n, 3)
    assert B.mean(x, axis=1).shape == (n,)
