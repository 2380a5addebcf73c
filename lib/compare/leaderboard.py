"""The tables that say how good each model is: leaderboard, classes, confusion, calibration."""

from __future__ import annotations

from typing import Any

import numpy as np

from lib.compare.board import Board, Entry, ends, joined, keys, of_examples
from lib.metrics import confusion
from lib.metrics.aami import ROWS, aami_scores, is_aami
from lib.metrics.calibration import BINS
from lib.metrics.groups import class_counts
from lib.metrics.learning import counted
from lib.metrics.registry import METRICS
from lib.metrics.sample import weigh
from lib.statistics.bootstrap import Interval, exact_share, interval, resampled

OF_CLASS = {"sensitivity": confusion.sensitivity, "ppv": confusion.ppv, "f1": confusion.f1}

# What of the AAMI's table is a share, and has an interval.
AAMI_SHARES = ("sensitivity", "ppv", "false_positive_rate", "accuracy", "j_kappa")


def leaderboard_rows(board: Board) -> list[dict[str, Any]]:
    """Make a row per protocol, architecture, unit (example or recording) and metric."""
    rows = []
    for (_, _, unit), entry in board.items():
        sample = entry.sample
        for metric, one in entry.intervals.items():
            note = joined([one.note, sample.lacking if METRICS[metric].macro else ""])
            rows.append(
                {
                    **keys(entry.pool),
                    "unit": unit,
                    "metric": metric,
                    **ends("estimate", one, prefix=""),
                    "interval_note": note,
                    **(ends("ensemble", entry.ensemble[metric]) if entry.ensemble else {}),
                    "groups": one.groups,
                    "examples": len(sample.truth),
                    "seeds": len(sample.probability),
                    "folds": entry.pool.folds,
                    "ending": counted(entry.pool.endings),
                }
            )
    return rows


def per_class_rows(board: Board) -> list[dict[str, Any]]:
    """Make a row per protocol, architecture, unit and class: means over seeds, with intervals."""
    rows = []
    for (_, _, unit), entry in board.items():
        matrices = entry.sample.matrices
        seeds, groups = matrices.shape[:2]
        scores = {name: function(entry.drawn.matrices) for name, function in OF_CLASS.items()}
        counts = class_counts(entry.sample)
        for k, label in enumerate(entry.pool.classes):
            support = float(matrices[0, :, k].sum())
            unseen = int((matrices[..., k].sum((1, 2)) == 0).sum())
            note = ""
            if not support:
                note = "no examples in the test part"
            elif unseen:
                note = "never predicted" + (f" by {unseen} of {seeds} seeds" * (unseen < seeds))
            row = {
                **keys(entry.pool),
                "unit": unit,
                "label": label,
                "scored": label in entry.pool.scored,
                "support": support,
                "note": note,
            }
            if support:
                largest = int(counts[:, k].argmax())
                row["largest_group"] = entry.sample.names[largest]
                row["largest_share"] = counts[largest, k] / support
            notes = []
            for name, values in scores.items():
                lacks = "a prediction of the class" if name == "ppv" else "the class"
                one = interval(resampled(values[..., k], groups), lacks=lacks)
                one = _exact(entry, name, k, one.estimate) or one
                row |= ends(name, one)
                notes.append(_said(one))
            rows.append({**row, "interval_note": joined(notes)})
    return rows


def _said(one: Interval) -> str:
    """Repeat the note of an interval; where the number is missing, its own column shows that."""
    return "" if np.isnan(one.estimate) else one.note


def _exact(entry: Entry, name: str, k: int, estimate: float) -> Interval | None:
    """Compute the exact interval of a share of independent examples, where it is one."""
    if name == "f1":
        return None
    matrices = entry.sample.matrices
    of = matrices[..., k, :] if name == "sensitivity" else matrices[..., :, k]
    return exact_share(
        matrices[..., k, k], of.sum(-1), examples=matrices.sum((2, 3)), estimate=estimate
    )


def confusion_rows(board: Board) -> list[dict[str, Any]]:
    """Make a row per protocol, architecture, label and predicted class: mean count and share."""
    rows = []
    for entry in of_examples(board):
        # Folds added up, the mean over seeds.
        matrix = entry.sample.matrices.sum(1).mean(0)
        shares = confusion.ratio(matrix, matrix.sum(1, keepdims=True))
        for i, label in enumerate(entry.pool.classes):
            rows += [
                {
                    **keys(entry.pool),
                    "label": label,
                    "predicted": predicted,
                    "count": matrix[i, j],
                    "share": shares[i, j],
                }
                for j, predicted in enumerate(entry.pool.classes)
            ]
    return rows


def aami_rows(board: Board) -> list[dict[str, Any]]:
    """Make the table of the AAMI for every pool whose scored classes are the AAMI's.

    Counts and shares are means over seeds, as on the leaderboard; shares have intervals.
    """
    rows = []
    for entry in of_examples(board):
        pool = entry.pool
        if not is_aami(pool.scored):
            continue
        scores = aami_scores(entry.drawn.matrices, classes=pool.classes)
        for n, label in enumerate(ROWS):
            row = {**keys(pool), "label": label}
            notes = []
            for name, values in scores.items():
                value = resampled(values[..., n], len(entry.sample.names))
                row[name] = value.estimate
                if name in AAMI_SHARES:
                    one = interval(value)
                    row |= ends(name, one)
                    notes.append(_said(one))
            rows.append({**row, "interval_note": joined(notes)})
    return rows


def calibration_rows(board: Board) -> list[dict[str, Any]]:
    """Make a row per protocol, architecture and bin of confidence, the seeds pooled."""
    rows = []
    for entry in of_examples(board):
        bins = entry.sample.bins
        # Of every resample and bin; first of all groups.
        right, confident, count = np.moveaxis(weigh(bins, entry.drawn.weights).sum(1), -1, 0)
        accuracy, confidence = confusion.ratio(right, count), confusion.ratio(confident, count)
        for b in range(BINS):
            one = interval(
                resampled(accuracy[:, None, b], len(entry.sample.names)),
                lacks="an example in the bin",
            )
            rows.append(
                {
                    **keys(entry.pool),
                    "bin": b,
                    "bin_low": b / BINS,
                    "bin_high": (b + 1) / BINS,
                    "confidence": confidence[0, b],
                    **ends("accuracy", one),
                    # As in the confusion matrix, counts are means over seeds.
                    "count": count[0, b] / len(bins),
                    "interval_note": _said(one),
                }
            )
    return rows
