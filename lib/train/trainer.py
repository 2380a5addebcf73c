"""One training: the same weights every time, and from its last epoch on after an interruption."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lib.errors import HeldoutError
from lib.metrics.emphasis import class_weights, drawn
from lib.networks.backend import device_kind, device_name, load
from lib.networks.cpu import quicken
from lib.networks.devices import count_devices, scaled, spread
from lib.networks.hyperparameters import complete
from lib.networks.models import build
from lib.train.augmentation import augmenter
from lib.train.batches import (
    batches,
    checked_at_once,
    moments,
    padded_loss,
    padded_metrics,
    predict,
    scaler,
)
from lib.train.callbacks import Schedule, State, Stops, callbacks, kept_epoch, stopped
from lib.train.data import Data
from lib.train.optimizer import optimizer, scheduled_rate, warmup_steps
from lib.train.recipe import Recipe, Untrainable
from lib.train.tensorboard import event_writer


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
        From 1; the epoch whose weights these are, which is the one with the lowest validation loss
        unless the training keeps others.
    pruned : bool
        Whether the search stopped it before it was done.
    diverged : bool
        Whether the loss became NaN or infinite; the weights are those kept before.
    mixed : keras.Model, optional
        The same weights, computing in the mixed precision that they were trained in.
    made : mapping
        What made the weights, where they are kept (`lib.train.store`): `device`, `train_seconds`,
        `versions`, `finished`.
    """

    model: Any
    history: list[dict[str, float]]
    best_epoch: int
    pruned: bool = False
    diverged: bool = False
    mixed: Any = None
    made: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Time spent in epochs, also before an interruption."""
        return sum(row["seconds"] for row in self.history)


class Trainer:
    """Trains one trial on the train and validation parts of some data, with any number of seeds.

    The network is built and compiled once: that takes longer than a short training. Each seed
    starts from the weights that a process of its own would start from.

    Parameters
    ----------
    data : Data
        Examples and parts; only rows of the parts `train` and `validation` are looked at.
    recipe : Recipe
        What is trained, and how.

    Attributes
    ----------
    data, recipe
        As given; `devices` of the recipe is a number.
    values : dict
        Every hyperparameter.
    batch_size : int
        Examples a step, over all devices.
    kind : {"cpu", "gpu", "tpu"}
        What computes.
    device : str
        Its model, or `CPU`.
    model : keras.Model
        What is trained.

    Raises
    ------
    Untrainable
        What `lib.networks.models.build` and `lib.networks.devices.scaled` refuse.
    HeldoutError
        What `lib.networks.backend.load` and `lib.networks.devices.count_devices` refuse.
    """

    def __init__(self, data: Data, recipe: Recipe) -> None:
        self.values = complete(recipe.architecture, recipe.hyperparameters)
        self._keras = load(recipe.backend, threads=recipe.threads, device=recipe.device)
        devices = count_devices(recipe.devices)
        self.data, self.recipe = data, replace(recipe, devices=devices)
        self.kind, self.device = device_kind(recipe.backend), device_name(recipe.backend)
        with _of_the_trial():
            self.batch_size, rate = scaled(self.values, recipe.scaling, devices)
        self._schedule: Schedule | None = None
        if self.values["schedule"] == "cosine":
            risen = warmup_steps(self.values, self._steps)
            self._schedule = partial(scheduled_rate, rate=rate, steps=self._steps, warmup=risen)
        self._keras.backend.clear_session()
        self._spread = partial(spread, devices, self._keras)
        one_hot = np.eye(len(data.classes), dtype=np.float32)[data.labels]
        self._targets = {part: one_hot[data.rows[part]] for part in ("train", "validation")}
        train = data.rows["train"]
        power, labels = self.values["class_weights"], data.labels[train]
        undersampling = recipe.training.undersampling
        self._weights = class_weights(labels, power, undersampling) if power else None
        by_step = self.values["normalization"] == "step"
        mean, variance = (_moments_of_steps if by_step else moments)(data.x, train)
        context = None if data.context is None else moments(data.context[:, None], train)
        self._build = partial(
            build,
            recipe.architecture,
            self.values,
            shape=data.x.shape[1:],
            classes=len(data.classes),
            mean=mean,
            variance=variance,
            context=context,
            backend=recipe.backend,
            precision=recipe.precision,
        )
        # What trains is told nothing of the data: JAX compiles it once for all parts, folds and
        # learning rates of one shape.
        self._scale = None if self.values["normalization"] == "none" else scaler(mean, variance)
        self._context = data.context
        if data.context is not None and context is not None:
            average, width = context
            self._context = scaler(average, np.where(width > 0, width, 1))(data.context)
            context = np.zeros_like(average), np.ones_like(width)
        self._untold = partial(self._build, mean=None, variance=None, context=context)
        smoothing = self.values["label_smoothing"]
        jax = recipe.backend == "jax"
        with self._spread():
            with _of_the_trial():
                self.model = self._untold()
            self.model.compile(
                optimizer=optimizer(self._keras, self.values, rate, steps=self._steps),
                loss=self._keras.losses.CategoricalCrossentropy(label_smoothing=smoothing),
                metrics=padded_metrics(self._keras) if jax else ["accuracy", "mse", "mae"],
                weighted_metrics=[padded_loss(self._keras, label_smoothing=smoothing)]
                if jax
                else None,
                jit_compile=jax,
            )
            self.model.optimizer.build(self.model.trainable_variables)
            if recipe.backend == "tensorflow":
                # A metric makes its variables when it first sees data. Inside the training step
                # that would have TensorFlow trace the step twice.
                nothing = np.zeros((1, len(data.classes)), np.float32)
                self.model.compute_metrics(None, nothing, nothing)
                self.model.reset_metrics()
        # Copies: on the CPU the backend may hand out the variable's own memory.
        self._fresh = [np.array(value.numpy()) for value in self.model.optimizer.variables]
        self._mixed = None if recipe.precision == "float32" else self._build()
        # What is kept takes examples as they are, and has no optimizer.
        self._kept = self._build(precision="float32")
        self._kept.jit_compile = jax
        if self.kind == "cpu":  # GPUs have kernels of their own for what is slow here
            for model in (self.model, self._kept):
                quicken(model)

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
        Untrainable
            The loss is NaN or infinite after the first epoch.
        """
        training = self.recipe.training
        self._start(seed)
        state = State(self.model, training, checkpoint)
        data = self._batches(
            "train",
            weights=self._weights,
            batch_size=self.batch_size,
            shuffle_seed=seed,
            epoch=len(state.history),
            augment=augmenter(training.augmentation, seed),
            counts=self._counts,
        )
        at_once = checked_at_once(len(self.data.rows["validation"]), self.batch_size)
        check = self._batches("validation", batch_size=at_once)
        # The search is told of the epochs before an interruption too, and may have stopped there.
        done = state.finished
        cut = stopped(state.history[:-1] if done else state.history, stops)
        if not done and not cut:
            events = event_writer(tensorboard, fresh=not state.history)
            with self._spread(), events as writer:
                self.model.fit(
                    data,
                    validation_data=check,
                    epochs=training.epochs,
                    initial_epoch=len(state.history),
                    shuffle=False,  # the dataset shuffles rows; Keras would only shuffle batches
                    callbacks=callbacks(
                        self._keras,
                        state,
                        data,
                        writer,
                        stops,
                        schedule=self._schedule,
                    ),
                    verbose=0,
                )
        return replace(
            self.restore(state.history, state.kept),
            pruned=state.pruned or cut,
            diverged=state.diverged,
        )

    def predict(
        self, rows: np.ndarray, *, size: int | None = None, mixed: bool = False
    ) -> np.ndarray:
        """Predict some rows of the data with the weights that `fit` or `restore` returned last.

        Parameters
        ----------
        rows : np.ndarray [shape=(n,)]
            Which examples.
        size : int, optional
            As for `lib.train.batches.predict`.
        mixed : bool
            Whether to compute in the mixed precision that was trained in.

        Returns
        -------
        np.ndarray [shape=(n, classes), dtype=float32]
            Probabilities, computed on one device, in float32 unless `mixed`.
        """
        if mixed:
            model, context, scale = self._mixed, self.data.context, None
        elif self._alone:
            # Not what is kept: it has the means of this train part in its program.
            model, context, scale = self.model, self._context, self._scale
        else:
            model, context, scale = self._kept, self.data.context, None
        return predict(self._keras, model, self.data.x, rows, context, size=size, scale=scale)

    def restore(self, history: list[dict[str, float]], weights: list[np.ndarray]) -> Fitted:
        """Put the weights of an earlier training into the model."""
        models = self._kept, self._mixed, self.model if self._alone else None
        for model in filter(None, models):
            for variable, value in zip(model.weights, weights, strict=True):
                variable.assign(value)
        epoch = kept_epoch(history, self.recipe.training)
        return Fitted(self._kept, history, epoch, mixed=self._mixed)

    def key(self, seed: int) -> str:
        """Name a training by all that its weights depend on (`lib.train.recipe.Recipe.key`)."""
        return self.recipe.key(self.data, seed, kind=self.kind)

    @property
    def _steps(self) -> int:
        """Steps of the whole training."""
        return -(-self._counts.sum() // self.batch_size) * self.recipe.training.epochs

    @property
    def _counts(self) -> np.ndarray:
        """Examples of each class in an epoch."""
        train = self.data.labels[self.data.rows["train"]]
        return drawn(train, self.recipe.training.undersampling)

    @property
    def _alone(self) -> bool:
        """Whether what trains computes on one device and in float32."""
        return self._devices == 1 and self._mixed is None

    @property
    def _devices(self) -> int:
        return int(self.recipe.devices)

    def _batches(self, part: str, *, batch_size: int, **options: Any) -> Any:
        rows, targets = self.data.rows[part], self._targets[part]
        # JAX compiles a program for each size of a batch. Where layers normalise over a batch,
        # those that fill it up would count; a single batch that is not full has one size as it is.
        among = part == "train" and (self._over_batch or self._counts.sum() < batch_size)
        filled = self.recipe.backend == "jax" and not among
        return batches(
            self._keras,
            self.data.x,
            rows,
            targets,
            context=self._context,
            batch_size=batch_size,
            multiple=batch_size if filled else self._devices,
            scale=self._scale,
            **options,
        )

    @property
    def _over_batch(self) -> bool:
        kind = self._keras.layers.BatchNormalization
        return any(isinstance(layer, kind) for layer in self.model.layers)

    def _start(self, seed: int) -> None:
        """Set every variable to what a model built with this seed begins with."""
        self._keras.utils.set_random_seed(seed)
        for variable, value in zip(self.model.variables, self._untold().variables, strict=True):
            variable.assign(value)
        for variable, value in zip(self.model.optimizer.variables, self._fresh, strict=True):
            variable.assign(value)
        self.model.stop_training = False


def _moments_of_steps(x: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute mean and variance of each channel at each step; a constant has variance 1.

    So has scikit-learn's StandardScaler of examples as one row of numbers.
    """
    mean, variance = (one.reshape(x.shape[1:]) for one in moments(x.reshape(len(x), 1, -1), rows))
    return mean, np.where(variance > 0, variance, 1.0)


@contextmanager
def _of_the_trial() -> Iterator[None]:
    """Say of an error in the block that it is one of the trial, and of nothing else."""
    try:
        yield
    except HeldoutError as error:
        raise Untrainable(*error.args) from error
