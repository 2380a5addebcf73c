"""Pictures of scores: honest against random splits, and confusion matrices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lib.metrics.registry import MAIN
from lib.plots.style import (
    FAINT,
    GREY,
    HOLLOW,
    INK,
    SETTINGS,
    canvas,
    colour,
    decimal,
    display,
    key,
    panels,
    quiet,
    short,
)

# White to blue. Not quite the blue of the palette, which dark pages swap.
SHARES = LinearSegmentedColormap.from_list("shares", ["#ffffff", "#cfe4f2", "#00659e"])

# Cells keep their light background in dark mode, so their text must stay dark.
CELL_INK = "#111111"


def primary_rows(study: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame:
    """Select the rows of a table that are about the macro-F1 of a study's primary split."""
    rows = (table["protocol"] == study["primary"]) & (table["metric"] == MAIN)
    return table[rows & (table["study"] == study["study"])]


def inflation(studies: Sequence[tuple[Mapping[str, Any], pd.DataFrame]]) -> Figure:
    """Draw the honest and the random score of every architecture, one panel per study.

    Parameters
    ----------
    studies : sequence of (study, rows)
        Rows of inflation.csv of one honest protocol and one metric.

    Returns
    -------
    Figure
        Filled dots are honest scores, hollow ones those of the random split, bars 95% intervals.
    """
    with mpl.rc_context(SETTINGS):
        if not studies:
            figure = canvas(5.6, 0.6)
            figure.text(0.02, 0.5, "No study has both an honest and a random split.", va="center")
            return figure
        heights = [len(rows) + 1.2 for _, rows in studies]
        figure = canvas(5.6, 0.75 + 0.27 * sum(heights))
        grid = figure.subplots(len(studies), 1, sharex=True, squeeze=False, height_ratios=heights)
        for axes, (study, rows) in zip(grid[:, 0], studies, strict=True):
            _dumbbells(axes, rows)
            title = short(str(study["title"]))
            axes.set_title(f"{title} · simulated recordings" if study["simulated"] else title)
        grid[-1, 0].set_xlabel("macro-F1 on the test set (0 to 1)")
        handles = [
            key("honest split"),
            key("random split, which leaks", markerfacecolor="none"),
            Line2D([], [], color=INK, linewidth=1.2, label="95% CI"),
        ]
        figure.legend(handles=handles, loc="outside upper left", ncols=3)
    return figure


def _dumbbells(axes: Any, rows: pd.DataFrame) -> None:
    for y, row in enumerate(rows.to_dict("records")):
        tone = colour(row["architecture"]) if row["kind"] == "network" else GREY
        up, down = y - 0.14, y + 0.14
        axes.plot(
            [row["honest"], row["random"]], [down, up], color=tone, linewidth=5, alpha=0.18,
            solid_capstyle="round",
        )  # fmt: skip
        for name, height in (("honest", down), ("random", up)):
            low, high = row[f"{name}_low"], row[f"{name}_high"]
            if not np.isnan(low):
                axes.plot([low, high], [height, height], color=tone, linewidth=1.2)
            axes.plot(
                row[name], height, "o", color=tone, markersize=6,
                markerfacecolor=tone if name == "honest" else HOLLOW,
            )  # fmt: skip
        if row["kind"] == "network" and not np.isnan(row["difference"]):
            axes.annotate(
                decimal(row["difference"], sign=True),
                (1.005, y), xycoords=("axes fraction", "data"),
                va="center", color=INK, fontweight="bold", fontsize=8,
            )  # fmt: skip
    axes.set_yticks(range(len(rows)), [display(name) for name in rows["architecture"]])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, 1.02)
    quiet(axes)
    axes.spines["left"].set_visible(False)


def confusion_matrices(study: Mapping[str, Any], rows: pd.DataFrame) -> Figure | None:
    """Draw a confusion matrix per network, with the share of the row and the count in each cell.

    There is none of a protocol of pairs of sites, whose test parts are several in one.

    Parameters
    ----------
    study : dict
        Its `classes` and `architectures` give the order.
    rows : DataFrame
        Rows of confusion.csv of one protocol.
    """

    def cell(share: float, count: float) -> str:
        return f"{share:.2f}\n{count:,.0f}" if np.isfinite(share) else "–"

    classes = [str(name) for name in study["classes"]]
    return matrices(
        *(study, rows, classes, cell),
        index="label",
        columns="predicted",
        values=("share", "count"),
        said=("true class", "predicted class"),
        side=0.55,
    )


def matrices(
    study: Mapping[str, Any],
    rows: pd.DataFrame,
    names: Sequence[str],
    cell: Callable[..., str],
    *,
    index: str,
    columns: str,
    values: Sequence[str],
    said: tuple[str, str],
    side: float,
) -> Figure | None:
    """Draw a square of cells for each network.

    Parameters
    ----------
    study : dict
        Its `architectures` give the order.
    rows : DataFrame
        A row for each network and cell.
    names : sequence of str
        Of rows and columns.
    cell : callable
        `cell(*values)` writes what stands in a cell.
    index, columns, values : str, str, sequence of str
        Columns of `rows`: the row of a cell, its column, and its values, of which the first, from
        0 to 1, makes it darker.
    said : tuple of str
        What rows and what columns are.
    side : float
        Of a cell, inches.

    Returns
    -------
    Figure or None
        None without a row.
    """
    networks = [name for name in study["architectures"] if name in set(rows["architecture"])]
    if not networks:
        return None
    with mpl.rc_context(SETTINGS):
        width = max(2.3, side * len(names) + 0.9)
        figure, grid = panels(
            len(networks), most=3, width=width, height=width + 0.35, margin=(0.5, 0.0), share=False
        )
        for axes, name in zip(grid.flat, networks, strict=False):
            some = rows[rows["architecture"] == name]
            squares = [
                some.pivot(index=index, columns=columns, values=value)
                .reindex(index=names, columns=names)
                .to_numpy(dtype=float)
                for value in values
            ]
            texts = [
                [cell(*numbers) for numbers in zip(*line, strict=True)]
                for line in zip(*squares, strict=True)
            ]
            _matrix(axes, squares[0], texts, [short(one) for one in names])
            axes.set_title(display(name))
        for axes in grid[:, 0]:
            axes.set_ylabel(said[0])
        for axes in grid[-1]:
            axes.set_xlabel(said[1])
    return figure


def _matrix(
    axes: Any, shares: np.ndarray, texts: Sequence[Sequence[str]], names: Sequence[str]
) -> None:
    """Draw a square of cells, darker where a share (0 to 1) is larger, white where it is NaN."""
    n = len(names)
    edges = np.arange(n + 1) - 0.5
    axes.pcolormesh(
        edges, edges, np.nan_to_num(shares), cmap=SHARES, vmin=0, vmax=1,
        edgecolors=FAINT, linewidth=0.6,
    )  # fmt: skip
    for i in range(n):
        for j in range(n):
            dark = np.isfinite(shares[i, j]) and shares[i, j] > 0.9
            axes.text(
                j, i, texts[i][j], ha="center", va="center", linespacing=1.15,
                fontsize=7 if n < 8 else 5, color="#ffffff" if dark else CELL_INK,
            )  # fmt: skip
    turn = 30 if max(map(len, names)) > 3 else 0
    axes.set_xticks(range(n), names, rotation=turn, ha="right" if turn else "center")
    axes.set_yticks(range(n), names)
    axes.tick_params(length=0)
    axes.set_aspect("equal")
    axes.invert_yaxis()
    for spine in axes.spines.values():
        spine.set_visible(False)
