"""Beats: a window of one ECG lead around each annotated R peak."""

from __future__ import annotations

import numpy as np

from lib.datasets.signal import Signal
from lib.errors import HeldoutError
from lib.features.kinds import Features, require_positive
from lib.features.resampling import resample


def shape(*, lead: str, rate: float, samples: int, before: float) -> tuple[int, int]:
    """Give (time, channels) of a beat; the settings are those of `extract`."""
    require_positive(rate=rate, samples=samples)
    if not 0 <= before * rate < samples:
        raise HeldoutError(
            f"features setting before: expected 0 s up to the {samples / rate:g} s of a beat, got "
            f"{before}. Correct it in the study's features."
        )
    return samples, 1


def extract(signal: Signal, *, lead: str, rate: float, samples: int, before: float) -> Features:
    """Cut one example around every beat, none left out.

    Parameters
    ----------
    signal : Signal
        With `positions` and `symbols`.
    lead : str
        The name of the lead: their order differs between records.
    rate : float
        The lead is resampled to this rate (Hz) as a whole, before it is cut.
    samples : int
        Length of an example at `rate`.
    before : float
        Time from the start of an example to its R peak, in s.

    Returns
    -------
    Features
        `x` of shape (beats, samples, 1) in mV; a window that goes beyond the recording is filled
        with the recording's first or last value. `symbols` are the beat codes.

    Raises
    ------
    HeldoutError
        The recording has no such lead.
    """
    shape(lead=lead, rate=rate, samples=samples, before=before)
    if lead not in signal.channels:
        raise HeldoutError(
            f"{signal.name}: expected the lead {lead}, got {', '.join(signal.channels)}. "
            "Exclude the recording or choose another lead."
        )
    wave = resample(signal.samples[:, signal.channels.index(lead)], rate=signal.rate, new_rate=rate)
    peaks = np.rint(signal.positions * (rate / signal.rate)).astype(np.int64)
    first = peaks - round(before * rate)
    index = first[:, None] + np.arange(samples)
    # Holding the index at the ends repeats the edge values.
    x = wave[np.clip(index, 0, len(wave) - 1)]
    return Features(x[:, :, None], first / rate, signal.symbols)
