"""Feeding a network from a memory-mapped array, truly shuffled and the same way every time."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from lib.examples.arrays import blocks, take
from lib.train.augmentation import Augment

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
        Number of devices that share a batch; `batch_size` is a multiple of it. The last batch is
        filled up to one with rows of itself that have no class and no weight; in training the
        others weigh more, so that gradients are those of the mean over them.
    augment : callable, optional
        From a batch of examples, the epoch and the number of the batch to what is trained on.

    Returns
    -------
    keras.utils.PyDataset
        With an attribute `epoch`, which whoever trains sets before each epoch.
    """
    if len(rows) * x[:1].nbytes <= IN_MEMORY:
        context = context if context is None else context[rows]
        x, rows = take(x, rows), np.arange(len(rows))
    totals = len(rows), len(rows) + -len(rows) % multiple

    class Batches(keras.utils.PyDataset):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.epoch = epoch
            self.order = np.arange(len(rows))
            self.on_epoch_begin()

        def on_epoch_begin(self) -> None:
            if shuffle_seed is not None:
                rng = np.random.default_rng([shuffle_seed, self.epoch])
                self.order = rng.permutation(len(rows))

        def __len__(self) -> int:
            return -(-len(rows) // batch_size)

        def __getitem__(self, index: int) -> tuple[Any, ...]:
            # A file is best read forwards, and within a batch the order is free.
            chosen = np.sort(self.order[index * batch_size : (index + 1) * batch_size])
            examples = take(x, rows[chosen])
            if augment is not None:
                examples = augment(examples, self.epoch, index)
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
            """Make each batch one that the devices divide."""
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


def predict(
    keras: ModuleType,
    model: Any,
    x: np.ndarray,
    rows: np.ndarray,
    context: np.ndarray | None = None,
) -> np.ndarray:
    """Predict some rows of an array, with those of the context, where the network takes one.

    Returns
    -------
    np.ndarray [shape=(rows, classes), dtype=float32]
        Probabilities.
    """
    size = predicted_at_once(x[:1].nbytes, len(rows))
    # JAX compiles a program for each size of a batch: the last is filled up, with rows once more.
    filled = np.resize(rows, -(-len(rows) // size) * size)
    data = batches(keras, x, filled, context=context, batch_size=size)
    return np.asarray(model.predict(data, verbose=0))[: len(rows)]


def predicted_at_once(nbytes: int, count: int) -> int:
    """Say how many of `count` examples of so many bytes are predicted at once, in even batches."""
    most = min(max(1, PREDICT_BYTES // max(1, nbytes)), 1024)
    return -(-count // max(1, -(-count // most))) or 1


def even_size(count: int, size: int) -> int:
    """Choose a batch size near another one that divides a number of examples, if there is one.

    Between half of it and twice as much: a last batch of another size would be compiled for itself.
    """
    near = range(max(1, size // 2), 2 * size + 1)
    even = [n for n in near if count % n == 0]
    return min(even, key=lambda n: abs(n - size), default=size)


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
