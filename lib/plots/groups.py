"""Pictures of groups and of subgroups: a dot for each, by its score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from lib.metrics.registry import MAIN, METRICS
from lib.plots.style import (
    INK,
    SETTINGS,
    TICK,
    canvas,
    colour,
    colours,
    display,
    key,
    quiet,
    score_rows,
    short,
)

# Scores that differ by less are drawn side by side.
_BIN = 0.015

# Of more groups one panel is drawn.
MANY_GROUPS = 150

# How much of the height of its row a column of dots may take.
_HEIGHT = 0.56


def scores_of_groups(
    study: Mapping[str, Any], rows: pd.DataFrame, means: pd.DataFrame
) -> Figure | None:
    """Draw a dot for each group of each network, beside the mean over groups.

    Parameters
    ----------
    study : dict
        Its `architectures` give the order.
    rows : DataFrame
        Rows of groups.csv of one protocol.
    means : DataFrame
        Rows of group_means.csv of that protocol.

    Returns
    -------
    Figure or None
        A panel for each metric that groups have (of many groups, for the accuracy), a row for each
        network. A diamond is the mean over groups with its 95% interval, a tick the score of all
        examples; the group of largest influence has a ring and its name. None where every group is
        one example, which is right or wrong.
    """
    names = [name for name in study["architectures"] if name in set(rows["architecture"])]
    if not names or (rows["examples"] == 1).all():
        return None
    shown = [metric for metric in (MAIN, "accuracy") if rows[metric].notna().any()]
    if rows["group"].nunique() > MANY_GROUPS:
        # A page of five such studies must stay small: the accuracy is there of all of them.
        shown = ["accuracy"]
    with mpl.rc_context(SETTINGS):
        figure = canvas(3.6 * len(shown) + 1.2, 0.9 + 0.8 * len(names))
        grid = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
        for axes, metric in zip(grid, shown, strict=True):
            of_metric = means[means["metric"] == metric].set_index("architecture")
            for y, name in enumerate(names):
                _row(axes, y, rows[rows["architecture"] == name], of_metric.loc[name], metric)
            axes.set_yticks(range(len(names)), [display(name) for name in names])
            axes.set_ylim(len(names) - 0.45, -0.55)
            axes.set_xlim(-0.02, 1.02)
            label = METRICS[metric].label
            axes.set_xlabel(f"{label} of a group (0 to 1)")
            quiet(axes)
            axes.spines["left"].set_visible(False)
        handles = [
            key("a group", alpha=0.5),
            key("largest influence", markerfacecolor="none", markersize=8),
            key("mean over groups, 95% CI", marker="D", markersize=5),
            key("all examples", **TICK),
        ]
        figure.legend(handles=handles, loc="outside upper left", ncols=2)
    return figure


def scores_of_subgroups(study: Mapping[str, Any], rows: pd.DataFrame) -> Figure | None:
    """Draw the macro-F1 of each subgroup that has one, with its interval, for each network.

    Parameters
    ----------
    study : dict
        Its `architectures` give the order.
    rows : DataFrame
        Rows of subgroups.csv of one protocol.

    Returns
    -------
    Figure or None
        Dots are scores, lines 95% intervals over groups. None where no subgroup has a score.
    """
    rows = rows[(rows["metric"] == MAIN) & rows["estimate"].notna()]
    names = [name for name in study["architectures"] if name in set(rows["architecture"])]
    places = list(dict.fromkeys(zip(rows["column"], rows["value"], strict=True)))
    if not names:
        return None
    tones = colours(names)
    with mpl.rc_context(SETTINGS):
        height = 0.16 * len(names) + 0.16
        labels = [short(f"{column}: {value}") for column, value in places]
        figure, axes = score_rows(labels, "macro-F1 (0 to 1)", height=height)
        for n, name in enumerate(names):
            some = rows[rows["architecture"] == name]
            for row in some.to_dict("records"):
                place = places.index((row["column"], row["value"]))
                y = place + (n - (len(names) - 1) / 2) * 0.16 / height
                axes.plot([row["low"], row["high"]], [y, y], color=tones[name], linewidth=1.2)
                axes.plot(row["estimate"], y, "o", color=tones[name], markersize=5)
        handles = [key(display(name), color=tones[name], linestyle="-") for name in names]
        figure.legend(handles=handles, loc="outside upper left", ncols=len(handles))
    return figure


def _row(axes: Any, y: int, rows: pd.DataFrame, mean: pd.Series, metric: str) -> None:
    rows = rows[rows[metric].notna()]
    x, tone = rows[metric].to_numpy(dtype=float), colour(str(mean.name))
    up = y - 0.1 + _offsets(x)
    # Of many groups, small dots: all of them stay to be seen.
    size = float(np.clip(26 / max(len(x), 1) ** 0.5, 2.2, 4.7))
    axes.add_patch(_dots(x, up, size, tone))
    most = np.flatnonzero((rows["group"] == mean["influential"]).to_numpy())
    if len(most):
        at = x[most[0]], up[most[0]]
        axes.plot(*at, "o", color=INK, markerfacecolor="none", markersize=size + 4)
        left = at[0] > 0.5
        axes.annotate(
            short(str(mean["influential"])), at, xytext=(-7 if left else 7, 0),
            textcoords="offset points", ha="right" if left else "left", va="center", fontsize=7,
        )  # fmt: skip
    down = y + 0.34
    axes.plot([mean["mean_low"], mean["mean_high"]], [down, down], color=tone, linewidth=1.4)
    axes.plot(mean["mean"], down, "D", color=tone, markersize=5)
    axes.plot(mean["estimate"], down, color=INK, **TICK)


def _dots(x: np.ndarray, y: np.ndarray, size: float, tone: str) -> PathPatch:
    """Draw dots as one path of very short strokes with round ends.

    A file of hundreds of markers would be several times as long.
    """
    # Long enough to be there after coordinates are rounded.
    ends = np.stack([np.stack([x, y], axis=-1), np.stack([x + 1e-3, y], axis=-1)], axis=1)
    path = Path(ends.reshape(-1, 2), [Path.MOVETO, Path.LINETO] * len(x))
    # It is no line of which a simpler one could be made: that would lose dots.
    path.should_simplify = False
    return PathPatch(
        path, fill=False, edgecolor=tone, linewidth=size, alpha=0.55, capstyle="round", snap=False
    )


def _offsets(x: np.ndarray) -> np.ndarray:
    """Place dots of about the same score above and below each other, within the row."""
    column = pd.Series(np.round(x / _BIN))
    place, count = column.groupby(column).cumcount(), column.groupby(column).transform("size")
    step = min(0.09, _HEIGHT / max(count.max(), 1)) if len(x) else 0.0
    return ((place - (count - 1) / 2) * step).to_numpy(dtype=float)
