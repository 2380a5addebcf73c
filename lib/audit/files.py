"""Whether the split of any project can be believed, from its files alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.audit.findings import LEAK, NOTE, WARNING, finding
from lib.audit.listening import MISSING, Heard, listen, same_recordings
from lib.audit.names import by_names
from lib.audit.shortcuts import shortcuts
from lib.audit.sides import called, in_folders, noun, ordered, rounds, sides_of, tested
from lib.errors import counted
from lib.features.copies import Copy

# No more cases of one finding than this are listed.
CASES = 50


def audit_files(
    table: pd.DataFrame, *, root: str | Path | None = None, threads: int = 4
) -> dict[str, Any]:
    """Look for whatever a split of files lets through from one part, or fold, to another.

    Parameters
    ----------
    table : pd.DataFrame
        As `lib.audit.tables.read_split` gives it.
    root : path, optional
        Where the files lie. Without it nothing is listened to: only names are compared.
    threads : int
        Files read at once.

    Returns
    -------
    dict
        `leaks`; `files` (listed) and `heard` (found and readable); `parts`, for each part or fold
        its `files`, `groups` and files of each of its `classes`, and for a fold how many cases of
        `leaks` name it; `findings`, each with its `kind`, `level` (leak, warning or note, in this
        order), `count`, `text` and `cases`.
    """
    if root is not None:
        root = Path(root)
        table = in_folders(table, root)
    labels = sorted(set(table["label"]) - {""})
    findings = [*by_names(table), *_missing_classes(table, labels)]
    heard: list[Heard] = []
    copies: list[Copy] = []
    if root is not None:
        heard, band = listen(list(dict.fromkeys(table["path"])), root, threads=threads)
        whole = [item for item in heard if not item.fault]
        copies = same_recordings(whole, band=band, root=root)
    readable = {item.path: item for item in heard if not item.fault}
    findings += _unreadable(heard)
    if readable:
        findings += _same_audio(table, copies)
    else:
        text = (
            "no file was found, so that the same audio under two names cannot be seen: name the "
            "folder with --audio-root"
        )
        findings.append(finding("not_heard", NOTE, text, count=table["path"].nunique()))
    findings += shortcuts(table, readable)
    findings += _interval(table)
    findings.sort(key=lambda one: (LEAK, WARNING, NOTE).index(one["level"]))
    leaks = [one for one in findings if one["level"] == LEAK]
    return {
        "leaks": bool(leaks),
        "files": int(table["path"].nunique()),
        "heard": len(readable),
        "parts": _parts(table, labels, [case for one in leaks for case in one["cases"]]),
        "findings": [{**one, "cases": one["cases"][:CASES]} for one in findings],
    }


def _parts(table: pd.DataFrame, labels: list[str], leaks: list[dict[str, Any]]) -> dict[str, Any]:
    described = {}
    for part in sides_of(table):
        here = table[table["part"] == part]
        counts = here.groupby("label")["path"].nunique()
        described[part] = {
            "files": int(here["path"].nunique()),
            "groups": len(set(here["group"]) - {""}),
            "classes": {label: int(counts.get(label, 0)) for label in labels},
        }
        if noun(table) == "fold":
            # A case of two files has the folds of each.
            described[part]["leaks"] = sum(part in np.hstack(case["parts"]) for case in leaks)
    return described


def _missing_classes(table: pd.DataFrame, labels: list[str]) -> Iterator[dict[str, Any]]:
    gone = []
    if len(sides_of(table)) == 1:
        text = "there is one fold alone: nothing is compared"
        yield finding("missing_part", WARNING, text, count=1)
    for part in sides_of(table):
        here = table[table["part"] == part]
        if len(here):
            there = set(here["label"])
            gone += [{"part": part, "class": label} for label in labels if label not in there]
        elif part != "validation":
            yield finding("missing_part", WARNING, f"there is no {part} part", count=1)
    if gone:
        text = "; ".join(f"no {case['class']} in {called(case['part'])}" for case in gone[:8])
        yield finding("missing_classes", WARNING, text, gone)


def _unreadable(heard: list[Heard]) -> Iterator[dict[str, Any]]:
    missing = [item.path for item in heard if item.fault == MISSING]
    broken = [item for item in heard if item.fault not in ("", MISSING)]
    if missing:
        elsewhere = [path for path in missing if re.match(r"([A-Za-z]:)?/", path)]
        yield finding(
            "files_missing",
            WARNING,
            f"{len(missing)} of {counted(len(heard), 'file')} not there: nothing can be said of "
            "their audio"
            + ("; write paths from the folder of --audio-root on" if elsewhere else ""),
            [{"path": path} for path in missing],
        )
    if broken:
        text = f"{counted(len(broken), 'file')} that cannot be read"
        cases = [{"path": item.path, "reason": item.fault} for item in broken]
        yield finding("files_unreadable", WARNING, text, cases)


def _same_audio(table: pd.DataFrame, copies: list[Copy]) -> Iterator[dict[str, Any]]:
    side = noun(table)
    parts = table.groupby("path")["part"].agg(ordered).to_dict()
    labels = table.groupby("path")["label"].agg(lambda names: sorted(set(names) - {""})).to_dict()
    across: list[dict[str, Any]] = []
    within: list[dict[str, Any]] = []
    contradicting: list[dict[str, Any]] = []
    for copy in copies:
        a, b = copy.first, copy.second
        case = {
            "first": a,
            "second": b,
            "parts": [parts[a], parts[b]],
            "labels": [labels[a], labels[b]],
            "exact": copy.exact,
            "shift": round(copy.shift, 2),
            "overlap": round(copy.overlap, 2),
            "correlation": round(copy.correlation, 4),
        }
        (across if set(parts[a]) != set(parts[b]) else within).append(case)
        if labels[a] and labels[b] and labels[a] != labels[b]:
            contradicting.append(case)
    if across:
        exact_ones = sum(case["exact"] for case in across)
        yield finding(
            "same_audio",
            LEAK,
            f"the same audio in {counted(len(across), 'pair')} of files of two {side}s, "
            f"{exact_ones} of them sample for sample",
            across,
        )
    if within:
        text = f"the same audio in {counted(len(within), 'pair')} of files of one {side}"
        yield finding("same_audio_within", NOTE, text, within)
    if contradicting:
        pairs = counted(len(contradicting), "pair")
        text = f"the same audio under two labels in {pairs} of files"
        yield finding("contradicting_labels", WARNING, text, contradicting)


def _interval(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Say how wide the interval of an accuracy of 90 % would be, were every unit independent."""
    from lib.statistics.bootstrap import exact_interval

    test = pd.concat([test for _, test in rounds(table)])
    if test.empty:
        return
    grouped = bool((test["group"] != "").all())
    count = int(test["group" if grouped else "path"].nunique())
    unit = "groups" if grouped else "files"
    low, high = exact_interval(0.9 * count, count)
    least = test[test["label"] != ""].groupby("label")["path"].nunique().sort_values()
    text = (
        f"with {count} {unit} in {tested(table)}, an accuracy of 90 % has a 95 % interval of "
        f"{low:.0%} to {high:.0%} at best"
    )
    if len(least):
        text += f"; the smallest class has {least.iloc[0]} files ({least.index[0]})"
    case = {"unit": unit, "count": count, "accuracy": 0.9, "low": low, "high": high}
    yield finding("interval", NOTE, text, [case], count=count)
