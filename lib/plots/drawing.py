"""Draw every picture of the report, as SVG and PNG, from tables, audits and run histories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from lib.errors import HeldoutError
from lib.examples.arrays import open_examples
from lib.files import read_json, read_table
from lib.plots.choices import validation_against_test
from lib.plots.comparison import critical_differences, fronts, importances, reliability
from lib.plots.data import MOST_LINES, class_counts, example_inputs, mean_examples
from lib.plots.groups import scores_of_groups, scores_of_subgroups
from lib.plots.inputs import class_means, some_examples
from lib.plots.scores import confusion_matrices, inflation, primary_rows
from lib.plots.shortcuts import against_permuted, told_by_features
from lib.plots.sites import site_matrices
from lib.plots.style import mark_simulated, save
from lib.plots.training import learning_curves
from lib.splits.registry import KINDS

# Columns that are text even where all of them look like numbers.
TEXT = (
    *("study", "scope", "architecture", "label", "predicted", "note", "group", "influential"),
    *("column", "value", "trained", "site"),
)

# The tables that the pictures of groups are made of.
GROUPS = ("groups", "group_means", "subgroups")


def plot_study(
    study: Mapping[str, Any], *, tables: str | Path, results: str | Path, folder: str | Path
) -> list[Path]:
    """Draw the pictures of a study.

    Parameters
    ----------
    study : dict
        A study as `lib.compare.compare` takes it.
    tables : path
        The folder of `lib.compare`'s tables.
    results : path
        The folder that holds one folder per study.
    folder : path
        Where the pictures go, `results/plots/{study}`.

    Returns
    -------
    list of Path
        The files written: `inflation`, `groups`, `subgroups`, `validation`, `shortcuts`,
        `permutations`, `examples`, `mean`, `pareto`, `importance`, and per protocol
        `learning_curves_…`, `confusion_…`, `class_counts_…`, `calibration_…`, and `sites_…` where
        it is of pairs, each as `.svg` and
        `.png`. A picture that would be empty is not drawn.

    Raises
    ------
    HeldoutError
        A table, an audit, a history or the examples are missing or damaged.
    """
    tables, folder = Path(tables), Path(folder)
    base = Path(results) / str(study["study"])
    drawn: dict[str, Figure | None] = {}
    gaps = primary_rows(study, _table(tables / "inflation.csv"))
    if len(gaps):
        drawn["inflation"] = inflation([(study, gaps)])
    rows = _of_study(tables / "confusion.csv", study)
    runs = _of_study(tables / "runs.csv", study)
    bins = _of_study(tables / "calibration.csv", study)
    for protocol in study["protocols"]:
        some = rows[(rows["protocol"] == protocol) & (rows["kind"] == "network")]
        drawn[f"confusion_{protocol}"] = confusion_matrices(study, some)
        histories = _histories(runs[runs["protocol"] == protocol], base)
        drawn[f"learning_curves_{protocol}"] = learning_curves(study, histories)
        audit = read_json(base / protocol / "audit.json")
        drawn[f"class_counts_{protocol}"] = class_counts(study, audit)
        drawn[f"calibration_{protocol}"] = reliability(study, bins[bins["protocol"] == protocol])
    sites = _of_study(tables / "sites.csv", study)
    for protocol, rule in study["protocols"].items():
        if KINDS[rule["kind"]].all_pairs:
            drawn[f"sites_{protocol}"] = site_matrices(study, sites[sites["protocol"] == protocol])
    groups, means, subgroups = (
        some[some["protocol"] == study["primary"]]
        for some in (_of_study(tables / f"{name}.csv", study) for name in GROUPS)
    )
    drawn["groups"] = scores_of_groups(study, groups, means)
    drawn["subgroups"] = scores_of_subgroups(study, subgroups)
    primary = runs[runs["protocol"] == study["primary"]]
    drawn["validation"] = validation_against_test(study, primary)
    drawn["shortcuts"] = told_by_features(_of_study(tables / "shortcuts.csv", study))
    drawn["permutations"] = against_permuted(study, _of_study(tables / "permutations.csv", study))
    drawn["pareto"] = fronts(_of_study(tables / "pareto.csv", study))
    drawn["importance"] = importances(study, _of_study(tables / "importance.csv", study))
    examples, x = read_table(base / "examples.parquet"), open_examples(base / "examples.npy")
    study = {**study, "input": {**study["input"], "unit": " or ".join(examples["unit"].unique())}}
    drawn["examples"] = example_inputs(study, some_examples(study, examples, x))
    if x.shape[2] > MOST_LINES or study["input"]["aligned"]:
        drawn["mean"] = mean_examples(study, class_means(study, examples, x))
    if study["simulated"]:
        for name, figure in drawn.items():
            # Its title says so already.
            if name != "inflation":
                mark_simulated(figure)
    return _save_all(drawn, folder)


def _save_all(drawn: Mapping[str, Figure | None], folder: Path) -> list[Path]:
    """Write what was drawn, and delete pictures of an earlier run that are no longer drawn."""
    written: list[Path] = []
    for name, figure in drawn.items():
        if figure is not None:
            written += save(figure, folder / name)
            continue
        for suffix in (".svg", ".png"):
            (folder / f"{name}{suffix}").unlink(missing_ok=True)
    return written


def plot_overall(
    studies: Sequence[Mapping[str, Any]], *, tables: str | Path, folder: str | Path
) -> list[Path]:
    """Draw `inflation` and `critical_difference` over all studies, as `.svg` and `.png`.

    If no study has both an honest and a random protocol, or there are too few for ranks, the
    picture says so.

    Raises
    ------
    HeldoutError
        A table is missing or damaged.
    """
    panels = []
    inflations = _table(Path(tables) / "inflation.csv")
    for study in studies:
        gaps = primary_rows(study, inflations)
        if len(gaps):
            # A small panel has room for only the best baseline.
            baselines = gaps[gaps["kind"] == "baseline"].sort_values("honest", ascending=False)
            networks = gaps[gaps["kind"] == "network"]
            panels.append((study, pd.concat([networks, baselines.head(1)])))
    ranks = _table(Path(tables) / "ranks.csv")
    return save(inflation(panels), Path(folder) / "inflation") + save(
        critical_differences(ranks), Path(folder) / "critical_difference"
    )


def _table(path: Path) -> pd.DataFrame:
    return read_table(path, text=TEXT)


def _of_study(path: Path, study: Mapping[str, Any]) -> pd.DataFrame:
    table = _table(path)
    return table[table["study"] == study["study"]]


def _histories(runs: pd.DataFrame, base: Path) -> dict[str, list[tuple[int, pd.DataFrame]]]:
    """Collect the epoch kept and the history of every run, by network."""
    histories: dict[str, list[tuple[int, pd.DataFrame]]] = {}
    for run in runs[runs["kind"] == "network"].to_dict("records"):
        folder = base / run["protocol"] / run["architecture"]
        path = folder / f"seed-{run['seed']}" / f"fold-{run['fold']}" / "history.csv"
        history = read_table(path)
        needed = {"epoch", "loss", "accuracy", "val_loss", "val_accuracy"}
        if not needed <= set(history.columns):
            raise HeldoutError(
                path,
                f"the columns {', '.join(sorted(needed))}",
                ", ".join(history.columns),
                "Delete its folder and run again.",
            )
        histories.setdefault(run["architecture"], []).append((int(run["best_epoch"]), history))
    return histories
