"""Where results are: the paths that rules hand on, and which of them a configuration asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lib.config.protocols import split_options
from lib.splits.registry import folds_of as split_folds
from lib.train.runs import RUN_FILES

EXAMPLES = {
    "npy": "results/{study}/examples.npy",
    "examples": "results/{study}/examples.parquet",
}
DIGEST = "results/{study}/examples.json"
RUN = "results/{study}/{protocol}/{architecture}/seed-{seed}/fold-{fold}"
# A search chooses by the validation part; one of `TEST_SEARCH` by the test part, for comparison.
SEARCH, TEST_SEARCH = "search", "test_search"
TRIAL = "results/{study}/{search}/{architecture}/{trial}"
WORKER = "results/{study}/{search}/{architecture}/worker-{worker}.json"
TRIALS = "results/{study}/{search}/{architecture}/trials.csv"
BEST = "results/{study}/{search}/{architecture}/best.json"
SPLIT = "results/{study}/{protocol}/split.parquet"
PERMUTED = "results/{study}/permuted/{architecture}/permutation-{permutation}/fold-{fold}/run.json"
SHORTCUTS = "results/{study}/shortcuts.json"
AUDIT = "results/{study}/{protocol}/audit.json"


def folds_of(rule: Mapping[str, Any]) -> int:
    """Count the folds of a protocol."""
    return split_folds(**split_options(rule))


def runs(study: Mapping[str, Any], names: Iterable[str], seeds: Iterable[int]) -> list[str]:
    """List the folders of all final runs of some architectures, or baselines, of a study."""
    return [
        RUN.format(study=study["name"], protocol=protocol, architecture=name, seed=seed, fold=fold)
        for protocol, rule in study["protocols"].items()
        for name in names
        for seed in seeds
        for fold in range(folds_of(rule))
    ]


def compared(settings: Mapping[str, Any]) -> list[str]:
    """List the files that the comparison reads, of every run of every study."""
    files = []
    for study in settings["studies"].values():
        for run in runs(study, study["architectures"], settings["seeds"]):
            files += [f"{run}/{name}" for name in RUN_FILES[1:]]
        for run in runs(study, settings["baselines"], [0]):
            files += [f"{run}/run.json", f"{run}/predictions.parquet"]
        files += permuted(study)
    return files


def permuted(study: Mapping[str, Any]) -> list[str]:
    """List the runs of networks that are trained on permuted labels."""
    return [
        PERMUTED.format(study=study["name"], architecture=name, permutation=number, fold=fold)
        for name in study["architectures"]
        for number in range(1, study["permutations"] + 1)
        for fold in range(folds_of(study["protocols"][study["primary"]]))
    ]


def histories(settings: Mapping[str, Any], wildcards: Mapping[str, str]) -> list[str]:
    """List the learning curves of all final runs of a study's networks."""
    study = settings["studies"][wildcards["study"]]
    folders = runs(study, study["architectures"], settings["seeds"])
    return [f"{folder}/history.csv" for folder in folders]
