"""What the size of a network says of its training, without building it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from lib.networks.hyperparameters import complete
from lib.networks.registry import lookup


@dataclass(frozen=True)
class Size:
    """How large a network is.

    Attributes
    ----------
    layers : tuple of float
        For each layer before the dense ones the numbers that its gradient needs, for one example.
    weights : int
        Numbers that are learned, without biases.
    flop : float
        Operations of a forward and a backward pass, for one example, as in
        `benchmarks/products.py`.
    steps : int
        Recurrent steps of a pass, one after the other.
    batch : int
        Examples a step.
    """

    layers: tuple[float, ...]
    weights: int
    flop: float
    steps: int
    batch: int


def size_of(name: str, given: Mapping[str, Any], shape: tuple[int, int]) -> Size:
    """Compute the size of the network that `lib.networks.models.build` would make.

    Parameters
    ----------
    name : str
        One of `lib.networks.registry.ARCHITECTURES`.
    given : mapping
        What differs from its defaults.
    shape : tuple of int
        Of an example, (time, channels).
    """
    values = complete(name, given)
    shape = (shape[0], min(values["channels"] or shape[1], shape[1]))
    costs = lookup(name).costs(values, shape)
    widths = [math.prod(costs[-1].outputs if costs else shape), *values["dense"]]
    dense = sum(a * b for a, b in pairwise(widths))
    return Size(
        layers=tuple(cost.kept for cost in costs),
        weights=sum(cost.weights for cost in costs) + dense,
        # A multiplication and an addition, forward and twice on the way back.
        flop=6 * (sum(cost.products for cost in costs) + dense),
        steps=sum(cost.steps for cost in costs),
        batch=values["batch_size"],
    )
