"""The source `download`: the publisher's server, or what a person fetched from it by hand."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from lib.errors import HeldoutError
from lib.files import read_json, sha256, write_json
from lib.retrieve.archives import heart_sounds_layout, unpack
from lib.retrieve.download import Fetcher, Network, Report, Stopped, forget
from lib.retrieve.registry import Registry, RegistryArchive, RegistryFile, fault_of
from lib.retrieve.state import Listing, Place, fetched_row, files_in, listing, move


def download(place: Place, registry: Registry, *, network: Network, report: Report) -> Listing:
    """Fetch what the folder lacks, or adopt what a person put there where consent is needed.

    Raises
    ------
    HeldoutError
        A file cannot be fetched or is not what the registry says; the data need a person's
        consent and are not there; or a person put another file where one belongs.
    """
    place.enter()
    folder, consent = place.folder, registry.consent_text(place.link)
    if not registry.downloadable and not any(folder.glob(registry.adopt or "*")):
        raise HeldoutError(place.link, f"{registry.title} ({registry.adopt})", "none", consent)
    rows = listing(folder, files_in(folder), known=place.known(), threads=network.threads)
    fetcher, parts = Fetcher(network, report), place.hidden / "parts"
    lacking = [file for file in registry.files if file.path not in rows]
    try:
        for file in registry.files:
            if file.path in rows and (fault := fault_of(file, rows[file.path])):
                _reject(place, file.path, rows.pop(file.path), fault)
                lacking.append(file)
        _fetch_all(fetcher, lacking, parts=parts, to=folder, rows=rows)
        for archive in registry.archives:
            _archive(place, archive, fetcher, rows)
    except HeldoutError as error:
        if registry.consent is None:
            raise
        advice = f"{error.advice} Or: {consent}"
        raise HeldoutError(error.place, error.expected, error.got, advice) from error
    finally:
        # Also when it fails: what is verified need not be read again.
        place.remember(rows)
    shutil.rmtree(parts, ignore_errors=True)
    return dict(sorted(rows.items()))


def _reject(place: Place, path: str, row: dict[str, Any], fault: tuple[str, str]) -> None:
    """Delete a wrong file that was fetched: it is fetched again. A person's is an error."""
    if not row["fetched"]:
        raise HeldoutError(
            place.link / path,
            *fault,
            "It was put there by hand, and nothing overwrites it. Replace it by the published "
            "file, or move it away: then it is fetched.",
        )
    (place.folder / path).unlink()


def _fetch_all(
    fetcher: Fetcher, files: Sequence[RegistryFile], *, parts: Path, to: Path, rows: Listing
) -> None:
    """Fetch several files at a time; the first failure stops the others where they are."""

    def one(file: RegistryFile) -> None:
        if fetcher.stop.is_set():
            raise Stopped
        part = parts / f"{file.path}.part"
        row = fetched_row(part, fetcher.fetch(file, part))
        move(part, to / file.path)
        forget(part)
        rows[file.path] = row

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


def archive_info(place: Place) -> dict[str, dict[str, Any]]:
    """Read what is known of the archives that were fetched, by name."""
    try:
        value = read_json(place.hidden / "archives.json")
    except HeldoutError:
        return {}
    return value if isinstance(value, dict) else {}


def _archive(place: Place, archive: RegistryArchive, fetcher: Fetcher, rows: Listing) -> None:
    """Fetch an archive and unpack it, unless its recordings are in place."""
    info, parts = archive_info(place).get(archive.path), place.hidden / "parts"
    have = {path: row["sha256"] for path, row in rows.items() if archive.holds(path)}
    by_hand = sum(not rows[path]["fetched"] for path in have)
    if info is None and by_hand >= archive.recordings:
        return  # a person put the whole release there
    if info is not None and info["recordings"].items() <= have.items():
        return
    # Kept out of the published layout, and kept: a recording that is lost comes from here again.
    packed = place.hidden / "archives" / archive.path
    if not packed.is_file():
        _fetch_all(fetcher, [archive], parts=parts, to=packed.parent, rows={})
    unpacked: dict[str, str] = {}

    def put(path: str, file: Path) -> None:
        unpacked[path] = digest = sha256(file)
        # What a person put there is not overwritten.
        if path not in have or (have[path] != digest and rows[path]["fetched"]):
            row = fetched_row(file, digest)
            move(file, place.folder / path)
            rows[path] = row

    layout, scratch = heart_sounds_layout(archive), parts / "member.part"
    try:
        unpack(packed, layout=layout, place=put, scratch=scratch)
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
        if rows[path]["sha256"] != digest:
            fault = (f"SHA-256 {digest}, as in {archive.path}", have[path])
            _reject(place, path, rows[path], fault)
    size, digest = packed.stat().st_size, sha256(packed)
    kept = {"bytes": size, "sha256": digest, "recordings": unpacked}
    write_json(place.hidden / "archives.json", {**archive_info(place), archive.path: kept})
