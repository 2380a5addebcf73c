"""Reading WFDB records: a header (.hea), signal files, and annotations."""

from __future__ import annotations

import glob
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from lib.datasets.record_header import RecordHeader, parse, require_beside, segment_headers
from lib.datasets.signal import (
    FILE_UNIT,
    NO_BEATS,
    RATES,
    DamagedError,
    Header,
    Signal,
    plausible,
    require_file,
    require_size,
)
from lib.errors import HeldoutError
from lib.files import is_file

# Bytes for each sample of a format. What is not here is compressed (FLAC: 508, 516, 524), or wfdb
# says that it is unknown.
_BYTES = {
    **{"8": 1.0, "80": 1.0, "16": 2.0, "61": 2.0, "160": 2.0, "212": 1.5, "24": 3.0, "32": 4.0},
    **{"310": 4 / 3, "311": 4 / 3},
}
_TO_MV = {"uV": 1e-3, "V": 1e3}

BEATS = frozenset("NLRejAaJSVEF/fQnB?r")
"""The annotation codes that are beats; the others mark rhythms, noise and remarks."""


def read_header(path: str | Path) -> RecordHeader:
    """Read the header of a record and check what it points to.

    Parameters
    ----------
    path : str or Path
        The `.hea` file.

    Returns
    -------
    RecordHeader
        The header alone; no samples. Of a record of several segments, `lines` are those of its
        layout or, where it has none, of its first segment.

    Raises
    ------
    HeldoutError
        The header is missing, unreadable, without rate, length or signals, or of more samples than
        are held of one recording; names a signal file outside of its own folder; or a signal file
        or segment is missing or truncated.
    """
    return _read(path)[0]


def _read(path: str | Path) -> tuple[RecordHeader, list[RecordHeader | None]]:
    """Read a header and those of its segments: itself, where it has none."""
    path = require_file(path)
    if path.suffix != ".hea":
        raise HeldoutError(path, "a WFDB header (.hea)", f"{path.suffix or 'none'}")
    header = parse(path)
    length = header.length or sum(length for _, length in header.segments)
    if not plausible(header.rate) or not length or not header.signals:
        raise DamagedError(
            path,
            f"a rate {RATES}, a length and signals",
            f"rate {header.rate:g}, {length} samples, {header.signals} signals",
        )
    require_size(path, length * header.signals)
    if not header.segments:
        _require_whole(header)
        return header, [header]
    parts = segment_headers(header)
    first = next((part for part in parts if part), None)
    if first is None or sum(frames for _, frames in header.segments) != length:
        raise DamagedError(
            path,
            f"segments of {length:,} samples together",
            f"{sum(frames for _, frames in header.segments):,}",
        )
    for part, (_, frames) in zip(parts, header.segments, strict=True):
        if part and frames:  # a layout holds no samples
            _require_whole(part)
    joined = RecordHeader(
        path, header.rate, length, len(first.lines), first.lines, header.segments, header.comments
    )
    return joined, parts


@contextmanager
def _quiet() -> Iterator[None]:
    # wfdb uses what pandas will drop: nothing that a reader of our logs can fix.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _unreadable(path: Path, error: Exception) -> HeldoutError:
    return DamagedError(path, "a readable WFDB record", f"{type(error).__name__}: {error}")


def _require_whole(header: RecordHeader) -> None:
    require_size(header.path, header.length * sum(line.per_frame for line in header.lines))
    for name in dict.fromkeys(line.file for line in header.lines):
        lines = [line for line in header.lines if line.file == name]
        file = require_beside(header.path, name)
        width = _BYTES.get(lines[0].format)
        if width is None:
            continue
        samples = header.length * sum(line.per_frame for line in lines)
        # Three samples fill four bytes. Of a last group of two, 310 fills all of them, 311 three.
        last = lines[0].format == "310" and samples % 3 == 2
        expected = math.ceil(samples * width - 1e-6) + last + lines[0].offset
        got = file.stat().st_size
        if got < expected:
            raise DamagedError(
                file,
                f"{expected:,} bytes for the {header.length:,} samples in {header.path.name}",
                f"{got:,}: it is truncated",
            )


def files_of(path: Path) -> list[Path]:
    """List the files of a record: its header, those beside it of the same name, its segments."""
    header = parse(path)
    parts = [part for part in segment_headers(header) if part]
    named = {one.path.parent / line.file for one in (header, *parts) for line in one.lines}
    beside = set(path.parent.glob(f"{glob.escape(path.stem)}.*"))
    return sorted(beside | {file for file in named if is_file(file)} | {p.path for p in parts})


def size(header: RecordHeader) -> Header:
    """Take what is known of a record from what `read_header` returns."""
    return Header(header.rate, header.length, len(header.lines), header.names, header.notes)


def read_record(path: str | Path, *, beats: bool) -> Signal:
    """Read every signal of a record in its physical units.

    Parameters
    ----------
    path : str or Path
        The `.hea` file.
    beats : bool
        Whether to read the beats in the annotations beside it, too.

    Returns
    -------
    Signal
        In the units of the header, mV where it says uV or V. The segments of a record are joined.

    Raises
    ------
    HeldoutError
        As `read_header` and `read_beats`; or the signals cannot be decoded, or have gaps.
    """
    path = Path(path)
    header, parts = _read(path)
    samples = _samples(header) if not header.segments else _joined(header, parts)
    gaps = int(np.isnan(samples).any(axis=1).sum())
    if gaps:
        raise HeldoutError(
            path,
            "finite samples",
            f"{gaps:,} of {len(samples):,} that are missing in a signal (NaN)",
            "Write its stretches without gaps as records of their own, or exclude the recording.",
        )
    lines = [line for part in parts if part for line in part.lines]
    units = {"mV" if line.units in _TO_MV else line.units for line in lines}
    positions, symbols = read_beats(path, length=len(samples)) if beats else NO_BEATS
    return Signal(
        samples.astype(np.float32),
        header.rate,
        header.names,
        positions,
        symbols,
        name=path.as_posix(),
        unit=units.pop() if len(units) == 1 else FILE_UNIT,
        notes=header.notes,
    )


def _joined(header: RecordHeader, parts: list[RecordHeader | None]) -> np.ndarray:
    """Join the segments of a record; samples that none has are NaN."""
    samples = np.full((header.length, len(header.lines)), np.nan)
    has_layout = header.segments[0][1] == 0
    place = 0
    for part, (_, length) in zip(parts, header.segments, strict=True):
        if part and length:
            names = part.names if has_layout else header.names
            if not set(names) <= set(header.names) or len(names) != len(part.lines):
                raise DamagedError(
                    header.path,
                    f"the signals {', '.join(header.names)} in {part.path.name}",
                    ", ".join(part.names),
                )
            columns = [header.names.index(name) for name in names]
            samples[place : place + length, columns] = _samples(part)
        place += length
    return samples


def _samples(header: RecordHeader) -> np.ndarray:
    """Decode the samples of a record of one segment, shape (time, signals), in mV where it can be.

    wfdb reads headers itself, and refuses those with a date or a name that it does not expect. So
    it is given one of ours, with what is needed, beside links to the signal files.
    """
    import wfdb

    files = list(dict.fromkeys(line.file for line in header.lines))
    text = [f"record {len(header.lines)} {header.rate!r} {header.length}"]
    for line in header.lines:
        text.append(
            f"{files.index(line.file)}.dat {line.format}x{line.per_frame}:{line.skew}"
            f"+{line.offset} {line.gain!r}({line.baseline})/mV 0 0 {line.initial} 0 0"
        )
    with TemporaryDirectory() as folder:
        for number, name in enumerate(files):
            (Path(folder) / f"{number}.dat").symlink_to((header.path.parent / name).resolve())
        (Path(folder) / "record.hea").write_text("\n".join(text) + "\n", encoding="ascii")
        try:
            with _quiet():
                record = wfdb.rdrecord(f"{folder}/record")
        except Exception as error:  # wfdb raises whatever it stumbles on
            raise _unreadable(header.path, error) from error
    # A signal that lags behind the others ends before them.
    length = header.length - max(line.skew for line in header.lines)
    scale = np.array([_TO_MV.get(line.units, 1.0) for line in header.lines])
    return np.asarray(record.p_signal)[:length] * scale


def read_beats(path: str | Path, *, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Read the beats in the reference annotations (`.atr`) beside a header.

    Parameters
    ----------
    path : str or Path
        The `.hea` file.
    length : int
        Samples in the record: an annotation beyond is an error.

    Returns
    -------
    positions : np.ndarray, shape (beats,)
        Sample indices (int64).
    symbols : np.ndarray, shape (beats,)
        Their codes, of `BEATS`.

    Raises
    ------
    HeldoutError
        The annotations are missing, truncated, unreadable, or lie outside of the record.
    """
    import wfdb

    file = require_file(Path(path).with_suffix(".atr"))
    with file.open("rb") as stream:
        content = stream.read()
    # The format ends with a null word; wfdb reads a cut file as a shorter one without a word.
    if len(content) % 2 or content[-2:] != b"\0\0":
        raise DamagedError(
            file,
            "annotations that end with their end mark",
            f"{len(content):,} bytes without it: the file is truncated",
        )
    try:
        with _quiet():
            annotation = wfdb.rdann(str(file.absolute().with_suffix("")), "atr")
    except Exception as error:  # as above
        raise _unreadable(file, error) from error
    symbols = np.array(annotation.symbol, dtype="<U1")
    chosen = np.isin(symbols, sorted(BEATS))
    positions = np.asarray(annotation.sample, dtype=np.int64)[chosen]
    if len(positions) and (positions.min() < 0 or positions.max() >= length):
        raise DamagedError(file, f"beats within {length:,} samples", f"one at {positions.max():,}")
    return positions, symbols[chosen]
