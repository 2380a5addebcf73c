"""Embed a picture in the page as a data URI: as SVG unless that is much longer than PNG."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

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


# A drawing turns dark with the page and stays sharp: that is worth some bytes.
VECTOR_MAY_COST = 1.5


@dataclass(frozen=True)
class FigureView:
    """A picture as the template shows it, with its size in CSS pixels."""

    uri: Markup
    vector: bool
    width: int
    height: int


def figure(path: Path) -> FigureView | None:
    """Embed `path`.svg or `path`.png; return None where neither was drawn.

    Parameters
    ----------
    path : Path
        Without its suffix.

    Raises
    ------
    HeldoutError
        Only one of the two files exists.
    """
    svg, png = (path.with_name(path.name + suffix) for suffix in (".svg", ".png"))
    if not svg.exists() and not png.exists():
        return None
    try:
        drawing, pixels = svg.read_text(encoding="utf-8"), png.read_bytes()
    except OSError as error:
        raise HeldoutError(
            path,
            "a picture as .svg and .png",
            str(error),
            "Delete both and run again: they will be redrawn.",
        ) from error
    size = _size(drawing)
    drawn, coded = _drawn(_shortened(_with_dark(drawing))), base64.b64encode(pixels).decode()
    vector = len(drawn) <= VECTOR_MAY_COST * len(coded)
    uri = f"data:image/svg+xml,{drawn}" if vector else f"data:image/png;base64,{coded}"
    # What is quoted here cannot leave its attribute; escaped once more it would be twice as long.
    return FigureView(Markup(uri), vector, *size)


def _drawn(drawing: str) -> str:
    """Write an SVG as the end of a data URI: shorter than base64, and safe inside quotes."""
    return quote(re.sub(r"\s*\n\s*", " ", drawing), safe=" /:;=,.()'!@*+-_?[]{}|^~$")


def _size(drawing: str) -> tuple[int, int]:
    """Return width and height of an SVG in CSS pixels, 96 per inch; its points are 72 per inch.

    With both, the page does not jump while pictures are decoded.
    """
    size = re.search(r'<svg[^>]*?\swidth="([\d.]+)pt"\s+height="([\d.]+)pt"', drawing)
    if not size:
        return 690, 400
    width, height = (round(float(value) * 96 / 72) for value in size.groups())
    return width, height


def _shortened(drawing: str) -> str:
    """Round coordinates to a hundredth of a point, which nobody sees, and drop the metadata."""

    def rounded(attribute: re.Match[str]) -> str:
        return re.sub(r"-?\d+\.\d{3,}", lambda n: f"{float(n.group()):.2f}", attribute.group())

    drawing = re.sub(
        r"<metadata>.*?</metadata>|<\?xml.*?\?>|<!DOCTYPE[^>]*>", "", drawing, flags=re.S
    )
    return re.sub(r' (?:d|x|y|transform)="[^"]*"', rounded, drawing.strip())


def _with_dark(drawing: str) -> str:
    """Let text and lines of an SVG turn light on a dark page; other viewers see dark ink."""
    rules = "".join(
        f'[style*="{part}: {light}"]{{{part}:{dark}!important}}'
        for light, dark in ON_DARK.items()
        for part in ("stroke", "fill")
    )
    # Text that names no colour is black in SVG.
    rules += f'text:not([style*="fill"]){{fill:{DARK_INK}}}'
    style = (
        '<style id="page">'
        "text{font-family:system-ui,'DejaVu Sans',sans-serif!important}"
        f"@media screen and (prefers-color-scheme:dark){{{rules}}}</style>"
    )
    return re.sub(r"(<svg[^>]*>)", lambda tag: tag.group(1) + style, drawing, count=1)
