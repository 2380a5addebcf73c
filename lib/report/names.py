"""What the page calls a metric."""

from __future__ import annotations

from lib.metrics.registry import METRICS


def metric_name(metric: str) -> str:
    """Return a metric's name as people write it: `sensitivity_S` is "sensitivity of S"."""
    if metric in METRICS:
        return METRICS[metric].label
    name, _, label = metric.partition("_")
    return f"{name} of {label}" if label else name
