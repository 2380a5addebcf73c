"""Spectral: several spectral features side by side, over the first frames of a recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lib.datasets.signal import Signal
from lib.errors import HeldoutError
from lib.features.audio import first_samples, one_example
from lib.features.kinds import ADVICE, Features, Kind, require_positive

PARTS = {"mfcc": 13, "centroid": 1, "chroma": 12, "contrast": 7}
"""The parts and their channels, in the order in which they stand."""

# Octaves from 200 Hz are the bands of the contrast; the sixth and last begins at this frequency.
_CONTRAST_HZ = 6400


@dataclass(frozen=True)
class Spectral(Kind):
    """MFCC, spectral centroid, chroma and spectral contrast, or some of them.

    Parameters
    ----------
    rate : float
        Resampled to, in Hz.
    frames : int
        Shorter recordings are filled up with silence.
    n_fft, hop : int
        Length of the transform and from one frame to the next, in samples at `rate`.
    parts : sequence of str
        Some of `PARTS`: 13 MFCC, the spectral centroid (Hz), 12 chroma, and the spectral contrast
        in 7 bands (dB). They stand in the order of `PARTS`, whatever their order here.
    """

    rate: float
    frames: int
    n_fft: int
    hop: int
    parts: Sequence[str]

    name = "spectral"

    def __post_init__(self) -> None:
        """Check the settings."""
        require_positive(rate=self.rate, frames=self.frames, n_fft=self.n_fft, hop=self.hop)
        parts = self.parts
        if not parts or len(set(parts)) != len(parts) or set(parts) - set(PARTS):
            raise HeldoutError(
                "features setting parts",
                f"some of {', '.join(PARTS)}, each once",
                ", ".join(parts) or "none",
                ADVICE,
            )
        if "contrast" in parts and self.rate <= 2 * _CONTRAST_HZ:
            raise HeldoutError(
                "features setting rate",
                f"more than {2 * _CONTRAST_HZ} Hz for the spectral contrast",
                str(self.rate),
                "Choose a higher rate or leave contrast out of the parts.",
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Frames and channels."""
        return self.frames, sum(PARTS[part] for part in self.parts)

    @property
    def seconds(self) -> float:
        """Length of an example."""
        return self.frames * self.hop / self.rate

    @property
    def use(self) -> str:
        """The start of a recording."""
        return (
            f"the first {self.seconds:,.3g} s of each are used, and shorter ones filled up with "
            "silence"
        )

    def extract(self, signal: Signal) -> Features:
        """Compute the parts: one example of shape (frames, channels)."""
        import librosa

        rate, n_fft, hop = self.rate, self.n_fft, self.hop
        # Half a transform beyond the centre of the last frame: it hears as much as the others.
        length = (self.frames - 1) * hop + n_fft // 2
        audio = first_samples(signal, rate=rate, length=length)
        magnitude = np.abs(librosa.stft(audio, n_fft=n_fft, hop_length=hop))[:, : self.frames]
        # Parts share one transform; chroma is not tuned to the recording: a voice has no tuning.
        power = magnitude**2
        mel = librosa.feature.melspectrogram(S=power, sr=rate, n_fft=n_fft)
        compute: dict[str, Callable[[], np.ndarray]] = {
            "mfcc": lambda: librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=13),
            "centroid": lambda: librosa.feature.spectral_centroid(S=magnitude, sr=rate),
            "chroma": lambda: librosa.feature.chroma_stft(S=power, sr=rate, tuning=0.0),
            "contrast": lambda: librosa.feature.spectral_contrast(S=magnitude, sr=rate),
        }
        return one_example(
            np.concatenate([compute[part]() for part in PARTS if part in self.parts])
        )
