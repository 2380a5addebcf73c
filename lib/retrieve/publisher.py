"""The source `download`: the publisher's server, or what a person fetched from it by hand."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from lib.errors import HeldoutError
from lib.files import read_json, sha256, write_json
from lib.retrieve.archives import heart_sounds_layout, unpack
from lib.retrieve.download import Network, Report, Stopped, fetch, forget, session
from lib.retrieve.registry import Registry, RegistryArchive, RegistryFile, wrong
from lib.retrieve.state import Listing, Place, files_in, listing, place, row_of


def download(where: Place, registry: Registry, *, network: Network, report: Report) -> None:
    """Fetch what the folder lacks, or adopt what a person put there where consent is needed.

    Raises
    ------
    HeldoutError
        A file cannot be fetched or is not what the registry says; or the data need a person's
        consent and are not there.
    """
    where.switch("download")
    if not registry.downloadable:
        if registry.adopt is None or not any(where.folder.glob(registry.adopt)):
            raise HeldoutError(
                f"{where.folder}: expected {registry.title} ({registry.adopt}), got none. "
                f"{registry.consent_text(where.folder)}"
            )
        return
    there = [file.path for file in registry.files if (where.folder / file.path).is_file()]
    rows = listing(where.folder, there, known=where.known("download"))
    lacking = []
    for file in registry.files:
        if file.path in rows and wrong(file, rows[file.path]):
            where.keep(file.path)
            del rows[file.path]
        if file.path not in rows:
            lacking.append(file)
    try:
        _fetch_all(
            lacking,
            to=where.folder,
            parts=where.hidden / "parts",
            rows=rows,
            network=network,
            report=report,
        )
        for archive in registry.archives:
            _archive(where, archive, rows=rows, network=network, report=report)
    except HeldoutError as error:
        if registry.consent is None:
            raise
        raise HeldoutError(f"{error} Or: {registry.consent_text(where.folder)}") from error
    finally:
        # Also when it fails: what is verified need not be read again.
        if rows:
            where.remember("download", {**where.known("download"), **rows})
    shutil.rmtree(where.hidden / "parts", ignore_errors=True)


def _fetch_all(
    files: Sequence[RegistryFile],
    *,
    to: Path,
    parts: Path,
    rows: Listing,
    network: Network,
    report: Report,
) -> None:
    """Fetch several files at a time; the first failure stops the others where they are."""
    stop = threading.Event()
    local = threading.local()

    def one(file: RegistryFile) -> tuple[str, dict[str, Any]]:
        if stop.is_set():
            raise Stopped
        if not hasattr(local, "http"):
            local.http = session()  # a session is not made to be shared between threads
        part = parts / f"{file.path}.part"
        digest = fetch(file, part=part, http=local.http, network=network, report=report, stop=stop)
        row = row_of(part, digest)
        place(part, to / file.path)
        forget(part)
        return file.path, row

    with ThreadPoolExecutor(max(1, network.threads)) as pool:
        tasks = [pool.submit(one, file) for file in files]
        try:
            for task in as_completed(tasks):
                path, row = task.result()
                rows[path] = row
        except BaseException:
            stop.set()
            for task in tasks:
                task.cancel()
            raise


def archive_info(where: Place) -> dict[str, dict[str, Any]]:
    """Give what is known of the archives that were fetched, by name."""
    try:
        value = read_json(where.hidden / "archives.json")
    except HeldoutError:
        return {}
    return value if isinstance(value, dict) else {}


def _archive(
    where: Place, archive: RegistryArchive, *, rows: Listing, network: Network, report: Report
) -> None:
    """Fetch an archive and unpack it, unless its recordings are in place."""
    info = archive_info(where).get(archive.path)
    found = files_in(where.folder) if where.folder.is_dir() else []
    ours = [path for path in found if archive.holds(path)]
    have = listing(where.folder, ours, known={**where.known("download"), **rows})
    rows.update(have)
    if info is None and len(ours) >= archive.recordings:
        return  # a person put the whole release there
    if info is not None and all(
        have.get(path, {}).get("sha256") == digest for path, digest in info["recordings"].items()
    ):
        return
    # Kept out of the published layout, and kept: a recording that is lost comes from here again.
    shelf = where.hidden / "archives"
    packed = shelf / archive.path
    if not packed.is_file():
        _fetch_all(
            [archive],
            to=shelf,
            parts=where.hidden / "parts",
            rows={},
            network=network,
            report=report,
        )
    try:
        taken: dict[str, str] = {}

        def put(path: str, file: Path) -> None:
            taken[path] = sha256(file)
            row = row_of(file, taken[path])
            if path in have and have[path]["sha256"] == taken[path]:
                return
            if (where.folder / path).exists():
                where.keep(path)
            place(file, where.folder / path)
            rows[path] = row

        unpack(
            packed,
            layout=heart_sounds_layout(archive),
            place=put,
            scratch=where.hidden / "parts" / "member.part",
        )
    except HeldoutError:
        packed.unlink(missing_ok=True)
        raise
    if len(taken) < archive.recordings:
        packed.unlink(missing_ok=True)
        raise HeldoutError(
            f"{archive.url}: expected {archive.recordings} recordings, got {len(taken)}. The "
            "publisher changed the archive."
        )
    write_json(
        where.hidden / "archives.json",
        {
            **archive_info(where),
            archive.path: {
                "bytes": packed.stat().st_size,
                "sha256": sha256(packed),
                "recordings": taken,
            },
        },
    )
