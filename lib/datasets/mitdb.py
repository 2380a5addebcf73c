"""MIT-BIH Arrhythmia Database: two-lead ECG, 360 Hz, every beat annotated."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from lib.datasets import waveform_database
from lib.datasets.signal import Signal

EXAMPLES_HAVE_LABELS = True
"""Each beat has its own code, so a recording has no label."""

BEATS = frozenset("NLRejAaJSVEF/fQnB?r")
"""The annotation codes that are beats; the others mark rhythms, noise and remarks."""

# Two records of one man, taken some hours apart; everybody else gave one.
_PATIENTS = {"202": "201"}

_AGE_AND_SEX = re.compile(r"\s*(-?\d+|\?)\s+([MF])\b")


def recordings(folder: str | Path) -> pd.DataFrame:
    """List the records of the database from their headers.

    Parameters
    ----------
    folder : str or Path
        The folder of the `.hea`, `.dat` and `.atr` files.

    Returns
    -------
    pd.DataFrame
        The columns of `lib.datasets`, and `age` (years), `sex` (M, F) and `leads`, where the header
        gives them.
    """
    return pd.DataFrame([_row(path) for path in sorted(Path(folder).glob("[!.]*.hea"))])


def _row(path: Path) -> dict[str, Any]:
    header = waveform_database.read_header(path)
    found = _AGE_AND_SEX.match(header.comments[0]) if header.comments else None
    # -1 is how the headers say that an age is not known.
    age = float(found[1]) if found and found[1] != "?" and int(found[1]) >= 0 else None
    return {
        "recording": path.stem,
        "path": path.as_posix(),
        "label": "",
        "group": _PATIENTS.get(path.stem, path.stem),
        "split": "",
        "rate": float(header.fs),
        "duration": header.sig_len / header.fs,
        "channels": header.n_sig,
        "age": age,
        "sex": found[2] if found else "",
        "leads": " ".join(header.sig_name),
    }


def read(path: str | Path) -> Signal:
    """Read a record with its beats.

    Parameters
    ----------
    path : str or Path
        The `.hea` file.

    Returns
    -------
    Signal
        All leads in mV; `positions` are the R peaks and `symbols` their beat codes.
    """
    samples, header = waveform_database.read_samples(path)
    positions, symbols = waveform_database.read_beats(path, length=len(samples), codes=BEATS)
    return Signal(
        samples,
        float(header.fs),
        tuple(header.sig_name),
        positions,
        symbols,
        name=Path(path).as_posix(),
    )
