"""Which stretches of recordings lie in two parts of a split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

# s: windows that touch do not overlap, whatever the rounding.
_TOUCH = 1e-6


def overlapping(windows: pd.DataFrame, *, within: Sequence[str] = ("path",)) -> np.ndarray:
    """Tell which windows share a stretch of a file with one of another part.

    Parameters
    ----------
    windows : pd.DataFrame
        `part`, `start` and `end` (s), of any length; those that touch do not overlap.
    within : sequence of str
        The columns that say in what they lie.

    Returns
    -------
    np.ndarray [shape=(windows,)]
        Whether each does.
    """
    near = np.zeros(len(windows), dtype=bool)
    if windows.empty:
        return near
    times = windows[["start", "end"]].to_numpy(dtype=float)
    # Whole numbers are exact: all files lie one behind the other on one axis.
    ticks = np.rint((times - times.min()) / (_TOUCH / 2)).astype(np.int64)
    file = windows.groupby(list(within), sort=False).ngroup().to_numpy()
    start, end = (ticks + (file * (ticks.max() + 1))[:, None]).T
    part = pd.factorize(windows["part"])[0]
    for side in np.unique(part):
        mine, others = np.flatnonzero(part != side), np.flatnonzero(part == side)
        others = others[np.argsort(start[others])]
        # Of those that begin before a window ends, the one that ends last is enough.
        before = np.searchsorted(start[others], end[mine] - 2)
        latest = np.maximum.accumulate(end[others])[before - 1]
        near[mine] |= (before > 0) & (latest > start[mine] + 2)
    return near
