"""Runs: one trial trained once, and the folder that it leaves."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.files import atomic, write_json, write_table
from lib.metrics.learning import constant_loss, ending, has_learned
from lib.progress import doing
from lib.train.batches import predicted_at_once
from lib.train.callbacks import Stops
from lib.train.data import Data, part_scores, with_validation, write_predictions
from lib.train.recipe import Recipe, Untrainable
from lib.train.store import fit_once
from lib.train.tensorboard import write_hyperparameters
from lib.train.trainer import Fitted, Trainer

logger = logging.getLogger(__name__)

RUN_FILES = ("model.keras", "history.csv", "run.json", "predictions.parquet")


def train_runs(
    folders: Mapping[int, Path],
    data: Data,
    recipe: Recipe,
    *,
    identity: Mapping[str, Any],
    store: Path,
    keep_model: bool = True,
    stops: Stops | None = None,
) -> list[dict[str, Any]]:
    """Train one trial with several seeds, and leave a complete folder for each.

    With `refit` of its training (`lib.train.training.Training`) each is trained twice: the first
    network is judged on the validation part, and the second, trained on that part too, is kept and
    judged on the test part. A search, which has no test part, trains once.

    Parameters
    ----------
    folders : mapping
        Seed to the folder of its run.
    data : Data
        Examples and parts. Without a test part nothing of it is read or written.
    recipe : Recipe
        What to train.
    identity : mapping
        `study`, `dataset`, `simulated`, `protocol`, `honest`, `trial` and `fold`: written to
        `run.json`, with the seed.
    store : Path
        Where `lib.train.store` keeps finished trainings.
    keep_model : bool
        Whether `model.keras` and predictions are kept (a search needs none).
    stops : callable, optional
        As for `lib.train.trainer.Trainer.fit`.

    Returns
    -------
    list of dict
        What `run.json` holds of each.

    Raises
    ------
    HeldoutError
        What `lib.train.trainer.Trainer` and `lib.train.store.fit_once` raise.
    """
    trainer = Trainer(data, recipe)
    refits = recipe.training.refit and "test" in data.rows
    again = Trainer(with_validation(data), recipe) if refits else None
    records = []
    for seed, folder in folders.items():
        if len(folders) > 1:
            logger.info("seed %d", seed, extra=doing(f"seed {seed}"))
        fitted = fit_once(
            trainer, seed, store=store, tensorboard=folder / "tensorboard", stops=stops
        )
        refit = None
        if again is not None:
            logger.info("seed %d: again, on the train and validation parts together", seed)
            refit = again, fit_once(again, seed, store=store)
        record = {
            **identity,
            "architecture": recipe.architecture,
            "seed": seed,
            "kind": "network",
            "classes": data.classes,
            "scored": data.scored,
            "hyperparameters": trainer.values,
            "training": asdict(recipe.training),
            "backend": recipe.backend,
            "devices": trainer.recipe.devices,
            "batch_size": trainer.batch_size,
            "precision": recipe.precision,
            "state": "pruned" if fitted.pruned else "complete",
        }
        records.append(
            _write_run(folder, trainer, fitted, record, refit=refit, keep_model=keep_model)
        )
    return records


def train_trial(
    folder: Path,
    data: Data,
    recipe: Recipe,
    *,
    identity: Mapping[str, Any],
    seed: int,
    store: Path,
    stops: Stops | None = None,
) -> dict[str, Any]:
    """Train one trial of a search; one that cannot be trained is marked as failed.

    Parameters
    ----------
    folder : Path
        The trial's folder.
    data : Data
        Train and validation parts, and no other.
    recipe, identity, store
        As for `train_runs`.
    seed : int
        The seed of the search.
    stops : callable, optional
        As for `lib.train.trainer.Trainer.fit`.

    Returns
    -------
    dict
        What `run.json` holds: `state` is complete, pruned or failed.

    Raises
    ------
    HeldoutError
        What is no fault of the trial, which would stay marked as failed: the backend cannot be
        loaded, there are fewer devices than are asked for, a file is damaged.
    """
    try:
        return train_runs(
            {seed: folder},
            data,
            recipe,
            identity=identity,
            store=store,
            keep_model=False,
            stops=stops,
        )[0]
    except Untrainable as error:
        # One cell of a grid that diverges is an answer, not a reason to stop the others.
        logger.warning("the trial failed: %s", error)
        record = {**identity, "seed": seed, "state": "failed", "reason": str(error)}
        write_json(folder / "run.json", record)
        return record


def _write_run(
    folder: Path,
    trainer: Trainer,
    fitted: Fitted,
    record: dict[str, Any],
    *,
    refit: tuple[Trainer, Fitted] | None,
    keep_model: bool,
) -> dict[str, Any]:
    """Predict every part, and write what a run leaves; `run.json` comes last."""
    tested, kept = refit or (trainer, fitted)
    data = tested.data
    # One pass over all parts: every further one would trace the network anew.
    joined = np.concatenate(list(data.rows.values()))
    # Traced and compiled before it is timed; JAX compiles for the size of a batch.
    size = predicted_at_once(data.x[:1].nbytes, len(joined))
    tested.predict(joined[:size], size=size)
    began = time.perf_counter()
    probabilities = tested.predict(joined, size=size)
    seconds = time.perf_counter() - began
    parts = _by_part(data, probabilities)
    if kept.mixed is not None:
        mixed = _by_part(data, tested.predict(joined, size=size, mixed=True))
        record["precision_effect"] = _effect(part_scores(data, parts), part_scores(data, mixed))
    made = [fitted.made]
    if refit is not None:
        # Judged by the network that has not seen it; of the same size, so that nothing is compiled.
        parts["validation"] = trainer.predict(data.rows["validation"], size=size)
        made.append(kept.made)
    metrics = part_scores(data, parts)
    record |= {
        "metrics": metrics,
        "ending": _ending(trainer, fitted, kept, parts["validation"]),
        "epochs": len(fitted.history),
        "best_epoch": fitted.best_epoch,
        "parameters": int(kept.model.count_params()),
        # Of when and where the weights were made, which may be long ago and elsewhere.
        "train_seconds": sum(one["train_seconds"] for one in made),
        **{name: kept.made[name] for name in ("device", "versions")},
    }
    write_table(folder / "history.csv", pd.DataFrame(fitted.history))
    write_hyperparameters(
        folder / "tensorboard",
        {"architecture": record["architecture"], **record["hyperparameters"]},
        {
            f"best/{name}": value
            for name in ("loss", "accuracy", "macro_f1")
            if (value := metrics["validation"][name]) is not None
        },
    )
    if keep_model:
        saved = folder / "model.keras"
        with atomic(saved) as file:
            kept.model.save(file)
        record["model_kb"] = round(saved.stat().st_size / 1000, 1)
        record["predict_seconds"] = seconds / len(joined)
        write_predictions(folder / "predictions.parquet", data, parts)
    write_json(folder / "run.json", record)
    return record


def _ending(trainer: Trainer, fitted: Fitted, kept: Fitted, probabilities: np.ndarray) -> str:
    """Say how the training of a run ended, by what it predicts of the validation part."""
    if fitted.pruned:  # the search stopped it, which says nothing of where it was going
        return ""
    data, training = trainer.data, trainer.recipe.training
    train, validation = (data.labels[data.rows[part]] for part in ("train", "validation"))
    losses = [row["val_loss"] for row in fitted.history]
    classes = len(data.classes)
    return ending(
        losses,
        # The loss of the validation part has no class weights.
        constant=constant_loss(
            train,
            validation,
            classes=classes,
            power=0.0,
            smoothing=trainer.values["label_smoothing"],
        ),
        limit=len(losses) if training.spent(fitted.history) else training.epochs,
        learned=has_learned(
            train,
            validation,
            probabilities,
            power=trainer.values["class_weights"],
            undersampling=training.undersampling,
        ),
        diverged=fitted.diverged or kept.diverged,
    )


def _by_part(data: Data, probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """Divide what was predicted for all parts in one pass."""
    ends = np.cumsum([len(rows) for rows in data.rows.values()])[:-1]
    return dict(zip(data.rows, np.split(probabilities, ends), strict=True))


def _effect(
    metrics: Mapping[str, Mapping[str, Any]], mixed: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, float | None]]:
    """Say by how much each metric of each part differs in mixed precision from float32."""
    return {
        part: {
            name: None if value is None or mixed[part][name] is None else mixed[part][name] - value
            for name, value in of_part.items()
            if name != "examples"
        }
        for part, of_part in metrics.items()
    }
