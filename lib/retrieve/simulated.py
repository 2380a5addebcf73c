"""The source `simulated`: a small dataset made here, marked as such in its own folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib.errors import HeldoutError
from lib.files import read_json, write_json
from lib.provenance import code_hash
from lib.retrieve.state import MARKER, Place, files_in, listing, read_listing

DEFAULTS: dict[str, Any] = {"seed": 0, "scale": 1.0}


def simulated(where: Place, *, simulation: Mapping[str, Any] | None) -> None:
    """Make the dataset, unless the folder holds what these settings make.

    Parameters
    ----------
    where : Place
        The dataset's folder.
    simulation : mapping, optional
        `seed` and `scale`, see `lib.simulate.simulate`.

    Raises
    ------
    HeldoutError
        A setting is unknown, or the simulator wrote nothing.
    """
    # Here, since the simulators draw on signal libraries that the other sources do not need.
    import lib.simulate as simulator

    settings = {**DEFAULTS, **(simulation or {})}
    unknown = sorted(set(settings) - set(DEFAULTS))
    if unknown:
        raise HeldoutError(
            f"simulation of {where.dataset}: expected {' and '.join(DEFAULTS)}, got "
            f"{', '.join(unknown)}. Correct the setting."
        )
    # Other code makes other data.
    made_by = {
        **settings,
        "code": code_hash("lib.simulate", chosen={"lib.simulate": where.dataset}),
    }
    old = where.hidden / "replaced"
    shutil.rmtree(old, ignore_errors=True)
    if _ready(where, made_by, old):
        return
    scratch = where.hidden / "simulating"
    shutil.rmtree(scratch, ignore_errors=True)
    fresh = scratch / where.dataset
    fresh.mkdir(parents=True)
    simulator.simulate(where.dataset, fresh, **settings)
    rows = listing(fresh, files_in(fresh), known={})
    if not rows:
        raise HeldoutError(
            f"{where.dataset}: expected the simulator to write files, got none. "
            "Report this as a fault of lib.simulate."
        )
    write_json(fresh / MARKER, {"simulation": made_by, "files": rows})
    where.enter("simulated")
    where.remember("simulated", rows)
    fresh.rename(where.folder)
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _ready(where: Place, made_by: Mapping[str, Any], old: Path) -> bool:
    """Tell whether the folder, or the one put aside, is what is asked for; else clear the way."""
    for candidate in ("folder", "aside"):
        if candidate == "aside":
            if not where.aside("simulated").is_dir():
                return False
            where.enter("simulated")
            where.aside("simulated").rename(where.folder)
        if not where.present():
            continue
        try:
            origin = where.origin()
        except HeldoutError:
            origin = None  # mixed with files that a person put there
        if origin != "simulated":
            where.put_aside(origin or "kept")
            continue
        stated = read_listing(where.folder / MARKER)
        # Brought back: somebody may have touched it, so that all of it is read again.
        known = stated if candidate == "folder" else {}
        there = listing(where.folder, files_in(where.folder), known=known)
        sums = {path: row["sha256"] for path, row in there.items()}
        expected = {path: row["sha256"] for path, row in stated.items()}
        if sums == expected and _made_by(where) == made_by:
            return True
        if sums.items() <= expected.items():
            # All of it is the simulator's, of other settings or interrupted: it can be made again.
            shutil.rmtree(old, ignore_errors=True)
            where.folder.rename(old)
        else:
            where.put_aside("kept")
    return False


def _made_by(where: Place) -> Any:
    try:
        return read_json(where.folder / MARKER).get("simulation")
    except (HeldoutError, AttributeError):
        return None
