"""`cnn_lstm`: convolutions shorten the example, LSTM layers read what is left."""

from __future__ import annotations

from typing import Any

from lib.networks.architecture import Architecture, Cost, Values
from lib.networks.layers import (
    CONVOLUTIONS,
    STACK,
    convolution_costs,
    recurrent,
    recurrent_costs,
    require_poolable,
)


def build(layers: Any, x: Any, values: Values) -> Any:
    """Stack convolution, ReLU, pooling; then one batch normalisation, and the LSTM layers."""
    for filters, kernel in zip(values["filters"], values["kernels"], strict=True):
        require_poolable(x, values, lost=kernel - 1)
        x = layers.Conv1D(filters, kernel)(x)
        x = layers.ReLU()(x)
        if values["dropout"]:
            x = layers.Dropout(values["dropout"])(x)
        x = layers.MaxPooling1D(values["pool"])(x)
    if values["batch_normalization"]:
        x = layers.BatchNormalization()(x)
    return recurrent(layers, layers.LSTM, x, values)


def costs(values: Values, shape: tuple[int, int]) -> list[Cost]:
    """List what the layers cost."""
    convolutions = convolution_costs(values, shape)
    return [*convolutions, *recurrent_costs(values, convolutions[-1].outputs, gates=4)]


ARCHITECTURE = Architecture(
    "cnn_lstm",
    "CNN-LSTM",
    {**CONVOLUTIONS, **STACK},
    build,
    costs,
    pairs=("filters", "kernels"),
    colour="#cc79a7",
)
