"""Never training the same thing twice: finished trainings, by what their weights depend on."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from filelock import FileLock

from lib.errors import HeldoutError
from lib.files import atomic, read_json, write_json
from lib.provenance import versions
from lib.train.callbacks import Stops, stopped
from lib.train.tensorboard import write_history_events
from lib.train.trainer import Fitted, Trainer

logger = logging.getLogger(__name__)


def fit_once(
    trainer: Trainer,
    seed: int,
    *,
    store: Path,
    tensorboard: Path | None = None,
    stops: Stops | None = None,
) -> Fitted:
    """Train with one seed, or take the weights of the training that already did.

    A search and a final run, two protocols that differ only in their test part, an interrupted
    run and its successor: where the weights depend on the same things, they are trained once. Of
    two jobs that want the same weights at the same time, one trains and the other waits.

    Parameters
    ----------
    trainer : Trainer
        What to train.
    seed : int
        Of this training.
    store : Path
        Folder of the finished and the interrupted trainings. Each has a folder there, named by all
        that its weights depend on (`Recipe.key`), with `made.json`, which says what made them.
    tensorboard : Path, optional
        Folder for TensorBoard events.
    stops : callable, optional
        As for `Trainer.fit`. A training that it stops is kept as an interrupted one; it may stop
        one whose weights are there, as if that was trained now.

    Returns
    -------
    Fitted

    Raises
    ------
    HeldoutError
        What `Trainer.fit` raises, a file of the finished training is damaged, or the examples of
        the trainer have no digest.
    """
    if not trainer.data.digest:
        raise HeldoutError(
            "Data.digest",
            "the SHA-256 of the examples, by which trainings are kept",
            "none",
            "Without it, those of any other examples of this shape would be taken for these.",
        )
    key = trainer.key(seed)
    folder = store / key
    folder.mkdir(parents=True, exist_ok=True)
    weights, history, made = (
        folder / name for name in ("weights.npz", "history.json", "made.json")
    )
    with FileLock(store / f".{key}.lock"):
        if all(file.exists() for file in (weights, history, made)):
            logger.info("seed %d: already trained with these very settings", seed)
            rows = read_json(history)
            fitted = trainer.restore(rows, _read(weights, trainer.model))
            if tensorboard is not None:
                write_history_events(tensorboard, rows)
            facts = read_json(made)
            # As in a training: of its last epoch nobody asks whether to go on.
            pruned = stopped(rows if facts["diverged"] else rows[:-1], stops)
            return replace(fitted, made=facts, diverged=facts["diverged"], pruned=pruned)
        checkpoint = folder / "checkpoint.npz"
        fitted = trainer.fit(seed, checkpoint=checkpoint, tensorboard=tensorboard, stops=stops)
        facts = {
            "device": trainer.device,
            "train_seconds": round(fitted.seconds, 3),
            "diverged": fitted.diverged,
            "versions": versions(),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        fitted = replace(fitted, made=facts)
        if fitted.pruned:
            return fitted
        write_json(history, fitted.history)
        write_json(made, facts)
        # The weights come last: where they are, the training is whole.
        with atomic(weights) as part:
            np.savez(part, *[np.asarray(value) for value in fitted.model.weights])
        checkpoint.unlink(missing_ok=True)
    return fitted


def _read(weights: Path, model: Any) -> list[np.ndarray]:
    """Read the weights of a finished training, in the order of the model's."""
    try:
        with np.load(weights, allow_pickle=False) as held:
            arrays = [held[name] for name in held.files]
    except (ValueError, EOFError, BadZipFile) as error:
        raise _damaged(weights, str(error)) from error
    shapes = [[tuple(value.shape) for value in values] for values in (arrays, model.weights)]
    if shapes[0] != shapes[1]:
        raise _damaged(weights, f"{len(arrays)} arrays that are not the network's {len(shapes[1])}")
    return arrays


def _damaged(weights: Path, why: str) -> HeldoutError:
    return HeldoutError(
        weights,
        "the weights of a finished training",
        f"a damaged file ({why})",
        "Delete it and run again: they are trained anew.",
    )
