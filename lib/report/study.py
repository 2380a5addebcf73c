"""What the page says of one study."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from lib.files import read_json
from lib.plots.style import display
from lib.report.figures import figure
from lib.report.provenance import metric_name
from lib.report.table import Cell, TableView, interval, number, records, text

BOARD = (
    *("macro_f1", "accuracy", "balanced_accuracy", "kappa", "mcc", "jk_index"),
    *("auroc", "log_loss", "brier", "ece", "mse", "mae"),
)

# More rows than this of a search are not read by anybody; the CSV has them all.
MOST_TRIALS = 60


def study_view(
    study: Mapping[str, Any],
    *,
    tables: Mapping[str, pd.DataFrame],
    plots: Path,
    results: Path,
    manifest: Mapping[str, Any],
) -> dict[str, Any]:
    """Give everything that the template shows of a study.

    Parameters
    ----------
    study : dict
        A study as `lib.report.render` takes it.
    tables : dict of str to DataFrame
        The rows of this study, of each table.
    plots, results : Path
        Folders of pictures and of studies.
    manifest : dict
        Of its dataset.

    Raises
    ------
    HeldoutError
        An audit or a picture is missing or damaged.
    """
    name = str(study["study"])
    folder = plots / name
    answer = records(tables["answers"])[0]
    gaps = tables["inflation"]
    gaps = gaps[(gaps["protocol"] == study["primary"]) & (gaps["metric"] == "macro_f1")]
    board = tables["leaderboard"]
    alt = f"{study['title']}: " + "; ".join(
        f"{display(row['architecture'])} honest {row['honest']:.2f}, random {row['random']:.2f}"
        for row in records(gaps)
    )
    return {
        "id": name,
        "title": str(study["title"]),
        "question": str(study["question"]),
        "simulated": bool(study["simulated"]),
        "dataset": str(study["dataset"]),
        "version": manifest.get("version") or "",
        "example_kind": str(study["example_kind"]),
        "notes": [str(note) for note in manifest.get("notes") or []],
        "classes": [str(label) for label in study["classes"]],
        "scored": [str(label) for label in study["scored"]],
        "primary": str(study["protocols"][study["primary"]]["title"]),
        "answer": _answer(answer),
        "inflation_alt": alt + ".",
        "leaderboard": _main_board(study, board, gaps),
        "differences": _differences(study, tables["differences"]),
        "trials": _trials(study, tables["trials"]),
        "per_class": _per_class(study, tables["per_class"], str(answer["architecture"])),
        "protocols": [
            _protocol(study, protocol, board=board, folder=folder, results=results)
            for protocol in study["protocols"]
        ],
        "inflation": figure(
            folder / "inflation",
            name=f"{name}-inflation",
            alt=alt + ".",
            caption="Honest split (filled) and random split (hollow), with 95 % intervals.",
        ),
        "examples": figure(
            folder / "examples",
            name=f"{name}-examples",
            alt=f"A few network inputs of each class: {', '.join(map(str, study['classes']))}.",
            caption=f"What the networks see ({study['example_kind']}): a few examples of each "
            "class, of different groups.",
        ),
    }


def _answer(row: dict[str, Any]) -> dict[str, Any]:
    """Write the numbers of the one sentence that answers the study."""

    def known(*names: str) -> bool:
        return all(isinstance(row.get(n), (int, float)) and math.isfinite(row[n]) for n in names)

    def shown(name: str) -> str:
        return f"{row[name]:.2f}" if known(name) else ""

    gap = row["random_macro_f1"] - row["macro_f1"] if known("random_macro_f1", "macro_f1") else None
    winners = [display(name) for name in str(row["networks_that_beat"]).split()]
    return {
        "network": display(str(row["architecture"])),
        "score": shown("macro_f1"),
        "low": shown("low") if known("low", "high") else "",
        "high": shown("high") if known("low", "high") else "",
        "note": str(row["interval_note"]),
        "groups": f"{int(row['groups']):,}",
        "random": shown("random_macro_f1"),
        "gap": "" if gap is None else f"{abs(gap):.2f}",
        "inflated": gap is not None and gap > 0,
        "baseline": display(str(row["baseline"])) if row["baseline"] else "",
        "baseline_score": shown("baseline_macro_f1"),
        "beats": str(row["beats_baselines"]),
        "winners": winners,
        "difference": shown("difference"),
        "difference_low": shown("difference_low"),
        "difference_high": shown("difference_high"),
        "remark": str(row["note"]),
    }


def _name(row: Mapping[str, Any]) -> Cell:
    return text(
        display(str(row["architecture"])),
        note="baseline" if row["kind"] == "baseline" else "",
        tone=str(row["architecture"]) if row["kind"] == "network" else "baseline",
    )


def _main_board(study: Mapping[str, Any], board: pd.DataFrame, gaps: pd.DataFrame) -> TableView:
    """Give a row per model: honest, random, inflation, then other metrics of the honest split."""
    primary = board[(board["protocol"] == study["primary"]) & (board["unit"] == "example")]
    by_name = {row["architecture"]: row for row in records(gaps)}
    others = ("accuracy", "balanced_accuracy", "log_loss")
    rows = []
    for name, some in primary.groupby("architecture", sort=False):
        metrics = {row["metric"]: row for row in records(some)}
        gap = by_name.get(str(name))
        main = metrics["macro_f1"]
        cells = [_name(main), interval(main, note=main["interval_note"], bar=True)]
        if gap:
            cells.append(interval(gap, names=("random", "random_low", "random_high")))
            ends = ("difference", "low", "high")
            cells.append(interval(gap, names=ends, note=str(gap["note"]), sign=True))
        cells += [interval(metrics[n], note=_exactness(metrics[n])) for n in others]
        rows.append(sorted_key(cells, main["estimate"]))
    rows.sort(key=lambda pair: -pair[0])
    columns = ["Model", "Macro-F1, honest"]
    columns += ["Macro-F1, random", "Inflation"] if by_name else []
    title = study["protocols"][study["primary"]]["title"]
    return TableView(
        f"{study['study']}-leaderboard",
        f"Leaderboard on the test part under the honest split ({title}), beside the random one. "
        "Means over seeds; small numbers are 95 % intervals over groups.",
        [*columns, "Accuracy", "Balanced accuracy", "Log loss (nats)"],
        [cells for _, cells in rows],
    )


def sorted_key(cells: list[Cell], score: float) -> tuple[float, list[Cell]]:
    """Pair a row with what it sorts by; rows without a score come last."""
    return (score if math.isfinite(score) else -math.inf, cells)


def _exactness(row: Mapping[str, Any]) -> str:
    return str(row["interval_note"])


def _differences(study: Mapping[str, Any], table: pd.DataFrame) -> TableView | None:
    some = table[(table["protocol"] == study["primary"]) & (table["metric"] == "macro_f1")]
    if some.empty:
        return None
    rows = [
        [
            text(display(row["a"])),
            text(display(row["b"])),
            interval(row, names=("difference", "low", "high"), note=row["note"], sign=True),
            number(row["p_holm"]),
            text(_verdict(row)),
        ]
        for row in records(some)
    ]
    return TableView(
        f"{study['study']}-differences",
        "Differences in macro-F1 under the honest split, paired by group; p values after Holm's "
        "correction for all pairs of this table.",
        ["Model", "against", "Difference", "p (Holm)", "Verdict"],
        rows,
    )


def _verdict(row: Mapping[str, Any]) -> str:
    if math.isnan(row["p_holm"]):
        return "cannot be told"
    if row["p_holm"] > 0.05:
        return "no difference shown"
    return f"{display(row['a'] if row['difference'] > 0 else row['b'])} is better"


def _trials(study: Mapping[str, Any], table: pd.DataFrame) -> TableView | None:
    if table.empty:
        return None
    # A column that no trial of this study fills belongs to another study's search.
    table = table.dropna(axis=1, how="all")
    table = table[[c for c in table.columns if c == "chosen" or (table[c].astype(str) != "").any()]]
    scores = [n for n in ("val_loss", "val_accuracy", "val_macro_f1") if n in table.columns]
    skip = {"study", "architecture", "trial", "chosen", *scores}
    settings = [name for name in table.columns if name not in skip]
    if "val_loss" in scores:
        # By what the search chooses by, so that the chosen trial stands first.
        table = table.sort_values(["architecture", "val_loss"], kind="stable")
    rows = []
    for row in records(table.head(MOST_TRIALS)):
        chosen = str(row["chosen"]).lower() == "true"
        cells = [
            text(display(row["architecture"]), tone=str(row["architecture"])),
            text(row["trial"], note="chosen" if chosen else "", tone="chosen" if chosen else ""),
            *(number(row[score]) for score in scores),
            *(_setting(row[name]) for name in settings),
        ]
        rows.append(cells)
    heads = [name.replace("val_", "").replace("_", " ") + " (validation)" for name in scores]
    return TableView(
        f"{study['study']}-trials",
        "Every trial of the search, which saw the train and validation parts of the honest split "
        "alone"
        + (f"; the first {MOST_TRIALS} of {len(table)}." if len(table) > MOST_TRIALS else "."),
        ["Model", "Trial", *heads, *(name.replace("_", " ") for name in settings)],
        rows,
    )


def _setting(value: Any) -> Cell:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value == value:
        return Cell(f"{value:g}", repr(value), numeric=True)
    return text(value)


def _per_class(study: Mapping[str, Any], table: pd.DataFrame, best: str) -> TableView:
    some = table[(table["protocol"] == study["primary"]) & (table["architecture"] == best)]
    rows = []
    for row in records(some):
        outside = "" if str(row["scored"]).lower() == "true" else "not in the macro average"
        rows.append(
            [
                text(row["label"], note=outside),
                number(row["support"], digits=0),
                number(row["sensitivity"], note=row["note"]),
                number(row["ppv"], note=row["note"]),
                number(row["f1"]),
            ]
        )
    return TableView(
        f"{study['study']}-per-class",
        f"Classes under the honest split, as the {display(best)} tells them (the network chosen on "
        "validation; means over seeds).",
        ["Class", "Test examples", "Sensitivity", "Positive predictive value", "F1"],
        rows,
    )


def _protocol(
    study: Mapping[str, Any], protocol: str, *, board: pd.DataFrame, folder: Path, results: Path
) -> dict[str, Any]:
    name = str(study["study"])
    settings = study["protocols"][protocol]
    audit = read_json(results / name / protocol / "audit.json")
    title = str(settings["title"])
    pictures = {
        "learning_curves": "Loss and accuracy of every seed and fold while training; the dot is "
        "the epoch that was kept.",
        "confusion": "Rows are true classes: the share of each row and, below, the mean number of "
        "test examples over seeds.",
        "class_counts": "Examples of each class in each part, the mean over folds.",
    }
    return {
        "id": f"{name}-split-{protocol}",
        "name": protocol,
        "title": title,
        "honest": bool(settings["honest"]),
        "board": _full_board(name, protocol, title, board[board["protocol"] == protocol]),
        "audit": audit,
        "parts": _parts(name, protocol, audit),
        **{
            kind: figure(
                folder / f"{kind}_{protocol}",
                name=f"{name}-{kind}-{protocol}",
                alt=f"{study['title']}, split {title}: {caption}",
                caption=caption,
            )
            for kind, caption in pictures.items()
        },
    }


def _full_board(study: str, protocol: str, title: str, board: pd.DataFrame) -> TableView:
    metrics = [name for name in BOARD if name in set(board["metric"])]
    units = board["unit"].nunique() > 1
    rows = []
    for (_, unit), some in board.groupby(["architecture", "unit"], sort=False):
        found = {row["metric"]: row for row in records(some)}
        first = records(some)[0]
        cells = [_name(first)]
        if units:
            cells.append(text(unit))
        cells += [interval(found[name], note=_short(found[name])) for name in metrics]
        rows.append(cells)
    first = records(board)[0]
    return TableView(
        f"{study}-{protocol}-metrics",
        f"Every metric of the test part, split {title}: {first['examples']:,} examples of "
        f"{first['groups']:,} groups, {first['folds']} fold(s).",
        ["Model", *(["Judged by"] if units else []), *(metric_name(name) for name in metrics)],
        rows,
    )


def _short(row: Mapping[str, Any]) -> str:
    """Leave out what the table's page says once: which metrics never have an interval."""
    note = str(row["interval_note"])
    return "" if note.startswith("no interval: it is not made") else note


def _parts(study: str, protocol: str, audit: Mapping[str, Any]) -> TableView:
    classes = list(dict.fromkeys(label for part in audit["parts"] for label in part["classes"]))
    rows = [
        [
            number(part["fold"], digits=0),
            text(part["part"]),
            number(part["examples"], digits=0),
            number(part["groups"], digits=0),
            *(number(part["classes"].get(label, 0), digits=0) for label in classes),
        ]
        for part in audit["parts"]
    ]
    return TableView(
        f"{study}-{protocol}-parts",
        "Examples and groups of each part, and examples of each class.",
        ["Fold", "Part", "Examples", "Groups", *classes],
        rows,
    )
