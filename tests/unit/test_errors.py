"""The one exception: its fields, and the text made from them."""

from __future__ import annotations

import doctest
import pickle
from pathlib import Path

import pytest

from lib import errors
from lib.errors import HeldoutError, reason
from lib.files import read_table


def test_examples() -> None:
    assert doctest.testmod(errors).failed == 0


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (("a", "b", "c", "Do d."), "a: expected b, got c. Do d."),
        (("a", "b", "c"), "a: expected b, got c."),
        (("a", "b", "", "Do d."), "a: expected b. Do d."),
        (("a", "", "c", "Do d."), "a: got c. Do d."),
        (("", "b", "c"), "expected b, got c."),
        (("a is wrong", "", "", "Do d."), "a is wrong. Do d."),
        (("Dr. Smith/a. b", "b. c", "d"), "Dr. Smith/a. b: expected b. c, got d."),
        (("a", "b", "c."), "a: expected b, got c."),
        (("a", "b", "c.\n"), "a: expected b, got c."),
        (("a", "b", "c.", "Do d."), "a: expected b, got c. Do d."),
        (("a.", "", "", "Do d."), "a. Do d."),
        (("a whole text.",), "a whole text."),
    ],
)
def test_the_text_is_made_of_the_fields(fields: tuple[str, ...], text: str) -> None:
    error = HeldoutError(*fields)
    assert str(error) == text
    assert str(pickle.loads(pickle.dumps(error))) == text
    assert (error.place, error.expected, error.got, error.advice) == (*fields, "", "", "")[:4]
    assert str(error.within("study x")).startswith("study x")
    if error.expected or error.got:
        assert error.within("study x").fact == error.fact


def test_a_reason_has_neither_the_number_of_the_error_nor_the_path(tmp_path: Path) -> None:
    with pytest.raises(HeldoutError) as caught:
        read_table(tmp_path / "none.csv")
    assert caught.value.got == "No such file or directory"
    assert reason(OSError("no room")) == "no room"
    assert reason(ValueError("not a table")) == "not a table"
