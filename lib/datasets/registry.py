"""The datasets: what is in a folder, and how to read one recording of it."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import pandas as pd

from lib.datasets.common_voice import COMMON_VOICE
from lib.datasets.dataset import Dataset
from lib.datasets.ephnogram import EPHNOGRAM
from lib.datasets.five_voices import FIVE_VOICES
from lib.datasets.folder import FOLDER, PREFIX
from lib.datasets.heartbeat_sounds import HEARTBEAT_SOUNDS
from lib.datasets.mitdb import MITDB
from lib.datasets.signal import Signal
from lib.errors import HeldoutError, suggestion

DATASETS = MappingProxyType(
    {
        dataset.name: dataset
        for dataset in (
            COMMON_VOICE,
            EPHNOGRAM,
            FIVE_VOICES,
            HEARTBEAT_SOUNDS,
            MITDB,
        )
    }
)
"""The published datasets, by name."""


def get_dataset(dataset: str) -> Dataset:
    """Return the dataset of a name.

    Parameters
    ----------
    dataset : str
        A name in `DATASETS`, or `folder-{study}`, a person's own folder.

    Returns
    -------
    Dataset
        How its recordings are listed and read.

    Raises
    ------
    HeldoutError
        There is none of that name.

    Examples
    --------
    >>> get_dataset("mitdb").examples_have_labels
    True
    """
    if dataset.startswith(PREFIX):
        return FOLDER
    if dataset not in DATASETS:
        raise HeldoutError(
            "dataset", "a known one", repr(dataset), suggestion(dataset, list(DATASETS))
        )
    return DATASETS[dataset]


def recordings(dataset: str, folder: str | Path) -> pd.DataFrame:
    """List the recordings of a dataset in a folder; headers are read, samples are not.

    Parameters
    ----------
    dataset : str
        As for `get_dataset`.
    folder : str or Path
        Where the dataset lies, in the published layout.

    Returns
    -------
    pd.DataFrame
        Sorted by `recording`; the columns `lib.datasets.COLUMNS` (rate in Hz, duration in s), then
        the dataset's own.

    Raises
    ------
    HeldoutError
        The dataset is not known, the folder has no recording, a recording cannot be read, or two
        would have the same name.
    """
    return get_dataset(dataset).recordings(folder)


def read(dataset: str, path: str | Path) -> Signal:
    """Read one recording of a dataset.

    Parameters
    ----------
    dataset : str
        As for `get_dataset`.
    path : str or Path
        As in the column `path` of `recordings`.

    Returns
    -------
    Signal
        All of it.

    Raises
    ------
    HeldoutError
        The dataset is not known, or the recording is missing, truncated or not readable.
    """
    return get_dataset(dataset).read(path)
