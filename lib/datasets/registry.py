"""The datasets: what is in a folder, and how to read one recording of it."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import pandas as pd

from lib.datasets import common_voice, ephnogram, five_voices, heartbeat_sounds, mitdb
from lib.datasets import folder as own_folder
from lib.datasets.signal import Signal
from lib.errors import HeldoutError

DATASETS = MappingProxyType(
    {
        "common_voice": common_voice,
        "ephnogram": ephnogram,
        "five_voices": five_voices,
        "heartbeat_sounds": heartbeat_sounds,
        "mitdb": mitdb,
    }
)
"""The module of each dataset, by name."""

COLUMNS = ("recording", "path", "label", "group", "split", "rate", "duration", "channels")
"""What every table of recordings begins with."""


def dataset_module(dataset: str) -> ModuleType:
    """Give the module of a dataset; a person's own folder is called `folder-{study}`.

    Parameters
    ----------
    dataset : str
        A name in `DATASETS`, or that of a folder.

    Returns
    -------
    module
        With `recordings`, `read` and `EXAMPLES_HAVE_LABELS`, None where its table says it.

    Raises
    ------
    HeldoutError
        There is none of that name.

    Examples
    --------
    >>> dataset_module("mitdb").EXAMPLES_HAVE_LABELS
    True
    """
    if dataset.startswith(own_folder.PREFIX):
        return own_folder
    if dataset not in DATASETS:
        raise HeldoutError(
            f"dataset {dataset!r}: expected one of {', '.join(DATASETS)}. Correct the name."
        )
    return DATASETS[dataset]


def recordings(dataset: str, folder: str | Path, **options: Any) -> pd.DataFrame:
    """List the recordings of a dataset in a folder; headers are read, samples are not.

    Parameters
    ----------
    dataset : str
        A name in `DATASETS`.
    folder : str or Path
        Where the dataset lies, in the published layout.
    **options
        What the dataset's own `recordings` takes.

    Returns
    -------
    pd.DataFrame
        Sorted by `recording`; the columns `COLUMNS` (rate in Hz, duration in s), then the
        dataset's own.

    Raises
    ------
    HeldoutError
        The dataset is not known, an option is not one of its own, the folder has no recording, a
        recording cannot be read, or two would have the same name.
    """
    module = dataset_module(dataset)
    try:
        inspect.signature(module.recordings).bind(folder, **options)
    except TypeError as error:
        raise HeldoutError(
            f"{dataset}: {error}. Correct the options of the dataset: {options}."
        ) from error
    table = module.recordings(folder, **options)
    if table.empty:
        raise HeldoutError(
            f"{folder}: expected recordings of {dataset} in the published layout, got none. "
            "Retrieve the dataset, or check the folder."
        )
    twice = table.loc[table["recording"].duplicated(keep=False)]
    if len(twice):
        raise HeldoutError(
            f"{folder}: expected one file for each recording, got {len(twice)} that share a name: "
            f"{', '.join(twice['path'].head(4))}. Delete the copies."
        )
    table = table.sort_values("recording", ignore_index=True)
    return table[[*COLUMNS, *(name for name in table.columns if name not in COLUMNS)]]


def read(dataset: str, path: str | Path, **reading: Any) -> Signal:
    """Read one recording of a dataset.

    Parameters
    ----------
    dataset : str
        A name in `DATASETS`.
    path : str or Path
        As in the column `path` of `recordings`.
    **reading
        What the dataset's own `read` takes beside it.

    Returns
    -------
    Signal
        All of it.

    Raises
    ------
    HeldoutError
        The dataset is not known, or the recording is missing, truncated or not readable.
    """
    signal = dataset_module(dataset).read(path, **reading)
    assert isinstance(signal, Signal)
    return signal
