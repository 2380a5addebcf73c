"""What a kind of features is: its settings, and what follows from them."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypedDict

import numpy as np

from lib.datasets.signal import LARGEST, Signal, constant
from lib.errors import HeldoutError, suggestion

ADVICE = "Correct it in the study's features."

# Channels of samples are few and unlike each other: none is hidden as a band of frequency is.
OF_SAMPLES = ("shift", "noise", "gain", "wander", "mask_time")
"""The augmentations of a kind whose examples are the samples themselves."""


@dataclass(frozen=True, eq=False)
class Features:
    """The examples of one recording.

    Parameters
    ----------
    x : np.ndarray, shape (examples, time, channels)
        float32, finite.
    start : np.ndarray, shape (examples,)
        Where each example begins in the recording, in s; below 0 where a beat's window begins
        before the recording and is filled up.
    symbols : np.ndarray, shape (examples,)
        The example's own label, or empty.
    context : np.ndarray, shape (examples, n), optional
        float32, finite: what a network is told beside an example, a column for each name in
        `Kind.context`. None for nothing.
    """

    x: np.ndarray
    start: np.ndarray
    symbols: np.ndarray
    context: np.ndarray = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        """Give examples without a context one of no columns."""
        if self.context is None:
            object.__setattr__(self, "context", np.zeros((len(self.x), 0), np.float32))


class Demands(TypedDict, total=False):
    """What a recording must have to give an example; nothing that is left out is asked for.

    `instead` is a channel that may stand for any that is missing.
    """

    channels: Sequence[str]
    instead: str
    seconds: float
    beats: bool


class Axes(TypedDict):
    """What a picture of an example writes on its axes.

    `aligned` says whether all examples are cut at the same event, the R peak, `before` how many
    seconds an example begins before it. `channels` are names, where there are any.
    """

    aligned: bool
    before: float
    channels: Sequence[str]


class Kind(ABC):
    """A kind of features with its settings: a frozen dataclass whose fields are the settings.

    All that is known of a kind is in its class: what a study may state (the fields and their
    types), what is wrong with a value (`__post_init__`), and what other parts of the workflow ask.

    Attributes
    ----------
    name : str
        What studies call it.
    of_beats : bool
        Whether each example is an annotated beat.
    of_samples : bool
        Whether examples are the samples themselves, not spectra of them.
    """

    name: ClassVar[str]
    of_beats: ClassVar[bool] = False
    of_samples: ClassVar[bool] = False

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Time and channels of an example."""

    @property
    @abstractmethod
    def seconds(self) -> float:
        """Length of an example: two of one recording overlap when they start less apart."""

    @abstractmethod
    def extract(self, signal: Signal) -> Features:
        """Make the examples of one recording.

        Raises
        ------
        HeldoutError
            The recording lacks what the kind needs.
        """

    def examples(self, signal: Signal) -> Features:
        """Make the examples of one recording, and check them.

        Parameters
        ----------
        signal : Signal
            The recording.

        Returns
        -------
        Features
            Finite, and of `shape` each.

        Raises
        ------
        HeldoutError
            The recording lacks a channel, is too short for a window, too long at the new rate, or
            gives values that are not finite.

        Warns
        -----
        UserWarning
            A channel is constant: its features are finite, but say nothing.
        """
        flat = constant(signal.samples)
        if flat.any():
            names = ", ".join(name for name, f in zip(signal.channels, flat, strict=True) if f)
            warnings.warn(
                f"{signal.name}: the channel {names} is constant; its features say nothing.",
                stacklevel=3,
            )
        # Every kind that has a rate of its own resamples a recording as a whole.
        rate = self.rate_of(signal)
        length = signal.duration * rate * len(signal.channels)
        if length > LARGEST:
            raise HeldoutError(
                signal.name,
                f"a recording of at most {LARGEST:,} samples at {rate:g} Hz",
                f"{length:,.0f}, from {signal.rate:g} Hz",
                "Look at its rate, cut it into parts, or exclude it.",
            )
        features = self.extract(signal)
        if not (np.isfinite(features.x).all() and np.isfinite(features.context).all()):
            raise HeldoutError(
                signal.name,
                f"finite {self.name} features",
                "NaN or infinity",
                "Look at the recording's level and length, or exclude it.",
            )
        return features

    # What holds for one example of audio for each recording.

    @property
    def context(self) -> Sequence[str]:
        """Name what a network is told beside an example, in the order of `Features.context`."""
        return ()

    @property
    def augmentations(self) -> Sequence[str]:
        """Name what may be done to examples in training (`lib.train.augmentation`)."""
        if self.of_samples:
            return OF_SAMPLES
        return ("shift", "noise", "mask_time", *(["mask_channels"] if self.shape[1] > 1 else []))

    @property
    def axes(self) -> Axes:
        """What a picture of an example writes on its axes."""
        return {"aligned": False, "before": 0.0, "channels": []}

    @property
    def demands(self) -> Demands:
        """What a recording must have."""
        return {}

    def first_channel(self, signal: Signal) -> str:
        """Name the first channel that is asked for, or what stands for it in this recording."""
        first, instead = self.demands["channels"][0], self.demands.get("instead", "")
        return instead if first not in signal.channels and instead in signal.channels else first

    @property
    def use(self) -> str:
        """Say what examples take of a recording at the rate of the kind, behind a semicolon."""
        return f"an example is {self.seconds:,g} s of a recording"

    @property
    def processing(self) -> str:
        """Say in a sentence what is done to a recording: rate, band and length."""
        rate = getattr(self, "rate", None)
        if rate is None:
            return f"{self.use[0].upper()}{self.use[1:]}."
        return (
            f"Recordings are resampled to {rate:,g} Hz, which keeps what lies below "
            f"{rate / 2:,g} Hz; {self.use}."
        )

    def rate_of(self, signal: Signal) -> float:
        """Return the rate (Hz) to which all of a recording is resampled."""
        return float(getattr(self, "rate", signal.rate))

    def most_examples(self, duration: float) -> float:
        """Estimate how many examples a recording of so many seconds has at most."""
        return 1


def unlabelled(x: np.ndarray, start: np.ndarray) -> Features:
    """Return examples whose label is that of their recording."""
    return Features(x, start, np.full(len(x), "", dtype="<U1"))


def require_one_of(names: Sequence[str], **setting: str) -> None:
    """Raise HeldoutError unless a setting is one of some names."""
    for name, value in setting.items():
        if value not in names:
            raise HeldoutError(
                f"features setting {name}",
                f"one of {', '.join(names)}",
                repr(value),
                " ".join([ADVICE, suggestion(value, list(names))]),
            )


def require_positive(**settings: float) -> None:
    """Check that every setting is above zero.

    Raises
    ------
    HeldoutError
        One is not.
    """
    for name, value in settings.items():
        if not value > 0:
            raise HeldoutError(f"features setting {name}", "a number above 0", str(value), ADVICE)
