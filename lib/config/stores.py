"""Where the files of a mirror lie, in a folder or a store, and the results of a run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from lib.config.params import retrieval
from lib.config.settings import source_of
from lib.errors import HeldoutError
from lib.project import path_of
from lib.retrieve import addresses, in_store, provider, read_registry
from lib.retrieve.registry import parse_registry


def stored(settings: Mapping[str, Any]) -> tuple[str, dict[str, list[str]]]:
    """Name the storage plugin of a mirror that is no folder, and the addresses of its files.

    Returns
    -------
    plugin : str
        Empty where no dataset comes from a store.
    addresses : dict
        Of each dataset that comes from there.

    Raises
    ------
    HeldoutError
        The plugin is not installed, or which files a dataset has is listed nowhere.
    """
    mirror = settings["mirror"]
    if not in_store(mirror):
        return "", {}
    datasets = {study["dataset"] for study in settings["studies"].values()}
    copies = {}
    for dataset in sorted(datasets):
        if source_of(dataset, settings) == "mirror":
            registry = read_registry(path_of(f"resources/registry/{dataset}.yaml"))
            exclude = retrieval(settings, {"dataset": dataset})["exclude"]
            copies[dataset] = addresses(mirror, registry, exclude=exclude)
    return (provider(mirror) if copies else ""), copies


def require_mirror(settings: Mapping[str, Any]) -> None:
    """Raise HeldoutError where the mirror is to be a folder, and none is there.

    Asked when a run is planned: jobs elsewhere may train without it, and results be read.
    """
    mirror = settings["mirror"]
    if mirror and not in_store(mirror) and not Path(mirror).is_dir():
        raise HeldoutError(
            "mirror",
            "a folder, or an address such as s3://bucket/recordings",
            f"{mirror}, which is {'a file' if Path(mirror).exists() else 'not there'}",
            "Correct the path; `DATASET/` below it holds the files of each dataset.",
        )


def require_consent(settings: Mapping[str, Any], datasets: Collection[str]) -> None:
    """Raise where data that a person has to fetch are not there, before days of other work.

    Parameters
    ----------
    settings : mapping
        From `lib.config.settings.resolve`.
    datasets : collection of str
        Those that are about to be retrieved.

    Raises
    ------
    HeldoutError
        Says what to fetch, and how to run without it.
    """
    for dataset in sorted(datasets):
        if source_of(dataset, settings) != "download":
            continue
        studies = settings["studies"].items()
        others = [name for name, study in studies if study["dataset"] != dataset]
        registry = parse_registry(read_registry(path_of(f"resources/registry/{dataset}.yaml")))
        registry.require_adopted(
            Path("resources/data", dataset),
            more=f"Or run without it: --config studies={','.join(others)}" if others else "",
        )


def require_no_journal(settings: Mapping[str, Any]) -> None:
    """Raise where jobs hand on a file that no rule declares, and that a default storage lacks.

    Raises
    ------
    HeldoutError
        Names the first Bayesian search: its workers share a journal.
    """
    for study in settings["studies"].values():
        for name, asked in study["architectures"].items():
            if asked["method"] == "bayes":
                raise HeldoutError(
                    f"{study['name']}, {name}, method",
                    "grid or random, since jobs share no file system (default-storage-provider)",
                    "bayes, which keeps a journal in a file that its jobs share",
                    "Set method: random, or run on one file system.",
                )
