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


def extremes(name: str, search: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List the largest trials that a search may draw: with its least batch, and its greatest.

    Parameters
    ----------
    name : str
        One of `lib.networks.registry.ARCHITECTURES`.
    search : mapping
        `fixed` and `space` of it, as for `lib.search.spaces.check_space`.
    """
    known = lookup(name)
    ends: dict[str, list[Any]] = {}
    for key, given in search["space"].items():
        rule = given if isinstance(given, Mapping) else {"choices": given}
        values = rule.get("choices") or [rule["low"], rule["high"]]
        order = sorted(values, key=lambda value: sum(value) if isinstance(value, list) else value)
        ends[key] = [order[0], order[-1]]
    largest = {key: end[1] for key, end in ends.items() if known.hyperparameters[key].grows}
    trial = {**search["fixed"], **largest}
    # All of a pair may be searched, and the largest of each need not belong together.
    first, *others = known.pairs or ("",)
    for key in others:
        if key in trial and first in trial:
            trial[key] = [max(trial[key])] * len(trial[first])
    batches = ends.get("batch_size", [])
    return [{**trial, "batch_size": batch} for batch in batches] or [trial]
