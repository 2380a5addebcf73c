"""The tables made of run settings and of other tables: runs, costs, trials, answers, claims."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.compare.runs import Pool
from lib.compare.scores import ALPHA
from lib.errors import HeldoutError
from lib.files import read_table

Pools = Mapping[tuple[str, str], Pool]
Found = Mapping[str, list[dict[str, Any]]]


def run_rows(pools: Pools) -> list[dict[str, Any]]:
    """Give a row a run, without anything that a clock measured."""
    rows = []
    names = ("study", "dataset", "simulated", "protocol", "honest", "architecture", "kind", "trial")
    for pool in pools.values():
        for run in pool.runs:
            row = {name: run[name] for name in names}
            row |= {"seed": run["seed"], "fold": run["fold"]}
            for name in ("epochs", "best_epoch", "parameters", "model_kb"):
                row[name] = run.get(name)
            for part, values in run["metrics"].items():
                row |= {f"{part}_{name}": value for name, value in values.items()}
            rows.append(row)
    return rows


def cost_rows(pools: Pools) -> list[dict[str, Any]]:
    """Give a row a run with what it cost: the one table that holds seconds."""
    names = (
        *("study", "protocol", "architecture", "kind", "trial", "seed", "fold", "epochs"),
        *("parameters", "model_kb", "train_seconds", "predict_seconds", "backend", "device"),
    )
    return [{name: run.get(name) for name in names} for p in pools.values() for run in p.runs]


def trial_rows(
    study: Mapping[str, Any], pools: Pools, *, results: str | Path
) -> list[dict[str, Any]]:
    """Give a row a trial of the search, its hyperparameters as the search wrote them."""
    rows: list[dict[str, Any]] = []
    for architecture in study["architectures"]:
        path = Path(results) / str(study["study"]) / "search" / architecture / "trials.csv"
        if not path.exists():
            continue
        # As text: a 3 that another architecture leaves empty must not become 3.0.
        header = read_table(path).columns
        table = read_table(path, text=tuple(str(name) for name in header))
        if "trial" not in table.columns:
            raise HeldoutError(
                f"{path}: expected a column trial, got {', '.join(table.columns)}. "
                "Delete it and run again: it is made anew."
            )
        timed = [name for name in table.columns if name.endswith("seconds")]
        table = table.drop(columns=timed)
        chosen = pools[study["primary"], architecture].trial
        for row in table.to_dict("records"):
            start = {"study": study["study"], "architecture": architecture}
            cells = {str(name): value for name, value in row.items()}
            rows.append({**start, **cells, "chosen": row["trial"] == chosen})
    return rows


def _cell(rows: list[dict[str, Any]], **wanted: Any) -> dict[str, Any] | None:
    return next((r for r in rows if all(r.get(k) == v for k, v in wanted.items())), None)


def answer_row(study: Mapping[str, Any], found: Found) -> dict[str, Any]:
    """Answer a study in one row: the network chosen on validation, judged on the honest test part.

    Whoever picks the best on the test part reports luck; so the pick is made on validation.
    """
    primary = study["primary"]
    runs = pd.DataFrame([r for r in found["runs"] if r["protocol"] == primary])
    networks = runs[runs["kind"] == "network"]
    if "validation_macro_f1" not in networks or networks["validation_macro_f1"].isna().any():
        first = networks.iloc[0] if len(networks) else {"study": study["study"]}
        raise HeldoutError(
            f"runs of {first['study']} under {primary}: expected validation macro_f1 in each "
            "run.json, got none in at least one. Delete its folder and run again."
        )
    validation = networks.groupby("architecture")["validation_macro_f1"].mean()
    # The study's order breaks a tie, so that equal scores choose alike every time.
    best = max(study["architectures"], key=lambda name: validation[name])
    of = {"study": study["study"], "protocol": primary, "unit": "example", "metric": "macro_f1"}
    honest = _cell(found["leaderboard"], **of, architecture=best)
    assert honest is not None
    gap = _cell(found["inflation"], protocol=primary, metric="macro_f1", architecture=best)
    row: dict[str, Any] = {
        "study": study["study"],
        "simulated": study["simulated"],
        "protocol": primary,
        "architecture": best,
        "validation_macro_f1": validation[best],
        "macro_f1": honest["estimate"],
        "low": honest["low"],
        "high": honest["high"],
        "interval_note": honest["interval_note"],
        "random_macro_f1": gap["random"] if gap else np.nan,
        "groups": honest["groups"],
        "examples": honest["examples"],
        "note": "one architecture: nothing to compare it with"
        if len(study["architectures"]) == 1
        else "",
    }
    boards = [_cell(found["leaderboard"], **of, architecture=n) for n in study["baselines"]]
    known = [b for b in boards if b and not np.isnan(b["estimate"])]
    if not known:
        return row | {"baseline": "", "beats_baselines": "", "networks_that_beat": ""}
    top = max(known, key=lambda b: b["estimate"])
    compared = [
        r
        for r in found["differences"]
        if r["protocol"] == primary and r["metric"] == "macro_f1" and r["b"] == top["architecture"]
    ]
    winners = [r["a"] for r in compared if r["p_holm"] <= ALPHA and r["difference"] > 0]
    own = _cell(compared, a=best)
    assert own is not None
    tested = not np.isnan(own["p_holm"])
    if not tested:
        row["note"] = "; ".join(filter(None, [row["note"], own["note"]]))
    return row | {
        "baseline": top["architecture"],
        "baseline_macro_f1": top["estimate"],
        "difference": own["difference"],
        "difference_low": own["low"],
        "difference_high": own["high"],
        "p_holm": own["p_holm"],
        "beats_baselines": ("yes" if best in winners else "no") if tested else "unknown",
        "networks_that_beat": " ".join(winners),
    }


def claim_rows(
    study: Mapping[str, Any], found: Found, published: pd.DataFrame
) -> list[dict[str, Any]]:
    """Put each published number beside ours under the same split and under the honest one."""
    rows = []
    answer = found["answers"][0]
    for claim in published[published["study"] == study["study"]].to_dict("records"):
        ours = claim["architecture"]
        if ours not in study["architectures"]:
            ours = answer["architecture"]
        same = _ours(found, str(claim["protocol"]), ours, str(claim["metric"]))
        honest = _ours(found, study["primary"], ours, str(claim["metric"]))
        rows.append(
            {
                **claim,
                "simulated": study["simulated"],
                "our_architecture": ours,
                "same_split": same[0],
                "same_low": same[1],
                "same_high": same[2],
                "honest_protocol": study["primary"],
                "honest": honest[0],
                "honest_low": honest[1],
                "honest_high": honest[2],
            }
        )
    return rows


def _ours(
    found: Found, protocol: str, architecture: str, metric: str
) -> tuple[float, float, float]:
    """Give our number for a claim: a metric, or a class's sensitivity as `sensitivity_S`."""
    name, _, label = metric.partition("_")
    if name in ("sensitivity", "ppv", "f1") and label:
        of_class = _cell(
            found["per_class"], protocol=protocol, architecture=architecture, label=label
        )
        return (of_class[name], np.nan, np.nan) if of_class else (np.nan, np.nan, np.nan)
    row = _cell(
        found["leaderboard"],
        protocol=protocol,
        architecture=architecture,
        unit="example",
        metric=metric,
    )
    return (row["estimate"], row["low"], row["high"]) if row else (np.nan, np.nan, np.nan)
