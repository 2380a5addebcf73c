"""A register of the folders in `tests/wild`, from which docs/faults.md has its table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

Test = TypeVar("Test", bound=Callable[..., Any])


class Case(NamedTuple):
    """One kind of folder that people have: `like` names public reports, `right` what comes out."""

    kind: str
    like: str
    holds: str
    right: str
    name: str


CASES: list[Case] = []


def wild(kind: str, *, like: str, holds: str, right: str) -> Callable[[Test], Test]:
    """Register a test as one folder from the wild.

    Parameters
    ----------
    kind : str
        The heading it stands under, such as `tables`.
    like : str
        Public threads that report it, as `owner/repository#number`, with commas between them;
        or the published dataset that looks like that.
    holds : str
        What is in the folder.
    right : str
        What a person gets: a study and its note, a verdict, or an error and its advice.
    """

    def register(test: Test) -> Test:
        CASES.append(Case(kind, like, holds, right, test.__name__))
        return test

    return register
