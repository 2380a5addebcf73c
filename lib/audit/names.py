"""What the names in a split give away: groups, files and windows in two parts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from lib.audit.findings import LEAK, WARNING, counted, finding
from lib.audit.sides import noun, ordered
from lib.typed import name_key

# s: windows that touch do not overlap, whatever the rounding.
_TOUCH = 1e-6

# What a name ends in where somebody came several times: `anna_ses-02`, `p1 visit 3`.
_SESSION = re.compile(
    r"(?:[\s_.-]+|(?<=\d))(?:sess?|sessions?|visits?|day|take|run)[\s_.-]*\d+$", re.IGNORECASE
)


def names_on_two_sides(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Compare names alone: groups, files and windows in two parts.

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
            len(among),
            f"{len(among)} of {counted(known['group'].nunique(), 'group')} appear in two {side}s, "
            f"with {counted(files, 'file')}",
            cases,
        )
    if len(known) < len(table):
        yield finding(
            "groups_unknown",
            WARNING,
            len(table) - len(known),
            f"the group (patient, speaker, …) of {len(table) - len(known)} of {len(table)} rows is "
            f"not known: one that appears in two {side}s cannot be seen. Add a column group, or "
            "--group-pattern",
        )
    # An accent may be written in one character or in two.
    same = table["path"].map(lambda path: unicodedata.normalize("NFC", path))
    among = table.groupby(same)["part"].agg(ordered)
    among = among[among.map(len) > 1]
    if len(among):
        cases = [{"path": str(path), "parts": parts} for path, parts in among.items()]
        yield finding(
            "files_on_two_sides",
            LEAK,
            len(among),
            f"{counted(len(among), 'file')} in two {side}s",
            cases,
        )
    windows = table.dropna(subset=["start", "end"])
    if len(windows):
        lapped = overlapping(windows)
        if lapped.any():
            paths = windows[lapped].groupby("path")["part"].agg(ordered)
            yield finding(
                "overlapping_windows",
                LEAK,
                int(lapped.sum()),
                f"{counted(int(lapped.sum()), 'window')} of {counted(len(paths), 'file')} with "
                f"an overlap in time with one of another {side}",
                [{"path": str(path), "parts": parts} for path, parts in paths.items()],
            )


def names_alike(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Warn of labels and of groups that are probably one.

    Parameters
    ----------
    table : pd.DataFrame
        As `lib.audit.tables.read_split` gives it.

    Yields
    ------
    dict
        Findings of `lib.audit.findings`.
    """
    for column in ("label", "group"):
        names = pd.Series(sorted(set(table[column])), dtype=object)
        alike = [list(some) for _, some in names.groupby(names.map(_meant)) if len(some) > 1]
        if alike:
            text = "; ".join(" and ".join(some) for some in alike[:5])
            yield finding(
                f"{column}s_alike",
                WARNING,
                len(alike),
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
            len(cases),
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


def overlapping(windows: pd.DataFrame) -> np.ndarray:
    """Tell which windows share a stretch of a file with one of another part.

    Parameters
    ----------
    windows : pd.DataFrame
        `path`, `part`, `start` and `end` (s), of any length; those that touch do not overlap.

    Returns
    -------
    np.ndarray [shape=(windows,)]
        Whether each does.
    """
    windows = windows.reset_index(drop=True)
    ordered = windows.sort_values(["path", "start"], kind="stable")
    start, end = (ordered[name].to_numpy(dtype=float) for name in ("start", "end"))
    path, part = (pd.factorize(ordered[name])[0] for name in ("path", "part"))
    near = np.zeros(len(ordered), dtype=bool)
    # Forwards, a window overlaps when one of another part that began before has not yet ended;
    # backwards, when one of another part that begins later does so before its end. For each part
    # the last end (or first start) so far is enough.
    for forwards in (True, False):
        order = range(len(ordered)) if forwards else range(len(ordered) - 1, -1, -1)
        limits: dict[int, float] = {}
        here = -1
        for i in order:
            if path[i] != here:
                limits, here = {}, path[i]
            if forwards:
                near[i] |= any(e > start[i] + _TOUCH for p, e in limits.items() if p != part[i])
                limits[part[i]] = max(limits.get(part[i], -np.inf), end[i])
            else:
                near[i] |= any(s < end[i] - _TOUCH for p, s in limits.items() if p != part[i])
                limits[part[i]] = min(limits.get(part[i], np.inf), start[i])
    lapped = np.zeros(len(windows), dtype=bool)
    lapped[ordered.index] = near
    return lapped
