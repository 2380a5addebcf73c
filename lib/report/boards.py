"""The tables of scores of one study: which model is best, by how much, and in which class."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from lib.metrics.learning import CONVERGED
from lib.metrics.registry import MAIN, METRICS
from lib.plots.scores import primary_rows
from lib.plots.style import display
from lib.report.names import listed, metric_name, unfinished_networks
from lib.report.table import Cell, TableView, interval, network, number, records, text
from lib.statistics.bootstrap import ALPHA

Tables = Mapping[str, pd.DataFrame]


def model(row: Mapping[str, Any]) -> Cell:
    """Make the cell that names an architecture or a baseline."""
    baseline = row["kind"] == "baseline"
    return text(
        display(str(row["architecture"])),
        note="baseline" if baseline else "",
        tone="baseline" if baseline else network(row).tone,
    )


def _model(row: Mapping[str, Any], linear: float) -> Cell:
    """Name a model, and say of a network that a linear model scores more."""
    below = row["kind"] == "network" and row["estimate"] < linear
    return replace(model(row), note="below a linear model") if below else model(row)


def main_board(study: Mapping[str, Any], tables: Tables) -> TableView:
    """Build a row per model: honest, random, inflation, then other metrics of the honest split."""
    board = tables["leaderboard"]
    primary = board[(board["protocol"] == study["primary"]) & (board["unit"] == "example")]
    gaps = {row["architecture"]: row for row in records(primary_rows(study, tables["inflation"]))}
    letters = {
        row["architecture"]: text(row["letters"], note=row["note"])
        for row in records(primary_rows(study, tables["letters"]))
    }
    measured = set(primary["metric"])
    wanted = ("accuracy", "balanced_accuracy", "jk_index", "log_loss")
    others = [name for name in wanted if name in measured]
    linear = float(records(tables["answers"])[0]["linear_macro_f1"])
    seeds = primary["seeds"].max()
    rows = []
    for name, some in primary.groupby("architecture", sort=False):
        metrics = {row["metric"]: row for row in records(some)}
        gap = gaps.get(str(name))
        main = metrics[MAIN]
        cells = [
            _model(main, linear),
            interval(main, note=main["interval_note"], bar=True),
            text(main["ending"], tone="" if main["ending"] in ("", CONVERGED) else "bad"),
        ]
        if letters:
            cells.append(letters.get(str(name), text("")))
        if seeds > 1:
            names = ("ensemble", "ensemble_low", "ensemble_high")
            cells.append(interval(main, names=names))
        if gap:
            ends = ("difference", "low", "high")
            cells.append(interval(gap, names=("random", "random_low", "random_high")))
            cells.append(interval(gap, names=ends, note=str(gap["note"]), sign=True))
        elif gaps:
            cells += [number(None), number(None)]
        cells += [interval(metrics[n], note=metrics[n]["interval_note"]) for n in others]
        rows.append((main["estimate"], cells))
    # Rows without a score come last.
    rows.sort(key=lambda pair: -pair[0] if math.isfinite(pair[0]) else math.inf)
    title = study["protocols"][study["primary"]]["title"]
    return TableView(
        f"{study['study']}-leaderboard",
        f"Leaderboard on the test set under the honest split ({title})"
        + (", beside the random split" if gaps else "")
        + ". Means over seeds, with 95% confidence intervals over groups."
        + (" The ensemble answers with the mean probability over seeds." if seeds > 1 else "")
        + (
            " Networks that share a letter do not differ significantly in macro-F1."
            if letters
            else ""
        ),
        [
            *("Model", "Macro-F1, honest", "Training"),
            *(["Letters"] if letters else []),
            *(["Ensemble of seeds"] if seeds > 1 else []),
            *(["Macro-F1, random", "Inflation"] if gaps else []),
            # jκ is a symbol, no word.
            *(
                name if name.startswith("jκ") else name[0].upper() + name[1:]
                for name in map(metric_name, others)
            ),
        ],
        [cells for _, cells in rows],
    )


def full_board(study: Mapping[str, Any], board: pd.DataFrame) -> TableView:
    """List every metric of every model, split and unit, to be filtered by any of them."""
    metrics = [name for name in METRICS if name in set(board["metric"])]
    lower = [metric_name(name) for name in metrics if not METRICS[name].higher_is_better]
    units = board["unit"].nunique() > 1
    rows = []
    keys = ["protocol", "unit", "architecture"]
    for (protocol, unit, _), some in board.groupby(keys, sort=False):
        scores = {row["metric"]: row for row in records(some)}
        first = records(some)[0]
        settings = study["protocols"][protocol]
        honest = "honest" if settings["honest"] else "for comparison"
        cells = [model(first), text(first["kind"]), text(settings["title"], note=honest)]
        if units:
            cells.append(text(unit))
        cells += [number(first["examples"], digits=0), number(first["groups"], digits=0)]
        cells += [
            interval(scores[name], note=scores[name]["interval_note"])
            if name in scores
            else number(None)
            for name in metrics
        ]
        rows.append(cells)
    heads = ["Model", "Kind", "Split", *(["Unit"] if units else []), "Examples", "Groups"]
    return TableView(
        f"{study['study']}-metrics",
        "Every metric on the test set, for every split"
        + (", by example and by recording (mean probability)" if units else "")
        + ". Means over seeds, with 95% confidence intervals over groups. Lower is better for "
        + f"{listed(lower)}; for all others, higher.",
        [*heads, *(metric_name(name) for name in metrics)],
        rows,
        filters=(1, 2, 3) if units else (1, 2),
    )


def differences(study: Mapping[str, Any], table: pd.DataFrame) -> TableView | None:
    """List the difference of every pair of models, with what a reader may conclude."""
    some = primary_rows(study, table)
    if some.empty:
        return None
    rows = [
        [
            text(display(row["a"])),
            text(display(row["b"])),
            interval(row, names=("difference", "low", "high"), note=row["note"], sign=True),
            number(row["p_holm"]),
            text(_verdict(row)),
            number(row["detectable"]),
            number(row["groups_needed"], digits=0, note=row["power_note"]),
        ]
        for row in records(some)
    ]
    return TableView(
        f"{study['study']}-differences",
        "Differences in macro-F1 under the honest split, paired by group; p values are corrected "
        "for all pairs in this table by Holm's method. The last columns say which true difference "
        "so many groups would show with a power of 80%, and how many would show the one "
        "seen; they take its standard error as known, and so have no interval.",
        [
            *("Model", "Against", "Difference", "p (Holm)", "Verdict"),
            *("Difference that could be shown", "Groups needed for this one"),
        ],
        rows,
    )


def fold_tests(study: Mapping[str, Any], table: pd.DataFrame) -> TableView | None:
    """List the corrected resampled t test of every pair of models over folds."""
    some = table[(table["metric"] == MAIN) & table["protocol"].isin(study["protocols"])]
    if some.empty:
        return None
    rows = [
        [
            text(study["protocols"][row["protocol"]]["title"]),
            text(display(row["a"])),
            text(display(row["b"])),
            interval(row, names=("difference", "low", "high"), note=row["note"], sign=True),
            number(row["p_holm"]),
            number(row["folds"], digits=0),
            text(_verdict(row)),
        ]
        for row in records(some)
    ]
    return TableView(
        f"{study['study']}-folds",
        "Differences in macro-F1 over folds: the corrected resampled t test of Nadeau and Bengio "
        "(2003), since folds share training examples; p values are corrected by Holm's method.",
        ["Split", "Model", "Against", "Difference", "p (Holm)", "Folds", "Verdict"],
        rows,
        filters=(0,),
    )


def _verdict(row: Mapping[str, Any]) -> str:
    """Say what a reader may conclude; why nothing could be tested is the note of the difference."""
    if row.get("unfinished"):
        return f"not a comparison of architectures: {unfinished_networks(row['unfinished'])}"
    if math.isnan(row["p_holm"]):
        return "could not be tested"
    if row["p_holm"] > ALPHA:
        return "no significant difference"
    return f"{display(row['a'] if row['difference'] > 0 else row['b'])} is better"


def per_class(study: Mapping[str, Any], table: pd.DataFrame, best: str) -> TableView:
    """List the scores of each class under the honest split, those of the chosen network first."""
    some = table[(table["protocol"] == study["primary"]) & (table["kind"] == "network")]
    some = some[some["unit"] == "example"]
    # The chosen network first: it is what the answer is about.
    some = some.assign(other=some["architecture"] != best).sort_values("other", kind="stable")
    rows = []
    for row in records(some):
        outside = "" if str(row["scored"]).lower() == "true" else "not in the macro average"
        rows.append(
            [
                model(row),
                text(row["label"], note=outside),
                number(row["support"], digits=0, note=_held(row)),
                *(
                    interval(row, names=(name, f"{name}_low", f"{name}_high"), note=row["note"])
                    for name in ("sensitivity", "ppv", "f1")
                ),
            ]
        )
    return TableView(
        f"{study['study']}-per-class",
        "Scores of each class under the honest split: means over seeds with 95% confidence "
        f"intervals over groups. The {display(best)}, chosen on the validation set, comes first.",
        ["Model", "Class", "Test examples", "Sensitivity", "Positive predictive value", "F1"],
        rows,
        filters=(0, 1),
    )


def _held(row: Mapping[str, Any]) -> str:
    """Say that most test examples of a class are of one group."""
    held = row["largest_share"] > 0.5
    return f"{row['largest_share']:.0%} from group {row['largest_group']}" if held else ""


def aami(study: Mapping[str, Any], table: pd.DataFrame) -> TableView | None:
    """Build the beat-by-beat table of ANSI/AAMI EC57; return None where the study has none."""
    if table.empty:
        return None
    counts = ("tp", "fn", "fp", "tn")
    shares = ("sensitivity", "ppv", "false_positive_rate", "accuracy", "j_kappa")
    rows = [
        [
            text(display(row["architecture"]), tone=str(row["architecture"])),
            text(study["protocols"][row["protocol"]]["title"]),
            text(row["label"], note=row["interval_note"]),
            *(number(row[name], digits=0) for name in counts),
            *(interval(row, names=(name, f"{name}_low", f"{name}_high")) for name in shares),
        ]
        for row in records(table[table["protocol"].isin(study["protocols"])])
    ]
    return TableView(
        f"{study['study']}-aami",
        "Beats counted as in ANSI/AAMI EC57, each class against all others, over N, S, V and F: "
        "means over seeds with 95% confidence intervals over groups. "
        "The jκ index is one number for the whole table (Mar et al. 2011).",
        [
            *("Model", "Split", "Class", "TP", "FN", "FP", "TN", "Sensitivity"),
            *("Positive predictive value", "False positive rate", "Accuracy", "jκ index"),
        ],
        rows,
        filters=(0, 1, 2),
    )


def agreement(study: Mapping[str, Any], table: pd.DataFrame) -> TableView | None:
    """List how far the validation score, which chooses, is from the test score."""
    some = table[(table["metric"] == MAIN) & table["protocol"].isin(study["protocols"])]
    if some.empty:
        return None
    rows = [
        [
            text(display(row["architecture"]), tone=str(row["architecture"])),
            text(study["protocols"][row["protocol"]]["title"]),
            number(row["validation"]),
            number(row["test"]),
            interval(row, names=("gap", "low", "high"), note=row["note"], sign=True),
        ]
        for row in records(some)
    ]
    return TableView(
        f"{study['study']}-agreement",
        "Macro-F1 on the validation and test sets. A score that was used to choose a model is "
        "optimistic.",
        ["Model", "Split", "Validation", "Test", "Validation − test"],
        rows,
        filters=(0, 1),
    )
