"""Counting the frames of an MP3 file, which is the only way to tell that it was cut."""

from __future__ import annotations

from typing import NamedTuple

# kbit/s by the index in a frame header, Layer III; the first is "free", which nobody writes.
_BITRATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = (44100, 48000, 32000)
# The version bits of MPEG 2.5, 2 and 1, with the divisor of the sampling rates.
_DIVISORS = {0: 4, 2: 2, 3: 1}


class Count(NamedTuple):
    """What an MP3 file holds: whole frames, their samples, bytes missing from the last.

    `stated` is the number of frames by the index in the first of them; 0 where there is none, or
    where something else follows the last frame.
    """

    frames: int
    samples: int
    missing: int
    stated: int = 0


def count(content: bytes) -> Count:
    """Walk over the frames of an MPEG Layer III stream, from header to header.

    Parameters
    ----------
    content : bytes
        The whole file. A leading ID3v2 tag is skipped, and what follows the last frame ignored.

    Returns
    -------
    Count
        `missing` is above 0 where the file ends within a frame: it is truncated. All is 0 where no
        frame follows the tag. Fewer frames than `stated` were cut between two of them.

    Notes
    -----
    The frame header is that of ISO/IEC 11172-3 (MPEG 1) and 13818-3 (MPEG 2); the size of a frame
    is samples / 8 × bit rate / sampling rate, and one byte more where it is padded.
    """
    position = 0
    if content[:3] == b"ID3" and len(content) >= 10:
        a, b, c, d = content[6:10]  # seven bits each
        position = 10 + (a << 21 | b << 14 | c << 7 | d)
    frames = samples = 0
    stated = _stated(content[position : position + 200])
    while size_samples := _frame(content[position : position + 4]):
        size, length = size_samples
        position += size
        if position > len(content):
            return Count(frames, samples, position - len(content), stated)
        frames, samples = frames + 1, samples + length
    # What is no frame and no tag may be followed by more frames: decoders pass over it.
    ended = position == len(content) or content.startswith((b"TAG", b"APETAGEX"), position)
    return Count(frames, samples, 0, stated if ended else 0)


def _stated(frame: bytes) -> int:
    """Read how many frames follow from the index (Xing, LAME) that the first one holds."""
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if at < 0 or len(frame) < at + 12 or not frame[at + 7] & 1:
        return 0
    return int.from_bytes(frame[at + 8 : at + 12], "big")


def _frame(header: bytes) -> tuple[int, int] | None:
    """Return bytes and samples of the frame that a header begins; None where it is no header."""
    bits = int.from_bytes(header, "big")
    version, layer = bits >> 19 & 3, bits >> 17 & 3
    bitrate, rate = bits >> 12 & 15, bits >> 10 & 3
    if len(header) < 4 or bits >> 21 != 0x7FF or version not in _DIVISORS or layer != 1:
        return None
    if bitrate in (0, 15) or rate == 3:
        return None
    table, samples = (_BITRATES_1, 1152) if version == 3 else (_BITRATES_2, 576)
    hertz = _RATES[rate] // _DIVISORS[version]
    return samples // 8 * table[bitrate] * 1000 // hertz + (bits >> 9 & 1), samples
