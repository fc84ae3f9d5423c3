"""Special functions beyond the op table: extremes, arguments, what is refused, what is imported."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.special

from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.graph.node import symbol
from symtape.ops.namespace import NODES as B

V = symbol("v", (3,))
X = symbol("x")


def at(node, value):
    return evaluate([node], {V if np.ndim(value) else X: np.asarray(value)})[0]


@pytest.mark.parametrize(
    "values",
    [[1e4, 1e4, 0.0], [-1e4, -1e4, -1e5], [-np.inf, 0.0, 1.0], [-np.inf] * 3, [np.inf, 0.0, 1.0], [np.nan, 0.0, 1.0]],
    ids=str,
)
def test_logsumexp_neither_overflows_nor_loses_infinities(values):
    np.testing.assert_allclose(at(B.logsumexp(V), values), scipy.special.logsumexp(values), rtol=1e-15)


def test_derivatives_of_logsumexp_are_softmax():
    values = [1e4, 1e4 + 1, -np.inf]
    (slope,) = gradient(B.logsumexp(V), [V])
    np.testing.assert_allclose(at(slope, values), scipy.special.softmax(values), rtol=1e-15)
    assert slope.op.name == "softmax"
    (second,) = gradient(slope, [V], B.const(np.array([1.0, 0.0, 0.0])))
    p = scipy.special.softmax(values)
    np.testing.assert_allclose(at(second, values), p * (np.array([1, 0, 0]) - p[0]), rtol=1e-14, atol=1e-15)


def test_logsumexp_takes_scipys_arguments():
    m = symbol("m", (2, 3))
    values = np.arange(6.0).reshape(2, 3)
    for keywords in ({"axis": 0}, {"axis": (0, 1)}, {"axis": -1, "keepdims": True}, {"keepdims": True}, {"b": 2.0}):
        ours = evaluate([B.logsumexp(m, **keywords)], {m: values})[0]
        theirs = scipy.special.logsumexp(values, **keywords)
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)
        assert np.shape(ours) == np.shape(theirs)
    with pytest.raises(TypeError, match="return_sign"):
        B.logsumexp(m, return_sign=True)
    empty = symbol("e", (2, 0, 3))
    for keywords in ({"axis": 1}, {"axis": 1, "keepdims": True}):
        (ours,) = evaluate([B.logsumexp(empty, **keywords)], {empty: np.zeros((2, 0, 3))})
        np.testing.assert_array_equal(ours, scipy.special.logsumexp(np.zeros((2, 0, 3)), **keywords))


def test_weights_of_zero_leave_an_infinity_out():
    ours = at(B.logsumexp(V, b=np.array([0.0, 1.0, 1.0])), [np.inf, 0.0, 1.0])
    np.testing.assert_allclose(ours, scipy.special.logsumexp([0.0, 1.0]), rtol=1e-15)


def test_softmax_sums_to_one_where_exponentials_overflow():
    np.testing.assert_allclose(np.sum(at(B.softmax(V), [1e4, 9999.0, -1e4])), 1.0, rtol=1e-15)
    assert B.softmax(symbol("n", (3,), np.int64)).dtype == np.float64


@pytest.mark.parametrize("x", [-1e3, -40.0, 0.0, 40.0, 1e3])
def test_softplus_and_expit_in_the_tails(x):
    (slope,) = gradient(B.softplus(X), [X])
    assert slope.op.name == "expit"
    assert at(B.softplus(X), x) == np.logaddexp(0, x)
    assert at(slope, x) == scipy.special.expit(x)


def test_polygamma_checks_its_order():
    assert B.polygamma(0, X).op.name == "digamma"
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        B.polygamma(-1, X)
    with pytest.raises(TypeError, match="the order of polygamma must be an integer"):
        B.polygamma(1.5, X)


def test_scipy_is_imported_with_the_first_special_function():
    program = """
import sys
from symtape.ops.namespace import NODES as B
from symtape.graph.node import symbol
x = symbol("x", (3,))
B.softmax(x), B.logsumexp(x), B.softplus(x), B.where(B.greater(x, 0), B.sin(x), B.power(x, 2))
print("scipy" in sys.modules, "sympy" in sys.modules, "numba" in sys.modules)
B.erf(x)
print("scipy" in sys.modules, "sympy" in sys.modules, "numba" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["False False False", "True False False"]
