"""How a training ended: whether a network has learned, and whether it was given long enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from lib.metrics.emphasis import drawn, emphasis
from lib.metrics.losses import SMALLEST_PROBABILITY, log_loss

CONVERGED = "converged"
IMPROVING = "still improving"
NOTHING_LEARNED = "nothing learned"
DIVERGED = "diverged"
ENDINGS = (CONVERGED, IMPROVING, NOTHING_LEARNED, DIVERGED)

# Where no rule stopped a training, it was still improving if the last fifth of its epochs brought
# more than a fiftieth of all that it had learned. What it has learned is counted from the loss of
# the shares of the classes on, not from that of the first epoch: an epoch of a large train part
# teaches most of what there is to learn, and a fiftieth of the rest is noise.
LATE = 0.2
GAIN = 0.02

# What a network that is too sure of itself must reach to have learned: the share that it is right
# beyond one constant answer, and the normal quantile by which that exceeds chance (one-sided 1%).
BEYOND = 0.1
QUANTILE = 2.33


def ending(
    losses: Sequence[float],
    *,
    constant: float,
    limit: int,
    learned: bool,
    diverged: bool = False,
) -> str:
    """Say how a training ended.

    Parameters
    ----------
    losses : sequence of float
        The validation loss after each epoch.
    constant : float
        That of a network that knows the shares of the classes alone (`constant_loss`).
    limit : int
        Epochs at most.
    learned : bool
        Whether the kept weights tell anything of the validation part (`has_learned`).
    diverged : bool
        Whether the loss became NaN or infinite.

    Returns
    -------
    str
        One of `ENDINGS`. `converged` is one that early stopping ended before the limit, or whose
        validation loss hardly fell over the last fifth of its epochs.
    """
    if diverged:
        return DIVERGED
    if not learned:
        return NOTHING_LEARNED
    if len(losses) < limit:
        return CONVERGED
    early = losses[: max(1, len(losses) - round(LATE * len(losses)))]
    before, lowest = min(early), min(losses)
    start = max(constant, losses[0])
    # One epoch shows no course.
    improving = len(losses) == 1 or before - lowest > GAIN * (start - lowest)
    return IMPROVING if improving else CONVERGED


def has_learned(
    train: np.ndarray,
    validation: np.ndarray,
    probabilities: np.ndarray,
    *,
    power: float,
    undersampling: float = 0.0,
) -> bool:
    """Tell whether a network knows more of the validation part than the shares of the classes.

    Its loss is lower than that of the shares, or it is right clearly more often than the best
    constant answer. The second is for networks that are too sure of what they have learned: their
    errors on new groups cost more than the shares do, though most answers may be right.

    Parameters
    ----------
    train, validation : np.ndarray [dtype=int]
        Class numbers of the two parts.
    probabilities : np.ndarray [shape=(n, classes)]
        Predicted of the validation part.
    power, undersampling : float
        Of the training (`weighted_loss`).

    Returns
    -------
    bool
        False where the probabilities are not numbers.
    """
    how = {"power": power, "undersampling": undersampling}
    constant = constant_loss(train, validation, classes=probabilities.shape[1], **how)
    if weighted_loss(validation, probabilities, **how) < constant:
        return True
    weights = emphasis(validation, **how)
    weights /= weights.sum()
    share = min(1.0, float(weights @ (probabilities.argmax(axis=1) == validation)))
    best = float(np.bincount(validation, weights).max())
    error = np.sqrt(weights @ weights * share * (1 - share))
    # Where all examples are of one class, both are 1 but for rounding, which is nothing learned.
    return share - best > max(BEYOND * (1 - best), QUANTILE * error, 1e-9)


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


def weighted_loss(
    labels: np.ndarray,
    probabilities: np.ndarray,
    *,
    power: float,
    undersampling: float = 0.0,
    smoothing: float = 0.0,
) -> float:
    """Compute the cross-entropy of a part, in nats, each class counting as in a training.

    Parameters
    ----------
    labels : np.ndarray [shape=(n,), dtype=int]
        Class numbers.
    probabilities : np.ndarray [shape=(n, classes)]
        Predicted.
    power : float
        Of the class weights of the training: with 1 each class counts the same in sum, with 0 each
        example.
    undersampling : float
        Of the training: how many times all others together the largest class is drawn at most.
    smoothing : float
        The share of each label that is spread over all classes.

    Returns
    -------
    float
        In nats.
    """
    probabilities = probabilities.astype(np.float64)
    losses = log_loss(labels, probabilities)
    if smoothing:
        every = -np.log(np.clip(probabilities, SMALLEST_PROBABILITY, 1.0)).mean(axis=1)
        losses = (1 - smoothing) * losses + smoothing * every
    return float(np.average(losses, weights=emphasis(labels, power, undersampling)))


def constant_loss(
    train: np.ndarray,
    validation: np.ndarray,
    *,
    classes: int,
    power: float,
    undersampling: float = 0.0,
    smoothing: float = 0.0,
) -> float:
    """Compute `weighted_loss` of the shares of the classes in the train part.

    Parameters
    ----------
    train, validation : np.ndarray [dtype=int]
        Class numbers of the two parts.
    classes : int
        Number of classes.
    power, undersampling, smoothing : float
        As for `weighted_loss`: with a power of 1 each class has the same share.

    Returns
    -------
    float
        In nats.
    """
    counts = np.zeros(classes)
    seen = drawn(train, undersampling)
    counts[: len(seen)] = seen
    weights = np.where(counts > 0, counts ** (1 - power), 0.0)
    shares = (1 - smoothing) * weights / weights.sum() + smoothing / classes
    every = np.tile(shares, (len(validation), 1))
    return weighted_loss(
        validation, every, power=power, undersampling=undersampling, smoothing=smoothing
    )
