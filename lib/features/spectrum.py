"""Power spectra of short frames, and what is made of them: mel bands, cepstra, chroma, contrast.

The definitions are librosa's, and a test holds the values to those of librosa. They are computed
here because librosa transforms in NumPy, which is several times slower than SciPy in float32, and
makes its filters anew for each recording; and because the first call of most of it has Numba
compile for 4 to 15 s, into a cache that jobs at the same time can spoil (numba/numba#10128). Frames
come first: a product with a bank of filters then reads memory in its order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise

import numpy as np

# Frames transformed at once: as many as stay in the cache, however long the recording is.
_BLOCK = 128
# The contrast: octaves from this frequency (Hz), and the share of a band's bins that are its peaks
# and its valleys (Jiang et al., Music type classification by spectral contrast feature, ICME 2002).
LOWEST, OCTAVES, _SHARE = 200.0, 6, 0.02


def powers(frames: np.ndarray, *, window: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """Compute the power spectra of frames, some at a time.

    Parameters
    ----------
    frames : np.ndarray, shape (frames, samples)
        May be a view in which frames overlap.
    window : np.ndarray, shape (samples,)
        float32.
    size : int
        Length of the transform, in samples.

    Yields
    ------
    np.ndarray, shape (at most 128, 1 + size // 2)
        float32.
    """
    from scipy.fft import rfft

    for start in range(0, len(frames), _BLOCK):
        magnitude = np.abs(rfft(frames[start : start + _BLOCK] * window, size))
        yield np.square(magnitude, out=magnitude)


def map_spectra(
    audio: np.ndarray, *functions: Callable[[np.ndarray], np.ndarray], n_fft: int, hop: int
) -> list[np.ndarray]:
    """Apply functions to the power spectra of a recording, some frames at a time.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,)
        float32. Beyond both ends there is silence.
    *functions : callable
        Each is given power, shape (frames, bins), and returns what is kept of it, shape
        (frames, channels).
    n_fft, hop : int
        Length of a frame and from one to the next, in samples; the first is centred at the start.

    Returns
    -------
    list of np.ndarray, shape (frames, channels)
        One for each function.
    """
    window = _hann(n_fft)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(audio, n_fft // 2), n_fft)[::hop]
    blocks = [[f(power) for f in functions] for power in powers(frames, window=window, size=n_fft)]
    return [np.concatenate(parts) for parts in zip(*blocks, strict=True)]


@lru_cache(maxsize=8)
def _hann(n_fft: int) -> np.ndarray:
    from scipy.signal import get_window

    window = get_window("hann", n_fft).astype(np.float32)
    window.setflags(write=False)
    return window


@lru_cache(maxsize=8)
def mel_bank(rate: float, n_fft: int, n_mels: int) -> np.ndarray:
    """Return the mel filters of Slaney's Auditory Toolbox, shape (bins, n_mels)."""
    from librosa.filters import mel

    return _kept(mel(sr=rate, n_fft=n_fft, n_mels=n_mels).T)


@lru_cache(maxsize=8)
def chroma_bank(rate: float, n_fft: int) -> np.ndarray:
    """Return the filters of the 12 semitones from C, tuned to A = 440 Hz, shape (bins, 12).

    A bin is shared among the semitones near it by a Gaussian of its own width, and weighted by
    another around the fifth octave above A0 (Ellis, Chroma feature analysis and synthesis, 2007;
    the filters are those of `librosa.filters.chroma`).
    """
    pitch = 12 * np.log2(np.arange(1, n_fft) * rate / n_fft / 27.5)  # semitones above A0
    pitch = np.concatenate([pitch[:1] - 18, pitch])  # that of 0 Hz is taken to be far below
    width = np.append(np.maximum(np.diff(pitch), 1), 1)[:, None]
    away = (pitch[:, None] - np.arange(12) + 6) % 12 - 6
    shares = np.exp(-0.5 * (2 * away / width) ** 2)
    shares /= np.linalg.norm(shares, axis=1, keepdims=True)
    shares *= np.exp(-0.5 * ((pitch[:, None] / 12 - 5) / 2) ** 2)
    return _kept(np.roll(shares, -3, axis=1)[: 1 + n_fft // 2])  # from A to C


def _kept(bank: np.ndarray) -> np.ndarray:
    """Keep whoever is given a bank from changing it for all."""
    kept = np.ascontiguousarray(bank, dtype=np.float32)
    kept.setflags(write=False)
    return kept


def decibels(power: np.ndarray) -> np.ndarray:
    """Convert power to dB (reference 1.0), nothing more than 80 dB below its largest value."""
    levels = 10 * np.log10(np.maximum(power, np.float32(1e-10)))
    return np.asarray(np.maximum(levels, levels.max() - 80))


def cepstrum(mel: np.ndarray, *, n_mfcc: int) -> np.ndarray:
    """Compute the first `n_mfcc` coefficients of mel power, shape (frames, n_mels)."""
    from scipy.fft import dct

    return np.asarray(dct(decibels(mel), axis=1, norm="ortho")[:, :n_mfcc])


def centroid(power: np.ndarray, *, rate: float, n_fft: int) -> np.ndarray:
    """Compute the mean frequency (Hz) of each frame, weighted by magnitude, shape (frames, 1)."""
    magnitude = np.sqrt(power)
    frequencies = np.fft.rfftfreq(n_fft, 1 / rate).astype(np.float32)
    return np.asarray(magnitude @ frequencies / _not_zero(magnitude.sum(axis=1)))[:, None]


def chroma(power: np.ndarray, *, rate: float, n_fft: int) -> np.ndarray:
    """Compute the power of the 12 semitones, the loudest of each frame 1, shape (frames, 12)."""
    semitones = power @ chroma_bank(rate, n_fft)
    return np.asarray(semitones / _not_zero(semitones.max(axis=1))[:, None])


def peaks_and_valleys(power: np.ndarray, *, rate: float, n_fft: int) -> np.ndarray:
    """Compute the mean of the largest and of the smallest magnitudes of seven bands.

    Parameters
    ----------
    power : np.ndarray, shape (frames, bins)
        Of a transform of `n_fft` samples at `rate` Hz.

    Returns
    -------
    np.ndarray, shape (frames, 14)
        The peaks of the seven bands, from below 200 Hz to the sixth octave above it, and their
        valleys.
    """
    magnitude, frequencies = np.sqrt(power), np.fft.rfftfreq(n_fft, 1 / rate)
    limits = [0.0, *(LOWEST * 2.0 ** np.arange(OCTAVES + 1))]
    peaks, valleys = [], []
    for band, (low, high) in enumerate(pairwise(limits)):
        # An octave begins with the last bin below it and ends before its last one; the share is of
        # both. The highest has all that is left.
        first = max(0, int(np.searchsorted(frequencies, low)) - (band > 0))
        end = int(np.searchsorted(frequencies, high, side="right"))
        last = band == OCTAVES
        end = len(frequencies) if last else end
        count = max(1, round(_SHARE * (end - first)))
        ordered = np.sort(magnitude[:, first : end if last else end - 1], axis=1)
        peaks.append(ordered[:, -count:].mean(axis=1))
        valleys.append(ordered[:, :count].mean(axis=1))
    return np.stack(peaks + valleys, axis=1)


def contrast(extremes: np.ndarray) -> np.ndarray:
    """Compute the spectral contrast (dB) from peaks and valleys, shape (frames, 7)."""
    peaks, valleys = np.split(extremes, 2, axis=1)
    return decibels(peaks) - decibels(valleys)


def _not_zero(sums: np.ndarray) -> np.ndarray:
    """Replace what nothing can be divided by, that of a silent frame, by 1."""
    return np.where(sums < np.finfo(np.float32).tiny, np.float32(1), sums)
