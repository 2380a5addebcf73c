"""Choosing hyperparameters by grouped cross-validation inside the train part."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.errors import HeldoutError
from lib.files import read_table, write_json
from lib.progress import doing
from lib.splits.dealing import deal
from lib.statistics.permutation import mean_of_folds
from lib.train.data import Data
from lib.train.recipe import Recipe
from lib.train.runs import train_trial

logger = logging.getLogger(__name__)


def check_choice(architecture: str, search: Mapping[str, Any]) -> None:
    """Check that a search by folds stops no trial early.

    Parameters
    ----------
    architecture : str
        For the message.
    search : mapping
        Of it, with `choose`, `method` and `stopping`.

    Raises
    ------
    HeldoutError
        A Bayesian search would stop trials by a loss that is the mean over folds, and so is known
        only when all of them have been trained.
    """
    if search["choose"] == "folds" and search["method"] == "bayes" and search["stopping"] != "none":
        raise HeldoutError(
            f"{architecture}: choose",
            "`stopping: none` beside `choose: folds`: the mean over folds is known when all of "
            "them have been trained, so no trial can be stopped by it",
            f"stopping: {search['stopping']}",
            "Add `stopping: none`, or choose by validation.",
        )


def fold_data(data: Data, groups: pd.Series[str], *, folds: int, seed: int) -> list[Data]:
    """Divide the train part into folds of groups, each to be validated on once.

    Parameters
    ----------
    data : Data
        What a search may see. Its validation part is in no fold: it stays for choosing networks.
    groups : Series of str
        The group of each example of the study.
    folds : int
        How many.
    seed : int
        Of the dealing.

    Returns
    -------
    list of Data
        With a train and a validation part, no group in both, classes balanced.

    Raises
    ------
    HeldoutError
        The train part has fewer groups than folds.
    """
    rows = data.rows["train"]
    frame = pd.DataFrame({"label": data.labels[rows], "group": groups.to_numpy()[rows]})
    shares, needs = np.full(folds, 1 / folds), np.ones(folds, dtype=int)
    try:
        pile = deal(frame, unit="group", shares=shares, needs=needs, seed=seed)
    except HeldoutError as error:
        raise error.within(f"choose: folds, {folds} of them in the train part") from error
    return [
        replace(data, rows={"train": rows[pile != fold], "validation": rows[pile == fold]})
        for fold in range(folds)
    ]


def chosen_folds(
    data: Data, examples: str | Path, choice: Mapping[str, Any] | None
) -> list[Data] | None:
    """Divide the train part as a search asks for; None where it chooses by the validation part.

    Parameters
    ----------
    data : Data
        What the search may see.
    examples : str or Path
        `examples.parquet`.
    choice : mapping or None
        Of `lib.config.params`: `folds` and `seed`.
    """
    if choice is None:
        return None
    groups = read_table(examples)["group"]
    return fold_data(data, groups, folds=choice["folds"], seed=choice["seed"])


def train_folds(
    folder: Path,
    folds: Sequence[Data],
    recipe: Recipe,
    *,
    identity: Mapping[str, Any],
    seed: int,
    store: Path,
) -> dict[str, Any]:
    """Train one trial of a search on each fold, and score it by the mean over them.

    Parameters
    ----------
    folder : Path
        The trial's folder; each fold has a folder in it.
    folds : sequence of Data
        From `fold_data`.
    recipe, identity, seed, store
        As for `lib.train.runs.train_trial`.

    Returns
    -------
    dict
        What `run.json` holds: as of a trial, with `metrics` the means over those folds that have
        a score, `epochs` and `train_seconds` of all of them together, `best_epoch` the median, and
        `folds`, the scores of each. A trial that cannot be trained on one fold has failed.
    """
    records = []
    for number, data in enumerate(folds):
        logger.info("fold %d of %d", number + 1, len(folds), extra=doing(f"fold {number + 1}"))
        within = folder / f"fold-{number}"
        one = train_trial(within, data, recipe, identity=identity, seed=seed, store=store)
        if one["state"] == "failed":
            failed = {**one, "reason": f"fold {number + 1}: {one['reason']}"}
            write_json(folder / "run.json", failed)
            return failed
        records.append(one)
    each = [one["metrics"]["validation"] for one in records]
    names = [name for name in each[0] if name != "examples"]
    means = {name: mean_of_folds([one[name] for one in each]) for name in names}
    record = {
        **records[0],
        "metrics": {"validation": means | {"examples": sum(one["examples"] for one in each)}},
        "epochs": sum(one["epochs"] for one in records),
        "best_epoch": int(np.median([one["best_epoch"] for one in records])),
        "train_seconds": sum(one["train_seconds"] for one in records),
        "folds": each,
    }
    write_json(folder / "run.json", record)
    return record
