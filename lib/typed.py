"""Tables and lists that a person typed: blanks, separators and capitals of headers are any."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from lib.errors import HeldoutError, reason

if TYPE_CHECKING:
    import pandas as pd

# What nobody sees in a cell: blanks of every width, byte order marks, joiners.
_UNSEEN = r"[\s\u00ad\u200b-\u200f\u2060\ufeff]+"
_ENDS = re.compile(rf"^{_UNSEEN}|{_UNSEEN}$")
_NOTHING = frozenset(
    ("", "na", "n/a", "#n/a", "nan", "none", "null", "unknown", "unlabeled", "unlabelled", "-", "?")
)
# One and a tenth, or one thousand one hundred? Nobody knows.
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
# The usual one first.
_SEPARATORS = ",;\t|"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_SAVE = "Save it as UTF-8: in a spreadsheet, choose 'CSV UTF-8' under 'Save as'"


def clean(text: str) -> str:
    """Return a text without the blanks, of any kind, and the unseen marks at its ends."""
    return _ENDS.sub("", text)


def typed_name(text: str) -> str:
    r"""Return a label or a group so that two that look the same are the same.

    Blanks at the ends go, those within become one, and accents are composed.

    Examples
    --------
    >>> typed_name(" Jose\u0301 \u00a0 Luis ") == "Jos\u00e9 Luis"
    True
    """
    # Joiners within a name belong to it: they make one emoji of two, and Persian words.
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", clean(text)))


def says_nothing(text: str) -> bool:
    """Tell whether a cell says that something is not known.

    Examples
    --------
    >>> [says_nothing(text) for text in ("", "NaN", "n/a", "unknown", "0", "nana")]
    [True, True, True, True, False, False]
    """
    return clean(text).lower() in _NOTHING


def name_key(name: str) -> str:
    """Return what names share that differ in letter case, or in how a number is written, alone.

    Examples
    --------
    >>> name_key("P1") == name_key("p1"), name_key("01") == name_key("1.0"), name_key("1e0")
    (True, True, '1e0')
    """
    number = re.fullmatch(r"(\d+)(?:[.,]0+)?", name)
    return str(int(number[1])) if number else name.casefold()


def typed_path(text: str) -> str:
    r"""Return a path with / between its parts, however a person or a program wrote it.

    Examples
    --------
    >>> typed_path(".\\a\\b.wav "), typed_path("./a//b.wav"), typed_path("")
    ('a/b.wav', 'a/b.wav', '')
    """
    text = clean(text).replace("\\", "/")
    return PurePosixPath(text).as_posix() if text else ""


def typed_numbers(texts: Iterable[str]) -> pd.Series:
    """Read numbers, with a point or a comma before the decimals; NaN where a text is none.

    Where every comma stands before three digits, it may divide thousands: these are no numbers.

    Examples
    --------
    >>> typed_numbers(["1.5", "0,25", "1,234.5", "1e3", "", "old"]).tolist()
    [1.5, 0.25, nan, 1000.0, nan, nan]
    >>> typed_numbers(["1,250", "0,5"]).tolist(), typed_numbers(["1,250", "900"]).tolist()
    ([1.25, 0.5], [nan, 900.0])
    """
    import pandas as pd

    cells = [clean(text) for text in texts]
    if all(_THOUSANDS.fullmatch(cell) for cell in cells if "," in cell):
        cells = ["" if "," in cell else cell for cell in cells]
    pointed = [re.sub(r"^([+-]?\d*),(\d+)$", r"\1.\2", cell) for cell in cells]
    return pd.to_numeric(pd.Series(pointed, dtype=object), errors="coerce").astype(float)


def read_typed_text(path: str | Path, *, kind: str = "a text") -> str:
    """Read a text in UTF-8, or in UTF-16 with a byte order mark.

    Parameters
    ----------
    path : str or Path
        The file.
    kind : str
        What errors call it.

    Returns
    -------
    str
        Without a byte order mark; its line ends are as they are.

    Raises
    ------
    HeldoutError
        The file is missing, is no text, or is in another encoding: then the line is shown as it
        reads in Windows-1252, which is likely.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise HeldoutError(path, kind, reason(error), "Correct the path.") from error
    if content.startswith(_WORKBOOKS):
        raise HeldoutError(path, f"{kind} in UTF-8", "a workbook or an archive", f"{_SAVE}.")
    wide = content.startswith(_UTF16)
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        text = content.decode("utf-16" if wide else "utf-8")
    except UnicodeDecodeError as error:
        number = len((content[: error.start] + b"x").splitlines())
        line = content.splitlines()[number - 1].decode("cp1252", errors="replace")
        got = f"line {number} in another encoding; in Windows-1252 (cp1252) it is {line!r}"
        raise HeldoutError(
            path,
            f"{kind} in UTF-8",
            "UTF-16 that is damaged" if wide else got,
            f"{_SAVE}; on a command line, iconv -f CP1252 -t UTF-8 '{path.name}' > new.csv.",
        ) from error
    if "\0" in text:
        raise HeldoutError(
            path, f"{kind} in UTF-8", "bytes of 0: UTF-16 without its mark, or no text", f"{_SAVE}."
        )
    return text


def read_typed_table(path: str | Path) -> pd.DataFrame:
    """Read a table that a person made.

    Parameters
    ----------
    path : str or Path
        A text with commas, semicolons, tabs or bars between its columns, whatever its suffix, or a
        `.parquet` file. The first row names the columns.

    Returns
    -------
    pd.DataFrame
        Every cell is text without blanks around it, empty where nothing stands. Names of columns
        are in small letters; columns without a name and rows without a cell are left out.

    Raises
    ------
    HeldoutError
        The file cannot be read (see `read_typed_text`), names no column or one twice, or has a row
        with more cells than names.
    """
    import pandas as pd

    path = Path(path)
    read = _read_parquet if path.suffix.lower() == ".parquet" else _read_separated
    header, rows = read(path)
    names = [clean(name).lower() for name in header]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice or not any(names):
        raise HeldoutError(
            path,
            "a table with the names of its columns in the first row, each once",
            f"{', '.join(twice)} twice (capitals do not matter)" if twice else "none",
            "Rename or remove one." if twice else "Add them.",
        )
    table = pd.DataFrame(
        [[clean(cell) for cell in row] for row in rows], columns=names, dtype=object
    )
    return table[list(filter(None, names))]


def _read_parquet(path: Path) -> tuple[list[str], list[list[str]]]:
    import pandas as pd

    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise HeldoutError(path, "a .parquet table", reason(error), "Write it anew.") from error
    text = table.astype(object).where(table.notna(), "").astype(str)
    return list(map(str, table.columns)), text.to_numpy().tolist()


def _read_separated(path: Path) -> tuple[list[str], list[list[str]]]:
    """Read the names and the rows of a text, each row with as many cells as there are names."""
    lines = io.StringIO(read_typed_text(path, kind="a table"), newline="").readlines()
    # Some spreadsheets name the separator above the header.
    told = re.fullmatch(r"sep=(.)\s*", lines[0], re.IGNORECASE) if lines else None
    if told:
        lines[0] = "\n"
    header = next((line for line in lines if clean(line)), "")
    # The one that makes most columns, and the usual one of equals.
    separator = told[1] if told else max(_SEPARATORS, key=lambda one: _columns(header, one))
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=separator != "\t")
    names: list[str] = []
    rows = []
    try:
        for row in reader:
            if not any(map(clean, row)):
                continue
            if not names:
                names = row
                continue
            if any(map(clean, row[len(names) :])):
                raise HeldoutError(
                    f"{path}, line {reader.line_num}",
                    f"{len(names)} cells, as there are names of columns",
                    f"{len(row)}",
                    f"Put a cell that holds {separator!r} between double quotes.",
                )
            rows.append((row + [""] * len(names))[: len(names)])
    except csv.Error as error:
        raise HeldoutError(
            f"{path}, line {reader.line_num}", "cells of a table", str(error), "Correct it."
        ) from error
    return names, rows


def _columns(header: str, separator: str) -> int:
    """Count the names in a header; 0 where its quotes say that this is not its separator."""
    try:
        cells = next(csv.reader([header], delimiter=separator, strict=True), [])
    except csv.Error:
        return 0
    return sum(bool(clean(cell)) for cell in cells)
