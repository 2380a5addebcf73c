"""What the names in a split give away: groups, files and windows in two parts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import pandas as pd

from lib.audit.findings import LEAK, WARNING, finding
from lib.audit.overlaps import overlapping
from lib.audit.sides import noun, ordered
from lib.errors import counted
from lib.typed import name_key

# What a name ends in where somebody came several times: `anna_ses-02`, `p1 visit 3`.
_SESSION = re.compile(
    r"(?:[\s_.-]+|(?<=\d))(?:sess?|sessions?|visits?|day|take|run)[\s_.-]*\d+$", re.IGNORECASE
)


def by_names(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Compare names alone: what is in two parts, and labels and groups that are probably one.

    Parameters
    ----------
    table : pd.DataFrame
        As `lib.audit.tables.read_split` gives it.

    Yields
    ------
    dict
        Findings of `lib.audit.findings`.
    """
    side = noun(table)
    known = table[table["group"] != ""]
    among = known.groupby("group")["part"].agg(ordered)
    among = among[among.map(len) > 1]
    if len(among):
        cases = [{"group": str(group), "parts": parts} for group, parts in among.items()]
        files = int(known[known["group"].isin(among.index)]["path"].nunique())
        yield finding(
            "groups_on_two_sides",
            LEAK,
            f"{len(among)} of {counted(known['group'].nunique(), 'group')} appear in two {side}s, "
            f"with {counted(files, 'file')}",
            cases,
        )
    if len(known) < len(table):
        yield finding(
            "groups_unknown",
            WARNING,
            f"the group (patient, speaker, …) of {len(table) - len(known)} of {len(table)} rows is "
            f"not known: one that appears in two {side}s cannot be seen. Add a column group, or "
            "--group-pattern",
            count=len(table) - len(known),
        )
    # An accent may be written in one character or in two.
    same = table["path"].map(lambda path: unicodedata.normalize("NFC", path))
    among = table.groupby(same)["part"].agg(ordered)
    among = among[among.map(len) > 1]
    if len(among):
        cases = [{"path": str(path), "parts": parts} for path, parts in among.items()]
        text = f"{counted(len(among), 'file')} in two {side}s"
        yield finding("files_on_two_sides", LEAK, text, cases)
    windows = table.dropna(subset=["start", "end"])
    lapped = windows[overlapping(windows)]
    if len(lapped):
        paths = lapped.groupby("path")["part"].agg(ordered)
        yield finding(
            "overlapping_windows",
            LEAK,
            f"{counted(len(lapped), 'window')} of {counted(len(paths), 'file')} with an overlap in "
            f"time with one of another {side}",
            [{"path": str(path), "parts": parts} for path, parts in paths.items()],
            count=len(lapped),
        )
    yield from _alike(table)


def _alike(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Warn of labels, and of groups, that are probably one."""
    for column in ("label", "group"):
        names = pd.Series(sorted(set(table[column])), dtype=object)
        alike = [list(some) for _, some in names.groupby(names.map(_meant)) if len(some) > 1]
        if alike:
            text = "; ".join(" and ".join(some) for some in alike[:5])
            yield finding(
                f"{column}s_alike",
                WARNING,
                f"{column}s that differ in capitals, zeros or separators alone count as different: "
                f"{text}",
                [{f"{column}s": some} for some in alike],
            )
    side = noun(table)
    named = table.assign(someone=table["group"].map(lambda name: _SESSION.sub("", name)))
    came = named[named["someone"] != named["group"]].groupby("someone")
    cases = [
        {"group": str(name), "sessions": sorted(set(some["group"])), "parts": ordered(some["part"])}
        for name, some in came
        if some["part"].nunique() > 1 and some["group"].nunique() > 1
    ]
    if cases:
        yield finding(
            "sessions_on_two_sides",
            WARNING,
            f"{counted(len(cases), 'group')} with sessions in two {side}s, by the names: whoever "
            "came twice should be one group",
            cases,
        )


def _meant(name: str) -> str:
    """Spell a name as most would: what `name_key` takes for one, and `P-01` and `p1`."""
    name = re.sub(r"(?<![\d.,])0+(?=\d)", "", name_key(name))
    # Between two digits a separator counts: 1-23 is not 12-3.
    name = re.sub(r"(?<=\d)[\s_-]+(?=\d)", "_", name)
    return re.sub(r"(?<=[^\W_])[\s_-]+(?=[^\W\d_])|(?<=[^\W\d_])[\s_-]+(?=[^\W_])", "", name)
