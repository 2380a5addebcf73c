"""Where a search ended at the edge of its space: beyond it something better may lie."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lib.networks.architecture import Hyperparameter
from lib.networks.registry import lookup
from lib.search.spaces import holds, rule_of

# A range is never drawn to its very end: this share of it, or of its logarithm, belongs to an edge.
NEAR = 0.05

# Of fewer choices every one is an end: they are no range.
FEWEST_CHOICES = 3


def edges(
    architecture: str, space: Mapping[str, Any], chosen: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """List the hyperparameters whose chosen value lies at an end of what was searched.

    Parameters
    ----------
    architecture : str
        One of `lib.networks.registry.ARCHITECTURES`.
    space : mapping
        As for `lib.search.spaces.check_space`.
    chosen : mapping
        All hyperparameters of the chosen trial.

    Returns
    -------
    list of dict
        `hyperparameter`, its `value`, and the ends `low` and `high`. Only numbers have ends: those
        of a range, or of three choices or more. An end beyond which the hyperparameter has no
        values, such as no dropout, is no edge.

    Examples
    --------
    >>> edges("lstm", {"learning_rate": [0.001, 0.003, 0.01]}, {"learning_rate": 0.01})
    [{'hyperparameter': 'learning_rate', 'value': 0.01, 'low': 0.001, 'high': 0.01}]
    >>> edges("lstm", {"dropout": [0.0, 0.2, 0.4]}, {"dropout": 0.0})
    []
    """
    reached, specs = [], lookup(architecture).hyperparameters
    for name, given in space.items():
        rule, spec = rule_of(given), specs[name]
        numbers = rule.get("choices", [rule.get("low"), rule.get("high")])
        if not holds(rule, chosen) or not _ordered(rule):
            continue
        low, high, value = min(numbers), max(numbers), chosen[name]
        place = _place(value, low, high, log=bool(rule.get("log", False)))
        near = 0 if "choices" in rule else NEAR
        if (place <= near and _goes_on(spec, low, -1)) or (
            place >= 1 - near and _goes_on(spec, high, +1)
        ):
            reached.append({"hyperparameter": name, "value": value, "low": low, "high": high})
    return reached


def _ordered(rule: Mapping[str, Any]) -> bool:
    """Whether what is searched is a range, or enough different numbers."""
    choices = rule.get("choices")
    if choices is None:
        return True
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in choices)
    return numbers and len(set(choices)) >= FEWEST_CHOICES


def _place(value: float, low: float, high: float, *, log: bool) -> float:
    """Compute where a value lies between two ends: 0 at the lower one, 1 at the upper one."""
    if log:
        value, low, high = map(math.log, (value, low, high))
    return (value - low) / (high - low)


def _goes_on(spec: Hyperparameter, end: float, direction: int) -> bool:
    """Whether a hyperparameter may have a value a little beyond an end."""
    step = (abs(end) / 100 or 0.01) if isinstance(spec.default, float) else 1
    return spec.allows(end + direction * step)
