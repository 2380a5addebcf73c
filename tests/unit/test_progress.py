"""Progress is for a terminal, in whole lines, and not too often."""

from __future__ import annotations

import io
import logging

import pytest

import lib.progress
from lib.progress import Progress, doing, step


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time, to be set."""
    time = [100.0]
    monkeypatch.setattr(lib.progress.time, "monotonic", lambda: time[0])
    return time


@pytest.fixture
def logger() -> logging.Logger:
    log = logging.getLogger("lib.tests.progress")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.handlers.clear()
    return log


def test_a_line_names_the_job_what_it_does_and_how_far_it_is(
    clock: list[float], logger: logging.Logger
) -> None:
    stream = Terminal()
    logger.addHandler(Progress("voices-lstm", stream=stream))
    logger.info("trial 3 of 48: lstm-8", extra=doing("trial 3 of 48"))
    clock[0] += 6
    logger.info("some other message")
    logger.info("epoch %d of 20", 4, extra=step())
    assert stream.getvalue() == "voices-lstm, trial 3 of 48, epoch 4 of 20\n"


def test_a_short_job_says_nothing_and_a_long_one_less_often(
    clock: list[float], logger: logging.Logger
) -> None:
    stream = Terminal()
    logger.addHandler(Progress("job", stream=stream))

    def lines_of(seconds: int) -> int:
        before = stream.getvalue().count("\n")
        for _ in range(seconds):
            clock[0] += 1
            logger.info("epoch", extra=step())
        return stream.getvalue().count("\n") - before

    assert lines_of(4) == 0
    assert lines_of(60) == 12
    lines_of(3600)
    assert lines_of(600) == 10


def test_nothing_is_written_where_there_is_no_terminal(
    clock: list[float], logger: logging.Logger
) -> None:
    stream = io.StringIO()
    logger.addHandler(Progress("job", stream=stream))
    clock[0] += 100
    logger.info("epoch", extra=step())
    assert stream.getvalue() == ""
