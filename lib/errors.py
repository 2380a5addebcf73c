"""The one exception of the project, and what its texts are made with."""

from __future__ import annotations

import difflib
from pathlib import Path

# More names than these are no help to somebody who misspelt one.
_LISTED = 30


class HeldoutError(Exception):
    """What a person can fix: bad data, a bad setting, a split that leaks.

    Parameters
    ----------
    place : str or Path
        What it is about: a file, a setting, a study.
    expected, got : str, optional
        What was expected there, and what came, without a full stop.
    advice : str, optional
        What to do: whole sentences.

    Examples
    --------
    >>> error = HeldoutError("a.wav", "44 bytes or more", "12", "Fetch it again.")
    >>> print(error)
    a.wav: expected 44 bytes or more, got 12. Fetch it again.
    >>> error.fact
    'expected 44 bytes or more, got 12'
    >>> print(error.within("study voices"))
    study voices: a.wav: expected 44 bytes or more, got 12. Fetch it again.
    """

    def __init__(
        self, place: str | Path, expected: str = "", got: str = "", advice: str = ""
    ) -> None:
        # All of them, so that a copy from another process has them too.
        super().__init__(str(place), expected, got, advice)
        self.place, self.expected, self.got, self.advice = str(place), expected, got, advice

    @property
    def fact(self) -> str:
        """What is wrong, without where and what to do."""
        both = (self.expected and f"expected {self.expected}", self.got and f"got {self.got}")
        return ", ".join(filter(None, both)) or self.place

    def __str__(self) -> str:
        """Return the whole text."""
        stated = self.expected or self.got
        if not (stated or self.advice):
            return self.place
        head = f"{self.place}: {self.fact}" if stated and self.place else self.fact
        # What is quoted of another error may end with a stop or a new line of its own.
        text = f"{head.rstrip().removesuffix('.')}."
        return f"{text} {self.advice}" if self.advice else text

    def within(self, place: str | Path) -> HeldoutError:
        """Return the same error, with a larger thing named before its place."""
        inner = f"{place}: {self.place}" if self.place else str(place)
        return type(self)(inner, self.expected, self.got, self.advice)


def suggestion(name: str, known: list[str]) -> str:
    """Say which of the known names was meant, if one is near, and list them, if not too many."""
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return f"{meant(name, known)}Known: {', '.join(known[:_LISTED])}{more}."


def meant(name: str, known: list[str]) -> str:
    """Ask whether the nearest of the known names was meant; empty where none is near."""
    near = nearest(name, known)
    return f"Did you mean {near!r}? " if near else ""


def nearest(name: str, known: list[str]) -> str:
    """Name the one of the known names that is near; empty where none is."""
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.5)), "")


def counted(count: int, thing: str) -> str:
    """Write a number of things."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def reason(error: BaseException) -> str:
    """Say why a file cannot be read or written, without the error's number or the path again."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)
