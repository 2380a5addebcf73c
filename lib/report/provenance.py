"""The last part of the page: claims, costs, licences, and what made these numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from lib.plots.style import display
from lib.report.table import Cell, TableView, interval, number, records, seconds, text

METRIC_NAMES = {
    "macro_f1": "macro-F1",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "kappa": "Cohen's κ",
    "mcc": "Matthews correlation",
    "auroc": "AUROC",
    "log_loss": "log loss",
    "brier": "Brier",
    "ece": "calibration error",
    "mse": "MSE",
    "mae": "MAE",
    "jk_index": "jκ index",
}


def metric_name(metric: str) -> str:
    """Give a metric's name as people write it: `sensitivity_S` is «sensitivity of S»."""
    if metric in METRIC_NAMES:
        return METRIC_NAMES[metric]
    name, _, label = metric.partition("_")
    return f"{name} of {label}" if label else name


def claims_table(claims: pd.DataFrame, studies: Sequence[Mapping[str, Any]]) -> TableView | None:
    """Put what was published beside what we measured; None where nothing was."""
    if claims.empty:
        return None
    titles = {str(study["study"]): str(study["title"]) for study in studies}
    rows = []
    for claim in records(claims):
        valid = str(claim["valid"]).lower() == "true"
        mark = "" if valid else "not valid: "
        same = ("same_split", "same_low", "same_high")
        run = "simulated recordings" if str(claim["simulated"]).lower() == "true" else ""
        rows.append(
            [
                text(titles[claim["study"]], note=run),
                _source(
                    claim,
                    note=f"{mark}{claim['note']}",
                    tone="" if valid else "bad",
                ),
                text(claim["architecture"]),
                text(claim["split"], note=_size(claim)),
                text(metric_name(claim["metric"])),
                number(claim["value"], note="" if valid else "not valid"),
                text(display(claim["our_architecture"])),
                interval(claim, names=same, note=_missing(claim, "same_split")),
                interval(claim, names=("honest", "honest_low", "honest_high")),
            ]
        )
    columns = ["Study", "Source", "Model", "Split", "Metric", "Claimed"]
    return TableView(
        "claims",
        "What has been published, with the split it was measured on, beside ours under the same "
        "kind of split and under the honest one. Test sets differ, so only orders of size compare.",
        [*columns, "Ours", "Same split", "Honest split"],
        rows,
    )


def _source(claim: Mapping[str, Any], *, note: str, tone: str) -> Cell:
    """Let an address break after its strokes: it would push the numbers off the page."""
    cell = text(claim["source"], note=note, tone=tone)
    return replace(cell, text=cell.text.replace("/", "/\u200b"))


def _size(claim: Mapping[str, Any]) -> str:
    return str(claim["test_size"])


def _missing(claim: Mapping[str, Any], name: str) -> str:
    if claim[name] == claim[name]:
        return ""
    return "not one of our protocols" if not claim["protocol"] else "not run"


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
                text(", ".join(sorted(set(some["device"]) - {""}))),
            ]
        )
    return TableView(
        "costs",
        "Median over runs.",
        [
            *("Study", "Model", "Parameters", "Size (KB)", "Epochs"),
            *("Training", "Prediction of one example", "Device"),
        ],
        rows,
    )


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
                text("; ".join(cited if isinstance(cited, list) else [str(cited)])),
            ]
        )
    return TableView(
        "licences",
        "Where the recordings are from, and whom to cite.",
        ["Dataset", "Source", "Version", "Licence", "Files", "Citation"],
        rows,
    )


def provenance_tables(provenance: Mapping[str, Any]) -> list[TableView]:
    """Give one table of single facts, then one for each dictionary."""
    facts = {name: value for name, value in provenance.items() if not isinstance(value, Mapping)}
    if isinstance(provenance.get("config"), Mapping):
        facts["config, SHA-256"] = _digest(provenance["config"])
    tables = []
    if facts:
        tables.append(_facts("provenance", "This report.", facts))
    for name, values in provenance.items():
        if isinstance(values, Mapping) and values:
            shown = (
                {key: seconds(float(value)) for key, value in values.items()}
                if name == "durations"
                else _flat(values)
            )
            tables.append(_facts(name, name.replace("_", " ").capitalize() + ".", shown))
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
    rows = [[text(key), text(str(value))] for key, value in values.items()]
    return TableView(name, caption, ["What", "Value"], rows)
