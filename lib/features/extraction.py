"""Features of a shard of recordings, in one file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lib.datasets.registry import get_dataset
from lib.datasets.signal import UndecodableError, level, saturated
from lib.features.fingerprint import BANDS, Fingerprint, band_of, content_of, fingerprint, pack
from lib.features.kinds import Features
from lib.features.registry import make
from lib.files import atomic, sha256

# What is known of an example's recording, and its type. As published, not as it was read, so that
# the metadata baseline knows what anybody could.
_PUBLISHED = {
    "recording": np.str_,
    "rate": np.float64,
    "duration": np.float64,
    "channels": np.int64,
}
_MEASURED = {"level": np.float64, "unit": np.str_, "saturated": np.float64}
_COLUMNS = {"start": np.float64, "label": np.str_} | _PUBLISHED | _MEASURED


class _Heard(NamedTuple):
    """What a shard keeps of a recording as a whole."""

    fault: str = ""
    band: int = 0
    content: str = ""
    bits: Fingerprint = Fingerprint(np.zeros(0, np.uint32), np.zeros(0, bool))


def write_shard(
    path: str | Path,
    recordings: pd.DataFrame,
    *,
    dataset: str,
    kind: str,
    settings: Mapping[str, Any],
    classes: Mapping[str, Sequence[str]],
    reading: Mapping[str, Any] | None = None,
    made_with: Mapping[str, str] | None = None,
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
    made_with : mapping, optional
        Packages and their versions, to be kept with the features.

    Raises
    ------
    HeldoutError
        A recording cannot be read or gives no example of this kind. One that cannot be decoded,
        though it is as it was retrieved, is passed over.

    Notes
    -----
    The arrays: `x` (example, time, channels) and `context` (example, n) float32; `context_names`,
    those n; per example `start` (s), `label` (class),
    `recording`, `rate` (Hz), `duration` (s), `channels` of its recording as published, `level` (dB)
    and `unit` of its samples, and the share of them that is `saturated`; `made_with`, as JSON; and
    per recording, those without an example too, `recordings`, the names, `fault`, why one was
    passed over, `content`, a hash of its samples, and its fingerprint: `frames`, `bits` and `heard`
    as `lib.features.fingerprint.pack` gives them, and `band`, its number in `BANDS`, the highest
    that the rate of the features holds.
    """
    source, chosen = get_dataset(dataset), make(kind, **settings)
    class_of = {str(label): name for name, labels in classes.items() for label in labels}
    blocks = [np.zeros((0, *chosen.shape), np.float32)]
    contexts = [np.zeros((0, len(chosen.context)), np.float32)]
    columns: dict[str, list[np.ndarray]] = {
        name: [np.zeros(0, dtype)] for name, dtype in _COLUMNS.items()
    }
    heard: list[_Heard] = []
    for row in recordings.to_dict("records"):
        try:
            signal = source.read(row["path"], **(reading or {}))
        except UndecodableError as error:
            # A file that changed since it was retrieved is damaged.
            if sha256(row["path"]) != row.get("sha256"):
                raise
            heard.append(_Heard(fault=error.fact))
            continue
        band = band_of([chosen.rate_of(signal)])
        bits = fingerprint(signal, band=band)
        heard.append(_Heard(band=BANDS.index(band), content=content_of(signal), bits=bits))
        features, label = _labelled(chosen.examples(signal), str(row["label"]), class_of)
        blocks.append(features.x)
        contexts.append(features.context)
        of_recording = {name: row[name] for name in _PUBLISHED}
        of_recording |= {
            "level": level(signal),
            "unit": signal.unit,
            "saturated": saturated(signal),
        }
        columns["start"].append(features.start)
        columns["label"].append(label)
        for name, value in of_recording.items():
            columns[name].append(np.full(len(features.x), _COLUMNS[name](value)))
    arrays = {name: np.concatenate(parts) for name, parts in columns.items()}
    arrays["context"] = np.concatenate(contexts)
    arrays["context_names"] = np.array(chosen.context, np.str_)
    arrays["recordings"] = np.array([str(name) for name in recordings["recording"]], np.str_)
    arrays["fault"] = np.array([one.fault for one in heard], np.str_)
    arrays["band"] = np.array([one.band for one in heard], np.int64)
    arrays["content"] = np.array([one.content for one in heard], np.str_)
    arrays |= pack([one.bits for one in heard])
    arrays["made_with"] = np.array(json.dumps(dict(made_with or {})))
    with atomic(path) as part:
        np.savez(part, x=np.concatenate(blocks), **arrays)  # type: ignore[arg-type]


def _labelled(
    features: Features, label: str, class_of: Mapping[str, str]
) -> tuple[Features, np.ndarray]:
    """Keep the examples that belong to a class, and name their classes."""
    if label:
        return features, np.full(len(features.x), label)
    names = np.array([class_of.get(str(s), "") for s in features.symbols], dtype=np.str_)
    kept = names != ""
    if kept.all():
        return features, names
    columns = (features.x, features.start, features.symbols, features.context)
    return Features(*(column[kept] for column in columns)), names[kept]
