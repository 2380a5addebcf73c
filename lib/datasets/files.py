"""Reading one file of a person's own: audio, a WFDB record, or a variable of a MATLAB file."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from lib.datasets import matlab, waveform_database
from lib.datasets.audio import read_audio
from lib.datasets.audio import read_header as read_audio_header
from lib.datasets.record_header import parse
from lib.datasets.signal import FILE_UNIT, Header, Signal, require_size
from lib.errors import HeldoutError
from lib.files import is_file, is_hidden

_WAVES = (".wav", ".wave", ".bwf", ".rf64", ".w64", ".sph", ".au", ".snd", ".aif", ".aiff", ".aifc")
AUDIO = frozenset((*_WAVES, ".mp3", ".flac", ".ogg", ".oga", ".opus"))
"""Suffixes of what libsndfile decodes."""

SUFFIXES = AUDIO | {".hea", ".mat"}
"""Suffixes of all that `read_file` takes."""


# What tells whether a header belongs to a sound.
_BESIDE = [
    spelt
    for suffix in (*sorted(AUDIO), ".atr", ".dat", ".mat")
    for spelt in (suffix, suffix.upper())
]

# How the segments of a record are named: `3000003_0001`, and `3000003_layout`.
_SEGMENT = re.compile(r"_(?:\d{4}|layout)$")

_RATE = (
    "State it, a number of Hz or the name of a variable: `folder: {rate: 500}` in the study, "
    "--rate 500 on the command line."
)


def files_below(folder: str | Path) -> Iterator[str]:
    """List the path within a folder, in posix form, of every file below it, in no order.

    Folders that are links are gone into at the top, where a class may be one, and not below. A
    hundred thousand files are listed at every start of a run, so no file is asked for its state.

    Parameters
    ----------
    folder : str or Path
        One that is not there holds no file.

    Yields
    ------
    str
        Such as `normal/a.wav`.
    """
    top = os.fspath(folder)
    if not os.path.isdir(top):  # noqa: PTH112
        return
    linked = [entry.path for entry in os.scandir(top) if entry.is_symlink() and _leads_out(entry)]
    for start in (top, *linked):
        for place, _, names in os.walk(start):
            inner = os.path.relpath(place, top).replace(os.sep, "/")
            yield from names if inner == "." else (f"{inner}/{name}" for name in names)


def _leads_out(entry: os.DirEntry[str]) -> bool:
    """Tell whether a link in a folder leads to another one, and not to that which it lies in."""
    place, target = (os.path.realpath(path) for path in (os.path.dirname(entry.path), entry.path))  # noqa: PTH120
    return os.path.isdir(target) and os.path.commonpath([place, target]) != target  # noqa: PTH112


def recordings_below(folder: str | Path) -> list[str]:
    """List the files of `files_below` that are named like recordings that can be read.

    The signal files of a WFDB record are part of its header, unless one is a sound: PhysioNet
    publishes heart sounds with a header beside each. Only a record with annotated beats and samples
    (`.atr` and `.dat` or `.mat`) stays one, whatever sound lies beside it. Segments are part of
    their record. What is hidden, or lies in a hidden folder, is none of ours.

    Parameters
    ----------
    folder : str or Path
        As for `files_below`.

    Returns
    -------
    list of str
        Sorted.
    """
    names = set(files_below(folder))
    suffixes: dict[str, set[str]] = {}
    for name in names:
        stem, suffix = os.path.splitext(name)  # noqa: PTH122
        suffixes.setdefault(stem, set()).add(suffix if suffix == ".hea" else suffix.lower())
    segments = _segments(folder, [stem for stem in suffixes if ".hea" in suffixes[stem]])
    recordings = []
    for name in names:
        stem, suffix = os.path.splitext(name)  # noqa: PTH122
        beside = suffixes[stem]
        if suffix == ".hea":
            part = stem in segments or _is_sound(beside)
        else:
            part = ".hea" in beside and not (suffix.lower() in AUDIO and _is_sound(beside))
        if suffix.lower() in SUFFIXES and not is_hidden(name) and not part:
            recordings.append(name)
    return sorted(recordings)


def _is_sound(suffixes: Collection[str]) -> bool:
    """Tell whether files of one name, in lower letters, are a sound and what belongs to it."""
    annotated = ".atr" in suffixes and not {".dat", ".mat"}.isdisjoint(suffixes)
    return not (AUDIO.isdisjoint(suffixes) or annotated)


def _segments(folder: str | Path, stems: Collection[str]) -> set[str]:
    """List the headers that are segments of another one in the same folder.

    A folder is looked into only where a header in it is named like one (`_0001`, `_layout`): to
    read each of a hundred thousand headers takes too long.
    """
    places = {stem.rpartition("/")[0] for stem in stems if _SEGMENT.search(stem)}
    segments: set[str] = set()
    for stem in stems:
        place = stem.rpartition("/")[0]
        if place in places and not _SEGMENT.search(stem):
            with suppress(HeldoutError):
                parts = parse(Path(folder) / f"{stem}.hea").segments
                segments |= {f"{place}/{part}".lstrip("/") for part, _ in parts}
    return segments


def read_file(
    path: str | Path, *, variable: str | None = None, rate: float | str | None = None
) -> Signal:
    """Read a recording of any format.

    Parameters
    ----------
    path : str or Path
        An audio file, the header of a WFDB record (`.hea`, or its name without suffix), or a MATLAB
        file up to version 7.2 (`.mat`).
    variable : str, optional
        Of a MATLAB file: what holds the samples, one row or column for each channel.
    rate : float or str, optional
        Of a MATLAB file: the sampling rate in Hz, or the variable that holds it; `fs` without it.

    Returns
    -------
    Signal
        Audio as the mean of its channels; the signals of a record in mV, with the beats of its
        `.atr` where there is one; a MATLAB variable as it is, its channels named after it.

    Raises
    ------
    HeldoutError
        The file is missing, damaged or of no known format, or the variable is not in it.
    """
    path = recording_file(path)
    if path.suffix == ".hea":
        return waveform_database.read_record(path, beats=has_annotations(path))
    if path.suffix.lower() == ".mat":
        return _read_matlab(path, variable, rate)
    return read_audio(path)


def read_file_header(
    path: str | Path, *, variable: str | None = None, rate: float | str | None = None
) -> Header:
    """Read rate (Hz), frames and channels of a recording; its samples are not read.

    Parameters
    ----------
    path, variable, rate
        As for `read_file`.

    Returns
    -------
    Header
        The channels of audio are those of the file, which `read_file` averages.

    Raises
    ------
    HeldoutError
        As `read_file`.
    """
    path = recording_file(path)
    if path.suffix == ".hea":
        record = waveform_database.read_header(path)
        kinds = {os.path.splitext(line.file)[1].lower() for line in record.lines}  # noqa: PTH122
        return waveform_database.size(record)._replace(sound=kinds <= AUDIO)
    if path.suffix.lower() == ".mat":
        return _matlab_header(path, variable, rate)
    return read_audio_header(path)


def has_annotations(path: str | Path) -> bool:
    """Tell whether a recording is a WFDB record with annotations (`.atr`) beside its header.

    Parameters
    ----------
    path : str or Path
        A file, by its name.

    Returns
    -------
    bool
        Whether it is a header, and `.atr` of the same name is there.
    """
    path = Path(path)
    return path.suffix == ".hea" and is_file(path.with_suffix(".atr"))


def read_leads_and_codes(path: str | Path) -> tuple[tuple[str, ...], np.ndarray]:
    """Read the leads of a WFDB record and the codes of its annotated beats; no samples are read.

    Parameters
    ----------
    path : str or Path
        The header, with annotations beside it.

    Returns
    -------
    leads : tuple of str
        The names of the signals.
    codes : np.ndarray [shape=(beats,)]
        The annotation codes.

    Raises
    ------
    HeldoutError
        As `read_file`.
    """
    path = Path(path)
    header = waveform_database.read_header(path)
    _, codes = waveform_database.read_beats(path, length=header.length)
    return header.names, codes


def recording_file(path: str | Path) -> Path:
    """Find the file that a recording is read from.

    Parameters
    ----------
    path : str or Path
        As for `read_file`.

    Returns
    -------
    Path
        The same; the header of a record that is named as WFDB does, without suffix; or, for either
        of these, the sound beside the header (`recordings_below`).

    Raises
    ------
    HeldoutError
        There is no such file, or it is of no known format.
    """
    path = Path(path)
    if path.suffix.lower() in SUFFIXES:
        if not is_file(path):
            raise HeldoutError(path, "a file", "nothing there", "Correct the path.")
        return _sound_beside(path) if path.suffix == ".hea" else path
    header = Path(f"{path}.hea")
    if is_file(header):
        return _sound_beside(header)
    # `Path.is_dir` raises for a name that is too long, and a table may hold any.
    is_folder = os.path.isdir(path)  # noqa: PTH112
    raise HeldoutError(
        path,
        f"a recording ({', '.join(sorted(SUFFIXES))}) or the name of a WFDB record",
        "a folder" if is_folder else path.suffix or "no suffix",
        "Name another file, or convert it.",
    )


def _sound_beside(header: Path) -> Path:
    """Return the sound of the name of a header, where there is one; else the header."""
    stem = os.fspath(header.with_suffix(""))
    there = {
        suffix.lower(): stem + suffix
        for suffix in _BESIDE
        if os.path.isfile(stem + suffix)  # noqa: PTH113
    }
    sounds = [file for suffix, file in there.items() if suffix in AUDIO]
    return Path(sounds[0]) if _is_sound(there) else header


def _matlab_header(path: Path, variable: str | None, rate: float | str | None) -> Header:
    """Read what is known of a MATLAB file without its samples."""
    shapes = {name: shape for name, shape, kind in matlab.variables(path) if kind in matlab.NUMBERS}
    shape = shapes.get(variable or "", ())
    if len(shape) != 2 or 0 in shape:
        signal = _read_matlab(path, variable, rate)  # which says what is wrong
        return Header(signal.rate, len(signal.samples), len(signal.channels), signal.channels)
    hertz = _matlab_rate(path, rate, matlab.load(path, [str(rate or "fs")]))
    require_size(path, shape[0] * shape[1])
    return Header(hertz, max(shape), min(shape), _matlab_names(str(variable), min(shape)))


def _matlab_rate(path: Path, rate: float | str | None, content: dict[str, Any]) -> float:
    """Take the rate that is stated, or that of the variable that is named."""
    if isinstance(rate, int | float):
        return float(rate)
    return matlab.rate(path, content, name=str(rate or "fs"), advice=_RATE)


def _matlab_names(variable: str, count: int) -> tuple[str, ...]:
    return (variable,) if count == 1 else tuple(f"{variable}{i + 1}" for i in range(count))


def _read_matlab(path: Path, variable: str | None, rate: float | str | None) -> Signal:
    if variable is None:
        names = [name for name, *_ in matlab.variables(path)]
        raise HeldoutError(
            path,
            "the name of the variable with the samples",
            f"none; it holds {', '.join(names) or 'nothing'}",
            "State it: `folder: {variable: NAME}` in the study, --variable NAME on the command "
            "line.",
        )
    number = rate if isinstance(rate, int | float) else None
    wanted = [variable] if number is not None else [variable, str(rate or "fs")]
    content = matlab.load(path, wanted)
    if variable not in content:
        names = [name for name, *_ in matlab.variables(path)]
        raise HeldoutError(
            path, f"the variable {variable}", f"{', '.join(names) or 'none'}", "Correct its name."
        )
    samples = _columns(path, variable, content[variable])
    return Signal(
        samples,
        _matlab_rate(path, rate, content),
        _matlab_names(variable, samples.shape[1]),
        name=path.as_posix(),
        unit=FILE_UNIT,
    )


def _columns(path: Path, variable: str, value: Any) -> np.ndarray:
    """Arrange samples as (time, channels): a recording has more samples than channels."""
    value = np.asarray(value)
    if value.dtype.kind not in "iuf" or value.ndim != 2:
        raise HeldoutError(
            path,
            f"{variable} as a row, a column or a table of numbers",
            f"{value.dtype} of shape {value.shape}",
            "Name another variable.",
        )
    return (value.T if value.shape[0] < value.shape[1] else value).astype(np.float32)
