"""Histograms at their edges: what falls on one, outside, and into bins without width; refusals."""

import numpy as np
import pytest

import symtape as st
from tests.ops.against_numpy import agree_as_tensors, both_refuse

X = np.array([0.0, 0.5, 1.0, 1.0, 2.0, 3.5, -1.0])
W = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])


@pytest.mark.parametrize("bins", [3, 1, [0.0, 1.0, 2.0], [0.0, 1.0, 1.0, 2.0], [2.0, 2.0], [-5.0, 0.0, 5.0]])
@pytest.mark.parametrize("weights", [None, W, W.astype(int), W.astype(np.float32)])
def test_on_the_edges(bins, weights):
    agree_as_tensors(np.histogram, X, bins, weights=weights)
    agree_as_tensors(np.histogram, X.astype(np.float32), bins, (0, 2), weights=weights)


def test_of_nothing_of_one_value_and_of_integers():
    agree_as_tensors(np.histogram, np.zeros(0), 3)
    agree_as_tensors(np.histogram, np.full(4, 2.5), 4)
    agree_as_tensors(np.histogram, np.arange(12).reshape(3, 4), 5)
    agree_as_tensors(np.histogram, X > 0, 2)
    agree_as_tensors(np.histogram2d, X, X[::-1].copy(), 3, [[0, 2], [-1, 1]], True)
    agree_as_tensors(np.histogramdd, np.stack([X, W], 1), [2, [0.0, 3.0, 9.0]])


def test_refusals():
    for bad in (0, -1, 1.5, [[0.0, 1.0]], [1.0, 0.0]):
        both_refuse("histogram", X, bad)
    both_refuse("histogram", X, 3, (1, 0), match="max must be larger")
    both_refuse("histogram", X, 3, (0, np.inf), match="not finite")
    both_refuse("histogram", X, 3, weights=W[:3], match="same shape")
    both_refuse("histogramdd", X.reshape(-1, 1), [2, 2], match="dimension of bins")
    both_refuse("histogramdd", X.reshape(-1, 1), 2, [(0, 1), (0, 1)], match="one entry per dimension")
    with pytest.raises(TypeError, match=r"len\(np\.histogram_bin_edges\(x\.numpy\(\), 'fd'\)\)"):
        np.histogram(st.constant(X), "fd")
    with pytest.raises(ValueError, match="monotonically"):
        np.histogram(X, st.constant([1.0, 0.0]))


def test_compiled_and_in_the_weights_of_many():
    f = st.jit(lambda x, w: np.histogram(x, 4, (0.0, 2.0), weights=w, density=True)[0])
    np.testing.assert_allclose(f(X, W), np.histogram(X, 4, (0.0, 2.0), weights=W, density=True)[0], rtol=1e-14)
    both = np.stack([W, W[::-1]])
    rows = st.vmap(lambda w: np.histogram(st.constant(X), 3, weights=w)[0])(both)
    np.testing.assert_allclose(rows, [np.histogram(X, 3, weights=w)[0] for w in both], rtol=1e-14)


def test_edges_that_are_drawn_from_the_values_have_a_gradient():
    gradient = st.grad(lambda x: np.histogram(x, 2)[1][1])(X)
    np.testing.assert_array_equal(gradient, [0, 0, 0, 0, 0, 0.5, 0.5])
