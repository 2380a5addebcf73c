"""Reading audio files of any kind that libsndfile decodes (wav, au, mp3)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from lib.datasets import mp3
from lib.datasets.signal import (
    RATES,
    DamagedError,
    Header,
    Signal,
    UndecodableError,
    mix,
    plausible,
    require_file,
    require_size,
)

# A writer that streams does not know the length: both formats mark that with all bits set.
_UNKNOWN = 0xFFFFFFFF


def _promised(stream: BinaryIO) -> int | None:
    """Return the size of the whole file in bytes that a wav or au header promises, else None."""
    start = stream.read(12)
    if start[:4] == b".snd" and len(start) == 12:
        offset, size = struct.unpack(">II", start[4:])
        return None if size == _UNKNOWN else offset + size
    if start[:4] != b"RIFF" or start[8:] != b"WAVE":
        return None
    while len(chunk := stream.read(8)) == 8:
        name, size = struct.unpack("<4sI", chunk)
        if name == b"data":
            return None if size == _UNKNOWN else stream.tell() + size
        stream.seek(size + size % 2, 1)  # chunks begin at even bytes
    return None


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
    import soundfile

    path = require_file(path)
    # libsndfile takes a cut file for a shorter one without a word, so the sizes are compared here.
    with path.open("rb") as stream:
        promised = _promised(stream)
    size = path.stat().st_size
    if promised is not None and promised > size:
        raise DamagedError(
            path,
            f"{promised:,} bytes by its header",
            f"{size:,}: it is truncated",
        )
    try:
        info = soundfile.info(str(path))
    except (soundfile.SoundFileError, ValueError) as error:
        raise UndecodableError(
            path, "an audio file", f"one that cannot be decoded ({error})"
        ) from error
    if info.format == "RAW":
        # libsndfile takes any bytes in a file named .au for old samples without a header.
        raise UndecodableError(
            path, "an audio file", "one that cannot be decoded (it has no header)"
        )
    if info.frames <= 0 or not plausible(info.samplerate):
        raise UndecodableError(
            path,
            f"frames at a rate {RATES}",
            f"{info.frames} frames at {info.samplerate} Hz",
        )
    frames = int(info.frames)
    require_size(path, frames * int(info.channels))
    if info.format == "MP3":
        counted = mp3.count(path.read_bytes())
        if counted.missing:
            raise DamagedError(
                path,
                f"{counted.missing:,} bytes more for frame {counted.frames + 1}",
                "the end of the file: it is truncated",
            )
        # Without an index in the file, libsndfile estimates the length from the file's size.
        frames = min(frames, counted.samples) if counted.samples else frames
    return Header(float(info.samplerate), frames, int(info.channels))


def read_audio(path: str | Path) -> Signal:
    """Read an audio file as one channel, the mean of its channels.

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
    import soundfile

    path = Path(path)
    header = read_header(path)
    try:
        samples, _ = soundfile.read(str(path), dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, ValueError) as error:
        raise UndecodableError(
            path,
            f"{header.frames:,} frames",
            f"an error while decoding ({error})",
        ) from error
    if len(samples) < header.frames:
        raise DamagedError(
            path,
            f"{header.frames:,} frames by its header",
            f"{len(samples):,}: it is truncated",
        )
    return Signal(mix(samples)[:, None], header.rate, ("audio",), name=path.as_posix())
