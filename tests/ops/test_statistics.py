"""Averages, spreads and functions of samples: against NumPy, and at their edges."""

import numpy as np
import pytest

from symtape.autodiff.jacobian import jacobian
from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.errors import ShapeError
from symtape.graph.node import symbol
from symtape.graph.shapes import Dim
from symtape.ops.namespace import NODES
from symtape.testing import difference


def agree(ours, numpys, *arrays, rtol=1e-13):
    """Value, shape and dtype are NumPy's; the derivative is that of the values."""
    leaves = [symbol(None, a.shape, a.dtype) for a in arrays]
    node = ours(*leaves)
    env = dict(zip(leaves, arrays, strict=True))
    (value,) = evaluate([node], env)
    with np.errstate(all="ignore"):
        expected = np.asarray(numpys(*arrays))
    assert value.shape == expected.shape == node.shape
    assert value.dtype == expected.dtype == node.dtype
    np.testing.assert_allclose(value, expected, rtol=rtol, atol=1e-14)
    floating = [(x, a) for x, a in env.items() if a.dtype == np.float64]
    if not floating or node.dtype != np.float64 or not np.isfinite(expected).all():
        return
    rng = np.random.default_rng(99)
    weights = rng.standard_normal(node.shape)
    along = [rng.standard_normal(a.shape) for _, a in floating]
    grads = gradient(NODES.sum(NODES.multiply(node, weights)), [x for x, _ in floating])
    present = [(g, d) for g, d in zip(grads, along, strict=True) if g is not None]
    slope = sum(
        np.sum(g * d) for g, d in zip(evaluate([g for g, _ in present], env), [d for _, d in present], strict=True)
    )

    def moved(*values):
        return float(
            np.sum(weights * evaluate([node], env | dict(zip([x for x, _ in floating], values, strict=True)))[0])
        )

    numeric = difference(moved, [a for _, a in floating], along)
    assert slope == pytest.approx(numeric, rel=1e-7, abs=1e-8)


RNG = np.random.default_rng(0)
M = RNG.standard_normal((4, 5))
MASK = RNG.random((4, 5)) < 0.7

SPREADS = {
    "plain": {},
    "axis": {"axis": 0},
    "axes": {"axis": (0, 1)},
    "negative": {"axis": -1, "keepdims": True},
    "ddof": {"axis": 1, "ddof": 1},
    "fraction": {"ddof": 1.5},
    "where": {"axis": 1, "where": MASK},
    "correction": {"correction": 1},
    "too many": {"axis": 0, "ddof": 4},
}


@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize("case", SPREADS)
@pytest.mark.filterwarnings("ignore:Degrees of freedom")
def test_spreads(name, case):
    options = SPREADS[case]
    agree(lambda x: getattr(NODES, name)(x, **options), lambda x: getattr(np, name)(x, **options), M)


@pytest.mark.parametrize("name", ["var", "std"])
def test_spreads_of_other_dtypes(name):
    for dtype in ("i4", "?", "f4", "f2"):
        array = (10 * M).astype(dtype)
        agree(lambda x: getattr(NODES, name)(x), getattr(np, name), array, rtol=1e-3 if dtype == "f2" else 1e-6)
    agree(lambda x: NODES.var(x, dtype="f4"), lambda x: np.var(x, dtype="f4"), M, rtol=1e-6)


def test_spreads_about_a_given_mean():
    agree(lambda x: NODES.var(x, axis=0, mean=NODES.mean(x, axis=0, keepdims=True)), lambda x: np.var(x, axis=0), M)


def test_where_nothing_varies_the_gradient_of_std_is_zero():
    x = symbol(None, (4,))
    (g,) = gradient(NODES.std(x), [x])
    np.testing.assert_array_equal(evaluate([g], {x: np.full(4, 3.0)})[0], np.zeros(4))


def test_ddof_and_correction_exclude_each_other():
    with pytest.raises(ValueError, match="simultaneously"):
        NODES.var(symbol(None, (3,)), ddof=1, correction=1)
    with pytest.raises(TypeError, match="cannot be recorded"):
        NODES.std(symbol(None, (3,)), out=np.zeros(()))


def test_spreads_of_named_lengths():
    x = symbol("x", (Dim("n"), 3))
    assert NODES.std(x, axis=0, ddof=1).shape == (3,)
    assert gradient(NODES.sum(NODES.var(x, axis=0)), [x])[0].shape == (Dim("n"), 3)


W = RNG.random(5)


def test_averages():
    agree(lambda x: NODES.average(x), np.average, M)
    agree(lambda x: NODES.average(x, axis=0), lambda x: np.average(x, axis=0), M)
    agree(lambda x, w: NODES.average(x, axis=1, weights=w), lambda x, w: np.average(x, axis=1, weights=w), M, W)
    agree(lambda x, w: NODES.average(x, weights=w), lambda x, w: np.average(x, weights=w), M, np.abs(M))
    agree(
        lambda x, w: NODES.average(x, axis=1, weights=w, keepdims=True),
        lambda x, w: np.average(x, axis=1, weights=w, keepdims=True),
        M,
        W,
    )
    agree(lambda x: NODES.average(x), np.average, np.arange(6).reshape(2, 3))
    ours = NODES.average(symbol(None, (4, 5)), axis=1, weights=W, returned=True)
    assert [o.shape for o in ours] == [(4,), (4,)]


def test_averages_refuse_what_numpy_refuses():
    x = symbol(None, (4, 5))
    with pytest.raises(TypeError, match="Axis must be specified"):
        NODES.average(x, weights=W)
    with pytest.raises(ValueError, match="consistent"):
        NODES.average(x, axis=0, weights=W)


@pytest.mark.parametrize(
    "options",
    [{}, {"rowvar": False}, {"bias": True}, {"ddof": 0}, {"aweights": W}, {"aweights": W, "ddof": 0}],
    ids=str,
)
def test_covariances(options):
    agree(lambda x: NODES.cov(x, **options), lambda x: np.cov(x, **options), M if "rowvar" not in options else M.T)


def test_covariances_of_pairs_and_vectors():
    agree(lambda x, y: NODES.cov(x, y), np.cov, M[0], M[1])
    agree(lambda x: NODES.cov(x), np.cov, M[0])
    agree(lambda x: NODES.corrcoef(x), np.corrcoef, M)
    agree(lambda x, y: NODES.corrcoef(x, y), np.corrcoef, M[0], M[1])
    with pytest.raises(ValueError, match="2 dimensions"):
        NODES.cov(symbol(None, (2, 2, 2)))
    with pytest.raises(TypeError, match="fweights must be integer"):
        NODES.cov(symbol(None, (2, 2)), fweights=[1.5, 2])
    with pytest.raises(ValueError, match="aweights cannot be negative"):
        NODES.cov(symbol(None, (2, 2)), aweights=[1, -2])
    with pytest.raises(ValueError, match="numbers of samples and fweights"):
        NODES.cov(symbol(None, (2, 2)), fweights=[1, 2, 3])


# -------------------------------------------------------------------------------------------------------- of samples


def test_differences():
    agree(lambda x: NODES.diff(x), np.diff, M)
    agree(lambda x: NODES.diff(x, 2, 0), lambda x: np.diff(x, 2, 0), M)
    agree(lambda x: NODES.diff(x, 0), lambda x: np.diff(x, 0), M)
    agree(lambda x: NODES.diff(x, prepend=0, append=1.5), lambda x: np.diff(x, prepend=0, append=1.5), M)
    agree(lambda x: NODES.diff(x), np.diff, M > 0)
    with pytest.raises(ValueError):
        NODES.diff(symbol(None, ()))
    with pytest.raises(ValueError):
        NODES.diff(symbol(None, (3,)), -1)


def test_areas():
    agree(lambda y: NODES.trapezoid(y), np.trapezoid, M)
    agree(lambda y: NODES.trapezoid(y, dx=0.5, axis=0), lambda y: np.trapezoid(y, dx=0.5, axis=0), M)
    agree(lambda y, x: NODES.trapezoid(y, x), np.trapezoid, M, np.cumsum(W))
    agree(lambda y, x: NODES.trapezoid(y, x, axis=0), lambda y, x: np.trapezoid(y, x, axis=0), M, np.cumsum(W[:4]))
    agree(lambda y, x: NODES.trapezoid(y, x), np.trapezoid, M, np.cumsum(np.abs(M), 1))
    agree(lambda y: NODES.trapezoid(y), np.trapezoid, np.arange(5))


NODES_X, NODES_Y = np.array([0.0, 1.0, 2.5, 4.0]), np.array([1.0, -1.0, 2.0, 0.5])


def test_interpolation():
    inside = np.array([0.3, 1.7, 3.9, 0.9])
    agree(lambda x, xp, fp: NODES.interp(x, xp, fp), np.interp, inside, NODES_X, NODES_Y)
    agree(lambda x: NODES.interp(x, NODES_X, NODES_Y), lambda x: np.interp(x, NODES_X, NODES_Y), inside.reshape(2, 2))


def test_interpolation_at_nodes_and_outside():
    everywhere = np.array([-1.0, 0.0, 1.0, 2.5, 4.0, 5.0, np.nan, np.inf, -np.inf])
    x = symbol(None, everywhere.shape)
    for options in ({}, {"left": -7.0}, {"right": np.nan, "left": 2.0}):
        (ours,) = evaluate([NODES.interp(x, NODES_X, NODES_Y, **options)], {x: everywhere})
        np.testing.assert_allclose(ours, np.interp(everywhere, NODES_X, NODES_Y, **options), rtol=1e-14)
    (g,) = evaluate([jacobian(NODES.interp(x, NODES_X, NODES_Y), x)], {x: everywhere})
    np.testing.assert_array_equal(np.diag(g)[[0, 5]], [0.0, 0.0])
    one = symbol(None, (2,))
    (ours,) = evaluate([NODES.interp(one, [1.0], [3.0])], {one: np.array([0.0, 2.0])})
    np.testing.assert_array_equal(ours, [3.0, 3.0])


def test_interpolation_refuses_bad_samples():
    x = symbol(None, (2,))
    with pytest.raises(ShapeError, match="same length"):
        NODES.interp(x, NODES_X, NODES_Y[:2])
    with pytest.raises(ShapeError, match="at least one"):
        NODES.interp(x, [], [])
    with pytest.raises(ValueError, match="period"):
        NODES.interp(x, NODES_X, NODES_Y, period=0)


@pytest.mark.parametrize(
    "options",
    [{}, {"num": 5}, {"num": 4, "endpoint": False}, {"num": 1}, {"num": 0}, {"num": 1, "endpoint": False}],
    ids=str,
)
def test_evenly_spaced_points(options):
    start, stop = np.array(-1.5), np.array(2.0)
    agree(lambda a, b: NODES.linspace(a, b, **options), lambda a, b: np.linspace(a, b, **options), start, stop)


def test_evenly_spaced_points_of_arrays():
    start, stop = M[0], M[1]
    agree(lambda a, b: NODES.linspace(a, b, 4), lambda a, b: np.linspace(a, b, 4), start, stop)
    agree(lambda a, b: NODES.linspace(a, b, 4, axis=1), lambda a, b: np.linspace(a, b, 4, axis=1), start, stop)
    points, step = NODES.linspace(symbol(None, ()), 2.0, 5, retstep=True)
    assert (points.shape, step.shape) == ((5,), ())
    with pytest.raises(ValueError, match="non-negative"):
        NODES.linspace(symbol(None, ()), 2.0, -1)
