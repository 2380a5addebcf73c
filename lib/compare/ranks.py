"""Ranks of architectures over studies, and over the folds of one study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from lib.compare.board import Board, joined
from lib.statistics.bootstrap import ALPHA
from lib.statistics.ranks import Ranks, friedman


def rank_rows(
    studies: Sequence[Mapping[str, Any]], boards: Mapping[str, Board]
) -> list[dict[str, Any]]:
    """Rank networks by macro-F1 under the honest split: over studies, then over folds of each.

    Over studies those architectures are ranked that most studies have, and only in studies that
    have all of them: which is decided by what was run and not by how it went.

    Parameters
    ----------
    studies : sequence of dict
        As `lib.compare.compare` takes them.
    boards : dict of str to Board
        By study.
    """
    entries = {
        str(study["study"]): {
            name: boards[study["study"]][study["primary"], name, "example"]
            for name in study["architectures"]
        }
        for study in studies
    }
    scores = {
        study: {name: entry.intervals["macro_f1"].estimate for name, entry in of.items()}
        for study, of in entries.items()
    }
    unfinished = {
        study: joined([entry.pool.unfinished for entry in of.values()])
        for study, of in entries.items()
    }
    rows = _over_studies(studies, scores, unfinished)
    for study, of in entries.items():
        names = list(of)
        if len(names) < 2 or of[names[0]].pool.folds < 2:
            continue
        folds = np.stack([entry.fold_scores["macro_f1"] for entry in of.values()], axis=1)
        whole = folds[np.isfinite(folds).all(1)]
        notes = ["folds share training examples: p is likely too small"]
        if len(whole) < len(folds):
            notes.append(f"folds without a score are left out: {len(folds) - len(whole)}")
        if unfinished[study]:
            notes.append(f"no comparison of architectures ({unfinished[study]})")
        rows += _rows(f"folds of {study}", names, whole, notes)
    return rows


def _over_studies(
    studies: Sequence[Mapping[str, Any]],
    scores: Mapping[str, Mapping[str, float]],
    unfinished: Mapping[str, str],
) -> list[dict[str, Any]]:
    held = {
        name: {n for n, value in some.items() if np.isfinite(value)}
        for name, some in scores.items()
    }
    every = list(dict.fromkeys(n for study in studies for n in study["architectures"]))
    best: tuple[tuple[int, int], list[str], list[str]] | None = None
    for size in range(2, len(every) + 1):
        for names in combinations(every, size):
            blocks = [study for study, there in held.items() if set(names) <= there]
            worth = (len(blocks), size)
            if len(blocks) > 1 and (best is None or worth > best[0]):
                best = worth, list(names), blocks
    if best is None:
        nothing = "no two architectures were run in two studies: there is nothing to rank"
        return [{"scope": "studies", "architecture": "", "blocks": 0, "note": nothing}]
    _, shared, blocks = best
    x = np.array([[scores[study][name] for name in shared] for study in blocks])
    notes = [f"{len(blocks)} of {len(studies)} studies have all of these: {', '.join(blocks)}"]
    if any(study["simulated"] for study in studies if study["study"] in blocks):
        notes.append("on simulated recordings")
    notes += [
        f"no comparison of architectures in {study} ({unfinished[study]})"
        for study in blocks
        if unfinished[study]
    ]
    return _rows("studies", shared, x, notes)


def _rows(
    scope: str, names: Sequence[str], x: np.ndarray, notes: Sequence[str]
) -> list[dict[str, Any]]:
    if len(x) < 2:
        note = joined([*notes, "fewer than two blocks: there is nothing to rank"])
        return [{"scope": scope, "architecture": n, "blocks": len(x), "note": note} for n in names]
    test = friedman(x)
    shared = ("blocks", "chi2", "f", "p", "critical_difference")
    same = {name: getattr(test, name) for name in shared}
    same["note"] = joined([*notes, _power(test)])
    return [
        {"scope": scope, "architecture": name, "mean_rank": rank, **same}
        for name, rank in zip(names, test.mean_rank, strict=True)
    ]


def _power(test: Ranks) -> str:
    """Say how p was found, and how little so many blocks can show."""
    largest = len(test.mean_rank) - 1
    how = "p is exact" if test.exact else "p is from the F distribution"
    if test.smallest_p > ALPHA:
        return (
            f"{how}; {test.blocks} blocks cannot show a difference: even if all agreed, "
            f"p would be {test.smallest_p:.2g}"
        )
    if test.critical_difference > largest:
        return (
            f"{how}; no pair can differ significantly: the critical difference exceeds the largest "
            f"possible one, {largest}"
        )
    return how
