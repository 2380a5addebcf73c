"""Croissant (MLCommons, version 1.0) of a dataset: its files, and tables of its recordings."""

from __future__ import annotations

import json
import logging
import mimetypes
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pandas as pd
from pandas.api.types import is_float_dtype, is_integer_dtype

from lib.errors import HeldoutError
from lib.files import sha256, write_json
from lib.recordings.table import read_recordings
from lib.retrieve.registry import parse_registry, read_registry

if TYPE_CHECKING:
    import mlcroissant as mlc

# A file in which more are listed than this takes programs minutes to read; the manifest has all.
MOST_FILES = 10_000
_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "recording": "Name of the recording.",
        "path": "Its file.",
        "label": "Its label as the dataset has it; empty where each example has one of its own.",
        "group": "Patient, subject, speaker or recording: what an honest split keeps together.",
        "split": "The part that the dataset itself puts it in, where it has parts.",
        "rate": "Sampling rate in Hz.",
        "duration": "Duration in s.",
        "channels": "Number of channels.",
        "sha256": "SHA-256 of its file.",
    }
)


def write_croissant(
    path: str | Path,
    *,
    manifest: Mapping[str, Any],
    manifest_file: str | Path,
    recordings: Mapping[str, str | Path],
    addresses: Mapping[str, str] = MappingProxyType({}),
) -> Path:
    """Describe a dataset, or a person's own folder.

    Parameters
    ----------
    path : path
        The JSON file. Paths in it are relative to its folder.
    manifest : mapping
        Of the dataset: see `lib.retrieve.retrieve`.
    manifest_file : path
        Where that is.
    recordings : mapping
        Study to `recordings.csv`, of each study of the dataset: a set of records each.
    addresses : mapping, optional
        Path of a published file to its address at the publisher's. A file without one is named by
        its path here.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    HeldoutError
        What was made is not valid, or a table is missing or damaged.
    """
    import mlcroissant as mlc

    def near(file: str | Path) -> str:
        # Where both are linked to, what counts is how one is reached from the other.
        return Path(os.path.relpath(file, Path(path).parent)).as_posix()

    folder = Path(manifest_file).with_suffix("")
    published = {} if manifest["simulated"] else addresses
    files = manifest["files"] if len(manifest["files"]) <= MOST_FILES else []
    distribution = [
        mlc.FileObject(
            # An id must not have blanks; names of files do.
            id=f"file-{number}",
            name=file["path"],
            content_url=published.get(file["path"]) or quote(near(folder / file["path"])),
            content_size=f"{file['bytes']} B",
            encoding_formats=[format_of(file["path"])],
            sha256=file["sha256"],
        )
        for number, file in enumerate(files)
    ]
    tables = {"manifest": Path(manifest_file)}
    tables |= {f"recordings-{study}": Path(file) for study, file in recordings.items()}
    distribution += [
        mlc.FileObject(
            id=name,
            name=name,
            content_url=near(file),
            content_size=f"{file.stat().st_size} B",
            encoding_formats=[format_of(file.name)],
            sha256=sha256(file),
        )
        for name, file in tables.items()
    ]
    # It advises of what is recommended and not known, such as the day of publication.
    advice = logging.getLogger("absl")
    before = advice.level
    advice.setLevel(logging.ERROR)
    try:
        made = mlc.Metadata(
            name=manifest["dataset"],
            description=_description(manifest, len(manifest["files"]) - len(files)),
            url=manifest.get("landing_page") or None,
            version=manifest["version"],
            license=[manifest["licence"]],
            cite_as="; ".join(manifest["citation"]) or None,
            distribution=distribution,
            record_sets=[
                _record_set(study, read_recordings(file)) for study, file in recordings.items()
            ],
        )
        content = json.loads(json.dumps(made.to_json(), default=str))
        # Most is checked when it is read.
        mlc.Dataset(jsonld=content)
    except mlc.ValidationError as error:
        raise HeldoutError(
            f"Croissant of {manifest['dataset']}",
            "valid metadata",
            str(error),
            f"Correct what {manifest_file} says of the dataset.",
        ) from error
    finally:
        advice.setLevel(before)
    write_json(path, content)
    return Path(path)


def published_at(registry: str | Path) -> dict[str, str]:
    """List the address of each published file that has one, by its path.

    Parameters
    ----------
    registry : path
        `resources/registry/{dataset}.yaml`.
    """
    files = parse_registry(read_registry(registry)).files
    return {file.path: file.url for file in files if file.url}


def _record_set(study: str, table: pd.DataFrame) -> mlc.RecordSet:
    """Describe the columns of a study's recordings.csv."""
    import mlcroissant as mlc

    fields = [
        mlc.Field(
            id=f"{study}/{name}",
            name=column,
            description=_COLUMNS.get(column, "As the dataset has it."),
            data_types=_type(table[column]),
            source=mlc.Source(
                file_object=f"recordings-{study}", extract=mlc.Extract(column=column)
            ),
        )
        for name, column in _names(table)
    ]
    words = f"The recordings of the study {study}."
    return mlc.RecordSet(id=study, name=study, description=words, fields=fields)


def _description(manifest: Mapping[str, Any], unlisted: int) -> str:
    words = str(manifest.get("title") or manifest["dataset"])
    if manifest["simulated"]:
        words += ". SIMULATED in the published layout: none of it is a real recording"
    if unlisted:
        words += f". Its {unlisted:,} files are listed in the manifest"
    return f"{words}."


def format_of(name: str) -> str:
    """Name the media type of a file by its suffix."""
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _names(table: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Name each column without blanks: of the same name, the later have a number."""
    taken: set[str] = set()
    for number, column in enumerate(map(str, table.columns)):
        name = re.sub(r"\W+", "_", column)
        name = f"{name}_{number}" if name in taken else name
        taken.add(name)
        yield name, column


def _type(column: pd.Series[Any]) -> str:
    """Name the type of a column as schema.org does."""
    import mlcroissant as mlc

    if is_integer_dtype(column):
        kind = mlc.DataType.INTEGER
    elif is_float_dtype(column) and column.notna().any():
        kind = mlc.DataType.FLOAT
    else:
        kind = mlc.DataType.TEXT
    return str(kind)
