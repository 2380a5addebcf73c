"""The picture of sites: what networks of one site reach on every other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lib.plots.scores import draw_matrix
from lib.plots.style import SETTINGS, decimal, display, panels, short


def site_matrices(study: Mapping[str, Any], rows: pd.DataFrame) -> Figure | None:
    """Draw the macro-F1 of each pair of sites, a matrix for each network.

    Parameters
    ----------
    study : dict
        Its `architectures` give the order.
    rows : DataFrame
        Rows of sites.csv of one protocol of pairs.

    Returns
    -------
    Figure or None
        Rows are the sites trained on, columns those tested on; each cell has the score and, below
        it, its 95% interval, or a dash where `interval_note` says why there is no score. None where
        no pair has a score.
    """
    rows = rows[(rows["metric"] == "macro_f1") & (rows["site"] != "")]
    sites = [str(name) for name in dict.fromkeys(rows["site"])]
    names = [name for name in study["architectures"] if name in set(rows["architecture"])]
    if not rows["estimate"].notna().any():
        return None
    with mpl.rc_context(SETTINGS):
        side = max(2.3, 0.72 * len(sites) + 0.9)
        figure, grid = panels(
            len(names), most=3, width=side, height=side + 0.35, margin=(0.5, 0.0), share=False
        )
        for axes, name in zip(grid.flat, names, strict=False):
            some = rows[rows["architecture"] == name]
            scores, low, high = (
                some.pivot(index="trained", columns="site", values=value)
                .reindex(index=sites, columns=sites)
                .to_numpy(dtype=float)
                for value in ("estimate", "low", "high")
            )
            draw_matrix(axes, scores, _written(scores, low, high), [short(one) for one in sites])
            axes.set_title(display(name))
        for axes in grid[:, 0]:
            axes.set_ylabel("trained on")
        for axes in grid[-1]:
            axes.set_xlabel("tested on")
    return figure


def _written(scores: np.ndarray, low: np.ndarray, high: np.ndarray) -> list[list[str]]:
    """Write each score with its interval."""

    def cell(value: float, start: float, end: float) -> str:
        ends = f"\n{decimal(start)}–{decimal(end)}" if np.isfinite(start) else ""
        return f"{decimal(value)}{ends}" if np.isfinite(value) else "–"

    return [
        [cell(*numbers) for numbers in zip(*line, strict=True)]
        for line in zip(scores, low, high, strict=True)
    ]
