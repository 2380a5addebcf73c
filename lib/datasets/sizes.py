"""The sizes that the header of an audio file states, and what the file really holds.

libsndfile takes a file that was cut for a shorter one, without a word. So sizes are compared with
the file here. Writers that stream, or were killed, leave a mark in place of a size, and some count
wrongly: such a file is whole, and all that is in it is read.
"""

from __future__ import annotations

import io
import math
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from lib.datasets.signal import LARGEST, DamagedError

WRONG_SIZE = "its header states a wrong size; all samples in the file are read"
"""The note of a file that is whole, though its header says otherwise."""

TIMES = (
    "its header states exactly {} times the samples that are there, and all of them are read; only "
    "a file cut at that very byte would look the same"
)
"""The note of a file whose header counts its samples several times, its own size too."""

# What streaming writers state: 2³² - 1 (ffmpeg), 2³¹ - 1 and 2³¹ (arecord), 2³¹ - 4096 (sox), less
# some bytes for a header or a whole frame. No recording that is held in memory is as large.
_ENDLESS = (1 << 31) - (1 << 16)
# The least header of a wav file. Some writers count it, or a part of it, among the samples.
_HEADER = 44
# Of a file cut anywhere, fewer than one in so many ends where a count that is wrong would have it.
_CHANCE = 1000


class Corrected(NamedTuple):
    """The content of a file with sizes that are true, and what was wrong with them."""

    content: io.BytesIO
    note: str


class _Field(NamedTuple):
    """Where a header states a size, and the size that is true once `present` bytes are read."""

    at: int
    layout: str
    value: int


class _Sizes(NamedTuple):
    """Where samples start, how many bytes of them a header states, and which fields do so.

    `agrees` says whether the size that the header states of the whole file is that of the file:
    it was written apart from the size of the samples, after the last of them. `times` is how often
    the header counts the samples, where it may do so more than once, and `header` how many bytes
    of a header it may count among them.
    """

    start: int
    stated: int
    present: int
    agrees: bool
    fields: tuple[_Field, ...]
    times: int = 1
    header: int = _HEADER


def corrected(path: Path) -> Corrected | None:
    """Compare the sizes in the header of a wav, w64, aiff or au file with the file itself.

    Parameters
    ----------
    path : Path
        A file of any format: others are not looked at.

    Returns
    -------
    Corrected or None
        Where the header states other sizes and yet the file is whole. None where nothing has to be
        corrected.

    Raises
    ------
    DamagedError
        The file ends before its samples do.

    Notes
    -----
    A file is whole although its header states more bytes of samples than there are, if

    - that size is a mark: 2 GiB less 64 KiB or more, or 0;
    - it counts the header, or part of it: it is too large by no more than the bytes before the
      samples, or 44;
    - the size of the whole file, which such a header states too, is right: the two contradict each
      other, and the file agrees with one of them;
    - of a wav file, it is exactly twice the samples, or as many times as these have channels or
      bytes, or both: what a writer counts that takes bytes for samples, or one channel for all.
      Of 1,000 files cut anywhere fewer than one ends at just that byte, and files that shorter
      ones would be are taken for cut.

    Anything else is truncated.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        sizes = _sizes(stream, size)
        if sizes is None:
            return None
        missing = sizes.stated - sizes.present
        if missing > 0:
            slack = max(sizes.start, sizes.header)
            whole = sizes.stated >= _ENDLESS or missing <= slack or sizes.agrees
            if not (whole or sizes.times > 1):
                raise DamagedError(
                    path,
                    f"{sizes.start + sizes.stated:,} bytes by its header",
                    f"{size:,}: it is truncated",
                )
            note = WRONG_SIZE if whole else TIMES.format(sizes.times)
        elif _goes_on(stream, sizes):
            note = WRONG_SIZE
        else:
            return None
        if sizes.present > 8 * LARGEST:
            return None  # more than is held of any recording, as its reader will say
        stream.seek(0)
        content = bytearray(stream.read())
    for at, layout, value in sizes.fields:
        struct.pack_into(layout, content, at, value)
    return Corrected(io.BytesIO(content), note)


def _goes_on(stream: BinaryIO, sizes: _Sizes) -> bool:
    """Tell whether samples go on behind the size that is stated of them: 0, or too small a one."""
    rest = sizes.present - sizes.stated
    if not rest or (sizes.stated and not (sizes.agrees and rest > sizes.start)):
        return False
    stream.seek(sizes.start + sizes.stated + sizes.stated % 2)
    name = stream.read(4)
    # A chunk of something else begins with its name, in plain letters; a recorder's padding is 0.
    return any(name) and not (name.isascii() and name.decode("ascii").isprintable())


def _sizes(stream: BinaryIO, size: int) -> _Sizes | None:
    start = stream.read(40)
    if start[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and start[8:12] == b"WAVE":
        return _wav(stream, size, order=">" if start[:4] == b"RIFX" else "<")
    if start[:4] == b"FORM" and start[8:12] in (b"AIFF", b"AIFC"):
        return _aiff(stream, size)
    if start[:4] == b"riff" and start[24:28] == b"wave":
        return _w64(stream, size)
    if start[:7] == b"NIST_1A":
        return _nist(stream, size)
    if start[:4] in (b".snd", b"dns.") and len(start) >= 24:
        order = ">" if start[:4] == b".snd" else "<"
        begins, stated = struct.unpack(f"{order}II", start[4:12])
        present = max(size - begins, 0)
        true = _Field(8, f"{order}I", min(present, 0xFFFFFFFE))
        return _Sizes(begins, stated, present, False, (true,))
    return None


def _chunks(stream: BinaryIO, *, order: str) -> Iterator[tuple[bytes, int, int]]:
    """List name, size and place of the content of each chunk behind the 12 bytes of a header."""
    place = 12
    while True:
        stream.seek(place)
        head = stream.read(8)
        if len(head) < 8:
            return
        name, size = struct.unpack(f"{order}4sI", head)
        yield name, size, place + 8
        place += 8 + size + size % 2  # chunks begin at even bytes


def _number(stream: BinaryIO, at: int, layout: str) -> int:
    stream.seek(at)
    content = stream.read(struct.calcsize(layout))
    return int(struct.unpack(layout, content)[0]) if len(content) == struct.calcsize(layout) else 0


def _same(stated: int, size: int) -> bool:
    """Tell whether a size is that of the file, with or without a byte that fills it up."""
    return stated in (size - 1, size, size + 1)


def _wav(stream: BinaryIO, size: int, *, order: str) -> _Sizes | None:
    whole, wide, align, channels = _number(stream, 4, f"{order}I"), 0, 1, 1
    fields: list[_Field] = []
    for name, stated, place in _chunks(stream, order=order):
        if name == b"ds64":  # the sizes of files beyond 4 GiB
            whole, wide = _number(stream, place, "<Q"), _number(stream, place + 8, "<Q")
            fields = [_Field(place, "<Q", size - 8), _Field(place + 8, "<Q", size)]
        elif name == b"fmt ":
            channels = _number(stream, place + 2, f"{order}H") or 1
            align = _number(stream, place + 12, f"{order}H") or 1
        elif name == b"data":
            present = size - place
            aligned = present // align * align
            if fields and stated == 0xFFFFFFFF:
                fields[1] = fields[1]._replace(value=aligned)
                stated = wide
            else:
                fields = [
                    _Field(4, f"{order}I", min(size - 8, 0xFFFFFFFF)),
                    _Field(place - 4, f"{order}I", min(aligned, 0xFFFFFFFF)),
                ]
            agrees, times = _same(whole + 8, size), 1
            if present == aligned and aligned >= _CHANCE * align and stated % aligned == 0:
                times = stated // aligned
            times = times if times in {2, channels, align // channels, align} else 1
            return _Sizes(place, stated, present, agrees, tuple(fields), times)
    return None


def _w64(stream: BinaryIO, size: int) -> _Sizes | None:
    place = 40
    while name := (stream.seek(place), stream.read(4))[1]:
        stated = _number(stream, place + 16, "<Q")  # with the 24 bytes of its own head
        begins = place + 24
        if name == b"data":
            present = max(size - begins, 0)
            fields = (_Field(16, "<Q", size), _Field(place + 16, "<Q", present + 24))
            agrees = _same(_number(stream, 16, "<Q"), size)
            return _Sizes(begins, max(stated - 24, 0), present, agrees, fields)
        if stated < 24 or stated > size:
            return None
        place += -(-stated // 8) * 8
    return None


def _aiff(stream: BinaryIO, size: int) -> _Sizes | None:
    whole = _number(stream, 4, ">I")
    for name, stated, place in _chunks(stream, order=">"):
        if name == b"SSND":  # eight bytes, then the samples
            begins = place + 8
            present = max(size - begins, 0)
            fields = (
                _Field(4, ">I", min(size - 8, 0xFFFFFFFF)),
                _Field(place - 4, ">I", min(present + 8, 0xFFFFFFFF)),
            )
            agrees = _same(whole + 8, size)
            return _Sizes(begins, max(stated - 8, 0), present, agrees, fields)
    return None


def _nist(stream: BinaryIO, size: int) -> _Sizes | None:
    """Read the sizes of a NIST SPHERE file, whose header is text: the corpora of speech."""
    stream.seek(0)
    head = stream.read(1 << 14)
    begins = re.match(rb"NIST_1A\n *(\d{1,6})\n", head)
    fields = {
        name: int(number)
        for name, number in re.findall(
            rb"\n(sample_count|sample_n_bytes|channel_count) -(?:i|s\d+) (\d{1,12})(?=\s)", head
        )
    }
    if not begins or len(fields) < 3 or b"shorten" in head:
        return None
    start = int(begins[1])
    stated = math.prod(fields.values())
    present = max(size - start, 0)
    if stated <= present or stated >= _ENDLESS:
        return None
    return _Sizes(0, stated + start, present + start, False, (), header=0)
