"""What a trial may set, its defaults, its checks, and the name made from its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from lib.errors import HeldoutError, suggestion

OPTIMIZERS = ("adam", "adamax", "rmsprop", "sgd")
ACTIVATIONS = (
    *("celu", "elu", "exponential", "gelu", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu"),
    *("linear", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softsign", "tanh"),
)
"""Of the dense layers: the names that Keras has for them, checked here before anything runs."""

_TRAINING: dict[str, Any] = {
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "batch_size": 32,
    "class_weights": False,
}
_DENSE: dict[str, Any] = {"dense": [], "activation": "relu", "dense_dropout": 0.0}
_RECURRENT: dict[str, Any] = {
    "units": [64],
    "bidirectional": False,
    "dropout": 0.0,
    "recurrent_dropout": 0.0,
}
_CONVOLUTION: dict[str, Any] = {
    "filters": [64, 128],
    "kernels": [3, 3],
    "pool": 2,
    "batch_normalization": True,
    "dropout": 0.0,
}

ARCHITECTURES: dict[str, dict[str, Any]] = {
    "simple_rnn": _RECURRENT | _DENSE | _TRAINING,
    "lstm": _RECURRENT | _DENSE | _TRAINING,
    "gru": _RECURRENT | _DENSE | _TRAINING,
    "cnn": _CONVOLUTION | _DENSE | _TRAINING,
    "cnn_lstm": _CONVOLUTION | {"units": [64]} | _DENSE | _TRAINING,
}
"""Every architecture with every hyperparameter it has and the default of each."""


def check_architecture(architecture: str) -> None:
    """Raise HeldoutError unless the architecture is one of `ARCHITECTURES`."""
    if architecture not in ARCHITECTURES:
        raise HeldoutError(
            f"unknown architecture {architecture!r}. "
            f"{suggestion(architecture, sorted(ARCHITECTURES))}"
        )


def complete(architecture: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in the defaults of an architecture and check every value.

    Parameters
    ----------
    architecture : str
        One of `ARCHITECTURES`.
    given : mapping
        The hyperparameters that differ from the defaults.

    Returns
    -------
    dict
        Every hyperparameter of the architecture, in a fixed order.

    Raises
    ------
    HeldoutError
        Unknown architecture or hyperparameter, or a value that cannot be.
    """
    check_architecture(architecture)
    defaults = ARCHITECTURES[architecture]
    for name in given:
        if name not in defaults:
            raise HeldoutError(
                f"{architecture}: unknown hyperparameter {name!r}. "
                f"{suggestion(name, list(defaults))}"
            )
    values = {name: given.get(name, default) for name, default in defaults.items()}
    for name, value in values.items():
        _check(architecture, name, value)
    # 0 and 0.0 are one dropout: they must give one name, and one training.
    for name, default in defaults.items():
        if isinstance(default, float):
            values[name] = float(values[name])
    if "kernels" in values and len(values["kernels"]) != len(values["filters"]):
        raise HeldoutError(
            f"{architecture}: expected as many kernels as filters, got "
            f"{len(values['kernels'])} kernels and {len(values['filters'])} filters."
        )
    return values


def _check(architecture: str, name: str, value: Any) -> None:
    """Raise HeldoutError where a value is not of the kind that its hyperparameter takes."""

    def is_count(item: Any) -> bool:
        return isinstance(item, int) and not isinstance(item, bool) and item > 0

    def is_number(item: Any) -> bool:
        return isinstance(item, int | float) and not isinstance(item, bool)

    if name in ("units", "filters", "kernels"):
        expected = "a list of one or more positive whole numbers"
        good = isinstance(value, list) and bool(value) and all(map(is_count, value))
    elif name == "dense":
        expected = "a list of positive whole numbers, empty for none"
        good = isinstance(value, list) and all(map(is_count, value))
    elif name in ("batch_size", "pool"):
        expected, good = "a positive whole number", is_count(value)
    elif name in ("bidirectional", "batch_normalization", "class_weights"):
        expected, good = "true or false", isinstance(value, bool)
    elif name.endswith("dropout"):
        expected, good = "a number from 0 up to, not with, 1", is_number(value) and 0 <= value < 1
    elif name == "learning_rate":
        expected, good = "a positive number", is_number(value) and 0 < value < float("inf")
    elif name == "optimizer":
        expected, good = f"one of {', '.join(OPTIMIZERS)}", value in OPTIMIZERS
    else:
        expected = f"the name of a Keras activation, one of {', '.join(ACTIVATIONS)}"
        good = value in ACTIVATIONS
    if not good:
        raise HeldoutError(f"{architecture}: {name}: expected {expected}, got {value!r}.")


def digest(value: Any, length: int = 64) -> str:
    """Give the first digits of the SHA-256 of a value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def trial_id(architecture: str, hyperparameters: Mapping[str, Any]) -> str:
    """Name a trial by its content: layer sizes, optimizer, learning rate, and a short hash.

    Two trials have one name only if every hyperparameter is equal, so a value more in a grid
    leaves the names of the other cells, and their results, as they are.

    Examples
    --------
    >>> trial_id("lstm", {"units": [128, 64]})
    'lstm-128x64-adam-0.001-4ab501'
    """
    values = complete(architecture, hyperparameters)
    sizes = values.get("filters", []) + values.get("units", []) + values["dense"]
    layers = "x".join(map(str, sizes[:6]))
    rate = f"{values['learning_rate']:g}"
    short = digest({"architecture": architecture, **values}, 6)
    return f"{architecture}-{layers}-{values['optimizer']}-{rate}-{short}"
