"""Heart sounds: S1 and S2 as decaying vibrations, murmurs as noise between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.simulate.common import Array, band_noise, colour, equalise


@dataclass(frozen=True)
class Sounds:
    """What stays the same in all clips of one subject.

    Attributes
    ----------
    rate : float
        Heart rate, beats per minute.
    s1, s2 : tuple of float
        Frequency (Hz), length (s) and amplitude of the two sounds.
    band : tuple of float
        Edges of the murmur in Hz.
    murmur : float
        Its RMS in dB of the amplitude of S1, where the subject has one.
    flow : float
        The same where the subject has no murmur, and only the blood is heard.
    shape : float
        When in systole the murmur is loudest: 0 at its start, 1 at its end.
    split : float
        From the first part of S2 to the second in s.
    noise : float
        RMS of the background in dB of the amplitude of S1.
    response : tuple of ndarray
        The stethoscope, as `lib.simulate.common.colour` gives it.
    """

    rate: float
    s1: tuple[float, float, float]
    s2: tuple[float, float, float]
    band: tuple[float, float]
    murmur: float
    flow: float
    shape: float
    split: float
    noise: float
    response: tuple[Array, Array]


def draw_sounds(rng: np.random.Generator, *, spread: float = 1.0) -> Sounds:
    """Draw a subject; `spread` is how much subjects differ, 1 as in a clinic."""
    low = 90 * np.exp(rng.normal(0, 0.4 * spread))
    return Sounds(
        rate=float(np.clip(rng.normal(82, 14), 55, 125)),
        s1=(
            float(48 * np.exp(rng.normal(0, 0.28 * spread))),
            float(0.022 * np.exp(rng.normal(0, 0.3 * spread))),
            1.0,
        ),
        s2=(
            float(68 * np.exp(rng.normal(0, 0.28 * spread))),
            float(0.015 * np.exp(rng.normal(0, 0.3 * spread))),
            float(0.75 * np.exp(rng.normal(0, 0.4 * spread))),
        ),
        band=(float(low), float(low * rng.uniform(2.0, 4.0))),
        murmur=float(rng.normal(-22, 4)),
        flow=float(rng.normal(-37, 4)),
        shape=float(rng.uniform(0.2, 0.9)),
        split=float(rng.uniform(0.0, 0.035)),
        noise=float(rng.normal(-24, 6)),
        response=colour(rng, 20, 1800, 6.0 * spread),
    )


def rhythm(
    rng: np.random.Generator, rate: float, seconds: float, *, extrasystole: bool = False
) -> Array:
    """Draw the times of S1 in s; with `extrasystole`, some beats are early and a pause follows."""
    count = int(seconds * rate / 60 * 1.3) + 3
    intervals = 60 / rate * rng.normal(1, 0.035, count).clip(0.8, 1.2)
    if extrasystole:
        early = np.arange(int(rng.integers(2, 4)), count - 1, int(rng.integers(3, 5)))
        intervals[early] *= rng.uniform(0.55, 0.72, len(early))
        intervals[early + 1] *= rng.uniform(1.25, 1.5, len(early))
    times = np.cumsum(intervals) - intervals[0] * rng.uniform(0.2, 1.0)
    return times[(times > 0.02) & (times < seconds - 0.05)]


def systole(rate: float) -> float:
    """Compute the time from S1 to S2 in s: shorter at a high rate, but less than the beat is."""
    return 0.30 * float(np.sqrt(75 / rate))


def thump(rate: float, frequency: float, length: float) -> Array:
    """Make one sound: a vibration that sinks in frequency, with a fast rise and a slow decay.

    Parameters
    ----------
    rate : float
        Hz.
    frequency : float
        At the start, Hz.
    length : float
        Time constant of the decay, s.
    """
    time = np.arange(int(7 * length * rate)) / rate
    envelope = (1 - np.exp(-time / (0.25 * length))) * np.exp(-time / length)
    phase = 2 * np.pi * frequency * (time - 0.15 * time**2 / (7 * length))
    wave = envelope * (np.sin(phase) + 0.4 * np.sin(1.9 * phase + 1))
    return wave / np.abs(wave).max()


def auscultate(
    rng: np.random.Generator,
    sounds: Sounds,
    onsets: Array,
    *,
    seconds: float,
    rate: float,
    murmur: bool = False,
    extra: bool = False,
) -> tuple[Array, Array, Array]:
    """Make what a stethoscope hears, before the noise of the room.

    Parameters
    ----------
    rng : numpy.random.Generator
        Of the recording.
    sounds : Sounds
        The subject.
    onsets : ndarray, shape (beats,)
        Times of S1 in s.
    seconds, rate : float
        Length in s and sampling rate in Hz.
    murmur : bool
        Whether there is a systolic murmur.
    extra : bool
        Whether a third sound follows S2, or a fourth goes before S1.

    Returns
    -------
    signal : ndarray, shape (n,)
        S1 has an amplitude of about 1.
    first, second : ndarray, shape (beats,)
        Times of S1 and S2 in s.
    """
    n = int(seconds * rate)
    signal = np.zeros(n)
    pulse = sounds.rate if len(onsets) < 2 else 60 / float(np.median(np.diff(onsets)))
    seconds_after = onsets + systole(pulse) * rng.normal(1, 0.02, len(onsets))
    parts = [(onsets, sounds.s1, 1.0), (onsets + 0.3 * sounds.s1[1], sounds.s1, 0.4)]
    parts += [(seconds_after, sounds.s2, 1.0), (seconds_after + sounds.split, sounds.s2, 0.6)]
    if extra:
        gallop = (0.8 * sounds.s1[0], sounds.s1[1], rng.uniform(0.35, 0.7))
        place = seconds_after + 0.14 if rng.random() < 0.5 else onsets - 0.11
        parts.append((place, gallop, 1.0))
    for times, (frequency, length, amplitude), share in parts:
        wave = share * amplitude * thump(rate, frequency, length)
        for time in times:
            start = max(round(float(time) * rate), 0)
            stop = min(start + len(wave), n)
            if start < stop:
                signal[start:stop] += wave[: stop - start] * rng.normal(1, 0.1)
    # Every heart lets some blood be heard; a murmur is more of it.
    loud = sounds.murmur if murmur else sounds.flow
    rush = band_noise(rng, n, rate, *sounds.band)
    time = np.arange(n) / rate
    envelope = np.zeros(n)
    for begin, end in zip(onsets + 0.03, seconds_after, strict=True):
        place = (time - begin) / (end - begin)
        inside = (place > 0) & (place < 1)
        peak = np.where(
            place < sounds.shape, place / sounds.shape, (1 - place) / max(1 - sounds.shape, 0.05)
        )
        envelope[inside] = (0.35 + 0.65 * peak[inside]) * np.sin(np.pi * place[inside]) ** 0.3
    signal += 10 ** (loud / 20) * 2 * envelope * rush
    return equalise(signal, rate, sounds.response), onsets, seconds_after


def room(rng: np.random.Generator, level: float, n: int, rate: float) -> Array:
    """Draw background noise, most of it low, of `level` dB RMS: breath, cloth, voices."""
    mix = rng.dirichlet([2.0, 1.0, 1.0])
    bands = ((20, 150), (80, 500), (200, min(1600, 0.45 * rate)))
    total = sum(
        np.sqrt(share) * band_noise(rng, n, rate, *band)
        for share, band in zip(mix, bands, strict=True)
    )
    breath = 1 + 0.4 * np.sin(2 * np.pi * 0.3 * np.arange(n) / rate + rng.uniform(0, 6.28))
    return np.asarray(10 ** (level / 20) * total * breath)
