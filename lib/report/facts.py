"""What a run knows of a study, said in sentences, each with the place of its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment

from lib import __version__
from lib.errors import HeldoutError, counted
from lib.files import read_json, read_yaml
from lib.metrics.registry import MAIN, METRICS
from lib.plots.style import decimal, display
from lib.report.groups import held_by_one
from lib.report.names import listed, unfinished_networks
from lib.report.table import is_true, records, seconds
from lib.splits.registry import KINDS
from lib.templates import environment

# Where a part of the page is, by the name that facts.yaml gives it.
PLACES: Mapping[str, tuple[str, str]] = {
    "answers": ("Answers", "answers"),
    "data": ("Data", "{study}-data"),
    "leaderboard": ("Leaderboard", "{study}-results"),
    "groups": ("Groups", "{study}-groups"),
    "choices": ("Choices", "{study}-choices"),
    "shortcuts": ("Shortcuts", "{study}-shortcuts"),
    "split": ("Split", "{study}-split-{primary}"),
    "search": ("Hyperparameters", "{study}-search"),
    "cost": ("Cost", "{study}-cost"),
    "costs": ("Costs", "costs"),
    "provenance": ("Provenance", "provenance"),
}
_UP = "../.."  # from results/checklists/STUDY to results


@dataclass(frozen=True)
class Fact:
    """What a run knows: a sentence or two, and where its evidence is, label to address."""

    says: str
    evidence: Mapping[str, str]


def study_facts(
    study: Mapping[str, Any], known: Mapping[str, Any], *, shown: set[str]
) -> dict[str, Fact]:
    """Say every fact of facts.yaml for a study.

    Parameters
    ----------
    study : mapping
        As `lib.report.render` takes it.
    known : mapping
        What the sentences are filled with.
    shown : set of str
        The ids of the page.

    Returns
    -------
    dict
        Name to fact.

    Raises
    ------
    HeldoutError
        A fact has evidence of an unknown name.
    """
    words = language()
    told = {}
    for name, fact in read_yaml(Path(__file__).with_name("facts.yaml")).items():
        evidence = {}
        for place in fact["evidence"]:
            label, address = _place(place, study)
            if not address.startswith("#") or address[1:] in shown:
                page = "report.html" if address.startswith("#") else ""
                evidence[label] = f"{_UP}/{page}{address}"
        says = " ".join(words.from_string(fact["says"]).render(known).split())
        told[name] = Fact(says, evidence)
    return told


def _place(name: str, study: Mapping[str, Any]) -> tuple[str, str]:
    """Return the label of a piece of evidence, and its address from `results`."""
    if name in PLACES:
        label, anchor = PLACES[name]
        return label, "#" + anchor.format(study=study["study"], primary=study["primary"])
    if name.endswith(".csv"):
        return name, f"tables/{name}"
    if name == "provenance.json":
        return name, name
    raise HeldoutError(
        f"facts.yaml, evidence {name!r}",
        f"one of {', '.join(PLACES)}, a table or provenance.json",
        "another name",
        "Correct the name.",
    )


def language() -> Environment:
    """Return the templates of plain sentences, with their filters."""
    words = environment("lib.report", markup=False)
    words.filters |= {"decimal": _decimal, "listed": listed}
    words.globals["counted"] = counted
    return words


def _decimal(value: Any) -> str:
    return decimal(float(value)) if isinstance(value, (int, float)) else ""


def known_of(
    study: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    *,
    results: Path,
    data: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> dict[str, Any]:
    """Collect what the sentences of facts.yaml are filled with."""
    name, primary = str(study["study"]), study["primary"]
    exploration = read_json(results / name / "exploration.json")
    # The survey of an own folder leaves out before the study has its recordings.
    surveyed = {str(one["path"]): str(one["reason"]) for one in data.get("left_out", [])}
    left_out = surveyed | exploration["left_out"]
    recordings = len(surveyed) + exploration["recordings"]
    audit = read_json(results / name / primary / "audit.json")
    answer = records(tables["answers"])[0]
    best = str(answer["architecture"])
    means = tables["group_means"]
    of_best = (means["protocol"] == primary) & (means["architecture"] == best)
    own = records(means[of_best & (means["metric"] == MAIN)])
    config = provenance.get("config", {})
    asked = config.get("studies", {}).get(name, {})
    trials = tables["trials"]
    chosen = trials[trials["chosen"].map(is_true)]
    weights = [row for row in records(chosen) if float(row.get("class_weights") or 0) > 0]
    protocols, budgets = study["protocols"], study["budgets"]
    return {
        "id": name,
        "study": study,
        "processing": str(study.get("processing", "")),
        "simulated": study["simulated"],
        "data": {"title": "", "landing_page": "", **data},
        "own": data["source"] == "folder",
        "origin": _ORIGINS.get(data["source"], str(data["source"])),
        "megabytes": decimal(sum(file["bytes"] for file in data["files"]) / 1e6, digits=1),
        "made": {
            "heldout": __version__,
            "commit": str(provenance.get("commit", "unknown")),
            "hardware": _computer(provenance.get("hardware", {})),
            "versions": ", ".join(" ".join(v) for v in provenance.get("versions", {}).items()),
        },
        "devices": sorted({str(one) for one in tables["costs"]["device"] if one}),
        "classes": exploration["classes"],
        "examples": sum(one["examples"] for one in exploration["classes"]),
        "rates": ", ".join(
            f"{r:g}" for r in sorted({r for one in exploration["classes"] for r in one["rates"]})
        ),
        "recordings": recordings,
        "left_out": left_out,
        "share": f"{len(left_out) / max(recordings, 1):.1%}",
        "excluded": [str(one) for one in asked.get("recordings", {}).get("exclude", [])],
        "suspects": len(exploration["suspects"]),
        "copies": len(exploration["copies"]),
        "audit": audit,
        "parts": audit["parts"],
        "folds": protocols[primary]["folds"],
        "honest": [one["title"] for one in protocols.values() if one["honest"]],
        "away": [one["title"] for one in protocols.values() if KINDS[one["kind"]].of_sites],
        "others": [one["title"] for one in protocols.values() if not one["honest"]],
        "networks": [display(one) for one in study["architectures"]],
        "baselines": [display(one) for one in study["baselines"]],
        "budgets": {display(one): budget for one, budget in budgets.items()},
        "undersampled": {
            times: [display(one) for one in budgets if budgets[one]["undersampling"] == times]
            for times in sorted({one["undersampling"] or 0 for one in budgets.values()} - {0})
        },
        "trials": {
            display(str(one)): int(count)
            for one, count in trials["architecture"].value_counts(sort=False).items()
        },
        "weighted": [display(str(row["architecture"])) for row in weights],
        "metrics": [metric.label for metric in METRICS.values()],
        "resamples": config.get("resamples"),
        "answer": answer,
        "searched_in_folds": {
            display(one): count for one, count in study["searched_in_folds"].items()
        },
        "chosen": display(best),
        "best_baseline": display(str(answer["baseline"])) if answer["baseline"] else "",
        "unfinished": unfinished_networks(str(answer["unfinished"])),
        "held": held_by_one(study, tables["per_class"]),
        "cautions": [str(one) for one in data.get("cautions") or []],
        "by_group": own[0] if own else None,
        "columns": list(dict.fromkeys(map(str, tables["subgroups"]["column"]))),
        "cost": _cost(tables["costs"], best),
        "aami": len(tables["aami"]) > 0,
    }


_ORIGINS = {
    "simulated": "simulated in the published layout: none is a real recording",
    "download": "downloaded from their publisher",
    "mirror": "from a local copy",
    "folder": "from a folder of the author's own",
}


def _computer(hardware: Mapping[str, str]) -> str:
    """Name a computer as `lib.provenance.hardware` describes it."""
    if not hardware:
        return "an unknown computer"
    return "{processor}, {cores} cores, {memory}, {system}".format(**hardware)


def _cost(costs: pd.DataFrame, best: str) -> dict[str, Any] | None:
    """Return the median costs of the chosen network; None where there are none."""
    rows = costs[costs["architecture"] == best]
    if rows.empty:
        return None
    numbers = rows[["parameters", "model_kb", "predict_seconds"]].median()
    return {
        "parameters": float(numbers["parameters"]),
        "model_kb": float(numbers["model_kb"]),
        "seconds": seconds(float(numbers["predict_seconds"])),
        "device": listed(sorted({str(one) for one in rows["device"]})),
    }
