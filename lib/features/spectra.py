"""Spectral features of audio, one example for each recording: mfcc, spectral, mel.

All take the mean of the channels, resample it, and begin at the start of the recording. A recording
that is too short is filled up with silence, one that is too long is cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lib.datasets.signal import Signal, mix
from lib.errors import HeldoutError
from lib.features.kinds import Features, require_positive, unlabelled

PARTS = {"mfcc": 13, "centroid": 1, "chroma": 12, "contrast": 7}
"""The parts of `spectral` and their channels, in the order in which they stand."""

# Octaves from 200 Hz are the bands of the contrast; the sixth and last begins at this frequency.
_CONTRAST_HZ = 6400

# The power of a transform of louder samples does not fit in 32 bits.
_LOUDEST = 1e12


def _audio(signal: Signal, *, rate: float, length: int) -> np.ndarray:
    """Give `length` samples of one channel at `rate`, shape (length,)."""
    import librosa

    mono = mix(signal.samples)
    if signal.rate != rate:
        mono = librosa.resample(mono, orig_sr=signal.rate, target_sr=rate)
    audio = np.asarray(librosa.util.fix_length(mono, size=length), dtype=np.float32)
    if not np.abs(audio).max() <= _LOUDEST:  # NaN is not, either
        raise HeldoutError(
            f"{signal.name}: expected audio with a full scale of ±1, got samples up to "
            f"{np.abs(audio).max():g}. Scale the recording or exclude it."
        )
    return audio


def _one(x: np.ndarray) -> Features:
    """Give a recording's one example from a (channels, time) array."""
    return unlabelled(np.ascontiguousarray(x.T, dtype=np.float32)[None], np.zeros(1))


def mfcc_shape(
    *, rate: float, duration: float, n_mfcc: int, n_mels: int, n_fft: int, hop: int
) -> tuple[int, int]:
    """Give (frames, coefficients); the settings are those of `mfcc`."""
    require_positive(rate=rate, duration=duration, n_mfcc=n_mfcc, n_fft=n_fft, hop=hop)
    if n_mfcc > n_mels:
        raise HeldoutError(
            f"features setting n_mfcc: expected at most the {n_mels} mel bands (n_mels), got "
            f"{n_mfcc}. Correct it in the study's features."
        )
    return 1 + round(duration * rate) // hop, n_mfcc


def mfcc(
    signal: Signal,
    *,
    rate: float,
    duration: float,
    n_mfcc: int,
    n_mels: int,
    n_fft: int,
    hop: int,
) -> Features:
    """Give the mel-frequency cepstral coefficients of the first `duration` seconds.

    Parameters
    ----------
    signal : Signal
        Audio.
    rate : float
        Resampled to, in Hz.
    duration : float
        In s; shorter recordings are filled up with silence.
    n_mfcc, n_mels : int
        Coefficients, and the mel bands they are made from.
    n_fft, hop : int
        Length of the transform and from one frame to the next, in samples at `rate`.

    Returns
    -------
    Features
        One example of shape (1 + round(duration × rate) // hop, n_mfcc).
    """
    import librosa

    mfcc_shape(rate=rate, duration=duration, n_mfcc=n_mfcc, n_mels=n_mels, n_fft=n_fft, hop=hop)
    audio = _audio(signal, rate=rate, length=round(duration * rate))
    return _one(
        librosa.feature.mfcc(
            y=audio, sr=rate, n_mfcc=n_mfcc, n_mels=n_mels, n_fft=n_fft, hop_length=hop
        )
    )


def mel_shape(
    *, rate: float, duration: float, n_mels: int, n_fft: int, hop: int
) -> tuple[int, int]:
    """Give (frames, mel bands); the settings are those of `mel`."""
    require_positive(rate=rate, duration=duration, n_mels=n_mels, n_fft=n_fft, hop=hop)
    return 1 + round(duration * rate) // hop, n_mels


def mel(
    signal: Signal, *, rate: float, duration: float, n_mels: int, n_fft: int, hop: int
) -> Features:
    """Give the mel spectrogram of the first `duration` seconds.

    Parameters
    ----------
    signal : Signal
        Audio.
    rate : float
        Resampled to, in Hz.
    duration : float
        In s; shorter recordings are filled up with silence.
    n_mels : int
        Mel bands up to half of `rate`.
    n_fft, hop : int
        Length of the transform and from one frame to the next, in samples at `rate`.

    Returns
    -------
    Features
        One example of shape (1 + round(duration × rate) // hop, n_mels): power in dB (reference
        1.0), nothing more than 80 dB below the loudest of the recording.
    """
    import librosa

    mel_shape(rate=rate, duration=duration, n_mels=n_mels, n_fft=n_fft, hop=hop)
    audio = _audio(signal, rate=rate, length=round(duration * rate))
    power = librosa.feature.melspectrogram(
        y=audio, sr=rate, n_mels=n_mels, n_fft=n_fft, hop_length=hop
    )
    return _one(librosa.power_to_db(power, ref=1.0))


def spectral_shape(
    *, rate: float, frames: int, n_fft: int, hop: int, parts: Sequence[str]
) -> tuple[int, int]:
    """Give (frames, channels); the settings are those of `spectral`."""
    require_positive(rate=rate, frames=frames, n_fft=n_fft, hop=hop)
    if not parts or len(set(parts)) != len(parts) or set(parts) - set(PARTS):
        raise HeldoutError(
            f"features setting parts: expected some of {', '.join(PARTS)}, each once, got "
            f"{', '.join(map(str, parts)) or 'none'}. Correct it in the study's features."
        )
    if "contrast" in parts and rate <= 2 * _CONTRAST_HZ:
        raise HeldoutError(
            f"features setting rate: expected more than {2 * _CONTRAST_HZ} Hz for the spectral "
            f"contrast, got {rate}. Choose a higher rate or leave contrast out of the parts."
        )
    return frames, sum(PARTS[part] for part in parts)


def spectral(
    signal: Signal, *, rate: float, frames: int, n_fft: int, hop: int, parts: Sequence[str]
) -> Features:
    """Give several spectral features side by side, over the first `frames` frames.

    Parameters
    ----------
    signal : Signal
        Audio.
    rate : float
        Resampled to, in Hz.
    frames : int
        Shorter recordings are filled up with silence.
    n_fft, hop : int
        Length of the transform and from one frame to the next, in samples at `rate`.
    parts : sequence of str
        Some of `PARTS`: 13 MFCC, the spectral centroid (Hz), 12 chroma, and the spectral contrast
        in 7 bands (dB). They stand in the order of `PARTS`, whatever their order here.

    Returns
    -------
    Features
        One example of shape (frames, 33) with all parts, (frames, 14) with MFCC and centroid.
    """
    import librosa

    spectral_shape(rate=rate, frames=frames, n_fft=n_fft, hop=hop, parts=parts)
    # Half a transform beyond the centre of the last frame: it hears as much as the others.
    audio = _audio(signal, rate=rate, length=(frames - 1) * hop + n_fft // 2)
    magnitude = np.abs(librosa.stft(audio, n_fft=n_fft, hop_length=hop))[:, :frames]
    # Parts share one transform; chroma is not tuned to the recording, since a voice has no tuning.
    mel_power = librosa.feature.melspectrogram(S=magnitude**2, sr=rate, n_fft=n_fft)
    found: dict[str, Any] = {
        "mfcc": lambda: librosa.feature.mfcc(S=librosa.power_to_db(mel_power), n_mfcc=13),
        "centroid": lambda: librosa.feature.spectral_centroid(S=magnitude, sr=rate),
        "chroma": lambda: librosa.feature.chroma_stft(S=magnitude**2, sr=rate, tuning=0.0),
        "contrast": lambda: librosa.feature.spectral_contrast(S=magnitude, sr=rate),
    }
    return _one(np.concatenate([found[part]() for part in PARTS if part in parts]))
