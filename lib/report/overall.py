"""The parts of the page over all studies: ranks, claims, costs, and what made these numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from lib.plots.style import display
from lib.report.names import metric_name
from lib.report.table import Cell, TableView, interval, number, records, seconds, text


def claims_table(claims: pd.DataFrame, studies: Sequence[Mapping[str, Any]]) -> TableView | None:
    """Put what was published beside what we measured; None where nothing was."""
    if claims.empty:
        return None
    titles = {str(study["study"]): str(study["title"]) for study in studies}
    rows = []
    for claim in records(claims):
        valid = str(claim["valid"]).lower() == "true"
        same = ("same_split", "same_low", "same_high")
        run = "simulated recordings" if str(claim["simulated"]).lower() == "true" else ""
        rows.append(
            [
                text(titles[claim["study"]], note=run),
                _breakable(claim["source"]),
                text(claim["architecture"]),
                text(claim["split"], note=str(claim["test_size"])),
                _apart(claim["group_disjoint"]),
                text(metric_name(claim["metric"])),
                number(claim["value"], note="" if valid else "not valid"),
                text("yes" if valid else "no", tone="" if valid else "bad"),
                text(display(claim["our_architecture"])),
                interval(claim, names=same, note=_missing(claim, "same_split")),
                interval(
                    claim,
                    names=("honest", "honest_low", "honest_high"),
                    note=_missing(claim, "honest"),
                ),
                text(claim["note"], note=claim["our_note"]),
            ]
        )
    columns = ["Study", "Source", "Model", "Split", "Groups apart", "Metric", "Claimed", "Valid"]
    return TableView(
        "claims",
        "What has been published, with the split it was measured on, beside ours under the same "
        "kind of split and under the honest one. Test sets differ, so only orders of size compare. "
        "A number that is not valid measures something else than it says; the remark gives the "
        "reason.",
        [*columns, "Ours", "Same split", "Honest split", "Remark"],
        rows,
        filters=(0, 4, 7),
    )


def _apart(value: Any) -> Cell:
    """Say whether the groups of a published split were on one side each."""
    known = str(value).lower()
    if known not in ("true", "false"):
        return text("not stated")
    return text("yes") if known == "true" else text("no", tone="bad")


def _breakable(source: Any) -> Cell:
    """Let an address break after its strokes: it would push the numbers off the page."""
    cell = text(source)
    return replace(cell, text=cell.text.replace("/", "/\u200b"))


def _missing(claim: Mapping[str, Any], name: str) -> str:
    if claim[name] == claim[name]:
        return ""
    return "not measured"


def costs_table(costs: pd.DataFrame, studies: Sequence[Mapping[str, Any]]) -> TableView:
    """Give the median cost of each architecture in each study."""
    titles = {str(study["study"]): str(study["title"]) for study in studies}
    rows = []
    numbers = ["parameters", "model_kb", "epochs", "train_seconds", "predict_seconds"]
    grouped = costs.groupby(["study", "architecture"], sort=False)
    for (study, name), some in grouped:
        middle = some[numbers].apply(pd.to_numeric, errors="coerce").median()
        rows.append(
            [
                text(titles[str(study)]),
                text(display(str(name))),
                number(middle["parameters"], digits=0),
                number(middle["model_kb"], digits=0),
                number(middle["epochs"], digits=0),
                _time(middle["train_seconds"]),
                _time(middle["predict_seconds"]),
                text(_devices(some)),
            ]
        )
    return TableView(
        "costs",
        "What each model costs: the median over splits, seeds and folds.",
        [
            *("Study", "Model", "Parameters", "Size (KB)", "Epochs"),
            *("Training", "Prediction of one example", "Device"),
        ],
        rows,
        filters=(0,),
    )


def _devices(costs: pd.DataFrame) -> str:
    """Name what computed: how many of which device, and mixed precision with what it changed."""
    found: dict[str, None] = {}
    for row in records(costs[costs["device"] != ""]):
        many = f"{int(row['devices'])} × " if row["devices"] == row["devices"] else ""
        name = f"{many if not many.startswith('1 ') else ''}{row['device']}"
        if str(row["precision"]).startswith("mixed"):
            effects = pd.to_numeric(
                costs.loc[costs["precision"] == row["precision"], "precision_macro_f1"]
            ).abs()
            name += f", {row['precision']} (macro-F1 changed by up to {effects.max():.2g})"
        found[name] = None
    return "; ".join(sorted(found))


def _time(value: float) -> Cell:
    if value != value:
        return number(None)
    return Cell(seconds(value), repr(float(value)), numeric=True)


def licences(manifests: Sequence[Mapping[str, Any]]) -> TableView:
    """Give source, version, licence and citation of each dataset."""
    rows = []
    for manifest in manifests:
        cited = manifest.get("citation") or []
        files = manifest.get("files") or []
        rows.append(
            [
                text(manifest["dataset"]),
                text(manifest.get("source"), tone="bad" if manifest.get("simulated") else ""),
                text(manifest.get("version")),
                text(manifest.get("licence")),
                number(len(files), digits=0),
                number(sum(int(file["bytes"]) for file in files) / 1e6, digits=1),
                text(_digest_of_files(files)),
                text("; ".join(cited if isinstance(cited, list) else [str(cited)])),
            ]
        )
    return TableView(
        "licences",
        "Where the recordings are from, and whom to cite. The checksum is over the list of all "
        "files with theirs, which resources/data holds.",
        ["Dataset", "Source", "Version", "Licence", "Files", "MB", "SHA-256", "Citation"],
        rows,
    )


def _digest_of_files(files: Sequence[Mapping[str, Any]]) -> str:
    """Give one checksum for all files of a dataset, in the order of their names."""
    lines = sorted(f"{file['sha256']}  {file['path']}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest() if files else ""


def ranks_table(ranks: pd.DataFrame) -> TableView | None:
    """Give the mean rank of every architecture, and what Friedman's test says of them."""
    if ranks.empty:
        return None
    rows = [
        [
            text(row["scope"]),
            text(display(row["architecture"]), tone=str(row["architecture"])),
            number(row["mean_rank"], digits=2),
            number(row["blocks"], digits=0),
            number(row["chi2"], digits=2),
            number(row["f"], digits=2),
            number(row["p"]),
            number(row["critical_difference"], digits=2),
        ]
        for row in records(ranks)
    ]
    return TableView(
        "ranks",
        "Mean ranks by macro-F1 under the honest split, 1 is best: Friedman's χ² and the F of "
        "Iman and Davenport, and the critical difference of Nemenyi's test at 5 % (Demšar 2006).",
        [
            *("Over", "Model", "Mean rank", "Blocks", "χ²", "F", "p"),
            "Critical difference",
        ],
        rows,
    )


def rank_remarks(ranks: pd.DataFrame) -> list[str]:
    """Give what must be said beside each ranking: what it is over, and how little it can show."""
    notes = dict.fromkeys(
        (str(row["scope"]), str(row["note"])) for row in records(ranks) if row["note"]
    )
    return [f"Over {scope}: {note}." for scope, note in notes]


def provenance_tables(provenance: Mapping[str, Any]) -> list[TableView]:
    """Give one table of single facts, then one for each dictionary."""
    facts = {name: value for name, value in provenance.items() if not isinstance(value, Mapping)}
    if isinstance(provenance.get("config"), Mapping):
        facts["config, SHA-256"] = _digest(provenance["config"])
    tables = []
    if facts:
        tables.append(_facts("provenance", "This report.", facts))
    for name, values in provenance.items():
        if not isinstance(values, Mapping) or not values:
            continue
        if name == "durations":
            times = {key: _time(float(value)) for key, value in values.items()}
            tables.append(_facts(name, "How long every stage took, all its jobs together.", times))
        else:
            tables.append(_facts(name, name.replace("_", " ").capitalize() + ".", _flat(values)))
    return tables


def _digest(config: Mapping[str, Any]) -> str:
    """Give one short name to a configuration: two reports of the same one show the same."""
    words = json.dumps(config, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def _flat(values: Mapping[str, Any], start: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            found |= _flat(value, f"{start}{name}.")
        else:
            found[f"{start}{name}"] = value
    return found


def _facts(name: str, caption: str, values: Mapping[str, Any]) -> TableView:
    rows = [
        [text(key), value if isinstance(value, Cell) else text(str(value))]
        for key, value in values.items()
    ]
    return TableView(name, caption, ["What", "Value"], rows)
