"""Five voices: short stereo `.au` clips of five speakers, in parts made by the publisher."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from lib.datasets.audio import read_audio, read_header
from lib.datasets.dataset import Dataset, row, stem

_PARTS = {
    "gtzan/_train": "train",
    "gtzan/_validation": "validation",
    "gtzan/_test": "test",
    "audio": "predict",
}


def recordings(folder: str | Path, exclude: Collection[str] = ()) -> pd.DataFrame:
    """List the clips of the four folders; the speaker is the name up to the first dot.

    Speakers are the classes here, so they cannot be the groups: each clip is its own group.

    Parameters
    ----------
    folder : str or Path
        The folder that holds `gtzan` and `audio`.
    exclude : collection of str
        Recordings, by name, of which nothing is read.

    Returns
    -------
    pd.DataFrame
        The columns of `lib.datasets`. `split` is `predict` for the clips in `audio`.
    """
    rows = []
    for inner, part in _PARTS.items():
        for path in sorted((Path(folder) / inner).glob("[!.]*.au")):
            name = recording_of(f"{inner}/{path.name}")
            if name in exclude:
                continue
            speaker = path.name.partition(".")[0].strip()
            rows.append(row(path, read_header, name=name, label=speaker, group=name, split=part))
    return pd.DataFrame(rows)


def recording_of(path: str) -> str:
    """Name the recording of a file in the published layout."""
    folder, _, name = path.rpartition("/")
    # One published name has a blank before its suffix, which no table or folder wants.
    return f"{_PARTS.get(folder, folder)}-{'_'.join(stem(name).split())}"


FIVE_VOICES = Dataset("five_voices", recordings, read_audio, recording_of=recording_of)
