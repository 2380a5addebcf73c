"""The tables that say how good each model is: leaderboard, classes, confusion, calibration."""

from __future__ import annotations

from typing import Any

import numpy as np

from lib.compare.board import OF_SCORED, Board, Entry, joined, keys, missing_classes
from lib.metrics.aami import ROWS, aami_scores, is_aami
from lib.metrics.calibration import calibration, calibration_hits
from lib.statistics import sums
from lib.statistics.bootstrap import Interval, Resampled, exact_share, interval, weigh

OF_CLASS = {
    "sensitivity": sums.sensitivity_scores,
    "ppv": sums.ppv_scores,
    "f1": sums.f1_scores,
}

# What of the AAMI's table is a share, and has an interval.
AAMI_SHARES = ("sensitivity", "ppv", "false_positive_rate", "accuracy", "j_kappa")


def leaderboard_rows(board: Board) -> list[dict[str, Any]]:
    """Give a row per protocol, architecture, unit (example or recording) and metric."""
    rows = []
    for (_, _, unit), entry in board.items():
        missing = missing_classes(entry.sample)
        for metric, found in entry.intervals.items():
            rows.append(
                {
                    **keys(entry.pool),
                    "unit": unit,
                    "metric": metric,
                    "estimate": found.estimate,
                    "low": found.low,
                    "high": found.high,
                    "interval_note": joined([found.note, missing if metric in OF_SCORED else ""]),
                    "groups": found.groups,
                    "examples": len(entry.sample.truth),
                    "seeds": len(entry.sample.probability),
                    "folds": entry.pool.folds,
                }
            )
    return rows


def per_class_rows(board: Board) -> list[dict[str, Any]]:
    """Give a row per protocol, architecture, unit and class: means over seeds, with intervals."""
    rows = []
    for (_, _, unit), entry in board.items():
        classes, matrices = entry.pool.classes, entry.sample.matrices
        drawn, whole = weigh(matrices, entry.weights), matrices.sum(1)
        groups = matrices.shape[1]
        # Means over seeds: of all groups by class, and of every resample by class.
        found = {
            name: (score(whole).mean(0), score(drawn).mean(1)) for name, score in OF_CLASS.items()
        }
        for k, label in enumerate(classes):
            support = float(matrices[0, :, k].sum())
            unseen = int((matrices[..., k].sum((1, 2)) == 0).sum())
            note = ""
            if not support:
                note = "no examples in the test part"
            elif unseen:
                some = "" if unseen == len(matrices) else f" by {unseen} of {len(matrices)} seeds"
                note = f"never predicted{some}"
            row = {
                **keys(entry.pool),
                "unit": unit,
                "label": label,
                "scored": label in entry.pool.scored,
                "support": support,
                "note": note,
            }
            notes = []
            for name, (estimates, draws) in found.items():
                one = interval(
                    Resampled(float(estimates[k]), draws[:, k], groups),
                    lacks="a prediction of the class" if name == "ppv" else "the class",
                )
                one = _exact(entry, name, k, one.estimate) or one
                row |= {name: one.estimate, f"{name}_low": one.low, f"{name}_high": one.high}
                # Where the number itself is missing, `note` has said why.
                notes.append("" if np.isnan(one.estimate) else one.note)
            rows.append({**row, "interval_note": joined(notes)})
    return rows


def _exact(entry: Entry, name: str, k: int, estimate: float) -> Interval | None:
    """Give the exact interval of a share of independent examples, where it is one."""
    if name == "f1":
        return None
    matrices = entry.sample.matrices
    of = matrices[..., k, :] if name == "sensitivity" else matrices[..., :, k]
    return exact_share(
        matrices[..., k, k], of.sum(-1), examples=matrices.sum((2, 3)), estimate=estimate
    )


def confusion_rows(board: Board) -> list[dict[str, Any]]:
    """Give a row per protocol, architecture, label and predicted class: mean count and share."""
    rows = []
    for (_, _, unit), entry in board.items():
        if unit != "example":
            continue
        # Folds added up, the mean over seeds.
        matrix = entry.sample.matrices.sum(1).mean(0)
        support = matrix.sum(1)
        for i, label in enumerate(entry.pool.classes):
            for j, predicted in enumerate(entry.pool.classes):
                rows.append(
                    {
                        **keys(entry.pool),
                        "label": label,
                        "predicted": predicted,
                        "count": matrix[i, j],
                        "share": matrix[i, j] / support[i] if support[i] else np.nan,
                    }
                )
    return rows


def aami_rows(board: Board) -> list[dict[str, Any]]:
    """Give the table of the AAMI for every pool whose scored classes are the AAMI's.

    Counts and shares are means over seeds, as on the leaderboard; shares have intervals.
    """
    rows = []
    for (_, _, unit), entry in board.items():
        pool, matrices = entry.pool, entry.sample.matrices
        if unit != "example" or not is_aami(pool.scored):
            continue
        whole = aami_scores(matrices.sum(1), classes=pool.classes)
        drawn = aami_scores(weigh(matrices, entry.weights), classes=pool.classes)
        for n, label in enumerate(ROWS):
            row = {**keys(pool), "label": label}
            notes = []
            for name, values in whole.items():
                row[name] = float(values[:, n].mean())
                if name in AAMI_SHARES:
                    draws = drawn[name][..., n].mean(1)
                    one = interval(Resampled(row[name], draws, matrices.shape[1]))
                    row |= {f"{name}_low": one.low, f"{name}_high": one.high}
                    # A share that is not defined shows that itself.
                    notes.append("" if np.isnan(one.estimate) else one.note)
            rows.append({**row, "interval_note": joined(notes)})
    return rows


def calibration_rows(board: Board) -> list[dict[str, Any]]:
    """Give a row per protocol, architecture and bin of confidence, the seeds pooled."""
    rows = []
    for (_, _, unit), entry in board.items():
        if unit != "example":
            continue
        view = entry.sample
        seeds, groups = len(view.probability), len(view.names)
        truth = np.tile(view.truth, seeds)
        table = calibration(truth, np.concatenate(view.probability))
        # As in the confusion matrix, counts are means over seeds.
        table["count"] /= seeds
        hits = calibration_hits(truth, np.concatenate(view.probability))
        counted = sums.group_sums(hits, np.tile(view.group, seeds), groups=groups)
        drawn = weigh(counted[None], entry.weights)[:, 0]
        for row in table.to_dict("records"):
            right, held = drawn[:, 2 * int(row["bin"])], drawn[:, 2 * int(row["bin"]) + 1]
            with np.errstate(divide="ignore", invalid="ignore"):
                share = Resampled(row["accuracy"], right / held, groups)
            one = interval(share, lacks="an example in the bin")
            found = {"accuracy_low": one.low, "accuracy_high": one.high}
            note = "" if np.isnan(one.estimate) else one.note
            rows.append(
                {
                    **keys(entry.pool),
                    **{str(name): value for name, value in row.items()},
                    **found,
                    "interval_note": note,
                }
            )
    return rows
