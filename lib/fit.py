"""One training: the same weights every time, and from its last epoch on after an interruption."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lib.backend import load
from lib.batches import batches, moments
from lib.errors import HeldoutError
from lib.files import atomic
from lib.hyperparameters import complete
from lib.models import build

logger = logging.getLogger(__name__)

Stops = Callable[[int, float], bool]


@dataclass(frozen=True)
class Training:
    """How long and under which rules a network is trained.

    Attributes
    ----------
    epochs : int
        At most.
    early_stopping : int
        Epochs without a better validation loss before training stops; 0 never stops early.
    reduce_lr_factor : float
        What the learning rate is multiplied by on a plateau of the validation loss; 1 for never.
    reduce_lr_patience : int
        Epochs without a better validation loss that make a plateau.
    """

    epochs: int
    early_stopping: int = 0
    reduce_lr_factor: float = 1.0
    reduce_lr_patience: int = 2


@dataclass(frozen=True)
class Fitted:
    """A trained network, with the weights of its best epoch.

    Attributes
    ----------
    model : keras.Model
        Normalisation included.
    history : list of dict
        One row an epoch, as `history.csv` has it.
    best_epoch : int
        From 1; the epoch with the lowest validation loss.
    pruned : bool
        Whether the search stopped it before it was done.
    """

    model: Any
    history: list[dict[str, float]]
    best_epoch: int
    pruned: bool = False

    @property
    def seconds(self) -> float:
        """Time spent in epochs, also before an interruption."""
        return sum(row["seconds"] for row in self.history)


def class_weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """Weigh examples so that each class counts the same in sum, and all of them 1 on average.

    Parameters
    ----------
    labels : np.ndarray [shape=(n,), dtype=int]
        Class numbers.
    classes : int
        Number of classes.

    Returns
    -------
    np.ndarray [shape=(n,), dtype=float32]
        n / (classes present × examples of the class).
    """
    counts = np.bincount(labels, minlength=classes)
    present = np.count_nonzero(counts)
    weights = len(labels) / (present * np.maximum(counts, 1))
    return weights[labels].astype(np.float32)


class Trainer:
    """Trains one trial on one pair of train and validation parts, with any number of seeds.

    The network is built and compiled once: tracing it takes longer than a short training. Each
    seed starts from the weights that a process of its own would start from.

    Parameters
    ----------
    x : np.ndarray [shape=(examples, time, channels)]
        All examples; may be memory-mapped.
    labels : np.ndarray [shape=(examples,), dtype=int]
        Class numbers.
    train, validation : np.ndarray [dtype=int]
        Row numbers of the two parts. No other row is looked at.
    classes : int
        Number of classes.
    architecture : str
        One of `lib.hyperparameters.ARCHITECTURES`.
    hyperparameters : mapping
        What differs from its defaults.
    training : Training
        Epochs and stopping.
    backend : {"tensorflow", "jax"}
        What computes.
    threads : int, optional
        CPU threads.

    Raises
    ------
    HeldoutError
        What `lib.models.build` refuses.
    """

    def __init__(
        self,
        x: np.ndarray,
        labels: np.ndarray,
        *,
        train: np.ndarray,
        validation: np.ndarray,
        classes: int,
        architecture: str,
        hyperparameters: Mapping[str, Any],
        training: Training,
        backend: str = "tensorflow",
        threads: int | None = None,
    ) -> None:
        self.values = complete(architecture, hyperparameters)
        self.training = training
        self.backend = backend
        self._keras = load(backend, threads=threads)
        self._keras.backend.clear_session()
        self._x, self._train, self._validation = x, train, validation
        one_hot = np.eye(classes, dtype=np.float32)
        self._targets = {"train": one_hot[labels[train]], "check": one_hot[labels[validation]]}
        balanced = self.values["class_weights"]
        self._weights = class_weights(labels[train], classes) if balanced else None
        mean, variance = moments(x, train)
        self._build = partial(
            build,
            architecture,
            self.values,
            shape=x.shape[1:],
            classes=classes,
            mean=mean,
            variance=variance,
            backend=backend,
        )
        self.model = self._build()
        self.model.compile(
            optimizer=_optimizer(self._keras, self.values),
            loss="categorical_crossentropy",
            metrics=["accuracy", "mse", "mae"],
            # XLA on the CPU slows TensorFlow's convolutions 27 times; JAX has no other mode.
            jit_compile=backend == "jax",
        )
        self.model.optimizer.build(self.model.trainable_variables)
        self._fresh = [np.array(variable) for variable in self.model.optimizer.variables]

    def fit(
        self,
        seed: int,
        *,
        checkpoint: Path | None = None,
        tensorboard: Path | None = None,
        stops: Stops | None = None,
    ) -> Fitted:
        """Train with one seed.

        Parameters
        ----------
        seed : int
            Of initial weights, dropout and shuffling.
        checkpoint : Path, optional
            A file that holds the whole state after each epoch. If it exists, training goes on from
            it and ends with the weights that it would have had without the interruption.
        tensorboard : Path, optional
            Folder for TensorBoard events.
        stops : callable, optional
            Given each epoch (from 1) and its validation loss, says whether the search stops here.

        Returns
        -------
        Fitted
            Its model is this trainer's, and holds these weights until the next call.

        Raises
        ------
        HeldoutError
            The loss became NaN.
        """
        self._start(seed)
        state = _State(self.model, checkpoint)
        data = batches(
            self._keras,
            self._x,
            self._train,
            self._targets["train"],
            self._weights,
            batch_size=self.values["batch_size"],
            shuffle_seed=seed,
            epoch=len(state.history),
        )
        check = batches(
            self._keras,
            self._x,
            self._validation,
            self._targets["check"],
            batch_size=max(64, self.values["batch_size"]),
        )
        if not state.finished(self.training):
            self.model.fit(
                data,
                validation_data=check,
                epochs=self.training.epochs,
                initial_epoch=len(state.history),
                shuffle=False,  # the dataset shuffles rows; Keras would only shuffle batches
                callbacks=_callbacks(self._keras, self.training, state, data, tensorboard, stops),
                verbose=0,
            )
        return replace(self.restore(state.history, state.best), pruned=state.pruned)

    def restore(self, history: list[dict[str, float]], weights: list[np.ndarray]) -> Fitted:
        """Put the weights of an earlier training into the model."""
        for variable, value in zip(self.model.weights, weights, strict=True):
            variable.assign(value)
        return Fitted(self.model, history, best_epoch(history))

    def _start(self, seed: int) -> None:
        """Set every variable to what a model built with this seed begins with."""
        self._keras.utils.set_random_seed(seed)
        for variable, value in zip(self.model.variables, self._build().variables, strict=False):
            variable.assign(value)
        for variable, value in zip(self.model.optimizer.variables, self._fresh, strict=True):
            variable.assign(value)
        self.model.stop_training = False


def best_epoch(history: list[dict[str, float]]) -> int:
    """Give the epoch, from 1, with the lowest validation loss; the first of equals."""
    return int(np.argmin([row["val_loss"] for row in history])) + 1


def _optimizer(keras: Any, values: Mapping[str, Any]) -> Any:
    kinds = {"adam": "Adam", "adamax": "Adamax", "rmsprop": "RMSprop", "sgd": "SGD"}
    return getattr(keras.optimizers, kinds[values["optimizer"]])(values["learning_rate"])


class _State:
    """Everything that the next epoch depends on, and the best weights so far."""

    def __init__(self, model: Any, checkpoint: Path | None) -> None:
        self.model = model
        self.checkpoint = checkpoint
        self.history: list[dict[str, float]] = []
        self.best: list[np.ndarray] = []
        self.stopped = False
        self.pruned = False
        self.variables = [*model.variables, *model.optimizer.variables]
        if checkpoint is not None and checkpoint.exists():
            self._load(checkpoint)

    def finished(self, training: Training) -> bool:
        return self.stopped or len(self.history) >= training.epochs

    def add(self, row: dict[str, float]) -> None:
        self.history.append(row)
        if best_epoch(self.history) == len(self.history):
            self.best = [np.asarray(variable) for variable in self.model.weights]

    def save(self) -> None:
        if self.checkpoint is None:
            return
        columns = list(self.history[0])
        with atomic(self.checkpoint) as part:
            arrays: dict[str, Any] = {
                "columns": columns,
                "history": [[row[name] for name in columns] for row in self.history],
                "stopped": self.stopped,
            }
            arrays |= {f"best_{i}": value for i, value in enumerate(self.best)}
            arrays |= {f"now_{i}": np.asarray(value) for i, value in enumerate(self.variables)}
            np.savez(part, **arrays)

    def _load(self, checkpoint: Path) -> None:
        with np.load(checkpoint, allow_pickle=False) as held:
            self.history = [
                {
                    name: int(value) if name == "epoch" else float(value)
                    for name, value in zip(held["columns"].tolist(), row, strict=True)
                }
                for row in held["history"]
            ]
            self.stopped = bool(held["stopped"])
            self.best = [held[f"best_{i}"] for i in range(len(self.model.weights))]
            for index, variable in enumerate(self.variables):
                variable.assign(held[f"now_{index}"])
        logger.info("going on after epoch %d", len(self.history))

    def assign(self) -> None:
        """Take the variables from the checkpoint once more."""
        if self.checkpoint is not None and self.checkpoint.exists():
            self._load(self.checkpoint)


def _callbacks(
    keras: Any,
    training: Training,
    state: _State,
    data: Any,
    tensorboard: Path | None,
    stops: Stops | None,
) -> list[Any]:
    """Make the callbacks of a training; the keeper comes last, since it saves what they did."""
    rules = []
    if training.early_stopping:
        rules.append(
            keras.callbacks.EarlyStopping(monitor="val_loss", patience=training.early_stopping)
        )
    if training.reduce_lr_factor < 1:
        rules.append(
            keras.callbacks.ReduceLROnPlateau(
                monitor="val_loss",
                factor=training.reduce_lr_factor,
                patience=training.reduce_lr_patience,
            )
        )
    writer = _event_writer(tensorboard, fresh=not state.history)

    class Keeper(keras.callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            # The rules count epochs without progress. Showing them the epochs before an
            # interruption brings their counters back; the learning rate that they set on the
            # way is overwritten by the saved state.
            if state.history:
                for row in state.history:
                    for rule in rules:
                        rule.on_epoch_end(int(row["epoch"]) - 1, dict(row))
                    if stops is not None:
                        stops(int(row["epoch"]), row["val_loss"])
                state.assign()

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.began = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if not math.isfinite(logs["loss"]) or not math.isfinite(logs["val_loss"]):
                raise HeldoutError(
                    f"epoch {epoch + 1}: the loss became {logs['loss']:g} (validation "
                    f"{logs['val_loss']:g}). Use a smaller learning rate, or look for extreme "
                    "values in the features."
                )
            names = ("loss", "accuracy", "mse", "mae")
            row: dict[str, float] = {"epoch": epoch + 1}
            row |= {name: float(logs[name]) for name in names}
            row |= {f"val_{name}": float(logs[f"val_{name}"]) for name in names}
            row["learning_rate"] = float(
                logs.get("learning_rate", np.asarray(self.model.optimizer.learning_rate))
            )
            row["seconds"] = time.perf_counter() - self.began
            state.add(row)
            state.stopped = bool(self.model.stop_training)
            state.save()
            data.epoch = epoch + 1
            if stops is not None and not state.finished(training):
                state.pruned = stops(epoch + 1, row["val_loss"])
                self.model.stop_training = state.pruned
            if writer is not None:
                _write_events(writer, row)
            left = (training.epochs - epoch - 1) * row["seconds"]
            logger.info(
                "epoch %d of %d: loss %.4f; validation loss %.4f, accuracy %.3f; at most %.0f s",
                epoch + 1,
                training.epochs,
                row["loss"],
                row["val_loss"],
                row["val_accuracy"],
                left,
            )

        def on_train_end(self, logs: Any = None) -> None:
            if writer is not None:
                writer.close()

    return [*rules, Keeper()]


def _event_writer(folder: Path | None, *, fresh: bool) -> Any:
    """Open TensorBoard events; a fresh training begins without those of an older one."""
    if folder is None:
        return None
    from tensorboardX import SummaryWriter

    if fresh and folder.exists():
        for old in folder.glob("events.*"):
            old.unlink()
    return SummaryWriter(str(folder), flush_secs=10)


def _write_events(writer: Any, row: Mapping[str, float]) -> None:
    """Write one epoch; curves of train and validation lie in one chart each."""
    for name, value in row.items():
        if name != "epoch":
            metric = name.removeprefix("val_")
            chart = f"{metric}/{'validation' if metric != name else 'train'}"
            writer.add_scalar(chart, value, int(row["epoch"]))


def write_history_events(folder: Path, history: list[dict[str, float]]) -> None:
    """Write the TensorBoard events of a training that is over."""
    writer = _event_writer(folder, fresh=True)
    for row in history:
        _write_events(writer, row)
    writer.close()
