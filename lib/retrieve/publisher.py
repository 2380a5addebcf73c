"""The source `download`: the publisher's server, copies of it, or what a person fetched by hand."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Any

from lib.datasets.registry import DATASETS
from lib.errors import HeldoutError
from lib.files import read_json, sha256, write_json
from lib.retrieve.archives import unpack
from lib.retrieve.download import Fetcher, Stopped, forget
from lib.retrieve.registry import Registry, RegistryArchive, RegistryFile, fault_of
from lib.retrieve.state import Listing, Place, fetched_row, files_in, listing, move

Put = Callable[[str, Path, str], None]  # path, a file with its content, its SHA-256


def download(place: Place, registry: Registry, *, fetcher: Fetcher) -> Listing:
    """Fetch what the folder lacks, or adopt what a person put there where consent is needed.

    Parameters
    ----------
    place : Place
        The dataset's folder.
    registry : Registry
        What the dataset consists of.
    fetcher : Fetcher
        What brings a file: from its publisher, or from copies of it.

    Raises
    ------
    HeldoutError
        A file cannot be fetched or is not what the registry says; the data need a person's
        consent and are not there; or a person put another file where one belongs.
    """
    place.enter()
    folder, consent = place.folder, registry.consent_text(place.link)
    registry.require_adopted(folder, shown=place.link)
    known = place.known(folder)
    paths = [path for path in files_in(folder) if not registry.excluded(path)]
    rows = listing(folder, paths, known=known, threads=fetcher.network.threads)
    parts = place.hidden / "parts"
    put = partial(_put, place, rows, threading.Lock())
    lacking = [file for file in registry.files if file.path not in rows]
    try:
        for file in registry.files:
            if file.path in rows and (fault := fault_of(file, rows[file.path])):
                _delete(place, file.path, rows.pop(file.path), fault)
                lacking.append(file)
        _fetch_all(fetcher, lacking, parts=parts, put=put)
        for archive in registry.archives:
            _archive(place, archive, fetcher, rows, put, registry=registry)
    except HeldoutError as error:
        if registry.consent is None:
            raise
        advice = f"{error.advice} Or: {consent}"
        raise HeldoutError(error.place, error.expected, error.got, advice) from error
    finally:
        # Also when it fails: what is verified need not be read again.
        place.remember(folder, rows)
    shutil.rmtree(parts, ignore_errors=True)
    return dict(sorted(rows.items()))


def _delete(place: Place, path: str, row: dict[str, Any], fault: tuple[str, str]) -> None:
    """Delete a wrong file, if it is as it was fetched: it is fetched again. A person's stays."""
    # Read once more: the listing may be hours old, and trusts sizes and times of change.
    if not row["fetched"] or sha256(place.folder / path) != row["sha256"]:
        raise HeldoutError(
            place.link / path,
            *fault,
            "It was put there by hand, or changed since it was fetched, and nothing overwrites it. "
            "Replace it by the published file, or move it away: then it is fetched.",
        )
    (place.folder / path).unlink()


def _put(
    place: Place, rows: Listing, lock: threading.Lock, path: str, file: Path, digest: str
) -> None:
    """Move a fetched file to its path, where nothing may be."""
    target = place.folder / path
    # A person may have put one there while this one came.
    if os.path.lexists(target):
        raise HeldoutError(
            place.link / path,
            "nothing there yet",
            "a file that appeared meanwhile",
            "Nothing overwrites it. Run again: it is verified.",
        )
    with lock:
        rows[path] = fetched_row(file, digest)
        # First, since a run may be killed at any moment: a file that nothing is known of is a
        # person's, and what is known of a file that is not there does no harm.
        place.remember(place.folder, rows)
    move(file, target)


def _fetch_all(fetcher: Fetcher, files: Sequence[RegistryFile], *, parts: Path, put: Put) -> None:
    """Fetch several files at a time; the first failure stops the others where they are."""

    def one(file: RegistryFile) -> None:
        if fetcher.stop.is_set():
            raise Stopped
        part = parts / f"{file.path}.part"
        put(file.path, part, fetcher.fetch(file, part))
        forget(part)

    with ThreadPoolExecutor(max(1, fetcher.network.threads)) as pool:
        tasks = [pool.submit(one, file) for file in files]
        try:
            for task in as_completed(tasks):
                task.result()
        except BaseException:
            fetcher.stop.set()
            for task in tasks:
                task.cancel()
            raise


def _layout(dataset: str, archive: RegistryArchive) -> Callable[[str], str | None]:
    """Say where the members of an archive belong."""
    known = DATASETS.get(dataset)
    if known is None or known.layout is None:
        return str
    return partial(known.layout, archive.holds)


def archive_info(place: Place) -> dict[str, dict[str, Any]]:
    """Read what is known of the archives that were unpacked into the folder, by name."""
    try:
        value = read_json(place.hidden / "archives.json")
    except HeldoutError:
        return {}
    known = isinstance(value, dict) and value.get("folder") == place.name_of(place.folder)
    return value["archives"] if known else {}


def _archive(
    place: Place,
    archive: RegistryArchive,
    fetcher: Fetcher,
    rows: Listing,
    put: Put,
    *,
    registry: Registry,
) -> None:
    """Fetch an archive and unpack it, unless its recordings are in place, or are excluded."""
    info, parts = archive_info(place).get(archive.path), place.hidden / "parts"
    have = {path: row["sha256"] for path, row in rows.items() if archive.has(path)}
    by_hand = sum(not rows[path]["fetched"] for path in have)
    aside = sum(map(archive.has, filter(registry.excluded, files_in(place.folder))))
    if info is None and by_hand + aside >= archive.recordings:
        return  # a person put the whole release there
    if info is not None:
        made = info["recordings"].items()
        if {(path, digest) for path, digest in made if not registry.excluded(path)} <= have.items():
            return
    # Kept out of the published layout, and kept: a recording that is lost comes from here again.
    packed = place.hidden / "archives" / archive.path
    if not packed.is_file():
        _fetch_all(fetcher, [archive], parts=parts, put=lambda _, file, __: move(file, packed))
    unpacked: dict[str, str] = {}

    def fault(path: str) -> tuple[str, str]:
        return f"SHA-256 {unpacked[path]}, as in {archive.path}", rows[path]["sha256"]

    def unpacked_to(path: str, file: Path) -> None:
        unpacked[path] = digest = sha256(file)
        if registry.excluded(path):
            return
        if path in rows and rows[path]["sha256"] != digest and rows[path]["fetched"]:
            _delete(place, path, rows[path], fault(path))
            del rows[path]
        if path not in rows:
            put(path, file, digest)

    try:
        layout = _layout(registry.dataset, archive)
        unpack(packed, layout=layout, place=unpacked_to, scratch=parts / "member.part")
    except HeldoutError:
        packed.unlink(missing_ok=True)
        raise
    if len(unpacked) < archive.recordings:
        packed.unlink(missing_ok=True)
        raise HeldoutError(
            archive.url or archive.path,
            f"{archive.recordings} recordings",
            f"{len(unpacked)}",
            "The publisher changed the archive.",
        )
    for path, digest in unpacked.items():
        if path in rows and rows[path]["sha256"] != digest:
            _delete(place, path, rows[path], fault(path))
    size, digest = packed.stat().st_size, sha256(packed)
    kept = {"bytes": size, "sha256": digest, "recordings": unpacked}
    value = {**archive_info(place), archive.path: kept}
    here = place.name_of(place.folder)
    write_json(place.hidden / "archives.json", {"folder": here, "archives": value})
