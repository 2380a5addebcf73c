"""Changing the examples of the train part a little, each epoch anew, so that more is learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from lib.errors import HeldoutError, suggestion

Change = Callable[[np.ndarray, float, np.random.Generator], None]
"""Changes a batch [shape=(batch, time, channels)] in place, by an amount."""

Augment = Callable[[np.ndarray, int, int], np.ndarray]
"""From a batch, the epoch and the number of the batch to a changed copy."""


def shift(x: np.ndarray, most: float, rng: np.random.Generator) -> None:
    """Move each example in time by up to a share of its length; the edge is repeated."""
    time = np.arange(x.shape[1])
    moved = np.rint(rng.uniform(-most, most, len(x)) * x.shape[1]).astype(int)
    places = np.clip(time + moved[:, None], 0, len(time) - 1)
    x[:] = np.take_along_axis(x, places[:, :, None], axis=1)


def noise(x: np.ndarray, most: float, rng: np.random.Generator) -> None:
    """Add white noise of up to a share of the standard deviation of each channel."""
    level = rng.uniform(0, most, (len(x), 1, 1)) * x.std(axis=1, keepdims=True)
    x += (level * rng.standard_normal(x.shape)).astype(x.dtype)


def gain(x: np.ndarray, most: float, rng: np.random.Generator) -> None:
    """Multiply each example by a factor from 1 / (1 + most) to 1 + most."""
    most = np.log1p(most)
    x *= np.exp(rng.uniform(-most, most, (len(x), 1, 1))).astype(x.dtype)


def wander(x: np.ndarray, most: float, rng: np.random.Generator) -> None:
    """Add a slow wave, up to one period long, of up to a share of each channel's deviation."""
    time = np.linspace(0, 1, x.shape[1])[:, None]
    periods, phase = rng.uniform(0, 1, (2, len(x), 1, 1))
    level = rng.uniform(0, most, (len(x), 1, 1)) * x.std(axis=1, keepdims=True)
    x += (level * np.sin(2 * np.pi * (periods * time + phase))).astype(x.dtype)


def mask_time(x: np.ndarray, most: float, rng: np.random.Generator) -> None:
    """Replace a stretch of up to a share of the time by the mean of each channel."""
    _mask(x, most, rng, axis=1)


def mask_channels(x: np.ndarray, most: float, rng: np.random.Generator) -> None:
    """Replace neighbouring channels, up to a share of them, by their means: a mask of frequency."""
    _mask(x, most, rng, axis=2)


def _mask(x: np.ndarray, most: float, rng: np.random.Generator, *, axis: int) -> None:
    size = x.shape[axis]
    width = np.rint(rng.uniform(0, most, len(x)) * size)
    first = np.floor(rng.uniform(0, 1, len(x)) * (size - width + 1))
    place = np.arange(size)
    hidden = (place >= first[:, None]) & (place < (first + width)[:, None])
    hidden = hidden[:, :, None] if axis == 1 else hidden[:, None, :]
    np.copyto(x, x.mean(axis=1, keepdims=True), where=hidden)


AUGMENTATIONS: Mapping[str, Change] = MappingProxyType(
    {
        "shift": shift,
        "noise": noise,
        "gain": gain,
        "wander": wander,
        "mask_time": mask_time,
        "mask_channels": mask_channels,
    }
)
"""What can be done to an example, by name, in this order. Masks are those of Park et al. 2019
(SpecAugment, doi:10.21437/Interspeech.2019-2680), one of each kind."""


def require_augmentation(amounts: Mapping[str, float]) -> None:
    """Check an augmentation.

    Raises
    ------
    HeldoutError
        It is unknown, or its amount is not from 0 to 1.
    """
    for name, amount in amounts.items():
        if name not in AUGMENTATIONS:
            raise HeldoutError(
                f"training.augmentation: unknown augmentation {name!r}",
                advice=suggestion(name, [*AUGMENTATIONS]),
            )
        if not 0 <= amount <= 1:
            raise HeldoutError(
                f"training.augmentation: {name}", "a share from 0 to 1", str(amount), "Correct it."
            )


def augmenter(amounts: Mapping[str, float], seed: int) -> Augment | None:
    """Make what changes the batches of a training; None where nothing is to be changed.

    Parameters
    ----------
    amounts : mapping
        Name in `AUGMENTATIONS` to how much.
    seed : int
        With the epoch and the number of the batch it decides every change, so that a training that
        was interrupted goes on as it would have.
    """
    changes = [(AUGMENTATIONS[name], amounts[name]) for name in AUGMENTATIONS if amounts.get(name)]
    if not changes:
        return None

    def augment(x: np.ndarray, epoch: int, number: int) -> np.ndarray:
        rng = np.random.default_rng([seed, epoch, number])
        x = x.copy()
        for change, amount in changes:
            change(x, amount, rng)
        return x

    return augment
