"""Walking over the pages of an Ogg file, which is the only way to tell that it was cut."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

_HEAD = 27  # bytes of a page before its table of segments
_LAST = 4  # the flag of a page that ends its stream


class End(NamedTuple):
    """How an Ogg file ends: bytes missing from its last page, and whether that page is marked."""

    missing: int
    marked: bool


def end(path: Path) -> End:
    """Walk over the pages of an Ogg file, from head to head (RFC 3533), whatever they hold.

    Parameters
    ----------
    path : Path
        A file that libsndfile reads as Ogg.

    Returns
    -------
    End
        `missing` is above 0 where the file ends within a page: it is truncated. A file that ends
        behind a whole page without the mark of the last one comes from a writer that streamed or
        was killed, or was cut at just that byte. What follows the last page is ignored where that
        is marked, and else counts as a page of which all is missing but its first bytes.
    """
    size, place, marked = path.stat().st_size, 0, False
    with path.open("rb") as stream:
        while place < size:
            stream.seek(place)
            head = stream.read(_HEAD)
            if head[:4] != b"OggS"[: len(head)]:
                return End(0 if marked else 1, marked)
            table = stream.read(head[26]) if len(head) == _HEAD else b""
            if len(head) < _HEAD or len(table) < head[26]:
                return End(_HEAD - len(head) or head[26] - len(table), False)
            place += _HEAD + len(table) + sum(table)
            if place > size:
                return End(place - size, False)
            marked = bool(head[5] & _LAST)
    return End(0, marked)
