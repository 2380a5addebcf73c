"""EPHNOGRAM: simultaneous ECG and phonocardiogram at rest and in exercise, 8 kHz."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from lib.datasets import matlab, waveform_database
from lib.datasets.signal import Signal
from lib.datasets.text import read_csv
from lib.errors import HeldoutError

EXAMPLES_HAVE_LABELS = False

CHANNELS = ("ECG", "PCG")
"""The signals that every record has; further microphones and auxiliary inputs are left aside."""

_SHEET = "ECGPCGSpreadsheet.csv"


def recordings(folder: str | Path) -> pd.DataFrame:
    """List the records on disk with what the spreadsheet says of them.

    A record of the spreadsheet without a file is not listed; a file without a row has no label and
    is its own group. Where a record is there as MAT and as WFDB file, the MAT file is listed.

    Parameters
    ----------
    folder : str or Path
        The folder that holds `MAT` (and perhaps `WFDB`) and the spreadsheet.

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
    for name, path in sorted(files.items()):
        row = sheet.get(name, {})
        rate, length, channels = _header(path)
        rows.append(
            {
                "recording": name,
                "path": path.as_posix(),
                "label": _scenario(row.get("Recording Scenario", "")),
                "group": row.get("Subject ID") or name,
                "split": "",
                "rate": rate,
                "duration": length / rate,
                "channels": channels,
                "age": pd.to_numeric(row.get("Age (years)", ""), errors="coerce"),
                "sex": row.get("Gender", ""),
                "ecg_notes": row.get("ECG Notes", ""),
                "pcg_notes": row.get("PCG Notes", ""),
            }
        )
    return pd.DataFrame(rows)


def _spreadsheet(path: Path) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for row in read_csv(path, required=("Record Name", "Subject ID", "Recording Scenario")):
        # The published file ends in empty rows.
        name = row["Record Name"]
        if name and found.setdefault(name, row) != row:
            raise HeldoutError(
                f"{path}: expected one row for {name}, got two that differ. Fetch it anew."
            )
    return found


def _scenario(text: str) -> str:
    # One scenario is spelt «…; rest» and «…;rest», another ends in a blank.
    return re.sub(r"\s+", " ", re.sub(r"\s*;\s*", "; ", text)).strip()


def _header(path: Path) -> tuple[float, int, int]:
    """Give rate (Hz), samples and number of signals."""
    if path.suffix == ".hea":
        header = waveform_database.read_header(path)
        return float(header.fs), int(header.sig_len), int(header.n_sig)
    shapes = matlab.variables(path)
    # One length for all; a variable that is not a signal (fs, a remark) has another.
    length = max((max(shape) for name, shape, _ in shapes if name in CHANNELS and shape), default=0)
    signals = [name for name, shape, _ in shapes if shape and max(shape) == length > 1]
    missing = [name for name in CHANNELS if name not in signals]
    if missing:
        raise _lacks(path, missing, [name for name, _, _ in shapes])
    return (
        matlab.rate(path, matlab.load(path, ["fs"])),
        length,
        len(signals),
    )


def _lacks(path: Path, missing: list[str], names: list[str]) -> HeldoutError:
    return HeldoutError(
        f"{path}: expected the variables {', '.join(missing)} of one length, got "
        f"{', '.join(names) or 'none'}. Fetch the file anew or exclude the recording."
    )


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
        samples, header = waveform_database.read_samples(path)
        missing = [name for name in CHANNELS if name not in header.sig_name]
        if missing:
            raise _lacks(path, missing, header.sig_name)
        columns = [header.sig_name.index(name) for name in CHANNELS]
        return Signal(samples[:, columns], float(header.fs), CHANNELS, name=path.as_posix())
    content = matlab.load(path, [*CHANNELS, "fs"])
    missing = [name for name in CHANNELS if name not in content]
    if missing:
        raise _lacks(path, missing, list(content))
    signals = [_signal(path, name, content[name]) for name in CHANNELS]
    if len({len(signal) for signal in signals}) != 1:
        lengths = " and ".join(f"{len(signal):,}" for signal in signals)
        raise HeldoutError(
            f"{path}: expected {' and '.join(CHANNELS)} of one length, got {lengths} samples. "
            "Fetch the file anew or exclude the recording."
        )
    return Signal(
        np.stack(signals, axis=1), matlab.rate(path, content), CHANNELS, name=path.as_posix()
    )


def _signal(path: Path, name: str, value: np.ndarray) -> np.ndarray:
    # A cell array comes as objects, which may hold anything.
    if value.dtype.kind not in "iuf" or value.ndim > 2 or min(value.shape, default=0) > 1:
        raise HeldoutError(
            f"{path}: expected {name} as one row or column of numbers, got {value.dtype} of shape "
            f"{value.shape}. Fetch the file anew or exclude the recording."
        )
    return value.reshape(-1).astype(np.float32)
