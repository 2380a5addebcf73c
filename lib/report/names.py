"""What the page calls a metric, and how it lists names."""

from __future__ import annotations

from collections.abc import Sequence

from lib.metrics.learning import IMPROVING, NOTHING_LEARNED
from lib.metrics.registry import METRICS
from lib.plots.style import display


def metric_name(metric: str) -> str:
    """Return a metric's name as people write it: `sensitivity_S` is "sensitivity of S"."""
    if metric in METRICS:
        return METRICS[metric].label
    name, _, label = metric.partition("_")
    return f"{name} of {label}" if label else name


def unfinished_networks(words: str) -> str:
    """Say of the networks in a column `unfinished` how their training ended, as a sentence does."""
    how = {IMPROVING: "was still improving", NOTHING_LEARNED: "has learned nothing"}
    said = []
    for part in filter(None, words.split("; ")):
        name, _, reason = part.partition(": ")
        end, *where = reason.partition(" in ")
        said.append(f"the {display(name)} {how.get(end, end)}{''.join(where)}")
    return listed(said)


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them: "a, b and c". What is markup stays so."""
    *most, last = names or [""]
    return type(last)(", ").join(most) + " and " + last if most else last
