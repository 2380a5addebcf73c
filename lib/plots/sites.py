"""The picture of sites: what networks of one site reach on every other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lib.metrics.registry import MAIN
from lib.plots.scores import matrices
from lib.plots.style import decimal


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

    def cell(value: float, low: float, high: float) -> str:
        ends = f"\n{decimal(low)}–{decimal(high)}" if np.isfinite(low) else ""
        return f"{decimal(value)}{ends}" if np.isfinite(value) else "–"

    rows = rows[(rows["metric"] == MAIN) & (rows["site"] != "")]
    if not rows["estimate"].notna().any():
        return None
    sites = [str(name) for name in dict.fromkeys(rows["site"])]
    return matrices(
        *(study, rows, sites, cell),
        index="trained",
        columns="site",
        values=("estimate", "low", "high"),
        said=("trained on", "tested on"),
        side=0.72,
    )
