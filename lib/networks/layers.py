"""Layers that several architectures are made of: how they are built, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lib.errors import HeldoutError
from lib.networks.architecture import (
    Cost,
    Hyperparameter,
    Values,
    count,
    counts,
    flag,
    one_of,
    share,
)
from lib.networks.recurrent import with_gradient

POOLINGS = ("last", "mean", "max", "attention", "statistics")
# What a variance is at least, so that the gradient of its root is finite where nothing changes.
_STILL = 1e-5

STACK: Mapping[str, Hyperparameter] = {
    "units": counts([64]),
    "pooling": one_of("last", POOLINGS),
    "layer_normalization": flag(False),
    "output_dropout": share(0.0),
}
RECURRENT: Mapping[str, Hyperparameter] = {
    **STACK,
    "bidirectional": flag(False, grows=True),
    "dropout": share(0.0),
    "recurrent_dropout": share(0.0),
}
CONVOLUTIONS: Mapping[str, Hyperparameter] = {
    "filters": counts([64, 128]),
    "kernels": counts([3, 3]),
    "pool": count(2),
    "batch_normalization": flag(True),
    "dropout": share(0.0),
}


def recurrent(
    layers: Any, cell: Any, x: Any, values: Values, *, bidirectional: bool = False, **dropout: float
) -> Any:
    """Stack recurrent layers of `units`, and pool what the last one says over time.

    Parameters
    ----------
    layers : module
        `keras.layers`.
    cell : type
        `SimpleRNN`, `LSTM` or `GRU` of it.
    x : tensor [shape=(batch, time, channels)]
        What comes in.
    values : mapping
        Those of `STACK`.
    bidirectional : bool
        Whether each layer goes both ways through time.
    **dropout : float
        `dropout` and `recurrent_dropout` of each layer.
    """
    pooling, count = values["pooling"], len(values["units"])
    for number, units in enumerate(values["units"], start=1):
        sequences = number < count or pooling != "last"
        layer = cell(units, return_sequences=sequences, **dropout)
        x = with_gradient(layers.Bidirectional(layer) if bidirectional else layer)(x)
        if values["layer_normalization"]:
            x = layers.LayerNormalization()(x)
        if number == count:
            x = pool_time(layers, x, pooling)
        if values["output_dropout"]:
            x = layers.Dropout(values["output_dropout"])(x)
    return x


def pool_time(layers: Any, x: Any, pooling: str) -> Any:
    """Make one row of all steps in time.

    Parameters
    ----------
    layers : module
        `keras.layers`.
    x : tensor [shape=(batch, time, width)]
        The steps; with `last` [shape=(batch, width)], the last one.
    pooling : {"last", "mean", "max", "attention", "statistics"}
        With `attention` each step has a weight, the softmax over time of a learned score. With
        `statistics` the row is twice as wide: mean and standard deviation over time, as in the
        x-vectors of Snyder et al. 2018 (doi:10.1109/ICASSP.2018.8461375).
    """
    if pooling == "mean":
        return layers.GlobalAveragePooling1D()(x)
    if pooling == "max":
        return layers.GlobalMaxPooling1D()(x)
    if pooling == "attention":
        weights = layers.Softmax(axis=1)(layers.Dense(1)(x))
        return layers.Flatten()(layers.Dot(axes=1)([weights, x]))
    if pooling == "statistics":
        mean = layers.GlobalAveragePooling1D()(x)
        apart = x - mean[:, None]
        deviation = (layers.GlobalAveragePooling1D()(apart * apart) + _STILL) ** 0.5
        return layers.Concatenate()([mean, deviation])
    return x


def pooled_width(width: int, pooling: str) -> int:
    """Compute how wide the row is that `pool_time` makes of steps so wide."""
    return 2 * width if pooling == "statistics" else width


def recurrent_options(values: Values) -> dict[str, Any]:
    """Take those of `RECURRENT` that are options of `recurrent`."""
    return {name: values[name] for name in RECURRENT if name not in STACK}


def recurrent_costs(values: Values, shape: tuple[int, int], *, gates: int) -> list[Cost]:
    """List what a stack of recurrent layers costs; a cell has so many gates.

    Every gate of every step is kept, before and after its activation.
    """
    ways = 2 if values.get("bidirectional") else 1
    time, width = shape
    costs = []
    for units in values["units"]:
        columns = gates * units * ways
        weights = columns * (width + units)
        width = units * ways
        costs.append(
            Cost(2.0 * time * columns, weights, time * weights, (time, width), time * ways)
        )
    last = costs[-1]
    return [*costs[:-1], replace(last, outputs=(1, pooled_width(width, values["pooling"])))]


def require_poolable(x: Any, values: Values, *, lost: int = 0) -> None:
    """Raise HeldoutError where too few steps in time are left for a pooling.

    Parameters
    ----------
    x : tensor [shape=(batch, time, channels)]
        What the convolution before it takes.
    values : mapping
        `pool` and `filters`.
    lost : int
        Steps that the convolution loses at the ends.
    """
    left = max(0, x.shape[1] - lost)
    if left < values["pool"]:
        raise HeldoutError(
            f"pooling by {values['pool']} after {len(values['filters'])} convolutions",
            "longer examples",
            f"only {left} time steps",
            "Use fewer filters.",
        )


def convolution_costs(values: Values, shape: tuple[int, int]) -> list[Cost]:
    """List what convolutions with pooling cost.

    Three times the output is kept: it, its normalisation, its activation.
    """
    time, width = shape
    costs = []
    for filters, kernel in zip(values["filters"], values["kernels"], strict=True):
        weights = kernel * width * filters
        after = max(1, time // values["pool"])
        costs.append(Cost(3.0 * time * filters, weights, time * weights, (after, filters)))
        time, width = after, filters
    return costs
