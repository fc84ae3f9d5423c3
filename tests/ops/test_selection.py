import numpy as np
import pytest

import symtape as st

X = np.array([1.0, np.nan, np.inf, -np.inf, 0.0])


def test_select_takes_the_first_that_holds():
    x = np.array([-2.0, 0.5, 3.0])
    call = lambda x: np.select([x < 0, x < 1], [x**2, 5.0], -x)
    np.testing.assert_array_equal(call(st.constant(x)).numpy(), call(x))
    np.testing.assert_array_equal(st.grad(lambda x: np.sum(call(x)))(x), [-4.0, 0.0, -1.0])
    v = st.constant(x)
    with pytest.raises(ValueError, match="same length"):
        np.select([v < 0], [v, v])
    with pytest.raises(ValueError, match="empty"):
        np.select([], [], v)


@pytest.mark.parametrize("equal_nan", [False, True])
def test_isclose(equal_nan):
    for a, b in ((X, X), (X, X + 1e-9), (X, X[::-1]), (X, 0.0)):
        expected = np.isclose(a, b, equal_nan=equal_nan)
        np.testing.assert_array_equal(np.isclose(st.constant(a), b, equal_nan=equal_nan).numpy(), expected)
    assert np.isclose(st.constant(1.0), 1.1, atol=0.2).item()


def test_nan_to_num():
    np.testing.assert_array_equal(np.nan_to_num(st.constant(X)).numpy(), np.nan_to_num(X))
    options = {"nan": 7.0, "posinf": 8.0, "neginf": -8.0}
    np.testing.assert_array_equal(np.nan_to_num(st.constant(X), **options).numpy(), np.nan_to_num(X, **options))
    k = st.constant([1, 2], dtype=np.int64)
    assert np.nan_to_num(k).dtype == np.int64
    x32 = st.constant(X, dtype=np.float32)
    np.testing.assert_array_equal(np.nan_to_num(x32).numpy(), np.nan_to_num(X.astype(np.float32)))
    with pytest.raises(TypeError, match="copy=False"):
        np.nan_to_num(st.constant(X), copy=False)
