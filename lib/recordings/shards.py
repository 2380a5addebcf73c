"""Shards: how many feature jobs a study has, and which recording is in which."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from lib.datasets.files import recordings_below
from lib.datasets.folder import PREFIX
from lib.errors import HeldoutError

# A job takes five seconds to start, and a clip of ten seconds 10 to 50 ms: most of a job is work.
RECORDINGS_PER_SHARD = 2000
# With fewer recordings there are smaller shards, so that some cores have something to do.
LEAST_RECORDINGS, FEW_SHARDS = 500, 8
LEAST, MOST = 1, 1000
# Where nothing says beforehand how many recordings there will be.
UNKNOWN = 64
# Recordings that a simulator makes at scale 1: 45 to 260.
SIMULATED = 200


def shards_for(count: int | None) -> int:
    """Give the number of feature jobs of so many recordings; None where nobody knows.

    Examples
    --------
    >>> [shards_for(count) for count in (20, 600, 6000, 100_000, 10_000_000, None)]
    [1, 2, 8, 50, 1000, 64]
    """
    if count is None:
        return UNKNOWN
    few = min(FEW_SHARDS, math.ceil(count / LEAST_RECORDINGS))
    return min(MOST, max(LEAST, few, math.ceil(count / RECORDINGS_PER_SHARD)))


def expected_recordings(study: Mapping[str, Any], *, scale: float, registry: Path) -> int | None:
    """Say how many recordings a study will have, by what is known before anything has run.

    Every job of a run has to come to the same number, and so nothing is asked that a run makes.

    Parameters
    ----------
    study : mapping
        A resolved study.
    scale : float
        Of the simulation.
    registry : Path
        The folder of the registries.

    Returns
    -------
    int or None
        Files of a person's folder; what a registry lists; what a simulator makes, about; or None.
    """
    if study["dataset"].startswith(PREFIX):
        return len(recordings_below(study["folder"]["path"]))
    if study["simulated"]:
        return math.ceil(SIMULATED * scale)
    from lib.files import read_yaml

    known = read_yaml(registry / f"{study['dataset']}.yaml")
    archives = [int(archive.get("recordings") or 0) for archive in known.get("archives", [])]
    # The files of a WFDB record are one recording.
    names = {str(Path(file["path"]).with_suffix("")) for file in known["files"]}
    return sum(archives) + len(names) or None


def address(name: str, shards: int) -> int:
    """Give the shard of a recording: linear hashing (Litwin 1980).

    One shard more splits one shard in two and leaves the others as they are, where a remainder of
    the hash would deal every recording anew.

    Parameters
    ----------
    name : str
        The recording.
    shards : int
        How many there are.

    Examples
    --------
    >>> [address("100", shards) for shards in (1, 2, 3, 4, 8)]
    [0, 1, 1, 1, 5]
    """
    # Python's own hash differs from process to process.
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    round_ = 1 << (shards - 1).bit_length()
    found = number % round_
    return found if found < shards else number % (round_ // 2)


def deal(table: pd.DataFrame, shards: int) -> list[pd.DataFrame]:
    """Deal recordings to shards by their names.

    Parameters
    ----------
    table : pd.DataFrame
        A table of recordings.
    shards : int
        How many.

    Returns
    -------
    list of pd.DataFrame
        One for each shard, some perhaps empty, each in the order of `table`. Where a recording
        goes depends on its own name alone, so that one more changes one shard.

    Raises
    ------
    HeldoutError
        `shards` is below 1.
    """
    if shards < 1:
        raise HeldoutError(f"shards: expected at least 1, got {shards}. Correct the config.")
    number = table["recording"].map(lambda name: address(str(name), shards)).to_numpy(dtype=int)
    groups: dict[Any, pd.DataFrame] = dict(iter(table.groupby(number, sort=False)))
    return [groups.get(shard, table.iloc[:0]).reset_index(drop=True) for shard in range(shards)]
