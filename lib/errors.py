"""The one exception of the project, and what its texts are made with."""

from __future__ import annotations

import difflib


class HeldoutError(Exception):
    """What a person can mend: bad data, a bad setting, a split that leaks.

    The text names the thing, what was expected, what came, and what to do.
    """


def suggestion(name: str, known: list[str]) -> str:
    """Say which of the known names was meant, if one is near, and list them all."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    meant = f"Did you mean {near[0]!r}? " if near else ""
    return f"{meant}Known: {', '.join(known)}."
