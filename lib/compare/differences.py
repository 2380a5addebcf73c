"""The tables that set two numbers against each other: splits, models, folds, parts."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.compare.board import COMPARED, Board, Entry, compared_scores, joined, keys, sample
from lib.compare.runs import Pool
from lib.statistics.bootstrap import (
    Difference,
    Resampled,
    difference,
    draw_weights_of_two,
    resample,
)
from lib.statistics.pairwise import corrected_resampled_t, holm, letters

# At which a difference counts as one.
ALPHA = 0.05

OTHER_CLASSES = "the two test parts hold different classes"


def inflation_rows(
    study: Mapping[str, Any], board: Board, *, seed: int, resamples: int
) -> list[dict[str, Any]]:
    """Give random − honest for every architecture and every honest protocol."""
    kinds = study["protocols"]
    randoms = [name for name in kinds if kinds[name]["kind"] == "random"]
    honests = [name for name in kinds if kinds[name]["honest"]]
    rows = []
    for random in randoms[:1]:
        for honest in honests:
            drawn = None
            for name in [*study["architectures"], *study["baselines"]]:
                a, b = board[random, name, "example"], board[honest, name, "example"]
                if drawn is None:
                    drawn = draw_weights_of_two(
                        a.sample.names, b.sample.names, resamples=resamples, seed=seed
                    )
                draws = _compared(a, drawn[0]), _compared(b, drawn[1])
                for metric in COMPARED:
                    gap = difference(draws[0][metric], draws[1][metric])
                    high, low = a.intervals[metric], b.intervals[metric]
                    unlike = OTHER_CLASSES if a.sample.counted != b.sample.counted else ""
                    rows.append(
                        {
                            **keys(a.pool),
                            "metric": metric,
                            "protocol": honest,
                            "honest": low.estimate,
                            "honest_low": low.low,
                            "honest_high": low.high,
                            "random": high.estimate,
                            "random_low": high.low,
                            "random_high": high.high,
                            "difference": gap.estimate,
                            "low": gap.low,
                            "high": gap.high,
                            "note": joined([gap.note, unlike]),
                        }
                    )
    return rows


def _compared(entry: Entry, weights: NDArray[np.float64]) -> dict[str, Resampled]:
    """Resample what is compared with other weights; NaN where a metric is not defined."""
    found = resample(entry.sample.matrices, compared_scores(entry.sample), weights)
    return {metric: found.get(metric, entry.resamples_of(metric)) for metric in COMPARED}


def pairs(study: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give the pairs that are tested: those with at least one network."""
    networks, baselines = list(study["architectures"]), list(study["baselines"])
    return [*combinations(networks, 2), *((a, b) for a in networks for b in baselines)]


def difference_rows(
    study: Mapping[str, Any], board: Board, *, resamples: int
) -> list[dict[str, Any]]:
    """Give a − b for all pairs with at least one network, paired by group.

    The p values of one protocol and metric are one family for Holm's correction.
    """
    rows: list[dict[str, Any]] = []
    for protocol in study["protocols"]:
        for metric in COMPARED:
            family = []
            for first, second in pairs(study):
                a, b = board[protocol, first, "example"], board[protocol, second, "example"]
                gap = difference(a.resamples_of(metric), b.resamples_of(metric))
                family.append(
                    _pair(a.pool, metric, first, second, gap)
                    | {"groups": gap.groups, "note": gap.note}
                )
            # A bootstrap's p is never below 2/(resamples + 1): with few, nothing could be shown.
            blind = len(family) * 2 / (resamples + 1) > ALPHA
            _correct(family, blind=f"too few resamples for {len(family)} tests" if blind else "")
            rows.extend(family)
    return rows


def _pair(pool: Pool, metric: str, a: str, b: str, gap: Difference) -> dict[str, Any]:
    return {
        **keys(pool),
        "metric": metric,
        "a": a,
        "b": b,
        "difference": gap.estimate,
        "low": gap.low,
        "high": gap.high,
        "p": gap.p,
    }


def _correct(family: list[dict[str, Any]], *, blind: str = "") -> None:
    """Add Holm's p to the rows of one family; `blind` says why none of them could be small."""
    for row, p in zip(family, holm([r["p"] for r in family]), strict=True):
        row["p_holm"] = np.nan if blind else p
        row["note"] = joined([row["note"], blind])


def fold_rows(study: Mapping[str, Any], board: Board) -> list[dict[str, Any]]:
    """Give a − b over folds, tested as Nadeau and Bengio do, where a protocol has several.

    Seeds are averaged within a fold. The families are those of `difference_rows`.
    """
    rows: list[dict[str, Any]] = []
    for protocol in study["protocols"]:
        names = [*study["architectures"], *study["baselines"]]
        entries = {name: board[protocol, name, "example"] for name in names}
        if entries[names[0]].pool.folds < 2:
            continue
        scores = {name: fold_scores(entry) for name, entry in entries.items()}
        ratio = _test_per_train(entries[names[0]])
        for metric in COMPARED:
            family = []
            for first, second in pairs(study):
                gap = corrected_resampled_t(
                    scores[first][metric] - scores[second][metric], test_per_train=ratio
                )
                family.append(
                    _pair(entries[first].pool, metric, first, second, gap)
                    | {"folds": gap.groups, "note": gap.note}
                )
            _correct(family)
            rows.extend(family)
    return rows


def fold_scores(entry: Entry) -> dict[str, NDArray[np.float64]]:
    """Give what is compared in each fold, the mean over seeds; NaN where it is not defined."""
    found: dict[str, list[float]] = {metric: [] for metric in COMPARED}
    for fold in np.unique(entry.sample.fold):
        some = entry.sample.of_fold(int(fold))
        scores = compared_scores(some)
        for metric, values in found.items():
            score = scores.get(metric)
            values.append(float(score(some.matrices.sum(1)).mean()) if score else np.nan)
    return {metric: np.array(values) for metric, values in found.items()}


def _test_per_train(entry: Entry) -> float:
    """Give the mean number of test examples for each training example."""
    counts = [
        [run["metrics"][part].get("examples") or np.nan for part in ("test", "train")]
        for run in entry.pool.runs
    ]
    test, train = np.mean(counts, axis=0)
    return float(test / train)


def letter_rows(
    study: Mapping[str, Any], board: Board, tested: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Give the networks' letters: those that share one were not shown to differ.

    Parameters
    ----------
    study : dict
        As `lib.compare.compare` takes it.
    board : dict
        All scores of the study.
    tested : list of dict
        Its rows of `difference_rows`.
    """
    rows = []
    networks = list(study["architectures"])
    for protocol in study["protocols"]:
        for metric in COMPARED:
            score = {
                name: board[protocol, name, "example"].intervals[metric].estimate
                for name in networks
            }
            some = [
                row
                for row in tested
                if row["protocol"] == protocol
                and row["metric"] == metric
                and {row["a"], row["b"]} <= set(networks)
            ]
            note = _no_letters(some)
            best_first = sorted(networks, key=lambda name: (-score[name], networks.index(name)))
            differ = {(row["a"], row["b"]) for row in some if row["p_holm"] <= ALPHA}
            marks = dict.fromkeys(networks, "") if note else letters(best_first, differ)
            pool = board[protocol, networks[0], "example"].pool
            rows += [
                {**keys(pool), "metric": metric, "architecture": name}
                | {"letters": marks[name], "note": note}
                for name in networks
            ]
    return rows


def _no_letters(tested: list[dict[str, Any]]) -> str:
    """Say why letters cannot be given, if so: an untested pair is not one without a difference."""
    if not tested:
        return "one architecture: nothing to compare it with"
    # Two networks that predict the same in every group do not differ, though nothing is tested.
    open_pairs = [r for r in tested if np.isnan(r["p_holm"]) and r["difference"] != 0]
    return open_pairs[0]["note"] if open_pairs else ""


def agreement_rows(
    study: Mapping[str, Any], board: Board, *, seed: int, resamples: int
) -> list[dict[str, Any]]:
    """Give validation − test for every pool: how much too well the validation part speaks."""
    rows = []
    drawn: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    for (protocol, name, unit), entry in board.items():
        if unit != "example":
            continue
        start = {**keys(entry.pool), "architecture": name}
        if not len(entry.pool.validation.truth):
            empty = {"validation": np.nan, "gap": np.nan, "low": np.nan, "high": np.nan}
            rows += [
                {**start, **empty, "metric": metric, "note": "there is no validation part"}
                | {"test": entry.intervals[metric].estimate}
                for metric in COMPARED
            ]
            continue
        held = sample(entry.pool, entry.pool.validation)
        if protocol not in drawn:
            drawn[protocol] = draw_weights_of_two(
                held.names, entry.sample.names, resamples=resamples, seed=seed
            )
        weights = drawn[protocol]
        tested = _compared(entry, weights[1])
        validated = resample(held.matrices, compared_scores(held), weights[0])
        nothing = Resampled(np.nan, np.full(resamples, np.nan), len(held.names))
        unlike = held.counted != entry.sample.counted
        for metric in COMPARED:
            of_held = validated.get(metric, nothing)
            gap = difference(of_held, tested[metric])
            rows.append(
                {
                    **start,
                    "metric": metric,
                    "validation": of_held.estimate,
                    "test": entry.intervals[metric].estimate,
                    "gap": gap.estimate,
                    "low": gap.low,
                    "high": gap.high,
                    "note": joined(
                        [gap.note, "the two parts hold different classes" if unlike else ""]
                    ),
                }
            )
    return rows
