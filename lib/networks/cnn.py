"""`cnn`: blocks of convolution, batch normalisation, ReLU, dropout and pooling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lib.networks.architecture import Architecture, Cost, Values, one_of
from lib.networks.layers import (
    CONVOLUTIONS,
    POOLINGS,
    convolution_costs,
    pool_time,
    pooled_width,
    require_poolable,
)


def build(layers: Any, x: Any, values: Values) -> Any:
    """Stack the blocks, and make one row of what comes out, over all steps or one by one."""
    for filters, kernel in zip(values["filters"], values["kernels"], strict=True):
        require_poolable(x, values)
        x = layers.Conv1D(filters, kernel, padding="same")(x)
        if values["batch_normalization"]:
            x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
        if values["dropout"]:
            x = layers.Dropout(values["dropout"])(x)
        x = layers.MaxPooling1D(values["pool"])(x)
    pooling = values["pooling"]
    return layers.Flatten()(x) if pooling == "none" else pool_time(layers, x, pooling)


def costs(values: Values, shape: tuple[int, int]) -> list[Cost]:
    """List what the blocks cost; pooling over time leaves one step."""
    *others, last = convolution_costs(values, shape)
    if values["pooling"] != "none":
        last = replace(last, outputs=(1, pooled_width(last.outputs[1], values["pooling"])))
    return [*others, last]


ARCHITECTURE = Architecture(
    "cnn",
    "CNN",
    {**CONVOLUTIONS, "pooling": one_of("none", ("none", *POOLINGS[1:]))},
    build,
    costs,
    pairs=("filters", "kernels"),
    colour="#009e73",
)
