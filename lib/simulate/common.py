"""What every simulated dataset is made with: generators, noise, filters and writers."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lib.files import atomic

Array = NDArray[np.float64]


def generator(seed: int, dataset: str, subject: str) -> np.random.Generator:
    """Make the generator of one subject (or of one recording of a subject).

    It depends on its three arguments alone, so that a subject is the same whatever other
    subjects there are and in whatever order they are made.

    Parameters
    ----------
    seed : int
        Seed of the dataset, not negative.
    dataset, subject : str
        Their names.
    """
    digest = hashlib.sha256(f"{dataset}/{subject}".encode()).digest()
    words = np.frombuffer(digest, dtype="<u4")
    return np.random.default_rng(np.random.SeedSequence([seed, *words.tolist()]))


def band_noise(rng: np.random.Generator, n: int, rate: float, low: float, high: float) -> Array:
    """Draw Gaussian noise of unit RMS between two frequencies.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where the randomness is from.
    n : int
        Length in samples.
    rate, low, high : float
        Sampling rate and band edges in Hz.

    Returns
    -------
    ndarray, shape (n,)
    """
    from scipy import fft

    size = fft.next_fast_len(max(n, int(2 * rate / max(low, 0.05))), real=True)
    edge = max(0.1 * low, rate / size)
    first = max(int((low - 8 * edge) * size / rate), 1)
    last = min(int(1.8 * high * size / rate) + 2, size // 2)
    frequency = np.arange(first, last) * (rate / size)
    # Soft edges: a brick wall would ring.
    rise = 1 / (1 + np.exp(-(frequency - low) / edge))
    fall = 1 / (1 + np.exp((frequency - high) / (0.1 * high)))
    # Drawn as a spectrum, and only where the band is: half the work of filtering white noise.
    parts = rng.standard_normal((2, last - first)) * rise * fall
    spectrum = np.zeros(size // 2 + 1, dtype=complex)
    spectrum[first:last] = parts[0] + 1j * parts[1]
    noise = fft.irfft(spectrum, size)
    noise /= np.sqrt(np.mean(noise**2)) + 1e-12
    return noise[:n]


def colour(
    rng: np.random.Generator, low: float, high: float, decibel: float
) -> tuple[Array, Array]:
    """Draw the frequency response of a stethoscope or a microphone.

    Returns
    -------
    frequencies : ndarray, shape (8,)
        Hz, spaced evenly in octaves from `low` to `high`.
    gains : ndarray, shape (8,)
        dB, normal with standard deviation `decibel`.
    """
    return np.geomspace(low, high, 8), rng.normal(0, decibel, 8)


def equalise(x: Array, rate: float, response: tuple[Array, Array]) -> Array:
    """Apply a frequency response, as `colour` gives it, without delay."""
    from scipy import fft

    size = fft.next_fast_len(len(x), real=True)
    frequency = fft.rfftfreq(size, 1 / rate)
    gain = np.interp(np.log(frequency + 1), np.log(response[0] + 1), response[1])
    return fft.irfft(fft.rfft(x, size) * 10 ** (gain / 20), size)[: len(x)]


def to_rms(x: Array, level: float) -> Array:
    """Scale a signal to an RMS level in dB of full scale."""
    return x * (10 ** (level / 20) / (np.sqrt(np.mean(x**2)) + 1e-12))


def to_pcm(x: Array) -> NDArray[np.int16]:
    """Turn full scale ±1 into 16-bit samples, clipping what is beyond."""
    return np.round(np.clip(x, -1, 1) * 32767).astype(np.int16)


def write_audio(path: Path, x: Array, rate: int) -> None:
    """Write audio, full scale ±1, atomically, in the format of the suffix; 16 bit but for mp3.

    Parameters
    ----------
    path : Path
        Where to.
    x : ndarray, shape (n,) or (n, channels)
        Samples.
    rate : int
        Hz.
    """
    import soundfile

    with atomic(path) as part:
        soundfile.write(part, to_pcm(x), rate)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with the line ends it has, atomically."""
    with atomic(path) as part:
        part.write_bytes(text.encode())
