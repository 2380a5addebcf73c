"""The registry: what a dataset consists of, where it is published, and how it is recognised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, urljoin

import jsonschema

from lib.errors import HeldoutError
from lib.files import read_yaml, safe_path

# In Python `$` also matches before a line end, hence `(?!\n)`.
_FILE: dict[str, Any] = {
    "type": "object",
    "required": ["path", "bytes", "sha256"],
    "additionalProperties": False,
    "properties": {
        "path": {"type": "string", "minLength": 1},
        "url": {"type": "string", "pattern": "^https?://"},
        "bytes": {"type": ["integer", "null"], "minimum": 0},
        "sha256": {"type": ["string", "null"], "pattern": "^[0-9a-f]{64}$(?!\\n)"},
    },
}
_ARCHIVE = {
    **_FILE,
    "required": [*_FILE["required"], "part", "label", "recordings"],
    "properties": {
        **_FILE["properties"],
        "part": {"enum": ["set_a", "set_b"]},
        "label": {"type": "string", "pattern": "^[a-z]+$(?!\\n)"},
        "recordings": {"type": "integer", "minimum": 1},
    },
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": [
        "dataset",
        "title",
        "version",
        "licence",
        "landing_page",
        "citation",
        "consent",
        "checksum_source",
        "files",
    ],
    "additionalProperties": False,
    "properties": {
        "dataset": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$(?!\\n)"},
        "title": {"type": "string", "minLength": 1},
        "version": {"type": "string", "minLength": 1},
        "licence": {"type": "string", "minLength": 1},
        "landing_page": {"type": "string", "pattern": "^https?://"},
        "citation": {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
        "consent": {"type": ["string", "null"], "minLength": 1},
        "adopt": {"type": "string", "minLength": 1},
        "base_url": {"type": ["string", "null"], "pattern": "^https?://.*/$"},
        "checksum_source": {"type": "string", "minLength": 1},
        "files": {"type": "array", "items": _FILE},
        "archives": {"type": "array", "items": _ARCHIVE},
    },
}


@dataclass(frozen=True)
class RegistryFile:
    """One published file: its path in the published layout, its address, and how to verify it."""

    path: str
    url: str | None
    bytes: int | None
    sha256: str | None


@dataclass(frozen=True)
class RegistryArchive(RegistryFile):
    """A published zip, and where the recordings in it belong.

    Attributes
    ----------
    part, label : str
        Folder and label of its recordings in the published layout.
    recordings : int
        How many recordings it holds.
    """

    part: str
    label: str
    recordings: int

    def holds(self, path: str) -> bool:
        """Tell whether a path in the published layout is that of one of its recordings."""
        return path.startswith(f"{self.part}/{self.label}_") and path.endswith(".wav")


@dataclass(frozen=True)
class Registry:
    """What a dataset consists of, and where it is published."""

    dataset: str
    title: str
    version: str
    licence: str
    landing_page: str
    citation: tuple[str, ...]
    consent: str | None
    adopt: str | None
    checksum_source: str
    files: tuple[RegistryFile, ...]
    archives: tuple[RegistryArchive, ...]

    @property
    def downloadable(self) -> bool:
        """Whether the publisher lets anybody fetch the files, with no agreement first."""
        return bool(self.files or self.archives)

    def usable(self, path: str) -> bool:
        """Tell whether a file in the published layout is one that the data consist of."""
        if self.archives:
            parts = {archive.part for archive in self.archives}
            return path.endswith(".wav") and path.split("/")[0] in parts
        if self.adopt is not None:
            # `match` compares from the right; the whole path is meant.
            deep = len(PurePosixPath(self.adopt).parts) == len(PurePosixPath(path).parts)
            return deep and PurePosixPath(path).match(self.adopt)
        return path in {file.path for file in self.files}

    def missing(self, paths: Iterable[str]) -> int:
        """Count the published files that are not among `paths`."""
        there = set(paths)
        lacking = sum(file.path not in there for file in self.files)
        for archive in self.archives:
            lacking += max(0, archive.recordings - sum(map(archive.holds, there)))
        return lacking

    def consent_text(self, folder: Path) -> str:
        """Say what to fetch, from where, and where to put it, for this `folder`."""
        return (self.consent or "").replace("{folder}", folder.as_posix())

    def found_version(self, folder: Path) -> str:
        """Give the version: the registry's, or the one that the folder found names."""
        if self.adopt is None:
            return self.version
        # cv-corpus-6.1-2020-12-11/es/validated.tsv: the publisher names the version in the folder.
        fixed = self.adopt.split("*")[0]
        tops = {path.relative_to(folder).parts[0] for path in folder.glob(self.adopt)}
        return ", ".join(sorted(top.removeprefix(fixed) for top in tops)) or self.version


def read_registry(path: str | Path) -> dict[str, Any]:
    """Read and check a registry file.

    Parameters
    ----------
    path : str or Path
        `resources/registry/{dataset}.yaml`.

    Raises
    ------
    HeldoutError
        The file is missing, is not YAML, or is not a registry.
    """
    value = read_yaml(path)
    parse_registry(value, where=str(path))
    return value


def parse_registry(value: Mapping[str, Any], *, where: str | None = None) -> Registry:
    """Check a parsed registry file and give it as a `Registry`.

    Parameters
    ----------
    value : mapping
        The content of `resources/registry/{dataset}.yaml`.
    where : str, optional
        What errors name.

    Raises
    ------
    HeldoutError
        A key is missing or unknown, a value is of the wrong form, a path leaves the dataset's
        folder, or two files have one path.
    """
    if where is None:
        name = value.get("dataset", "?") if isinstance(value, Mapping) else "?"
        where = f"registry of {name}"
    validator = jsonschema.Draft202012Validator(SCHEMA)
    error = jsonschema.exceptions.best_match(validator.iter_errors(value))
    if error is not None:
        place = "/".join(str(part) for part in error.absolute_path) or "top level"
        raise HeldoutError(
            f"{where}, {place}: {error.message}. Write it like the registry files that come with "
            "the project (resources/registry)."
        )
    base = value.get("base_url")
    files = tuple(RegistryFile(**_located(row, base, where)) for row in value["files"])
    archives = tuple(
        RegistryArchive(**_located(row, base, where)) for row in value.get("archives", [])
    )
    seen: set[str] = set()
    for row in (*files, *archives):
        if row.path in seen:
            raise HeldoutError(f"{where}: {row.path} is listed twice. Delete one of the two lines.")
        seen.add(row.path)
    simple = (
        "dataset",
        "title",
        "version",
        "licence",
        "landing_page",
        "consent",
        "checksum_source",
    )
    return Registry(
        **{key: value[key] for key in simple},
        citation=tuple(value["citation"]),
        adopt=value.get("adopt"),
        files=files,
        archives=archives,
    )


def _located(row: Mapping[str, Any], base: str | None, where: str) -> dict[str, Any]:
    """Check the path of a row and give it its address."""
    path = row["path"]
    parts = PurePosixPath(path).parts
    if (
        not safe_path(path)
        # Hidden names are the project's own and no part of a published layout.
        or any(part.startswith(".") for part in parts)
    ):
        raise HeldoutError(
            f"{where}: expected a path inside the dataset's folder, got {path!r}. "
            "Write it relative to the folder, with / between its parts."
        )
    url = row.get("url") or (urljoin(base, quote(path)) if base else None)
    return {**row, "url": url}


def wrong(file: RegistryFile, row: Mapping[str, Any]) -> str:
    """Say how `bytes` and `sha256` of a file differ from its entry; empty where they do not."""
    if file.bytes is not None and row["bytes"] != file.bytes:
        return f"expected {file.bytes:,} bytes, got {row['bytes']:,}"
    if file.sha256 is not None and row["sha256"] != file.sha256:
        return f"expected SHA-256 {file.sha256}, got {row['sha256']}"
    return ""
