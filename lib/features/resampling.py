"""Changing the sampling rate: of audio, and of measured signals (ECG, PCG)."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

# The filter is 20 times as long as the greater term of the ratio. A ratio of terms up to this one
# is off by less than a part in 10⁵, and by far less unless it is itself as great as that.
_TERMS = 10**5


def _near(ratio: Fraction) -> Fraction:
    """Return the nearest fraction whose greater term is about `_TERMS` at most."""
    if ratio < 1:
        return 1 / _near(1 / ratio)
    return ratio.limit_denominator(max(1, int(_TERMS / ratio)))


def resample_audio(samples: np.ndarray, *, rate: float, new_rate: float) -> np.ndarray:
    """Resample audio, shape (time,), as librosa does, by the SoX resampler at high quality.

    It is several times as fast as `resample`, and takes a signal to begin and end at 0, as sounds
    do and an ECG does not.
    """
    if rate == new_rate:
        return samples
    import soxr

    resampled = soxr.resample(samples, rate, new_rate, quality="HQ")
    length = math.ceil(len(samples) * (new_rate / rate))
    return fix_length(resampled, length).astype(samples.dtype, copy=False)


def fix_length(samples: np.ndarray, length: int) -> np.ndarray:
    """Cut samples, shape (time,), or fill them up with zeros at the end: shape (length,)."""
    return np.pad(samples[:length], (0, max(0, length - len(samples))))


def resample(samples: np.ndarray, *, rate: float, new_rate: float) -> np.ndarray:
    """Resample along the first axis with a polyphase filter.

    Parameters
    ----------
    samples : np.ndarray, shape (time, …)
        At `rate`.
    rate, new_rate : float
        In Hz. Their ratio is taken as a fraction of whole numbers, exact for rates of up to three
        decimals; of odder rates it is the nearest one whose filter is of bearable length.

    Returns
    -------
    np.ndarray, shape (ceil(time × new_rate / rate), …)
        float32. Beyond its ends the signal is taken to keep its first and last value, so that an
        offset does not ring there.
    """
    ratio = Fraction(new_rate).limit_denominator(1000) / Fraction(rate).limit_denominator(1000)
    if max(ratio.numerator, ratio.denominator) > _TERMS:
        ratio = _near(ratio)
    if ratio == 1:
        return samples.astype(np.float32, copy=False)
    from scipy.signal import resample_poly

    resampled = resample_poly(samples, ratio.numerator, ratio.denominator, axis=0, padtype="edge")
    return np.asarray(resampled, dtype=np.float32)
