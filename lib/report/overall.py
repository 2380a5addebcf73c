"""The parts of the page over all studies: ranks, claims, costs, and what made these numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lib.plots.style import display
from lib.report.names import metric_name
from lib.report.table import (
    Cell,
    Row,
    TableView,
    duration,
    interval,
    is_true,
    network,
    number,
    records,
    tabulate,
    text,
)


def claims_table(claims: pd.DataFrame, studies: Sequence[Mapping[str, Any]]) -> TableView | None:
    """Show published numbers beside ours; None where nothing was published."""
    if claims.empty:
        return None
    titles = {str(study["study"]): str(study["title"]) for study in studies}

    def ours(claim: Row, name: str, start: str) -> Cell:
        measured = claim[name] == claim[name]
        names = (name, f"{start}_low", f"{start}_high")
        return interval(claim, names=names, note="" if measured else "not measured")

    return tabulate(
        "claims",
        "Published results, with the split they were measured on, beside ours under the same "
        "kind of split and under the honest one. The test sets differ, so compare orders of "
        "magnitude only. A number that is not valid does not measure what it claims to; the "
        "remark gives the reason.",
        {
            "Study": lambda claim: text(
                titles[claim["study"]],
                note="simulated recordings" if is_true(claim["simulated"]) else "",
            ),
            "Source": lambda claim: text(claim["source"]),
            "Model": lambda claim: text(claim["architecture"]),
            "Split": lambda claim: text(claim["split"], note=str(claim["test_size"])),
            "Disjoint groups": lambda claim: _disjoint(claim["group_disjoint"]),
            "Metric": lambda claim: text(metric_name(claim["metric"])),
            "Claimed": lambda claim: number(
                claim["value"], note="" if is_true(claim["valid"]) else "not valid"
            ),
            "Valid": lambda claim: _yes(is_true(claim["valid"])),
            "Ours": lambda claim: text(display(claim["our_architecture"])),
            "Same split": lambda claim: ours(claim, "same_split", "same"),
            "Honest split": lambda claim: ours(claim, "honest", "honest"),
            "Remark": lambda claim: text(claim["note"], note=claim["our_note"]),
        },
        records(claims),
        filters=("Study", "Disjoint groups", "Valid"),
    )


def _disjoint(value: Any) -> Cell:
    """Say whether each group of a published split was in one set only."""
    return _yes(is_true(value)) if str(value).lower() in ("true", "false") else text("not stated")


def _yes(value: bool) -> Cell:
    return text("yes") if value else text("no", tone="bad")


def costs_table(costs: pd.DataFrame, studies: Sequence[Mapping[str, Any]]) -> TableView:
    """Show the median cost of each architecture in each study."""
    titles = {str(study["study"]): str(study["title"]) for study in studies}
    numbers = ["parameters", "model_kb", "epochs", "train_seconds", "predict_seconds"]
    rows = [
        {
            "study": titles[str(study)],
            "model": display(str(name)),
            **some[numbers].apply(pd.to_numeric, errors="coerce").median(),
            "devices": _devices(some),
        }
        for (study, name), some in costs.groupby(["study", "architecture"], sort=False)
    ]
    return tabulate(
        "costs",
        "The cost of each model: medians over splits, seeds and folds.",
        {
            "Study": lambda row: text(row["study"]),
            "Model": lambda row: text(row["model"]),
            "Parameters": lambda row: number(row["parameters"], digits=0),
            "Size (KB)": lambda row: number(row["model_kb"], digits=0),
            "Epochs": lambda row: number(row["epochs"], digits=0),
            "Training": lambda row: duration(row["train_seconds"]),
            "Prediction of one example": lambda row: duration(row["predict_seconds"]),
            "Device": lambda row: text(row["devices"]),
        },
        rows,
        filters=("Study",),
    )


def _devices(costs: pd.DataFrame) -> str:
    """Name what computed: how many of which device, and mixed precision with what it changed."""
    names = set()
    for row in records(costs[costs["device"] != ""]):
        several = f"{int(row['devices'])} × " if row["devices"] > 1 else ""
        name = f"{several}{row['device']}"
        if str(row["precision"]).startswith("mixed"):
            effects = pd.to_numeric(
                costs.loc[costs["precision"] == row["precision"], "precision_macro_f1"]
            ).abs()
            name += f", {row['precision']} (macro-F1 changed by up to {effects.max():.2g})"
        names.add(name)
    return "; ".join(sorted(names))


def licences(manifests: Sequence[Mapping[str, Any]]) -> TableView:
    """Show source, version, licence and citation of each dataset."""
    return tabulate(
        "licences",
        "Where the recordings come from, and how to cite them. The checksum covers the list of all "
        "files and their own checksums, which resources/data holds.",
        {
            "Dataset": lambda row: text(row["dataset"]),
            "Source": lambda row: text(row["source"], tone="bad" if row["simulated"] else ""),
            "Version": lambda row: text(row["version"]),
            "Licence": lambda row: text(row["licence"]),
            "Files": lambda row: number(len(row["files"]), digits=0),
            "MB": lambda row: number(sum(f["bytes"] for f in row["files"]) / 1e6, digits=1),
            "SHA-256": lambda row: text(_digest_of_files(row["files"])),
            "Citation": lambda row: text("; ".join(row["citation"])),
        },
        manifests,
    )


def _digest_of_files(files: Sequence[Mapping[str, Any]]) -> str:
    """Compute one checksum for all files of a dataset, in the order of their names."""
    lines = sorted(f"{file['sha256']}  {file['path']}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest() if files else ""


def ranks_table(ranks: pd.DataFrame) -> TableView | None:
    """Show the mean rank of every architecture, and the result of Friedman's test."""
    if ranks.empty:
        return None
    return tabulate(
        "ranks",
        "Mean ranks by macro-F1 under the honest split (1 is best), Friedman's χ², the F of Iman "
        "and Davenport, and the critical difference of the Nemenyi test at 5% (Demšar 2006).",
        {
            "Over": lambda row: text(row["scope"]),
            "Model": network,
            "Mean rank": lambda row: number(row["mean_rank"], digits=2),
            "Blocks": lambda row: number(row["blocks"], digits=0),
            "χ²": lambda row: number(row["chi2"], digits=2),
            "F": lambda row: number(row["f"], digits=2),
            "p": lambda row: number(row["p"]),
            "Critical difference": lambda row: number(row["critical_difference"], digits=2),
        },
        records(ranks),
    )


def rank_remarks(ranks: pd.DataFrame) -> list[str]:
    """List what must be said beside each ranking: what it is over, and how little it can show."""
    notes = dict.fromkeys(
        (str(row["scope"]), str(row["note"])) for row in records(ranks) if row["note"]
    )
    return [f"Ranks over {scope}: {note}." for scope, note in notes]


def provenance_tables(provenance: Mapping[str, Any]) -> list[TableView]:
    """Build one table of single facts, then one for each dictionary."""
    facts = {name: value for name, value in provenance.items() if not isinstance(value, Mapping)}
    if isinstance(provenance.get("config"), Mapping):
        facts["config, SHA-256"] = _digest(provenance["config"])
    tables = [_facts("provenance", "This report.", facts)] if facts else []
    for name, values in provenance.items():
        if not isinstance(values, Mapping) or not values:
            continue
        if name == "durations":
            times = {key: duration(float(value)) for key, value in values.items()}
            tables.append(_facts(name, "Time taken by each stage, summed over its jobs.", times))
        else:
            tables.append(_facts(name, name.replace("_", " ").capitalize() + ".", _flat(values)))
    return tables


def _digest(config: Mapping[str, Any]) -> str:
    """Compute a short name of a configuration: two reports of the same one show the same."""
    words = json.dumps(config, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def _flat(values: Mapping[str, Any], start: str = "") -> dict[str, Any]:
    """Join the keys of nested dictionaries by dots."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        nested = isinstance(value, Mapping) and value
        flat |= _flat(value, f"{start}{name}.") if nested else {f"{start}{name}": value}
    return flat


def _facts(name: str, caption: str, values: Mapping[str, Any]) -> TableView:
    return tabulate(
        name,
        caption,
        {
            "Item": lambda fact: text(fact["name"]),
            "Value": lambda fact: fact["value"],
        },
        [
            {"name": key, "value": value if isinstance(value, Cell) else text(str(value))}
            for key, value in values.items()
        ],
    )
