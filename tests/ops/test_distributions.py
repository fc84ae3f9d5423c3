"""Densities and distribution functions against SciPy's numbers and the textbook's derivatives."""

import numpy as np
import pytest
import scipy.stats

import symtape as st

X = np.array([-8.0, -1.5, 0.0, 0.3, 2.0, 9.0])


@pytest.mark.parametrize("name", ["logpdf", "pdf", "cdf", "sf"])
def test_normal(name):
    x, loc, scale = st.constant(X), st.Variable(0.4, name="loc"), st.Variable(1.7, name="scale")
    ours = getattr(st.stats.norm, name)(x, loc, scale).numpy()
    np.testing.assert_allclose(ours, getattr(scipy.stats.norm, name)(X, 0.4, 1.7), rtol=1e-13)
    standard = getattr(st.stats.norm, name)(x).numpy()
    np.testing.assert_allclose(standard, getattr(scipy.stats.norm, name)(X), rtol=1e-13)


def test_the_score_of_a_normal_sample():
    loc, scale = st.Variable(0.4, name="loc"), st.Variable(1.7, name="scale")
    with st.GradientTape() as tape:
        likelihood = np.sum(st.stats.norm.logpdf(X, loc=loc, scale=scale))
    dloc, dscale = tape.gradient(likelihood, [loc, scale])
    z = (X - 0.4) / 1.7
    assert float(dloc) == pytest.approx(np.sum(z) / 1.7, rel=1e-14)
    assert float(dscale) == pytest.approx(np.sum(z**2 - 1) / 1.7, rel=1e-14)


def test_the_density_is_the_derivative_of_the_distribution_function():
    x = st.Variable(0.7, name="x")
    with st.GradientTape() as tape:
        probability = st.stats.norm.cdf(x)
    assert float(tape.gradient(probability, x)) == pytest.approx(scipy.stats.norm.pdf(0.7), rel=1e-14)


@pytest.mark.parametrize("name", ["logpdf", "pdf"])
def test_exponential(name):
    x, scale = st.constant(X), st.Variable(2.0, name="scale")
    with st.GradientTape() as tape:
        y = getattr(st.stats.expon, name)(x, 0.1, scale)
        total = np.sum(np.where(X > 0.1, y, 0.0))
    np.testing.assert_allclose(y.numpy(), getattr(scipy.stats.expon, name)(X, 0.1, 2.0), rtol=1e-14)
    assert np.isfinite(float(tape.gradient(total, scale)))


def test_poisson():
    k, mu = np.array([0, 1, 4, 30]), st.Variable(3.5, name="mu")
    with st.GradientTape() as tape:
        y = st.stats.poisson.logpmf(k, mu)
        total = np.sum(y)
    np.testing.assert_allclose(y.numpy(), scipy.stats.poisson.logpmf(k, 3.5), rtol=1e-13)
    assert float(tape.gradient(total, mu)) == pytest.approx(np.sum(k / 3.5 - 1), rel=1e-14)


def test_arrays_in_arrays_out_and_what_is_not_there():
    np.testing.assert_allclose(st.stats.norm.pdf(X), scipy.stats.norm.pdf(X), rtol=1e-14)
    with pytest.raises(AttributeError, match=r"norm has no function 'logpfd'; did you mean .*logpdf"):
        _ = st.stats.norm.logpfd
    with pytest.raises(AttributeError, match="gompertz"):
        _ = st.stats.gompertz
