"""Voices by the source-filter model: a train of glottal pulses through resonators.

The model is that of Fant 1960 (Acoustic Theory of Speech Production); the resonators are the
second-order ones of Klatt 1980 (J Acoust Soc Am 67:971).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.simulate.common import Array, band_noise, colour, equalise

RATE = 16000
"""Hz at which voices are made; they are resampled to that of the dataset."""

#: F1 to F4 of five vowels of a man's voice, Hz.
_VOWELS = {
    "a": (700, 1250, 2500, 3500),
    "e": (450, 1850, 2550, 3500),
    "i": (300, 2250, 2950, 3600),
    "o": (460, 900, 2450, 3400),
    "u": (320, 780, 2350, 3350),
}
_BANDWIDTHS = (70, 90, 130, 200)  # Hz


@dataclass(frozen=True)
class Speaker:
    """What stays the same in all clips of one speaker.

    Attributes
    ----------
    pitch : float
        Median fundamental frequency, Hz.
    tract : float
        Formants as a multiple of a man's.
    tilt : float
        Pole of the low-pass of the source: near 1 for a soft voice.
    breath : float
        Noise in the source as a share of its RMS.
    pace : float
        Syllable rate as a multiple of the usual.
    melody : float
        Range of the pitch as a multiple of the usual.
    noise : float
        RMS of the background in dB of the voice.
    response : tuple of ndarray
        The microphone, as `lib.simulate.common.colour` gives it.
    """

    pitch: float
    tract: float
    tilt: float
    breath: float
    pace: float
    melody: float
    noise: float
    response: tuple[Array, Array]


@dataclass(frozen=True)
class Manner:
    """How a group of speakers speaks.

    Attributes
    ----------
    pace : float
        Syllables per second.
    stress : float
        Length of a stressed syllable as a multiple of another one.
    final : float
        Length of the last syllable of a phrase as a multiple of another one.
    slope : float
        Pitch in semitones from the start to the end of a phrase.
    accent : float
        Rise of the pitch on a stressed syllable in semitones.
    hiss : float
        Level of s, as a multiple of the usual; near 0 where it is aspirated.
    hiss_at : float
        Its middle frequency in Hz.
    swell : float
        Level from the start to the end of a phrase in dB.
    coda : bool
        Whether s ends a syllable instead of beginning it.
    """

    pace: float = 5.5
    stress: float = 1.3
    final: float = 1.5
    slope: float = -4.0
    accent: float = 3.0
    hiss: float = 1.0
    hiss_at: float = 5000.0
    swell: float = 0.0
    coda: bool = False


def draw_speaker(rng: np.random.Generator, *, woman: bool, spread: float = 1.0) -> Speaker:
    """Draw a speaker; `spread` is how much microphones and rooms differ, 1 as at home."""
    return Speaker(
        pitch=float((200 if woman else 118) * np.exp(rng.normal(0, 0.13))),
        tract=float((1.16 if woman else 1.0) * np.exp(rng.normal(0, 0.05))),
        tilt=float(rng.uniform(0.90, 0.975)),
        breath=float(0.05 * np.exp(rng.normal(0, 0.7))),
        pace=float(np.exp(rng.normal(0, 0.12))),
        melody=float(np.exp(rng.normal(0, 0.3))),
        noise=float(rng.normal(-38, 8 * spread)),
        response=colour(rng, 80, 7500, 5.0 * spread),
    )


def _syllables(
    rng: np.random.Generator, speaker: Speaker, manner: Manner, seconds: float
) -> list[tuple[float, float, bool, float]]:
    """Draw start (s), length (s), stress and place in the phrase (0 to 1) of each syllable."""
    rows: list[tuple[float, float, bool, float]] = []
    time = float(rng.uniform(0.1, 0.35))
    while time < seconds - 0.35:
        count = int(rng.integers(5, 11))
        offset = int(rng.integers(3))
        for place in range(count):
            stressed = place % 3 == offset
            length = rng.normal(1, 0.12) / (manner.pace * speaker.pace)
            length *= manner.stress if stressed else 1.0
            length *= manner.final if place == count - 1 else 1.0
            length = float(np.clip(length, 0.07, 0.5))
            if time + length > seconds - 0.1:
                return rows
            rows.append((time, length, stressed, place / max(count - 1, 1)))
            time += length
        time += float(rng.uniform(0.15, 0.45))
    return rows


def speak(
    rng: np.random.Generator, speaker: Speaker, seconds: float, *, manner: Manner | None = None
) -> Array:
    """Make a clip of a speaker.

    Parameters
    ----------
    rng : numpy.random.Generator
        Of the clip.
    speaker : Speaker
        Who speaks.
    seconds : float
        Length in s.
    manner : Manner, optional
        How.

    Returns
    -------
    ndarray, shape (n,)
        At `RATE`; not scaled to any level.
    """
    from scipy.signal import lfilter, sosfilt

    manner = manner or Manner()
    n = int(seconds * RATE)
    syllables = _syllables(rng, speaker, manner, seconds)
    if not syllables:
        return equalise(band_noise(rng, n, RATE, 100, 5000), RATE, speaker.response)
    knots, tones = [], []
    for start, length, stressed, place in syllables:
        tone = speaker.melody * (manner.slope * (place - 0.5) + manner.accent * stressed)
        knots += [start + 0.3 * length, start + 0.8 * length]
        tones += [tone + rng.normal(0, 0.4), tone + rng.normal(0, 0.4)]
    time = np.arange(n) / RATE
    drift = rng.normal(0, 0.05)
    pitch = speaker.pitch * np.exp(drift) * 2 ** (np.interp(time, knots, tones) / 12)
    pitch *= 1 + 0.01 * band_noise(rng, n, RATE, 2, 25)
    turns = np.floor(np.cumsum(pitch) / RATE)
    pulses = np.diff(turns, prepend=0.0) * np.sqrt(RATE / pitch)
    # The flow of the glottis falls by 12 dB an octave, the lips give back 6.
    source = lfilter([1.0, -1.0], np.convolve([1, -speaker.tilt], [1, -speaker.tilt]), pulses)
    source /= np.sqrt(np.mean(source**2))
    source += speaker.breath * band_noise(rng, n, RATE, 500, 7000)

    voice = np.zeros(n)
    hiss = band_noise(rng, n, RATE, 0.75 * manner.hiss_at, min(1.35 * manner.hiss_at, 7600))
    for start, length, stressed, place in syllables:
        edge = 0.25 * length if rng.random() < 0.75 else 0.02
        onset, end = (0.02, length - edge) if manner.coda else (edge, length + 0.02)
        first, last = int((start + onset) * RATE), min(int((start + end) * RATE), n)
        formants = np.array(_VOWELS[str(rng.choice(list("aeiou"), p=[0.3, 0.3, 0.1, 0.2, 0.1]))])
        formants = np.minimum(formants * speaker.tract * rng.normal(1, 0.03, 4), 7000)
        size = last - first
        ramp = np.minimum(1, np.minimum(np.arange(size), np.arange(size)[::-1]) / (0.02 * RATE))
        level = 10 ** (manner.swell * (place - 0.5) / 20)
        chunk = source[first:last] * ramp * level * (1.2 if stressed else 0.85)
        voice[first:last] += sosfilt(_resonators(formants), chunk) * ramp
        if edge > 0.02 and rng.random() < 0.6:
            begin, stop = (
                (last, int((start + length) * RATE)) if manner.coda else (int(start * RATE), first)
            )
            span = np.hanning(max(stop - begin, 2))[: stop - begin]
            voice[begin:stop] += 0.5 * manner.hiss * level * span * hiss[begin:stop]
    voice /= np.sqrt(np.mean(voice**2)) + 1e-12
    voice += 10 ** (speaker.noise / 20) * band_noise(rng, n, RATE, 60, 7000)
    return equalise(voice, RATE, speaker.response)


def _resonators(formants: Array) -> Array:
    radius = np.exp(-np.pi * np.array(_BANDWIDTHS) / RATE)
    b, c = 2 * radius * np.cos(2 * np.pi * formants / RATE), -(radius**2)
    sections = np.zeros((len(formants), 6))
    # Unit gain at 0 Hz, as in a cascade of resonators.
    sections[:, 0] = 1 - b - c
    sections[:, 3] = 1
    sections[:, 4] = -b
    sections[:, 5] = -c
    return sections
