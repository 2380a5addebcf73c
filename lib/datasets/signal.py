"""One recording, as it was published and in known units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lib.errors import HeldoutError

# Hz. Beyond these no recording was made: a damaged header says so, and resampling by such a factor
# would take all memory.
_SLOWEST, _FASTEST = 0.1, 1e7
RATES = "from 0.1 Hz to 10 MHz"

LARGEST = 1 << 28
"""Most samples, those of all channels together, that are held of one recording: 1 GiB of float32.

A header may promise any number, and a packed file of some kB may hold as many.
"""

FULL_SCALE = "full scale"
"""The unit of audio: samples from -1 to 1."""

FILE_UNIT = "unit of the file"
"""The unit of samples of which nobody said what they are."""

REPLACE = "Replace the file by a whole one, or leave it out."
"""What to do about a damaged file: who reads it does not know where it came from."""

_SILENCE = -200.0  # dB: below anything that a 32-bit float recording holds


class DamagedError(HeldoutError):
    """A file that is not whole: truncated, or not to be decoded."""

    def __init__(
        self, place: str | Path, expected: str = "", got: str = "", advice: str = REPLACE
    ) -> None:
        super().__init__(place, expected, got, advice)


class UndecodableError(DamagedError):
    """A file in which nothing can be read at all.

    Publishers have such files, empty ones for example. One that is as it was retrieved is left out
    of its study, while one that was truncated stays an error.
    """


class Header(NamedTuple):
    """What is known of a recording before its samples are read.

    `names` are those of the channels of the signal, `notes` say what was odd about the file, though
    it is read, and `sound` whether it is a sound, not a measured signal.
    """

    rate: float
    frames: int
    channels: int
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sound: bool = False

    @property
    def duration(self) -> float:
        """Length in s."""
        return self.frames / self.rate


def plausible(rate: float) -> bool:
    """Tell whether a sampling rate (Hz) can be one: a number from 0.1 Hz to 10 MHz."""
    return bool(_SLOWEST <= rate <= _FASTEST)  # NaN is not


def require_size(path: str | Path, samples: int) -> None:
    """Refuse a recording of more samples, over all channels, than memory is given to one.

    Raises
    ------
    HeldoutError
        There are more than `LARGEST`.
    """
    if samples > LARGEST:
        raise HeldoutError(
            path,
            f"a recording of at most {LARGEST:,} samples",
            f"{samples:,} by its header",
            "Where that is true, cut it into parts; else replace the file or exclude it.",
        )


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Add a number to each name that repeats, so that every channel has its own.

    Examples
    --------
    >>> distinct(["ECG", "ECG", "PPG", "ECG"])
    ('ECG', 'ECG 2', 'PPG', 'ECG 3')
    """
    names = list(names)
    taken: dict[str, None] = {}
    for name in names:
        number, free = 1, name
        while free in taken or (number > 1 and free in names):
            number += 1
            free = f"{name} {number}"
        taken[free] = None
    return tuple(taken)


NO_BEATS = np.zeros(0, dtype=np.int64), np.zeros(0, dtype="<U1")
"""The positions and the codes of no beats."""


@dataclass(frozen=True, eq=False)
class Signal:
    """A recording read in full.

    A signal that cannot be worked with cannot be made: what is wrong is said here, once, for every
    format.

    Parameters
    ----------
    samples : np.ndarray, shape (time, channels)
        In `unit`. Kept as float32.
    rate : float
        Sampling rate in Hz.
    channels : tuple of str
        The names of the channels. One that repeats is numbered (`distinct`).
    positions : np.ndarray, shape (beats,)
        Sample indices of the annotated beats (int64); empty where there are none.
    symbols : np.ndarray, shape (beats,)
        The codes of those beats.
    name : str
        What errors call the recording, usually its path.
    unit : str
        Of the samples: `FULL_SCALE` for audio, `mV` for an ECG.
    notes : tuple of str
        What was odd about its file, though it was read.

    Raises
    ------
    HeldoutError
        No samples, samples that are not finite, a rate that cannot be, names that do not fit the
        channels, or beats outside the recording.

    Examples
    --------
    >>> Signal(np.zeros((720, 2)), 360.0, ("MLII", "V1")).duration
    2.0
    """

    samples: np.ndarray
    rate: float
    channels: tuple[str, ...]
    positions: np.ndarray = field(default_factory=lambda: NO_BEATS[0])
    symbols: np.ndarray = field(default_factory=lambda: NO_BEATS[1])
    name: str = "signal"
    unit: str = FULL_SCALE
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check what was given; see the class."""
        object.__setattr__(self, "channels", distinct(self.channels))
        if self.samples.ndim != 2 or self.samples.shape[1] != len(self.channels):
            raise DamagedError(
                self.name,
                f"samples of shape (time, {len(self.channels)}) for the channels "
                f"{', '.join(self.channels)}",
                str(self.samples.shape),
            )
        if not len(self.samples):
            raise DamagedError(self.name, "samples", "none: the recording is empty")
        if not plausible(self.rate):
            # Readers check what a file says: this one was stated.
            raise HeldoutError(
                self.name, f"a sampling rate {RATES}", str(self.rate), "Correct the rate."
            )
        samples = np.ascontiguousarray(self.samples, dtype=np.float32)
        bad = int(samples.size - np.count_nonzero(np.isfinite(samples)))
        if bad:
            raise DamagedError(
                self.name, "finite samples", f"{bad:,} of {samples.size:,} that are NaN or infinite"
            )
        object.__setattr__(self, "samples", samples)
        if len(self.positions) != len(self.symbols) or (
            len(self.positions)
            and (self.positions.min() < 0 or self.positions.max() >= len(samples))
        ):
            raise DamagedError(
                self.name,
                f"one code for each beat and beats within the {len(samples):,} samples",
                f"{len(self.positions):,} positions and {len(self.symbols):,} codes",
            )

    @property
    def duration(self) -> float:
        """Length in s."""
        return len(self.samples) / self.rate


def level(signal: Signal) -> float:
    """Compute the RMS of all samples in dB, as `decibel` names them; -200 dB for silence."""
    rms = float(np.sqrt(np.mean(np.square(signal.samples, dtype=np.float64))))
    return max(20 * np.log10(rms), _SILENCE) if rms else _SILENCE


def quiet_start(signal: Signal) -> float:
    """Compute for how long (s) a recording stays at its first value, within 1 % of its range."""
    away = np.abs(signal.samples - signal.samples[0]).max(axis=1)
    return float((away > 0.01 * away.max()).argmax() / signal.rate)


def cutoff(signal: Signal) -> float:
    """Compute the frequency (Hz) at which the spectrum ends in an edge; half the rate without one.

    The noise of a recorder reaches up to half the rate. Where a file was converted to a higher
    rate, or was once an mp3, it falls by 30 dB and more within a sixteenth of the band.
    """
    from scipy.ndimage import median_filter
    from scipy.signal import welch

    size = min(len(signal.samples), 1024)
    step = size // 32
    at, power = welch(signal.samples[:, 0], signal.rate, nperseg=size)
    if not step or not power.any():
        return signal.rate / 2
    # A median passes over single tones.
    level = median_filter(10 * np.log10(power / power.max() + 1e-15), step + 1, mode="nearest")
    fall = level[:-step] - level[step:]
    # The sound itself may end that fast in the lowest eighth.
    fall[: len(at) // 8] = 0
    edge = int(fall.argmax())
    return float(at[edge + step // 2]) if fall[edge] >= 30 else signal.rate / 2


def saturated(signal: Signal) -> float:
    """Compute the share of samples at which a channel stays at its largest or least value.

    Of several channels it is that of the worst one; of a constant channel it is 1.
    """
    samples = signal.samples
    if len(samples) < 2:
        return 0.0
    limit = (samples == samples.max(axis=0)) | (samples == samples.min(axis=0))
    # The largest of ordinary samples stands alone; a limit holds several in a row.
    stays = limit[1:] & (samples[1:] == samples[:-1])
    return float(stays.mean(axis=0).max())


def decibel(*units: str) -> str:
    """Name the unit of levels.

    Parameters
    ----------
    *units : str
        Of the samples, as in `Signal`; of several recordings in any order, and more than once.

    Examples
    --------
    >>> decibel(FULL_SCALE), decibel("mV", "mV")
    ('dB of full scale', 'dB re 1 mV')
    """
    names = (f"dB of {u}" if u == FULL_SCALE else f"dB re 1 {u}" for u in sorted(set(units)))
    return " or ".join(names)


def mix(samples: np.ndarray) -> np.ndarray:
    """Compute the mean of all channels, shape (n,); of one channel it is its own samples.

    A mean over so short an axis takes longer than reading the file; a product does not.

    Parameters
    ----------
    samples : np.ndarray [shape=(n, channels)]
        As in `Signal`.
    """
    channels = samples.shape[1]
    return samples[:, 0] if channels == 1 else samples @ np.full(channels, 1 / channels, np.float32)


def constant(samples: np.ndarray) -> np.ndarray:
    """Tell for each channel of (n, channels) samples whether all of them are one value.

    Most recordings show at their start that they are not, and are looked at no further.
    """
    flat = (samples[:1000] == samples[0]).all(axis=0)
    return (samples == samples[0]).all(axis=0) if flat.any() else flat


def require_file(path: str | Path) -> Path:
    """Return `path` as a Path if it is a file that holds something.

    Raises
    ------
    HeldoutError
        It is missing or has no bytes.
    """
    path = Path(path)
    if not path.is_file():
        raise DamagedError(
            path, "a file", "nothing there", "Put it there, or leave the recording out."
        )
    if not path.stat().st_size:
        raise UndecodableError(path, "a recording", "an empty file")
    return path
