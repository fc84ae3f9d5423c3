"""A Kalman filter in plain NumPy: nothing here knows that it may be called with tensors."""

import numpy as np


def log_likelihood(F, H, Q, R, mean, covariance, observations):
    """Log density of a series of observations under a linear Gaussian state space model."""
    total = 0.0
    for y in observations:
        mean = F @ mean
        covariance = F @ covariance @ F.T + Q
        innovation = y - H @ mean
        S = H @ covariance @ H.T + R
        gain = np.linalg.solve(S, H @ covariance).T
        mean = mean + gain @ innovation
        covariance = covariance - gain @ H @ covariance
        covariance = (covariance + covariance.T) / 2
        _, logdet = np.linalg.slogdet(S)
        total -= 0.5 * (logdet + innovation @ np.linalg.solve(S, innovation) + len(y) * np.log(2 * np.pi))
    return total


def filtered(F, H, Q, R, mean, covariance, observations):
    """Filtered means, one row a time."""
    means = []
    for y in observations:
        mean = F @ mean
        covariance = F @ covariance @ F.T + Q
        gain = covariance @ H.T @ np.linalg.inv(H @ covariance @ H.T + R)
        mean = mean + gain @ (y - H @ mean)
        covariance = (np.eye(len(mean)) - gain @ H) @ covariance
        means.append(mean)
    return np.stack(means)
