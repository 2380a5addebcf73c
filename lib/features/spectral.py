"""Spectral: several spectral features side by side, over the first frames of a recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from lib.datasets.signal import Signal
from lib.errors import HeldoutError
from lib.features.audio import first_samples, one_example
from lib.features.kinds import ADVICE, Features, Kind, require_positive
from lib.features.spectrum import (
    LOWEST,
    OCTAVES,
    centroid,
    cepstrum,
    chroma,
    contrast,
    map_spectra,
    mel_bank,
    peaks_and_valleys,
)

PARTS = {"mfcc": 13, "centroid": 1, "chroma": 12, "contrast": 7}
"""The parts and their channels, in the order in which they stand."""

# The mel bands of which the coefficients are made.
_MELS = 128


@dataclass(frozen=True)
class Spectral(Kind):
    """MFCC, spectral centroid, chroma and spectral contrast, or some of them.

    Parameters
    ----------
    rate : float
        Resampled to, in Hz.
    frames : int
        Shorter recordings are filled up with silence.
    n_fft : int
        Length of a frame and of its transform, in samples at `rate`.
    hop : int
        From one frame to the next, in samples at `rate`.
    parts : sequence of str
        Some of `mfcc` (13 coefficients), `centroid` (Hz), `chroma` (12) and `contrast` (7 bands,
        in dB). They stand in this order, whatever their order here.
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
        highest = LOWEST * 2 ** (OCTAVES - 1)
        if "contrast" in parts and self.rate <= 2 * highest:
            raise HeldoutError(
                "features setting rate",
                f"more than {2 * highest:g} Hz for the spectral contrast",
                str(self.rate),
                "Choose a higher rate or leave contrast out of the parts.",
            )
        if "contrast" in parts and self.rate > LOWEST * self.n_fft:
            raise HeldoutError(
                "features setting n_fft",
                f"at least {self.rate / LOWEST:g} samples at {self.rate:g} Hz for the spectral "
                "contrast",
                str(self.n_fft),
                "Choose a longer transform or leave contrast out of the parts.",
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
        # Half a transform beyond the centre of the last frame: it hears as much as the others.
        length = (self.frames - 1) * self.hop + self.n_fft // 2
        audio = first_samples(signal, rate=self.rate, length=length)
        chosen = [part for part in PARTS if part in self.parts]
        functions = [partial(_OF_POWER[part], rate=self.rate, n_fft=self.n_fft) for part in chosen]
        parts = map_spectra(audio, *functions, n_fft=self.n_fft, hop=self.hop)
        kept = {part: x[: self.frames] for part, x in zip(chosen, parts, strict=True)}
        # What is in dB has a floor below the loudest frame.
        whole: dict[str, Callable[[np.ndarray], np.ndarray]] = {
            "mfcc": partial(cepstrum, n_mfcc=PARTS["mfcc"]),
            "contrast": contrast,
        }
        return one_example(
            np.concatenate([whole.get(part, np.asarray)(x) for part, x in kept.items()], axis=1)
        )


def _mel(power: np.ndarray, *, rate: float, n_fft: int) -> np.ndarray:
    return power @ mel_bank(rate, n_fft, _MELS)


# What is taken of the spectra, which all parts share.
_OF_POWER: dict[str, Callable[..., np.ndarray]] = {
    "mfcc": _mel,
    "centroid": centroid,
    "chroma": chroma,
    "contrast": peaks_and_valleys,
}
