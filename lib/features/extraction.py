"""Features of a shard of recordings, in one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.datasets.registry import dataset_module, read
from lib.datasets.signal import Signal
from lib.features.kinds import Features
from lib.files import atomic

_SILENCE = -200.0  # dB: below anything that a 32-bit float recording holds

_TYPES: dict[str, type] = {
    "start": np.float64,
    "label": np.str_,
    "recording": np.str_,
    "rate": np.float64,
    "duration": np.float64,
    "channels": np.int64,
    "level": np.float64,
}


def level(signal: Signal) -> float:
    """Give the RMS of all samples in dB of full scale (±1), -200 dB for silence."""
    rms = float(np.sqrt(np.mean(np.square(signal.samples, dtype=np.float64))))
    return max(20 * np.log10(rms), _SILENCE) if rms else _SILENCE


def write_shard(
    path: str | Path,
    recordings: pd.DataFrame,
    *,
    dataset: str,
    kind: str,
    settings: Mapping[str, Any],
    classes: Mapping[str, Sequence[str]],
    reading: Mapping[str, Any] | None = None,
) -> None:
    """Read the recordings of a shard, one after the other, and write their features.

    Parameters
    ----------
    path : str or Path
        The `.npz` file to write, whole or not at all.
    recordings : pd.DataFrame
        A table of `lib.recordings.table`; may be empty.
    dataset : str
        A name in `lib.datasets.DATASETS`.
    kind : str
        A name in `lib.features.KINDS`.
    settings : mapping
        What the kind takes.
    classes : mapping of str to sequence of str
        Each class and the dataset's labels in it. An example has the class of its recording or,
        where that has none, of its own label (a beat's code); one that is in no class is dropped.
    reading : mapping, optional
        What `lib.datasets.read` takes beside the path.

    Raises
    ------
    HeldoutError
        A recording cannot be read or gives no example of this kind.

    Notes
    -----
    The arrays: `x` (example, time, channels) float32; per example `start` (s), `label` (class),
    `recording`, `rate` (Hz), `duration` (s), `channels`, `level` (dB) of its recording as
    published; and `recordings`, all names of the shard, those without an example too.
    """
    from lib.features.registry import extract, shape

    dataset_module(dataset)
    class_of = {str(label): name for name, labels in classes.items() for label in labels}
    found: list[Features] = []
    columns: dict[str, list[np.ndarray]] = {name: [] for name in _TYPES}
    for row in recordings.to_dict("records"):
        signal = read(dataset, row["path"], **(reading or {}))
        features, label = _labelled(
            extract(signal, kind=kind, **settings), str(row["label"]), class_of
        )
        found.append(features)
        count = len(features.x)
        values = {
            "start": features.start,
            "label": label,
            "recording": np.full(count, str(row["recording"])),
            "rate": np.full(count, row["rate"]),
            "duration": np.full(count, row["duration"]),
            "channels": np.full(count, row["channels"]),
            "level": np.full(count, level(signal)),
        }
        for name, value in values.items():
            columns[name].append(value)
    x = np.concatenate([np.zeros((0, *shape(kind, **settings)), np.float32), *(f.x for f in found)])
    arrays = {
        name: np.concatenate([np.zeros(0, _TYPES[name]), *parts]) for name, parts in columns.items()
    }
    names = np.array([str(name) for name in recordings["recording"]], dtype=np.str_)
    with atomic(path) as part:
        np.savez(part, x=x, recordings=names, **arrays)  # type: ignore[arg-type]


def _labelled(
    features: Features, label: str, class_of: Mapping[str, str]
) -> tuple[Features, np.ndarray]:
    """Give the examples that belong to a class, and their classes."""
    if label:
        return features, np.full(len(features.x), label)
    names = np.array([class_of.get(str(s), "") for s in features.symbols], dtype=np.str_)
    kept = names != ""
    if kept.all():
        return features, names
    chosen = Features(features.x[kept], features.start[kept], features.symbols[kept])
    return chosen, names[kept]
