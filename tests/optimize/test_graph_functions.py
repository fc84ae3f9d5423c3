"""Functions of a flat vector: stable forms of what people write hold in minimization, too."""

import numpy as np

import symtape as st


def test_a_logistic_loss_by_hand_is_minimized_from_where_it_overflows():
    rng = np.random.default_rng(0)
    features = 300 * rng.normal(size=(50, 2))
    wanted = (features @ np.array([1.0, -1.0]) > 0) * 1.0

    def loss(w):
        margins = features @ w
        return np.sum(np.log(1 + np.exp(margins)) - wanted * margins) + 0.5 * np.sum(w**2)

    found = st.minimize(loss, np.array([10.0, 10.0]))
    assert found.success
    assert np.isfinite(found.fun)
    slope = st.grad(loss)(found.x)
    assert np.max(np.abs(slope)) < 1e-6
