"""The tables that set two numbers against each other: splits, models, folds, parts."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.compare.board import COMPARED, Board, Entry, compared_scores, ends, joined, keys
from lib.compare.runs import Pool
from lib.metrics.sample import Weighted
from lib.statistics.bootstrap import ALPHA, Difference, difference, draw_weights_of_two
from lib.statistics.pairwise import corrected_resampled_t, holm, letters
from lib.statistics.power import power

OTHER_CLASSES = "the two test parts hold different classes"


def inflation_rows(
    study: Mapping[str, Any], board: Board, *, seed: int, resamples: int
) -> list[dict[str, Any]]:
    """Subtract honest from random, for every architecture and every honest protocol."""
    kinds = study["protocols"]
    names = [*study["architectures"], *study["baselines"]]
    randoms = [name for name in kinds if kinds[name]["kind"] == "random"]
    honests = [name for name in kinds if kinds[name]["honest"]]
    rows = []
    for random, honest in product(randoms[:1], honests):
        of_random, of_honest = draw_weights_of_two(
            *(board[kind, names[0], "example"].sample.names for kind in (random, honest)),
            resamples=resamples,
            seed=seed,
        )
        for name in names:
            a, b = board[random, name, "example"], board[honest, name, "example"]
            high = compared_scores(Weighted(a.sample, of_random))
            low = compared_scores(Weighted(b.sample, of_honest))
            unlike = OTHER_CLASSES if a.sample.counted != b.sample.counted else ""
            for metric in COMPARED:
                gap = difference(high[metric], low[metric])
                rows.append(
                    {
                        **keys(a.pool),
                        "metric": metric,
                        "protocol": honest,
                        **ends("honest", b.intervals[metric]),
                        **ends("random", a.intervals[metric]),
                        **ends("difference", gap, prefix=""),
                        "note": joined([gap.note, unlike]),
                    }
                )
    return rows


def pairs(study: Mapping[str, Any]) -> list[tuple[str, str]]:
    """List the pairs that are tested: those with at least one network."""
    networks, baselines = list(study["architectures"]), list(study["baselines"])
    return [*combinations(networks, 2), *((a, b) for a in networks for b in baselines)]


def difference_rows(
    study: Mapping[str, Any], board: Board, *, resamples: int
) -> list[dict[str, Any]]:
    """Subtract b from a for all pairs with at least one network, paired by group.

    The p values of one protocol and metric are one family for Holm's correction.
    """
    rows: list[dict[str, Any]] = []
    for protocol in study["protocols"]:
        for metric in COMPARED:
            family, gaps = [], []
            for first, second in pairs(study):
                a, b = board[protocol, first, "example"], board[protocol, second, "example"]
                gap = difference(a.scores[metric], b.scores[metric])
                gaps.append(gap)
                family.append(
                    _pair(metric, a.pool, b.pool, gap) | {"groups": gap.groups, "note": gap.note}
                )
            # A bootstrap's p is never below 2/(resamples + 1): with few, nothing could be shown.
            tests = "one test" if len(family) == 1 else f"{len(family)} tests"
            blind = len(family) * 2 / (resamples + 1) > ALPHA
            _correct(family, blind=f"too few resamples for {tests}" if blind else "")
            _add_power(family, gaps)
            rows.extend(family)
    return rows


def _pair(metric: str, a: Pool, b: Pool, gap: Difference) -> dict[str, Any]:
    networks = a.kind == b.kind == "network"
    return {
        **keys(a),
        "metric": metric,
        "a": a.architecture,
        "b": b.architecture,
        **ends("difference", gap, prefix=""),
        "p": gap.p,
        # Of two networks: what a baseline beats or loses to is what was trained.
        "unfinished": joined([a.unfinished, b.unfinished]) if networks else "",
    }


def _correct(family: list[dict[str, Any]], *, blind: str = "") -> None:
    """Add Holm's p to the rows of one family; `blind` says why none of them could be small."""
    for row, p in zip(family, holm([r["p"] for r in family]), strict=True):
        row["p_holm"] = np.nan if blind else p
        row["note"] = joined([row["note"], blind])


def _add_power(family: list[dict[str, Any]], gaps: list[Difference]) -> None:
    """Add to the rows of one family the smallest difference that could be shown."""
    tests = sum(np.isfinite(row["p_holm"]) for row in family)
    for row, gap in zip(family, gaps, strict=True):
        tested = np.isfinite(row["p_holm"])
        could = power(gap, tests=tests if tested else 0, shown=row["p_holm"] <= ALPHA)
        row |= {
            "standard_error": gap.error,
            "detectable": could.detectable,
            "groups_needed": could.groups_needed,
            "power_note": could.note if tested else row["note"],
        }


def fold_rows(study: Mapping[str, Any], board: Board) -> list[dict[str, Any]]:
    """Subtract b from a over folds, tested as Nadeau and Bengio do, where a protocol has several.

    Seeds are averaged within a fold. The families are those of `difference_rows`.
    """
    rows: list[dict[str, Any]] = []
    for protocol in study["protocols"]:
        names = [*study["architectures"], *study["baselines"]]
        entries = {name: board[protocol, name, "example"] for name in names}
        if entries[names[0]].pool.folds < 2:
            continue
        ratio = _test_per_train(entries[names[0]])
        for metric in COMPARED:
            family = []
            for first, second in pairs(study):
                gap = corrected_resampled_t(
                    entries[first].fold_scores[metric] - entries[second].fold_scores[metric],
                    test_per_train=ratio,
                )
                family.append(
                    _pair(metric, entries[first].pool, entries[second].pool, gap)
                    | {"folds": gap.groups, "note": gap.note}
                )
            _correct(family)
            rows.extend(family)
    return rows


def _test_per_train(entry: Entry) -> float:
    """Compute the mean number of test examples for each training example."""
    counts = [
        [run["metrics"][part].get("examples") or np.nan for part in ("test", "train")]
        for run in entry.pool.runs
    ]
    test, train = np.mean(counts, axis=0)
    return float(test / train)


def letter_rows(
    study: Mapping[str, Any], board: Board, tested: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Assign letters to networks: those that share one were not shown to differ.

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
    unlearned = sorted({part for r in tested for part in r["unfinished"].split("; ") if part})
    if unlearned:
        return f"no comparison of architectures ({'; '.join(unlearned)})"
    # Two networks that predict the same in every group do not differ, though nothing is tested.
    open_pairs = [r for r in tested if np.isnan(r["p_holm"]) and r["difference"] != 0]
    return open_pairs[0]["note"] if open_pairs else ""


def agreement_rows(
    study: Mapping[str, Any], board: Board, *, seed: int, resamples: int
) -> list[dict[str, Any]]:
    """Subtract test from validation for every pool: by how much validation overestimates."""
    rows = []
    drawn: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    for (protocol, _, unit), entry in board.items():
        if unit != "example":
            continue
        held, tested = entry.pool.validation, entry.sample
        if protocol not in drawn:
            drawn[protocol] = draw_weights_of_two(
                held.names, tested.names, resamples=resamples, seed=seed
            )
        of_held = compared_scores(Weighted(held, drawn[protocol][0]))
        of_tested = compared_scores(Weighted(tested, drawn[protocol][1]))
        unlike = "the two parts hold different classes" if held.counted != tested.counted else ""
        for metric in COMPARED:
            gap = difference(of_held[metric], of_tested[metric])
            rows.append(
                {
                    **keys(entry.pool),
                    "metric": metric,
                    "validation": of_held[metric].estimate,
                    "test": entry.intervals[metric].estimate,
                    **ends("gap", gap, prefix=""),
                    "note": joined([gap.note, unlike]),
                }
            )
    return rows
