"""Mel: the mel spectrogram of the first seconds of a recording."""

from __future__ import annotations

from dataclasses import dataclass

from lib.datasets.signal import Signal
from lib.features.audio import FirstSeconds, first_samples, one_example
from lib.features.kinds import Features
from lib.features.spectrum import decibels


@dataclass(frozen=True)
class Mel(FirstSeconds):
    """Power in mel bands; settings beside those of `FirstSeconds`.

    Parameters
    ----------
    decibels : bool
        Whether the power is in dB.
    """

    decibels: bool = True

    name = "mel"

    @property
    def shape(self) -> tuple[int, int]:
        """Frames and mel bands."""
        return self.frames, self.n_mels

    def extract(self, signal: Signal) -> Features:
        """Compute the mel spectrogram.

        Returns
        -------
        Features
            One example of shape (frames, n_mels): power in dB (reference 1.0), nothing more than
            80 dB below the loudest of the recording; or the power itself.
        """
        audio = first_samples(signal, rate=self.rate, length=self.length)
        power = self.mel_power(audio)
        return one_example(decibels(power) if self.decibels else power)
