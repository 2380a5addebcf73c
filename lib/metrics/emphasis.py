"""How much each class counts in a training: how often it is drawn, and how much it weighs."""

from __future__ import annotations

import numpy as np


def drawn(labels: np.ndarray, undersampling: float = 0.0) -> np.ndarray:
    """Count the examples of each class that an epoch draws.

    Parameters
    ----------
    labels : np.ndarray [shape=(n,), dtype=int]
        Class numbers.
    undersampling : float
        How many times the examples of all other classes together the largest class has at most;
        0 for all of them.

    Returns
    -------
    np.ndarray [dtype=int]
        By class number.
    """
    counts = np.bincount(labels)
    if undersampling:
        largest = counts.argmax()
        others = counts.sum() - counts[largest]
        if others:  # one class alone has nothing to be measured by
            counts[largest] = min(counts[largest], max(1, round(undersampling * others)))
    return counts


def class_weights(labels: np.ndarray, power: float = 1.0, undersampling: float = 0.0) -> np.ndarray:
    """Weigh examples of rare classes more; those that an epoch draws weigh 1 on average.

    With a power of 1 and all examples drawn it is scikit-learn's
    `compute_sample_weight("balanced", labels)`, whose import would take a second of every training.

    Parameters
    ----------
    labels : np.ndarray [shape=(n,), dtype=int]
        Class numbers.
    power : float
        With 1 each class counts the same in sum, with 0 each example.
    undersampling : float
        As for `drawn`.

    Returns
    -------
    np.ndarray [shape=(n,), dtype=float32]
        Proportional to 1 / (drawn examples of the class) ** power.
    """
    counts = drawn(labels, undersampling)
    weights = _by_class(counts, power)
    return (weights * (counts.sum() / (counts @ weights)))[labels].astype(np.float32)


def emphasis(labels: np.ndarray, power: float, undersampling: float = 0.0) -> np.ndarray:
    """Say how much each example counts in a training on average, drawn or not.

    Parameters
    ----------
    labels, power, undersampling
        As for `class_weights`.

    Returns
    -------
    np.ndarray [shape=(n,), dtype=float64]
        Proportional to its class weight times how often it is drawn.
    """
    counts, there = drawn(labels, undersampling), np.maximum(np.bincount(labels), 1)
    return (_by_class(counts, power) * counts / there)[labels]


def _by_class(counts: np.ndarray, power: float) -> np.ndarray:
    return np.maximum(counts, 1) ** -float(power)
