"""`lstm`: long short-term memory (Hochreiter and Schmidhuber, 1997)."""

from __future__ import annotations

from typing import Any

from lib.networks.architecture import Architecture, Cost, Values
from lib.networks.layers import RECURRENT, recurrent, recurrent_costs, recurrent_options


def build(layers: Any, x: Any, values: Values) -> Any:
    """Stack LSTM layers."""
    return recurrent(layers, layers.LSTM, x, values, **recurrent_options(values))


def costs(values: Values, shape: tuple[int, int]) -> list[Cost]:
    """List what they cost."""
    return recurrent_costs(values, shape, gates=4)


ARCHITECTURE = Architecture("lstm", "LSTM", RECURRENT, build, costs, colour="#0072b2")
