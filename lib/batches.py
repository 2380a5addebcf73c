"""Feeding a network from a memory-mapped array, truly shuffled and the same way every time."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from lib.arrays import blocks, take

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
    batch_size: int,
    shuffle_seed: int | None = None,
    epoch: int = 0,
) -> Any:
    """Make a Keras dataset over some rows of an array.

    Parameters
    ----------
    keras : module
        From `lib.backend.load`.
    x : np.ndarray [shape=(examples, time, channels)]
        All examples; may be memory-mapped.
    rows : np.ndarray [shape=(n,)]
        Which of them.
    targets : np.ndarray [shape=(n, classes)], optional
        One-hot classes of those rows.
    weights : np.ndarray [shape=(n,)], optional
        Sample weights of those rows.
    batch_size : int
        Rows a step.
    shuffle_seed : int, optional
        Each epoch sees all rows in an order drawn from this seed and the number of the epoch
        alone, so that a resumed training sees what an undisturbed one would have. None: in order.
    epoch : int
        The epoch to begin with.

    Returns
    -------
    keras.utils.PyDataset
        With an attribute `epoch`, which whoever trains sets before each epoch.
    """
    if len(rows) * x[:1].nbytes <= IN_MEMORY:
        x, rows = take(x, rows), np.arange(len(rows))

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

        def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
            # A file is best read forwards, and within a batch the order is free.
            chosen = np.sort(self.order[index * batch_size : (index + 1) * batch_size])
            columns: tuple[np.ndarray, ...] = (take(x, rows[chosen]),)
            if targets is not None:
                columns += (targets[chosen],)
            if weights is not None:
                columns += (weights[chosen],)
            return columns

    return Batches()


def predict(keras: ModuleType, model: Any, x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Predict some rows of an array.

    Returns
    -------
    np.ndarray [shape=(rows, classes), dtype=float32]
        Probabilities.
    """
    size = int(np.clip(PREDICT_BYTES // max(1, x[:1].nbytes), 1, 1024))
    return np.asarray(model.predict(batches(keras, x, rows, batch_size=size), verbose=0))


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
