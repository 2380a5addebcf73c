"""A picture of choices: the test score of each run against its validation score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from lib.plots.style import GREY, SETTINGS, canvas, colours, display, quiet


def validation_against_test(study: Mapping[str, Any], runs: pd.DataFrame) -> Figure | None:
    """Draw a dot for each run by its macro-F1 on the validation and on the test set.

    Parameters
    ----------
    study : dict
        Its `architectures` give the order.
    runs : DataFrame
        Rows of runs.csv of one protocol.

    Returns
    -------
    Figure or None
        Means over folds. Below the diagonal, validation was too optimistic. None of fewer than two
        runs.
    """
    scores = ["validation_macro_f1", "test_macro_f1"]
    networks = runs[runs["kind"] == "network"]
    means = networks.groupby(["architecture", "seed"], sort=False)[scores].mean().dropna()
    if len(means) < 2:
        return None
    with mpl.rc_context(SETTINGS):
        figure = canvas(4.2, 3.9)
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
        tones = colours(study["architectures"])
        for name in study["architectures"]:
            if name in means.index.get_level_values("architecture"):
                x, y = means.loc[name].to_numpy().T
                axes.plot(
                    x, y, "o", color=tones[name], markersize=6, alpha=0.8, label=display(name)
                )
        axes.set_xlim(0, 1.02)
        axes.set_ylim(0, 1.02)
        axes.set_aspect("equal")
        axes.set_xlabel("macro-F1 on the validation set")
        axes.set_ylabel("macro-F1 on the test set")
        quiet(axes, grid="both")
        figure.legend(loc="outside upper left", ncols=3)
    return figure
