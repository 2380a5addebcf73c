"""The look of all pictures: one palette, one ink colour, and files that are reproducible."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lib.files import atomic
from lib.networks.registry import find

# Okabe and Ito 2008: safe for colour-blind readers. Architectures have theirs in their files.
BLUE, ORANGE, GREEN = "#0072b2", "#d55e00", "#009e73"
AMBER, GREY = "#e69f00", "#8a8f98"
PART_COLOURS = {"train": GREY, "validation": AMBER, "test": BLUE}

# The report swaps these in dark mode, so use them for text and lines only.
INK, FAINT = "#24292f", "#d0d7de"

# What is left of a colour from one variant of an architecture to the next.
PALER = 0.55

# The fill of a hollow dot; dark on a dark page.
HOLLOW = "#fefefe"

BASELINE_NAMES = {
    "majority": "majority class",
    "metadata": "metadata only",
    "logistic": "logistic regression",
    "ridge": "ridge regression",
}

# The mark of what a dot is to be compared with.
TICK: Any = {"marker": "|", "linestyle": "none", "markersize": 11, "markeredgewidth": 1.6}

PIXELS_PER_INCH = 150

# Characters of a name in a picture. A longer one would leave no room for the drawing.
LONGEST = 36

# Any: matplotlib types its settings one literal key at a time.
SETTINGS: Any = {
    **dict.fromkeys(("axes.edgecolor", "axes.labelcolor", "axes.titlecolor", "text.color"), INK),
    **dict.fromkeys(("xtick.color", "ytick.color"), INK),
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "svg.fonttype": "none",
    "svg.hashsalt": "heldout",
    # Class names come from data: a dollar in one is a dollar, not mathematics.
    "text.parse_math": False,
}


def colour(architecture: str) -> str:
    """Return an architecture's colour; baselines and unknown ones are grey."""
    known = find(architecture)
    return known.colour if known else GREY


def colours(architectures: Iterable[str]) -> dict[str, str]:
    """Choose a colour for each of several networks that one pair of axes tells by colour alone.

    Variants of one architecture have paler and paler shades of its colour.
    """
    chosen: dict[str, str] = {}
    for name in architectures:
        pale = 1 - PALER ** sum(of.partition(".")[0] == name.partition(".")[0] for of in chosen)
        red, green, blue = (one + pale * (1 - one) for one in to_rgb(colour(name)))
        chosen[name] = to_hex((red, green, blue))
    return chosen


def display(architecture: str) -> str:
    """Return the name of an architecture or baseline as people write it."""
    known = find(architecture)
    return known.title if known else BASELINE_NAMES.get(architecture, architecture)


def decimal(value: float, *, digits: int = 2, sign: bool = False) -> str:
    """Write a number with a real minus: a line may break at a hyphen.

    Parameters
    ----------
    value : float
        NaN is empty.
    digits : int
        After the point.
    sign : bool
        Whether it is a difference, with a plus where it is positive. What rounds to zero has none.
    """
    if not math.isfinite(value):
        return ""
    rounded = round(value, digits) + 0.0  # no minus before a zero
    return f"{rounded:{'+' if sign and rounded else ''},.{digits}f}".replace("-", "−")


def short(name: str) -> str:
    """Shorten a name from data to one line that a picture has room for."""
    line = " ".join(name.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def canvas(width: float, height: float) -> Figure:
    """Create an empty figure of that size (inches) outside of pyplot's global state."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def panels(
    count: int, *, most: int, width: float, height: float, margin: tuple[float, float], share: bool
) -> tuple[Figure, Any]:
    """Create a figure with a grid of axes; those beyond `count` are hidden.

    Parameters
    ----------
    count, most : int
        How many axes are used, and how many fit side by side.
    width, height : float
        Of one of them, in inches.
    margin : (float, float)
        Extra width and height of the figure, in inches.
    share : bool
        Whether all have the same scales.
    """
    columns = min(count, most)
    rows = -(-count // columns)
    figure = canvas(width * columns + margin[0], height * rows + margin[1])
    grid = figure.subplots(rows, columns, sharex=share, sharey=share, squeeze=False)
    for axes in grid.flat[count:]:
        axes.set_visible(False)
    return figure, grid


def quiet(axes: Axes, *, grid: str = "x") -> None:
    """Remove the tick marks, and draw faint grid lines."""
    axes.tick_params(length=0)
    axes.grid(axis=grid)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def key(label: str, **marker: Any) -> Line2D:
    """Make an entry of a legend that is a mark without a line; a dot if nothing else is said."""
    return Line2D(
        [], [], **{"linestyle": "none", "color": INK, "marker": "o"} | marker, label=label
    )


def score_rows(labels: Sequence[str], label: str, *, height: float) -> tuple[Figure, Axes]:
    """Create a figure with a row for each label, so high (inches), on a scale from 0 to 1."""
    figure = canvas(5.6, 0.9 + height * len(labels))
    axes = figure.subplots()
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel(label)
    quiet(axes)
    axes.spines["left"].set_visible(False)
    return figure, axes


def mark_simulated(figure: Figure | None) -> None:
    """Label a picture as one of simulated recordings: files are shared without their page."""
    if figure is None:
        return
    with mpl.rc_context(SETTINGS):
        # A legend without entries: it takes room of its own, so that it covers nothing.
        figure.legend(
            handles=[], title="simulated recordings", loc="outside lower right",
            title_fontproperties={"size": 7, "style": "italic"},
        )  # fmt: skip


def save(figure: Figure, path: Path) -> list[Path]:
    """Write a figure as `path`.svg and `path`.png, without dates; return both paths."""
    svg, png = (path.with_name(path.name + suffix) for suffix in (".svg", ".png"))
    with mpl.rc_context(SETTINGS):
        # The layout is the slowest step and must be the same in both files, so it is done once.
        # `savefig` would draw each file twice.
        layout = figure.get_layout_engine()
        if layout is not None:
            layout.execute(figure)
        figure.set_layout_engine("none")
        # Transparent, so that the page's own background shows, dark or light.
        for patch in (figure.patch, *(axes.patch for axes in figure.axes)):
            patch.set_facecolor("none")
        with atomic(svg) as part:
            FigureCanvasSVG(figure).print_svg(part, metadata={"Date": None, "Creator": None})
        figure.patch.set_facecolor("white")
        figure.set_dpi(PIXELS_PER_INCH)
        with atomic(png) as part:
            FigureCanvasAgg(figure).print_png(part)
    return [svg, png]
