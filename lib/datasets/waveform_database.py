"""Reading WFDB records: a header (.hea), signal files, and annotations."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from lib.datasets.signal import (
    FILE_UNIT,
    RATES,
    DamagedError,
    Header,
    Signal,
    no_positions,
    no_symbols,
    plausible,
    require_file,
    require_size,
)
from lib.errors import HeldoutError

# Bytes for each sample of a format; formats that are not here are left to wfdb to check.
_BYTES = {"8": 1.0, "80": 1.0, "16": 2.0, "61": 2.0, "160": 2.0, "212": 1.5, "24": 3.0, "32": 4.0}

# The lines of a header as `header(5)` of the WFDB describes them. What does not fit, wfdb takes for
# left out, and puts a default in its place: 250 Hz for a rate of -360.
_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RECORD_LINE = re.compile(
    rf"\S+\s+\d+(?:\s+{_NUMBER}(?:/{_NUMBER}(?:\({_NUMBER}\))?)?(?:\s+\d+(?:\s+\S+){{0,2}})?)?\s*"
)
_SIGNAL_LINE = re.compile(
    r"\S+\s+\d+(?:x\d+)?(?::\d+)?(?:\+\d+)?"
    rf"(?:\s+-?{_NUMBER}(?:\(-?\d+\))?(?:/\S+)?(?:\s+-?\d+){{0,5}}(?:\s+.*)?)?\s*"
)

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_\-][A-Za-z0-9_.\-]{0,200}")

BEATS = frozenset("NLRejAaJSVEF/fQnB?r")
"""The annotation codes that are beats; the others mark rhythms, noise and remarks."""


def read_header(path: str | Path) -> Any:
    """Read the header of a record and check what it points to.

    Parameters
    ----------
    path : str or Path
        The `.hea` file.

    Returns
    -------
    wfdb.Record
        The header alone; no samples.

    Raises
    ------
    HeldoutError
        The header is missing, unreadable, of several segments, without rate, length or signals,
        or of more samples than are held of one recording; names a signal file outside of its own
        folder; or a signal file is missing or truncated.
    """
    import wfdb

    path = require_file(path)
    if path.suffix != ".hea":
        raise HeldoutError(path, "a WFDB header (.hea)", f"{path.suffix or 'none'}")
    try:
        with _quiet():
            header = wfdb.rdheader(str(path.absolute().with_suffix("")))
    except Exception as error:  # wfdb raises whatever its parser stumbles on
        raise _unreadable(path, error) from error
    if not isinstance(header, wfdb.Record):
        raise HeldoutError(
            path,
            "a record of one segment",
            "one of several",
            "Exclude the recording or join its segments.",
        )
    _require_lines(path)
    if not plausible(header.fs or 0) or not header.sig_len or not header.n_sig:
        raise DamagedError(
            path,
            f"a rate {RATES}, a length and signals",
            f"rate {header.fs}, {header.sig_len} samples, {header.n_sig} signals",
        )
    described = [len(some or []) for some in (header.file_name, header.fmt, header.units)]
    if described != [header.n_sig] * 3:
        raise DamagedError(
            path, f"a line for each of its {header.n_sig} signals", f"{min(described)}"
        )
    # The name of a signal may be left out; this is what the format's own library then calls it.
    header.sig_name = [
        name or f"record {path.stem}, signal {number}"
        for number, name in enumerate(header.sig_name or [None] * header.n_sig)
    ]
    _require_names_within(path, header.file_name)
    _require_whole(path, header)
    return header


def _require_lines(path: Path) -> None:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    lines = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    for number, line in enumerate(lines):
        if not (_SIGNAL_LINE if number else _RECORD_LINE).fullmatch(line.strip()):
            what = "a signal" if number else "the record"
            raise DamagedError(
                path, f"a line that describes {what} as in header(5) of the WFDB", f"{line[:80]!r}"
            )


@contextmanager
def _quiet() -> Iterator[None]:
    # wfdb uses what pandas will drop: nothing that a reader of our logs can fix.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _unreadable(path: Path, error: Exception) -> HeldoutError:
    return DamagedError(path, "a readable WFDB record", f"{type(error).__name__}: {error}")


def _require_names_within(path: Path, names: list[str]) -> None:
    # Reading the header opens nothing, but reading the samples would follow a path or a URL in it.
    for name in names:
        if not _PLAIN_NAME.fullmatch(name):
            raise DamagedError(
                path,
                "the name of a file beside the header",
                f"{name!r}",
                "A header that points elsewhere is not read: replace the record by a whole one.",
            )


def _require_whole(path: Path, header: Any) -> None:
    per_frame = [count or 1 for count in header.samps_per_frame or [1] * header.n_sig]
    require_size(path, header.sig_len * sum(per_frame))
    for name in dict.fromkeys(header.file_name):
        chosen = [i for i in range(header.n_sig) if header.file_name[i] == name]
        width = _BYTES.get(header.fmt[chosen[0]])
        file = require_file(path.parent / name)
        if width is None:
            continue
        frames = header.sig_len * sum(per_frame[i] for i in chosen)
        offset = (header.byte_offset or [0])[chosen[0]] or 0
        expected, got = int(np.ceil(frames * width)) + offset, file.stat().st_size
        if got < expected:
            raise DamagedError(
                file,
                f"{expected:,} bytes for the {header.sig_len:,} samples in {path.name}",
                f"{got:,}: it is truncated",
            )


def size(header: Any) -> Header:
    """Take rate (Hz), length and number of signals from what `read_header` returns."""
    return Header(float(header.fs), int(header.sig_len), int(header.n_sig))


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
        In the units of the header, mV where it says uV or V.

    Raises
    ------
    HeldoutError
        As `read_header` and `read_beats`; or the signals cannot be decoded.
    """
    import wfdb

    path = Path(path)
    header = read_header(path)
    try:
        with _quiet():
            record = wfdb.rdrecord(str(path.absolute().with_suffix("")))
    except Exception as error:  # as above
        raise _unreadable(path, error) from error
    to_mv = {"uV": 1e-3, "V": 1e3}
    scale = np.array([to_mv.get(unit, 1.0) for unit in record.units])
    units = {"mV" if unit in to_mv else str(unit) for unit in record.units}
    none = no_positions(), no_symbols()
    positions, symbols = read_beats(path, length=len(record.p_signal)) if beats else none
    return Signal(
        (record.p_signal * scale).astype(np.float32),
        float(header.fs),
        tuple(header.sig_name),
        positions,
        symbols,
        name=path.as_posix(),
        unit=units.pop() if len(units) == 1 else FILE_UNIT,
    )


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
