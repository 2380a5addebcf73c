"""Beats: a window of one ECG lead around each annotated R peak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.datasets.signal import Signal
from lib.errors import HeldoutError
from lib.features.kinds import ADVICE, Axes, Demands, Features, Kind, require_positive
from lib.features.resampling import resample

_PER_SECOND = 3.0  # 180 beats a minute


@dataclass(frozen=True)
class Beats(Kind):
    """One example around every beat, none left out.

    Parameters
    ----------
    lead : str
        The name of the lead: their order differs between records.
    rate : float
        The lead is resampled to this rate (Hz) as a whole, before it is cut.
    samples : int
        Length of an example at `rate`.
    before : float
        Time from the start of an example to its R peak, in s.
    """

    lead: str
    rate: float
    samples: int
    before: float

    name = "beats"
    of_beats = True

    def __post_init__(self) -> None:
        """Check the settings."""
        require_positive(rate=self.rate, samples=self.samples)
        if not 0 <= self.before * self.rate < self.samples:
            raise HeldoutError(
                "features setting before",
                f"0 s up to the {self.seconds:g} s of a beat",
                str(self.before),
                ADVICE,
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Time and channels."""
        return self.samples, 1

    @property
    def seconds(self) -> float:
        """Length of an example."""
        return self.samples / self.rate

    @property
    def axes(self) -> Axes:
        """Time counts from the R peak."""
        return {"aligned": True, "before": self.before, "channels": [self.lead]}

    @property
    def demands(self) -> Demands:
        """The lead, and beats."""
        return {"channels": [self.lead], "beats": True}

    def most_examples(self, duration: float) -> float:
        """As many as a fast heart has beats."""
        return _PER_SECOND * duration

    def extract(self, signal: Signal) -> Features:
        """Cut one example around every beat.

        Returns
        -------
        Features
            `x` of shape (beats, samples, 1) in the unit of the signal; a window that goes beyond
            the recording is filled with the recording's first or last value. `symbols` are the
            beat codes.

        Raises
        ------
        HeldoutError
            The recording has no such lead.
        """
        if self.lead not in signal.channels:
            raise HeldoutError(
                signal.name,
                f"the lead {self.lead}",
                ", ".join(signal.channels),
                "Exclude the recording or choose another lead.",
            )
        lead = signal.samples[:, signal.channels.index(self.lead)]
        wave = resample(lead, rate=signal.rate, new_rate=self.rate)
        peaks = np.rint(signal.positions * (self.rate / signal.rate)).astype(np.int64)
        first = peaks - round(self.before * self.rate)
        index = first[:, None] + np.arange(self.samples)
        # Holding the index at the ends repeats the edge values.
        x = wave[np.clip(index, 0, len(wave) - 1)]
        return Features(x[:, :, None], first / self.rate, signal.symbols)
