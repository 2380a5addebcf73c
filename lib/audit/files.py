"""Whether the split of any project can be believed, from its files alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.audit.listening import MISSING, Heard, listen, same_recordings
from lib.features.copies import Copy
from lib.splits.parts import PARTS

# No more cases of one finding than this are listed.
CASES = 50

# s: windows that touch do not overlap, whatever the rounding.
_TOUCH = 1e-6

LEAK, WARNING, NOTE = "leak", "warning", "note"

METADATA = ("rate", "duration", "channels", "level", "bytes_per_second", "format")
# Shuffles behind the p value of what metadata tells, and from where it is worth a warning.
_SHUFFLES = 200
_P = 0.01
_GAIN = 0.1


def audit_files(
    table: pd.DataFrame,
    *,
    root: str | Path | None = None,
    threads: int = 4,
) -> dict[str, Any]:
    """Look for whatever a split of files lets through from one part to another.

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
        `leaks`; `files` (listed) and `heard` (found and readable); `parts`, for each its `files`,
        `groups` and files of each of its `classes`; `findings`, each with its `kind`, `level`
        (leak, warning or note, in this order), `count`, `text` and `cases`.
    """
    labels = sorted(set(table["label"]) - {""})
    findings = [*_names(table), *_missing_classes(table, labels)]
    heard: list[Heard] = []
    copies: list[Copy] = []
    if root is not None:
        root = Path(root)
        heard, band = listen(list(dict.fromkeys(table["path"])), root, threads=threads)
        whole = [item for item in heard if not item.fault]
        copies = same_recordings(whole, band=band, root=root)
    readable = {item.path: item for item in heard if not item.fault}
    findings += _unreadable(heard)
    if readable:
        findings += _same_audio(table, copies)
        findings += _metadata(table, readable)
    else:
        findings.append(
            _finding(
                "not_heard",
                NOTE,
                len(set(table["path"])),
                "no file was found, so that the "
                "same audio under two names cannot be seen: name the folder with --audio-root",
            )
        )
    findings += _interval(table)
    findings.sort(key=lambda finding: (LEAK, WARNING, NOTE).index(finding["level"]))
    return {
        "leaks": any(finding["level"] == LEAK for finding in findings),
        "files": int(table["path"].nunique()),
        "heard": len(readable),
        "parts": _parts(table, labels),
        "findings": findings,
    }


def _finding(
    kind: str, level: str, count: int, text: str, cases: list[Any] | None = None
) -> dict[str, Any]:
    return {
        "kind": kind,
        "level": level,
        "count": int(count),
        "text": text,
        "cases": (cases or [])[:CASES],
    }


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _parts(table: pd.DataFrame, labels: list[str]) -> dict[str, Any]:
    described = {}
    for part in PARTS:
        here = table[table["part"] == part]
        counts = here.groupby("label")["path"].nunique()
        described[part] = {
            "files": int(here["path"].nunique()),
            "groups": len(set(here["group"]) - {""}),
            "classes": {label: int(counts.get(label, 0)) for label in labels},
        }
    return described


def _names(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Compare names alone: groups, files and windows in two parts."""
    known = table[table["group"] != ""]
    sides = known.groupby("group")["part"].agg(lambda parts: sorted(set(parts)))
    sides = sides[sides.map(len) > 1]
    if len(sides):
        cases = [{"group": str(group), "parts": parts} for group, parts in sides.items()]
        files = int(known[known["group"].isin(sides.index)]["path"].nunique())
        yield _finding(
            "groups_on_two_sides",
            LEAK,
            len(sides),
            f"{len(sides)} of {_counted(known['group'].nunique(), 'group')} appear in two parts, "
            f"with {_counted(files, 'file')}",
            cases,
        )
    if len(known) < len(table):
        yield _finding(
            "groups_unknown",
            WARNING,
            len(table) - len(known),
            f"the group (patient, speaker, …) of {len(table) - len(known)} of {len(table)} rows is "
            "not known: one that appears in two parts cannot be seen. Add a column group, or "
            "--group-pattern",
        )
    sides = table.groupby("path")["part"].agg(lambda parts: sorted(set(parts)))
    sides = sides[sides.map(len) > 1]
    if len(sides):
        cases = [{"path": str(path), "parts": parts} for path, parts in sides.items()]
        yield _finding(
            "files_on_two_sides",
            LEAK,
            len(sides),
            f"{_counted(len(sides), 'file')} in two parts",
            cases,
        )
    windows = table.dropna(subset=["start", "end"])
    if len(windows):
        lapped = _overlapping(windows)
        if lapped.any():
            paths = sorted(set(windows.loc[lapped, "path"]))
            yield _finding(
                "overlapping_windows",
                LEAK,
                int(lapped.sum()),
                f"{_counted(int(lapped.sum()), 'window')} of {_counted(len(paths), 'file')} with "
                "an overlap in time with one of another part",
                [{"path": path} for path in paths],
            )


def _overlapping(windows: pd.DataFrame) -> np.ndarray:
    """Tell which windows share a stretch of a file with one of another part.

    Windows are of any length; those that touch do not overlap.
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


def _missing_classes(table: pd.DataFrame, labels: list[str]) -> Iterator[dict[str, Any]]:
    gone = []
    for part in PARTS:
        here = table[table["part"] == part]
        if len(here):
            there = set(here["label"])
            gone += [{"part": part, "class": label} for label in labels if label not in there]
        elif part != "validation":
            yield _finding("missing_part", WARNING, 1, f"there is no {part} part")
    if gone:
        text = "; ".join(f"no {case['class']} in the {case['part']} part" for case in gone[:8])
        yield _finding("missing_classes", WARNING, len(gone), text, gone)


def _unreadable(heard: list[Heard]) -> Iterator[dict[str, Any]]:
    missing = [item.path for item in heard if item.fault == MISSING]
    broken = [item for item in heard if item.fault not in ("", MISSING)]
    if missing:
        yield _finding(
            "files_missing",
            WARNING,
            len(missing),
            f"{len(missing)} of {_counted(len(heard), 'file')} not there: nothing can be said of "
            "their audio",
            [{"path": path} for path in missing],
        )
    if broken:
        yield _finding(
            "files_unreadable",
            WARNING,
            len(broken),
            f"{_counted(len(broken), 'file')} that cannot be read",
            [{"path": item.path, "reason": item.fault} for item in broken],
        )


def _same_audio(table: pd.DataFrame, copies: list[Copy]) -> Iterator[dict[str, Any]]:
    parts = table.groupby("path")["part"].agg(lambda parts: sorted(set(parts))).to_dict()
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
        yield _finding(
            "same_audio",
            LEAK,
            len(across),
            f"the same audio in {_counted(len(across), 'pair')} of files of two parts, "
            f"{exact_ones} of them sample for sample",
            across,
        )
    if within:
        yield _finding(
            "same_audio_within",
            NOTE,
            len(within),
            f"the same audio in {_counted(len(within), 'pair')} of files of one part",
            within,
        )
    if contradicting:
        yield _finding(
            "contradicting_labels",
            WARNING,
            len(contradicting),
            f"the same audio under two labels in {_counted(len(contradicting), 'pair')} of files",
            contradicting,
        )


def _metadata(table: pd.DataFrame, heard: dict[str, Heard]) -> Iterator[dict[str, Any]]:
    """Predict the label of the test files from what is known without listening."""
    from sklearn.metrics import balanced_accuracy_score

    rows = table[table["path"].isin(list(heard)) & (table["label"] != "")]
    rows = rows.drop_duplicates(["path", "part"])
    train, test = (rows[rows["part"] == part] for part in ("train", "test"))
    test = test[test["label"].isin(set(train["label"]))]
    classes = sorted(set(test["label"]))
    if len(classes) < 2 or train["label"].nunique() < 2:
        return
    model = _forest(_known(train, heard), train["label"].to_numpy())
    guess, truth = model.predict(_known(test, heard)), test["label"].to_numpy()
    right = float(balanced_accuracy_score(truth, guess))
    rng = np.random.default_rng(0)
    shuffled = [balanced_accuracy_score(rng.permutation(truth), guess) for _ in range(_SHUFFLES)]
    p = (1 + sum(score >= right for score in shuffled)) / (1 + _SHUFFLES)
    chance = 1 / len(classes)
    told = p <= _P and right > chance + _GAIN
    share = dict(zip(METADATA, model.feature_importances_.round(2).tolist(), strict=True))
    first = max(share, key=lambda name: share[name])
    verb = "tell" if told else "do not tell"
    yield _finding(
        "metadata",
        WARNING if told else NOTE,
        int(told),
        f"{', '.join(METADATA).replace('_', ' ')} alone {verb} the label: balanced accuracy "
        f"{right:.2f} on the test part, {chance:.2f} by chance (p = {p:.3f})"
        + (f"; most by {first.replace('_', ' ')}" if told else ""),
        [{"balanced_accuracy": round(right, 4), "chance": chance, "p": p, "importance": share}],
    )


def _known(rows: pd.DataFrame, heard: dict[str, Heard]) -> np.ndarray:
    suffixes = sorted({Path(path).suffix for path in heard})
    values = [
        (h.rate, h.duration, h.channels, h.level, h.size / h.duration, suffixes.index(suffix))
        for h, suffix in ((heard[path], Path(path).suffix) for path in rows["path"])
    ]
    return np.array(values, dtype=float)


def _forest(x: np.ndarray, y: np.ndarray) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(
        n_estimators=100, min_samples_leaf=3, class_weight="balanced", random_state=0
    )
    return forest.fit(x, y)


def _interval(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Say how wide the interval of an accuracy of 90 % would be, were every unit independent."""
    from lib.statistics.bootstrap import exact_interval

    test = table[table["part"] == "test"]
    if test.empty:
        return
    grouped = bool((test["group"] != "").all())
    count = int(test["group" if grouped else "path"].nunique())
    unit = "groups" if grouped else "files"
    low, high = exact_interval(0.9 * count, count)
    least = test[test["label"] != ""].groupby("label")["path"].nunique().sort_values()
    text = (
        f"with {count} {unit} in the test part, an accuracy of 90 % has a 95 % interval of "
        f"{low:.0%} to {high:.0%} at best"
    )
    if len(least):
        text += f"; the smallest class has {least.iloc[0]} files ({least.index[0]})"
    case = {"unit": unit, "count": count, "accuracy": 0.9, "low": low, "high": high}
    yield _finding("interval", NOTE, count, text, [case])
