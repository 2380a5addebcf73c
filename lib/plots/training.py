"""Learning curves: training and validation loss and accuracy, and the epoch that was kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lib.plots.style import GREY, INK, SETTINGS, canvas, colour, display, key, quiet

ROWS = (("loss", "loss (cross-entropy, nats)"), ("accuracy", "accuracy (0 to 1)"))


def learning_curves(
    study: Mapping[str, Any], histories: Mapping[str, Sequence[tuple[int, pd.DataFrame]]]
) -> Figure:
    """Draw a column per network; each seed and fold is a thin line.

    Parameters
    ----------
    study : dict
        Its `architectures` give the order.
    histories : dict of str to sequence of (int, DataFrame)
        Per architecture the epoch kept (from 1) and the history of each run.
    """
    names = [name for name in study["architectures"] if name in histories]
    with mpl.rc_context(SETTINGS):
        figure = canvas(max(3.4, 2.5 * len(names) + 0.5), 4.8)
        grid = figure.subplots(2, len(names), sharex="col", sharey="row", squeeze=False)
        for column, name in enumerate(names):
            for row, (metric, _) in enumerate(ROWS):
                axes = grid[row, column]
                for best, history in histories[name]:
                    _curve(axes, history, metric, best, colour(name))
                quiet(axes, grid="y")
            grid[0, column].set_title(display(name))
            grid[1, column].set_xlabel("epoch")
        for row, (metric, label) in enumerate(ROWS):
            grid[row, 0].set_ylabel(label)
            if metric == "accuracy":
                grid[row, 0].set_ylim(0, 1.02)
        handles = [
            Line2D([], [], color=INK, linewidth=1.2, label="validation"),
            Line2D([], [], color=GREY, linewidth=1.2, label="training"),
            key("epoch kept"),
        ]
        figure.legend(handles=handles, loc="outside upper left", ncols=3)
    return figure


def _curve(axes: Any, history: pd.DataFrame, metric: str, best: int, tone: str) -> None:
    epoch, seen = history["epoch"], history[f"val_{metric}"]
    axes.plot(epoch, history[metric], color=GREY, linewidth=0.9, alpha=0.8)
    axes.plot(epoch, seen, color=tone, linewidth=1.0, alpha=0.9)
    kept = epoch == best
    axes.plot(epoch[kept], seen[kept], "o", color=tone, markersize=4.5)
