"""The source `mirror`: a folder with copies in the published layout, complete or not."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lib.errors import HeldoutError
from lib.files import sha256
from lib.retrieve.download import Report
from lib.retrieve.registry import Registry, RegistryFile, wrong
from lib.retrieve.state import MARKER, Place, files_in, listing, place, row_of


def mirrored(
    where: Place, registry: Registry, *, mirror: str | Path | None, report: Report, threads: int
) -> None:
    """Link or copy what a mirror has into the folder, verified.

    Raises
    ------
    HeldoutError
        There is no mirror, it has nothing of the dataset, or a file in it is not the published one.
    """
    root, found = _contents(where, registry, mirror)
    where.switch("mirror")
    entries = {file.path: file for file in registry.files}
    there = [path for path in sorted({*found, *entries}) if (where.folder / path).is_file()]
    rows = listing(where.folder, there, known=where.known("mirror"), threads=threads)
    for path in sorted(set(there) - set(found)):
        if wrong(entries[path], rows[path]):
            where.keep(path)
            del rows[path]
    lacking = []
    for path in found:
        if path in rows and _same(root / path, where.folder / path, rows[path], entries.get(path)):
            continue
        if path in rows:
            if (root / path).samefile(where.folder / path):
                # A second name of the mirror's own bytes: there is nothing to keep.
                (where.folder / path).unlink()
            else:
                where.keep(path)
            del rows[path]
        lacking.append(path)
    scratch = where.hidden / "taken"

    def take(path: str) -> tuple[str, dict[str, Any]]:
        part = scratch / path
        _link_or_copy(root / path, part)
        row = row_of(part, sha256(part))
        if path in entries and (fault := wrong(entries[path], row)):
            part.unlink()
            raise HeldoutError(
                f"{root / path}: {fault} (checksums: {registry.checksum_source}). The copy is "
                f"damaged or of another version than {registry.version}: replace it in the mirror, "
                "or delete it there to go on without it."
            )
        place(part, where.folder / path)
        report(path, row["bytes"], row["bytes"])
        return path, row

    try:
        with ThreadPoolExecutor(threads) as pool:
            for path, row in pool.map(take, lacking):
                rows[path] = row
    finally:
        # Also when it fails: what is verified need not be read again.
        where.remember("mirror", {**where.known("mirror"), **rows})
        shutil.rmtree(scratch, ignore_errors=True)


def _contents(
    where: Place, registry: Registry, mirror: str | Path | None
) -> tuple[Path, list[str]]:
    """Find the dataset in the mirror before anything in its folder is moved."""
    if mirror is None:
        raise HeldoutError(
            f"{registry.dataset}: expected a folder with copies for `source: mirror`, got none. "
            "Set `mirror` to it."
        )
    root = Path(mirror) / registry.dataset
    if not root.is_dir():
        raise HeldoutError(
            f"{root}: expected a folder with {registry.title}, got "
            f"{'a file' if root.exists() else 'none'}. Put the copies there in the published "
            f"layout ({registry.landing_page}), or set `mirror` to the folder that has them."
        )
    if where.folder.exists() and root.samefile(where.folder):
        raise HeldoutError(
            f"{root}: expected a mirror elsewhere, got the dataset's own folder. Set `source: "
            "download` to use what lies there."
        )
    if (root / MARKER).exists():
        raise HeldoutError(
            f"{root}: expected recordings, got simulated data. Set `source: simulated`, or set "
            "`mirror` to a folder with recordings."
        )
    found = files_in(root, follow=False)
    if not any(registry.usable(path) for path in found):
        example = (
            registry.files[0].path
            if registry.files
            else registry.adopt or f"{registry.archives[0].part}/*.wav"
        )
        raise HeldoutError(
            f"{root}: expected files of {registry.title} (such as {example}), got "
            f"{len(found)} other files. Put the copies there in the published layout."
        )
    return root, found


def _same(source: Path, target: Path, row: dict[str, Any], entry: RegistryFile | None) -> bool:
    """Tell whether a file in place needs nothing from the mirror."""
    if entry is not None and wrong(entry, row):
        return False
    if entry is not None and entry.sha256 is not None:
        return True
    status = source.stat()
    if status.st_size != row["bytes"]:
        return False
    if source.samefile(target) or status.st_mtime_ns == row["mtime_ns"]:
        return True
    return sha256(source) == row["sha256"]


def _link_or_copy(source: Path, part: Path) -> None:
    part.parent.mkdir(parents=True, exist_ok=True)
    part.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), part)
    except OSError:
        # Another disk, a file of another user, or a file system without hard links.
        shutil.copyfile(source, part)
        status = source.stat()
        os.utime(part, ns=(status.st_atime_ns, status.st_mtime_ns))
