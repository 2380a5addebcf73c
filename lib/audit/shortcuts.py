"""Whether the label of a file can be had without its signal, and from what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lib.audit.findings import NOTE, WARNING, finding
from lib.audit.listening import Heard
from lib.audit.sides import rounds, tested
from lib.audit.tables import SITES, side_of
from lib.statistics.permutation import deal_labels, ways_to_deal

# Of clean splits one in a thousand may be warned of, over all that is tried; and what is little
# above chance is not worth a warning, however certain.
_P = 0.001
_GAIN = 0.1
# Shuffles behind each p value, for each that is computed, so that one can be small beside all of
# them; less where so many were as good that it cannot be small any more (Besag and Clifford 1991).
_SHUFFLES = 2000
_ENOUGH = 20
# A column with so many different words has one of its own for each, and their order beyond.
_CHOICES = 30
# Of a name, the first so many words and numbers are looked at.
_WORDS = 8
# A number below this that each class has its own of is a code of the class, and no serial number.
_CODE = 1000


class Told(NamedTuple):
    """How well labels are predicted: `importance` is the share of each column in it."""

    balanced_accuracy: float
    chance: float
    p: float
    importance: dict[str, float]


def shortcuts(table: pd.DataFrame, heard: Mapping[str, Heard]) -> Iterator[dict[str, Any]]:
    """Predict the label of the test files from what is known without listening.

    A forest learns it on the train files: from what their headers and levels say, from their
    names, and from each column that names a site or a device. Its score is compared with those of
    labels shuffled between groups, since all recordings of one patient are alike in all of this.

    Parameters
    ----------
    table : pd.DataFrame
        As `lib.audit.tables.read_split` gives it.
    heard : mapping of str to Heard
        The files that can be read, by path.

    Yields
    ------
    dict
        Findings of `lib.audit.findings`: `metadata`, a note where nothing is told; and, where
        something is, `file_names` and `sites`. None is a leak: what the level tells may be a fault
        of the collection, and may be what a class sounds like. Nothing is said of a few files.
    """
    rows = table[table["label"] != ""].drop_duplicates(["path", "part"], ignore_index=True)
    known = {"metadata": _metadata(heard), "file_names": _words(rows)}
    sites = [name for name in SITES if name in rows and rows[name].nunique() > 1]
    for name in sites:
        known[name] = _numbered(rows.drop_duplicates("path").set_index("path")[[name]])
    most = _SHUFFLES * len(known)
    telling = {
        name: told
        for name, x in known.items()
        if (told := _told(rows, x, shuffles=most)) is not None
    }
    for name, told in telling.items():
        p = min(1.0, told.p * len(telling))
        score = (
            f"balanced accuracy {told.balanced_accuracy:.2f} on {tested(table)}, "
            f"{told.chance:.2f} by chance (p = {p:.4f})"
        )
        tells = p <= _P and told.balanced_accuracy > told.chance + _GAIN
        first = max(told.importance, key=lambda column: told.importance[column]).replace("_", " ")
        case = {**told._asdict(), "p": p}
        if name == "metadata":
            listed = ", ".join(told.importance).replace("_", " ")
            verb = "tell" if tells else "were not shown to tell"
            text = f"{listed} alone {verb} the label: {score}"
            text += f"; most by {first}" if tells else ""
            yield finding(name, WARNING if tells else NOTE, text, [case], count=int(tells))
        elif tells and name == "file_names":
            text = (
                f"the names of the files alone tell the label: {score}; most by {first}. Unless "
                "the class itself is written there, the classes were recorded apart"
            )
            yield finding(name, WARNING, text, [case])
        elif tells:
            text = (
                f"the column {name} alone tells the label: {score}. A network can learn to "
                f"recognise the {name} instead"
            )
            classes = rows.groupby(name)["label"].agg(lambda labels: sorted(set(labels)))
            cases = [{name: site, "labels": labels} for site, labels in classes.items()]
            yield finding("sites", WARNING, text, cases)


def _metadata(heard: Mapping[str, Heard]) -> pd.DataFrame:
    """List what a file is like without its signal being looked at, by path."""
    suffixes = sorted({PurePosixPath(path).suffix for path in heard})
    values = {
        path: {
            "rate": h.rate,
            "duration": h.duration,
            "channels": h.channels,
            "level": h.level,
            "bytes_per_second": h.size / h.duration,
            "format": suffixes.index(PurePosixPath(path).suffix),
            "quiet_start": h.quiet,
            "cutoff": h.cutoff,
        }
        for path, h in heard.items()
    }
    return pd.DataFrame.from_dict(values, orient="index", dtype=float)


def _words(rows: pd.DataFrame) -> pd.DataFrame:
    """List the words and numbers in each path, less what names a part or a class, by path.

    A word that begins a label (`n` of `normal`) names a class, too.
    """
    labels = [label.casefold() for label in set(rows["label"])]
    spoken = {word for label in labels for word in re.findall(r"[^\W\d_]+|\d+", label)}
    split = {}
    for path in rows["path"].unique():
        folders = list(PurePosixPath(path).with_suffix("").parts)
        text = "/".join(folders[1:] if len(folders) > 1 and side_of(folders[0]) else folders)
        split[path] = [
            "" if word in spoken or any(label.startswith(word) for label in labels) else word
            for word in re.findall(r"[^\W\d_]+|\d+", text.casefold())
        ]
    words = pd.DataFrame(
        [[len(some), *(some + [""] * _WORDS)[:_WORDS]] for some in split.values()],
        index=list(split),
        columns=["words", *(f"place_{place}" for place in range(1, _WORDS + 1))],
    )
    label = rows.drop_duplicates("path").set_index("path")["label"]
    for name in words.columns[1:]:
        numbers = pd.to_numeric(words[name], errors="coerce")
        if numbers.notna().all() and numbers.max() < _CODE:
            own = numbers.groupby(label).nunique().max() == 1
            words[name] = 0 if own and numbers.nunique() == label.nunique() else numbers
    return _numbered(words)


def _numbered(x: pd.DataFrame) -> pd.DataFrame:
    """Turn columns of text into numbers: those that they are, or else which word, or its order."""
    numbers = x.apply(pd.to_numeric, errors="coerce").astype(float)
    for name in numbers.columns[numbers.isna().any()]:
        if x[name].nunique() > _CHOICES:
            numbers[name] = pd.factorize(x[name], sort=True)[0]
        else:
            words = pd.get_dummies(x[name], prefix=name, dtype=float)
            numbers = numbers.drop(columns=name).join(words)
    return numbers


def _told(rows: pd.DataFrame, x: pd.DataFrame, *, shuffles: int) -> Told | None:
    """Predict the labels of what is tested on; None where they are too few to say anything."""
    rows = rows[rows["path"].isin(x.index)]
    tested_on = pd.concat([test for _, test in rounds(rows)])
    if ways_to_deal(pd.factorize(tested_on["label"])[0], _groups(tested_on)) < 1 / _P:
        return None
    parts, guesses, shares = [], [], []
    for train, test in rounds(rows):
        test = test[test["label"].isin(set(train["label"]))]
        if len(test) and train["label"].nunique() > 1:
            model = _forest(x.loc[train["path"]].to_numpy(), train["label"].to_numpy())
            parts.append(test)
            guesses.append(model.predict(x.loc[test["path"]].to_numpy()))
            shares.append(model.feature_importances_)
    if not parts:
        return None
    tests = pd.concat(parts, ignore_index=True)
    truth, classes = pd.factorize(tests["label"], sort=True)
    if len(classes) < 2:
        return None
    guess = pd.Index(classes).get_indexer(pd.Index(np.concatenate(guesses)))
    group = _groups(tests)
    right = _balanced_accuracy(truth, guess)
    rng = np.random.default_rng(0)
    better = done = 0
    while done < shuffles and better < _ENOUGH:
        better += _balanced_accuracy(deal_labels(truth, group, rng)[0], guess) >= right
        done += 1
    p = (1 + better) / (1 + done)
    share = dict(zip(x.columns, np.mean(shares, axis=0).round(2).tolist(), strict=True))
    return Told(round(right, 4), 1 / len(classes), p, share)


def _groups(rows: pd.DataFrame) -> np.ndarray:
    """Return the number of each row's group; a file of which none is known is its own."""
    return pd.factorize(rows["group"].where(rows["group"] != "", rows["path"]))[0]


def _balanced_accuracy(truth: np.ndarray, guess: np.ndarray) -> float:
    right = np.bincount(truth[truth == guess], minlength=truth.max() + 1)
    there = np.bincount(truth)
    return float(np.mean(right[there > 0] / there[there > 0]))


def _forest(x: np.ndarray, y: np.ndarray) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(
        n_estimators=50, min_samples_leaf=3, class_weight="balanced", random_state=0
    )
    return forest.fit(x, y)
