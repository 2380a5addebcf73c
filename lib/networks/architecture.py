"""What is known of one architecture: its hyperparameters, its layers, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OPTIMIZERS = ("adam", "adamax", "rmsprop", "sgd")
ACTIVATIONS = (
    *("celu", "elu", "exponential", "gelu", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu"),
    *("linear", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softsign", "tanh"),
)
"""Of the dense layers: the names that Keras has for them, checked here before anything runs."""

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Hyperparameter:
    """A value that a study may set or search.

    Attributes
    ----------
    default : object
        Where a study says nothing.
    expected : str
        What it may be, in words.
    allows : callable
        Whether a value may be taken.
    grows : bool
        Whether a network with a larger value takes more memory and time.
    """

    default: Any
    expected: str
    allows: Callable[[Any], bool]
    grows: bool = False


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def count(default: int, *, least: int = 1, grows: bool = False) -> Hyperparameter:
    """Make a hyperparameter that is a positive whole number, or with `least=0` also 0."""
    if least:
        return Hyperparameter(default, "a positive whole number", _is_count, grows)
    words = "a positive whole number, or 0 for all"
    return Hyperparameter(default, words, lambda value: value == 0 or _is_count(value), grows)


def counts(default: list[int], *, least: int = 1) -> Hyperparameter:
    """Make a hyperparameter with a positive whole number for each layer."""
    words = "a list of one or more positive whole numbers"
    if not least:
        words = "a list of positive whole numbers, empty for none"

    def allows(value: Any) -> bool:
        return isinstance(value, list) and len(value) >= least and all(map(_is_count, value))

    return Hyperparameter(default, words, allows, grows=True)


def flag(default: bool, *, grows: bool = False) -> Hyperparameter:
    """Make a hyperparameter that is true or false."""
    return Hyperparameter(default, "true or false", lambda value: isinstance(value, bool), grows)


def share(default: float) -> Hyperparameter:
    """Make a hyperparameter that is a share, such as that of a dropout."""
    words = "a number from 0 up to, not with, 1"
    return Hyperparameter(default, words, lambda value: _is_number(value) and 0 <= value < 1)


def power(default: float) -> Hyperparameter:
    """Make a hyperparameter that is a power from 0 to 1; false is 0 and true is 1."""
    words = "true, false or a number from 0 to 1"
    return Hyperparameter(default, words, lambda v: isinstance(v, int | float) and 0 <= v <= 1)


def positive(default: float) -> Hyperparameter:
    """Make a hyperparameter that is a positive number."""
    words = "a positive number"
    return Hyperparameter(default, words, lambda v: _is_number(v) and 0 < v < math.inf)


def least_zero(default: float) -> Hyperparameter:
    """Make a hyperparameter that is a number from 0 on, where 0 means none."""
    words = "a number from 0 on"
    return Hyperparameter(default, words, lambda v: _is_number(v) and 0 <= v < math.inf)


def one_of(default: str, names: Sequence[str], what: str = "") -> Hyperparameter:
    """Make a hyperparameter that is one of some names."""
    return Hyperparameter(
        default, f"{what}one of {', '.join(names)}", lambda value: value in tuple(names)
    )


NORMALIZATIONS = ("channel", "step", "example", "none")
SCHEDULES = ("constant", "cosine")

COMMON: Mapping[str, Hyperparameter] = {
    "channels": count(0, least=0),
    "normalization": one_of("channel", NORMALIZATIONS),
    "dense": counts([], least=0),
    "activation": one_of("relu", ACTIVATIONS, "the name of a Keras activation, "),
    "dense_dropout": share(0.0),
    "optimizer": one_of("adam", OPTIMIZERS),
    "learning_rate": positive(1e-3),
    "schedule": one_of("constant", SCHEDULES),
    "warmup": share(0.0),
    "weight_decay": least_zero(0.0),
    "global_clipnorm": least_zero(0.0),
    "label_smoothing": share(0.0),
    "batch_size": count(32, grows=True),
    "class_weights": power(0.0),
}
"""What every network has: the scale of its inputs, the dense layers at its end, its training."""


@dataclass(frozen=True)
class Cost:
    """What a layer costs, for one example.

    Attributes
    ----------
    kept : float
        Numbers that its gradient needs.
    weights : int
        Numbers that are learned, without biases.
    products : float
        Multiplications of the forward pass.
    outputs : tuple of int
        Shape of what it gives, (time, width).
    steps : int
        Recurrent steps, one after the other.
    """

    kept: float
    weights: int
    products: float
    outputs: tuple[int, int]
    steps: int = 0


def _nothing(values: Values, shape: tuple[int, int]) -> list[Cost]:
    return []


@dataclass(frozen=True)
class Architecture:
    """A named family of networks: all that the project knows of it.

    Attributes
    ----------
    name : str
        As studies write it; also the name of its file in `lib/networks`.
    title : str
        As people write it.
    own : mapping
        Its hyperparameters beside those in `COMMON`.
    build : callable
        From `keras.layers`, normalised examples [shape=(batch, time, channels)] and a value for
        every hyperparameter to what the dense layers take [shape=(batch, n)].
    costs : callable
        From a value for every hyperparameter and the shape of an example to the `Cost` of each of
        those layers, for the memory and the time that jobs ask for. By default they cost nothing,
        and the dense layers take the whole example.
    pairs : tuple of str
        Hyperparameters that are lists of one length.
    colour : str
        In plots and tables.
    """

    name: str
    title: str
    own: Mapping[str, Hyperparameter]
    build: Callable[[Any, Any, Values], Any]
    costs: Callable[[Values, tuple[int, int]], Sequence[Cost]] = _nothing
    pairs: tuple[str, ...] = ()
    colour: str = "#56b4e9"

    @property
    def hyperparameters(self) -> dict[str, Hyperparameter]:
        """All of them, in the order of tables."""
        return {**self.own, **COMMON}

    @property
    def defaults(self) -> dict[str, Any]:
        """The default of each hyperparameter."""
        return {name: one.default for name, one in self.hyperparameters.items()}
