"""The tables of one study that are about hyperparameters: chosen, tried, and what mattered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from lib.compare.trials import RESULTS
from lib.networks.registry import find
from lib.plots.style import display
from lib.report.names import listed
from lib.report.table import Cell, Row, TableView, is_true, network, number, records, tabulate, text

# Nobody reads more rows of a search than this; the CSV has them all.
MOST_TRIALS = 200

SCORES = ("val_loss", "val_accuracy", "val_macro_f1")
# What is shown of a trial beside its scores and its settings.
_SHOWN = {"epochs", "best_epoch", "state", "reason"}


def chosen(study: Mapping[str, Any], table: pd.DataFrame) -> TableView | None:
    """Show the hyperparameters that each architecture was trained with under every split."""
    counts = table.groupby("architecture", sort=False).size()
    table = _told(_filled(table[table["chosen"].map(is_true)]))
    if table.empty:
        return None
    return tabulate(
        f"{study['study']}-hyperparameters",
        "Hyperparameters of the final runs, the same under every split; a setting that has its "
        f"default everywhere is left out. {_budget(counts, study['budgets'])}",
        {
            "Model": network,
            "Trials": lambda row: number(counts[row["architecture"]], digits=0),
            **_settings(table, {*RESULTS}),
        },
        records(table),
    )


def _budget(counts: pd.Series[int], budgets: Mapping[str, Mapping[str, Any]]) -> str:
    """Say what each network was given, and where one had more than another."""
    given = {
        str(name): (f"{count} trials" if count > 1 else "one trial", _limit(budgets[str(name)]))
        for name, count in counts.items()
    }
    trials, limits = (set(each) for each in zip(*given.values(), strict=True))
    if len(trials) == len(limits) == 1:
        return f"Each network had {trials.pop()} and {limits.pop()}."
    more = "One with more of them has the better chance."
    if len(limits) == 1:
        each = listed([f"the {display(name)} {one}" for name, (one, _) in given.items()])
        return f"Each network had {limits.pop()}, and not as many trials: {each}. {more}"
    each = listed(
        [f"the {display(name)} {one} and {limit}" for name, (one, limit) in given.items()]
    )
    return f"The networks had different budgets: {each}. {more}"


def _limit(budget: Mapping[str, Any]) -> str:
    """Say when a training ends at the latest."""
    epochs, seconds = budget["epochs"], budget["seconds"]
    words = f"{epochs} epochs at most" if epochs > 1 else "one epoch"
    words = words if seconds is None else f"{words}, or {seconds:g} s"
    if times := budget["undersampling"]:
        words += (
            f", each with at most {times:g} times as many examples of the largest class as of all "
            "others together"
        )
    return words + ", and again on the training and validation sets together" * bool(
        budget["refit"]
    )


def _told(table: pd.DataFrame) -> pd.DataFrame:
    """Drop a setting that has the default of its architecture in every row."""

    def default(row: Row, name: str) -> bool:
        architecture = find(str(row["architecture"]))
        return architecture is not None and _same(row[name], architecture.defaults.get(name))

    rows = records(table)
    kept = [
        name
        for name in map(str, table.columns)
        if name in RESULTS or not all(default(row, name) for row in rows)
    ]
    return table[kept]


def _same(value: Any, default: Any) -> bool:
    """Whether a field of a table is a default; an architecture without the setting has none."""
    if default is None:
        return str(value) in ("", "nan")
    if isinstance(default, float) and str(value) not in ("", "nan"):
        return float(value) == default
    return str(value) == (
        "x".join(map(str, default)) if isinstance(default, list) else str(default)
    )


def trials(study: Mapping[str, Any], table: pd.DataFrame) -> TableView | None:
    """List every trial of every search, the best of each architecture first."""
    if table.empty:
        return None
    table = _filled(table)
    scores = [name for name in SCORES if name in table.columns]
    if "val_loss" in scores:
        # The search minimises it, so the chosen trial comes first.
        table = table.sort_values(["architecture", "val_loss"], kind="stable")
    shared = "".join(
        f" The search of the {display(name)} was shared by {workers} workers, so it is not "
        "deterministic: the same search may choose another trial next time."
        for name, workers in study["shared_searches"].items()
    )
    shared += "".join(
        f" A trial of the {display(name)} is scored by the mean over {count} folds of groups "
        f"inside the training set, which took {count} trainings; its epochs are those of all."
        for name, count in study["searched_in_folds"].items()
    )
    folds = study["protocols"][study["primary"]]["folds"]
    chose = folds > 1 and table["architecture"].duplicated().any()
    seen = (
        " Groups of these sets are test groups in other folds, so scores over all folds are "
        "slightly optimistic where there was a choice."
    )
    return tabulate(
        f"{study['study']}-trials",
        "Every trial of the search, which used only the training and validation sets of the "
        + ("first fold of the " if folds > 1 else "")
        + "honest split"
        + (f"; the first {MOST_TRIALS} of {len(table)}." if len(table) > MOST_TRIALS else ".")
        + (seen if chose else "")
        + shared,
        {
            "Model": network,
            "Trial": _trial,
            **{f"{_words(name[4:])} (validation)": _column(name, number) for name in scores},
            **_settings(table, {*RESULTS} - _SHOWN),
        },
        records(table.head(MOST_TRIALS)),
        filters=("Model",),
    )


def importance(study: Mapping[str, Any], table: pd.DataFrame) -> TableView | None:
    """Show how much of the variance between trials each hyperparameter explains, if any was run."""
    table = table[pd.to_numeric(table["trials"]) > 0]
    if table.empty:
        return None
    return tabulate(
        f"{study['study']}-importance",
        "Which hyperparameters mattered: the share of the variance of the validation loss between "
        "trials that each one explains.",
        {
            "Model": network,
            "Hyperparameter": lambda row: text(_words(str(row["hyperparameter"]))),
            "Importance": lambda row: number(row["importance"], note=str(row["note"])),
            "Trials": lambda row: number(row["trials"], digits=0),
        },
        records(table),
    )


def _filled(table: pd.DataFrame) -> pd.DataFrame:
    """Drop a column that no trial of this study fills: it belongs to another study's search."""
    table = table.dropna(axis=1, how="all")
    return table[[c for c in table.columns if (table[c].astype(str) != "").any()]]


def _trial(row: Row) -> Cell:
    mark = "chosen" * is_true(row["chosen"])
    return text(row["trial"], note=mark, tone=mark)


def _settings(table: pd.DataFrame, without: set[str]) -> dict[str, Callable[[Row], Cell]]:
    """Map the header of each column of settings to what makes its cells."""
    return {_words(name): _column(name, _setting) for name in table.columns if name not in without}


def _column(name: str, cell: Callable[[Any], Cell]) -> Callable[[Row], Cell]:
    return lambda row: cell(row[name])


def _words(name: str) -> str:
    return name.replace("_", " ")


def _setting(value: Any) -> Cell:
    if str(value) in ("True", "False"):
        return text("yes" if str(value) == "True" else "no")
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value == value:
        return Cell(f"{value:g}", repr(value), numeric=True)
    return text(value)
