"""Shards: how many feature jobs a study has, and which recording is in which."""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from lib.errors import HeldoutError

# A job takes five seconds to start, and a clip of ten seconds 10 to 50 ms: most of a job is work.
RECORDINGS_PER_SHARD = 2000
# With fewer recordings there are smaller shards, so that some cores have something to do.
LEAST_RECORDINGS, FEW_SHARDS = 500, 8
LEAST, MOST = 1, 1000


def shards_for(count: int) -> int:
    """Choose the number of feature jobs of so many recordings.

    Parameters
    ----------
    count : int
        Recordings of a study.

    Returns
    -------
    int
        From `LEAST` to `MOST`.

    Examples
    --------
    >>> [shards_for(count) for count in (20, 600, 6000, 100_000, 10_000_000)]
    [1, 2, 8, 50, 1000]
    """
    few = min(FEW_SHARDS, math.ceil(count / LEAST_RECORDINGS))
    return min(MOST, max(LEAST, few, math.ceil(count / RECORDINGS_PER_SHARD)))


def shards_of(table: Iterable[str]) -> int:
    """Choose the number of shards of a `recordings.csv`, by its lines: one of them is the head."""
    return shards_for(sum(1 for _ in csv.reader(table)) - 1)


def address(name: str, shards: int) -> int:
    """Choose the shard of a recording: linear hashing (Litwin 1980).

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
    shard = number % round_
    return shard if shard < shards else number % (round_ // 2)


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
        raise HeldoutError("shards", "at least 1", str(shards), "Correct the config.")
    number = table["recording"].map(lambda name: address(str(name), shards)).to_numpy(dtype=int)
    groups: dict[Any, pd.DataFrame] = dict(iter(table.groupby(number, sort=False)))
    return [groups.get(shard, table.iloc[:0]).reset_index(drop=True) for shard in range(shards)]
