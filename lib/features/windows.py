"""Windows: stretches of the samples themselves, all of one length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lib.datasets.signal import Signal
from lib.errors import HeldoutError
from lib.features.kinds import (
    ADVICE,
    Axes,
    Demands,
    Features,
    Kind,
    require_one_of,
    require_positive,
    unlabelled,
)
from lib.features.resampling import resample

SCALES = ("none", "recording")


@dataclass(frozen=True)
class Windows(Kind):
    """A recording cut into windows.

    Parameters
    ----------
    channels : sequence of str
        The channels to take, by name, in this order.
    rate : float
        The channels are resampled to this rate (Hz).
    samples : int
        Length of a window, in samples at `rate`.
    stride : int
        From the start of a window to that of the next, in samples at `rate`. What is left at the
        end is not used.
    limit : int, optional
        At most so many windows, spread evenly over the recording: a long recording then does not
        outweigh the others. All without it.
    scale : {"none", "recording"}
        `recording` brings each channel of each recording to mean 0 and standard deviation 1: what
        an electrode or an amplifier makes of a person is then no difference between recordings. A
        channel that is constant is only centred.
    """

    channels: Sequence[str]
    rate: float
    samples: int
    stride: int
    limit: int | None = None
    scale: str = "none"

    name = "windows"
    of_samples = True

    def __post_init__(self) -> None:
        """Check the settings."""
        require_positive(
            channels=len(self.channels), rate=self.rate, samples=self.samples, stride=self.stride
        )
        if len(set(self.channels)) < len(self.channels):
            raise HeldoutError(
                "features setting channels", "each once", ", ".join(self.channels), ADVICE
            )
        if self.limit is not None:
            require_positive(limit=self.limit)
        require_one_of(SCALES, scale=self.scale)

    @property
    def shape(self) -> tuple[int, int]:
        """Time and channels."""
        return self.samples, len(self.channels)

    @property
    def seconds(self) -> float:
        """Length of a window."""
        return self.samples / self.rate

    @property
    def use(self) -> str:
        """Windows, and how many."""
        most = f", at most {self.limit:,} of each" if self.limit else ""
        return f"they are cut into windows of {self.seconds:,.4g} s{most}"

    @property
    def axes(self) -> Axes:
        """The channels have names."""
        return {"aligned": False, "before": 0.0, "channels": list(self.channels)}

    @property
    def demands(self) -> Demands:
        """The channels, for as long as a window."""
        return {"channels": list(self.channels), "seconds": self.seconds}

    def most_examples(self, duration: float) -> float:
        """As many as fit, or as are wanted."""
        count = duration * self.rate / self.stride + 1
        return min(count, self.limit) if self.limit else count

    def extract(self, signal: Signal) -> Features:
        """Cut a recording into windows.

        Returns
        -------
        Features
            `x` of shape (windows, samples, channels), in the unit of the signal or scaled.

        Raises
        ------
        HeldoutError
            A channel is missing, or the recording is shorter than one window.
        """
        missing = [name for name in self.channels if name not in signal.channels]
        if missing:
            raise HeldoutError(
                signal.name,
                f"the channels {', '.join(missing)}",
                ", ".join(signal.channels),
                "Exclude the recording or choose other channels.",
            )
        columns = [signal.channels.index(name) for name in self.channels]
        wave = resample(signal.samples[:, columns], rate=signal.rate, new_rate=self.rate)
        if len(wave) < self.samples:
            raise HeldoutError(
                signal.name,
                f"at least the {self.seconds:g} s of one window",
                f"{signal.duration:g} s",
                "Exclude the recording or choose a shorter window.",
            )
        if self.scale == "recording":
            # Sums of a day in 32 bits are off by a tenth of a deviation.
            mean, deviation = (
                of(axis=0, dtype=np.float64).astype(np.float32) for of in (wave.mean, wave.std)
            )
            wave = (wave - mean) / np.where(deviation > 0, deviation, 1)
        starts = np.arange(0, len(wave) - self.samples + 1, self.stride)
        if self.limit is not None and len(starts) > self.limit:
            starts = starts[np.rint(np.linspace(0, len(starts) - 1, self.limit)).astype(np.int64)]
        x = np.stack([wave[start : start + self.samples] for start in starts])
        return unlabelled(x, starts / self.rate)
