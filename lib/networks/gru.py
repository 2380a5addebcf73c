"""`gru`: gated recurrent units (Cho et al., 2014)."""

from __future__ import annotations

from typing import Any

from lib.networks.architecture import Architecture, Cost, Values
from lib.networks.layers import RECURRENT, recurrent, recurrent_costs, recurrent_options


def build(layers: Any, x: Any, values: Values) -> Any:
    """Stack GRU layers."""
    return recurrent(layers, layers.GRU, x, values, **recurrent_options(values))


def costs(values: Values, shape: tuple[int, int]) -> list[Cost]:
    """List what they cost."""
    return recurrent_costs(values, shape, gates=3)


ARCHITECTURE = Architecture("gru", "GRU", RECURRENT, build, costs, colour="#d55e00")
