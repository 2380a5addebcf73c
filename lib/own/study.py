"""Writing the study of a person's own folder, with settings that fit what is in it."""

from __future__ import annotations

import json
import math
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.audit.listening import fault_of
from lib.datasets.files import (
    AUDIO,
    has_annotations,
    read_channels,
    read_file_header,
    read_leads_and_codes,
)
from lib.datasets.signal import Header
from lib.errors import HeldoutError
from lib.metrics import aami
from lib.own.metadata import METADATA, metadata_of
from lib.own.survey import NO_GROUPS
from lib.own.table import Contents, examine, labelled_by_beats
from lib.templates import environment

# So many recordings, spread over the folder, show what all of it is like.
_LOOKED_AT = 40
_AUDIO_RATE = 16000
_MEASURED_RATE = 250
# A beat from before its P wave to behind its T wave, as in the study `arrhythmia`.
_BEAT_RATE, _BEAT_SECONDS, _BEFORE = 125, 1.5, 0.6


def study_text(
    folder: str | Path,
    *,
    groups: str | None = None,
    beats: str | None = None,
    context: Sequence[str] = (),
    exclude: Sequence[str] = (),
    variable: str | None = None,
    rate: float | str | None = None,
) -> str:
    """Write a study of a folder, as the text of its file.

    Parameters
    ----------
    folder : str or Path
        As for `lib.own.table.list_folder`.
    groups : str, optional
        As there.
    beats : {"codes", "recordings"}, optional
        As there. Without it, examples are beats where nothing but annotations gives a class
        (`lib.own.table.labelled_by_beats`).
    context, exclude : sequence of str
        As there.
    variable, rate : optional
        As for `lib.datasets.files.read_file`.

    Returns
    -------
    str
        YAML with comments. Audio becomes MFCC at the lowest rate of the recordings looked at, up
        to 16 kHz; measured signals become windows of their common channels, up to 250 Hz, or beats
        of their most common lead, up to 125 Hz, in the classes of the AAMI that two groups have.

    Raises
    ------
    HeldoutError
        As `list_folder`; no recording can be read; measured signals share no channel; or the
        annotated beats are of fewer than two classes.
    """
    return describe(
        folder,
        groups=groups,
        beats=beats,
        context=context,
        exclude=exclude,
        variable=variable,
        rate=rate,
    )[0]


def describe(
    folder: str | Path,
    *,
    groups: str | None = None,
    beats: str | None = None,
    context: Sequence[str] = (),
    exclude: Sequence[str] = (),
    variable: str | None = None,
    rate: float | str | None = None,
) -> tuple[str, Contents]:
    """Write a study of a folder as `study_text` does, and say what is in the folder."""
    folder = Path(folder)
    beats = beats or ("codes" if labelled_by_beats(folder, exclude=exclude) else None)
    contents = examine(folder, groups=groups, beats=beats, context=context, exclude=exclude)
    table = contents.table
    reading = {"variable": variable, "rate": rate}
    reading = {name: value for name, value in reading.items() if value is not None}
    headers = _headers(folder, table["path"].tolist(), reading)
    counts = table.assign(group=table["group"].where(table["group"] != "", table["path"]))
    measured = not any(Path(path).suffix.lower() in AUDIO for path in headers)
    networks = "beats" if beats else "windows" if measured else "mfcc"
    if beats:
        records = _annotated(folder, headers)
        features, kind = _beats(headers, [leads for leads, _ in records.values()])
    else:
        features, kind = _windows(folder, headers, reading) if measured else _audio(headers)
    if beats == "codes":
        group_of = dict(zip(counts["path"], counts["group"], strict=True))
        held = _codes(folder, records, group_of)
        classes = {name: codes for name, (codes, _) in held.items()}
        least = min(groups for _, groups in held.values())
    else:
        classes = {name: [name] for name in sorted(set(table["label"]))}
        least = int(counts.groupby("label")["group"].nunique().min())
    grouped = bool((table["group"] != "").all())
    template = environment("lib.own", markup=False)
    template.filters["json"] = _json
    text = template.get_template("study.yaml.j2").render(
        name=folder.resolve().name,
        path=folder.as_posix(),
        recordings=len(table),
        groups=groups,
        beats=beats,
        context=list(context),
        exclude=list(exclude),
        records=any(Path(path).suffix == ".hea" for path in headers),
        reading=reading,
        classes=classes,
        scored=_scored(classes) if beats == "codes" else [],
        example_kind=kind,
        features=features,
        grouped=grouped,
        cautions=[] if grouped else textwrap.wrap(NO_GROUPS, 92),
        told=[
            line
            for caution in [*contents.cautions, *contents.notes]
            for line in textwrap.wrap(caution, 94)
        ],
        dealt=_dealt(least, contents.folds),
        published=_published(table),
        origin=METADATA if metadata_of(folder) else "the folders",
        networks=networks,
    )
    return text, contents


def _dealt(groups: int, folds: int) -> str:
    """Say how groups are dealt, of which the rarest class has so many: published folds as such."""
    if 3 <= folds <= min(groups, 10):
        return f"folds: {folds}"
    return "folds: 5" if groups >= 6 else "folds: 3" if groups >= 3 else "folds: 1, test: 0.33"


def _json(value: Any) -> str:
    """Write a value so that YAML reads it as what it is, whatever its name: JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)


def _headers(folder: Path, paths: list[str], reading: Mapping[str, Any]) -> dict[str, Header]:
    """Read the headers of some recordings; those that are damaged show nothing."""
    some = np.unique(np.linspace(0, len(paths) - 1, min(_LOOKED_AT, len(paths))).astype(int))
    headers: dict[str, Header] = {}
    errors = []
    for path in (paths[i] for i in some):
        try:
            headers[path] = read_file_header(folder / path, **reading)
        except HeldoutError as error:
            errors.append((path, error))
    if not headers:
        path, first = errors[0]
        got = f"none among {len(some)}, the first: {path}: {fault_of(first, folder / path)}"
        raise HeldoutError(folder, "recordings that can be read", got, first.advice) from first
    return headers


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
    # Headers alone: a record that is damaged behind its header is left out by the survey.
    names = [read_channels(folder / path, **reading) for path in list(headers)[:8]]
    channels = [name for name in names[0] if all(name in other for other in names)]
    if not channels:
        raise HeldoutError(
            folder,
            "recordings with a channel in common",
            f"{'; '.join(sorted({', '.join(some) for some in names}))}",
            "Name the channels alike.",
        )
    rate = min(_MEASURED_RATE, *(header.rate for header in headers.values()))
    seconds = min(10.0, *(header.duration for header in headers.values()))
    samples = int(seconds * rate)
    features = {
        "kind": "windows",
        "channels": _json(channels),
        "rate": f"{rate:g} # Hz",
        "samples": f"{samples} # {samples / rate:g} s",
        "stride": f"{samples} # samples from the start of a window to that of the next",
        "limit": "20 # windows of a recording at most, so that no long one outweighs the others",
    }
    return features, f"a window of {samples / rate:g} s"


def _annotated(folder: Path, paths: Iterable[str]) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """Read leads and codes of the records with annotated beats; damaged ones show nothing."""
    annotated: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    faults = []
    for path in paths:
        if not has_annotations(folder / path):
            faults.append(f"{path} has no annotations (.atr)")
            continue
        try:
            leads, codes = read_leads_and_codes(folder / path)
        except HeldoutError as error:
            faults.append(f"{path}: {fault_of(error, folder / path)}")
            continue
        if len(codes):
            annotated[path] = leads, codes
        else:
            faults.append(f"{path} has annotations, but none of a beat")
    if not annotated:
        raise HeldoutError(
            folder,
            "WFDB records with annotated beats (.hea and .atr)",
            f"none among {len(faults)}, the first: {faults[0]}",
            "Put the annotations beside the headers, or leave out `beats`.",
        )
    return annotated


def _beats(
    headers: Mapping[str, Header], leads: list[tuple[str, ...]]
) -> tuple[dict[str, str], str]:
    common = Counter(name for some in leads for name in some)
    having = max(common.values())
    most = [name for name in common if common[name] == having]
    # Of leads that are as common, one along the axis of the heart shows beats best.
    lead = next((name for name in ("MLII", "II") if name in most), most[0])
    rate = min(_BEAT_RATE, *(header.rate for header in headers.values()))
    samples = int(_BEAT_SECONDS * rate)
    features = {
        "kind": "beats",
        "lead": f"{_json(lead)} # {having} of {len(leads)} records have it; others are left out",
        "rate": f"{rate:g} # Hz",
        "samples": f"{samples} # {samples / rate:g} s",
        "before": f"{_BEFORE} # s from the start of the window to the R peak",
    }
    return features, f"one beat, {samples} samples at {rate:g} Hz"


def _codes(
    folder: Path,
    records: Mapping[str, tuple[tuple[str, ...], np.ndarray]],
    group_of: Mapping[str, str],
) -> dict[str, tuple[list[str], int]]:
    """List the codes of each class of the AAMI, and count its groups, where these are two."""
    groups: dict[str, set[str]] = {}
    for path, (_, annotated) in records.items():
        for code in np.unique(annotated):
            groups.setdefault(str(code), set()).add(group_of[path])
    held = {}
    for name, codes in aami.CODES.items():
        there = [code for code in codes if code in groups]
        count = len(set().union(*(groups[code] for code in there)))
        if count >= 2:
            held[name] = there, count
    if len(held) < 2:
        got = ", ".join(f"{code} in {len(some)}" for code, some in sorted(groups.items()))
        raise HeldoutError(
            folder,
            "annotated beats of at least 2 classes of the AAMI, each in records of 2 groups",
            got,
            "Add records, or write a study with other classes.",
        )
    return held


def _scored(classes: Mapping[str, list[str]]) -> list[str]:
    """Leave Q, beats that nobody could classify, out of means, where enough others are left."""
    others = [name for name in classes if name != "Q"]
    return others if 2 <= len(others) < len(classes) else []


def _published(table: pd.DataFrame) -> dict[str, Any] | None:
    """Describe the split of a column `split`, where there is a train and a test part."""
    parts = [part for part in ("train", "validation", "test") if part in set(table["split"])]
    if not {"train", "test"} <= set(parts):
        return None
    known = table[(table["split"] != "") & (table["group"] != "")]
    honest = not (known.groupby("group")["split"].nunique() > 1).any()
    return {"parts": parts, "honest": honest}
