"""Pictures of the data: how many examples each set has, and what an example looks like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lib.plots.style import BLUE, INK, ORANGE, PART_COLOURS, SETTINGS, canvas, panels, quiet, short

# With more channels, an example is features over time, and is shown as an image.
MOST_LINES = 3
CHANNEL_COLOURS = (BLUE, ORANGE, INK)


@dataclass(frozen=True)
class Mean:
    """The mean example of a class and the spread between groups, each (time, channel)."""

    mean: np.ndarray
    spread: np.ndarray


# As many points as a picture this wide can show.
MOST_POINTS = 400


def class_counts(study: Mapping[str, Any], audit: Mapping[str, Any]) -> Figure:
    """Draw the number of examples of each class in each set, averaged over folds.

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
        # Unlike a logarithmic scale, this one can show a count of 0.
        axes.set_xscale("symlog", linthresh=1)
        axes.set_xlim(-0.3, largest * 1.8)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_yticks(range(len(classes)), [short(name) for name in classes])
        axes.set_ylim(len(classes) - 0.5, -0.5)
        axes.set_xlabel("examples (logarithmic above 1)")
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
        Its `classes` give the order, its `input` units and the time axis.
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
                x = examples[name][column]
                if lines:
                    _lines(axes, x, study["input"])
                else:
                    _image(axes, x, _scale(x), study["input"])
            grid[row, 0].set_title(short(name), fontsize=9)
        figure.supylabel(_amplitude(study["input"]) if lines else "feature index", fontsize=9)
        _name_channels(figure, study["input"], examples[names[0]].shape[2] if lines else 1)
        for axes in grid[-1]:
            axes.set_xlabel(_time(study["input"]))
            axes.locator_params(axis="x", nbins=5)
    return figure


def mean_examples(study: Mapping[str, Any], means: Mapping[str, Mean]) -> Figure | None:
    """Draw the mean example of each class: a beat with its standard deviation, or an image.

    Parameters
    ----------
    study : dict
        Its `classes` give the order, its `input` units and the time axis.
    means : dict of str to Mean
        Mean over groups of the mean of each group, and the spread between groups.

    Returns
    -------
    Figure or None
        None for windows cut at arbitrary positions: their mean is flat and shows nothing.
    """
    names = [str(name) for name in study["classes"] if str(name) in means]
    lines = bool(names) and means[names[0]].mean.shape[1] <= MOST_LINES
    if not names or (lines and not study["input"]["aligned"]):
        return None
    with mpl.rc_context(SETTINGS):
        figure, grid = panels(
            len(names), most=5, width=1.45, height=1.5, margin=(0.7, 0.5), share=True
        )
        # All classes share one scale, so that they can be compared.
        scale = _scale(np.concatenate([means[name].mean for name in names]))
        for axes, name in zip(grid.flat, names, strict=False):
            if lines:
                _band(axes, means[name], study["input"])
            else:
                _image(axes, means[name].mean, scale, study["input"])
            axes.set_title(short(name), fontsize=9)
            axes.locator_params(axis="x", nbins=4)
        figure.supylabel(_amplitude(study["input"]) if lines else "feature index", fontsize=9)
        figure.supxlabel(_time(study["input"]), fontsize=9)
    return figure


def _band(axes: Any, mean: Mean, kind: Mapping[str, Any]) -> None:
    time = _seconds(len(mean.mean), kind)
    for channel, tone in zip(range(mean.mean.shape[1]), CHANNEL_COLOURS, strict=False):
        middle, spread = mean.mean[:, channel], mean.spread[:, channel]
        axes.fill_between(time, middle - spread, middle + spread, color=tone, alpha=0.25, lw=0)
        axes.plot(time, middle, color=tone, linewidth=1.2)
    quiet(axes, grid="both")


def _time(kind: Mapping[str, Any]) -> str:
    return "time from the R peak (s)" if kind["aligned"] else "time (s)"


def _amplitude(kind: Mapping[str, Any]) -> str:
    return f"amplitude ({kind['unit']})"


def _seconds(samples: int, kind: Mapping[str, Any]) -> np.ndarray:
    """Compute the time of each sample or frame in s."""
    return np.arange(samples) * (kind["seconds"] / samples) - kind["before"]


def _name_channels(figure: Figure, kind: Mapping[str, Any], channels: int) -> None:
    if channels < 2:
        return
    names = list(kind["channels"]) or [f"channel {k + 1}" for k in range(channels)]
    handles = [
        Line2D([], [], color=tone, label=str(name))
        for name, tone in zip(names, CHANNEL_COLOURS, strict=False)
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=channels)


def _lines(axes: Any, x: np.ndarray, kind: Mapping[str, Any]) -> None:
    step = kind["seconds"] / len(x)
    for channel, tone in zip(range(x.shape[1]), CHANNEL_COLOURS, strict=False):
        index, values = _envelope(x[:, channel])
        axes.plot(index * step - kind["before"], values, color=tone, linewidth=0.8)
    quiet(axes, grid="y")


def _envelope(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keep the minimum and maximum of each stretch, so that no peak is lost."""
    if len(x) <= MOST_POINTS:
        return np.arange(len(x)), x
    step = -(-2 * len(x) // MOST_POINTS)
    starts = np.arange(0, len(x), step)
    low, high = np.minimum.reduceat(x, starts), np.maximum.reduceat(x, starts)
    return np.repeat(starts, 2), np.column_stack([low, high]).ravel()


def _scale(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute mean and standard deviation of each feature, so that no feature dominates."""
    spread = x.std(0, keepdims=True)
    return x.mean(0, keepdims=True), np.where(spread > 0, spread, 1)


def _image(
    axes: Any, x: np.ndarray, scale: tuple[np.ndarray, np.ndarray], kind: Mapping[str, Any]
) -> None:
    axes.imshow(
        ((x - scale[0]) / scale[1]).T, aspect="auto", origin="lower", cmap="cividis", vmin=-2.5,
        vmax=2.5, interpolation="none", extent=(0, kind["seconds"], -0.5, x.shape[1] - 0.5),
    )  # fmt: skip
    axes.tick_params(length=0)
