"""Writing the study of a person's own folder, with settings that fit what is in it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.datasets.audio import Header
from lib.datasets.files import AUDIO, read_file, read_file_header
from lib.errors import HeldoutError
from lib.folder import METADATA, NO_GROUPS, list_folder

# So many recordings, spread over the folder, show what all of it is like.
_LOOKED_AT = 40
_AUDIO_RATE = 16000
_MEASURED_RATE = 250


def study_text(
    folder: str | Path,
    *,
    groups: str | None = None,
    variable: str | None = None,
    rate: float | str | None = None,
) -> str:
    """Write a study of a folder, as the text of its file.

    Parameters
    ----------
    folder : str or Path
        As for `lib.folder.list_folder`.
    groups : str, optional
        As there.
    variable, rate : optional
        As for `lib.datasets.files.read_file`.

    Returns
    -------
    str
        YAML with comments. Audio becomes MFCC at the lowest rate of the recordings looked at, up
        to 16 kHz; measured signals become windows of their common channels, up to 250 Hz.

    Raises
    ------
    HeldoutError
        As `list_folder`; no recording can be read; or measured signals share no channel.
    """
    folder = Path(folder)
    table = list_folder(folder, groups=groups)
    reading = {"variable": variable, "rate": rate}
    reading = {name: value for name, value in reading.items() if value is not None}
    headers = _headers(folder, table["path"].tolist(), reading)
    audio = any(Path(path).suffix.lower() in AUDIO for path in headers)
    features, kind = _audio(headers) if audio else _windows(folder, headers, reading)
    classes = sorted(set(table["label"]))
    counts = table.assign(group=table["group"].where(table["group"] != "", table["path"]))
    least = int(counts.groupby("label")["group"].nunique().min())
    dealt = "folds: 5" if least >= 6 else "folds: 3" if least >= 3 else "folds: 1, test: 0.33"
    lines = [
        f"# Recordings of {folder.name}: {len(table)} in {len(classes)} classes.",
        "# docs/configuration.md lists every key; a misspelt one is refused before anything runs.",
        f"title: {_text(folder.resolve().name)}",
        f"question: {_text('Which class does a recording belong to: ' + ', '.join(classes) + '?')}",
        f"example_kind: {_text(kind)}",
        "dataset: folder",
        "",
        "folder:",
        "  # A folder for each class, or metadata.csv: path, label and perhaps group and split.",
        f"  path: {_text(folder.as_posix())}",
        "  # Who or what may never be on two sides of a split: a regular expression over paths,",
        "  # with what names the person in brackets. A column group in metadata.csv goes first.",
        f"  groups: {_text(groups) if groups else 'null # such as (person[0-9]+)'}",
        "  # Recordings that cannot be read or stand under two labels: leave_out, or stop.",
        "  faulty: leave_out",
        *(f"  {name}: {_text(value)}" for name, value in reading.items()),
        "",
        "# Each class with the labels that belong to it: merge classes here, or leave one out.",
        "classes:",
        *(f"  {_text(name)}: [{_text(name)}]" for name in classes),
        "",
        "recordings:",
        "  exclude: [] # paths within the folder",
        "  min_groups: 2 # groups that each class needs",
        "",
        "features:",
        *(f"  {name}: {value}" for name, value in features.items()),
        "",
        "protocols:",
    ]
    grouped = bool((table["group"] != "").all())
    if not grouped:
        lines += [f"  # {line}" for line in _wrapped(NO_GROUPS)]
    lines += [
        "  # The honest one: no group on two sides.",
        f"  grouped: {{title: by {'group' if grouped else 'recording'}, kind: grouped, "
        f"honest: true, {dealt}, validation: 0.2}}",
        *_published(table),
        "  # What most projects do, for comparison: it promises too much.",
        f"  random: {{title: at random, kind: random, honest: false, {dealt}, validation: 0.2}}",
        "",
        "primary: grouped # hyperparameters are chosen on its validation part",
        "",
        *(_NETWORKS["mfcc" if audio else "windows"]),
        "",
        "training:",
        "  epochs: 60",
        "  early_stopping: 10 # epochs without a better validation loss",
        "  reduce_lr_factor: 0.5",
        "  reduce_lr_patience: 5",
        "",
        "# What less effort changes; `--config effort=full` takes the keys above as they are.",
        "efforts:",
        "  demo: {training: {epochs: 25, early_stopping: 8}}",
        "  quick: {training: {epochs: 40}}",
    ]
    return "\n".join(lines) + "\n"


_NETWORKS = {
    "mfcc": [
        "# Every combination of a space is a trial; the best one on validation is trained anew.",
        "architectures:",
        "  gru:",
        "    fixed: {units: [24], learning_rate: 0.005, batch_size: 16, class_weights: true}",
        "    space: {dropout: [0.0]}",
        "  cnn:",
        "    fixed: {filters: [16, 32], kernels: [5, 3], dense: [], learning_rate: 0.003, "
        "batch_size: 16, batch_normalization: false, class_weights: true}",
        "    space: {dropout: [0.2]}",
    ],
    "windows": [
        "# Every combination of a space is a trial; the best one on validation is trained anew.",
        "architectures:",
        "  cnn:",
        "    fixed: {filters: [16, 32, 32], kernels: [7, 5, 3], dense: [], learning_rate: 0.003, "
        "batch_size: 16, batch_normalization: false, class_weights: true}",
        "    space: {dropout: [0.2]}",
        "  cnn_lstm:",
        "    fixed: {filters: [16, 32], kernels: [7, 5], units: [16], dense: [], "
        "learning_rate: 0.003, batch_size: 16, class_weights: true}",
        "    space: {dropout: [0.0]}",
    ],
}


def _text(value: Any) -> str:
    """Write a value so that YAML reads it as what it is: JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 92)


def _headers(folder: Path, paths: list[str], reading: Mapping[str, Any]) -> dict[str, Header]:
    """Read the headers of some recordings; those that are damaged show nothing."""
    some = np.unique(np.linspace(0, len(paths) - 1, min(_LOOKED_AT, len(paths))).astype(int))
    found: dict[str, Header] = {}
    errors = []
    for path in (paths[i] for i in some):
        try:
            found[path] = read_file_header(folder / path, **reading)
        except HeldoutError as error:
            errors.append(str(error))
    if not found:
        raise HeldoutError(
            f"{folder}: expected recordings that can be read, got none among {len(some)}, the "
            f"first: {errors[0]}"
        )
    return found


def _audio(headers: Mapping[str, Header]) -> tuple[dict[str, str], str]:
    rate = min(_AUDIO_RATE, *(header.rate for header in headers.values()))
    middle = float(np.median([header.duration for header in headers.values()]))
    duration = min(10.0, max(0.5, round(middle, 1)))
    n_fft = 2 ** math.ceil(math.log2(0.1 * rate))
    # About a hundred frames: what a small recurrent network can follow.
    hop = max(n_fft // 4, math.ceil(duration * rate / 100))
    features = {
        "kind": "mfcc # also mel and spectral",
        "rate": f"{rate:g} # Hz, one for all: else the rate itself could give a class away",
        "duration": f"{duration:g} # s; longer recordings are cut, shorter ones filled up",
        "n_mfcc": "13",
        "n_mels": "40",
        "n_fft": f"{n_fft} # samples",
        "hop": f"{hop} # samples",
    }
    return features, f"MFCC of the first {duration:g} s"


def _windows(
    folder: Path, headers: Mapping[str, Header], reading: Mapping[str, Any]
) -> tuple[dict[str, str], str]:
    names = [read_file(folder / path, **reading).channels for path in list(headers)[:8]]
    channels = [name for name in names[0] if all(name in other for other in names)]
    if not channels:
        raise HeldoutError(
            f"{folder}: expected recordings with a channel in common, got "
            f"{'; '.join(sorted({', '.join(some) for some in names}))}. Name the channels alike."
        )
    rate = min(_MEASURED_RATE, *(header.rate for header in headers.values()))
    seconds = min(10.0, *(header.duration for header in headers.values()))
    samples = int(seconds * rate)
    features = {
        "kind": "windows",
        "channels": f"[{', '.join(_text(name) for name in channels)}]",
        "rate": f"{rate:g} # Hz",
        "samples": f"{samples} # {samples / rate:g} s",
        "stride": f"{samples} # samples from the start of a window to that of the next",
        "limit": "20 # windows of a recording at most, so that no long one outweighs the others",
    }
    return features, f"a window of {samples / rate:g} s"


def _published(table: pd.DataFrame) -> list[str]:
    """Take the parts of a column `split`, where there is a train and a test part."""
    there = [part for part in ("train", "validation", "test") if part in set(table["split"])]
    if not {"train", "test"} <= set(there):
        return []
    parts = ", ".join(f"{part}: [{part}]" for part in there)
    known = table[(table["split"] != "") & (table["group"] != "")]
    honest = not (known.groupby("group")["split"].nunique() > 1).any()
    return [
        f"  # The column split of {METADATA}.",
        f"  published: {{title: as in {METADATA}, kind: published, honest: {_text(honest)}, "
        f"by: split, validation: 0.2, parts: {{{parts}}}}}",
    ]
