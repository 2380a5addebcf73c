"""A folder of a person's own recordings, as `lib.own.survey` surveyed it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd

from lib.datasets.dataset import Dataset, is_excluded
from lib.datasets.files import read_file
from lib.errors import HeldoutError
from lib.files import read_json

PREFIX = "folder-"
"""What the name of every such dataset begins with; the name of its study follows."""

_ROW: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("recording", "label", "group", "split"), str),
    **dict.fromkeys(("rate", "duration", "channels"), (int, float)),
    **dict.fromkeys(("context", "about"), dict),
}


def _whole(row: Any) -> bool:
    """Tell whether a row of a survey is as it was written."""
    return (
        isinstance(row, dict)
        and set(row) == set(_ROW)
        and all(isinstance(row[name], kind) for name, kind in _ROW.items())
        and all(isinstance(number, int | float) for number in row["context"].values())
        and all(isinstance(text, str) for text in row["about"].values())
        and not {*row["context"], *row["about"]} & {*_ROW, "path"}
    )


def recordings(folder: str | Path, exclude: Collection[str] = ()) -> pd.DataFrame:
    """List the recordings that the survey of a folder kept.

    Parameters
    ----------
    folder : str or Path
        `resources/data/folder-{study}`, a link to the folder; the survey lies beside it as `.json`.
    exclude : collection of str
        Recordings and folders within the folder that are not listed.

    Returns
    -------
    pd.DataFrame
        The columns of `lib.datasets`, and those of a context and of
        `lib.datasets.dataset.ABOUT`, if there are any. `recording` is the path within the folder.

    Raises
    ------
    HeldoutError
        There is no survey, or it is damaged.
    """
    folder = Path(folder)
    survey = read_json(folder.with_name(f"{folder.name}.json"))
    rows = survey.get("recordings") if isinstance(survey, dict) else None
    if not rows or not isinstance(rows, list) or not all(map(_whole, rows)):
        raise HeldoutError(
            f"{folder}.json",
            "the survey of a folder, with recordings",
            "none or another file",
            "Delete it and run again: it is made anew.",
        )
    kept = [row for row in rows if not is_excluded(row["recording"], exclude)]
    if not kept:
        return pd.DataFrame()
    table = pd.DataFrame([{**row, **row["about"], **row["context"]} for row in kept])
    table = table.drop(columns=["context", "about"])
    table.insert(1, "path", [(folder / name).as_posix() for name in table["recording"]])
    return table


# It depends on the folder: either every recording has a label, or every example has its own.
FOLDER = Dataset("folder", recordings, read_file, examples_have_labels=None)
