"""The tables made of predictions: leaderboard, classes, confusion, inflation, differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib import statistics
from lib.compare.runs import Pool
from lib.metrics import evaluate, is_aami, per_class, per_recording, positions
from lib.statistics import Interval

Pools = Mapping[tuple[str, str], Pool]

# What is tested between architectures, and what the inflation is shown for.
COMPARED = ("macro_f1", "accuracy")

# At which a difference counts as one.
ALPHA = 0.05

WITHOUT_INTERVAL = {
    "auroc": "no interval: it is not made of sums over groups",
    "ece": "no interval: it is not made of sums over groups",
}


class Sample(NamedTuple):
    """What was predicted, by example or by recording: probabilities per seed, (row, class)."""

    truth: NDArray[np.int64]
    group: NDArray[np.object_]
    probability: dict[int, NDArray[np.float64]]


def keys(pool: Pool) -> dict[str, Any]:
    """Give the columns that say which pool a row is about."""
    return {
        "study": pool.study,
        "protocol": pool.protocol,
        "honest": pool.honest,
        "simulated": pool.simulated,
        "architecture": pool.architecture,
        "kind": pool.kind,
    }


def samples(pool: Pool) -> dict[str, Sample]:
    """Give the predictions by example and, where a recording has one class, by recording."""
    found = {"example": Sample(pool.truth, pool.group, pool.probability)}
    table = pd.DataFrame(
        {
            "recording": pool.recording,
            "group": pool.group,
            "label": np.array(pool.classes, dtype=object)[pool.truth],
        }
    )
    by = table.groupby("recording")["label"]
    # A recording with beats of several classes has no class of its own.
    if by.size().max() < 2 or by.nunique().max() > 1:
        return found
    probability, first = {}, None
    for seed, x in pool.probability.items():
        first = per_recording(
            pd.concat([table, pd.DataFrame(x, columns=pool.classes)], axis=1), classes=pool.classes
        )
        probability[seed] = first[pool.classes].to_numpy()
    assert first is not None
    found["recording"] = Sample(
        positions(first["label"], pool.classes), first["group"].to_numpy(dtype=object), probability
    )
    return found


def group_matrices(sample: Sample, *, classes: int) -> tuple[list[str], NDArray[np.float64]]:
    """Give the group names and their confusion matrices, (seed, group, class, class)."""
    names, number = np.unique(sample.group.astype(str), return_inverse=True)
    matrices = [
        statistics.group_matrices(
            sample.truth, x.argmax(1), number, groups=len(names), classes=classes
        )
        for x in sample.probability.values()
    ]
    return names.tolist(), np.stack(matrices)


def counted(pool: Pool, truth: NDArray[np.int64]) -> list[int]:
    """Give the scored classes that have an example, as numbers."""
    there = set(truth.tolist())
    return [n for n, name in enumerate(pool.classes) if name in pool.scored and n in there]


def intervals(pool: Pool, sample: Sample, *, seed: int, resamples: int) -> dict[str, Interval]:
    """Give every metric of a sample with its interval, means over seeds."""
    classes, options = pool.classes, {"seed": seed, "resamples": resamples}
    names, matrices = group_matrices(sample, classes=len(classes))
    number = np.searchsorted(np.array(names), sample.group.astype(str))
    label = np.array(classes, dtype=object)[sample.truth]
    points = [
        evaluate(label, x, classes=classes, scored=pool.scored) for x in sample.probability.values()
    ]
    keep = counted(pool, sample.truth)
    of_matrices: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
        "macro_f1": statistics.macro_f1_score(keep),
        "balanced_accuracy": statistics.balanced_accuracy_score(keep),
        "kappa": statistics.kappa_score,
        "mcc": statistics.mcc_score,
    }
    if is_aami(classes):
        of_matrices["jk_index"] = statistics.jk_score(classes)
    found: dict[str, Interval] = {}
    for metric in points[0]:
        values = [point[metric].value for point in points]
        note = next((point[metric].note for point in points if point[metric].note), "")
        if note:
            # One seed without a value would make the mean one over other runs than it says.
            found[metric] = Interval(np.nan, np.nan, np.nan, len(names), note)
        elif metric == "accuracy":
            found[metric] = statistics.accuracy_interval(matrices, **options)
        elif metric in of_matrices:
            found[metric] = statistics.group_bootstrap(matrices, of_matrices[metric], **options)
        elif metric in WITHOUT_INTERVAL:
            found[metric] = Interval(
                float(np.mean(values)), np.nan, np.nan, len(names), WITHOUT_INTERVAL[metric]
            )
        else:
            found[metric] = statistics.group_bootstrap(
                _loss_sums(sample, metric, number, len(names)), statistics.mean_score, **options
            )
    return found


def _loss_sums(
    sample: Sample, metric: str, number: NDArray[np.int64], groups: int
) -> NDArray[np.float64]:
    from lib.metrics import losses

    count = np.bincount(number, minlength=groups).astype(float)
    sums = [
        np.bincount(number, weights=losses(sample.truth, x)[metric], minlength=groups)
        for x in sample.probability.values()
    ]
    return np.stack([np.stack([total, count], axis=-1) for total in sums])


def leaderboard_rows(
    study: Mapping[str, Any], pools: Pools, *, seed: int, resamples: int
) -> list[dict[str, Any]]:
    """Give a row per protocol, architecture, unit (example or recording) and metric."""
    rows = []
    for pool in pools.values():
        for unit, sample in samples(pool).items():
            found = intervals(pool, sample, seed=seed, resamples=resamples)
            missing = [
                pool.classes[n]
                for n in range(len(pool.classes))
                if pool.classes[n] in pool.scored and n not in counted(pool, sample.truth)
            ]
            for metric, interval in found.items():
                note = interval.note
                if missing and metric in ("macro_f1", "balanced_accuracy", "auroc"):
                    gone = f"no test examples of {', '.join(missing)}"
                    note = "; ".join(filter(None, [note, gone]))
                rows.append(
                    {
                        **keys(pool),
                        "unit": unit,
                        "metric": metric,
                        "estimate": interval.estimate,
                        "low": interval.low,
                        "high": interval.high,
                        "interval_note": note,
                        "groups": interval.groups,
                        "examples": len(sample.truth),
                        "seeds": len(sample.probability),
                        "folds": pool.folds,
                    }
                )
    return rows


def mean_matrix(pool: Pool) -> NDArray[np.float64]:
    """Give the confusion matrix of the test part, folds added up, the mean over seeds."""
    _, matrices = group_matrices(
        Sample(pool.truth, pool.group, pool.probability), classes=len(pool.classes)
    )
    return matrices.sum(1).mean(0)


def per_class_rows(study: Mapping[str, Any], pools: Pools) -> list[dict[str, Any]]:
    """Give a row per protocol, architecture and class."""
    return [
        keys(pool) | {"scored": row["label"] in pool.scored} | {str(k): v for k, v in row.items()}
        for pool in pools.values()
        for row in per_class(mean_matrix(pool), classes=pool.classes).to_dict("records")
    ]


def confusion_rows(pools: Pools, study: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give a row per protocol, architecture, label and predicted class: mean count and share."""
    rows = []
    for pool in pools.values():
        matrix = mean_matrix(pool)
        support = matrix.sum(1)
        for i, label in enumerate(pool.classes):
            for j, predicted in enumerate(pool.classes):
                rows.append(
                    {
                        **keys(pool),
                        "label": label,
                        "predicted": predicted,
                        "count": matrix[i, j],
                        "share": matrix[i, j] / support[i] if support[i] else np.nan,
                    }
                )
    return rows


def _score(pool: Pool, metric: str) -> statistics.Score:
    if metric == "accuracy":
        return statistics.accuracy_score
    keep = counted(pool, pool.truth)
    if len(keep) < 2:
        return lambda matrix: np.full(matrix.shape[:-2], np.nan)
    return statistics.macro_f1_score(keep)


def _interval(pool: Pool, metric: str, *, seed: int, resamples: int) -> Interval:
    _, matrices = _matrices(pool)
    if metric == "accuracy":
        return statistics.accuracy_interval(matrices, seed=seed, resamples=resamples)
    return statistics.group_bootstrap(
        matrices, _score(pool, metric), seed=seed, resamples=resamples
    )


def _matrices(pool: Pool) -> tuple[list[str], NDArray[np.float64]]:
    sample = Sample(pool.truth, pool.group, pool.probability)
    return group_matrices(sample, classes=len(pool.classes))


def inflation_rows(
    study: Mapping[str, Any], pools: Pools, *, seed: int, resamples: int
) -> list[dict[str, Any]]:
    """Give random − honest for every architecture and every honest protocol."""
    kinds = study["protocols"]
    randoms = [name for name in kinds if kinds[name]["kind"] == "random"]
    honests = [name for name in kinds if kinds[name]["honest"]]
    options = {"seed": seed, "resamples": resamples}
    rows = []
    for random in randoms[:1]:
        for honest in honests:
            for name in [*study["architectures"], *study["baselines"]]:
                a, b = pools[random, name], pools[honest, name]
                (groups_a, x), (groups_b, y) = _matrices(a), _matrices(b)
                for metric in COMPARED:
                    gap = statistics.paired_group_bootstrap(
                        x,
                        y,
                        _score(a, metric),
                        _score(b, metric),
                        groups_a=groups_a,
                        groups_b=groups_b,
                        **options,
                    )
                    high, low = (_interval(pool, metric, **options) for pool in (a, b))
                    differ = counted(a, a.truth) != counted(b, b.truth)
                    unlike = "the two test parts hold different classes" if differ else ""
                    rows.append(
                        {
                            "study": a.study,
                            "simulated": a.simulated,
                            "architecture": name,
                            "kind": a.kind,
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
                            "note": "; ".join(filter(None, [gap.note, unlike])),
                        }
                    )
    return rows


def difference_rows(
    study: Mapping[str, Any], pools: Pools, *, seed: int, resamples: int
) -> list[dict[str, Any]]:
    """Give a − b for all pairs with at least one network, paired by group.

    The p values of one protocol and metric are one family for Holm's correction.
    """
    networks, baselines = list(study["architectures"]), list(study["baselines"])
    pairs = [*combinations(networks, 2), *((a, b) for a in networks for b in baselines)]
    rows: list[dict[str, Any]] = []
    for protocol in study["protocols"]:
        for metric in COMPARED:
            family = []
            for first, second in pairs:
                a, b = pools[protocol, first], pools[protocol, second]
                (groups_a, x), (groups_b, y) = _matrices(a), _matrices(b)
                gap = statistics.paired_group_bootstrap(
                    x,
                    y,
                    _score(a, metric),
                    groups_a=groups_a,
                    groups_b=groups_b,
                    seed=seed,
                    resamples=resamples,
                )
                row = {name: keys(a)[name] for name in ("study", "protocol", "honest", "simulated")}
                row |= {"metric": metric, "a": first, "b": second, "difference": gap.estimate}
                row |= {"low": gap.low, "high": gap.high, "p": gap.p}
                family.append({**row, "groups": gap.groups, "note": gap.note})
            # A bootstrap's p is never below 2/(resamples + 1): with few, nothing could be shown.
            blind = len(family) * 2 / (resamples + 1) > ALPHA
            for row, p in zip(family, statistics.holm([r["p"] for r in family]), strict=True):
                row["p_holm"] = np.nan if blind else p
                if blind:
                    few = f"too few resamples for {len(family)} tests"
                    row["note"] = "; ".join(filter(None, [row["note"], few]))
            rows.extend(family)
    return rows
