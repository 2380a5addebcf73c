"""Five voices: short stereo `.au` clips of five speakers, in parts made by the publisher."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lib.datasets.audio import read_audio as read
from lib.datasets.audio import read_header

__all__ = ["EXAMPLES_HAVE_LABELS", "read", "recordings"]

EXAMPLES_HAVE_LABELS = False

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
            header = read_header(path)
            # One published name has a blank before its suffix, which no table or folder wants.
            name = f"{part}-{'_'.join(path.stem.split())}"
            rows.append(
                {
                    "recording": name,
                    "path": path.as_posix(),
                    "label": path.name.partition(".")[0].strip(),
                    "group": name,
                    "split": part,
                    "rate": header.rate,
                    "duration": header.duration,
                    "channels": header.channels,
                }
            )
    return pd.DataFrame(rows)
