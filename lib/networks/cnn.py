"""`cnn`: blocks of convolution, batch normalisation, ReLU, dropout and pooling."""

from __future__ import annotations

from typing import Any

from lib.networks.architecture import Architecture, Values
from lib.networks.layers import CONVOLUTIONS, convolution_costs, require_poolable


def build(layers: Any, x: Any, values: Values) -> Any:
    """Stack the blocks, and put all that comes out into one row."""
    for filters, kernel in zip(values["filters"], values["kernels"], strict=True):
        require_poolable(x, values)
        x = layers.Conv1D(filters, kernel, padding="same")(x)
        if values["batch_normalization"]:
            x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
        if values["dropout"]:
            x = layers.Dropout(values["dropout"])(x)
        x = layers.MaxPooling1D(values["pool"])(x)
    return layers.Flatten()(x)


ARCHITECTURE = Architecture(
    "cnn",
    "CNN",
    CONVOLUTIONS,
    build,
    convolution_costs,
    pairs=("filters", "kernels"),
    # A step takes 0.8 to 1.2 times as long as with JAX, which compiles for several seconds first.
    backend="tensorflow",
    colour="#009e73",
)
