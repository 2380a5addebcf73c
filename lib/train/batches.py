"""Feeding a network from a memory-mapped array, truly shuffled and the same way every time."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from lib.examples.arrays import blocks, take
from lib.train.augmentation import Augment

Scale = Callable[[np.ndarray], np.ndarray]

# A part up to this size is copied into memory once; a larger one is read row by row as needed.
IN_MEMORY = 512_000_000
# Prediction needs no gradients, so it takes larger batches, as far as memory allows.
PREDICT_BYTES = 32_000_000


def batches(
    keras: ModuleType,
    x: np.ndarray,
    rows: np.ndarray,
    targets: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    *,
    context: np.ndarray | None = None,
    batch_size: int,
    shuffle_seed: int | None = None,
    epoch: int = 0,
    multiple: int = 1,
    augment: Augment | None = None,
    scale: Scale | None = None,
    counts: np.ndarray | None = None,
) -> Any:
    """Make a Keras dataset over some rows of an array.

    Parameters
    ----------
    keras : module
        From `lib.networks.backend.load`.
    x : np.ndarray [shape=(examples, time, channels)]
        All examples; may be memory-mapped.
    rows : np.ndarray [shape=(n,)]
        Which of them.
    targets : np.ndarray [shape=(n, classes)], optional
        One-hot classes of those rows.
    weights : np.ndarray [shape=(n,)], optional
        Sample weights of those rows.
    context : np.ndarray [shape=(examples, n)], optional
        What a network takes beside each example. A batch is then not an array but a mapping, as
        the inputs of `lib.networks.models.build`.
    batch_size : int
        Rows a step.
    shuffle_seed : int, optional
        Each epoch sees all rows in an order drawn from this seed and the number of the epoch
        alone, so that a resumed training sees what an undisturbed one would have. None: in order.
    epoch : int
        The epoch to begin with.
    multiple : int
        The last batch is filled up to a multiple of it, of which `batch_size` is one, with rows of
        itself that have no class and no weight; in training the others weigh more, so that
        gradients are those of the mean over them.
    augment : callable, optional
        From a batch of examples, the epoch and the number of the batch to what is trained on.
    scale : callable, optional
        From a batch of examples, as augmented, to what the network is given.
    counts : np.ndarray [shape=(classes,), dtype=int], optional
        How many rows of each class an epoch has, drawn anew each time. None: all of them.

    Returns
    -------
    keras.utils.PyDataset
        With an attribute `epoch`, which whoever trains sets before each epoch.
    """
    if len(rows) * x[:1].nbytes <= IN_MEMORY:
        context = context if context is None else context[rows]
        x, rows = take(x, rows), np.arange(len(rows))
    totals = len(rows), len(rows) + -len(rows) % multiple
    labels = np.zeros(len(rows), int) if targets is None else targets.argmax(axis=1)

    class Batches(keras.utils.PyDataset):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.epoch = epoch
            self.order = np.arange(len(rows))
            self.on_epoch_begin()

        def on_epoch_begin(self) -> None:
            if shuffle_seed is not None:
                rng = np.random.default_rng([shuffle_seed, self.epoch])
                self.order = rng.permutation(_draw(labels, counts, rng))

        def __len__(self) -> int:
            return -(-len(self.order) // batch_size)

        def __getitem__(self, index: int) -> tuple[Any, ...]:
            # A file is best read forwards, and within a batch the order is free.
            chosen = np.sort(self.order[index * batch_size : (index + 1) * batch_size])
            examples = take(x, rows[chosen])
            if augment is not None:
                examples = augment(examples, self.epoch, index)
            if scale is not None:
                examples = scale(examples)
            columns: tuple[Any, ...] = (examples,)
            if context is not None:
                columns = ({"examples": examples, "context": context[rows[chosen]]},)
            if targets is not None:
                columns += (targets[chosen],)
            if weights is not None:
                columns += (weights[chosen],)
            return columns if multiple == 1 else self.filled(*columns)

        def filled(
            self, x: Any, y: np.ndarray, weight: np.ndarray | float = 1.0
        ) -> tuple[Any, ...]:
            """Make each batch a multiple of what was asked for."""
            count = len(y)
            more = -count % multiple
            # Keras takes the mean over a batch, fillers too, and the mean of batches by their size.
            real, size = (count, count + more) if shuffle_seed is not None else totals
            weight = np.full(count, weight * size / real, np.float32)
            again = np.resize(np.arange(count), count + more)
            return (
                keras.tree.map_structure(lambda column: column[again], x),
                np.concatenate([y, np.zeros((more, y.shape[1]), y.dtype)]),
                np.concatenate([weight, np.zeros(more, np.float32)]),
            )

    return Batches()


def _draw(labels: np.ndarray, counts: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """Draw so many rows of each class; where that is all of them, nothing is drawn."""
    chosen = np.arange(len(labels))
    for number, count in enumerate([] if counts is None else counts):
        of_class = np.flatnonzero(labels[chosen] == number)
        if count < len(of_class):
            left_out = rng.choice(of_class, len(of_class) - count, replace=False)
            chosen = np.delete(chosen, left_out)
    return chosen


def padded_metrics(keras: ModuleType) -> list[Any]:
    """Make accuracy, mse and mae that leave out the rows that fill up a batch."""

    class OfExamples(keras.metrics.MeanMetricWrapper):  # type: ignore[name-defined]
        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            # The targets of an example sum to 1, those of a filler to 0.
            return super().update_state(y_true, y_pred, keras.ops.sum(y_true, axis=-1))

    functions = {
        "accuracy": keras.metrics.categorical_accuracy,
        "mse": keras.metrics.mean_squared_error,
        "mae": keras.metrics.mean_absolute_error,
    }
    return [OfExamples(function, name=name) for name, function in functions.items()]


def padded_loss(keras: ModuleType, *, label_smoothing: float) -> Any:
    """Make the metric `loss_of_examples`: the loss of an epoch, each example weighing the same.

    Keras takes the mean over batches by their size, fillers included, so that the last batch of an
    epoch of training weighs more than its examples do.
    """

    class OfExamples(keras.metrics.Mean):  # type: ignore[name-defined]
        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            losses = keras.losses.categorical_crossentropy(
                y_true, y_pred, label_smoothing=label_smoothing
            )
            if sample_weight is not None:
                losses = losses * keras.ops.reshape(sample_weight, (-1,))
            return super().update_state(keras.ops.mean(losses), keras.ops.sum(y_true))

    return OfExamples(name="loss_of_examples")


def scaler(mean: np.ndarray, variance: np.ndarray) -> Scale:
    """Make what normalises a batch as the first layer of `lib.networks.models.build` does.

    A program that has the numbers of one train part in it is compiled for no other part.

    Parameters
    ----------
    mean, variance : np.ndarray [shape=(channels,) or (time, channels)]
        Of the train part.
    """
    # As in Keras, whose epsilon it is: a channel without any variance stays finite.
    deviation = np.maximum(np.sqrt(variance.astype(np.float32)), np.float32(1e-7))
    average = mean.astype(np.float32)

    def scale(examples: np.ndarray) -> np.ndarray:
        return (examples.astype(np.float32) - average) / deviation

    return scale


def predict(
    keras: ModuleType,
    model: Any,
    x: np.ndarray,
    rows: np.ndarray,
    context: np.ndarray | None = None,
    *,
    size: int | None = None,
    scale: Scale | None = None,
) -> np.ndarray:
    """Predict some rows of an array, with those of the context, where the network takes one.

    Parameters
    ----------
    size : int, optional
        How many at once; None leaves it to `predicted_at_once`.
    scale : callable, optional
        As for `batches`.

    Returns
    -------
    np.ndarray [shape=(rows, classes), dtype=float32]
        Probabilities.
    """
    size = size or predicted_at_once(x[:1].nbytes, len(rows))
    # JAX compiles a program for each size of a batch: the last is filled up, with rows once more.
    filled = np.resize(rows, -(-len(rows) // size) * size)
    data = batches(keras, x, filled, context=context, batch_size=size, scale=scale)
    return np.asarray(model.predict(data, verbose=0))[: len(rows)]


def predicted_at_once(nbytes: int, count: int) -> int:
    """Say how many of `count` examples of so many bytes are predicted at once.

    A power of two, so that parts of almost one size share a compiled program, and small enough
    that the last batch is a quarter of the examples at most.
    """
    most = min(max(1, PREDICT_BYTES // max(1, nbytes)), 1024, max(1, count // 4))
    return 1 << (most.bit_length() - 1)


def checked_at_once(count: int, batch_size: int) -> int:
    """Say how many of `count` examples are validated at once: as many as are trained, or doubled.

    Doubled as long as that leaves eight batches, so that parts of almost one size share a compiled
    program, and filling up the last batch costs little.
    """
    while 16 * batch_size <= count and batch_size < 1024:
        batch_size *= 2
    return batch_size


def moments(x: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute mean and variance per channel over some rows, in blocks.

    Parameters
    ----------
    x : np.ndarray [shape=(examples, time, channels)]
        May be memory-mapped.
    rows : np.ndarray [shape=(n,)]
        Which examples.

    Returns
    -------
    mean, variance : np.ndarray [shape=(channels,), dtype=float64]
        Over examples and time. Blocks are joined by the pairwise formula of Chan, Golub and
        LeVeque (1979), which loses no digits where the mean is large.
    """
    count, mean, squares = 0, np.zeros(x.shape[2]), np.zeros(x.shape[2])
    for _, examples in blocks(x, rows, nbytes=PREDICT_BYTES):
        block = examples.reshape(-1, x.shape[2]).astype(np.float64)
        n, block_mean = len(block), block.mean(axis=0)
        delta = block_mean - mean
        mean = mean + delta * n / (count + n)
        squares += ((block - block_mean) ** 2).sum(axis=0) + delta**2 * count * n / (count + n)
        count += n
    return mean, squares / max(count, 1)
