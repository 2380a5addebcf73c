"""The registry: what a dataset consists of, where it is published, and how it is recognised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, urljoin

import jsonschema

from lib.datasets.registry import DATASETS
from lib.errors import HeldoutError
from lib.files import read_yaml, safe_path


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
    holds : str
        A pattern of the paths of its recordings in the published layout.
    recordings : int
        How many recordings it holds.
    """

    holds: str
    recordings: int

    def has(self, path: str) -> bool:
        """Tell whether a path in the published layout is that of one of its recordings."""
        return _matches(path, self.holds)


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
    checksum_source: str
    files: tuple[RegistryFile, ...]
    archives: tuple[RegistryArchive, ...]
    adopt: str | None = None
    exclude: frozenset[str] = frozenset()

    def without(self, exclude: Iterable[str]) -> Registry:
        """Return a registry of the same files, but for those of some recordings."""
        names = frozenset(exclude)
        files = tuple(file for file in self.files if self._recording(file.path) not in names)
        return replace(self, files=files, exclude=names)

    def excluded(self, path: str) -> bool:
        """Tell whether a file in the published layout is of a recording that is excluded."""
        return bool(self.exclude) and self._recording(path) in self.exclude

    @property
    def recordings(self) -> list[str]:
        """The names of its recordings; none where the publisher lists no single files."""
        listed = () if self.archives or self.adopt else (file.path for file in self.files)
        return sorted({self._recording(path) for path in listed if PurePosixPath(path).suffix})

    def _recording(self, path: str) -> str:
        known = DATASETS.get(self.dataset)
        return known.recording_of(path) if known else PurePosixPath(path).stem

    @property
    def paths(self) -> tuple[str, ...]:
        """What the publisher lets anybody fetch: files in the published layout, and archives."""
        return tuple(file.path for file in (*self.files, *self.archives))

    @property
    def downloadable(self) -> bool:
        """Whether the publisher lets anybody fetch the files, with no agreement first."""
        return bool(self.files or self.archives)

    def usable(self, path: str) -> bool:
        """Tell whether a file in the published layout is one that the data consist of."""
        if self.archives:
            return any(archive.has(path) for archive in self.archives)
        if self.adopt is not None:
            return _matches(path, self.adopt)
        return path in {file.path for file in self.files}

    def missing(self, paths: Iterable[str]) -> int:
        """Count the published files that are not among `paths`."""
        there = set(paths)
        lacking = sum(file.path not in there for file in self.files)
        for archive in self.archives:
            lacking += max(0, archive.recordings - sum(map(archive.has, there)))
        return lacking

    def require_adopted(self, folder: Path, *, shown: Path | None = None, more: str = "") -> None:
        """Raise where a person has to fetch the data, and has put none into this folder.

        Parameters
        ----------
        folder : Path
            Where they are to be.
        shown : Path, optional
            What the error calls it.
        more : str
            What else to do, at the end of the advice.
        """
        if not self.downloadable and not any(folder.glob(self.adopt or "*")):
            at, what = shown or folder, f"{self.title} ({self.adopt})"
            raise HeldoutError(at, what, "none", f"{self.consent_text(at)} {more}".rstrip())

    def consent_text(self, folder: Path) -> str:
        """Say what to fetch, from where, and where to put it, for this `folder`."""
        return (self.consent or "").replace("{folder}", folder.as_posix())

    def version_in(self, folder: Path) -> str:
        """Name the version: the registry's, or the one that the folder of a corpus names."""
        if self.adopt is None:
            return self.version
        # cv-corpus-6.1-2020-12-11/es/validated.tsv: the publisher names the version in the folder.
        fixed = self.adopt.split("*")[0]
        tops = {path.relative_to(folder).parts[0] for path in folder.glob(self.adopt)}
        return ", ".join(sorted(top.removeprefix(fixed) for top in tops)) or self.version


def _matches(path: str, pattern: str) -> bool:
    # `match` compares from the right; the whole path is meant.
    deep = len(PurePosixPath(pattern).parts) == len(PurePosixPath(path).parts)
    return deep and PurePosixPath(path).match(pattern)


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
    """Check a parsed registry file.

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
    schema = read_yaml(Path(__file__).with_name("registry.schema.yaml"))
    errors = jsonschema.Draft202012Validator(schema).iter_errors(value)
    error = jsonschema.exceptions.best_match(errors)
    if error is not None:
        key = "/".join(str(part) for part in error.absolute_path) or "top level"
        raise HeldoutError(
            f"{where}, {key}: {error.message}",
            advice="Write it like the registry files that come with the project "
            "(resources/registry).",
        )
    base = value.get("base_url")
    files = [RegistryFile(**_located(row, base, where)) for row in value["files"]]
    archives = [RegistryArchive(**_located(row, base, where)) for row in value.get("archives", [])]
    for path, count in Counter(row.path for row in (*files, *archives)).items():
        if count > 1:
            raise HeldoutError(
                f"{where}: {path} is listed twice", advice="Delete one of the two lines."
            )
    lists = {"citation": value["citation"], "files": files, "archives": archives}
    rest: dict[str, Any] = {key: value[key] for key in value if key not in (*lists, "base_url")}
    return Registry(**rest | {key: tuple(items) for key, items in lists.items()})


def _located(row: Mapping[str, Any], base: str | None, where: str) -> dict[str, Any]:
    """Check the path of a row and complete it with its address."""
    path = row["path"]
    # Hidden names are the project's own and no part of a published layout.
    hidden = any(part.startswith(".") for part in PurePosixPath(path).parts)
    if hidden or not safe_path(path):
        raise HeldoutError(
            where,
            "a path inside the dataset's folder",
            repr(path),
            "Write it relative to the folder, with / between its parts.",
        )
    url = row.get("url") or (urljoin(base, quote(path)) if base else None)
    return {**row, "url": url}


def fault_of(file: RegistryFile, row: Mapping[str, Any]) -> tuple[str, str] | None:
    """Say which size or SHA-256 was expected of a file, and which it has, if they differ."""
    if file.bytes is not None and row["bytes"] != file.bytes:
        return f"{file.bytes:,} bytes", f"{row['bytes']:,}"
    if file.sha256 is not None and row["sha256"] != file.sha256:
        return f"SHA-256 {file.sha256}", row["sha256"]
    return None
