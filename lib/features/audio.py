"""What the spectral features of audio share: one example for each recording, frame by frame.

All take the mean of the channels, resample it, and begin at the start of the recording. A recording
that is too short is filled up with silence, one that is too long is cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.datasets.signal import Signal, mix
from lib.errors import HeldoutError
from lib.features.kinds import Features, Kind, require_positive, unlabelled
from lib.features.resampling import fix_length, resample_audio
from lib.features.spectrum import map_spectra, mel_bank

# The power of a transform of louder samples does not fit in 32 bits.
_LOUDEST = 1e12


@dataclass(frozen=True)
class FirstSeconds(Kind):
    """Frames of the first seconds of a recording.

    Parameters
    ----------
    rate : float
        Resampled to, in Hz.
    duration : float
        In s; shorter recordings are filled up with silence.
    n_fft : int
        Length of a frame and of its transform, in samples at `rate`.
    hop : int
        From one frame to the next, in samples at `rate`.
    n_mels : int
        Mel bands up to half of `rate`.
    """

    rate: float
    duration: float
    n_mels: int
    n_fft: int
    hop: int

    def __post_init__(self) -> None:
        """Check the settings."""
        require_positive(
            rate=self.rate,
            duration=self.duration,
            n_mels=self.n_mels,
            n_fft=self.n_fft,
            hop=self.hop,
        )

    @property
    def frames(self) -> int:
        """Frames of an example: the first is centred at its start."""
        return 1 + self.length // self.hop

    @property
    def length(self) -> int:
        """Samples that are heard, at `rate`."""
        return round(self.duration * self.rate)

    @property
    def seconds(self) -> float:
        """Length of an example."""
        return float(self.duration)

    @property
    def use(self) -> str:
        """The start of a recording."""
        return (
            f"the first {self.seconds:,g} s of each are used, and shorter ones filled up with "
            "silence"
        )

    def mel_power(self, audio: np.ndarray) -> np.ndarray:
        """Compute the power in mel bands of samples at `rate`, shape (frames, n_mels)."""
        bank = mel_bank(self.rate, self.n_fft, self.n_mels)
        (mel,) = map_spectra(audio, lambda power: power @ bank, n_fft=self.n_fft, hop=self.hop)
        return mel


def first_samples(signal: Signal, *, rate: float, length: int) -> np.ndarray:
    """Return `length` samples of one channel at `rate` (Hz), shape (length,).

    Raises
    ------
    HeldoutError
        The samples are so large that their full scale cannot be ±1.
    """
    mono = resample_audio(mix(signal.samples), rate=signal.rate, new_rate=rate)
    audio = np.asarray(fix_length(mono, length), dtype=np.float32)
    if not np.abs(audio).max() <= _LOUDEST:  # NaN is not, either
        raise HeldoutError(
            signal.name,
            "audio with a full scale of ±1",
            f"samples up to {np.abs(audio).max():g}",
            "Scale the recording or exclude it.",
        )
    return audio


def one_example(x: np.ndarray) -> Features:
    """Make a recording's one example from a (time, channels) array."""
    return unlabelled(np.ascontiguousarray(x, dtype=np.float32)[None], np.zeros(1))
