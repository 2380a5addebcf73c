"""Scores that are means over examples: of each, its value.

All take the number of each true class, shape (example,), and the probabilities, shape (example,
class), and return shape (example,).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Keras clips probabilities here before it takes a logarithm, so our log loss and its loss agree.
SMALLEST_PROBABILITY = 1e-7


def right(truth: NDArray[np.int64], probability: Array) -> Array:
    """Whether the most probable class is the true one: 0 or 1."""
    return (probability.argmax(1) == truth).astype(float)


def log_loss(truth: NDArray[np.int64], probability: Array) -> Array:
    """−ln of the probability of the true class, in nats (Good 1952)."""
    of_truth = probability[np.arange(len(truth)), truth]
    return -np.log(np.clip(of_truth, SMALLEST_PROBABILITY, 1.0))


def _error(truth: NDArray[np.int64], probability: Array) -> Array:
    return probability - np.eye(probability.shape[1])[truth]


def brier(truth: NDArray[np.int64], probability: Array) -> Array:
    """Squared error summed over classes, 0 to 2 (Brier 1950)."""
    return (_error(truth, probability) ** 2).sum(1)


def mse(truth: NDArray[np.int64], probability: Array) -> Array:
    """Mean over classes of the squared error against the one-hot label, as Keras computes it."""
    return brier(truth, probability) / probability.shape[1]


def mae(truth: NDArray[np.int64], probability: Array) -> Array:
    """Mean over classes of the absolute error against the one-hot label, as Keras computes it."""
    return np.abs(_error(truth, probability)).mean(1)
