"""Reading the text that comes with a dataset: tables, whatever their bytes are."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from lib.datasets.signal import require_file
from lib.errors import HeldoutError


def read_text(path: str | Path) -> str:
    """Read a text file in UTF-8, with or without a byte order mark, its line ends as they are.

    Raises
    ------
    HeldoutError
        The file is missing, empty, or in another encoding.
    """
    path = require_file(path)
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise HeldoutError(
            path,
            "text in UTF-8",
            f"the byte 0x{content[error.start]:02x} at {error.start:,}",
            "Replace it by the published one, or save it as UTF-8.",
        ) from error


def read_csv(path: str | Path, *, required: Iterable[str] = ()) -> list[dict[str, str]]:
    """Read a table of comma-separated values, all of them as text without blanks around it.

    Parameters
    ----------
    path : str or Path
        A table with names in its first row.
    required : iterable of str
        Columns that it must have.

    Returns
    -------
    list of dict
        A row each; columns without a name are left out, and what a short row lacks is empty.

    Raises
    ------
    HeldoutError
        As `read_text`; or a column is missing or there twice, or the text is no such table.
    """
    text = io.StringIO(read_text(path), newline="")
    try:
        reader = csv.DictReader(text)
        names = [name for name in reader.fieldnames or [] if name]
        rows = [{key: (row[key] or "").strip() for key in names} for row in reader]
    except csv.Error as error:
        raise HeldoutError(
            path,
            "a table of comma-separated values",
            f"one that cannot be read ({error})",
            "Replace it by the published one.",
        ) from error
    missing = sorted(set(required) - set(names))
    twice = sorted({name for name in names if names.count(name) > 1})
    if missing or twice:
        raise HeldoutError(
            path,
            f"the columns {', '.join(missing or twice)}, each once",
            f"{', '.join(names)[:200] or 'none'}",
            "Replace it by the published one.",
        )
    return rows
