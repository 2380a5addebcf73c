"""One training: the same weights every time, and from its last epoch on after an interruption."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lib.networks.backend import device_kind, load
from lib.networks.compilation import compile_mode
from lib.networks.devices import count_devices, place, scaled
from lib.networks.hyperparameters import complete
from lib.networks.models import build
from lib.networks.recurrent import WIDEST, differentiate
from lib.train.batches import batches, moments, padded_metrics
from lib.train.callbacks import State, Stops, Training, best_epoch, callbacks


@dataclass(frozen=True)
class Fitted:
    """A trained network, with the weights of its best epoch.

    Attributes
    ----------
    model : keras.Model
        Normalisation included; on one device, in float32.
    history : list of dict
        One row an epoch, as `history.csv` has it.
    best_epoch : int
        From 1; the epoch with the lowest validation loss.
    pruned : bool
        Whether the search stopped it before it was done.
    mixed : keras.Model, optional
        The same weights, computing in the mixed precision that they were trained in.
    """

    model: Any
    history: list[dict[str, float]]
    best_epoch: int
    pruned: bool = False
    mixed: Any = None

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
        One of `lib.networks.hyperparameters.ARCHITECTURES`.
    hyperparameters : mapping
        What differs from its defaults.
    training : Training
        Epochs and stopping.
    backend : {"tensorflow", "jax"}
        What computes.
    compile : {"auto", "plain", "xla"}
        How its operations are compiled; auto takes what was measured (`lib.networks.compilation`).
    device : {"auto", "cpu", "gpu", "tpu"}
        Where it computes.
    devices : int or "all"
        On how many of the devices here.
    scaling : {"none", "batch", "linear"}
        What several devices change (`lib.networks.devices.scaled`).
    precision : {"float32", "mixed_float16", "mixed_bfloat16"}
        What it computes in. Weights, normalisation and the softmax are float32 in all of them.
    many : bool
        Whether this process trains many networks. TensorFlow keeps what XLA compiled, 30 MB and
        more a network, for as long as the process lives: auto is plain then.
    threads : int, optional
        CPU threads.

    Raises
    ------
    HeldoutError
        What `lib.networks.models.build` and `lib.networks.devices` refuse.
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
        compile: str = "auto",
        device: str = "auto",
        devices: int | str = 1,
        scaling: str = "none",
        precision: str = "float32",
        many: bool = False,
        threads: int | None = None,
    ) -> None:
        self.values = complete(architecture, hyperparameters)
        self.training = training
        self.backend = backend
        self._keras = load(backend, threads=threads, device=device)
        self.devices = count_devices(devices, backend)
        self.batch_size, rate = scaled(self.values, scaling, self.devices)
        kind = device_kind(backend)
        steps = training.epochs * -(-len(train) // self.batch_size) * x.shape[1]
        width = self.batch_size * max(self.values.get("units", [0]))
        self.compile = compile_mode(
            compile,
            architecture,
            backend,
            kind,
            devices=self.devices,
            steps=0 if many else steps,
            width=width,
        )
        compiled = (backend, self.compile) == ("tensorflow", "xla")
        self._keras.backend.clear_session()
        self._place = place(self.devices, self._keras)
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
            precision=precision,
        )
        several = self.devices > 1
        with self._place.scope():
            self.model = self._build(synchronized=several)
            # On a GPU Keras has cuDNN go through time, which XLA cannot compile.
            if compiled or (kind == "cpu" and width <= WIDEST):
                differentiate(self.model)
            if compiled:
                _compile_steps(self.model)
            self.model.compile(
                optimizer=_optimizer(
                    self._keras, self.values | {"learning_rate": rate}, several=several
                ),
                loss="categorical_crossentropy",
                metrics=padded_metrics(self._keras) if several else ["accuracy", "mse", "mae"],
                jit_compile=backend == "jax",
            )
            self.model.optimizer.build(self.model.trainable_variables)
            # A metric makes its variables when it first sees data. Inside the training step that
            # would have TensorFlow trace the step twice.
            nothing = np.zeros((1, classes), np.float32)
            self._place.run(lambda: self.model.compute_metrics(None, nothing, nothing))
            self.model.reset_metrics()
        # Copies: on the CPU the backend may hand out the variable's own memory.
        self._fresh = [np.array(value.numpy()) for value in self.model.optimizer.variables]
        # What several devices or mixed precision trained is kept as any other model is.
        self._mixed = None if precision == "float32" else self._build()
        plain = several or self._mixed is not None
        self._kept = self._build(precision="float32") if plain else self.model

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
        state = State(self.model, checkpoint)
        data = batches(
            self._keras,
            self._x,
            self._train,
            self._targets["train"],
            self._weights,
            batch_size=self.batch_size,
            shuffle_seed=seed,
            epoch=len(state.history),
            multiple=self.devices,
        )
        check = batches(
            self._keras,
            self._x,
            self._validation,
            self._targets["check"],
            batch_size=max(64 * self.devices, self.batch_size),
            multiple=self.devices,
        )
        # The search is told of the epochs before an interruption too, and may have stopped there.
        told = [stops(int(row["epoch"]), row["val_loss"]) for row in state.history if stops]
        done = state.finished(self.training)
        if not done and not any(told[-1:]):
            with self._place.scope():
                self.model.fit(
                    data,
                    validation_data=check,
                    epochs=self.training.epochs,
                    initial_epoch=len(state.history),
                    shuffle=False,  # the dataset shuffles rows; Keras would only shuffle batches
                    callbacks=callbacks(
                        self._keras, self.training, state, data, tensorboard, stops
                    ),
                    verbose=0,
                )
        return replace(
            self.restore(state.history, state.best),
            pruned=state.pruned or (not done and any(told[-1:])),
        )

    def restore(self, history: list[dict[str, float]], weights: list[np.ndarray]) -> Fitted:
        """Put the weights of an earlier training into the model."""
        for model in filter(None, (self._kept, self._mixed)):
            for variable, value in zip(model.weights, weights, strict=True):
                variable.assign(value)
        return Fitted(self._kept, history, best_epoch(history), mixed=self._mixed)

    def _start(self, seed: int) -> None:
        """Set every variable to what a model built with this seed begins with."""
        self._keras.utils.set_random_seed(seed)
        for variable, value in zip(self.model.variables, self._build().variables, strict=False):
            variable.assign(value)
        for variable, value in zip(self.model.optimizer.variables, self._fresh, strict=True):
            variable.assign(value)
        self.model.stop_training = False


def _compile_steps(model: Any) -> None:
    """Have XLA compile the steps of a training on TensorFlow; the one prediction after it is plain.

    Asked for it, Keras would warn and not do it where operations are deterministic, since not all
    of them are then. TensorFlow says so where it meets one.
    """
    import tensorflow as tf

    for name in ("train_step", "test_step"):
        step = tf.function(getattr(model, name), jit_compile=True, reduce_retracing=True)
        setattr(model, name, step)


def _optimizer(keras: Any, values: Mapping[str, Any], *, several: bool) -> Any:
    kinds = {"adam": "Adam", "adamax": "Adamax", "rmsprop": "RMSprop", "sgd": "SGD"}
    optimizer = getattr(keras.optimizers, kinds[values["optimizer"]])(values["learning_rate"])
    if not several:
        _without_sum(optimizer)
    return optimizer


def _without_sum(optimizer: Any) -> None:
    """Have an optimizer of one replica take each gradient as it is.

    The sum over one replica is the gradient itself. TensorFlow writes that sum as a function with a
    gradient of its own, which it registers for as long as the process lives, with the graph of the
    training step: several MB a network. Neither library has a public way around it or a way to take
    it back (`clear_session` does not), and another name in a later Keras costs memory and nothing
    else; `tests/faults/test_growth.py` tells.
    """
    if hasattr(optimizer, "_all_reduce_sum_gradients"):
        optimizer._all_reduce_sum_gradients = list
