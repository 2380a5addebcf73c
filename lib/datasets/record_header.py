"""The header of a WFDB record (`.hea`): what of it is needed to read the samples, and no more.

Published headers state dates in any order, checksums that are none, and names with `.mat`. These
are passed over; what is needed to read the samples has to be as header(5) of the WFDB describes it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lib.datasets.signal import DamagedError, distinct, require_file
from lib.errors import HeldoutError
from lib.files import is_file

_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
# Name, perhaps /segments; signals; rate, perhaps /counter; length; then time, date or whatever.
_RECORD = re.compile(
    rf"(?P<name>\S+?)(?:/(?P<segments>\d+))?\s+(?P<signals>\d+)"
    rf"(?:\s+(?P<rate>{_NUMBER})(?:/\S*)?(?:\s+(?P<length>\d+)(?:\.0*)?(?:\s.*)?)?)?"
)
_SIGNAL = re.compile(
    r"(?P<file>\S.*?)\s+(?P<format>\d+)(?:x(?P<per_frame>\d+))?(?::(?P<skew>\d+))?"
    rf"(?:\+(?P<offset>\d+))?(?:\s+(?P<gain>-?{_NUMBER})(?:\((?P<baseline>-?{_NUMBER})\))?"
    r"(?:/(?P<units>\S+))?(?:\s+(?P<rest>.*))?)?"
)
_SEGMENT = re.compile(r"(?P<name>\S+)\s+(?P<length>\d+)")
_INTEGER = re.compile(r"[+-]?\d+")
# What stands between the gain of a signal and its name: resolution, zero, first value, checksum,
# block size.
_FIELDS = 5

# Beside the header: a name with a path in it, or a URL, would lead elsewhere.
_PLAIN_NAME = re.compile(r"[\w\-][\w\-. +,()&']{0,200}")

NO_FILE = "~"
"""What a layout names as the file of a signal, and a segment that is a gap as its name."""


class Line(NamedTuple):
    """What a header says of one signal."""

    file: str
    format: str
    per_frame: int
    skew: int
    offset: int
    gain: float
    baseline: int
    units: str
    initial: int
    name: str


@dataclass(frozen=True)
class RecordHeader:
    """What a header says of a record; `rate` and `length` are 0 where it does not say them.

    `lines` are its signals and `names` what these are called, each by a name of its own.
    `segments` are name and length of each part of a record that has parts, whose lines are then
    those of the first.
    """

    path: Path
    rate: float
    length: int
    signals: int
    lines: tuple[Line, ...] = ()
    segments: tuple[tuple[str, int], ...] = ()
    comments: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the signals; one without is called as the library of the format does."""
        return distinct(
            line.name or f"record {self.path.stem}, signal {number}"
            for number, line in enumerate(self.lines)
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd about the record, though it is read."""
        others: dict[str, list[str]] = {}
        for line, name in zip(self.lines, self.names, strict=True):
            if line.name and name != line.name:
                others.setdefault(line.name, []).append(name)
        return tuple(
            f"{1 + len(some)} of its channels are named {name}: the others are called "
            f"{', '.join(some)}"
            for name, some in others.items()
        )


def parse(path: Path) -> RecordHeader:
    """Read a header; nothing that it points to is read.

    Raises
    ------
    DamagedError
        The header is missing, or a line says not what is needed, or lines are missing.
    """
    text = require_file(path).read_text(encoding="utf-8-sig", errors="replace")
    try:
        return _parsed(path, text)
    except (ValueError, OverflowError) as error:  # a number of thousands of digits
        raise DamagedError(path, "a header of a WFDB record", f"{error}") from error


def _parsed(path: Path, text: str) -> RecordHeader:
    every = [line.strip() for line in text.splitlines() if line.strip()]
    comments = tuple(line.strip("# \t") for line in every if line.startswith("#"))
    lines = [line for line in every if not line.startswith("#")]
    record = _record(path, lines[0] if lines else "")
    rest = lines[1:]
    segments = [_SEGMENT.fullmatch(line) for line in rest]
    rate, length = float(record["rate"] or 0), int(record["length"] or 0)
    signals = int(record["signals"])
    # A name may hold a path that ends in digits.
    if record["segments"] and rest and all(segments):
        named = tuple((match["name"], int(match["length"])) for match in segments if match)
        if len(named) != int(record["segments"]):
            raise DamagedError(
                path, f"a line for each of its {record['segments']} segments", f"{len(named)}"
            )
        return RecordHeader(path, rate, length, signals, (), named, comments)
    if len(rest) != signals:
        raise DamagedError(path, f"a line for each of its {signals} signals", f"{len(rest)}")
    folder = record["name"].rpartition("/")[0]
    parsed = tuple(_line(path, line, folder) for line in rest)
    return RecordHeader(path, rate, length, signals, parsed, (), comments)


def _record(path: Path, line: str) -> re.Match[str]:
    # A name may hold blanks, and what follows them may be a number: it is known from the file.
    own = path.stem if line.startswith(f"{path.stem} ") else ""
    matched = _RECORD.fullmatch(line.replace(own, own.replace(" ", "_"), 1) if own else line)
    if matched is None:
        raise _unlike(path, "the record", line)
    return matched


def _unlike(path: Path, what: str, line: str) -> DamagedError:
    return DamagedError(
        path, f"a line that describes {what} as in header(5) of the WFDB", f"{line[:80]!r}"
    )


def _line(path: Path, line: str, folder: str) -> Line:
    matched = _SIGNAL.fullmatch(line)
    # A name may hold blanks, where there is a file of that name.
    spaced = matched is not None and " " in matched["file"]
    if matched is None or (spaced and not is_file(path.parent / matched["file"])):
        raise _unlike(path, "a signal", line)
    tokens = (matched["rest"] or "").split()
    count = 0
    while count < min(_FIELDS, len(tokens)) and _INTEGER.fullmatch(tokens[count]):
        count += 1
    # A field that is no number, such as a checksum, though those behind it are.
    if len(tokens) > _FIELDS and _INTEGER.fullmatch(tokens[_FIELDS - 1]):
        count = _FIELDS
    fields = [int(t) if _INTEGER.fullmatch(t) else 0 for t in tokens[:count]] + [0] * _FIELDS
    zero = fields[1]
    return Line(
        _beside(path, matched["file"].removeprefix(f"{folder}/") if folder else matched["file"]),
        matched["format"],
        int(matched["per_frame"] or 1),
        int(matched["skew"] or 0),
        int(matched["offset"] or 0),
        float(matched["gain"] or 0) or 200.0,  # as the format has it
        round(float(matched["baseline"])) if matched["baseline"] else zero,
        matched["units"] or "mV",
        fields[2],
        " ".join(tokens[count:]),
    )


def _beside(path: Path, name: str) -> str:
    """Return the name of the file that is meant, where its letters had no case, or `./` before."""
    name = name.removeprefix("./")
    if not _PLAIN_NAME.fullmatch(name) or is_file(path.parent / name):
        return name
    alike = [one for one in os.listdir(path.parent) if one.lower() == name.lower()]  # noqa: PTH208
    return alike[0] if len(alike) == 1 else name


def require_beside(path: Path, name: str) -> Path:
    """Return the file that a header names, which lies beside it.

    Raises
    ------
    HeldoutError
        The name leads elsewhere, or there is no such file.
    """
    if not _PLAIN_NAME.fullmatch(name):
        raise DamagedError(
            path,
            "the name of a file beside the header",
            f"{name!r}",
            "A header that points elsewhere is not read. Replace the record, or leave it out.",
        )
    return require_file(path.parent / name)


def segment_headers(header: RecordHeader) -> list[RecordHeader | None]:
    """Read the header of each segment of a record, None for a gap.

    Raises
    ------
    HeldoutError
        One is missing, is a record of several segments itself, or is of another rate or length.
    """
    return [_segment(header, name, length) for name, length in header.segments]


def _segment(header: RecordHeader, name: str, length: int) -> RecordHeader | None:
    if name == NO_FILE:
        return None
    path = header.path
    try:
        segment = parse(require_beside(path, f"{name}.hea"))
    except HeldoutError as error:
        got = f"of {name}: {error.fact}"
        raise HeldoutError(
            path,
            "segments beside it, each a record of one segment",
            got,
            "Put all files of the record into one folder, or exclude the recording.",
        ) from error
    if segment.segments or segment.rate != header.rate or segment.length not in (length, 0):
        raise DamagedError(
            path,
            f"{name} as a record of one segment, {length:,} samples at {header.rate:g} Hz",
            f"{len(segment.segments) or 1} segments, {segment.length:,} samples at "
            f"{segment.rate:g} Hz",
        )
    return segment
