"""Reading audio files of any kind that libsndfile decodes (wav, au, mp3)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from lib.datasets import mp3, ogg
from lib.datasets.signal import (
    LARGEST,
    RATES,
    DamagedError,
    Header,
    Signal,
    UndecodableError,
    constant,
    mix,
    plausible,
    require_file,
    require_size,
)
from lib.datasets.sizes import WRONG_SIZE, corrected

# What libsndfile says of a FLAC file whose writer streamed: its header states no length.
_UNKNOWN = (1 << 63) - 1

NO_END = (
    "nothing marks its end: it was streamed, or its writer was stopped; all that is there is read"
)
"""The note of an Ogg file that ends with a whole page which is not marked as the last one."""


def read_header(path: str | Path) -> Header:
    """Read the header of an audio file.

    Parameters
    ----------
    path : str or Path
        A wav, au or mp3 file.

    Returns
    -------
    Header
        Rate (Hz), frames, channels.

    Raises
    ------
    HeldoutError
        The file is missing, empty, no audio, shorter than its header says, has no frames, or more
        than are held of one recording.
    """
    return _read_header(require_file(path))[0]


def _read_header(path: Path) -> tuple[Header, Path | io.BytesIO]:
    """Read a header, and say what to decode: the file, or its content with true sizes."""
    import soundfile

    true = corrected(path)
    source = true.content if true else path
    notes: tuple[str, ...] = (true.note,) if true else ()
    try:
        info = soundfile.info(_named(source))
    except (soundfile.SoundFileError, ValueError) as error:
        raise UndecodableError(
            path, "an audio file", f"one that cannot be decoded ({error})"
        ) from error
    if info.format == "RAW":
        # libsndfile takes any bytes in a file named .au for old samples without a header.
        raise UndecodableError(
            path, "an audio file", "one that cannot be decoded (it has no header)"
        )
    frames = int(info.frames)
    if frames == _UNKNOWN:
        frames, notes = len(_decode(path, source, LARGEST // info.channels + 1)), (WRONG_SIZE,)
    if info.format == "OGG":
        ended = ogg.end(path)
        if ended.missing:
            raise DamagedError(path, "a whole last page", "a part of one: it is truncated")
        notes += () if ended.marked else (NO_END,)
    if frames <= 0 or not plausible(info.samplerate):
        raise UndecodableError(
            path, f"frames at a rate {RATES}", f"{frames} frames at {info.samplerate} Hz"
        )
    require_size(path, frames * int(info.channels))
    if info.format == "MP3":
        counted = mp3.count(path.read_bytes())
        if counted.missing:
            raise DamagedError(
                path,
                f"{counted.missing:,} bytes more for frame {counted.frames + 1}",
                "the end of the file: it is truncated",
            )
        if counted.frames < counted.stated:
            raise DamagedError(
                path,
                f"{counted.stated:,} frames by its index",
                f"{counted.frames:,}: it is truncated",
            )
        # Without an index in the file, libsndfile estimates the length from the file's size.
        frames = min(frames, counted.samples) if counted.samples else frames
    rate, channels = float(info.samplerate), int(info.channels)
    return Header(rate, frames, channels, ("audio",), notes, sound=True), source


def _named(source: Path | io.BytesIO) -> Any:
    """Return what soundfile takes: a name, or the content from its start."""
    if isinstance(source, Path):
        return str(source)
    source.seek(0)
    return source


def _decode(path: Path, source: Path | io.BytesIO, frames: int) -> np.ndarray:
    """Decode at most so many frames, shape (frames, channels)."""
    import soundfile

    class Stream(soundfile.SoundFile):
        """One that is never asked to seek, as soundfile does behind each block.

        libsndfile cannot at the end of a FLAC file that states no length.
        """

        def seekable(self) -> bool:
            return False

    blocks = []
    try:
        with Stream(_named(source)) as file:
            asked = min(frames, 1 << 20)
            while asked and len(block := file.read(asked, dtype="float32", always_2d=True)):
                blocks.append(block)
                frames -= len(block)
                # A short block is the last one, most likely. Beyond the end libsndfile fills all
                # that it is asked for with zeros: of many, that takes half as long as reading.
                asked = min(frames, 1 << 20 if len(block) == asked else 1 << 10)
            channels = file.channels
    except (soundfile.SoundFileError, ValueError) as error:
        raise UndecodableError(path, "samples", f"an error while decoding ({error})") from error
    if len(blocks) == 1:  # most recordings are no longer, and need no copy
        return blocks[0]
    return np.concatenate(blocks) if blocks else np.zeros((0, channels), np.float32)


def read_audio(path: str | Path) -> Signal:
    """Read an audio file as one channel, the mean of its channels that are not silent.

    Parameters
    ----------
    path : str or Path
        A wav, au or mp3 file.

    Returns
    -------
    Signal
        Shape (time, 1), full scale ±1.

    Raises
    ------
    HeldoutError
        As `read_header`, or fewer frames can be decoded than the header says.
    """
    path = require_file(path)
    header, source = _read_header(path)
    samples = _decode(path, source, LARGEST // header.channels)
    if len(samples) < header.frames:
        raise DamagedError(
            path, f"{header.frames:,} frames by its header", f"{len(samples):,}: it is truncated"
        )
    notes = header.notes
    silent = (samples[:1] == 0).all(axis=0) & constant(samples)
    if silent.any() and not silent.all():
        # A mean with nothing is half as loud, and would tell who recorded so.
        samples = samples[:, ~silent]
        notes += (f"{silent.sum()} of {len(silent)} channels is silent, and is not used",)
    return Signal(
        mix(samples)[:, None], header.rate, header.names, name=path.as_posix(), notes=notes
    )
