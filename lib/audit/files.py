"""Whether the split of any project can be believed, from its files alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.audit.listening import MISSING, Heard, listen, same_recordings
from lib.audit.sides import called, in_folders, noun, ordered, rounds, sides_of, tested
from lib.features.copies import Copy
from lib.typed import name_key

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
    findings = [*_names(table), *_alike(table), *_missing_classes(table, labels)]
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
    leaks = [finding for finding in findings if finding["level"] == LEAK]
    return {
        "leaks": bool(leaks),
        "files": int(table["path"].nunique()),
        "heard": len(readable),
        "parts": _parts(table, labels, [case for finding in leaks for case in finding["cases"]]),
        "findings": [{**finding, "cases": finding["cases"][:CASES]} for finding in findings],
    }


def _finding(
    kind: str, level: str, count: int, text: str, cases: list[Any] | None = None
) -> dict[str, Any]:
    return {
        "kind": kind,
        "level": level,
        "count": int(count),
        "text": text,
        "cases": cases or [],
    }


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


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


def _names(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Compare names alone: groups, files and windows in two parts."""
    side = noun(table)
    known = table[table["group"] != ""]
    among = known.groupby("group")["part"].agg(ordered)
    among = among[among.map(len) > 1]
    if len(among):
        cases = [{"group": str(group), "parts": parts} for group, parts in among.items()]
        files = int(known[known["group"].isin(among.index)]["path"].nunique())
        yield _finding(
            "groups_on_two_sides",
            LEAK,
            len(among),
            f"{len(among)} of {_counted(known['group'].nunique(), 'group')} appear in two {side}s, "
            f"with {_counted(files, 'file')}",
            cases,
        )
    if len(known) < len(table):
        yield _finding(
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
        yield _finding(
            "files_on_two_sides",
            LEAK,
            len(among),
            f"{_counted(len(among), 'file')} in two {side}s",
            cases,
        )
    windows = table.dropna(subset=["start", "end"])
    if len(windows):
        lapped = _overlapping(windows)
        if lapped.any():
            paths = windows[lapped].groupby("path")["part"].agg(ordered)
            yield _finding(
                "overlapping_windows",
                LEAK,
                int(lapped.sum()),
                f"{_counted(int(lapped.sum()), 'window')} of {_counted(len(paths), 'file')} with "
                f"an overlap in time with one of another {side}",
                [{"path": str(path), "parts": parts} for path, parts in paths.items()],
            )


def _alike(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Warn of labels and of groups that are probably one."""
    for column in ("label", "group"):
        names = pd.Series(sorted(set(table[column])), dtype=object)
        alike = [list(some) for _, some in names.groupby(names.map(name_key)) if len(some) > 1]
        if alike:
            text = "; ".join(" and ".join(some) for some in alike[:5])
            yield _finding(
                f"{column}s_alike",
                WARNING,
                len(alike),
                f"{column}s that differ in capitals, or in how a number is written, alone count as "
                f"different: {text}",
                [{f"{column}s": some} for some in alike],
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
    if len(sides_of(table)) == 1:
        yield _finding("missing_part", WARNING, 1, "there is one fold alone: nothing is compared")
    for part in sides_of(table):
        here = table[table["part"] == part]
        if len(here):
            there = set(here["label"])
            gone += [{"part": part, "class": label} for label in labels if label not in there]
        elif part != "validation":
            yield _finding("missing_part", WARNING, 1, f"there is no {part} part")
    if gone:
        text = "; ".join(f"no {case['class']} in {called(case['part'])}" for case in gone[:8])
        yield _finding("missing_classes", WARNING, len(gone), text, gone)


def _unreadable(heard: list[Heard]) -> Iterator[dict[str, Any]]:
    missing = [item.path for item in heard if item.fault == MISSING]
    broken = [item for item in heard if item.fault not in ("", MISSING)]
    if missing:
        elsewhere = [path for path in missing if re.match(r"([A-Za-z]:)?/", path)]
        yield _finding(
            "files_missing",
            WARNING,
            len(missing),
            f"{len(missing)} of {_counted(len(heard), 'file')} not there: nothing can be said of "
            "their audio"
            + ("; write paths from the folder of --audio-root on" if elsewhere else ""),
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
        yield _finding(
            "same_audio",
            LEAK,
            len(across),
            f"the same audio in {_counted(len(across), 'pair')} of files of two {side}s, "
            f"{exact_ones} of them sample for sample",
            across,
        )
    if within:
        yield _finding(
            "same_audio_within",
            NOTE,
            len(within),
            f"the same audio in {_counted(len(within), 'pair')} of files of one {side}",
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
    truths, guesses, shares = [], [], []
    for train, test in rounds(rows.drop_duplicates(["path", "part"])):
        test = test[test["label"].isin(set(train["label"]))]
        if len(test) and train["label"].nunique() > 1:
            model = _forest(_known(train, heard), train["label"].to_numpy())
            truths.append(test["label"].to_numpy())
            guesses.append(model.predict(_known(test, heard)))
            shares.append(model.feature_importances_)
    classes = sorted(set(np.concatenate([[], *truths])))
    if len(classes) < 2:
        return
    truth, guess = np.concatenate(truths), np.concatenate(guesses)
    right = float(balanced_accuracy_score(truth, guess))
    rng = np.random.default_rng(0)
    shuffled = [balanced_accuracy_score(rng.permutation(truth), guess) for _ in range(_SHUFFLES)]
    p = (1 + sum(score >= right for score in shuffled)) / (1 + _SHUFFLES)
    chance = 1 / len(classes)
    told = p <= _P and right > chance + _GAIN
    share = dict(zip(METADATA, np.mean(shares, axis=0).round(2).tolist(), strict=True))
    first = max(share, key=lambda name: share[name])
    verb = "tell" if told else "do not tell"
    yield _finding(
        "metadata",
        WARNING if told else NOTE,
        int(told),
        f"{', '.join(METADATA).replace('_', ' ')} alone {verb} the label: balanced accuracy "
        f"{right:.2f} on {tested(table)}, {chance:.2f} by chance (p = {p:.3f})"
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
    yield _finding("interval", NOTE, count, text, [case])
