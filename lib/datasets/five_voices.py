"""Five voices: short stereo `.au` clips of five speakers, in parts made by the publisher."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lib.datasets.audio import read_audio, read_header
from lib.datasets.dataset import Dataset, row

_PARTS = {
    "gtzan/_train": "train",
    "gtzan/_validation": "validation",
    "gtzan/_test": "test",
    "audio": "predict",
}


def recordings(folder: str | Path) -> pd.DataFrame:
    """List the clips of the four folders; the speaker is the name up to the first dot.

    Speakers are the classes here, so they cannot be the groups: each clip is its own group.

    Parameters
    ----------
    folder : str or Path
        The folder that holds `gtzan` and `audio`.

    Returns
    -------
    pd.DataFrame
        The columns of `lib.datasets`. `split` is `predict` for the clips in `audio`.
    """
    rows = []
    for inner, part in _PARTS.items():
        for path in sorted((Path(folder) / inner).glob("[!.]*.au")):
            # One published name has a blank before its suffix, which no table or folder wants.
            name = f"{part}-{'_'.join(path.stem.split())}"
            speaker = path.name.partition(".")[0].strip()
            rows.append(row(path, read_header, name=name, label=speaker, group=name, split=part))
    return pd.DataFrame(rows)


FIVE_VOICES = Dataset("five_voices", recordings, read_audio)
