"""Sort, search, quantiles, convolution, padding and rebuilding: against NumPy at ties, NaN, empty and odd arguments."""

import numpy as np
import pytest

import symtape as st
from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.graph.node import leaf
from symtape.ops.namespace import NODES as B
from tests.ops.against_numpy import agree, both_refuse

RNG = np.random.default_rng(4)
ODD = {
    "ties": np.array([2.0, 1.0, 2.0, 1.0, 1.0]),
    "nan": np.array([1.0, np.nan, -2.0, np.nan, 0.5]),
    "infinite": np.array([np.inf, 1.0, -np.inf, np.inf, 0.0]),
    "one": np.array([3.0]),
    "integers": np.array([5, 1, 5, -2]),
    "single": np.array([5, 1, 5, -2], np.float32),
    "truth": np.array([True, False, True]),
    "denormal": np.array([5e-324, 0.0, 1e-310, -5e-324]),
    "matrix": RNG.integers(0, 3, (4, 5)).astype(float),
    "strided": RNG.standard_normal((6, 4))[::-2, ::-1],
    "column": RNG.standard_normal((4, 1)),
    "row": RNG.standard_normal((1, 4)),
}
EMPTY = {"empty": np.zeros(0), "no rows": np.zeros((0, 3)), "no columns": np.zeros((3, 0))}

every = pytest.mark.parametrize("x", ODD.values(), ids=ODD.keys())
also_empty = pytest.mark.parametrize("x", [*ODD.values(), *EMPTY.values()], ids=[*ODD.keys(), *EMPTY.keys()])


@also_empty
def test_order(x):
    agree("sort", x)
    agree("sort", x, axis=None)
    agree("argsort", x, kind="stable")
    agree("cumulative_sum", x, axis=0)
    agree("cumulative_prod", x, axis=-1, include_initial=True)


@every
def test_partitions(x):
    agree("partition", x, 0)
    agree("partition", x, (0, -1), axis=0)
    agree("argpartition", x, 0, axis=0)
    agree("isin", x, [1.0, 2.0])
    agree("searchsorted", np.sort(x, axis=None), x)
    agree("searchsorted", np.sort(x, axis=None), x, side="right")


@pytest.mark.parametrize("name", ["partition", "argpartition"])
def test_partitions_of_nothing(name):
    agree(name, np.zeros((0, 3)), 2, axis=0)
    agree(name, np.zeros((2, 0)), (1, 7))


@also_empty
def test_medians(x):
    agree("median", x)
    agree("median", x, axis=0, keepdims=True)
    agree("nanmedian", x, axis=-1)


@pytest.mark.parametrize("x", [v for k, v in ODD.items() if k != "truth"], ids=[k for k in ODD if k != "truth"])
@pytest.mark.parametrize("q", [0.0, 1.0, 0.5, [0.0, 0.3, 1.0], np.zeros(0), np.full((1, 2), 0.25)], ids=str)
def test_quantiles(x, q):
    agree("quantile", x, q)
    agree("quantile", x, q, axis=0, method="hazen")
    agree("percentile", x, 100 * np.asarray(q), axis=-1, method="nearest")
    agree("nanquantile", x, q, axis=0)


@every
def test_extremes_so_far(x):
    for name, ufunc in (("maximum_accumulate", np.maximum), ("minimum_accumulate", np.minimum)):
        value = evaluate([getattr(B, name)(leaf(x))])[0]
        np.testing.assert_array_equal(value, ufunc.accumulate(x))


def test_equal_elements_share_nothing_when_sorted():
    """Of equal elements the first one stands first; the gradient of a sum over all of them is what it must be."""
    x = leaf(np.array([1.0, 0.0, 1.0]))
    (g,) = gradient(B.sum(B.multiply(B.sort(x), np.array([1.0, 2.0, 4.0]))), [x])
    np.testing.assert_array_equal(evaluate([g])[0], [2.0, 1.0, 4.0])
    (g,) = gradient(B.median(leaf(np.array([1.0, 1.0, 1.0, 1.0]))), [x])
    assert g is None


def test_a_quantile_of_nan_is_nan():
    x = leaf(np.array([[1.0, np.nan], [2.0, 3.0]]))
    np.testing.assert_array_equal(evaluate([B.quantile(x, 0.5, axis=1)])[0], [np.nan, 2.5])


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("sizes", [(1, 1), (5, 1), (1, 4), (4, 4), (3, 5), (6, 2)], ids=str)
def test_convolutions(mode, sizes):
    a, v = (RNG.standard_normal(n) for n in sizes)
    agree("convolve", a, v, mode)
    agree("correlate", a, v, mode)
    agree("convolve", a.astype(np.float32), v.astype(np.float32), mode) if min(sizes) == 1 else None
    agree("convolve", np.arange(sizes[0]), np.arange(sizes[1]), mode)


@pytest.mark.parametrize("x", [RNG.standard_normal((3, 4)), np.arange(5), np.zeros((1, 3)), np.ones((2, 1))], ids=str)
@pytest.mark.parametrize(
    "options",
    [
        *[{"mode": m} for m in ("edge", "reflect", "symmetric", "wrap", "linear_ramp", "maximum", "minimum")],
        *[{"mode": m, "reflect_type": "odd"} for m in ("reflect", "symmetric")],
        {"mode": "mean"},
        {"mode": "mean", "stat_length": 1},
        {"mode": "linear_ramp", "end_values": 3},
        {"mode": "constant", "constant_values": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("width", [0, 1, (7, 2)], ids=str)
def test_margins(x, options, width):
    agree("pad", x, width, **options)


@pytest.mark.parametrize("x", [*ODD.values()], ids=ODD.keys())
def test_rebuilt(x):
    agree("delete", x, 0)
    agree("delete", x, [], axis=0)
    agree("delete", x, slice(None, None, 2), axis=-1)
    agree("insert", x, 0, 1)
    agree("insert", x, [0, -1], [0, 1])
    agree("resize", x, (2, 3))
    agree("ediff1d", x) if x.dtype != bool else None
    agree("unwrap", x) if x.dtype.kind == "f" and np.isfinite(x).all() else None


def test_bad_arguments():
    x = np.arange(4.0)
    both_refuse("partition", x, 4, match="out of bounds")
    both_refuse("argpartition", x, -5, match="out of bounds")
    both_refuse("sort", x, axis=2)
    both_refuse("sort", x, kind="bubble", match="sort kind")
    both_refuse("searchsorted", x, 1.0, side="middle", match="side")
    both_refuse("digitize", x, [1.0, 3.0, 2.0], match="monotonically")
    both_refuse("quantile", x, 1.5, match=r"range \[0, 1\]")
    both_refuse("percentile", x, [-1.0], match="Percentiles")
    both_refuse("quantile", x, 0.5, method="guess", match="valid method")
    both_refuse("quantile", x > 1, 0.5)
    both_refuse("convolve", x, np.zeros(0), match="empty")
    both_refuse("convolve", x, x[None], match="one axis")
    both_refuse("convolve", x, x, "most", match="mode must be")
    both_refuse("delete", x, 4, match="out of bounds")
    both_refuse("insert", x, 9, 1.0, match="out of bounds")
    both_refuse("finite_gradient", x[:1], match="too small")
    both_refuse("finite_gradient", x, edge_order=3, match="edge_order")
    both_refuse("choose", np.array([0, 1]), [x[:2], x[:2]], mode="most", match="clipmode")
    both_refuse("piecewise", x, [x > 1], [1, 2, 3], match="functions are expected")
    both_refuse("polyder", x, -1, match="positive")
    both_refuse("cumulative_sum", x.reshape(2, 2), match="axis")
    both_refuse("unstack", np.array(1.0), match="1-d")
    both_refuse("resize", x, -1, match="non-negative")


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("bins", [[-1.0, 0.0, 1.0], [1.0, 0.0, -1.0], [2.0, 2.0, 1.0], [0.0, 0.0]])
def test_values_on_an_edge_fall_into_the_bin_of_numpy(bins, right):
    x = np.array([1.0, 0.0, -1.0, 0.5, -2.0, 2.0, np.inf, -np.inf])
    found = B.digitize(x, bins, right=right)
    np.testing.assert_array_equal(evaluate([found])[0], np.digitize(x, bins, right=right))


@pytest.mark.parametrize("dtype", ["i8", "i1", "u1", "?"])
def test_whole_numbers_beside_each_other(dtype):
    a, b = np.array([0, 1, 100, 3]).astype(dtype), np.array([1, 0, 200, 3]).astype(dtype)
    found = B.isclose(a, b, rtol=0.5)
    np.testing.assert_array_equal(evaluate([found])[0], np.isclose(a, b, rtol=0.5))
    m = np.array([[7, 4, 2], [1, 250, 5]]).astype(dtype)
    for ends in (1.5, -2, ((0, 3), (1, 2))):
        if dtype == "u1" and ends == -2:
            continue  # NumPy refuses it
        found = B.pad(m, (2, 3), mode="linear_ramp", end_values=ends)
        np.testing.assert_array_equal(evaluate([found])[0], np.pad(m, (2, 3), mode="linear_ramp", end_values=ends))


def test_weighted_quantiles_without_a_meaning_are_nan():
    x, w = np.array([1.0, 2.0, 3.0]), np.array([[1.0, 0.0, 2.0], [-1.0, 2.0, 2.0], [0.0, 0.0, 0.0], [np.nan, 1.0, 1.0]])
    many = st.vmap(lambda w: np.quantile(st.constant(x), 0.5, method="inverted_cdf", weights=w))
    np.testing.assert_array_equal(many(w), [3.0, np.nan, np.nan, np.nan])
    with pytest.raises(ValueError, match="non-negative"):
        np.quantile(st.constant(x), 0.5, method="inverted_cdf", weights=w[1])
    with pytest.raises(ValueError, match="Only method 'inverted_cdf'"):
        np.quantile(st.constant(x), 0.5, weights=w[0])
    at = st.vmap(lambda q: np.quantile(st.constant(x), q))
    np.testing.assert_array_equal(at(np.array([0.5, -0.1, 1.5, np.nan])), [2.0, np.nan, np.nan, np.nan])
    at = st.vmap(lambda q: np.quantile(st.constant(x), q, method="inverted_cdf", weights=[1, 1, 2]))
    np.testing.assert_array_equal(at(np.array([0.5, -0.1, 1.5, np.nan])), [2.0, np.nan, np.nan, np.nan])
