"""What a dataset is: how its recordings are listed, and how one of them is read."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from lib.datasets.signal import Header, Signal, UndecodableError
from lib.errors import HeldoutError

COLUMNS = ("recording", "path", "label", "group", "split", "rate", "duration", "channels")
"""What every table of recordings begins with."""

ABOUT = ("age", "sex", "gender", "device", "position", "site", "set")
"""Columns by which scores are broken down, where a table of recordings has them."""


def stem(path: str) -> str:
    """Return the name of a file without its suffix."""
    return PurePosixPath(path).stem


def is_excluded(path: str, exclude: Collection[str]) -> bool:
    """Tell whether a recording within a folder is excluded, by name or with a folder above it.

    Examples
    --------
    >>> [is_excluded("bell/p0.hea", [one]) for one in ("bell/p0.hea", "bell/p0", "bell", "p0")]
    [True, True, True, False]
    """
    if not exclude:
        return False
    names = (path, path.removesuffix(PurePosixPath(path).suffix))
    return any(name in exclude for name in (*names, *map(str, PurePosixPath(path).parents)))


@dataclass(frozen=True)
class Dataset:
    """A published corpus, or a person's own folder.

    Parameters
    ----------
    name : str
        As studies, registries of files and simulators call it.
    listing : callable
        Takes the folder of the dataset, and the names of recordings that it does not read; returns
        a table with a `row` for each other recording, made from headers alone.
    read : callable
        Takes the path of one recording, and perhaps options; returns its `Signal`.
    examples_have_labels : bool or None
        Whether each example has a label of its own, as beats have, rather than that of its
        recording. None where the table itself says it: no recording has a label.
    layout : callable, optional
        Where a corpus is published as zip files that name recordings otherwise than its layout
        does. Takes what an archive `holds` (a pattern in the registry) and the name of a member;
        returns the path in the layout, or None for what is no part of it. Members keep their paths
        without it.
    recording_of : callable
        Takes the path of a file in the layout; returns the name of the recording that it is of.
    """

    name: str
    listing: Callable[[str | Path, Collection[str]], pd.DataFrame]
    read: Callable[..., Signal]
    examples_have_labels: bool | None = False
    layout: Callable[[str, str], str | None] | None = None
    recording_of: Callable[[str], str] = stem

    def recordings(
        self, folder: str | Path, *, exclude: Collection[str] = (), undecodable: bool = False
    ) -> pd.DataFrame:
        """List the recordings in a folder; see `lib.datasets.registry.recordings`.

        Nothing is read of those that `exclude` names. With `undecodable`, a file of which `row`
        could not read the header is listed too.
        """
        table = self.listing(folder, exclude)
        if not table.empty:
            table = table[~table["recording"].isin(list(exclude))]
        if table.empty:
            raise HeldoutError(
                folder,
                f"recordings of {self.name} in the published layout",
                "none",
                "Retrieve the dataset, check the folder, or exclude less.",
            )
        faults = [] if "fault" not in table else table.pop("fault").dropna().tolist()
        if faults and not undecodable:
            raise faults[0]
        twice = table.loc[table["recording"].duplicated(keep=False)]
        if len(twice):
            raise HeldoutError(
                folder,
                "one file for each recording",
                f"{len(twice)} that share a name: {', '.join(twice['path'].head(4))}",
                "Delete the copies.",
            )
        table = table.sort_values("recording", ignore_index=True)
        return table[[*COLUMNS, *(name for name in table.columns if name not in COLUMNS)]]


def row(
    path: Path,
    header: Header | Callable[[Path], Header],
    *,
    group: str,
    label: str = "",
    split: str = "",
    name: str = "",
    **own: Any,
) -> dict[str, Any]:
    """Describe a recording as a row of a table.

    Parameters
    ----------
    path : Path
        Of the recording.
    header : Header or callable
        Its rate (Hz), frames and channels, or what reads them from the path. A file that this
        cannot decode has a row too: without rate, duration and channels, and with its `fault`.
    group : str
        Who or what the recording comes from, and may never be in both train and test.
    label : str
        The dataset's own; empty where each example has its own.
    split : str
        The dataset's own part: train, validation, test, predict or empty.
    name : str
        The recording; the name of the file without its suffix where it is empty.
    **own
        Whatever else the dataset knows.

    Returns
    -------
    dict
        `COLUMNS`, then `fault`, and `own`.
    """
    fault = None
    if callable(header):
        try:
            header = header(path)
        except UndecodableError as error:
            header, fault = Header(float("nan"), 0, 0), error
    given = (name or path.stem, path.as_posix(), label, group, split)
    measured = (header.rate, header.duration, header.channels)
    return dict(zip(COLUMNS, given + measured, strict=True)) | {"fault": fault} | own
