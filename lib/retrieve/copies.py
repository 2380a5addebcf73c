"""A mirror in a store, such as a bucket: its files come as copies that the workflow made."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lib.errors import HeldoutError
from lib.files import sha256
from lib.retrieve.download import Fetcher, Network, Report
from lib.retrieve.registry import RegistryFile, fault_of, parse_registry


def in_store(mirror: str | None) -> bool:
    """Tell whether a mirror is an address (`s3://…`), not a folder."""
    return mirror is not None and "://" in mirror


def provider(mirror: str) -> str:
    """Name the storage plugin of Snakemake that reads an address.

    Raises
    ------
    HeldoutError
        It is not installed.
    """
    scheme = mirror.split("://")[0]
    name = {"https": "http", "gs": "gcs"}.get(scheme, scheme)
    if find_spec(f"snakemake_storage_plugin_{name}") is not None:
        return name
    package = f"snakemake-storage-plugin-{name}"
    raise HeldoutError(
        f"mirror {mirror}",
        f"the package {package}",
        "not installed",
        f"If there is one for {scheme}://: python -m pip install {package}",
    )


def addresses(mirror: str, registry: Mapping[str, Any], *, exclude: Collection[str]) -> list[str]:
    """List the addresses of a dataset's files in a store: those that the publisher has.

    Parameters
    ----------
    mirror : str
        Address of the folder that holds `{dataset}/`, such as `s3://bucket/recordings`.
    registry : mapping
        Content of `resources/registry/{dataset}.yaml`.
    exclude : collection of str
        Recordings, by name, that are left out.

    Raises
    ------
    HeldoutError
        The registry lists no files, since the publisher gives them to each person alone.
    """
    entry = parse_registry(registry).without(exclude)
    if not entry.paths:
        raise HeldoutError(
            f"mirror {mirror}",
            f"a folder: which files {entry.title} has is listed nowhere",
            "an address",
            f"Copy {entry.dataset}/ into a folder, and set `mirror` to it.",
        )
    # An address of the web has no blanks; the name of an object may have some. The plugin `fs`
    # takes paths alone.
    form = quote if mirror.startswith(("http://", "https://")) else str
    mirror = mirror.removeprefix("fs://")
    return [f"{mirror.rstrip('/')}/{entry.dataset}/{form(path)}" for path in entry.paths]


class Copier(Fetcher):
    """Takes published files from copies, and verifies them as if they came from the publisher.

    Parameters
    ----------
    copies : mapping of str to str or Path
        The copy of each file, by its path in the published layout.
    network, report
        See `Fetcher`.
    """

    def __init__(self, copies: Mapping[str, str | Path], network: Network, report: Report) -> None:
        super().__init__(network, report)
        self.copies = {path: Path(copy) for path, copy in copies.items()}

    def fetch(self, file: RegistryFile, part: Path) -> str:
        """Copy a file to `part`, and return its SHA-256.

        Raises
        ------
        HeldoutError
            It is not the published one.
        """
        copy = self.copies[file.path]
        part.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(copy, part)
        size, digest = part.stat().st_size, sha256(part)
        if fault := fault_of(file, {"bytes": size, "sha256": digest}):
            part.unlink()
            raise HeldoutError(
                copy,
                *fault,
                "The copy in the mirror is damaged or of another version: replace it there, or "
                "exclude the recording (`recordings: {exclude: […]}` in the study).",
            )
        self.report(file.path, size, size)
        return digest
