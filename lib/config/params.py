"""What rules take of the resolved configuration: as params, as inputs, for their resources.

A rule takes the values that it uses and no others, since it is run again when one of them changes.
"""

from __future__ import annotations

import math
from collections import ChainMap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lib.config.own import READING
from lib.config.paths import (
    AUDIT,
    BEST,
    SEARCH,
    SPLIT,
    TEST_SEARCH,
    TRIAL,
    WORKER,
    folds_of,
    histories,
)
from lib.config.protocols import split_options
from lib.config.settings import compute, source_of
from lib.datasets.dataset import COLUMNS
from lib.datasets.registry import get_dataset
from lib.features.registry import make
from lib.jobs import needs
from lib.own.survey import listing
from lib.provenance import code_hash
from lib.retrieve import in_store
from lib.search.spaces import extremes
from lib.splits.registry import KINDS as SPLITS

# What of a network's training the page says of its budget.
BUDGET = ("epochs", "seconds", "undersampling", "refit")

Settings = Mapping[str, Any]
Wildcards = Mapping[str, str]


def value(settings: Settings, wildcards: Wildcards, key: str) -> Any:
    """Look up what the configuration says for a job.

    Parameters
    ----------
    settings : mapping
        Of `lib.config.settings.resolve`.
    wildcards : mapping
        Of the job: perhaps `study`, `protocol`, `architecture`, `trial`, `dataset`.
    key : str
        A name of `MADE`, or else a key of the job's protocol, of its study, or of all.

    Raises
    ------
    KeyError
        None of them has it.
    """
    if key in MADE:
        return MADE[key](settings, wildcards)
    study: dict[str, Any] = settings["studies"].get(wildcards.get("study"), {})
    rule: dict[str, Any] = study.get("protocols", {}).get(wildcards.get("protocol"), {})
    return ChainMap(rule, study, dict(settings))[key]


def _of_study(make: Callable[[Mapping[str, Any]], Any]) -> Callable[[Settings, Wildcards], Any]:
    return lambda settings, wildcards: make(settings["studies"][wildcards["study"]])


def retrieval(settings: Settings, wildcards: Wildcards) -> dict[str, Any]:
    """List what `lib.retrieve.retrieve` takes, and the code that it uses of this dataset.

    What every study of the dataset excludes is not retrieved. `code` is that of the simulator,
    `layout` what names the files of a corpus that is published as archives: other readers concern
    none.
    """
    dataset = wildcards["dataset"]
    source = source_of(dataset, settings)
    simulated = source == "simulated"
    layout = get_dataset(dataset).layout
    mirror = settings["mirror"] if source == "mirror" else None
    studies = [one for one in settings["studies"].values() if one["dataset"] == dataset]
    excluded = set.intersection(*(set(one["recordings"]["exclude"]) for one in studies))
    return {
        "source": source,
        "mirror": mirror,
        # A mirror is linked to: what changed in it is verified again.
        "listing": listing(f"{mirror}/{dataset}") if mirror and not in_store(mirror) else "",
        "simulation": settings["simulation"] if simulated else None,
        "exclude": [] if simulated else sorted(excluded),
        "code": code_hash("lib.simulate", chosen={"lib.simulate": dataset}) if simulated else "",
        "layout": code_hash(layout.__module__) if layout else "",
    }


def survey(settings: Settings, wildcards: Wildcards) -> dict[str, Any]:
    """List what the survey of a person's own folder depends on.

    Returns
    -------
    dict
        `folder` as in the study, what to `exclude`, what is `asked` of its recordings, the
        `columns` that divide them into sites, `reading`, and `listing`, a name for the state of
        the folder: Snakemake cannot know beforehand which files are in it.
    """
    studies = settings["studies"].values()
    study = next(one for one in studies if one["dataset"] == wildcards["dataset"])
    kind = make(**study["features"])
    return {
        "folder": study["folder"],
        "exclude": study["recordings"]["exclude"],
        "asked": {**kind.demands, "rate": getattr(kind, "rate", 0.0)},
        "columns": divided_by(study),
        "reading": reading(study),
        "listing": listing(study["folder"]["path"]),
    }


def divided_by(study: Mapping[str, Any]) -> list[str]:
    """List the columns of an own folder's `metadata.csv` by which a protocol divides into sites."""
    protocols = study["protocols"].values()
    by = {rule["by"] for rule in protocols if SPLITS[rule["kind"]].of_sites}
    return sorted(by - set(COLUMNS))


def reading(study: Mapping[str, Any]) -> dict[str, Any]:
    """List what `lib.datasets.read` takes beside the path of a recording of the study."""
    own = study.get("folder", {})
    return {key: own[key] for key in READING if key in own}


def own_context(study: Mapping[str, Any]) -> list[str]:
    """List the columns of an own folder's `metadata.csv` that examples have as their context."""
    return list(study.get("folder", {}).get("context", []))


def identity(settings: Settings, wildcards: Wildcards) -> dict[str, Any]:
    """Say what a run belongs to, as `run.json` holds it; a search has the protocol it is for."""
    study = settings["studies"][wildcards["study"]]
    searched = study["primary"]
    if by_test(settings, wildcards):
        searched = next(
            one
            for one, rule in study["protocols"].items()
            if chooses_by_test(rule) and rule.get("hyperparameters", True)
        )
    protocol = wildcards.get("protocol", searched)
    return {
        "study": study["name"],
        "dataset": study["dataset"],
        "simulated": study["simulated"],
        "protocol": protocol,
        "honest": study["protocols"][protocol]["honest"],
    }


def chooses_by_test(rule: Mapping[str, Any]) -> bool:
    """Whether the test part of a protocol is its validation part, too."""
    return SPLITS[rule["kind"]].chooses_by_test


def by_test(settings: Settings, wildcards: Wildcards) -> bool:
    """Whether the test part chooses in a job: an epoch of a training, or a trial of a search."""
    rules = settings["studies"][wildcards["study"]]["protocols"]
    if "protocol" in wildcards:
        return chooses_by_test(rules[wildcards["protocol"]])
    return wildcards.get("search") == TEST_SEARCH


def training(settings: Settings, wildcards: Wildcards) -> dict[str, Any]:
    """Say how long a network is trained, and which weights are kept.

    Where the test part is to choose the epoch, it does so whatever the study keeps. A search tests
    nothing, and so has no second training.
    """
    asked = search(settings, wildcards)["training"]
    kept = {"keep": "best"} if by_test(settings, wildcards) else {}
    once = kept or "trial" in wildcards or "worker" in wildcards
    return {key: v for key, v in (asked | kept).items() if not (once and key == "refit")}


def refit(settings: Settings, wildcards: Wildcards) -> bool:
    """Whether baselines are fitted anew on the validation part: never where it is the test part."""
    asked = settings["studies"][wildcards["study"]]["training"].get("refit", False)
    return bool(asked) and not by_test(settings, wildcards)


def best(settings: Settings, wildcards: Wildcards) -> str:
    """Name the file with the hyperparameters that a protocol's networks are trained with."""
    rule = settings["studies"][wildcards["study"]]["protocols"][wildcards["protocol"]]
    known = trials(settings, wildcards)
    tests = chooses_by_test(rule) and rule.get("hyperparameters", True)
    # Of one trial there is nothing to choose.
    tests = tests and (known is None or len(known) > 1)
    return BEST.format(**{**wildcards, "search": TEST_SEARCH if tests else SEARCH})


def trials(settings: Settings, wildcards: Wildcards) -> dict[str, dict[str, Any]] | None:
    """List the trials of an architecture that are known before the search runs; None for Bayes."""
    known = settings["studies"][wildcards["study"]]["trials"][wildcards["architecture"]]
    return dict(known) if known is not None else None


def search(settings: Settings, wildcards: Wildcards) -> dict[str, Any]:
    """Take what a study says of the search of an architecture."""
    return dict(settings["studies"][wildcards["study"]]["architectures"][wildcards["architecture"]])


def searched(settings: Settings, wildcards: Wildcards) -> list[str]:
    """List what a search waits for: its trials or workers, or nothing where there is no choice."""
    known = trials(settings, wildcards)
    if known is None:
        workers = range(search(settings, wildcards)["workers"])
        return [WORKER.format(**{**wildcards, "worker": number}) for number in workers]
    names = known if len(known) > 1 else []
    return [f"{TRIAL.format(**{**wildcards, 'trial': name})}/run.json" for name in names]


def hyperparameters(settings: Settings, wildcards: Wildcards) -> dict[str, Any]:
    """Take the hyperparameters of a trial that is known before the search runs."""
    return dict((trials(settings, wildcards) or {})[wildcards["trial"]])


def choice(settings: Settings, wildcards: Wildcards) -> dict[str, Any] | None:
    """Say in which folds a search scores its trials; None where it is on one part."""
    asked = search(settings, wildcards)
    if asked["choose"] != "folds" or by_test(settings, wildcards):
        return None
    code = code_hash("lib.search.folds", without=["lib.train.data", "lib.train.runs"])
    return {"folds": asked["folds"], "seed": settings["seed"], "code": code}


def need_of_training(
    settings: Settings,
    wildcards: Wildcards,
    npy: str | Path,
    *,
    trainings: int | None = None,
    attempt: int,
) -> needs.Need:
    """Estimate what some trainings of an architecture take.

    Parameters
    ----------
    settings, wildcards : mapping
        As for `value`; without `trial`, any trial of the search may be trained.
    npy : str or Path
        `examples.npy`.
    trainings : int, optional
        How many follow one another; by default the trials of one worker of the search.
    attempt : int
        As for `lib.jobs.needs.need`.
    """
    study, asked = settings["studies"][wildcards["study"]], search(settings, wildcards)
    known = trials(settings, wildcards)
    searched = trainings is None or "trial" in wildcards
    if trainings is None:
        trainings = math.ceil(asked["trials"] / asked["workers"])
    if searched and asked["choose"] == "folds":
        trainings *= asked["folds"]
    if not searched and asked["training"].get("refit"):
        trainings *= 2
    if "trial" in wildcards:
        trained = [hyperparameters(settings, wildcards)]
    else:
        trained = (
            extremes(wildcards["architecture"], asked) if known is None else list(known.values())
        )
    return needs.of_training(
        npy,
        study["features"],
        architecture=wildcards["architecture"],
        trials=trained,
        epochs=asked["training"]["epochs"],
        trainings=trainings,
        backend=settings["backend"],
        threads=settings["threads"],
        attempt=attempt,
    )


def description(study: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a study as tables and the page need it."""
    keys = ("title", "question", "example_kind", "dataset", "simulated", "scored", "primary")
    kind = make(**study["features"])
    return {
        "study": study["name"],
        **{key: study[key] for key in keys},
        "classes": list(study["classes"]),
        # What a picture of an example writes on its axes.
        "input": {"seconds": kind.seconds, **kind.axes},
        "processing": kind.processing,
        "protocols": {
            name: {key: rule[key] for key in ("kind", "honest", "title")}
            | {"folds": folds_of(rule), "hyperparameters": rule.get("hyperparameters", True)}
            for name, rule in study["protocols"].items()
        },
        "architectures": list(study["architectures"]),
        # A Bayesian search with one worker, and any other search, is deterministic.
        "shared_searches": {
            name: search["workers"]
            for name, search in study["architectures"].items()
            if search["method"] == "bayes" and search["workers"] > 1
        },
        "searched_in_folds": {
            name: search["folds"]
            for name, search in study["architectures"].items()
            if search["choose"] == "folds"
        },
        "baselines": list(settings["baselines"]),
        "seeds": list(settings["seeds"]),
        "permutations": study["permutations"],
        "budgets": {
            name: {key: search["training"].get(key) for key in BUDGET}
            for name, search in study["architectures"].items()
        },
    }


# What is no key of the configuration, but made from it.
MADE: dict[str, Callable[[Settings, Wildcards], Any]] = {
    "audits": _of_study(
        lambda study: [AUDIT.format(study=study["name"], protocol=p) for p in study["protocols"]]
    ),
    "best": best,
    "by_test": by_test,
    "choice": choice,
    "classes": _of_study(lambda study: list(study["classes"])),
    "compute": lambda settings, _: compute(settings),
    "context": _of_study(own_context),
    "descriptions": lambda settings, _: [
        description(study, settings) for study in settings["studies"].values()
    ],
    "histories": histories,
    "hyperparameters": hyperparameters,
    "identity": identity,
    # What makes the inputs of a network travels with it.
    "inputs": _of_study(
        lambda study: {
            "features": study["features"],
            "labels": study["classes"],
            "reading": reading(study),
        }
    ),
    "labels": _of_study(lambda study: study["classes"]),
    "manifest": _of_study(lambda study: f"resources/data/{study['dataset']}.json"),
    "of_search": search,
    "primary_audit": _of_study(
        lambda study: AUDIT.format(study=study["name"], protocol=study["primary"])
    ),
    "primary_split": _of_study(
        lambda study: SPLIT.format(study=study["name"], protocol=study["primary"])
    ),
    "reading": _of_study(reading),
    "refit": refit,
    "retrieval": retrieval,
    "searched": searched,
    "split": lambda settings, w: split_options(
        settings["studies"][w["study"]]["protocols"][w["protocol"]]
    ),
    "study": lambda settings, w: description(settings["studies"][w["study"]], settings),
    "survey": survey,
    "training": training,
    "trials": trials,
}
