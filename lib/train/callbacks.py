"""What happens between two epochs: rules, the state on disk, events, and a line in the log."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from lib.errors import HeldoutError
from lib.files import atomic
from lib.progress import step
from lib.train.recipe import Untrainable
from lib.train.tensorboard import write_events
from lib.train.training import Training

logger = logging.getLogger(__name__)

Stops = Callable[[int, float], bool]
Schedule = Callable[[int], float]


def best_epoch(history: list[dict[str, float]]) -> int:
    """Find the epoch, from 1, with the lowest validation loss; the first of equals."""
    return int(np.argmin([row["val_loss"] for row in history])) + 1


def kept_epoch(history: list[dict[str, float]], training: Training) -> int:
    """Find the epoch, from 1, whose weights are kept; the last one of those that are averaged."""
    return best_epoch(history) if training.keep == "best" else len(history)


def stopped(history: list[dict[str, float]], stops: Stops | None) -> bool:
    """Tell a search of epochs that were trained before, up to the one at which it stops."""
    return stops is not None and any(stops(int(row["epoch"]), row["val_loss"]) for row in history)


class State:
    """Everything that the next epoch depends on, and the weights that would be kept so far."""

    def __init__(self, model: Any, training: Training, checkpoint: Path | None) -> None:
        self.model = model
        self.training = training
        self.checkpoint = checkpoint
        self.history: list[dict[str, float]] = []
        self.kept: list[np.ndarray] = []
        self.averaged = 0
        self.stopped = False
        self.diverged = False
        self.pruned = False
        self.variables = [*model.variables, *model.optimizer.variables]
        if checkpoint is not None and checkpoint.exists():
            try:
                self._load(checkpoint)
            except (ValueError, KeyError, EOFError, BadZipFile) as error:
                # It would fail as often as it is tried, where a training anew takes some time once.
                logger.warning("%s is damaged (%s): starting anew", checkpoint, error)
                checkpoint.unlink()

    @property
    def finished(self) -> bool:
        """Whether no epoch is left."""
        return self.stopped or self.diverged or len(self.history) >= self.training.epochs

    def add(self, row: dict[str, float]) -> None:
        """Add an epoch, and keep its weights if they are among those to keep."""
        self.history.append(row)
        if kept_epoch(self.history, self.training) != len(self.history):
            return
        # Copies: on the CPU the backend may hand out the variable's own memory.
        weights = [np.array(variable.numpy()) for variable in self.model.weights]
        if not self.training.averages(len(self.history)):
            self.kept = weights
            return
        self.averaged += 1
        share = np.float32(1 / self.averaged)
        self.kept = (
            [mean + share * (now - mean) for mean, now in zip(self.kept, weights, strict=True)]
            if self.averaged > 1
            else weights
        )

    def save(self) -> None:
        """Write everything to the checkpoint."""
        if self.checkpoint is None:
            return
        columns = list(self.history[0])
        with atomic(self.checkpoint) as part:
            arrays: dict[str, Any] = {
                "columns": columns,
                "history": [[row[name] for name in columns] for row in self.history],
                "stopped": self.stopped,
                "averaged": self.averaged,
            }
            arrays |= {f"kept_{i}": value for i, value in enumerate(self.kept)}
            arrays |= {f"now_{i}": np.asarray(value) for i, value in enumerate(self.variables)}
            np.savez(part, **arrays)

    def _load(self, checkpoint: Path) -> None:
        with np.load(checkpoint, allow_pickle=False) as file:
            held = {name: file[name] for name in file.files}  # all of it, or none
        history = [
            {
                name: int(value) if name == "epoch" else float(value)
                for name, value in zip(held["columns"].tolist(), row, strict=True)
            }
            for row in held["history"]
        ]
        kept = [held[f"kept_{i}"] for i in range(len(self.model.weights))]
        now = [held[f"now_{i}"] for i in range(len(self.variables))]
        if any(v.shape != tuple(x.shape) for v, x in zip(now, self.variables, strict=True)):
            raise ValueError("its arrays are not those of this network")
        for variable, value in zip(self.variables, now, strict=True):
            variable.assign(value)
        self.history, self.kept = history, kept
        self.stopped, self.averaged = bool(held["stopped"]), int(held["averaged"])
        logger.info("going on after epoch %d", len(self.history))

    def assign(self) -> None:
        """Take the variables from the checkpoint once more."""
        if self.checkpoint is not None and self.checkpoint.exists():
            self._load(self.checkpoint)


def callbacks(
    keras: Any,
    state: State,
    data: Any,
    writer: Any,
    stops: Stops | None,
    *,
    schedule: Schedule | None,
) -> list[Any]:
    """Make the callbacks of a training; the keeper comes last, since it saves what they did.

    A schedule says the learning rate of each step. Keras is not asked: JAX would compile its
    answer anew after each epoch.
    """
    training = state.training
    rules = []
    if training.early_stopping:
        rules.append(
            keras.callbacks.EarlyStopping(monitor="val_loss", patience=training.early_stopping)
        )
    if training.reduce_lr_factor < 1 and schedule is None:
        rules.append(
            keras.callbacks.ReduceLROnPlateau(
                monitor="val_loss",
                factor=training.reduce_lr_factor,
                patience=training.reduce_lr_patience,
            )
        )

    class Keeper(keras.callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            # The rules count epochs without progress. Showing them the epochs before an
            # interruption brings their counters back; the learning rate that they set on the
            # way is overwritten by the saved state.
            if state.history:
                for row in state.history:
                    for rule in rules:
                        rule.on_epoch_end(int(row["epoch"]) - 1, dict(row))
                state.assign()

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.began = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if not math.isfinite(logs["loss"]) or not math.isfinite(logs["val_loss"]):
                diverged = HeldoutError(
                    f"epoch {epoch + 1}",
                    "a finite loss",
                    f"{logs['loss']:g} (validation {logs['val_loss']:g})",
                    "Use a smaller learning rate, or look for extreme values in the features.",
                )
                if not state.history:
                    raise Untrainable(*diverged.args)
                # The run ends with the weights before, and says that it did.
                logger.warning("%s", diverged)
                state.diverged = self.model.stop_training = True
                return
            names = ("loss", "accuracy", "mse", "mae")
            row: dict[str, float] = {"epoch": epoch + 1}
            row |= {name: float(logs[name]) for name in names}
            row |= {f"val_{name}": float(logs[f"val_{name}"]) for name in names}
            # Where the last batch of an epoch is filled up, Keras' own weighs it as a full one.
            row["loss"] = float(logs.get("loss_of_examples", row["loss"]))
            optimizer = self.model.optimizer
            row["learning_rate"] = (
                # A plateau lowers the rate for the next epoch, and leaves that of this one here.
                float(logs.get("learning_rate", np.asarray(optimizer.learning_rate)))
                if schedule is None
                else schedule(int(np.asarray(optimizer.iterations)))
            )
            row["seconds"] = time.perf_counter() - self.began
            state.add(row)
            if training.spent(state.history):
                self.model.stop_training = True
            state.stopped = bool(self.model.stop_training)
            state.save()
            data.epoch = epoch + 1
            if stops is not None and not state.finished:
                state.pruned = stops(epoch + 1, row["val_loss"])
                self.model.stop_training = state.pruned
            if writer is not None:
                write_events(writer, row)
            left = (training.epochs - epoch - 1) * row["seconds"]
            logger.info(
                "epoch %d of %d: loss %.4f; validation loss %.4f, accuracy %.3f; up to %.0f s left",
                epoch + 1,
                training.epochs,
                row["loss"],
                row["val_loss"],
                row["val_accuracy"],
                left,
                extra=step(),
            )

    return [*rules, Keeper()]
