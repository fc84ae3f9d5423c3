"""Distributions against SciPy: values inside, at the ends and outside of the support, and slopes by differences."""

import numpy as np
import pytest
import scipy.stats

import symtape as st
from symtape.testing import difference

REAL = np.array([-40.0, -1.0, 0.0, 0.3, 1.0, 2.5, 60.0])
COUNTS = np.array([-1, 0, 1, 3, 5, 7])
CASES = {
    "norm": (REAL, (0.2, 1.5)),
    "lognorm": (REAL, (0.7, 0.1, 1.5)),
    "expon": (REAL, (0.1, 2.0)),
    "uniform": (REAL, (0.0, 2.0)),
    "laplace": (REAL, (0.1, 2.0)),
    "logistic": (REAL * 20, (0.1, 2.0)),
    "cauchy": (REAL, (0.1, 2.0)),
    "t": (REAL, (3.5, 0.1, 2.0)),
    "gamma": (REAL, (2.5, 0.1, 2.0)),
    "beta": (REAL, (2.5, 3.0, -0.1, 2.0)),
    "poisson": (COUNTS, (2.2,)),
    "binom": (COUNTS, (5, 0.3)),
    "bernoulli": (COUNTS, (0.3,)),
    "chi2": (REAL, (3.5, 0.1, 2.0)),
    "rayleigh": (REAL, (0.1, 2.0)),
    "weibull_min": (REAL, (1.7, 0.1, 2.0)),
    "gumbel_r": (REAL, (0.1, 2.0)),
    "gumbel_l": (REAL, (0.1, 2.0)),
    "invgamma": (REAL, (2.5, 0.1, 2.0)),
    "halfnorm": (REAL, (0.1, 2.0)),
    "halfcauchy": (REAL, (0.1, 2.0)),
    "pareto": (REAL, (2.5, -0.8, 1.0)),
    "f": (REAL, (2.5, 4.5, 0.1, 2.0)),
    "skewnorm": (REAL, (1.5, 0.1, 2.0)),
    "vonmises": (REAL, (1.5, 0.1, 2.0)),
    "geom": (COUNTS, (0.3,)),
    "nbinom": (COUNTS, (5, 0.3)),
}


def test_every_distribution_has_a_case():
    assert sorted(CASES) == dir(st.stats)


@pytest.mark.parametrize("name", CASES)
def test_values_are_scipys(name):
    x, parameters = CASES[name]
    ours, theirs = getattr(st.stats, name), getattr(scipy.stats, name)
    for method in dir(ours):
        expected = getattr(theirs, method)(x, *parameters)
        np.testing.assert_allclose(getattr(ours, method)(x, *parameters), expected, rtol=1e-12, atol=1e-300)
        defaults = (
            parameters[: len(parameters) - 2]
            if len(parameters) >= 2 and name not in ("binom", "nbinom")
            else parameters
        )
        np.testing.assert_allclose(
            getattr(ours, method)(x, *defaults), getattr(theirs, method)(x, *defaults), rtol=1e-12, atol=1e-300
        )


@pytest.mark.parametrize("name", CASES)
def test_slopes_in_the_parameters(name):
    x, parameters = CASES[name]
    inside = x[(x > 0) & (x < 1.5)]
    family = getattr(st.stats, name)
    log = family.logpmf if hasattr(family, "logpmf") else family.logpdf
    floats = [k for k, p in enumerate(parameters) if isinstance(p, float)]

    def total(*values):
        own = list(parameters)
        for k, v in zip(floats, values, strict=True):
            own[k] = v
        return np.sum(log(inside, *own))

    at = [np.array(parameters[k]) for k in floats]
    slopes = st.grad(total, tuple(range(len(floats))))(*[float(a) for a in at])
    for k, slope in enumerate(slopes):
        direction = [np.array(float(i == k)) for i in range(len(at))]
        assert slope == pytest.approx(difference(lambda *v: float(total(*v)), at, direction), rel=1e-7, abs=1e-7)


def test_edges():
    assert st.stats.poisson.logpmf(0, 0.0) == 0.0
    assert st.stats.poisson.pmf(1, 0.0) == 0.0
    assert st.stats.poisson.pmf(1.5, 2.0) == 0.0
    assert st.stats.binom.pmf(0, 5, 0.0) == 1.0
    assert st.stats.binom.pmf(5, 5, 1.0) == pytest.approx(1.0)
    assert st.stats.bernoulli.pmf([0, 1], 0.25) == pytest.approx([0.75, 0.25])


def test_no_gradient_and_no_nan_from_outside_the_support():
    slope = st.grad(lambda a: np.sum(st.stats.gamma.pdf(np.array([-1.0, 1.0]), a)))(2.0)
    expected = st.grad(lambda a: st.stats.gamma.pdf(1.0, a))(2.0)
    assert slope == expected
    assert st.grad(lambda x: st.stats.expon.logpdf(x))(-1.0) == 0.0
