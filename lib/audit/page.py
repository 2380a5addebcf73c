"""The audit of a split of files as a page that works offline."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib.files import atomic
from lib.templates import environment


def shown(value: object) -> str:
    """Format a value of a case for people: the items of a list, side by side."""
    if isinstance(value, list):
        return " | ".join(shown(inner) for inner in value)
    return str(value)


def write_page(path: str | Path, audit: Mapping[str, Any], *, source: str) -> None:
    """Write the result of `lib.audit.files.audit_files` as one HTML file.

    Parameters
    ----------
    path : str or Path
        The file to write.
    audit : mapping
        The result.
    source : str
        What was audited, for the heading of the page.
    """
    templates = environment("lib.audit")
    templates.filters["shown"] = shown
    labels = list(next(iter(audit["parts"].values()))["classes"])
    page = templates.get_template("page.html.j2").render(audit=audit, source=source, labels=labels)
    with atomic(path) as part:
        part.write_text(page, encoding="utf-8")
