"""The architectures: simple_rnn, lstm, gru, cnn, cnn_lstm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from lib.errors import HeldoutError
from lib.networks.backend import load
from lib.networks.compilation import PRECISIONS
from lib.networks.hyperparameters import complete


def build(
    architecture: str,
    hyperparameters: Mapping[str, Any],
    *,
    shape: tuple[int, int],
    classes: int,
    mean: np.ndarray | None = None,
    variance: np.ndarray | None = None,
    backend: str = "tensorflow",
    precision: str = "float32",
    synchronized: bool = False,
) -> Any:
    """Build an uncompiled Keras model.

    Parameters
    ----------
    architecture : str
        One of `lib.networks.hyperparameters.ARCHITECTURES`.
    hyperparameters : mapping
        What differs from the defaults of the architecture.
    shape : tuple of int
        Shape of one example, (time, channels).
    classes : int
        Number of classes, at least 2.
    mean, variance : np.ndarray [shape=(channels,)], optional
        Of the train part, per channel. They are constants of the first layer, so that the saved
        model takes examples as they are in `examples.npy`. None leaves the layer out.
    backend : {"tensorflow", "jax"}
        What computes.
    precision : {"float32", "mixed_float16", "mixed_bfloat16"}
        What layers compute in. Weights, normalisation and the softmax are float32 in all of them.
    synchronized : bool
        Whether batch normalisation takes the statistics of a batch over all devices that share it.
        With JAX it does so by itself.

    Returns
    -------
    keras.Model
        From (batch, time, channels) to probabilities (batch, classes).

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
        raise HeldoutError(f"{architecture}: expected at least 2 classes, got {classes}.")
    if precision not in PRECISIONS:
        raise HeldoutError(
            f"precision: expected one of {', '.join(PRECISIONS)}, got {precision!r}."
        )
    keras = load(backend)
    values |= {"synchronized": synchronized and backend == "tensorflow"}
    with _policy(keras, precision):
        return _network(keras, architecture, values, shape, classes, mean, variance)


@contextmanager
def _policy(keras: Any, precision: str) -> Iterator[None]:
    """Have the layers that are made inside the block compute in a precision."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _network(
    keras: Any,
    architecture: str,
    values: Mapping[str, Any],
    shape: tuple[int, int],
    classes: int,
    mean: np.ndarray | None,
    variance: np.ndarray | None,
) -> Any:
    layers = keras.layers
    inputs = keras.Input(shape, dtype="float32")
    x = inputs
    if mean is not None and variance is not None:
        # Before it the examples may be of any size, which 16 bits do not hold.
        x = layers.Normalization(
            mean=list(map(float, mean)), variance=list(map(float, variance)), dtype="float32"
        )(x)
    if architecture == "cnn":
        x = _convolutions(layers, x, values, each_normalised=True)
        x = layers.Flatten()(x)
    elif architecture == "cnn_lstm":
        x = _convolutions(layers, x, values, each_normalised=False)
        x = _recurrent(layers, layers.LSTM, x, values)
    else:
        cell = {"simple_rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}
        x = _recurrent(layers, cell[architecture], x, values)
    for units in values["dense"]:
        x = layers.Dense(units, activation=_activation(keras, architecture, values))(x)
        if values["dense_dropout"]:
            x = layers.Dropout(values["dense_dropout"])(x)
    outputs = layers.Dense(classes, activation="softmax", dtype="float32")(x)
    return keras.Model(inputs, outputs, name=architecture)


def _activation(keras: Any, architecture: str, values: Mapping[str, Any]) -> Any:
    """Look up the activation of the dense layers."""
    try:
        return keras.activations.get(values["activation"])
    except ValueError as error:
        raise HeldoutError(
            f"{architecture}: activation: expected the name of a Keras activation such as relu, "
            f"tanh or silu, got {values['activation']!r}."
        ) from error


def _convolutions(layers: Any, x: Any, values: Mapping[str, Any], *, each_normalised: bool) -> Any:
    """Stack convolutions with pooling.

    In `cnn` each block is convolution, batch normalisation, ReLU, dropout, pooling; in
    `cnn_lstm` blocks are convolution, ReLU, pooling, with one batch normalisation after the last.
    """
    normalised = values["batch_normalization"]
    for filters, kernel in zip(values["filters"], values["kernels"], strict=True):
        left = x.shape[1] if each_normalised else max(0, x.shape[1] - kernel + 1)
        if left < values["pool"]:
            raise HeldoutError(
                f"pooling by {values['pool']} after {len(values['filters'])} convolutions needs "
                f"longer examples: only {left} time steps are left. Use fewer filters."
            )
        x = layers.Conv1D(filters, kernel, padding="same" if each_normalised else "valid")(x)
        if normalised and each_normalised:
            x = layers.BatchNormalization(synchronized=values["synchronized"])(x)
        x = layers.ReLU()(x)
        if values["dropout"]:
            x = layers.Dropout(values["dropout"])(x)
        x = layers.MaxPooling1D(values["pool"])(x)
    if normalised and not each_normalised:
        x = layers.BatchNormalization(synchronized=values["synchronized"])(x)
    return x


def _recurrent(layers: Any, cell: Any, x: Any, values: Mapping[str, Any]) -> Any:
    """Stack recurrent layers; the last one gives only its last step."""
    dropout = {
        name: values[name] for name in ("dropout", "recurrent_dropout") if "bidirectional" in values
    }
    for index, units in enumerate(values["units"]):
        last = index == len(values["units"]) - 1
        layer = cell(units, return_sequences=not last, **dropout)
        x = (layers.Bidirectional(layer) if values.get("bidirectional") else layer)(x)
    return x
