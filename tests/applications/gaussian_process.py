"""Gaussian process regression in plain NumPy: nothing here knows that it may be called with tensors."""

import numpy as np


def kernel(X, Z, amplitude, lengths):
    """Squared exponential with a length for each coordinate."""
    difference = (X[:, None, :] - Z[None, :, :]) / lengths
    return amplitude**2 * np.exp(-0.5 * np.sum(difference**2, axis=-1))


def negative_log_marginal_likelihood(parameters, X, y):
    """Of log amplitude, log lengths and log noise (Rasmussen and Williams 2006, equation 2.30)."""
    amplitude, lengths, noise = np.exp(parameters[0]), np.exp(parameters[1:-1]), np.exp(parameters[-1])
    K = kernel(X, X, amplitude, lengths) + (noise**2 + 1e-10) * np.eye(len(X))
    L = np.linalg.cholesky(K)
    alpha = np.linalg.solve(L.T, np.linalg.solve(L, y))
    return 0.5 * y @ alpha + np.sum(np.log(np.diag(L))) + 0.5 * len(X) * np.log(2 * np.pi)


def posterior_mean(parameters, X, y, Z):
    """The prediction at new points."""
    amplitude, lengths, noise = np.exp(parameters[0]), np.exp(parameters[1:-1]), np.exp(parameters[-1])
    K = kernel(X, X, amplitude, lengths) + noise**2 * np.eye(len(X))
    return kernel(Z, X, amplitude, lengths) @ np.linalg.solve(K, y)
