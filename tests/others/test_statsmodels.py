"""statsmodels' link functions, families, variance functions, robust norms and kernels, as they are written there."""

import inspect
import re
import warnings

import numpy as np
import pytest

from tests.others.calls import records, refused

links = pytest.importorskip("statsmodels.genmod.families.links", reason="statsmodels is in the extra 'test'")
families = pytest.importorskip("statsmodels.genmod.families.family")
varfuncs = pytest.importorskip("statsmodels.genmod.families.varfuncs")
norms = pytest.importorskip("statsmodels.robust.norms")
kernels = pytest.importorskip("statsmodels.nonparametric.kernels")

P = np.array([0.15, 0.4, 0.77])
Y = np.array([0.25, 0.55, 0.6])
Z = np.array([-2.7, -1.2, 0.3, 0.8, 2.3, 4.1])


def classes(module, base):
    """Classes of a module below one of its classes; names in small letters are old names of others."""
    found = inspect.getmembers(module, inspect.isclass)
    return {
        n: c
        for n, c in found
        if c.__module__ == module.__name__ and issubclass(c, base) and c is not base and n[0].isupper()
    }


# --------------------------------------------------------------------------------------------------------------- links

LINKS = classes(links, links.Link)
LINK_METHODS = ("__call__", "inverse", "deriv", "deriv2", "inverse_deriv", "inverse_deriv2")

#: Those that go through scipy.stats, which no protocol of NumPy's can catch.
DISTRIBUTIONS = {
    "CDFLink": LINK_METHODS,
    "Probit": LINK_METHODS,
    "Cauchy": ("__call__", "inverse", "deriv", "inverse_deriv"),
}


@pytest.mark.parametrize("method", LINK_METHODS)
@pytest.mark.parametrize("name", LINKS)
def test_links(name, method):
    function = getattr(LINKS[name](), method)
    if method in DISTRIBUTIONS.get(name, ()):
        message, lines = refused(function, P, "links.py")
        assert any("self.dbn" in line or "_approx_fprime" in line or "norm.pdf" in line for line in lines), (
            message,
            lines,
        )
        assert "calls.py" in message
    else:
        records(function, P)


def test_a_distribution_behind_a_link_is_named():
    message, _ = refused(links.Probit(), P, "links.py")
    assert re.search(
        r"scipy\.stats\.norm\.ppf computes with plain numbers.*links\.py:\d+.*called from.*st\.stats", message
    )


@pytest.mark.parametrize("power", [-2.0, -1.0, 0.5, 2.0])
@pytest.mark.parametrize("method", LINK_METHODS)
def test_power_links_of_other_powers(method, power):
    records(getattr(links.Power(power), method), P)


def test_parameters_of_links():
    records(lambda a: links.NegativeBinomial(a)(P), 0.7)
    records(lambda a: links.Power(a)(P), 0.7)


# ------------------------------------------------------------------------------------------------------------ families

FAMILIES = classes(families, families.Family)
OF_MEAN = ("variance", "fitted", "predict", "starting_mu", "weights")
OF_DATA = ("deviance", "resid_dev", "resid_anscombe", "loglike", "loglike_obs")


def family(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a dispersion that is not given
        made = FAMILIES[name](var_power=1.5) if name == "Tweedie" else FAMILIES[name]()
    if name == "Binomial":
        made.n = 1
    return made


@pytest.mark.parametrize("method", OF_MEAN)
@pytest.mark.parametrize("name", FAMILIES)
def test_families_in_the_mean(name, method):
    records(getattr(family(name), method), P)


WITHOUT_LIKELIHOOD = {("Tweedie", "loglike"), ("Tweedie", "loglike_obs")}  # unless eql=True
OF_FAMILIES = [(n, m) for n in FAMILIES for m in OF_DATA if (n, m) not in WITHOUT_LIKELIHOOD]


@pytest.mark.parametrize(("name", "method"), OF_FAMILIES)
def test_families_in_data_and_mean(name, method):
    function = getattr(family(name), method)
    records(lambda mu: function(Y, mu), P)
    records(lambda y: function(y, P), Y)


def test_the_extended_likelihood_of_tweedie():
    records(lambda mu: families.Tweedie(var_power=1.5, eql=True).loglike(Y, mu), P)


VARIANCES = [n for n, c in inspect.getmembers(varfuncs, inspect.isclass) if c.__module__ == varfuncs.__name__]


@pytest.mark.parametrize("method", ["__call__", "deriv"])
@pytest.mark.parametrize("name", VARIANCES)
def test_variance_functions(name, method):
    records(getattr(getattr(varfuncs, name)(), method), P)


# ------------------------------------------------------------------------------------------------------- robust norms

NORMS = classes(norms, norms.RobustNorm)
NORM_METHODS = ("__call__", "rho", "psi", "weights", "psi_deriv")


def norm(name):
    return norms.MQuantileNorm(0.3, norms.HuberT()) if name == "MQuantileNorm" else NORMS[name]()


@pytest.mark.parametrize("method", NORM_METHODS)
@pytest.mark.parametrize("name", NORMS)
def test_robust_norms(name, method):
    function = getattr(norm(name), method)
    if name == "Hampel":  # fills arrays made by np.zeros
        message, lines = refused(function, Z, "norms.py")
        assert re.match(r"[vd]\[t\d\] = ", lines[-1]), lines
        assert "called from" in message
        assert "st.zeros" in message
    else:
        records(function, Z)


@pytest.mark.parametrize("name", ["HuberT", "TukeyBiweight", "AndrewWave", "RamsayE"])
def test_robust_norms_of_one_residual(name):
    records(norm(name).rho, 0.7)


# ------------------------------------------------------------------------------------------------------------- kernels


@pytest.mark.parametrize("name", ["gaussian", "gaussian_convolution", "gaussian_cdf", "d_gaussian", "tricube"])
def test_kernels(name):
    kernel = getattr(kernels, name)
    records(lambda h: kernel(h, Y, 0.65), 0.7)
    records(lambda x: kernel(0.7, x, 0.65), Y)
    records(lambda x: kernel(0.7, Y, x), 0.65)


@pytest.mark.parametrize("name", ["aitchison_aitken", "wang_ryzin", "wang_ryzin_reg"])
def test_kernels_of_categories(name):
    records(lambda h: getattr(kernels, name)(h, np.array([0, 1, 1, 2]), 1), 0.7)


def test_a_kernel_that_fills_an_array():
    message, lines = refused(lambda h: kernels.aitchison_aitken_reg(h, np.array([0, 1, 1, 2]), 1), 0.7, "kernels.py")
    assert lines
    assert "called from" in message
