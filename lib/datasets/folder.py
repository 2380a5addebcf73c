"""A folder of a person's own recordings, as `lib.folder` surveyed it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lib.datasets.files import read_file as read
from lib.errors import HeldoutError
from lib.files import read_json

__all__ = ["EXAMPLES_HAVE_LABELS", "PREFIX", "read", "recordings"]

EXAMPLES_HAVE_LABELS = False

PREFIX = "folder-"
"""What the name of every such dataset begins with; the name of its study follows."""


def recordings(folder: str | Path) -> pd.DataFrame:
    """List the recordings that the survey of a folder kept.

    Parameters
    ----------
    folder : str or Path
        `resources/data/folder-{study}`, a link to the folder; the survey lies beside it as `.json`.

    Returns
    -------
    pd.DataFrame
        The columns of `lib.datasets`. `recording` is the path within the folder.

    Raises
    ------
    HeldoutError
        There is no survey.
    """
    folder = Path(folder)
    survey = read_json(folder.with_name(f"{folder.name}.json"))
    if not survey.get("recordings"):
        raise HeldoutError(
            f"{folder}.json: expected the survey of a folder, with recordings, got none. "
            "Delete it and run again: it is made anew."
        )
    table = pd.DataFrame(survey["recordings"])
    table.insert(1, "path", [(folder / name).as_posix() for name in table["recording"]])
    return table
