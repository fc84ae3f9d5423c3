import numpy as np
import pytest

import symtape as st

X = np.array([1.0, 2.0, 3.0], np.float32)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.zeros_like(x),
        lambda x: np.ones_like(x),
        lambda x: np.full_like(x, 7),
        lambda x: np.full_like(x, np.array([1.5, 2.5, 3.5])),
        lambda x: np.zeros_like(x, dtype=int),
        lambda x: np.ones_like(x, shape=(2, 2)),
        lambda x: np.meshgrid(x, x[:2])[0],
        lambda x: np.meshgrid(x, x[:2])[1],
        lambda x: np.meshgrid(x, x[:2], indexing="ij")[1],
        lambda x: np.meshgrid(x, x[:2], sparse=True)[1],
        lambda x: np.meshgrid(x)[0],
        lambda x: np.vander(x),
        lambda x: np.vander(x, 2, increasing=True),
        lambda x: np.polyval(x, 2.0),
        lambda x: np.polyval([1.0, 2.0], x),
        lambda x: np.polyval(x, x),
    ],
)
def test_values_are_numpys(call):
    ours, theirs = call(st.constant(X)), call(X)
    np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-6)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype


def test_empty_is_zero_and_fillings_record():
    assert np.empty_like(st.constant(X)).tolist() == [0.0, 0.0, 0.0]
    x, k = st.constant(np.ones(3)), st.Variable(2.0)
    with st.GradientTape() as tape:
        y = np.sum(np.full_like(x, k))
    assert tape.gradient(y, k).item() == 3.0


def test_a_polynomial_is_differentiable_in_coefficients_and_argument():
    p, x = np.array([2.0, -1.0, 3.0]), 1.5
    dp, dx = st.grad(lambda p, x: np.polyval(p, x), (0, 1))(p, x)
    np.testing.assert_allclose(dp, [2.25, 1.5, 1.0])
    assert dx == 2 * 2.0 * 1.5 - 1.0


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.zeros_like(x, device="gpu"),
        lambda x: np.meshgrid(x, x, indexing="xz"),
        lambda x: np.vander(np.ones((2, 2)) * x[0]),
        lambda x: np.polyval(np.ones((2, 2)) * x[0], 1.0),
        lambda x: np.full_like(x, [1.0, 2.0]),
    ],
)
def test_wrong_use_raises(call):
    with pytest.raises((TypeError, ValueError)):
        call(st.constant(X))
