"""MIT-BIH Arrhythmia Database: two-lead ECG, 360 Hz, every beat annotated."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from lib.datasets.dataset import Dataset, row
from lib.datasets.waveform_database import read_header, read_record, size

# Two records of one man, taken some hours apart; everybody else gave one.
_PATIENTS = {"202": "201"}

_AGE_AND_SEX = re.compile(r"\s*(-?\d+|\?)\s+([MF])\b")


def recordings(folder: str | Path, exclude: Collection[str] = ()) -> pd.DataFrame:
    """List the records of the database from their headers.

    Parameters
    ----------
    folder : str or Path
        The folder of the `.hea`, `.dat` and `.atr` files.
    exclude : collection of str
        Recordings, by name, of which nothing is read.

    Returns
    -------
    pd.DataFrame
        The columns of `lib.datasets`, and `age` (years), `sex` (M, F) and `leads`, where the header
        gives them.
    """
    paths = sorted(Path(folder).glob("[!.]*.hea"))
    return pd.DataFrame([_describe(path) for path in paths if path.stem not in exclude])


def _describe(path: Path) -> dict[str, Any]:
    header = read_header(path)
    known = _AGE_AND_SEX.match(header.comments[0]) if header.comments else None
    # -1 is how the headers say that an age is not known.
    age = float(known[1]) if known and known[1] != "?" and int(known[1]) >= 0 else None
    return row(
        path,
        size(header),
        group=_PATIENTS.get(path.stem, path.stem),
        age=age,
        sex=known[2] if known else "",
        leads=" ".join(header.names),
    )


# Each beat has its own code, so a recording has no label.
MITDB = Dataset("mitdb", recordings, partial(read_record, beats=True), examples_have_labels=True)
