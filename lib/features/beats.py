"""Beats: a window of one ECG lead around each annotated R peak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lib.datasets.signal import Signal
from lib.errors import HeldoutError
from lib.features.kinds import (
    ADVICE,
    Axes,
    Demands,
    Features,
    Kind,
    require_one_of,
    require_positive,
)
from lib.features.resampling import resample
from lib.features.rhythm import INTERVALS, RHYTHM, intervals, rhythm

SCALES = ("none", "record", "window")
"""What the samples may be divided by."""

_PER_SECOND = 3.0  # 180 beats a minute
_MEDIANS = (0.2, 0.6)  # s
_PEAK = 0.06  # s on either side of an annotation
_WINDOW = 10.0  # s, of Kachuee et al. (2018)


@dataclass(frozen=True)
class Beats(Kind):
    """One example around every beat, none left out.

    Parameters
    ----------
    lead : str
        The name of the lead: their order differs between records.
    other_lead : str
        The lead to take of a record that lacks `lead`. Empty, such a record is refused.
    rate : float
        The lead is resampled to this rate (Hz) as a whole, before it is cut.
    samples : int
        Length of an example at `rate`.
    before : float
        Time from the start of an example to its R peak, in s.
    baseline : bool
        Whether the baseline is taken off: a running median of 0.2 s, and one of 0.6 s over it, as
        de Chazal et al. (2004) do.
    scale : {"none", "record", "window"}
        `record` divides the lead by the median amplitude of its R peaks: what an electrode or an
        amplifier makes of a heart is then no difference between records. `window` maps each 10 s of
        the lead to 0 to 1, as Kachuee et al. (2018) do.
    periods : float
        Samples later than so many median RR intervals of the 10 s around a beat are 0, as in
        Kachuee et al. (2018), who take 1.2. With 0 none are.
    median_beat : bool
        Whether a second channel holds the difference from the record's median beat.
    rhythm : bool
        Whether each beat has its RR intervals, beside those of its record, as context
        (`lib.features.rhythm`).
    intervals : bool
        Whether its context has the RR intervals in seconds and over their mean, as in the
        literature.
    """

    lead: str
    rate: float
    samples: int
    before: float
    other_lead: str = ""
    baseline: bool = False
    scale: str = "none"
    periods: float = 0.0
    median_beat: bool = False
    rhythm: bool = False
    intervals: bool = False

    name = "beats"
    of_beats = True
    of_samples = True

    def __post_init__(self) -> None:
        """Check the settings."""
        require_positive(rate=self.rate, samples=self.samples)
        require_one_of(SCALES, scale=self.scale)
        if self.periods < 0:
            raise HeldoutError("features setting periods", "0 or more", str(self.periods), ADVICE)
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
        return self.samples, 1 + self.median_beat

    @property
    def seconds(self) -> float:
        """Length of an example."""
        return self.samples / self.rate

    @property
    def use(self) -> str:
        """Beats of a lead."""
        lead = f"{self.lead} (or {self.other_lead})" if self.other_lead else self.lead
        return f"of the lead {lead}, {self.seconds:,.3g} s around each annotated beat are used"

    @property
    def axes(self) -> Axes:
        """Time counts from the R peak."""
        channels = [self.lead, "difference from the median beat"][: 1 + self.median_beat]
        return {"aligned": True, "before": self.before, "channels": channels}

    @property
    def context(self) -> Sequence[str]:
        """The rhythm and the intervals, where they are wanted."""
        return (RHYTHM if self.rhythm else ()) + (INTERVALS if self.intervals else ())

    @property
    def demands(self) -> Demands:
        """The lead, or the other one, and beats."""
        instead: Demands = {"instead": self.other_lead} if self.other_lead else {}
        return {"channels": [self.lead], "beats": True, **instead}

    def most_examples(self, duration: float) -> float:
        """As many as a fast heart has beats."""
        return _PER_SECOND * duration

    def extract(self, signal: Signal) -> Features:
        """Cut one example around every beat.

        Returns
        -------
        Features
            `x` of shape (beats, samples, 1 or 2), in the unit of the signal unless it is scaled; a
            window that goes beyond the recording is filled with the recording's first or last
            value. `symbols` are the beat codes. All else is made of the samples and of when beats
            are: no code has a part in it.

        Raises
        ------
        HeldoutError
            The recording has no such lead.
        """
        name = self.first_channel(signal)
        if name not in signal.channels:
            raise HeldoutError(
                signal.name,
                f"the lead {' or '.join(filter(None, (self.lead, self.other_lead)))}",
                ", ".join(signal.channels),
                "Exclude the recording or choose another lead.",
            )
        lead = signal.samples[:, signal.channels.index(name)]
        if self.baseline:
            lead = lead - _baseline(lead, signal.rate)
        if self.scale == "record":
            lead = lead / _amplitude(lead, signal.positions, signal.rate)
        wave = resample(lead, rate=signal.rate, new_rate=self.rate)
        if self.scale == "window":
            wave = _within_windows(wave, round(_WINDOW * self.rate))
        peaks = np.rint(signal.positions * (self.rate / signal.rate)).astype(np.int64)
        first = peaks - round(self.before * self.rate)
        index = first[:, None] + np.arange(self.samples)
        # Holding the index at the ends repeats the edge values.
        x = wave[np.clip(index, 0, len(wave) - 1)][:, :, None]
        if self.periods:
            last = peaks + self.periods * _periods(peaks, round(_WINDOW * self.rate))
            x = np.where((index < last[:, None])[:, :, None], x, np.float32(0))
        if self.median_beat:
            usual = np.median(x, axis=0) if len(x) else 0
            x = np.concatenate([x, x - usual], axis=2)
        features = Features(x, first / self.rate, signal.symbols)
        contexts = [rhythm(signal.positions)] if self.rhythm else []
        contexts += [intervals(signal.positions, signal.rate)] if self.intervals else []
        return replace(features, context=np.concatenate(contexts, axis=1)) if contexts else features


def _baseline(lead: np.ndarray, rate: float) -> np.ndarray:
    """Compute the baseline of a lead: the first median takes QRS and P away, the second T."""
    from scipy.ndimage import median_filter

    for seconds in _MEDIANS:
        lead = median_filter(lead, 1 + 2 * round(seconds * rate / 2), mode="nearest")
    return lead


def _within_windows(wave: np.ndarray, length: int) -> np.ndarray:
    """Map each stretch of so many samples to 0 to 1; a flat one is 0."""
    starts = np.arange(0, len(wave), length)
    low, high = np.minimum.reduceat(wave, starts), np.maximum.reduceat(wave, starts)
    number = np.arange(len(wave)) // length
    width = np.where(high > low, high - low, 1)
    return ((wave - low[number]) / width[number]).astype(np.float32)


def _periods(peaks: np.ndarray, length: int) -> np.ndarray:
    """Compute for each beat the median RR interval of its window, in samples.

    Parameters
    ----------
    peaks : np.ndarray, shape (beats,)
        When the beats are, ascending, in samples.
    length : int
        Of a window. One with fewer than two beats has the interval of the recording, and a
        recording of one beat a window's.
    """
    import pandas as pd

    window = pd.Series(peaks // length)
    intervals = pd.Series(peaks).groupby(window).diff()
    usual = np.median(np.diff(peaks)) if len(peaks) > 1 else length
    return intervals.groupby(window).transform("median").fillna(usual).to_numpy()


def _amplitude(lead: np.ndarray, positions: np.ndarray, rate: float) -> float:
    """Compute the median amplitude of the R peaks, from the middle of the lead; 1 where it is 0.

    An annotation lies near its peak, not always on it.
    """
    reach = round(_PEAK * rate)
    index = positions[:, None] + np.arange(-reach, reach + 1)
    peaks = np.abs(lead[np.clip(index, 0, len(lead) - 1)] - np.median(lead)).max(axis=1)
    return float(np.median(peaks)) or 1.0 if len(peaks) else 1.0
