"""The table of sites: scores where a network was trained, and where it never was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lib.compare.board import COMPARED, Pools, ends, joined, keys, score, score_interval
from lib.compare.runs import Pool
from lib.metrics.registry import MAIN
from lib.metrics.sample import Sample, Weighted
from lib.splits.registry import KINDS
from lib.statistics.bootstrap import Interval, difference, draw_weights, draw_weights_of_two

NO_REFERENCE = "no group of the site they were trained on is left to test on"

HOME = "it is what the other sites are set against"

IS_PRIMARY = "it is the primary protocol, which the others are set against"

NOT_IN_PRIMARY = "the primary protocol tests no recording of it"


@dataclass(frozen=True)
class _Cell:
    """What networks that were trained on some sites (`trained`) predict of one (`site`)."""

    trained: str
    site: str
    home: bool
    tested: Sample | None
    reference: Sample | None
    learned: list[str]


def site_rows(
    study: Mapping[str, Any], pools: Pools, *, seed: int, resamples: int
) -> list[dict[str, Any]]:
    """Make a row per protocol by site, network, sites trained on, site tested on, and metric.

    Without a site, a row is of all sites that were not trained on, together. The reference of a
    protocol of pairs is what the same networks reach on groups of their own site; of others it is
    what the networks of the primary protocol, which have met other groups of the site, reach on it.

    Parameters
    ----------
    study : dict
        As `lib.compare.compare` takes it.
    pools : dict
        Of `lib.compare.runs.read_runs`.
    seed, resamples : int
        Of the bootstraps.
    """
    rows: list[dict[str, Any]] = []
    for (protocol, name), pool in pools.items():
        if pool.places is None or pool.kind != "network":
            continue
        primary = None if protocol == study["primary"] else pools.get((study["primary"], name))
        pairs = KINDS[study["protocols"][protocol]["kind"]].all_pairs
        cells = _pairs(pool) if pairs else _apart(pool, primary)
        for cell in cells:
            rows += _rows(
                *(pool, cell),
                pairs=pairs,
                is_primary=protocol == study["primary"],
                seed=seed,
                resamples=resamples,
            )
    return rows


def _pairs(pool: Pool) -> Iterator[_Cell]:
    """Compare, for each site that was trained on, its own groups with those of the others."""
    at = pool.places
    assert at is not None
    away = at.site != at.trained
    yield _Cell("", "", False, pool.test.part(away), _part(pool.test, ~away), pool.classes)
    for trained in at.learned:
        own = _part(pool.test, (at.trained == trained) & ~away)
        for site in at.learned:
            home = site == trained
            tested = own if home else _part(pool.test, (at.trained == trained) & (at.site == site))
            yield _Cell(trained, site, home, tested, None if home else own, at.learned[trained])


def _apart(pool: Pool, primary: Pool | None) -> Iterator[_Cell]:
    """Compare the score of each site with the one that the primary protocol gives it."""
    at = pool.places
    assert at is not None
    of = dict(zip(pool.recording, at.site, strict=True))
    met = None if primary is None else np.array([of.get(one, "") for one in primary.recording])

    def known(rows: np.ndarray | None) -> Sample | None:
        return None if primary is None or rows is None else _part(primary.test, rows)

    yield _Cell("", "", False, pool.test, known(None if met is None else met != ""), pool.classes)
    for trained, site in dict.fromkeys(zip(at.trained, at.site, strict=True)):
        tested = _part(pool.test, at.site == site)
        reference = known(None if met is None else met == site)
        yield _Cell(trained, site, False, tested, reference, at.learned[trained])


def _part(sample: Sample, rows: np.ndarray) -> Sample | None:
    return sample.part(rows) if rows.any() else None


def _rows(
    pool: Pool, cell: _Cell, *, pairs: bool, is_primary: bool, seed: int, resamples: int
) -> Iterator[dict[str, Any]]:
    options = {"seed": seed, "resamples": resamples}
    start = {**keys(pool), "trained": cell.trained, "site": cell.site, "home": cell.home}
    unlearned = [name for name in pool.scored if name not in cell.learned]
    untaught = f"no training examples of {', '.join(unlearned)}" if unlearned else ""
    if len(cell.learned) < 2:
        untaught = f"trained on one class alone ({', '.join(cell.learned)}): there is no score"
    for metric in COMPARED:
        row: dict[str, Any] = {**start, "metric": metric, "note": untaught}
        if cell.tested is None:
            yield {**row, "interval_note": NO_REFERENCE}
            continue
        sample = cell.tested
        row |= {"groups": len(sample.names), "examples": len(sample.truth)}
        if len(cell.learned) < 2:
            yield {**row, "interval_note": untaught, "note": ""}
            continue
        missing = f"no test examples of {', '.join(sample.missing)}" if sample.missing else ""
        one = _interval(metric, sample, **options)
        row |= ends("estimate", one, prefix="")
        row["interval_note"] = joined([one.note, missing * (metric == MAIN)])
        if cell.reference is None:
            alone = IS_PRIMARY if is_primary else NOT_IN_PRIMARY
            why = HOME if cell.home else NO_REFERENCE if pairs else alone
            yield row | {"note": joined([untaught, why])}
            continue
        other = _interval(metric, cell.reference, **options)
        gap = _difference(metric, sample, cell.reference, **options)
        unlike = sample.counted != cell.reference.counted
        yield row | {
            **ends("reference", other),
            "reference_note": other.note,
            **ends("difference", gap),
            "note": joined([untaught, gap.note, "the two hold different classes" * unlike]),
        }


def _interval(metric: str, sample: Sample, *, seed: int, resamples: int) -> Interval:
    weights = draw_weights(sample.names, resamples=resamples, seed=seed)
    return score_interval(metric, sample, score(metric, Weighted(sample, weights)))


def _difference(metric: str, a: Sample, b: Sample, *, seed: int, resamples: int) -> Interval:
    of_a, of_b = draw_weights_of_two(a.names, b.names, resamples=resamples, seed=seed)
    return difference(score(metric, Weighted(a, of_a)), score(metric, Weighted(b, of_b)))
