"""What the page calls a metric, and how it lists names."""

from __future__ import annotations

from collections.abc import Sequence

from lib.metrics.registry import METRICS


def metric_name(metric: str) -> str:
    """Return a metric's name as people write it: `sensitivity_S` is "sensitivity of S"."""
    if metric in METRICS:
        return METRICS[metric].label
    name, _, label = metric.partition("_")
    return f"{name} of {label}" if label else name


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them: "a, b and c". What is markup stays so."""
    *most, last = names
    return type(last)(", ").join(most) + " and " + last if most else last
