"""Changing the sampling rate of measured signals (ECG, PCG); audio is left to librosa."""

from __future__ import annotations

from fractions import Fraction

import numpy as np


def resample(samples: np.ndarray, *, rate: float, new_rate: float) -> np.ndarray:
    """Resample along the first axis with a polyphase filter.

    Parameters
    ----------
    samples : np.ndarray, shape (time, …)
        At `rate`.
    rate, new_rate : float
        In Hz. Their ratio is taken as a fraction of whole numbers, exact for rates of up to three
        decimals.

    Returns
    -------
    np.ndarray, shape (ceil(time × new_rate / rate), …)
        float32. Beyond its ends the signal is taken to keep its first and last value, so that an
        offset does not ring there.
    """
    ratio = Fraction(new_rate).limit_denominator(1000) / Fraction(rate).limit_denominator(1000)
    if ratio == 1:
        return samples.astype(np.float32, copy=False)
    from scipy.signal import resample_poly

    resampled = resample_poly(samples, ratio.numerator, ratio.denominator, axis=0, padtype="edge")
    return np.asarray(resampled, dtype=np.float32)
