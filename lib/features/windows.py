"""Windows: stretches of the samples themselves, all of one length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lib.datasets.signal import Signal
from lib.errors import HeldoutError
from lib.features.kinds import Features, require_positive, unlabelled
from lib.features.resampling import resample


def shape(
    *, channels: Sequence[str], rate: float, samples: int, stride: int, limit: int | None = None
) -> tuple[int, int]:
    """Give (time, channels) of a window; the settings are those of `extract`."""
    require_positive(channels=len(channels), rate=rate, samples=samples, stride=stride)
    if limit is not None:
        require_positive(limit=limit)
    return samples, len(channels)


def extract(
    signal: Signal,
    *,
    channels: Sequence[str],
    rate: float,
    samples: int,
    stride: int,
    limit: int | None = None,
) -> Features:
    """Cut a recording into windows.

    Parameters
    ----------
    signal : Signal
        Any.
    channels : sequence of str
        The channels to take, by name, in this order.
    rate : float
        The channels are resampled to this rate (Hz).
    samples, stride : int
        Length of a window, and from the start of one to that of the next, in samples at `rate`.
        What is left at the end is not used.
    limit : int, optional
        At most so many windows, spread evenly over the recording: a long recording then does not
        outweigh the others. All without it.

    Returns
    -------
    Features
        `x` of shape (windows, samples, channels), in the units of the signal.

    Raises
    ------
    HeldoutError
        A channel is missing, or the recording is shorter than one window.
    """
    shape(channels=channels, rate=rate, samples=samples, stride=stride, limit=limit)
    missing = [name for name in channels if name not in signal.channels]
    if missing:
        raise HeldoutError(
            f"{signal.name}: expected the channels {', '.join(missing)}, got "
            f"{', '.join(signal.channels)}. Exclude the recording or choose other channels."
        )
    columns = [signal.channels.index(name) for name in channels]
    wave = resample(signal.samples[:, columns], rate=signal.rate, new_rate=rate)
    if len(wave) < samples:
        raise HeldoutError(
            f"{signal.name}: expected at least the {samples / rate:g} s of one window, got "
            f"{signal.duration:g} s. Exclude the recording, set a least duration, or choose a "
            "shorter window."
        )
    starts = np.arange(0, len(wave) - samples + 1, stride)
    if limit is not None and len(starts) > limit:
        starts = starts[np.rint(np.linspace(0, len(starts) - 1, limit)).astype(np.int64)]
    x = np.stack([wave[start : start + samples] for start in starts])
    return unlabelled(x, starts / rate)
