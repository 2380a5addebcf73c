"""What the page says of one study."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from lib.files import read_json
from lib.plots.style import display
from lib.report import boards, hyperparameters
from lib.report.exploration import classes_table, remarks
from lib.report.figures import FigureView, figure
from lib.report.table import TableView, minus, number, records, text

# Of each split.
PICTURES = {
    "confusion": "Rows are true classes: the share of each row and, below, the mean number of "
    "test examples over seeds.",
    "learning_curves": "Loss and accuracy of every seed and fold while training; the dot is "
    "the epoch that was kept.",
    "calibration": "Confidence beside the share that is right: below the diagonal a network is "
    "too sure of itself. A larger dot stands for more examples, a line for the 95 % interval.",
    "class_counts": "Examples of each class in each part, the mean over folds.",
}


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
    gaps = records(boards.primary_rows(study, tables["inflation"]))
    board = tables["leaderboard"]
    exploration = read_json(results / name / "exploration.json")
    alt = f"{study['title']}: " + "; ".join(
        f"{display(row['architecture'])} honest {row['honest']:.2f}, random {row['random']:.2f}"
        for row in gaps
    )

    def picture(kind: str, words: str, caption: str) -> FigureView | None:
        return figure(folder / kind, name=f"{name}-{kind}", alt=words, caption=caption)

    return {
        "id": name,
        "title": str(study["title"]),
        "question": str(study["question"]),
        "simulated": bool(study["simulated"]),
        "dataset": _dataset(study, manifest),
        "version": manifest.get("version") or "",
        "own": manifest.get("source") == "folder",
        "cautions": [str(caution) for caution in manifest.get("cautions") or []],
        "example_kind": str(study["example_kind"]),
        "notes": [*map(str, manifest.get("notes") or []), *remarks(exploration)],
        "exploration": classes_table(name, exploration),
        "classes": [str(label) for label in study["classes"]],
        "scored": [str(label) for label in study["scored"]],
        "primary": str(study["protocols"][study["primary"]]["title"]),
        "answer": _answer(answer, gaps),
        "inflation_alt": alt + ".",
        "leaderboard": boards.main_board(study, tables),
        "metrics": boards.full_board(study, board),
        "differences": boards.differences(study, tables["differences"]),
        "folds": boards.fold_tests(study, tables["folds"]),
        "per_class": boards.per_class(study, tables["per_class"], str(answer["architecture"])),
        "aami": boards.aami(study, tables["aami"]),
        "agreement": boards.agreement(study, tables["agreement"]),
        "hyperparameters": hyperparameters.chosen(study, tables["trials"]),
        "trials": hyperparameters.trials(study, tables["trials"]),
        "importance_table": hyperparameters.importance(study, tables["importance"]),
        "protocols": [
            _protocol(study, protocol, folder=folder, results=results)
            for protocol in sorted(study["protocols"], key=lambda name: name != study["primary"])
        ],
        "inflation": picture(
            "inflation", alt + ".", "Honest split (filled) and random split (hollow), with 95 % "
            "intervals over groups.",
        ),
        "examples": picture(
            "examples",
            f"A few network inputs of each class: {', '.join(map(str, study['classes']))}.",
            f"What the networks see ({study['example_kind']}): a few examples of each class, of "
            "different groups.",
        ),
        "mean": picture(
            "mean",
            f"The mean example of each class: {', '.join(map(str, study['classes']))}.",
            "The mean example of each class, every group counted once"
            + ("; the band is one standard deviation between groups."
               if study["input"]["aligned"]
               else "; each feature is on its own scale, the same for all classes."),
        ),
        "pareto": picture(
            "pareto",
            f"{study['title']}: macro-F1 of every model over its parameters, size, training time "
            "and prediction time.",
            "Quality over cost. A model on the line is not beaten in both by any other (Pareto "
            "front); the others cost more than a model that is at least as good.",
        ),
        "importance": picture(
            "importance",
            f"{study['title']}: how much each hyperparameter mattered, per architecture; the "
            "numbers are in the table that follows.",
            "Which hyperparameters mattered in the search.",
        ),
    }  # fmt: skip


def _dataset(study: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """Name the dataset; a person's own folder has a name of its own, and ours for it says less."""
    own = manifest.get("source") == "folder"
    return f"folder {manifest['title']}" if own else str(study["dataset"])


def _answer(row: dict[str, Any], gaps: list[dict[str, Any]]) -> dict[str, Any]:
    """Write the numbers of the one sentence that answers the study.

    `inflation` says what a random split does to the chosen network: `up` or `down` where the
    interval of the difference leaves out 0, else `unclear`, and empty without a random split.
    """

    def known(*names: str) -> bool:
        return all(isinstance(row.get(n), (int, float)) and math.isfinite(row[n]) for n in names)

    def shown(name: str) -> str:
        return f"{row[name]:.2f}" if known(name) else ""

    gap: dict[str, Any] = next(
        (one for one in gaps if one["architecture"] == row["architecture"]), {}
    )
    inflation = ""
    if gap and math.isfinite(gap["difference"]):
        inflation = "unclear"
        if gap["low"] > 0 or gap["high"] < 0:
            inflation = "up" if gap["difference"] > 0 else "down"
    winners = [display(name) for name in str(row["networks_that_beat"]).split()]
    return {
        "network": display(str(row["architecture"])),
        "score": shown("macro_f1"),
        "low": shown("low") if known("low", "high") else "",
        "high": shown("high") if known("low", "high") else "",
        "note": str(row["interval_note"]),
        "groups": f"{int(row['groups']):,}",
        "random": shown("random_macro_f1"),
        "inflation": inflation,
        "gap": _signed(gap.get("difference")),
        "gap_low": _signed(gap.get("low")),
        "gap_high": _signed(gap.get("high")),
        "baseline": display(str(row["baseline"])) if row["baseline"] else "",
        "baseline_score": shown("baseline_macro_f1"),
        "beats": str(row["beats_baselines"]),
        "winners": winners,
        "difference": shown("difference"),
        "difference_low": shown("difference_low"),
        "difference_high": shown("difference_high"),
        "remark": str(row["note"]),
    }


def _signed(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return ""
    return minus(f"{round(value, 2) + 0.0:+.2f}")


def _protocol(
    study: Mapping[str, Any], protocol: str, *, folder: Path, results: Path
) -> dict[str, Any]:
    name = str(study["study"])
    settings = study["protocols"][protocol]
    audit = read_json(results / name / protocol / "audit.json")
    title = str(settings["title"])
    return {
        "id": f"{name}-split-{protocol}",
        "name": protocol,
        "title": title,
        "honest": bool(settings["honest"]),
        "primary": protocol == study["primary"],
        "audit": audit,
        "parts": _parts(name, protocol, audit),
        "pictures": [
            figure(
                folder / f"{kind}_{protocol}",
                name=f"{name}-{kind}-{protocol}",
                alt=f"{study['title']}, split {title}: {caption}",
                caption=caption,
            )
            for kind, caption in PICTURES.items()
        ],
    }


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
