"""Electrocardiograms: sums of Gaussian waves placed at the beats of a rhythm.

A beat is a row of waves, each with a centre (s from the R peak), a width (s, the standard
deviation of a Gaussian) and an amplitude per lead (mV). The description of a beat by a few Gaussian
waves is that of McSharry et al. 2003 (IEEE Trans Biomed Eng 50:289), here without its differential
equation, since the rhythm is drawn beat by beat.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lib.simulate.common import Array, band_noise

WAVES = ("P", "Q", "R", "S", "X", "T", "VR", "VS", "VT", "spike")
"""X is the late wave of a bundle branch block; VR, VS, VT belong to ventricular beats."""

P, Q, R, S, X, T, VR, VS, VT, SPIKE = range(len(WAVES))

#: Amplitudes (mV) of P, Q, R, S, X, T in a healthy adult, by lead.
_LEADS = {
    "MLII": (0.13, -0.08, 1.10, -0.25, 0.0, 0.30),
    "V1": (0.05, 0.0, 0.25, -0.95, 0.0, -0.08),
    "V2": (0.06, 0.0, 0.40, -1.20, 0.0, 0.35),
    "V4": (0.08, -0.05, 1.20, -0.60, 0.0, 0.40),
    "V5": (0.08, -0.08, 1.10, -0.35, 0.0, 0.30),
}
_CENTRES = (-0.165, -0.032, 0.0, 0.032, 0.06, 0.28, 0.0, 0.095, 0.34, -0.05)
_WIDTHS = (0.022, 0.009, 0.012, 0.011, 0.022, 0.05, 0.036, 0.035, 0.07, 0.0035)


@dataclass(frozen=True)
class Beat:
    """The waves of one beat: centres and widths (waves,) in s, amplitudes (waves, leads) in mV."""

    centres: Array
    widths: Array
    amplitudes: Array


@dataclass(frozen=True)
class Heart:
    """What stays the same in all beats of one patient.

    Attributes
    ----------
    rate : float
        Resting heart rate, beats per minute.
    variability : float
        Standard deviation of RR as a fraction of it.
    sinus : Beat
        Waves of the patient's own beat.
    ventricular : tuple of Beat
        One beat, or two where the ectopic beats are multiform.
    atrial : Beat
        Waves of the patient's premature atrial beat.
    noise, wander, hum : float
        RMS in mV of muscle noise, baseline wander and mains hum.
    """

    rate: float
    variability: float
    sinus: Beat
    ventricular: tuple[Beat, ...]
    atrial: Beat
    noise: float
    wander: float
    hum: float


def draw_heart(
    rng: np.random.Generator, leads: tuple[str, ...], *, block: str = "", spread: float = 1.0
) -> Heart:
    """Draw a patient.

    Parameters
    ----------
    rng : numpy.random.Generator
        The patient's own.
    leads : tuple of str
        Names of `MLII`, `V1`, `V2`, `V4`, `V5`.
    block : str
        `L` or `R` for a bundle branch block.
    spread : float
        How much patients differ: 1 as in a hospital, less among healthy students.
    """
    count = len(WAVES)
    amplitudes = np.zeros((count, len(leads)))
    amplitudes[: X + 2] = np.transpose([_LEADS[lead] for lead in leads])
    factors = np.exp(rng.normal(0, 0.4 * spread, (count, 1)) + rng.normal(0, 0.2, (count, 1)))
    amplitudes = amplitudes * factors
    # The axis of the heart turns R into S in some patients, and T may be inverted in any lead.
    turn = rng.beta(1.2, 3.0) * spread
    amplitudes[R] *= 1 - 0.7 * turn
    amplitudes[S] -= 0.7 * turn * np.abs(amplitudes[R])
    amplitudes[T] *= np.where(rng.random(len(leads)) < 0.25 * spread, -0.8, 1.0)
    centres = np.array(_CENTRES) * np.exp(rng.normal(0, 0.10, count))
    widths = np.array(_WIDTHS) * np.exp(rng.normal(0, 0.30 * spread, count))
    sinus = _block(rng, Beat(centres, widths, amplitudes), block)
    premature = sinus.amplitudes.copy()
    premature[P] *= rng.uniform(-1.0, 0.6)
    moved = sinus.centres.copy()
    moved[P] += rng.uniform(-0.03, 0.07)
    forms = tuple(_ventricular(rng, sinus, leads) for _ in range(1 + (rng.random() < 0.3)))
    return Heart(
        rate=float(np.clip(rng.normal(74, 9), 55, 95)),
        variability=float(rng.uniform(0.02, 0.06)),
        sinus=sinus,
        ventricular=forms,
        atrial=Beat(moved, sinus.widths, premature),
        noise=float(0.02 * np.exp(rng.normal(0, 0.6))),
        wander=float(0.08 * np.exp(rng.normal(0, 0.6))),
        hum=float(0.008 * np.exp(rng.normal(0, 0.8))),
    )


def _block(rng: np.random.Generator, beat: Beat, block: str) -> Beat:
    if not block:
        return beat
    centres, widths = beat.centres.copy(), beat.widths.copy()
    amplitudes = beat.amplitudes.copy()
    height = np.abs(amplitudes[R]) + np.abs(amplitudes[S])
    sign = np.where(amplitudes[R] + amplitudes[S] > 0, 1.0, -1.0)
    if block == "L":
        # Broad and notched in one direction, T against it.
        centres[X] = rng.uniform(0.045, 0.065)
        widths[[R, X]] = rng.uniform(0.020, 0.032, 2)
        amplitudes[[Q, S]] = 0
        amplitudes[R] = 0.6 * sign * height
        amplitudes[X] = rng.uniform(0.4, 0.8) * sign * height
        amplitudes[T] = -rng.uniform(0.15, 0.4) * sign * height
    else:
        # A late wave: wide S in the left leads, a second R in the right ones.
        centres[X] = rng.uniform(0.055, 0.08)
        widths[X] = rng.uniform(0.02, 0.032)
        amplitudes[X] = -rng.uniform(0.3, 0.6) * sign * height
    return Beat(centres, widths, amplitudes)


def _ventricular(rng: np.random.Generator, sinus: Beat, leads: tuple[str, ...]) -> Beat:
    amplitudes = np.zeros_like(sinus.amplitudes)
    sign = np.where(rng.random(len(leads)) < 0.7, 1.0, -1.0)
    height = 1.1 * np.exp(rng.normal(0, 0.45, len(leads)))
    amplitudes[VR] = sign * height
    amplitudes[VS] = -sign * height * rng.uniform(0.1, 0.8)
    amplitudes[VT] = -sign * height * rng.uniform(0.1, 0.5)
    widths = sinus.widths.copy()
    widths[[VR, VS, VT]] = np.array(_WIDTHS)[[VR, VS, VT]] * np.exp(rng.normal(-0.25, 0.45, 3))
    return replace(sinus, widths=widths, amplitudes=amplitudes)


def mixed(first: Beat, second: Beat, share: float) -> Beat:
    """Make a fusion of two beats, of which `share` (0 to 1) is the first."""
    # A wave that only one of the two has keeps its own place and width.
    weight = share * np.abs(first.amplitudes).sum(1), (1 - share) * np.abs(second.amplitudes).sum(1)
    total = weight[0] + weight[1] + 1e-9
    return Beat(
        (first.centres * weight[0] + second.centres * weight[1]) / total,
        (first.widths * weight[0] + second.widths * weight[1]) / total + 1e-3,
        share * first.amplitudes + (1 - share) * second.amplitudes,
    )


def varied(rng: np.random.Generator, beat: Beat, amount: float = 1.0) -> Beat:
    """Draw the same beat once more, as it differs from one time to the next."""
    count = len(WAVES)
    gain = rng.normal(1, 0.05 * amount) * rng.normal(1, 0.06 * amount, (count, 1))
    return Beat(
        beat.centres * rng.normal(1, 0.02 * amount, count),
        beat.widths * rng.normal(1, 0.05 * amount, count).clip(0.5),
        beat.amplitudes * gain,
    )


def render(beats: list[Beat], at: Array, intervals: Array, n: int, rate: float) -> Array:
    """Add up the waves of all beats.

    Parameters
    ----------
    beats : list of Beat
        One for each time.
    at : ndarray, shape (beats,)
        Times of the R peaks in s.
    intervals : ndarray, shape (beats,)
        RR in s that each beat follows: T comes later after a long one (Bazett's square root).
    n : int
        Length in samples.
    rate : float
        Hz.

    Returns
    -------
    ndarray, shape (n, leads)
        mV.
    """
    signal = np.zeros((n, beats[0].amplitudes.shape[1]))
    before, after = int(0.4 * rate), int(0.75 * rate)
    for beat, time, interval in zip(beats, at, intervals, strict=True):
        middle = round(time * rate)
        start, stop = max(middle - before, 0), min(middle + after, n)
        if start >= stop:
            continue
        centres = beat.centres.copy()
        centres[[T, VT]] *= np.sqrt(np.clip(interval, 0.35, 1.4) / 0.85)
        distance = np.arange(start, stop)[:, None] / rate - time - centres
        signal[start:stop] += np.exp(-0.5 * (distance / beat.widths) ** 2) @ beat.amplitudes
    return signal


def noise(rng: np.random.Generator, heart: Heart, n: int, leads: int, rate: float) -> Array:
    """Draw the noise of a patient's electrodes, shape (n, leads), in mV."""
    time = np.arange(n)[:, None] / rate
    columns = [
        heart.wander * band_noise(rng, n, rate, 0.05, 0.5)
        + heart.noise * band_noise(rng, n, rate, 4, min(110, 0.4 * rate))
        for _ in range(leads)
    ]
    hum = heart.hum * np.sin(2 * np.pi * 60 * time + rng.uniform(0, 6.28, leads))
    return np.stack(columns, axis=1) + hum
