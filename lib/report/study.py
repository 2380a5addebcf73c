"""What the page says of one study."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lib.files import read_json
from lib.plots.scores import primary_rows
from lib.plots.style import display
from lib.report import boards, hyperparameters
from lib.report.choices import choices_view, worst_choice
from lib.report.exploration import cautions, classes_table, context_table, remarks, suspects_table
from lib.report.groups import groups_view, held_by_one, subgroups_view
from lib.report.names import listed, unfinished_networks
from lib.report.shortcuts import shortcuts_view
from lib.report.sites import sites_view
from lib.report.table import TableView, number, records, text
from lib.statistics.bootstrap import ALPHA

# How a sentence names what is known without listening, and what to do where it tells the class.
_METADATA = {
    "rate": ("the sampling rate", "Compare recordings of one rate, or record all classes alike."),
    "duration": ("the duration", "Cut all recordings to one length before the run."),
    "channels": ("the number of channels", "Compare recordings with as many channels."),
    "level": ("the level", "Scale each recording to one level before the run."),
}


def study_view(
    study: Mapping[str, Any],
    *,
    tables: Mapping[str, pd.DataFrame],
    results: Path,
    manifest: Mapping[str, Any],
) -> dict[str, Any]:
    """Collect everything that the template shows of a study, except for its pictures.

    Parameters
    ----------
    study : dict
        A study as `lib.report.render` takes it.
    tables : dict of str to DataFrame
        The rows of this study, of each table.
    results : Path
        The folder of studies.
    manifest : dict
        Of its dataset.

    Raises
    ------
    HeldoutError
        An audit or the exploration is missing or damaged.
    """
    name = str(study["study"])
    answer = records(tables["answers"])[0]
    gaps = records(primary_rows(study, tables["inflation"]))
    exploration = read_json(results / name / "exploration.json")
    own = manifest.get("source") == "folder"
    splits = [
        _split(study, protocol, results=results)
        for protocol in sorted(study["protocols"], key=lambda name: name != study["primary"])
    ]
    return {
        **study,
        "id": name,
        "processing": str(study.get("processing", "")),
        # A person's own folder has a name of its own, which says more than ours for it.
        "dataset": f"folder {manifest['title']}" if own else study["dataset"],
        "version": manifest.get("version") or "",
        "own": own,
        "cautions": [
            *map(str, manifest.get("cautions") or []),
            *cautions(exploration),
            *_untaught(study, splits[0]["audit"]),
        ],
        "notes": [*map(str, manifest.get("notes") or []), *remarks(exploration)],
        "suspects": suspects_table(name, exploration),
        "exploration": classes_table(name, exploration),
        "context": context_table(name, exploration),
        "answer": answered(
            answer,
            gaps,
            held=held_by_one(study, tables["per_class"]),
            selected=worst_choice(tables["selection"]),
        ),
        "gaps": [{**row, "name": display(row["architecture"])} for row in gaps],
        "leaderboard": boards.main_board(study, tables),
        "metrics": boards.full_board(study, tables["leaderboard"]),
        "differences": boards.differences(study, tables["differences"]),
        "folds": boards.fold_tests(study, tables["folds"]),
        "per_class": boards.per_class(study, tables["per_class"], str(answer["architecture"])),
        "groups": groups_view(
            study,
            means=tables["group_means"],
            groups=tables["groups"],
            best=str(answer["architecture"]),
        ),
        "subgroups": subgroups_view(study, tables["subgroups"], str(answer["architecture"])),
        "sites": sites_view(study, tables["sites"], str(answer["architecture"])),
        "choices": choices_view(
            study, validation=tables["validation"], selection=tables["selection"]
        ),
        "shortcuts": shortcuts_view(
            study,
            shortcuts=tables["shortcuts"],
            permutations=tables["permutations"],
            costs=tables["costs"],
        ),
        "aami": boards.aami(study, tables["aami"]),
        "agreement": boards.agreement(study, tables["agreement"]),
        "hyperparameters": hyperparameters.chosen(study, tables["trials"]),
        "trials": hyperparameters.trials(study, tables["trials"]),
        "importance": hyperparameters.importance(study, tables["importance"]),
        "splits": splits,
    }


def answered(
    row: dict[str, Any],
    gaps: list[dict[str, Any]],
    *,
    held: Sequence[Mapping[str, Any]] = (),
    selected: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Add to a row of answers.csv what the sentences that answer the study say.

    `gap` is the row of inflation.csv of the chosen network, and `inflation` says what the data show
    of the random split: `up` or `down` where the interval of the difference excludes 0, `unclear`
    where it does not, `untested` where there is no interval, and nothing without a difference.
    """
    gap = next((one for one in gaps if one["architecture"] == row["architecture"]), None)
    # The tables of the findings may be of an earlier version.
    row = {"metadata_suffices": "", "metadata_column": "", "rival": ""} | row
    row = dict.fromkeys(("detectable", "groups_needed"), math.nan) | row
    column = str(row["metadata_column"])
    told, advice = _METADATA.get(
        column,
        (
            column,
            f"Where {column} says how, where or when a recording was made, record all classes "
            "alike, or make it the group; tell it to no network, unless the classes really differ "
            "so.",
        ),
    )
    inflation = ""
    if gap and math.isfinite(gap["difference"]):
        if math.isnan(gap["low"]):
            inflation = "untested"
        elif gap["low"] <= 0 <= gap["high"]:
            inflation = "unclear"
        else:
            inflation = "up" if gap["difference"] > 0 else "down"
    return row | {
        "network": display(str(row["architecture"])),
        "inflation": inflation,
        "gap": gap,
        "held": held,
        "selected": selected,
        # Networks of which one has not converged are not compared.
        "untold": bool(row["rival"]) and not row["unfinished"] and row["rival_p_holm"] > ALPHA,
        "rival": display(str(row["rival"])),
        "baseline": display(str(row["baseline"])) if row["baseline"] else "",
        "metadata_tell": row["metadata_suffices"] in ("yes", "unknown"),
        "metadata_by": told,
        "metadata_advice": advice,
        "unfinished": unfinished_networks(str(row["unfinished"])),
        "below": [display(name) for name in str(row["below_linear"]).split()],
        "is_below": str(row["architecture"]) in str(row["below_linear"]).split(),
        "winners": [display(name) for name in str(row["networks_that_beat"]).split()],
    }


def _split(study: Mapping[str, Any], protocol: str, *, results: Path) -> dict[str, Any]:
    name = str(study["study"])
    audit = read_json(results / name / protocol / "audit.json")
    return {
        **study["protocols"][protocol],
        "id": f"{name}-split-{protocol}",
        "name": protocol,
        "primary": protocol == study["primary"],
        "audit": audit,
        "parts": _parts(name, protocol, audit),
    }


def _untaught(study: Mapping[str, Any], audit: Mapping[str, Any]) -> list[str]:
    """Say which classes the primary split tests on that no network could learn."""
    gone = {(one["fold"], one["part"], one["class"]) for one in audit["missing_classes"]}
    # Before the test some networks are trained on the validation set too.
    learned = ["train"]
    if all(budget["refit"] for budget in study["budgets"].values()):
        learned.append("validation")
    folds: dict[str, list[str]] = {}
    for fold, part, label in sorted(gone):
        untaught = part == "train" and all((fold, one, label) in gone for one in learned)
        if untaught and (fold, "test", label) not in gone and label in study["scored"]:
            folds.setdefault(label, []).append(str(fold))
    return [
        f"Nothing could be learned of the class {label}, which is tested on: the training set of "
        f"fold {listed(numbers)} has no example of it. Add groups of that class, use fewer folds, "
        "or leave it out."
        for label, numbers in folds.items()
    ]


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
        "Examples and groups of each set, and examples of each class.",
        ["Fold", "Set", "Examples", "Groups", *classes],
        rows,
    )
