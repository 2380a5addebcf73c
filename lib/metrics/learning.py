"""How a training ended: whether a network has learned, and whether it was given long enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from lib.metrics.losses import log_loss

CONVERGED = "converged"
IMPROVING = "still improving"
NOTHING_LEARNED = "nothing learned"
DIVERGED = "diverged"
ENDINGS = (CONVERGED, IMPROVING, NOTHING_LEARNED, DIVERGED)

# Where no rule stopped a training, it was still improving if the last fifth of its epochs brought
# more than a fiftieth of all that it had learned.
LATE = 0.2
GAIN = 0.02


def ending(
    losses: Sequence[float], *, limit: int, loss: float, constant: float, diverged: bool = False
) -> str:
    """Say how a training ended.

    Parameters
    ----------
    losses : sequence of float
        The validation loss after each epoch.
    limit : int
        Epochs at most.
    loss : float
        Of the kept weights on the validation part (`weighted_loss`).
    constant : float
        The same of a network that answers the shares of the classes in the train part, whatever
        the example.
    diverged : bool
        Whether the loss became NaN or infinite.

    Returns
    -------
    str
        One of `ENDINGS`. `nothing learned` is a network that is no better than `constant`;
        `converged` one that early stopping ended before the limit, or whose validation loss hardly
        fell over the last fifth of its epochs.
    """
    if diverged:
        return DIVERGED
    if not loss < constant:
        return NOTHING_LEARNED
    if len(losses) < limit:
        return CONVERGED
    early = losses[: max(1, len(losses) - round(LATE * len(losses)))]
    start, before, lowest = losses[0], min(early), min(losses)
    # One epoch shows no course.
    improving = len(losses) == 1 or before - lowest > GAIN * (max(start, before) - lowest)
    return IMPROVING if improving else CONVERGED


def prevailing(endings: Sequence[str]) -> str:
    """Find how most trainings ended.

    Parameters
    ----------
    endings : sequence of str
        Of `ENDINGS`.

    Returns
    -------
    str
        The worst of equally many; empty where there is none.
    """
    counts = Counter(endings)
    worst_first = sorted(counts, key=ENDINGS.index, reverse=True)
    return max(worst_first, key=counts.__getitem__, default="")


def counted(endings: Sequence[str]) -> str:
    """Say in words how trainings ended.

    Parameters
    ----------
    endings : sequence of str
        Of `ENDINGS`.

    Returns
    -------
    str
        With their numbers where they differ: `2 converged, 1 diverged`.
    """
    counts = Counter(endings)
    if len(counts) < 2:
        return "".join(counts)
    return ", ".join(f"{counts[name]} {name}" for name in ENDINGS if name in counts)


def weighted_loss(labels: np.ndarray, probabilities: np.ndarray, *, power: float) -> float:
    """Compute the cross-entropy of a part, in nats.

    Parameters
    ----------
    labels : np.ndarray [shape=(n,), dtype=int]
        Class numbers.
    probabilities : np.ndarray [shape=(n, classes)]
        Predicted.
    power : float
        Of the class weights of the training: with 1 each class counts the same in sum, with 0 each
        example.

    Returns
    -------
    float
        In nats.
    """
    losses = log_loss(labels, probabilities.astype(np.float64))
    return float(np.average(losses, weights=np.bincount(labels)[labels] ** -float(power)))


def constant_loss(
    train: np.ndarray, validation: np.ndarray, *, classes: int, power: float
) -> float:
    """Compute `weighted_loss` of the shares of the classes in the train part.

    Parameters
    ----------
    train, validation : np.ndarray [dtype=int]
        Class numbers of the two parts.
    classes : int
        Number of classes.
    power : float
        As for `weighted_loss`: with 1 each class has the same share.

    Returns
    -------
    float
        In nats.
    """
    counts = np.bincount(train, minlength=classes)
    weights = np.where(counts > 0, counts ** (1 - power), 0.0)
    shares = np.tile(weights / weights.sum(), (len(validation), 1))
    return weighted_loss(validation, shares, power=power)
