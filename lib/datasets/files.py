"""Reading one file of a person's own: audio, a WFDB record, or a variable of a MATLAB file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lib.datasets import matlab, waveform_database
from lib.datasets.audio import read_audio
from lib.datasets.audio import read_header as read_audio_header
from lib.datasets.signal import FILE_UNIT, Header, Signal
from lib.errors import HeldoutError
from lib.files import is_file

AUDIO = frozenset(
    (".wav", ".au", ".mp3", ".flac", ".ogg", ".oga", ".opus", ".aif", ".aiff", ".aifc", ".w64")
)
"""Suffixes of what libsndfile decodes."""

SUFFIXES = AUDIO | {".hea", ".mat"}
"""Suffixes of all that `read_file` takes."""


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
    linked = [entry.path for entry in os.scandir(top) if entry.is_symlink() and entry.is_dir()]
    for start in (top, *linked):
        for place, _, names in os.walk(start):
            inner = os.path.relpath(place, top).replace(os.sep, "/")
            yield from names if inner == "." else (f"{inner}/{name}" for name in names)


def recordings_below(folder: str | Path) -> list[str]:
    """List the files of `files_below` that are named like recordings that can be read.

    The signal files of a WFDB record are part of its header, and what is hidden, or lies in a
    hidden folder, is none of ours.

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
    recordings = []
    for name in names:
        stem, suffix = os.path.splitext(name)  # noqa: PTH122
        hidden = "/." in f"/{name}"
        of_header = suffix.lower() != ".hea" and f"{stem}.hea" in names
        if suffix.lower() in SUFFIXES and not hidden and not of_header:
            recordings.append(name)
    return sorted(recordings)


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
    """Read rate (Hz), frames and channels of a recording.

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
        return waveform_database.size(waveform_database.read_header(path))
    if path.suffix.lower() == ".mat":
        signal = _read_matlab(path, variable, rate)
        return Header(signal.rate, len(signal.samples), len(signal.channels))
    return read_audio_header(path)


def read_channels(
    path: str | Path, *, variable: str | None = None, rate: float | str | None = None
) -> tuple[str, ...]:
    """Read the names of the channels of a recording; of a WFDB record, from its header alone.

    Parameters
    ----------
    path, variable, rate
        As for `read_file`.

    Returns
    -------
    tuple of str
        As in the signal of `read_file`.

    Raises
    ------
    HeldoutError
        As `read_file_header`.
    """
    path = recording_file(path)
    if path.suffix != ".hea":
        return read_file(path, variable=variable, rate=rate).channels
    return tuple(waveform_database.read_header(path).sig_name)


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
    _, codes = waveform_database.read_beats(path, length=header.sig_len)
    return tuple(header.sig_name), codes


def recording_file(path: str | Path) -> Path:
    """Find the file that a recording is read from.

    Parameters
    ----------
    path : str or Path
        As for `read_file`.

    Returns
    -------
    Path
        The same, or the header of a record that is named as WFDB does, without suffix.

    Raises
    ------
    HeldoutError
        There is no such file, or it is of no known format.
    """
    path = Path(path)
    if path.suffix.lower() in SUFFIXES:
        if not is_file(path):
            raise HeldoutError(path, "a file", "nothing there", "Correct the path.")
        return path
    header = Path(f"{path}.hea")
    if is_file(header):
        return header
    # `Path.is_dir` raises for a name that is too long, and a table may hold any.
    is_folder = os.path.isdir(path)  # noqa: PTH112
    raise HeldoutError(
        path,
        f"a recording ({', '.join(sorted(SUFFIXES))}) or the name of a WFDB record",
        "a folder" if is_folder else path.suffix or "no suffix",
        "Name another file, or convert it.",
    )


def _read_matlab(path: Path, variable: str | None, rate: float | str | None) -> Signal:
    if variable is None:
        names = [name for name, *_ in matlab.variables(path)]
        raise HeldoutError(
            path,
            "the name of the variable with the samples",
            f"none; it holds {', '.join(names) or 'nothing'}",
            (
                "State it: `folder: {variable: NAME}` in the study, --variable NAME on the command "
                "line."
            ),
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
    if number is not None:
        hertz = float(number)
    else:
        hertz = matlab.rate(path, content, name=wanted[1], advice=_RATE)
    count = samples.shape[1]
    names = [variable] if count == 1 else [f"{variable}{i + 1}" for i in range(count)]
    return Signal(samples, hertz, tuple(names), name=path.as_posix(), unit=FILE_UNIT)


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
