"""Retrieve: bring a dataset into its folder in the published layout, verified, from any source."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock
from tqdm import tqdm

from lib.errors import HeldoutError
from lib.retrieve.copies import Copier
from lib.retrieve.download import Fetcher, Network, Report
from lib.retrieve.mirror import mirrored
from lib.retrieve.publisher import archive_info, download
from lib.retrieve.registry import parse_registry
from lib.retrieve.simulated import require_unmixed, simulated
from lib.retrieve.state import SOURCES, Place


def retrieve(
    dataset: str,
    *,
    source: str,
    folder: str | Path,
    registry: Mapping[str, Any],
    mirror: str | Path | None = None,
    simulation: Mapping[str, Any] | None = None,
    copies: Sequence[str | Path] | None = None,
    exclude: Collection[str] = (),
    progress: Report | None = None,
    network: Network | None = None,
) -> dict[str, Any]:
    """Fill the folder of a dataset, or see that it is filled, and return its manifest.

    It may be interrupted at any moment and called again: it goes on, and ends the same. Each source
    has a folder of its own, to which `folder` is a link. What a person put there is adopted and
    verified, and never deleted or overwritten.

    Parameters
    ----------
    dataset : str
        Name of the dataset.
    source : {"simulated", "download", "mirror"}
        Where the files come from.
    folder : str or Path
        The dataset's folder, `resources/data/{dataset}`: a link, or what a person put in its place.
    registry : mapping
        Content of `resources/registry/{dataset}.yaml`.
    mirror : str or Path, optional
        For `mirror`: a folder that has `{dataset}/` in the published layout, complete or not; or
        the address of such a folder in a store, whose files are `copies`.
    copies : sequence of str or Path, optional
        For a `mirror` that is an address: the local copies of its files, in the order of
        `addresses` of `lib.retrieve`. What they hold is verified and copied, and may go
        away afterwards.
    simulation : mapping, optional
        For `simulated`: `seed` (int) and `scale` (float).
    exclude : collection of str
        Recordings, by name, that are neither fetched nor verified, nor in the manifest. Simulated
        data are made whole.
    progress : callable, optional
        Called with a path, its bytes so far, and its bytes in all (None where unknown). Without
        it, a bar is drawn on standard error where that is a terminal.
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
        The source or the registry is wrong, a file cannot be had or is not the published one, a
        person's consent is needed first, or a person's files are in the way.
    """
    entry = parse_registry(registry)
    if entry.dataset != dataset:
        raise HeldoutError(
            dataset,
            "its own registry file",
            f"that of {entry.dataset}",
            f"Take resources/registry/{dataset}.yaml.",
        )
    if source not in SOURCES:
        raise HeldoutError(
            dataset,
            f"source {', '.join(SOURCES[:-1])} or {SOURCES[-1]}",
            repr(source),
            "Correct `source` in the config.",
        )
    entry = entry.without(exclude)
    folder = Path(folder)
    fetcher: Callable[[Network, Report], Fetcher]
    if copies is None:
        at, fetcher = source, Fetcher
    else:
        # What a store holds is what the publisher gave, and lies where that lies.
        at = "download"
        fetcher = partial(Copier, dict(zip(entry.paths, copies, strict=True)))
    hidden = Place(folder, at, by_hand=False).hidden
    hidden.mkdir(parents=True, exist_ok=True)
    # Two workflows may share one folder of data, if they take it from one source, since the link
    # leads to one: the second waits, and finds all of it in place.
    with FileLock(hidden / "lock"), _reporting(dataset, progress) as report:
        place = Place.at(folder, at)
        if source != "simulated" and not place.by_hand:
            # Whoever unpacked recordings into `folder` did so through its link, perhaps into these.
            require_unmixed(hidden / "simulated")
        if source == "simulated":
            rows = simulated(place, simulation=simulation)
        elif at == "mirror":
            rows = mirrored(place, entry, mirror=mirror)
        else:
            rows = download(place, entry, fetcher=fetcher(network or Network(), report))
        manifest = {
            "dataset": dataset,
            "title": entry.title,
            "source": source,
            "simulated": source == "simulated",
            "version": entry.version_in(place.folder),
            "licence": entry.licence,
            "landing_page": entry.landing_page,
            "citation": list(entry.citation),
            "files": _files(rows),
            "missing": 0 if source == "simulated" else entry.missing(rows),
        }
        fetched = archive_info(place) if at == "download" else {}
        if fetched:
            manifest["archives"] = _files(dict(sorted(fetched.items())))
    return manifest


def _files(rows: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"path": path, **{key: row[key] for key in ("bytes", "sha256")}}
        for path, row in rows.items()
    ]


@contextmanager
def _reporting(dataset: str, callback: Report | None) -> Iterator[Report]:
    """Tell a callback how many bytes have come, or a terminal; safe to call from threads."""
    lock, sizes = threading.Lock(), dict[str, int]()
    # None: no bar where standard error is no terminal.
    hide = None if callback is None else True
    with tqdm(desc=dataset, unit="B", unit_scale=True, leave=False, disable=hide) as bar:

        def report(path: str, done: int, total: int | None) -> None:
            with lock:
                if callback is not None:
                    callback(path, done, total)
                bar.update(done - sizes.get(path, 0))
                sizes[path] = done

        yield report
