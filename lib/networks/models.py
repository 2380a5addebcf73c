"""Building the network of a trial: normalisation, the architecture's layers, dense layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from lib.errors import HeldoutError
from lib.networks.backend import PRECISIONS, load
from lib.networks.hyperparameters import complete, require_channels
from lib.networks.registry import lookup


def build(
    architecture: str,
    hyperparameters: Mapping[str, Any],
    *,
    shape: tuple[int, int],
    classes: int,
    mean: np.ndarray | None = None,
    variance: np.ndarray | None = None,
    context: tuple[np.ndarray, np.ndarray] | None = None,
    backend: str = "tensorflow",
    precision: str = "float32",
) -> Any:
    """Build an uncompiled Keras model.

    Parameters
    ----------
    architecture : str
        One of `lib.networks.registry.ARCHITECTURES`.
    hyperparameters : mapping
        What differs from the defaults of the architecture.
    shape : tuple of int
        Shape of one example, (time, channels).
    classes : int
        Number of classes, at least 2.
    mean, variance : np.ndarray [shape=(channels,) or (time, channels)], optional
        Of the train part, per channel or per channel and step. They are constants of the first
        layer, so that the saved model takes examples as they are in `examples.npy`. None leaves the
        layer out, as does the hyperparameter `normalization: none`; with `example` each channel of
        each example is brought to mean 0 and standard deviation 1 after it.
    context : tuple of np.ndarray [shape=(n,)], optional
        Mean and variance, over the train part, of what the network is told beside an example. It
        is normalised by them in any case, and joins what comes out of the architecture's layers
        before the dense ones. A value that is constant in the train part is only centred.
    backend : {"tensorflow", "jax"}
        What computes.
    precision : {"float32", "mixed_float16", "mixed_bfloat16"}
        What layers compute in. Weights, normalisation and the softmax are float32 in all of them.

    Returns
    -------
    keras.Model
        From (batch, time, channels) to probabilities (batch, classes); with a context from a
        mapping of `examples`, these, and `context`, (batch, n).

    Raises
    ------
    HeldoutError
        Unknown architecture, hyperparameter or precision, or examples too short for the pooling.

    Examples
    --------
    >>> model = build("gru", {"units": [8]}, shape=(64, 13), classes=3)
    >>> model.output_shape
    (None, 3)
    """
    values = complete(architecture, hyperparameters)
    if classes < 2:
        raise HeldoutError(architecture, "at least 2 classes", str(classes))
    if precision not in PRECISIONS:
        raise HeldoutError("precision", f"one of {', '.join(PRECISIONS)}", repr(precision))
    keras = load(backend)
    layers = keras.layers
    with _policy(keras, precision):
        inputs = x = keras.Input(shape, dtype="float32", name="examples")
        require_channels(architecture, values, channels=shape[1])
        if 0 < values["channels"] < shape[1]:
            first = values["channels"]
            x = x[:, :, :first]
            mean, variance = (None if one is None else one[..., :first] for one in (mean, variance))
        if mean is not None and variance is not None and values["normalization"] != "none":
            # Before it the examples may be of any size, which 16 bits do not hold.
            x = layers.Normalization(
                axis=(1, 2)[-mean.ndim :],
                mean=mean.tolist(),
                variance=variance.tolist(),
                dtype="float32",
            )(x)
        if values["normalization"] == "example":
            x = layers.LayerNormalization(axis=1, center=False, scale=False, dtype="float32")(x)
        x = lookup(architecture).build(layers, x, values)
        if context is not None:
            average, spread = context
            beside = keras.Input((len(average),), dtype="float32", name="context")
            inputs = {"examples": inputs, "context": beside}
            scale = layers.Normalization(
                mean=list(map(float, average)),
                variance=[float(value) or 1.0 for value in spread],
                dtype="float32",
            )
            x = layers.Concatenate()([x, scale(beside)])
        for units in values["dense"]:
            x = layers.Dense(units, activation=values["activation"])(x)
            if values["dense_dropout"]:
                x = layers.Dropout(values["dense_dropout"])(x)
        outputs = layers.Dense(classes, activation="softmax", dtype="float32")(x)
        return keras.Model(inputs, outputs, name=lookup(architecture).name)


@contextmanager
def _policy(keras: Any, precision: str) -> Iterator[None]:
    """Have the layers that are made inside the block compute in a precision."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
