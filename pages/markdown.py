"""What the generators share: tables, and the parts of a page that are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], *, numbers: bool = False) -> str:
    """Write a table in Markdown.

    Parameters
    ----------
    head : sequence of str
        The names of the columns.
    rows : iterable of sequences
        The cells; thousands of whole numbers are set apart.
    numbers : bool
        Whether all columns but the first are set to the right.

    Returns
    -------
    str
        Lines, each with its end.
    """
    cells = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    ruler = ["---", *["---:" if numbers else "---"] * (len(head) - 1)]
    return "".join("| " + " | ".join(row) + " |\n" for row in [head, ruler, *cells])


def at_commit(commit: str) -> str:
    """Write what `lib.provenance.commit` names."""
    name, dirty, _ = commit.partition("+")
    return f"`{name}`{' with uncommitted changes' * bool(dirty)}"


def filled(page: str, parts: Mapping[str, str]) -> str:
    """Put each part between its two remarks, `<!-- name -->` and `<!-- end of name -->`.

    Parameters
    ----------
    page : str
        The page as it is.
    parts : mapping of str to str
        What stands between the remarks of each name.

    Returns
    -------
    str
        The page with its parts made anew.

    Raises
    ------
    ValueError
        The page lacks a remark.
    """
    for name, text in parts.items():
        first, last = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
        head, begin, rest = page.partition(first)
        _, end, tail = rest.partition(last)
        if not (begin and end):
            raise ValueError(f"expected the remarks {first.strip()} and {last.strip()}")
        page = f"{head}{first}\n{text}\n{last}{tail}"
    return page
