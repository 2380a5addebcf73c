"""Writing the study of a person's own folder, with settings that fit what is in it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.audit.listening import fault_of
from lib.datasets.files import has_annotations, read_leads_and_codes
from lib.datasets.signal import Header
from lib.errors import HeldoutError
from lib.metrics import aami
from lib.own import choices
from lib.own.headers import LOWEST_SOUND, by_key, few, for_each, named, odd_recordings, read_headers
from lib.own.metadata import METADATA, metadata_of
from lib.own.survey import NO_GROUPS
from lib.own.table import Contents, examine, labelled_by_beats
from lib.templates import environment
from lib.typed import clean


def study_text(folder: str | Path, **options: Any) -> str:
    """Write a study of a folder as `describe` does, which takes the same; return its text alone."""
    return describe(folder, **options)[0]


def describe(
    folder: str | Path,
    *,
    groups: str | None = None,
    beats: str | None = None,
    context: Sequence[str] = (),
    exclude: Sequence[str] = (),
    by: str | None = None,
    variable: str | None = None,
    rate: float | str | None = None,
) -> tuple[str, Contents]:
    """Write a study of a folder, as the text of its file, and say what is in the folder.

    Parameters
    ----------
    folder : str or Path
        As for `lib.own.table.examine`.
    groups : str, optional
        As there.
    beats : {"codes", "recordings"}, optional
        As there. Without it, examples are beats where nothing but annotations gives a class
        (`lib.own.table.labelled_by_beats`).
    context, exclude : sequence of str
        As there.
    by : str, optional
        The column of `metadata.csv` that names the site: protocols leave each site out, and train
        on each alone.
    variable, rate : optional
        As for `lib.datasets.files.read_file`.

    Returns
    -------
    text : str
        YAML with comments. Sounds become MFCC at the lowest rate of all recordings, up to 16 kHz,
        so that what a low rate lacks gives no class away; measured signals become windows of their
        common channels, up to 250 Hz, or beats of their most common lead, up to 125 Hz, in the
        classes of the AAMI that two groups have. The headers of all recordings are read for this,
        and all annotations; the few recordings that are unlike all others
        (`lib.own.headers.odd_recordings`) decide nothing and are named in a comment.

    contents : Contents
        What there is to say of the folder, of odd recordings too.

    Raises
    ------
    HeldoutError
        As `lib.own.table.examine`; no recording can be read; sounds and measured signals are mixed;
        measured signals share no channel; or the annotated beats are of fewer than two classes.
    """
    folder = Path(folder)
    beats = beats or ("codes" if labelled_by_beats(folder, exclude=exclude) else None)
    stated: dict[str, Any] = {"groups": groups, "beats": beats, "context": context}
    columns = [clean(by).lower()] if by else []
    contents = examine(folder, **stated, exclude=exclude, columns=columns)
    table = contents.table
    reading = {"variable": variable, "rate": rate}
    reading = {name: value for name, value in reading.items() if value is not None}
    every = read_headers(folder, table["path"].tolist(), reading)
    sounds = not beats and _are_sounds(folder, every)
    odd = odd_recordings(every, sounds=sounds)
    headers = {path: header for path, header in every.items() if path not in odd}
    counts = table.assign(group=table["group"].where(table["group"] != "", table["path"]))
    if beats:
        records = _annotated(folder, headers)
        choice = choices.beats(headers, {path: leads for path, (leads, _) in records.items()})
    elif sounds:
        choice = choices.mfcc(headers)
    else:
        label = dict(zip(table["path"], table["label"], strict=True))
        choice = choices.windows(folder, headers, label)
    odd |= choice.gone
    told = [f"{named(some)}: {why}; left out." for why, some in by_key(odd.items()).items()]
    notes = by_key((path, note) for path, header in every.items() for note in header.notes)
    told += [f"{named(some)}: {note}." for note, some in notes.items()]
    lost = len(table) - len(every)
    told += [f"{lost} of {len(table)} recordings cannot be read; they are left out."] * bool(lost)
    if beats == "codes":
        group_of = dict(zip(counts["path"], counts["group"], strict=True))
        held, alone = _codes(folder, records, group_of)
        told += [
            f"Beats of code {code} are not used: only {path} has them." for code, path in alone
        ]
        classes = {name: codes for name, (codes, _) in held.items()}
        least = min(groups for _, groups in held.values())
    else:
        classes = {name: [name] for name in sorted(set(table["label"]))}
        least = int(counts.groupby("label")["group"].nunique().min())
    grouped = bool((table["group"] != "").all())
    template = environment("lib.own", markup=False)
    template.filters |= {"json": choices.as_json, "flow": choices.as_flow}
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
        choice=choice,
        grouped=grouped,
        cautions=[] if grouped else textwrap.wrap(NO_GROUPS, 92),
        told=[
            line
            for caution in [*contents.cautions, *contents.notes]
            for line in textwrap.wrap(caution, 94)
        ],
        dealt=_dealt(least, contents.folds),
        published=_published(table),
        sites=_sites(counts, columns[0], of_beats=beats == "codes") if columns else None,
        origin=METADATA if metadata_of(folder) else "the folders",
        remarks=[line for text in told for line in textwrap.wrap(text, 94)],
    )
    return text, contents._replace(notes=[*contents.notes, *told])


def _dealt(groups: int, folds: int) -> str:
    """Say how groups are dealt, of which the rarest class has so many: published folds as such."""
    if 3 <= folds <= min(groups, 10):
        return f"folds: {folds}"
    return "folds: 5" if groups >= 6 else "folds: 3" if groups >= 3 else "folds: 1, test: 0.33"


def _are_sounds(folder: Path, headers: Mapping[str, Header]) -> bool:
    """Tell whether recordings are sounds; refuse a mixture, whose kind would tell the class."""
    sounds = [path for path, header in headers.items() if header.sound]
    measured = [path for path, header in headers.items() if not header.sound]
    if not few(min(len(sounds), len(measured)), of=len(headers)):
        raise HeldoutError(
            folder,
            "recordings of one kind, sounds or measured signals",
            f"{len(sounds):,} sounds ({named(sounds)}) and {len(measured):,} measured signals "
            f"({named(measured)})",
            "Put each kind into a folder of its own: what is made of them differs, and would give "
            "the class away.",
        )
    # Slow signals may be kept as wav, too: a pulse wave, breathing.
    heard = np.median([headers[path].rate for path in sounds]) >= LOWEST_SOUND if sounds else False
    return len(sounds) > len(measured) and bool(heard)


def _annotated(folder: Path, paths: Iterable[str]) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """Read leads and codes of the records with annotated beats; damaged ones show nothing."""
    with_them = [path for path in paths if has_annotations(folder / path)]
    read = for_each(with_them, lambda path: read_leads_and_codes(folder / path))
    annotated: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    faults = []
    for path in paths:
        result = read.get(path)
        if result is None:
            faults.append(f"{path} has no annotations (.atr)")
        elif isinstance(result, HeldoutError):
            faults.append(f"{path}: {fault_of(result, folder / path)}")
        elif len(result[1]):
            annotated[path] = result
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


def _codes(
    folder: Path,
    records: Mapping[str, tuple[tuple[str, ...], np.ndarray]],
    group_of: Mapping[str, str],
) -> tuple[dict[str, tuple[list[str], int]], list[tuple[str, str]]]:
    """List the codes of each class of the AAMI, and count its groups, where these are two.

    The second are codes that a class of one group has, each with a record.
    """
    groups: dict[str, set[str]] = {}
    record = {str(code): path for path, (_, codes) in records.items() for code in np.unique(codes)}
    for path, (_, annotated) in records.items():
        for code in np.unique(annotated):
            groups.setdefault(str(code), set()).add(group_of[path])
    held, alone = {}, []
    for name, codes in aami.CODES.items():
        there = [code for code in codes if code in groups]
        count = len(set().union(*(groups[code] for code in there)))
        if count >= 2:
            held[name] = there, count
        else:
            alone += [(code, record[code]) for code in there]
    if len(held) < 2:
        got = ", ".join(f"{code} in {len(some)}" for code, some in sorted(groups.items()))
        raise HeldoutError(
            folder,
            "annotated beats of at least 2 classes of the AAMI, each in records of 2 groups",
            got,
            "Add records, or write a study with other classes.",
        )
    return held, alone


def _scored(classes: Mapping[str, list[str]]) -> list[str]:
    """Leave Q, beats that nobody could classify, out of means, where enough others are left."""
    others = [name for name in classes if name != "Q"]
    return others if 2 <= len(others) < len(classes) else []


def _sites(table: pd.DataFrame, by: str, *, of_beats: bool) -> dict[str, Any]:
    """List the sites of a column, and those that have enough to be trained on alone."""
    if by not in table:
        raise HeldoutError(
            METADATA, f"a table with a column {by}", "no such table", "Write it, or leave out --by."
        )
    of_site = table[table[by] != ""].groupby(by)
    kinds = of_site[["group", "label"]].nunique()
    if len(kinds) < 2:
        raise HeldoutError(
            f"column {by}", "two or more sites", ", ".join(kinds.index) or "none", "Correct it."
        )
    alone = kinds.index[(kinds["group"] > 2) & ((kinds["label"] > 1) | of_beats)].tolist()
    return {"by": by, "all": kinds.index.tolist(), "alone": alone if len(alone) > 1 else []}


def _published(table: pd.DataFrame) -> dict[str, Any] | None:
    """Describe the split of a column `split`, where there is a train and a test part."""
    parts = [part for part in ("train", "validation", "test") if part in set(table["split"])]
    if not {"train", "test"} <= set(parts):
        return None
    known = table[(table["split"] != "") & (table["group"] != "")]
    honest = not (known.groupby("group")["split"].nunique() > 1).any()
    return {"parts": parts, "honest": honest}
