"""MFCC: the mel-frequency cepstral coefficients of the first seconds of a recording."""

from __future__ import annotations

from dataclasses import dataclass

from lib.datasets.signal import Signal
from lib.errors import HeldoutError
from lib.features.audio import FirstSeconds, first_samples, one_example
from lib.features.kinds import ADVICE, Features, require_positive
from lib.features.spectrum import cepstrum


@dataclass(frozen=True)
class Mfcc(FirstSeconds):
    """Cepstral coefficients.

    Parameters
    ----------
    rate, duration, n_mels, n_fft, hop
        As for `FirstSeconds`; the coefficients are made from the mel bands.
    n_mfcc : int
        Coefficients.
    """

    n_mfcc: int

    name = "mfcc"

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        require_positive(n_mfcc=self.n_mfcc)
        if self.n_mfcc > self.n_mels:
            raise HeldoutError(
                "features setting n_mfcc",
                f"at most the {self.n_mels} mel bands (n_mels)",
                str(self.n_mfcc),
                ADVICE,
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Frames and coefficients."""
        return self.frames, self.n_mfcc

    def extract(self, signal: Signal) -> Features:
        """Compute the coefficients: one example of shape (frames, n_mfcc)."""
        audio = first_samples(signal, rate=self.rate, length=self.length)
        return one_example(cepstrum(self.mel_power(audio), n_mfcc=self.n_mfcc))
