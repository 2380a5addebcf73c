"""The tables made of run settings and of other tables: runs, answers, claims."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.compare.board import Pools, joined
from lib.compare.runs import Pool
from lib.compare.tables import RUN
from lib.errors import HeldoutError
from lib.files import read_table
from lib.statistics.bootstrap import ALPHA

Rows = Mapping[str, list[dict[str, Any]]]


def run_rows(pools: Pools) -> list[dict[str, Any]]:
    """Make a row a run, without anything that a clock measured."""
    rows = []
    for run in (run for pool in pools.values() for run in pool.runs):
        row = {name: run.get(name) for name in RUN}
        for part, values in run["metrics"].items():
            row |= {f"{part}_{name}": value for name, value in values.items()}
        rows.append(row)
    return rows


# The baseline that is a linear model, and the one that hears nothing.
LINEAR = "logistic"
METADATA = "metadata"
# What metadata must be above the majority class, in macro-F1, to tell anything.
_TELLS = 0.1

NOTHING = (np.nan, np.nan, np.nan)

CLAIM = (
    *("study", "source", "architecture", "split", "protocol", "group_disjoint", "metric"),
    *("model", "value", "test_size", "valid", "note"),
)


def _cell(rows: list[dict[str, Any]], **wanted: Any) -> dict[str, Any] | None:
    return next((r for r in rows if all(r.get(k) == v for k, v in wanted.items())), None)


def answer_row(study: Mapping[str, Any], pools: Pools, tables: Rows) -> dict[str, Any]:
    """Answer a study in one row: the network chosen on validation, judged on the honest test part.

    Whoever picks the best on the test part reports luck; so the pick is made on validation.
    """
    primary = study["primary"]
    runs = pd.DataFrame([r for r in tables["runs"] if r["protocol"] == primary])
    networks = runs[runs["kind"] == "network"]
    scores = networks[["validation_macro_f1", "validation_accuracy"]].astype(float)
    # Whether a fold has a macro-F1 depends on its labels alone: all networks have the same folds.
    means = scores.groupby(networks["architecture"]).mean()
    validation = means["validation_macro_f1"]
    no_macro = bool(validation.isna().all())
    chosen_by = means["validation_accuracy"] if no_macro else validation
    # The study's order breaks a tie, so that equal scores choose alike every time.
    best = max(study["architectures"], key=lambda name: chosen_by[name])
    notes = [
        "one architecture: nothing to compare it with" * (len(study["architectures"]) == 1),
        "the validation set has no macro-F1, so the network was chosen by accuracy" * no_macro,
    ]
    of = {"study": study["study"], "protocol": primary, "unit": "example", "metric": "macro_f1"}
    board = {
        row["architecture"]: row
        for row in tables["leaderboard"]
        if all(row[key] == value for key, value in of.items())
    }
    honest = board[best]
    linear = board[LINEAR]["estimate"] if LINEAR in board else np.nan
    gap = _cell(tables["inflation"], protocol=primary, metric="macro_f1", architecture=best)
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
        "ending": honest["ending"],
        "unfinished": joined([pools[primary, n].unfinished for n in study["architectures"]]),
        "linear_macro_f1": linear,
        "below_linear": " ".join(
            name for name in study["architectures"] if board[name]["estimate"] < linear
        ),
        "groups": honest["groups"],
        "examples": honest["examples"],
    }
    compared = [
        r
        for r in tables["differences"]
        if r["protocol"] == primary
        and r["metric"] == "macro_f1"
        and r["a"] in study["architectures"]
    ]
    row |= _against_rival(study, board, compared, best)
    row |= _by_metadata(pools.get((primary, METADATA)), board, _cell(compared, a=best, b=METADATA))
    baselines = [board[name] for name in study["baselines"]]
    known = [one for one in baselines if not np.isnan(one["estimate"])]
    if not known:
        row |= {"baseline": "", "beats_baselines": "", "networks_that_beat": ""}
        return row | {"note": joined(notes)}
    top = max(known, key=lambda b: b["estimate"])
    compared = [r for r in compared if r["b"] == top["architecture"]]
    winners = [r["a"] for r in compared if r["p_holm"] <= ALPHA and r["difference"] > 0]
    own = _cell(compared, a=best)
    assert own is not None
    tested = not np.isnan(own["p_holm"])
    return row | {
        "note": joined([*notes, "" if tested else own["note"]]),
        "baseline": top["architecture"],
        "baseline_macro_f1": top["estimate"],
        "difference": own["difference"],
        "difference_low": own["low"],
        "difference_high": own["high"],
        "p_holm": own["p_holm"],
        "detectable": own["detectable"],
        "groups_needed": own["groups_needed"],
        "beats_baselines": ("yes" if best in winners else "no") if tested else "unknown",
        "networks_that_beat": " ".join(winners),
    }


def _against_rival(
    study: Mapping[str, Any],
    board: Mapping[str, dict[str, Any]],
    compared: list[dict[str, Any]],
    best: str,
) -> dict[str, Any]:
    """Set the chosen network against the best of the others on the test part."""
    others = [name for name in study["architectures"] if name != best]
    others = [name for name in others if not np.isnan(board[name]["estimate"])]
    if not others:
        return {"rival": ""}
    rival = max(others, key=lambda name: board[name]["estimate"])
    pair = _cell(compared, a=best, b=rival)
    sign, ends = 1, ("low", "high")
    if pair is None:
        pair, sign, ends = _cell(compared, a=rival, b=best), -1, ("high", "low")
    assert pair is not None
    return {
        "rival": rival,
        "rival_macro_f1": board[rival]["estimate"],
        "rival_difference": sign * pair["difference"],
        "rival_low": sign * pair[ends[0]],
        "rival_high": sign * pair[ends[1]],
        "rival_p_holm": pair["p_holm"],
        "rival_detectable": pair["detectable"],
        "rival_groups_needed": pair["groups_needed"],
    }


def _by_metadata(
    pool: Pool | None, board: Mapping[str, dict[str, Any]], difference: dict[str, Any] | None
) -> dict[str, Any]:
    """Say whether metadata alone do as well as the network, and which column does most of it.

    They do where they tell the class at all, and the network is not significantly better; where
    that could not be tested, nobody knows.
    """
    if pool is None or difference is None:
        return {"metadata_macro_f1": np.nan, "metadata_suffices": "", "metadata_column": ""}
    score = board[METADATA]["estimate"]
    chance = board["majority"]["estimate"] if "majority" in board else 1 / len(pool.scored)
    tested = np.isfinite(difference["p_holm"])
    better = difference["p_holm"] <= ALPHA and difference["difference"] > 0
    alone = pd.DataFrame([run["alone"] for run in pool.runs]).astype(float).mean()
    column = "" if alone.isna().all() else str(alone.idxmax())
    return {
        "metadata_macro_f1": score,
        "metadata_suffices": ("yes" if tested else "unknown")
        if score > chance + _TELLS and not better
        else "no",
        "metadata_column": column,
        "metadata_column_macro_f1": alone[column] if column else np.nan,
    }


def read_claims(path: str | Path) -> pd.DataFrame:
    """Read what has been published.

    Raises
    ------
    HeldoutError
        The table cannot be read or lacks a column.
    """
    table = read_table(path, text=("model", "test_size", "note", "protocol"))
    if any(name not in table.columns for name in CLAIM):
        raise HeldoutError(
            path,
            f"the columns {', '.join(CLAIM)}",
            ", ".join(table.columns),
            "Put back the file of the repository, or add the column.",
        )
    return table


def claim_rows(
    study: Mapping[str, Any], tables: Rows, published: pd.DataFrame
) -> list[dict[str, Any]]:
    """Put each published number beside ours under the same split and under the honest one."""
    rows = []
    answer = tables["answers"][0]
    for claim in published[published["study"] == study["study"]].to_dict("records"):
        metric, protocol = str(claim["metric"]), str(claim["protocol"])
        named = str(claim["model"])
        ours = named if named in study["architectures"] else claim["architecture"]
        notes = []
        if ours not in study["architectures"]:
            ours = answer["architecture"]
            notes.append("ours is the network chosen on validation: the claimed one was not run")
        if protocol not in study["protocols"]:
            notes.append("none of our splits matches theirs")
        honest = _ours(tables, study["primary"], ours, metric)
        if honest is None:
            notes.append(f"{metric} is not measured here")
        same = _ours(tables, protocol, ours, metric) or NOTHING
        honest = honest or NOTHING
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
                "our_note": "; ".join(notes),
            }
        )
    return rows


def _ours(
    tables: Rows, protocol: str, architecture: str, metric: str
) -> tuple[float, float, float] | None:
    """Look up our number for a claim: a metric, or a class's sensitivity as `sensitivity_S`."""
    at = {"protocol": protocol, "architecture": architecture, "unit": "example"}
    name, _, label = metric.partition("_")
    if name in ("sensitivity", "ppv", "f1") and label:
        row = _cell(tables["per_class"], **at, label=label)
        return (row[name], row[f"{name}_low"], row[f"{name}_high"]) if row else None
    row = _cell(tables["leaderboard"], **at, metric=metric)
    return (row["estimate"], row["low"], row["high"]) if row else None
