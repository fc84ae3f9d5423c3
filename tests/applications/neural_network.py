"""A small neural network in plain NumPy: nothing here knows that it may be called with tensors."""

import itertools

import numpy as np


def initialized(sizes, rng):
    """Weights and biases of each layer."""
    return [(rng.standard_normal((m, n)) / np.sqrt(m), np.zeros(n)) for m, n in itertools.pairwise(sizes)]


def logits(layers, X):
    """The output of the last layer, tanh between the others."""
    for W, b in layers[:-1]:
        X = np.tanh(X @ W + b)
    W, b = layers[-1]
    return X @ W + b


def cross_entropy(layers, X, labels, decay=1e-3):
    """Mean loss over the samples plus weight decay."""
    z = logits(layers, X)
    top = np.max(z, axis=1, keepdims=True)
    log_total = top[:, 0] + np.log(np.sum(np.exp(z - top), axis=1))
    loss = np.mean(log_total - z[np.arange(len(labels)), labels])
    for W, _ in layers:
        loss = loss + decay * np.sum(W**2)
    return loss
