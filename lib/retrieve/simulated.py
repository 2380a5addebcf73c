"""The source `simulated`: a small dataset made here, marked as such in its own folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib.errors import HeldoutError
from lib.files import read_json, write_json
from lib.provenance import code_hash
from lib.retrieve.state import MARKER, Listing, Place, files_in, listing, read_listing
from lib.simulate.simulator import simulate

DEFAULTS: dict[str, Any] = {"seed": 0, "scale": 1.0}


def simulated(place: Place, *, simulation: Mapping[str, Any] | None) -> Listing:
    """Make the dataset, unless it is there as these settings make it.

    Parameters
    ----------
    place : Place
        Of the dataset.
    simulation : mapping, optional
        `seed` and `scale`, see `lib.simulate.simulate`.

    Raises
    ------
    HeldoutError
        A setting is unknown, a person's files are in the way, or the simulator wrote nothing.
    """
    dataset = place.link.name
    settings = {**DEFAULTS, **(simulation or {})}
    unknown = sorted(set(settings) - set(DEFAULTS))
    if unknown:
        raise HeldoutError(
            f"simulation of {dataset}",
            " and ".join(DEFAULTS),
            ", ".join(unknown),
            "Correct the setting.",
        )
    place.require_link("a link to simulated data")
    # Other code makes other data.
    code = code_hash("lib.simulate", chosen={"lib.simulate": dataset})
    made_by = {**settings, "code": code}
    if not _is_there(place.folder, made_by):
        scratch = place.hidden / "simulating"
        shutil.rmtree(scratch, ignore_errors=True)
        fresh = scratch / dataset
        fresh.mkdir(parents=True)
        simulate(dataset, fresh, **settings)
        rows = listing(fresh, files_in(fresh), known={})
        if not rows:
            raise HeldoutError(
                dataset,
                "the simulator to write files",
                "none",
                "Report this as a fault of lib.simulate.",
            )
        write_json(fresh / MARKER, {"simulation": made_by, "files": rows})
        if place.folder.exists():
            # Whole or gone, never in part: then what is left would seem to be a person's.
            place.folder.rename(scratch / "old")
        fresh.rename(place.folder)
        shutil.rmtree(scratch, ignore_errors=True)
    place.enter()
    return read_listing(place.folder / MARKER)


def require_unmixed(folder: Path) -> None:
    """Check that nobody put recordings among simulated data, through the link perhaps.

    Raises
    ------
    HeldoutError
        A file is not as the simulator wrote it.
    """
    made = read_listing(folder / MARKER)
    paths = files_in(folder) if folder.exists() else []
    for path, row in listing(folder, paths, known=made).items():
        if row["sha256"] != made.get(path, {}).get("sha256"):
            raise HeldoutError(
                folder,
                "simulated data only",
                f"other files among them (first: {path})",
                f"Move what is yours elsewhere, delete {folder}, and run again.",
            )


def _is_there(folder: Path, made_by: Mapping[str, Any]) -> bool:
    """Tell whether all that these settings make is in the folder."""
    if not folder.exists():
        return False
    require_unmixed(folder)
    if not (folder / MARKER).exists():
        return False
    made = read_json(folder / MARKER)
    return made["simulation"] == made_by and set(made["files"]) == set(files_in(folder))
