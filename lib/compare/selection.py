"""The tables of choices: whether validation predicts test, and what a choice on test would say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lib.compare.board import Board, Entry, ends, joined, keys
from lib.metrics.registry import MAIN, METRICS
from lib.metrics.sample import Weighted
from lib.splits.registry import KINDS
from lib.statistics.bootstrap import (
    FEW_GROUPS,
    Resampled,
    difference,
    draw_weights_of_two,
    resampled,
)
from lib.statistics.selection import rank_correlation, select_best

# What a choice among runs by the test part is called: it is never honest.
TEST_SELECTED = "test_selected"

# The correction would need what other groups would have chosen, epoch by epoch.
UNCORRECTED = "not corrected for the choice of the epoch"


def validation_rows(
    study: Mapping[str, Any], board: Board, *, seed: int, resamples: int
) -> list[dict[str, Any]]:
    """Make a row a protocol: how well runs rank on validation as they do on test.

    A run is a network trained with one seed, its folds pooled. Trials of a search have no test
    score, since nothing but the final runs meets the test part where it does not choose.
    """
    rows = []
    for protocol in study["protocols"]:
        entries = _networks(study, board, protocol)
        first = entries[0]
        held, tested = first.pool.validation.names, first.sample.names
        weights = draw_weights_of_two(held, tested, resamples=resamples, seed=seed)
        validation, test = (
            np.concatenate(
                [METRICS[MAIN].scores(Weighted(sample, drawn)) for sample in samples], axis=1
            )
            for samples, drawn in zip(
                (
                    [entry.pool.validation for entry in entries],
                    [entry.sample for entry in entries],
                ),
                weights,
                strict=True,
            )
        )
        ranks = rank_correlation(validation[0], test[0])
        row = {
            **keys(first.pool),
            "runs": validation.shape[1],
            **ends("rank_correlation", ranks, prefix=""),
            "interval_note": ranks.note,
            "validation_groups": len(held),
            "test_groups": len(tested),
            "note": _few(len(held)),
        }
        if np.isfinite(validation[0]).any():
            best = int(np.nanargmax(validation[0]))
            gap = difference(
                resampled(validation[:, [best]], len(held)), resampled(test[:, [best]], len(tested))
            )
            row |= {
                "architecture": _runs(entries)[best][0],
                "seed": _runs(entries)[best][1],
                "validation": float(validation[0, best]),
                "test": float(test[0, best]),
                **ends("gap", gap),
                "gap_note": gap.note,
            }
        else:
            row |= {"architecture": "", "gap_note": "the validation part has no macro-F1"}
        rows.append(row)
    return rows


def _few(groups: int) -> str:
    if groups >= FEW_GROUPS:
        return ""
    held = "1 group" if groups == 1 else f"{groups} groups"
    return f"validation has {held}: what is best on so few may be so by chance"


def selection_rows(
    study: Mapping[str, Any], board: Board, tables: Mapping[str, list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Make a row for each thing that the test part may choose, under the honest split.

    That is the seed of the network that validation chose, or the network and the seed. Where a
    protocol has the test part choose the epoch, and perhaps hyperparameters, it is also these of
    the network that validation chose, and all of them together. No score of them is honest.
    """
    name = tables["answers"][0]["architecture"]
    honest = board[study["primary"], name, "example"]
    row = {
        "study": study["study"],
        "simulated": study["simulated"],
        "protocol": TEST_SELECTED,
        "honest": False,
        **ends("honest_estimate", honest.intervals[MAIN], prefix="honest_"),
    }
    every = _networks(study, board, study["primary"])
    rows = [
        row | {"chosen": "seed", **_best_run([honest], honest, corrects=True)},
        row | {"chosen": "network and seed", **_best_run(every, honest, corrects=True)},
    ]
    for protocol, rule in study["protocols"].items():
        if not KINDS[rule["kind"]].chooses_by_test:
            continue
        trials = sum(trial["architecture"] == name for trial in tables["trials"])
        searched = rule["hyperparameters"] and trials > 1
        what = "epoch, hyperparameters" if searched else "epoch"
        same = board[protocol, name, "example"]
        gap = difference(same.scores[MAIN], honest.scores[MAIN])
        rows += [
            row
            | {
                "protocol": protocol,
                "chosen": what.replace(", ", " and "),
                "architecture": name,
                "reported": same.scores[MAIN].estimate,
                **ends("difference", gap, prefix=""),
                "note": joined([gap.note, UNCORRECTED]),
            },
            row
            | {
                "protocol": protocol,
                "chosen": f"{what}, network and seed",
                **_best_run(_networks(study, board, protocol), honest, corrects=False),
            },
        ]
    return rows


def _best_run(entries: list[Entry], honest: Entry, *, corrects: bool) -> dict[str, Any]:
    """Choose the run with the best score on the test part, and set it against the honest score."""
    runs = _runs(entries)
    row: dict[str, Any] = {"choices": len(runs), "architecture": ""}
    inside = np.concatenate([METRICS[MAIN].scores(entry.drawn) for entry in entries], axis=1)
    if len(runs) < 2 or not np.isfinite(inside[0]).any():
        alone = "one run: there is nothing to choose" if len(runs) < 2 else ""
        return row | {"note": alone or honest.intervals[MAIN].note}
    outside = None
    if corrects:
        absent = (honest.drawn.weights[1:] == 0).astype(float)
        outside = np.concatenate(
            [METRICS[MAIN].scores(Weighted(entry.sample, absent)) for entry in entries], axis=1
        )
    groups = len(honest.sample.names)
    best = select_best(inside, outside, groups)
    selected = Resampled(best.reported, inside[1:, best.run], groups)
    gap = difference(selected, honest.scores[MAIN])
    row |= {
        "architecture": runs[best.run][0],
        "seed": runs[best.run][1],
        "reported": best.reported,
        **ends("difference", gap, prefix=""),
    }
    if best.corrected is None:
        return row | {"note": joined([gap.note, UNCORRECTED])}
    note = joined([gap.note, best.corrected.note])
    return row | ends("corrected", best.corrected) | {"note": note}


def _networks(study: Mapping[str, Any], board: Board, protocol: str) -> list[Entry]:
    return [board[protocol, name, "example"] for name in study["architectures"]]


def _runs(entries: list[Entry]) -> list[tuple[str, int]]:
    """List network and seed of each run, in the order of their scores."""
    return [
        (entry.pool.architecture, seed)
        for entry in entries
        for seed in dict.fromkeys(int(run["seed"]) for run in entry.pool.runs)
    ]
