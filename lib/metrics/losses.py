"""Scores that are means over examples: of each, its value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Keras clips probabilities here before it takes a logarithm, so our log loss and its loss agree.
SMALLEST_PROBABILITY = 1e-7


def right(truth: NDArray[np.int64], probability: Array) -> Array:
    """Say whether the most probable class is the true one.

    Parameters
    ----------
    truth : ndarray of int, shape (example,)
        Numbers of the true classes.
    probability : ndarray, shape (example, class)
        Of each class.

    Returns
    -------
    ndarray, shape (example,)
        0 or 1.
    """
    return (probability.argmax(1) == truth).astype(float)


def log_loss(truth: NDArray[np.int64], probability: Array) -> Array:
    """Compute −ln of the probability of the true class (Good 1952).

    Parameters
    ----------
    truth, probability
        As for `right`.

    Returns
    -------
    ndarray, shape (example,)
        In nats.
    """
    of_truth = probability[np.arange(len(truth)), truth]
    return -np.log(np.clip(of_truth, SMALLEST_PROBABILITY, 1.0))


def _error(truth: NDArray[np.int64], probability: Array) -> Array:
    return probability - np.eye(probability.shape[1])[truth]


def brier(truth: NDArray[np.int64], probability: Array) -> Array:
    """Add up the squared errors of the classes (Brier 1950).

    Parameters
    ----------
    truth, probability
        As for `right`.

    Returns
    -------
    ndarray, shape (example,)
        0 to 2.
    """
    return (_error(truth, probability) ** 2).sum(1)


def mse(truth: NDArray[np.int64], probability: Array) -> Array:
    """Average the squared errors of the classes, as Keras does.

    Parameters
    ----------
    truth, probability
        As for `right`.

    Returns
    -------
    ndarray, shape (example,)
        Against the one-hot label, 0 to 1.
    """
    return brier(truth, probability) / probability.shape[1]


def mae(truth: NDArray[np.int64], probability: Array) -> Array:
    """Average the absolute errors of the classes, as Keras does.

    Parameters
    ----------
    truth, probability
        As for `right`.

    Returns
    -------
    ndarray, shape (example,)
        Against the one-hot label, 0 to 1.
    """
    return np.abs(_error(truth, probability)).mean(1)
