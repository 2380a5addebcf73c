"""Pictures of shortcuts: what else features tell, and scores beside those of permuted labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lib.plots.style import BLUE, GREY, INK, SETTINGS, TICK, colour, display, key, score_rows, short


def told_by_features(rows: pd.DataFrame) -> Figure | None:
    """Draw how well a linear model tells each column from the features, beside chance.

    Parameters
    ----------
    rows : DataFrame
        Rows of shortcuts.csv of one study.

    Returns
    -------
    Figure or None
        Dots are balanced accuracies, lines 95% intervals over groups, ticks what chance gives.
        None where nothing was predicted.
    """
    rows = rows[rows["score"].notna()]
    if rows.empty:
        return None
    with mpl.rc_context(SETTINGS):
        labels = [short(str(name)) for name in rows["column"]]
        figure, axes = score_rows(labels, "balanced accuracy (0 to 1)", height=0.3)
        for y, row in enumerate(rows.to_dict("records")):
            axes.plot([row["low"], row["high"]], [y, y], color=BLUE, linewidth=1.4)
            axes.plot(row["score"], y, "o", color=BLUE, markersize=5)
            axes.plot(row["chance"], y, color=INK, **TICK)
        linear = key("linear model, 95% CI", color=BLUE, linestyle="-")
        handles = [linear, key("chance", **TICK)]
        figure.legend(handles=handles, loc="outside upper left", ncols=2)
    return figure


def against_permuted(study: Mapping[str, Any], rows: pd.DataFrame) -> Figure | None:
    """Draw the score of each model beside the scores that it has with permuted labels.

    Parameters
    ----------
    study : dict
        Its `architectures` give the order.
    rows : DataFrame
        Rows of permutations.csv of one study.

    Returns
    -------
    Figure or None
        Dots are scores; grey lines hold 95% of those with permuted labels, with a tick at their
        mean. None where no model has both.
    """
    rows = rows[rows["score"].notna() & rows["permuted"].notna()]
    if rows.empty:
        return None
    names = [name for name in study["architectures"] if name in set(rows["architecture"])]
    names += [name for name in rows["architecture"] if name not in names]
    rows = rows.set_index("architecture").loc[names]
    with mpl.rc_context(SETTINGS):
        labels = [display(name) for name in names]
        figure, axes = score_rows(labels, "macro-F1 (0 to 1)", height=0.3)
        for y, (name, row) in enumerate(rows.iterrows()):
            ends = [row["permuted_low"], row["permuted_high"]]
            axes.plot(ends, [y, y], color=GREY, linewidth=5, alpha=0.5)
            axes.plot(row["permuted"], y, color=INK, **TICK)
            axes.plot(row["score"], y, "o", color=colour(str(name)), markersize=6)
        handles = [
            key("labels as they are"),
            Line2D(
                [], [], color=GREY, linewidth=5, alpha=0.5, label="permuted labels, 95% of them"
            ),
            key("their mean", **TICK),
        ]
        figure.legend(handles=handles, loc="outside upper left", ncols=3)
    return figure
