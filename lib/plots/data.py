"""Pictures of the data: how many examples each part has, and what an example looks like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lib.plots.style import BLUE, INK, ORANGE, PART_COLOURS, SETTINGS, canvas, quiet

# Beyond this an example is features over time, and is shown as an image.
MOST_LINES = 3
CHANNEL_COLOURS = (BLUE, ORANGE, INK)

# As many points as a picture of this width can show.
MOST_POINTS = 400


def class_counts(study: Mapping[str, Any], audit: Mapping[str, Any]) -> Figure:
    """Draw the examples of each class in each part, the mean over folds.

    Parameters
    ----------
    study : dict
        Its `classes` give the order.
    audit : dict
        The audit of one protocol; `parts` has a row per fold and part.
    """
    classes = [str(name) for name in study["classes"]]
    with mpl.rc_context(SETTINGS):
        figure = canvas(7.2, 0.9 + 0.3 * len(classes))
        axes = figure.subplots()
        largest = 1.0
        for part, tone in PART_COLOURS.items():
            rows = [row["classes"] for row in audit["parts"] if row["part"] == part]
            if not rows:
                continue
            counts = np.array([[row.get(name, 0) for name in classes] for row in rows]).mean(0)
            largest = max(largest, counts.max())
            axes.plot(
                counts, range(len(classes)), "o", color=tone, markersize=7, label=part, alpha=0.9
            )
        # A count of 0 has its place on this scale, which a logarithm has not.
        axes.set_xscale("symlog", linthresh=1)
        axes.set_xlim(-0.3, largest * 1.8)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_yticks(range(len(classes)), classes)
        axes.set_ylim(len(classes) - 0.5, -0.5)
        axes.set_xlabel("examples (logarithmic beyond 1)")
        axes.grid(axis="y")
        quiet(axes, grid="both")
        axes.spines["left"].set_visible(False)
        figure.legend(loc="outside upper left", ncols=3)
    return figure


def example_inputs(study: Mapping[str, Any], examples: Mapping[str, np.ndarray]) -> Figure:
    """Draw a few network inputs of each class.

    Parameters
    ----------
    study : dict
        Its `classes` give the order.
    examples : dict of str to ndarray, shape (example, time, channel)
        A few examples per class. Up to three channels are lines, more are an image.
    """
    names = [str(name) for name in study["classes"] if str(name) in examples]
    most = max(len(examples[name]) for name in names)
    lines = examples[names[0]].shape[2] <= MOST_LINES
    with mpl.rc_context(SETTINGS):
        figure = canvas(2.4 * most + 0.5, 1.05 * len(names) + 0.6)
        grid = figure.subplots(len(names), most, sharex=True, sharey=True, squeeze=False)
        for row, name in enumerate(names):
            for column in range(most):
                axes = grid[row, column]
                if column >= len(examples[name]):
                    axes.set_visible(False)
                    continue
                draw = _lines if lines else _image
                draw(axes, examples[name][column])
            grid[row, 0].set_title(name, fontsize=9)
            if row == len(names) // 2:
                grid[row, 0].set_ylabel("amplitude" if lines else "feature (number)")
        channels = examples[names[0]].shape[2]
        if lines and channels > 1:
            handles = [
                Line2D([], [], color=tone, label=f"channel {k + 1}")
                for k, tone in enumerate(CHANNEL_COLOURS[:channels])
            ]
            figure.legend(handles=handles, loc="outside upper left", ncols=channels)
        for axes in grid[-1]:
            axes.set_xlabel("time (samples)" if lines else "time (frames)")
    return figure


def _lines(axes: Any, x: np.ndarray) -> None:
    for channel, tone in zip(range(x.shape[1]), CHANNEL_COLOURS, strict=False):
        time, values = _envelope(x[:, channel])
        axes.plot(time, values, color=tone, linewidth=0.8)
    quiet(axes, grid="y")


def _envelope(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keep the smallest and largest value of each stretch, so that no peak is lost."""
    if len(x) <= MOST_POINTS:
        return np.arange(len(x)), x
    step = -(-2 * len(x) // MOST_POINTS)
    starts = np.arange(0, len(x), step)
    low, high = np.minimum.reduceat(x, starts), np.maximum.reduceat(x, starts)
    return np.repeat(starts, 2), np.column_stack([low, high]).ravel()


def _image(axes: Any, x: np.ndarray) -> None:
    # Each feature on its own scale: the first coefficient would drown the others.
    spread = x.std(0, keepdims=True)
    scaled = (x - x.mean(0, keepdims=True)) / np.where(spread > 0, spread, 1)
    axes.imshow(
        scaled.T, aspect="auto", origin="lower", cmap="cividis", vmin=-2.5, vmax=2.5,
        interpolation="none",
    )  # fmt: skip
    axes.tick_params(length=0)
