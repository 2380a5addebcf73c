"""Put a picture into the page: as a data URI, SVG or PNG, whichever is smaller."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from pathlib import Path

from lib.errors import HeldoutError
from lib.plots.style import BLUE, FAINT, GREEN, HOLLOW, INK, ORANGE

# What text, lines and the darker colours of the palette become on a dark page.
DARK_INK = "#d5dae1"
ON_DARK = {
    INK: DARK_INK,
    FAINT: "#3a424d",
    HOLLOW: "#14171b",
    BLUE: "#4da9e0",
    ORANGE: "#ff8a47",
    GREEN: "#2cc295",
}


@dataclass(frozen=True)
class FigureView:
    """A picture as the template shows it."""

    name: str
    uri: str
    vector: bool
    alt: str
    caption: str
    width: int


def figure(path: Path, *, name: str, alt: str, caption: str) -> FigureView | None:
    """Embed `path`.svg or `path`.png; give None where neither was drawn.

    Parameters
    ----------
    path : Path
        Without its suffix.
    name : str
        What a download is called, without suffix.
    alt, caption : str
        What it shows, for who cannot see it and for who can.

    Raises
    ------
    HeldoutError
        Only one of the two files is there.
    """
    svg, png = (path.with_name(path.name + suffix) for suffix in (".svg", ".png"))
    if not svg.exists() and not png.exists():
        return None
    try:
        drawing, pixels = svg.read_text(encoding="utf-8"), png.read_bytes()
    except OSError as error:
        raise HeldoutError(
            f"{path}: expected a picture as .svg and .png, got {error}. "
            "Delete both and run again: they are drawn anew."
        ) from error
    width = _width(drawing)
    adapted = _shortened(_with_dark(drawing)).encode()
    vector = len(adapted) <= len(pixels)
    kind, content = ("svg+xml", adapted) if vector else ("png", pixels)
    uri = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    return FigureView(name, uri, vector, alt, caption, width)


def _width(drawing: str) -> int:
    """Give the width of an SVG in CSS pixels, 96 an inch; its own unit is the point, 72 an inch."""
    found = re.search(r'<svg[^>]*\swidth="([\d.]+)pt"', drawing)
    return round(float(found.group(1)) * 96 / 72) if found else 690


def _shortened(drawing: str) -> str:
    """Write the coordinates of paths to a hundredth of a point: finer cannot be seen."""

    def path(found: re.Match[str]) -> str:
        return re.sub(r"-?\d+\.\d{3,}", lambda n: f"{float(n.group()):.2f}", found.group())

    return re.sub(r' d="[^"]*"', path, drawing)


def _with_dark(drawing: str) -> str:
    """Let text and lines of an SVG turn light on a dark page; a program that draws it sees ink."""
    rules = "".join(
        f'[style*="{part}: {light}"]{{{part}:{dark}!important}}'
        for light, dark in ON_DARK.items()
        for part in ("stroke", "fill")
    )
    # Text that names no colour is black in SVG.
    rules += f'text:not([style*="fill"]){{fill:{DARK_INK}}}'
    style = (
        "<style>text{font-family:system-ui,'DejaVu Sans',sans-serif!important}"
        f"@media screen and (prefers-color-scheme:dark){{{rules}}}</style>"
    )
    return re.sub(r"(<svg[^>]*>)", lambda found: found.group(1) + style, drawing, count=1)
