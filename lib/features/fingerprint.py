"""Fingerprints that tell the same audio when it was re-encoded, resampled, cut or made louder.

The bits are those of Haitsma and Kalker (A Highly Robust Audio Fingerprinting System, ISMIR 2002):
whether the difference in energy of two neighbouring bands grows from one frame to the next. Level
and encoding change few of them; of two different recordings half differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lib.datasets.signal import Signal, mix
from lib.features.resampling import resample, resample_audio
from lib.features.spectrum import powers

BITS = 32

# A frame below this share of the power of the loudest one (-60 dB) is silence: bits of noise.
_SILENCE = 1e-6


class Band(NamedTuple):
    """Where to look in a signal: limits and rate in Hz, length of a frame and its hop in s."""

    low: float
    high: float
    rate: float
    frame: float
    hop: float


BANDS = (
    Band(40, 1900, 4000, 0.37, 0.02),
    Band(10, 450, 1000, 0.5, 0.02),
    Band(0.5, 45, 100, 2.0, 0.1),
)
"""From sounds to slow signals such as an ECG; two fingerprints compare in the same band only."""


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """What tells one recording from others.

    Attributes
    ----------
    bits : np.ndarray [shape=(frames,), dtype=uint32]
        One word for each frame.
    heard : np.ndarray [shape=(frames,), dtype=bool]
        False where the frame is silent.
    """

    bits: np.ndarray
    heard: np.ndarray


def band_of(rates: Sequence[float]) -> Band:
    """Choose the band that every one of some sampling rates (Hz) holds; the lowest where none."""
    lowest = min(rates, default=BANDS[0].rate)
    return next((band for band in BANDS if band.rate <= lowest), BANDS[-1])


def content_of(signal: Signal) -> str:
    """Hash the samples of a recording: what two copies without any change share."""
    # Most processors compute this one by an instruction of their own.
    return hashlib.sha256(np.ascontiguousarray(signal.samples).data).hexdigest()[:32]


def mono(signal: Signal, *, rate: float) -> np.ndarray:
    """Compute the mean of all channels, resampled to `rate` (Hz), shape (time,), float32."""
    # Nearly all that has so high a rate is sound.
    way = resample_audio if rate >= BANDS[0].rate else resample
    return way(mix(signal.samples), rate=signal.rate, new_rate=rate)


def fingerprint(signal: Signal, *, band: Band = BANDS[0]) -> Fingerprint:
    """Compute the fingerprint of a recording.

    Parameters
    ----------
    signal : Signal
        Its channels are averaged.
    band : Band
        Where to look.

    Returns
    -------
    Fingerprint
        One word for each hop of the band; none for a recording that is shorter than a frame.
    """
    wave = mono(signal, rate=band.rate)
    length, hop = round(band.frame * band.rate), round(band.hop * band.rate)
    if len(wave) < length:
        return Fingerprint(np.zeros(0, np.uint32), np.zeros(0, bool))
    size = 1 << (length - 1).bit_length()
    window = np.hanning(length).astype(np.float32)
    edges = np.rint(np.geomspace(band.low, band.high, BITS + 2) * size / band.rate).astype(int)
    # Narrow bands at the low end would share a bin.
    edges = np.maximum.accumulate(np.maximum(edges, edges[0] + np.arange(BITS + 2)))
    frames = np.lib.stride_tricks.sliding_window_view(wave, length)[::hop]
    energy = np.concatenate(
        [
            np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1)
            for power in powers(frames, window=window, size=size)
        ]
    )
    difference = energy[:, :-1] - energy[:, 1:]
    grown = difference[1:] > difference[:-1]
    words = (grown.astype(np.uint32) << np.arange(BITS, dtype=np.uint32)).sum(axis=1)
    total = energy.sum(axis=1)[1:]
    heard = total > _SILENCE * max(float(total.max(initial=0)), 1e-12)
    return Fingerprint(words.astype(np.uint32), heard)


def pack(prints: Sequence[Fingerprint]) -> dict[str, np.ndarray]:
    """Put fingerprints into arrays that one file can hold.

    Returns
    -------
    dict of str to np.ndarray
        `bits` and `heard` of one fingerprint after the other, and `frames` of each.
    """
    return {
        "bits": np.concatenate([np.zeros(0, np.uint32), *(one.bits for one in prints)]),
        "heard": np.concatenate([np.zeros(0, bool), *(one.heard for one in prints)]),
        "frames": np.array([len(one.bits) for one in prints], np.int64),
    }


def unpack(arrays: Mapping[str, np.ndarray]) -> list[Fingerprint]:
    """Take the fingerprints out of the arrays of `pack`."""
    ends = np.cumsum(arrays["frames"])[:-1]
    parts = (np.split(arrays[name], ends) for name in ("bits", "heard"))
    return [Fingerprint(*both) for both in zip(*parts, strict=True)][: len(arrays["frames"])]
