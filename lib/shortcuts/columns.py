"""Whether a linear model tells who or what recorded an example from its features."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lib.datasets.dataset import ABOUT
from lib.examples.context import context_of
from lib.metrics.groups import group_scores
from lib.metrics.registry import METRICS
from lib.metrics.sample import Sample, Weighted, make_sample
from lib.shortcuts.permuted import guessed, linear_scores, places
from lib.statistics.bootstrap import Interval, draw_weights, interval, mean_over_groups, resampled
from lib.train.baselines import described

# Of more values there are few recordings each.
MOST_VALUES = 12
# Numbers of more values are cut at their median.
MOST_NUMBERS = 4
# Of more groups a linear model would take minutes to tell one from another.
MOST_GROUPS = 50
# As many examples as a linear model needs: of each group about as many, evenly spread.
MOST_EXAMPLES = 2000
FOLDS = 5
# How often the labels are permuted for the linear model: a second's work.
PERMUTATIONS = 99
# Of a group's examples, one stretch is guessed from the others.
STRETCHES = 3

GROUP = "group"
FILES = ("format", "rate", "duration", "channels")


class _Column(NamedTuple):
    """What a column says of each example, empty where it says nothing, and what to mind."""

    values: pd.Series[str]
    note: str = ""


def shortcuts_of(
    x: np.ndarray,
    examples: pd.DataFrame,
    recordings: pd.DataFrame,
    split: pd.DataFrame,
    *,
    scored: Collection[str],
    seed: int,
    resamples: int,
) -> dict[str, Any]:
    """Say what a linear model tells from features beside the class, and the class by chance alone.

    Parameters
    ----------
    x : np.ndarray [shape=(examples, time, channels)]
        `examples.npy`.
    examples, recordings, split : pd.DataFrame
        `examples.parquet`, `recordings.csv`, and the primary split.
    scored : collection of str
        The classes that macro averages count.
    seed, resamples : int
        Of splits and permutations; of the bootstrap over groups.

    Returns
    -------
    dict
        `columns` of `shortcut_rows`, and `ridge` of `lib.shortcuts.permuted.linear_scores`.
    """
    told = described(x, context_of(examples))
    return {
        "columns": shortcut_rows(told, examples, recordings, seed=seed, resamples=resamples),
        "ridge": linear_scores(
            told, places(examples, split), scored=scored, permutations=PERMUTATIONS, seed=seed
        ),
    }


def shortcut_rows(
    told: np.ndarray, examples: pd.DataFrame, recordings: pd.DataFrame, *, seed: int, resamples: int
) -> list[dict[str, Any]]:
    """Predict group, site, device, file format and their like from the features of an example.

    What can be predicted, and goes with the class, can be learned in place of the class.

    Parameters
    ----------
    told : np.ndarray [shape=(examples, n)]
        What a linear model is told of each example, from `lib.train.baselines.described`.
    examples, recordings : pd.DataFrame
        `examples.parquet` and `recordings.csv`.
    seed, resamples : int
        Of the bootstrap over groups.

    Returns
    -------
    list of dict
        A row for the group and each column of `lib.datasets.dataset.ABOUT` and `FILES` that is
        there: `column`, `values` (how many), `groups`, `examples`, `score`, `low`, `high`,
        `interval_note`, `chance`, `association` and `note`. The score is a balanced accuracy: of
        groups that were not trained on, in up to `FOLDS` folds; of a group itself, of a stretch of
        its examples that was not trained on. The association is Cramér's V of column and class,
        from 0 to 1, over examples. None where `note` says why.
    """
    known = recordings.set_index("recording").reindex(examples["recording"])
    known["format"] = known["path"].astype(str).str.extract(r"(\.\w+)$")[0].str.lower()
    options = {"seed": seed, "resamples": resamples}
    rows = [_of_group(told, examples, **options)]
    for name in (*ABOUT, *FILES):
        if name in known:
            column = _values(known[name].reset_index(drop=True))
            rows.append({"column": name, **_of_column(told, examples, column, **options)})
    return rows


def _values(column: pd.Series[Any]) -> _Column:
    """Read a column as a few values: numbers that are many are cut at their median."""
    text = column.astype("string").fillna("").str.strip()
    stated = text != ""
    numbers = pd.to_numeric(text.where(stated), errors="coerce").astype(float)
    if not stated.any() or not np.isfinite(numbers[stated]).all():
        return _Column(text)
    if numbers.nunique() <= MOST_NUMBERS:
        return _Column(numbers.map("{:g}".format).where(stated, ""))
    middle = float(numbers.median())
    # Clips are often cut at a greatest length, which most of them have.
    most = middle == numbers.max()
    low = numbers < middle if most else numbers <= middle
    at = f"{round(middle, 2):g}"
    note = f"below {at}, or {at}" if most else f"up to {at}, or above"
    cut = pd.Series(np.where(low, "low", "high"), index=text.index)
    return _Column(cut.where(stated, ""), note)


def _of_column(
    told: np.ndarray, examples: pd.DataFrame, column: _Column, *, seed: int, resamples: int
) -> dict[str, Any]:
    """Predict a column for groups that were not trained on."""
    from sklearn.model_selection import StratifiedGroupKFold

    values, group = column.values.to_numpy(dtype=object), examples["group"].astype(str)
    stated = set(values) - {""}
    counts = group[values != ""].groupby(values[values != ""]).nunique()
    enough = set(counts.index[counts > 1])
    row: dict[str, Any] = {"values": len(stated), "groups": int(group[values != ""].nunique())}
    row |= {"chance": None, "association": None}
    row |= {"examples": int((values != "").sum())}
    for reason, applies in (
        ("nothing is stated of any recording", not stated),
        ("it is the same for all recordings", len(stated) == 1),
        (f"{len(stated)} different values: too many", len(stated) > MOST_VALUES),
        ("fewer than two values with two groups each", len(enough) < 2),
    ):
        if applies:
            return row | _nothing(reason)
    # A value that few examples of a group have is as much worth as one that all of them have.
    rows = _some(group + "\0" + values, np.isin(values, [*enough]))
    truth, here = values[rows], group.to_numpy()[rows]
    left = pd.Series(here).groupby(truth).nunique()
    folds = StratifiedGroupKFold(min(FOLDS, int(left.min())), shuffle=True, random_state=seed)
    guess = np.empty(len(rows), dtype=object)
    for train, test in folds.split(told[rows], truth, here):
        guess[test] = guessed(told, values, rows[train], rows[test])
    alone = sorted(stated - enough)
    notes = [column.note, f"left out, of one group each: {', '.join(alone)}" if alone else ""]
    sample = _sample(truth, guess, here)
    weights = draw_weights(sample.names, resamples=resamples, seed=seed)
    scores = METRICS["balanced_accuracy"].scores(Weighted(sample, weights))
    score = interval(resampled(scores, len(sample.names)), lacks="one of the values")
    return row | {
        **_ends(score),
        "groups": len(sample.names),
        "examples": len(rows),
        "chance": 1 / len(enough),
        "association": _association(truth, examples["label"].to_numpy()[rows]),
        "note": "; ".join(note for note in notes if note),
    }


def _of_group(
    told: np.ndarray, examples: pd.DataFrame, *, seed: int, resamples: int
) -> dict[str, Any]:
    """Predict whom an example is from, by other examples of the same group."""
    group = examples["group"].astype(str)
    row: dict[str, Any] = {"column": GROUP, "values": group.nunique(), "groups": group.nunique()}
    row |= {"chance": None, "association": None, "examples": len(group)}
    stretch = _stretches(examples)
    usable = sorted(set(group[stretch == STRETCHES - 1]))
    if len(usable) < 2:
        return row | _nothing(f"fewer than two groups have {STRETCHES} examples")
    rng = np.random.default_rng(seed)
    drawn = set(rng.permutation(usable)[:MOST_GROUPS])
    rows = _some(group, group.isin(drawn).to_numpy())
    truth, guess = group.to_numpy(dtype=object), np.empty(len(rows), dtype=object)
    for one in range(STRETCHES):
        test = stretch[rows] == one
        guess[test] = guessed(told, truth, rows[~test], rows[test])
    sample = _sample(truth[rows], guess, truth[rows])
    weights = draw_weights(sample.names, resamples=resamples, seed=seed)
    score = interval(mean_over_groups(group_scores(sample)["accuracy"], weights))
    less = f"{len(drawn)} of {row['groups']} groups" if len(drawn) < row["groups"] else ""
    return row | {
        **_ends(score),
        "groups": len(drawn),
        "examples": len(rows),
        "chance": 1 / len(drawn),
        "note": less,
    }


def _stretches(examples: pd.DataFrame) -> np.ndarray:
    """Cut the examples of each group into consecutive stretches: whole recordings, if it can be.

    Windows that lie side by side in one recording are almost the same: at random, one would be
    guessed from the other.
    """
    order = examples.sort_values(["group", "recording", "start"], kind="stable")
    by_group = order.groupby("group", sort=False)
    recording = by_group["recording"].transform(lambda names: pd.factorize(names)[0])
    several = recording.groupby(order["group"]).transform("max") >= STRETCHES - 1
    unit = recording.where(several, by_group.cumcount())
    count = unit.groupby(order["group"]).transform("max") + 1
    stretch = (unit * STRETCHES // count).where(count >= STRETCHES, -1)
    return stretch.reindex(examples.index).to_numpy()


def _some(among: pd.Series[str], usable: np.ndarray) -> np.ndarray:
    """Choose rows, of each of those that they are among about as many, evenly spread."""

    def spread(rows: np.ndarray) -> Iterator[int]:
        yield from rows[np.unique(np.linspace(0, len(rows) - 1, most).astype(int))]

    rows, names = pd.Series(np.flatnonzero(usable)), among.to_numpy()[usable]
    most = max(STRETCHES, MOST_EXAMPLES // len(set(names)))
    chosen = [one for _, of in rows.groupby(names) for one in spread(of.to_numpy())]
    return np.sort(np.array(chosen, dtype=int))


def _sample(truth: np.ndarray, guess: np.ndarray, group: np.ndarray) -> Sample:
    names = sorted(set(truth))
    sure = (np.asarray(guess)[:, None] == np.array(names, dtype=object)).astype(float)
    return make_sample(truth, sure, classes=names, group=group)


def _association(a: np.ndarray, b: np.ndarray) -> float:
    """Compute Cramér's V of two columns; 0 where one of them has one value."""
    from scipy.stats.contingency import association

    table = pd.crosstab(a, b)
    return float(association(table.to_numpy(), method="cramer")) if min(table.shape) > 1 else 0.0


def _ends(score: Interval) -> dict[str, Any]:
    low, high = (one if np.isfinite(one) else None for one in (score.low, score.high))
    return {"score": score.estimate, "low": low, "high": high, "interval_note": score.note}


def _nothing(reason: str) -> dict[str, Any]:
    return {"score": None, "low": None, "high": None, "interval_note": "", "note": reason}
