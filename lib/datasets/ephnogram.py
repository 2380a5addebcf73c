"""EPHNOGRAM: simultaneous ECG and phonocardiogram at rest and in exercise, 8 kHz."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from lib.datasets import matlab, waveform_database
from lib.datasets.dataset import Dataset, row
from lib.datasets.signal import REPLACE, Header, Signal
from lib.datasets.text import read_csv
from lib.errors import HeldoutError

CHANNELS = ("ECG", "PCG")
"""The signals that every record has; further microphones and auxiliary inputs are left aside."""

_SHEET = "ECGPCGSpreadsheet.csv"


def recordings(folder: str | Path, exclude: Collection[str] = ()) -> pd.DataFrame:
    """List the records on disk with what the spreadsheet says of them.

    A record of the spreadsheet without a file is not listed; a file without a row has no label and
    is its own group. Where a record is there as MAT and as WFDB file, the MAT file is listed.

    Parameters
    ----------
    folder : str or Path
        The folder that holds `MAT` (and perhaps `WFDB`) and the spreadsheet.
    exclude : collection of str
        Recordings, by name, of which nothing is read.

    Returns
    -------
    pd.DataFrame
        The columns of `lib.datasets` (`label` is the scenario, `group` the subject), and `age`
        (years), `sex`, and the spreadsheet's `ecg_notes` and `pcg_notes` on signal quality.

    Raises
    ------
    HeldoutError
        The spreadsheet is missing or lacks a column, or a record cannot be read.
    """
    sheet = _spreadsheet(Path(folder) / _SHEET)
    files = {path.stem: path for path in Path(folder).glob("WFDB/[!.]*.hea")}
    files |= {path.stem: path for path in Path(folder).glob("MAT/[!.]*.mat")}
    rows = []
    for name, path in sorted((name, files[name]) for name in set(files) - set(exclude)):
        about = sheet.get(name, {})
        rows.append(
            row(
                path,
                _header(path),
                label=_scenario(about.get("Recording Scenario", "")),
                group=about.get("Subject ID") or name,
                age=pd.to_numeric(about.get("Age (years)", ""), errors="coerce"),
                sex=about.get("Gender", ""),
                ecg_notes=about.get("ECG Notes", ""),
                pcg_notes=about.get("PCG Notes", ""),
            )
        )
    return pd.DataFrame(rows)


def _spreadsheet(path: Path) -> dict[str, dict[str, str]]:
    sheet: dict[str, dict[str, str]] = {}
    for about in read_csv(path, required=("Record Name", "Subject ID", "Recording Scenario")):
        # The published file ends in empty rows.
        name = about["Record Name"]
        if name and sheet.setdefault(name, about) != about:
            raise HeldoutError(path, f"one row for {name}", "two that differ", "Correct it.")
    return sheet


def _scenario(text: str) -> str:
    # One scenario is spelt «…; rest» and «…;rest», another ends in a blank.
    return re.sub(r"\s+", " ", re.sub(r"\s*;\s*", "; ", text)).strip()


def _header(path: Path) -> Header:
    if path.suffix == ".hea":
        return waveform_database.size(waveform_database.read_header(path))
    shapes = matlab.variables(path)
    # One length for all; a variable that is not a signal (fs, a remark) has another.
    length = max((max(shape) for name, shape, _ in shapes if name in CHANNELS and shape), default=0)
    signals = [name for name, shape, _ in shapes if shape and max(shape) == length > 1]
    _require(path, signals, there=[name for name, _, _ in shapes])
    return Header(matlab.rate(path, matlab.load(path, ["fs"])), length, len(signals))


def _require(path: Path, signals: Collection[str], *, there: Collection[str]) -> None:
    """Check that the channels are among the signals; an error says what else is there."""
    missing = [name for name in CHANNELS if name not in signals]
    if missing:
        wanted = f"the variables {', '.join(missing)} of one length"
        raise HeldoutError(path, wanted, ", ".join(there) or "none", REPLACE)


def read(path: str | Path) -> Signal:
    """Read ECG and PCG of a record.

    Parameters
    ----------
    path : str or Path
        A `.mat` file or a WFDB header (`.hea`).

    Returns
    -------
    Signal
        Channels ECG and PCG (mV).

    Raises
    ------
    HeldoutError
        A signal or the rate is missing, the signals differ in length, or are no numbers.
    """
    path = Path(path)
    if path.suffix == ".hea":
        record = waveform_database.read_record(path, beats=False)
        _require(path, record.channels, there=record.channels)
        columns = [record.channels.index(name) for name in CHANNELS]
        return replace(record, samples=record.samples[:, columns], channels=CHANNELS)
    content = matlab.load(path, [*CHANNELS, "fs"])
    _require(path, content, there=content)
    signals = [_signal(path, name, content[name]) for name in CHANNELS]
    if len({len(signal) for signal in signals}) != 1:
        lengths = " and ".join(f"{len(signal):,}" for signal in signals)
        raise HeldoutError(
            path, f"{' and '.join(CHANNELS)} of one length", f"{lengths} samples", REPLACE
        )
    samples, rate = np.stack(signals, axis=1), matlab.rate(path, content)
    return Signal(samples, rate, CHANNELS, name=path.as_posix(), unit="mV")


def _signal(path: Path, name: str, value: np.ndarray) -> np.ndarray:
    # A cell array comes as objects, which may hold anything.
    if value.dtype.kind not in "iuf" or value.ndim > 2 or min(value.shape, default=0) > 1:
        raise HeldoutError(
            path,
            f"{name} as one row or column of numbers",
            f"{value.dtype} of shape {value.shape}",
            REPLACE,
        )
    return value.reshape(-1).astype(np.float32)


EPHNOGRAM = Dataset("ephnogram", recordings, read)
