import numpy as np
import pytest
import scipy.linalg
import scipy.special
import scipy.stats

import symtape as st

X = np.array([0.25, 0.5, 2.0])


def test_arrays_in_arrays_out():
    np.testing.assert_allclose(st.special.erf(X), scipy.special.erf(X), rtol=1e-15)
    assert type(st.special.erf(X)) is np.ndarray
    assert type(st.special.gamma(0.5)) is float
    np.testing.assert_allclose(st.special.logsumexp(X), scipy.special.logsumexp(X))
    sign, log = st.linalg.slogdet(np.eye(2) * 2)
    assert (sign, log) == (1.0, pytest.approx(np.log(4.0)))
    np.testing.assert_array_equal(st.where([True, False], 1.0, 2.0), [1.0, 2.0])
    np.testing.assert_array_equal(st.stack([X, X], axis=1), np.stack([X, X], axis=1))
    assert st.special.softplus(0.0) == pytest.approx(np.log(2.0))


def test_tensors_in_tensors_out_lists_too():
    x = st.Variable(2.0)
    for y in (
        st.special.erf(x),
        st.special.softmax([x, 1.0]),
        st.linalg.det([[x, 0.0], [0.0, x]]),
        st.where([True], x, 0.0),
        st.stack(np.array([x, x])),
        st.stats.norm.logpdf(X, x),
        st.stats.norm.logpdf(X, loc=x),
    ):
        assert type(y) is st.Tensor


def test_names_are_those_of_the_packages():
    for name in dir(st.special):
        assert name == "softplus" or hasattr(scipy.special, name)
    for name in dir(st.linalg):
        assert hasattr(np.linalg, name) or hasattr(scipy.linalg, name)
    for name in dir(st.stats):
        assert hasattr(scipy.stats, name)
        for method in dir(getattr(st.stats, name)):
            assert hasattr(getattr(scipy.stats, name), method)
    assert st.special.erf is st.special.erf
    assert st.special.erf.__name__ == "erf"
    assert "erf" in repr(st.special)


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(AttributeError, match=r"st\.special has no function 'gama'; did you mean gamma.*it has .*erf"):
        _ = st.special.gama
    with pytest.raises(AttributeError, match=r"st\.stats\.norm"):
        _ = st.stats.norm.rvs
    assert not hasattr(st.special, "__wrapped__")
