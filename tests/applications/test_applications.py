"""Programs written for plain NumPy, called with tensors: same values, exact gradients, compiled code."""

import numpy as np
import pytest
import scipy.interpolate
import scipy.special
import scipy.stats

import symtape as st
from symtape.testing import check_gradients, difference
from tests.applications import cubic_spline, gaussian_process, kalman, neural_network


def along(f, x, seed=0):
    """A random direction, and the derivative along it by differences of order eight."""
    d = np.random.default_rng(seed).standard_normal(x.shape)
    return d, difference(lambda v: float(f(v)), [x], [d])


# ------------------------------------------------------------------------------------------------------- Kalman filter


@pytest.fixture
def model():
    rng = np.random.default_rng(1)
    F = np.array([[1.0, 0.5], [-0.3, 0.8]])
    H = np.array([[1.0, 0.0], [0.4, 1.0]])
    Q, R = 0.1 * np.eye(2), np.array([[0.3, 0.05], [0.05, 0.2]])
    return F, H, Q, R, np.zeros(2), np.eye(2), rng.standard_normal((6, 2))


def joint_log_density(F, H, Q, R, mean, covariance, observations):
    """The same likelihood as one large normal distribution."""
    count, n = len(observations), len(mean)
    powers = [np.linalg.matrix_power(F, k) for k in range(count + 1)]
    variances = [covariance]
    for _ in range(count):
        variances.append(F @ variances[-1] @ F.T + Q)
    blocks = [[None] * count for _ in range(count)]
    for i in range(1, count + 1):
        for j in range(1, i + 1):
            cross = H @ powers[i - j] @ variances[j] @ H.T
            blocks[i - 1][j - 1], blocks[j - 1][i - 1] = cross, cross.T
        blocks[i - 1][i - 1] = blocks[i - 1][i - 1] + R
    center = np.concatenate([H @ powers[i] @ mean for i in range(1, count + 1)])
    assert n == H.shape[1]
    return scipy.stats.multivariate_normal(center, np.block(blocks)).logpdf(observations.ravel())


def test_kalman_filter_is_right(model):
    assert kalman.log_likelihood(*model) == pytest.approx(joint_log_density(*model), rel=1e-12)


@pytest.mark.parametrize("k", range(7))
def test_gradient_of_a_kalman_filter(model, k):
    def f(x):
        return kalman.log_likelihood(*model[:k], x, *model[k + 1 :])

    value, g = st.value_and_grad(f)(model[k])
    assert value == pytest.approx(kalman.log_likelihood(*model), rel=1e-13)
    d, expected = along(f, model[k])
    assert np.sum(g * d) == pytest.approx(expected, rel=1e-8)


def test_filtered_means_have_a_jacobian(model):
    def f(q):
        return kalman.filtered(*model[:2], q[0] * np.eye(2), np.diag(q[1:]), *model[4:])

    q = np.array([0.1, 0.3, 0.2])
    np.testing.assert_allclose(st.jit(f)(q), f(q), rtol=1e-12)
    check_gradients(f, q, order=2)


def test_a_kalman_filter_on_a_tape_compiles(model):
    F = st.Variable(model[0], name="F")
    with st.GradientTape() as tape:
        likelihood = kalman.log_likelihood(F, *model[1:])
    g = tape.gradient(likelihood, F)
    f = st.function([F], [likelihood, g])
    value, compiled = f(model[0])
    assert value == pytest.approx(float(likelihood), rel=1e-12)
    np.testing.assert_allclose(compiled, g.numpy(), rtol=1e-10)


# ---------------------------------------------------------------------------------------------------- Gaussian process


@pytest.fixture
def data():
    rng = np.random.default_rng(2)
    X = rng.uniform(-2, 2, (12, 2))
    return np.array([0.1, -0.2, 0.3, -1.5]), X, np.sin(X[:, 0]) + 0.1 * rng.standard_normal(12)


def test_marginal_likelihood_is_a_normal_density(data):
    parameters, X, y = data
    K = gaussian_process.kernel(X, X, np.exp(parameters[0]), np.exp(parameters[1:-1]))
    K += (np.exp(parameters[-1]) ** 2 + 1e-10) * np.eye(12)
    expected = -scipy.stats.multivariate_normal(np.zeros(12), K).logpdf(y)
    assert gaussian_process.negative_log_marginal_likelihood(*data) == pytest.approx(expected, rel=1e-11)


def test_gradient_of_a_marginal_likelihood_is_the_textbooks(data):
    """Rasmussen and Williams (2006), equation 5.9, for the amplitude and the noise."""
    parameters, X, y = data
    g = st.grad(gaussian_process.negative_log_marginal_likelihood)(*data)
    K = gaussian_process.kernel(X, X, np.exp(parameters[0]), np.exp(parameters[1:-1]))
    noise = np.exp(parameters[-1]) ** 2
    inverse = np.linalg.inv(K + (noise + 1e-10) * np.eye(12))
    alpha = inverse @ y
    inner = inverse - np.outer(alpha, alpha)
    assert g[0] == pytest.approx(0.5 * np.trace(inner @ (2 * K)), rel=1e-9)
    assert g[-1] == pytest.approx(0.5 * np.trace(inner) * 2 * noise, rel=1e-9)


@pytest.mark.parametrize("k", range(3))
def test_gradient_of_a_marginal_likelihood_in_everything(data, k):
    def f(x):
        return gaussian_process.negative_log_marginal_likelihood(*data[:k], x, *data[k + 1 :])

    d, expected = along(f, data[k])
    g = st.grad(f)(data[k])
    assert np.sum(g * d) == pytest.approx(expected, rel=1e-7)
    np.testing.assert_allclose(st.jit(st.grad(f))(data[k]), g, rtol=1e-9, atol=1e-12)


def test_hyperparameters_have_a_hessian_and_a_minimum(data):
    parameters, X, y = data

    def f(p):
        return gaussian_process.negative_log_marginal_likelihood(p, X, y)

    H = st.hessian(f)(parameters)
    d, expected = along(lambda p: st.grad(f)(p)[0], parameters)
    assert (H @ d)[0] == pytest.approx(expected, rel=1e-7)
    np.testing.assert_allclose(H, H.T, rtol=1e-9, atol=1e-9)


def test_predictions_depend_on_new_points(data):
    parameters, X, y = data
    check_gradients(lambda z: gaussian_process.posterior_mean(parameters, X, y, z), X[:3] + 0.1, order=2)


# ------------------------------------------------------------------------------------------------------ neural network


@pytest.fixture
def network():
    rng = np.random.default_rng(3)
    layers = neural_network.initialized((2, 5, 4, 3), rng)
    return layers, rng.standard_normal((20, 2)), rng.integers(0, 3, 20)


def by_hand(layers, X, labels, decay=1e-3):
    """The gradient by the formulas of backpropagation."""
    inputs = [X]
    for W, b in layers[:-1]:
        inputs.append(np.tanh(inputs[-1] @ W + b))
    z = inputs[-1] @ layers[-1][0] + layers[-1][1]
    delta = scipy.special.softmax(z, axis=1)
    delta[np.arange(len(labels)), labels] -= 1
    delta /= len(labels)
    found = []
    for k in range(len(layers) - 1, -1, -1):
        W, _ = layers[k]
        found.insert(0, (inputs[k].T @ delta + 2 * decay * W, delta.sum(axis=0)))
        delta = (delta @ W.T) * (1 - inputs[k] ** 2)
    return found


def test_gradient_of_a_network_is_backpropagation(network):
    layers, X, labels = network
    g = st.grad(neural_network.cross_entropy)(layers, X, labels)
    for ours, theirs in zip(g, by_hand(*network), strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-14)


def test_a_network_on_a_tape_with_variables(network):
    layers, X, labels = network
    variables = [(st.Variable(W), st.Variable(b)) for W, b in layers]
    with st.GradientTape() as tape:
        loss = neural_network.cross_entropy(variables, X, labels)
    g = tape.gradient(loss, variables)
    np.testing.assert_allclose(g[0][0].numpy(), by_hand(*network)[0][0], rtol=1e-10, atol=1e-14)


def test_a_network_learns(network):
    layers, X, _ = network
    labels = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)
    step = st.jit(st.value_and_grad(neural_network.cross_entropy))
    losses = []
    for _ in range(60):
        loss, g = step(layers, X, labels)
        losses.append(float(loss))
        layers = [(W - 0.5 * dW, b - 0.5 * db) for (W, b), (dW, db) in zip(layers, g, strict=True)]
    assert losses[-1] < 0.4 * losses[0]


# -------------------------------------------------------------------------------------------------------- cubic spline

KNOTS = np.array([0.0, 0.7, 1.5, 2.0, 3.1, 4.0])
HEIGHTS = np.array([1.0, -0.5, 0.3, 2.0, 0.1, -1.0])
AT = np.array([0.1, 0.75, 1.9, 2.4, 3.9])


def test_the_spline_is_scipys():
    expected = scipy.interpolate.CubicSpline(KNOTS, HEIGHTS, bc_type="natural")
    np.testing.assert_allclose(cubic_spline.spline(KNOTS, HEIGHTS, AT), expected(AT), rtol=1e-12, atol=1e-12)
    slope = st.grad(lambda at: np.sum(cubic_spline.spline(KNOTS, HEIGHTS, at)))(AT)
    np.testing.assert_allclose(slope, expected(AT, 1), rtol=1e-11)
    curvature = st.jacobian(st.grad(lambda at: np.sum(cubic_spline.spline(KNOTS, HEIGHTS, at))))(AT)
    np.testing.assert_allclose(np.diag(curvature), expected(AT, 2), rtol=1e-10)


@pytest.mark.parametrize("k", range(3))
def test_gradient_of_a_spline_in_knots_heights_and_place(k):
    arguments = [KNOTS, HEIGHTS, AT]

    def f(x):
        return np.sum(np.cos(cubic_spline.spline(*arguments[:k], x, *arguments[k + 1 :])))

    d, expected = along(f, arguments[k])
    assert np.sum(st.grad(f)(arguments[k]) * d) == pytest.approx(expected, rel=1e-8)


def test_a_spline_compiles():
    heights = st.Variable(HEIGHTS, name="heights")
    with st.GradientTape() as tape:
        y = cubic_spline.spline(KNOTS, heights, AT)
        energy = np.sum(y**2)
    f = st.function([heights], [y, tape.gradient(energy, heights)])
    np.testing.assert_allclose(f(HEIGHTS)[0], cubic_spline.spline(KNOTS, HEIGHTS, AT), rtol=1e-12)
    np.testing.assert_allclose(f(2 * HEIGHTS)[1], 2 * f(HEIGHTS)[1], rtol=1e-11)
