"""What a network takes: the settings that make its inputs, and what its recordings were like."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lib.datasets.signal import Signal, decibel, level
from lib.errors import HeldoutError, suggestion
from lib.examples.arrays import blocks
from lib.examples.context import context_columns, context_names, is_context
from lib.features.kinds import Features
from lib.features.registry import make

# How far a file may go beyond what the training recordings had before it is worth a warning.
_LEVEL_DB = 3.0
_DURATION = 1.1
_SPAN = 0.05


def describe_inputs(
    x: np.ndarray,
    examples: pd.DataFrame,
    rows: np.ndarray,
    *,
    features: Mapping[str, Any],
    labels: Mapping[str, Sequence[str]],
    reading: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Say how a network's inputs are made, and what those of its train part were like.

    Parameters
    ----------
    x : np.ndarray [shape=(examples, time, channels)]
        All examples of the study; may be memory-mapped.
    examples : pd.DataFrame
        `examples.parquet`.
    rows : np.ndarray [shape=(n,)]
        The examples of the train part.
    features : mapping
        The study's features: `kind` and its settings.
    labels : mapping of str to sequence of str
        Each class with the dataset's labels in it.
    reading : mapping, optional
        What `lib.datasets.read` takes beside the path.

    Returns
    -------
    dict
        `features`, `labels`, `reading`, `shape` (time, channels); `recordings`: every `rate` (Hz)
        and number of `channels`, the least and greatest `duration` (s) and `level` (dB), and
        `decibel`, what a level is stated in; `values`: the least (`low`) and greatest (`high`)
        value in each channel of `x`; and, where examples have a context, `context`: its `names`,
        with `low` and `high` of each.
    """
    table = examples.iloc[rows]
    low, high = np.full(x.shape[2], np.inf), np.full(x.shape[2], -np.inf)
    for _, block in blocks(x, rows):
        low = np.minimum(low, block.min(axis=(0, 1)))
        high = np.maximum(high, block.max(axis=(0, 1)))

    def ends(name: str) -> list[float]:
        return [float(table[name].min()), float(table[name].max())]

    names = context_names(table.columns)
    context = [ends(column) for column in context_columns(names)]
    beside = {
        "names": names,
        "low": [low for low, _ in context],
        "high": [high for _, high in context],
    }
    return {
        "features": dict(features),
        "labels": {name: [str(label) for label in some] for name, some in labels.items()},
        "reading": dict(reading or {}),
        "shape": [int(size) for size in x.shape[1:]],
        "recordings": {
            "rate": sorted({float(rate) for rate in table["rate"]}),
            "channels": sorted({int(count) for count in table["channels"]}),
            "duration": ends("duration"),
            "level": ends("level"),
            "decibel": decibel(*table["unit"]),
        },
        "values": {"low": [float(v) for v in low], "high": [float(v) for v in high]},
        **({"context": beside} if names else {}),
    }


def given_context(inputs: Mapping[str, Any]) -> list[str]:
    """Name what of a context comes from a table, and not of the samples: it must be told.

    Parameters
    ----------
    inputs : mapping
        As `describe_inputs` gives it.

    Returns
    -------
    list of str
        The last ones of all the names.
    """
    names = inputs.get("context", {}).get("names", [])
    return list(names[len(make(**inputs["features"]).context) :])


def context_options(names: Sequence[str]) -> str:
    """Return what is typed after `predict` for some names of `given_context`."""
    return " ".join(f"--context {shlex.quote(f'{name}=NUMBER')}" for name in names)


def require_given(told: Mapping[str, float], inputs: Mapping[str, Any]) -> np.ndarray:
    """Check what is told beside a file, and return it in the order of the network, shape (n,).

    Raises
    ------
    HeldoutError
        A value is missing or not finite, or the network does not take it.
    """
    names = given_context(inputs)
    for name in told:
        if name not in names:
            raise HeldoutError(
                "context",
                f"one of {', '.join(names)}" if names else "none: the network takes none",
                name,
                suggestion(name, names) if names else "Leave it out.",
            )
    missing = [name for name in names if name not in told]
    if missing:
        low, high = (inputs["context"][end][-len(names) :] for end in ("low", "high"))
        known = [
            f"{name} ({least:g} to {most:g} in training)"
            for name, least, most in zip(names, low, high, strict=True)
        ]
        raise HeldoutError(
            "context",
            f"a number for {', '.join(known)}",
            f"none for {', '.join(missing)}",
            f"Add {context_options(missing)}.",
        )
    for name in names:
        if not is_context(told[name]):
            raise HeldoutError(f"context {name}", "a finite number", f"{told[name]:g}")
    return np.array([told[name] for name in names], np.float32)


def differences(signal: Signal, features: Features, inputs: Mapping[str, Any]) -> list[str]:
    """Say in what a recording differs from those that a network was trained on.

    Parameters
    ----------
    signal : Signal
        The recording.
    features : Features
        Its examples.
    inputs : mapping
        As `describe_inputs` gives it.

    Returns
    -------
    list of str
        One sentence for each difference: sampling rate; duration, beyond a tenth; level, beyond
        3 dB; values of the features or of the context, beyond a twentieth of their span. Empty
        where there is none.
    """
    known = inputs["recordings"]
    told = []
    if not any(abs(signal.rate - rate) < 0.5 for rate in known["rate"]):
        rates = ", ".join(f"{rate:g}" for rate in known["rate"][:6])
        told.append(f"sampling rate {signal.rate:g} Hz; training recordings had {rates} Hz")
    short, long = known["duration"]
    if not short / _DURATION <= signal.duration <= long * _DURATION:
        told.append(
            f"duration {signal.duration:.2f} s; training recordings had {short:.2f} to {long:.2f} s"
        )
    quiet, loud = known["level"]
    here = level(signal)
    if not quiet - _LEVEL_DB <= here <= loud + _LEVEL_DB:
        told.append(
            f"level {here:.0f} {decibel(signal.unit)}; training recordings had {quiet:.0f} to "
            f"{loud:.0f} dB"
        )
    channels = [f"channel {number}" for number in range(features.x.shape[2])]
    told += _out_of_range("features", features.x, channels, inputs["values"])
    if "context" in inputs:
        context = inputs["context"]
        told += _out_of_range("context", features.context[:, None], context["names"], context)
    return told


def _out_of_range(
    what: str, x: np.ndarray, names: Sequence[str], ends: Mapping[str, Sequence[float]]
) -> list[str]:
    """Say which column [shape=(examples, time, columns)] goes beyond its ends most often."""
    low, high = (np.array(ends[end]) for end in ("low", "high"))
    slack = _SPAN * (high - low)
    beyond = (x < low - slack) | (x > high + slack)
    if not beyond.any():
        return []
    some = int(beyond.any(axis=(1, 2)).sum())
    most = int(beyond.any(axis=1).sum(axis=0).argmax())
    return [
        f"{what} out of range in {some} of {len(x)} examples, most in {names[most]}: "
        f"{x[..., most].min():.4g} to {x[..., most].max():.4g}; training examples had "
        f"{low[most]:.4g} to {high[most]:.4g}"
    ]
