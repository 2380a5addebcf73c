"""Runs: one trial trained once, and the folder that it leaves."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.backend import device_name, load
from lib.batches import predict
from lib.errors import HeldoutError
from lib.files import read_json, write_json, write_table
from lib.fit import Fitted, Training, fit
from lib.hyperparameters import complete, digest
from lib.provenance import versions
from lib.scores import scores
from lib.splits import PARTS

logger = logging.getLogger(__name__)

RUN_FILES = ("model.keras", "history.csv", "run.json", "predictions.parquet")


@dataclass(frozen=True)
class Data:
    """The examples of one fold of one protocol.

    Attributes
    ----------
    x : np.ndarray [shape=(examples, time, channels)]
        All examples of the study; may be memory-mapped.
    labels : np.ndarray [shape=(examples,), dtype=int]
        Class numbers.
    rows : dict of np.ndarray
        For each part its row numbers.
    classes : list of str
        In the order of the class numbers.
    scored : list of str
        The classes that macro averages count.
    """

    x: np.ndarray
    labels: np.ndarray
    rows: dict[str, np.ndarray]
    classes: list[str]
    scored: list[str]


def open_data(
    x: np.ndarray,
    examples: pd.DataFrame,
    split: pd.DataFrame,
    *,
    fold: int,
    classes: Sequence[str],
    scored: Sequence[str],
    parts: Sequence[str] = PARTS,
) -> Data:
    """Join examples with one fold of a split.

    Parameters
    ----------
    x : np.ndarray [shape=(examples, time, channels)]
        `examples.npy`.
    examples : pd.DataFrame
        `examples.parquet`.
    split : pd.DataFrame
        `split.parquet`.
    fold : int
        Which fold.
    classes, scored : sequence of str
        All classes, and those that macro averages count.
    parts : sequence of str
        Which parts to open. A search leaves `test` out, and so cannot look at it.

    Raises
    ------
    HeldoutError
        A part is empty, or an example has a class that the study does not know.
    """
    number = {label: index for index, label in enumerate(classes)}
    labels = examples["label"].astype(str).map(number)
    if labels.isna().any():
        strange = sorted(set(examples.loc[labels.isna(), "label"].astype(str)))
        raise HeldoutError(f"examples: expected classes {', '.join(classes)}, got {strange}.")
    here = split[split["fold"] == fold]
    rows = {
        part: np.sort(here.loc[here["part"].astype(str) == part, "example"].to_numpy())
        for part in parts
    }
    for part, numbers in rows.items():
        if len(numbers) == 0:
            raise HeldoutError(f"fold {fold}: the {part} part has no examples.")
    return Data(x, labels.to_numpy(dtype=int), rows, list(classes), list(scored))


def train_run(
    folder: Path,
    data: Data,
    *,
    identity: Mapping[str, Any],
    hyperparameters: Mapping[str, Any],
    training: Training,
    examples_hash: str,
    code: str,
    backend: str = "tensorflow",
    threads: int | None = None,
    keep_model: bool = True,
) -> None:
    """Train one run, or finish one that was interrupted, and leave its folder complete.

    A hidden folder `.state` inside `folder` keeps the state after each epoch, and the finished
    files once more (as hard links, so without using space). A run is known by a fingerprint of
    all that its weights depend on; one that is asked for again with the same fingerprint is put
    into place without being trained again.

    Parameters
    ----------
    folder : Path
        The run's folder.
    data : Data
        Examples and parts. Without a test part nothing of it is read or written.
    identity : mapping
        `study`, `dataset`, `simulated`, `protocol`, `honest`, `architecture`, `trial`, `seed`,
        `fold`: written to `run.json`.
    hyperparameters : mapping
        What differs from the defaults.
    training : Training
        Epochs and stopping.
    examples_hash : str
        Of the examples, from `examples.json`.
    code : str
        Of the code, from `lib.provenance.code_hash`.
    backend, threads
        As in `lib.fit.fit`.
    keep_model : bool
        Whether `model.keras`, predictions and TensorBoard events are kept (a search needs none).

    Raises
    ------
    HeldoutError
        What `lib.fit.fit` raises.
    """
    architecture, seed = identity["architecture"], identity["seed"]
    values = complete(architecture, hyperparameters)
    packages = versions()
    fingerprint = digest(
        {
            "identity": {key: identity[key] for key in sorted(identity)},
            "hyperparameters": values,
            "training": asdict(training),
            "examples": examples_hash,
            "rows": {part: digest(rows.tolist()) for part, rows in data.rows.items()},
            "classes": [data.classes, data.scored],
            "code": code,
            "backend": [backend, packages.get(backend), packages["keras"]],
        }
    )
    state = folder / ".state"
    known = state / "fingerprint.json"
    if not (known.exists() and read_json(known) == fingerprint):
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir(parents=True)
        write_json(known, fingerprint)
    finished = state / "finished"
    if not finished.exists():
        fitted = fit(
            data.x,
            data.labels,
            train=data.rows["train"],
            validation=data.rows["validation"],
            classes=len(data.classes),
            architecture=architecture,
            hyperparameters=values,
            training=training,
            seed=seed,
            backend=backend,
            threads=threads,
            checkpoint=state / "checkpoint.npz",
            tensorboard=folder / "tensorboard" if keep_model else None,
        )
        part = state / "finishing"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        record = {**identity, "kind": "network", "classes": data.classes, "scored": data.scored}
        record |= {"hyperparameters": values, "training": asdict(training), "backend": backend}
        _write_run(part, data, fitted, record, packages=packages, keep_model=keep_model)
        # A folder is renamed in one step: `finished` is whole or not there.
        part.rename(finished)
        (state / "checkpoint.npz").unlink(missing_ok=True)
    else:
        logger.info("%s: already trained with these very settings; not trained again", folder)
    place(finished, folder)


def train_trial(folder: Path, data: Data, **options: Any) -> None:
    """Train one trial of a search; one that cannot be trained is marked as failed.

    Parameters
    ----------
    folder : Path
        The trial's folder.
    data : Data
        Train and validation parts, and no other.
    **options
        As for `train_run`.
    """
    try:
        train_run(folder, data, keep_model=False, **options)
    except HeldoutError as error:
        # One cell of a grid that diverges is an answer, not a reason to stop the others.
        logger.warning("the trial failed: %s", error)
        record = {**options["identity"], "state": "failed", "reason": str(error)}
        write_json(folder / "run.json", record)


def _write_run(
    folder: Path,
    data: Data,
    fitted: Fitted,
    record: dict[str, Any],
    *,
    packages: dict[str, str],
    keep_model: bool,
) -> None:
    """Predict every part, and write what a run leaves."""
    keras = load(record["backend"])
    scored = [data.classes.index(label) for label in data.scored]
    metrics, tables, seconds, count = {}, [], 0.0, 0
    for part, rows in data.rows.items():
        began = time.perf_counter()
        probabilities = predict(keras, fitted.model, data.x, rows)
        if part == "test":
            seconds, count = time.perf_counter() - began, len(rows)
        metrics[part] = scores(data.labels[rows], probabilities, scored=scored)
        if part != "train":
            tables.append(prediction_table(data, rows, part, probabilities))
    record |= {
        "metrics": metrics,
        "epochs": len(fitted.history),
        "best_epoch": fitted.best_epoch,
        "parameters": int(fitted.model.count_params()),
        "train_seconds": round(fitted.seconds, 3),
        "device": device_name(record["backend"]),
        "versions": packages,
    }
    write_table(folder / "history.csv", pd.DataFrame(fitted.history))
    if keep_model:
        model = folder / "model.keras"
        fitted.model.save(model)
        record["model_kb"] = round(model.stat().st_size / 1000, 1)
        record["predict_seconds"] = seconds / max(count, 1)
        write_table(folder / "predictions.parquet", pd.concat(tables, ignore_index=True))
    write_json(folder / "run.json", record)


def prediction_table(
    data: Data, rows: np.ndarray, part: str, probabilities: np.ndarray
) -> pd.DataFrame:
    """Make a part's rows of `predictions.parquet`: example, part, label, one column a class."""
    table = pd.DataFrame(
        {"example": rows, "part": part, "label": np.array(data.classes)[data.labels[rows]]}
    )
    columns = dict(zip(data.classes, probabilities.T.astype(np.float32), strict=True))
    return pd.concat([table, pd.DataFrame(columns)], axis=1)


def place(finished: Path, folder: Path) -> None:
    """Put finished files under their final names, each in one step, newer than what they are of."""
    for file in sorted(finished.iterdir()):
        link = folder / f".{file.name}.{os.getpid()}.part"
        link.unlink(missing_ok=True)
        try:
            os.link(file, link)
        except OSError:  # a file system without hard links
            shutil.copyfile(file, link)
        os.utime(link)
        os.replace(link, folder / file.name)
