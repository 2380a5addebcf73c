"""`simple_rnn`: recurrent layers without gates."""

from __future__ import annotations

from typing import Any

from lib.networks.architecture import Architecture, Cost, Values
from lib.networks.layers import RECURRENT, recurrent, recurrent_costs, recurrent_options


def build(layers: Any, x: Any, values: Values) -> Any:
    """Stack SimpleRNN layers."""
    return recurrent(layers, layers.SimpleRNN, x, values, **recurrent_options(values))


def costs(values: Values, shape: tuple[int, int]) -> list[Cost]:
    """List what they cost."""
    return recurrent_costs(values, shape, gates=1)


ARCHITECTURE = Architecture("simple_rnn", "SimpleRNN", RECURRENT, build, costs, colour="#e69f00")
