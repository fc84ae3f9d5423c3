"""What scientists write: special functions over long arrays, a Gaussian process; beside derivatives by hand."""

import numpy as np
import pytest

import symtape as st

linalg = pytest.importorskip("scipy.linalg")
special = pytest.importorskip("scipy.special")

# --- value and derivative of a special function, a million numbers ----------------------------------------

NUMBERS = np.random.default_rng(0).uniform(0.5, 4.5, 1_000_000)

#: A function and its value and derivative as SciPy's user would write them.
FUNCTIONS = {
    "erf": (special.erf, lambda x: (special.erf(x), 2 / np.sqrt(np.pi) * np.exp(-(x**2)))),
    "gammaln": (special.gammaln, lambda x: (special.gammaln(x), special.digamma(x))),
    "log_ndtr": (
        special.log_ndtr,
        lambda x: (y := special.log_ndtr(x), np.exp(-(x**2) / 2 - y) / np.sqrt(2 * np.pi)),
    ),
    "jv": (lambda x: special.jv(1.5, x), lambda x: (special.jv(1.5, x), special.jvp(1.5, x))),
    "lambertw": (st.special.lambertw, lambda x: (w := special.lambertw(x).real, w / (x * (1 + w)))),
}


@pytest.mark.benchmark(group="value and derivative of a special function, 1e6 numbers")
@pytest.mark.parametrize("peer", ["symtape", "scipy by hand"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_function(benchmark, report, name, peer):
    recorded, by_hand = FUNCTIONS[name]
    x = st.symbol("x")
    with st.GradientTape() as tape:
        tape.watch(x)
        y = recorded(x)
    ours = st.function([x], [y, tape.gradient(y, x)]).batch
    for a, b in zip(ours(NUMBERS[:1000]), by_hand(NUMBERS[:1000]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    benchmark.pedantic(ours if peer == "symtape" else by_hand, (NUMBERS,), rounds=5, warmup_rounds=1)
    report(benchmark.stats.stats.min * 1e3, "ms")


# --- the marginal likelihood of a Gaussian process, 200 points ----------------------------------------

RNG = np.random.default_rng(1)
X = np.sort(RNG.uniform(0, 5, 200))
Y = np.sin(X) + 0.1 * RNG.normal(size=200)
START = np.log([1.0, 0.8, 0.2])


def likelihood(parameters):
    """Minus the log marginal likelihood of log amplitude, log length, log noise (Rasmussen and Williams, eq. 2.30)."""
    amplitude, length, noise = np.exp(parameters[0]), np.exp(parameters[1]), np.exp(parameters[2])
    K = amplitude**2 * np.exp(-0.5 * ((X[:, None] - X[None, :]) / length) ** 2) + noise**2 * np.eye(len(X))
    L = np.linalg.cholesky(K)
    alpha = np.linalg.solve(K, Y)
    return 0.5 * Y @ alpha + np.sum(np.log(np.diag(L))) + 0.5 * len(X) * np.log(2 * np.pi)


def likelihood_by_hand(parameters):
    """Value and gradient, from equation 5.9."""
    amplitude, length, noise = np.exp(parameters)
    squares = ((X[:, None] - X[None, :]) / length) ** 2
    smooth = amplitude**2 * np.exp(-0.5 * squares)
    factor = linalg.cho_factor(smooth + noise**2 * np.eye(len(X)), lower=True)
    alpha = linalg.cho_solve(factor, Y)
    value = 0.5 * Y @ alpha + np.sum(np.log(np.diag(factor[0]))) + 0.5 * len(X) * np.log(2 * np.pi)
    inner = linalg.cho_solve(factor, np.eye(len(X))) - np.outer(alpha, alpha)
    slopes = [np.sum(inner * smooth), 0.5 * np.sum(inner * smooth * squares), noise**2 * np.trace(inner)]
    return value, np.array(slopes)


@pytest.mark.benchmark(group="value and gradient of a Gaussian process's likelihood, 200 points")
@pytest.mark.parametrize("peer", ["symtape", "numpy by hand"])
def test_gaussian_process(benchmark, report, peer):
    ours = st.jit(st.value_and_grad(likelihood))
    for a, b in zip(ours(START), likelihood_by_hand(START), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8)
    benchmark.pedantic(ours if peer == "symtape" else likelihood_by_hand, (START,), rounds=30, warmup_rounds=3)
    report(benchmark.stats.stats.min * 1e3, "ms")
