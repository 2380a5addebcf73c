"""Pictures that compare architectures: calibration, cost, ranks, importance of settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from lib.metrics.registry import MAIN
from lib.plots.style import (
    FAINT,
    GREY,
    INK,
    SETTINGS,
    canvas,
    colour,
    colours,
    display,
    panels,
    quiet,
    short,
)

COSTS = (
    ("parameters", "parameters"),
    ("model_kb", "size of the model (KB)"),
    ("train_seconds", "training (s)"),
    ("predict_seconds", "prediction of one example (s)"),
)

# As many hyperparameters as a reader can take in; the table has them all.
MOST_IMPORTANT = 10


def reliability(study: Mapping[str, Any], rows: pd.DataFrame) -> Figure | None:
    """Draw a reliability diagram per network; return None if all bins are empty.

    Parameters
    ----------
    study : dict
        Its `architectures` give the order.
    rows : DataFrame
        Rows of calibration.csv of one protocol.

    Returns
    -------
    Figure or None
        Dots are bins of confidence, sized by their share of the examples; lines are 95% intervals
        over groups. On the diagonal, confidence equals accuracy. After figure 1 of Guo et al. 2017,
        "On calibration of modern neural networks", with dots in place of bars.
    """
    rows = rows[(rows["count"] > 0) & rows["accuracy"].notna() & rows["confidence"].notna()]
    names = [name for name in study["architectures"] if name in set(rows["architecture"])]
    if not names:
        return None
    with mpl.rc_context(SETTINGS):
        figure, grid = panels(
            len(names), most=4, width=2.3, height=2.5, margin=(0.6, 0.2), share=True
        )
        for axes, name in zip(grid.flat, names, strict=False):
            some = rows[rows["architecture"] == name].sort_values("bin_low")
            axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
            axes.plot(some["confidence"], some["accuracy"], color=colour(name), linewidth=1.2)
            axes.vlines(
                some["confidence"], some["accuracy_low"], some["accuracy_high"],
                color=colour(name), linewidth=0.8, alpha=0.5,
            )  # fmt: skip
            share = some["count"] / some["count"].sum()
            axes.scatter(
                some["confidence"], some["accuracy"], s=8 + 160 * share, color=colour(name),
                alpha=0.85, linewidths=0,
            )  # fmt: skip
            axes.set_title(display(name))
            axes.set_xlim(0, 1.03)
            axes.set_ylim(0, 1.03)
            axes.set_aspect("equal")
            quiet(axes, grid="both")
        for axes in grid[:, 0]:
            axes.set_ylabel("accuracy")
        for axes in grid[-1]:
            axes.set_xlabel("mean confidence")
    return figure


def fronts(rows: pd.DataFrame) -> Figure | None:
    """Draw the macro-F1 of every architecture against each of its costs, with the Pareto front.

    Parameters
    ----------
    rows : DataFrame
        Rows of pareto.csv of this study; `front_parameters` and so on mark the architectures
        on the front.

    Returns
    -------
    Figure or None
        None if no architecture has both a score and a cost.
    """
    shown = [(name, label) for name, label in COSTS if _known(rows, name).any()]
    if not shown:
        return None
    with mpl.rc_context(SETTINGS):
        figure = canvas(2.05 * len(shown) + 0.7, 3.0)
        grid = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
        tones = colours(dict.fromkeys(rows["architecture"].astype(str)))
        for axes, (cost, label) in zip(grid, shown, strict=True):
            some = rows[_known(rows, cost)].sort_values(cost)
            front = some[some[f"front_{cost}"].astype(str).str.lower() == "true"]
            axes.step(front[cost], front[MAIN], where="post", color=INK, linewidth=1.0, alpha=0.6)
            for name, x, y in zip(
                some["architecture"].astype(str), some[cost], some[MAIN], strict=True
            ):
                axes.plot(x, y, "o", color=tones[name], markersize=7, label=display(name))
            axes.set_xscale("log")
            # Plain digits: mathematical text is off, since names from data may hold dollar signs.
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
            low, high = _decade(some[cost])
            axes.set_xlim(low, high)
            # Over many decades there is room for powers of ten only.
            steps = (1, 2, 5) if high / low < 100 else (1,)
            axes.xaxis.set_major_locator(LogLocator(subs=steps, numticks=5))
            axes.set_ylim(0, 1.02)
            axes.set_xlabel(label)
            quiet(axes, grid="both")
            axes.minorticks_off()
        grid[0].set_ylabel("macro-F1, honest split")
        handles, labels = grid[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=len(labels))
    return figure


def _decade(values: pd.Series) -> tuple[float, float]:
    """Compute axis limits at least a decade apart: closer ones may contain no tick at all."""
    low, high = float(values.min()), float(values.max())
    room = max(1.6, np.sqrt(10 * low / high))
    return low / room, high * room


def _known(rows: pd.DataFrame, cost: str) -> pd.Series:
    """Select the rows that a logarithmic axis can show."""
    values = pd.to_numeric(rows[cost], errors="coerce")
    return (values > 0) & np.isfinite(values) & rows[MAIN].notna()


def critical_differences(ranks: pd.DataFrame) -> Figure:
    """Draw mean ranks, and join the architectures that do not differ in the Nemenyi test.

    Parameters
    ----------
    ranks : DataFrame
        Rows of ranks.csv; rank 1 is best.

    Returns
    -------
    Figure
        A diagram for each scope that has a critical difference, as in figure 1 of Demšar 2006,
        "Statistical comparisons of classifiers over multiple data sets"; a sentence if none has.
    """
    ranks = ranks.dropna(subset=["mean_rank", "critical_difference"])
    scopes = [some.sort_values("mean_rank") for _, some in ranks.groupby("scope", sort=False)]
    scopes = [some for some in scopes if len(some) > 1]
    with mpl.rc_context(SETTINGS):
        if not scopes:
            figure = canvas(6.4, 0.6)
            words = "Too few studies share the same architectures to rank them."
            figure.text(0.02, 0.5, words, va="center")
            return figure
        heights = [0.95 + 0.26 * (len(some) + 1) for some in scopes]
        figure = canvas(6.4, sum(heights))
        grid = figure.subplots(len(scopes), 1, squeeze=False, height_ratios=heights)
        for axes, some in zip(grid[:, 0], scopes, strict=True):
            _ranks(axes, some)
            if len(scopes) > 1:
                axes.set_title(short(str(some["scope"].iloc[0])))
    return figure


def _ranks(axes: Any, ranks: pd.DataFrame) -> None:
    """Draw an axis of ranks, with each architecture labelled on its left or right."""
    rank = ranks["mean_rank"].to_numpy(dtype=float)
    names = [str(name) for name in ranks["architecture"]]
    width = float(ranks["critical_difference"].iloc[0])
    cliques = _cliques(rank, width)
    count, half = len(names), -(-len(names) // 2)
    depth = 0.28 * len(cliques) + 0.2
    axes.plot([1, count], [0, 0], color=INK, linewidth=0.9)
    for tick in range(1, count + 1):
        axes.plot([tick, tick], [0, 0.09], color=INK, linewidth=0.9)
        axes.text(tick, 0.16, str(tick), ha="center", va="bottom", fontsize=8)
    for index, (at, name) in enumerate(zip(rank, names, strict=True)):
        left = index < half
        y = -depth - 0.3 * ((index if left else count - 1 - index) + 0.5)
        edge = 1 - 0.12 * (count - 1) if left else count + 0.12 * (count - 1)
        axes.plot([at, at, edge], [0, y, y], color=colour(name), linewidth=1.1)
        axes.plot(at, 0, "o", color=colour(name), markersize=5)
        axes.annotate(
            f"{display(name)}  {at:.2f}" if left else f"{at:.2f}  {display(name)}",
            (edge, y), xytext=(-4 if left else 4, 0), textcoords="offset points",
            ha="right" if left else "left", va="center", fontsize=9,
        )  # fmt: skip
    for index, (first, last) in enumerate(cliques):
        y = -0.2 - 0.28 * index
        ends = [rank[first] - 0.03, rank[last] + 0.03]
        axes.plot(ends, [y, y], color=INK, linewidth=3.5, solid_capstyle="round")
    axes.plot([1, 1 + width], [0.75, 0.75], color=INK, linewidth=1.2)
    axes.text(1 + width / 2, 0.82, f"critical difference {width:.2f}", ha="center", fontsize=8)
    margin = 0.45 * (count - 1)
    axes.set_xlim(1 - margin, max(count, 1 + width) + margin)
    axes.set_ylim(-depth - 0.3 * half - 0.1, 1.25)
    axes.set_axis_off()


def _cliques(rank: np.ndarray, width: float) -> list[tuple[int, int]]:
    """List the longest runs (first, last) of sorted ranks that span at most the difference."""
    runs: list[tuple[int, int]] = []
    for first in range(len(rank)):
        last = int(np.flatnonzero(rank <= rank[first] + width)[-1])
        if last > first and (not runs or last > runs[-1][1]):
            runs.append((first, last))
    return runs


def importances(study: Mapping[str, Any], rows: pd.DataFrame) -> Figure | None:
    """Draw the share of the variance between trials that each hyperparameter explains, if any.

    Parameters
    ----------
    study : dict
        Its `architectures` give the order.
    rows : DataFrame
        Rows of importance.csv of this study.
    """
    rows = rows.dropna(subset=["importance"])
    names = [name for name in study["architectures"] if name in set(rows["architecture"])]
    if not names:
        return None
    some = {
        name: rows[rows["architecture"] == name]
        .sort_values("importance", ascending=False, kind="stable")
        .head(MOST_IMPORTANT)
        for name in names
    }
    heights = [len(table) + 1.3 for table in some.values()]
    with mpl.rc_context(SETTINGS):
        figure = canvas(5.6, 0.5 + 0.24 * sum(heights))
        grid = figure.subplots(len(names), 1, sharex=True, squeeze=False, height_ratios=heights)
        for axes, (name, table) in zip(grid[:, 0], some.items(), strict=True):
            y = np.arange(len(table))
            axes.barh(y, table["importance"], color=colour(name), height=0.6)
            labels = [str(value).replace("_", " ") for value in table["hyperparameter"]]
            axes.set_yticks(y, labels)
            axes.set_ylim(len(table) - 0.4, -0.6)
            axes.set_xlim(0, 1.02)
            axes.set_title(display(name))
            quiet(axes)
            axes.spines["left"].set_color(FAINT)
        grid[-1, 0].set_xlabel("importance (share of the variance between trials, 0 to 1)")
    return figure
