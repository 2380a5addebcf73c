"""Retrieve: bring a dataset into its folder in the published layout, verified, from any source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from lib.errors import HeldoutError
from lib.retrieve.download import Network
from lib.retrieve.mirror import mirrored
from lib.retrieve.progress import Progress
from lib.retrieve.publisher import archive_info, download
from lib.retrieve.registry import parse_registry
from lib.retrieve.simulated import simulated
from lib.retrieve.state import SOURCES, Place, files_in, listing


def retrieve(
    dataset: str,
    *,
    source: str,
    folder: str | Path,
    registry: Mapping[str, Any],
    mirror: str | Path | None = None,
    simulation: Mapping[str, Any] | None = None,
    progress: Callable[[str, int, int | None], None] | None = None,
    network: Network | None = None,
) -> dict[str, Any]:
    """Fill the folder of a dataset, or see that it is filled, and give its manifest.

    It may be interrupted at any moment and called again: it goes on, and ends the same. What a
    person put into the folder is adopted and verified; what is of another source, or not what it
    should be, is put aside under another name, never deleted or overwritten.

    Parameters
    ----------
    dataset : str
        Name of the dataset.
    source : {"simulated", "download", "mirror"}
        Where the files come from.
    folder : str or Path
        The dataset's folder, `resources/data/{dataset}`.
    registry : mapping
        Content of `resources/registry/{dataset}.yaml`.
    mirror : str or Path, optional
        For `mirror`: a folder that has `{dataset}/` in the published layout, complete or not.
    simulation : mapping, optional
        For `simulated`: `seed` (int) and `scale` (float).
    progress : callable, optional
        Called with a path, its bytes so far, and its bytes in all (None where unknown). Without
        it, a line is drawn on standard error where that is a terminal.
    network : Network, optional
        For `download`: patience and parallelism.

    Returns
    -------
    dict
        The manifest: `dataset`, `title`, `source`, `simulated`, `version`, `licence`,
        `landing_page`, `citation`, `files` (`path`, `bytes` and `sha256` of each, sorted),
        `missing` (how many published files are not there), and `archives` where recordings were
        unpacked from some.

    Raises
    ------
    HeldoutError
        The source or the registry is wrong, a file cannot be had or is not the published one, or
        a person's consent is needed first.
    """
    entry = parse_registry(registry)
    if entry.dataset != dataset:
        raise HeldoutError(
            f"{dataset}: expected its own registry file, got that of {entry.dataset}. "
            f"Give resources/registry/{dataset}.yaml."
        )
    if source not in SOURCES:
        raise HeldoutError(
            f"{dataset}: expected source {', '.join(SOURCES[:-1])} or {SOURCES[-1]}, got "
            f"{source!r}. Correct `source` in the config."
        )
    where = Place(dataset, Path(folder))
    network = network or Network()
    where.hidden.mkdir(parents=True, exist_ok=True)
    # Two workflows may share one folder of data: the second waits, and finds all of it in place.
    with FileLock(where.hidden / "lock"), Progress(dataset, callback=progress) as report:
        if source == "simulated":
            simulated(where, simulation=simulation)
        elif source == "mirror":
            mirrored(where, entry, mirror=mirror, report=report, threads=network.threads)
        else:
            download(where, entry, network=network, report=report)
        rows = listing(
            where.folder, files_in(where.folder), known=where.known(source), threads=network.threads
        )
        where.remember(source, rows)
        manifest = {
            "dataset": dataset,
            "title": entry.title,
            "source": source,
            "simulated": source == "simulated",
            "version": entry.found_version(where.folder),
            "licence": entry.licence,
            "landing_page": entry.landing_page,
            "citation": list(entry.citation),
            "files": [
                {"path": path, "bytes": row["bytes"], "sha256": row["sha256"]}
                for path, row in rows.items()
            ],
            "missing": 0 if source == "simulated" else entry.missing(rows),
        }
        fetched = archive_info(where) if source == "download" else {}
        if fetched:
            manifest["archives"] = [
                {"path": path, "bytes": info["bytes"], "sha256": info["sha256"]}
                for path, info in sorted(fetched.items())
            ]
    return manifest
