"""How far a job is, shown on a terminal and nowhere else."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any, TextIO

FIRST, MOST = 5.0, 60.0
"""Seconds before the first line, and at most between two lines."""
SHARE = 0.05
"""Two lines are at least this share of the elapsed time apart: a long job reports less often, and a
short one not at all."""


def doing(text: str) -> dict[str, Any]:
    """Return the `extra` of a log message that starts something long, such as `trial 3 of 48`."""
    return {"doing": text}


def step() -> dict[str, Any]:
    """Return the `extra` of a log message that is a step of it, such as an epoch."""
    return {"step": True}


class Progress(logging.Handler):
    """Shows steps on a terminal, each on its own line, no faster than one can read.

    Whole lines, since several jobs and Snakemake write to one terminal: a bar that is drawn over
    again and again, as tqdm's are, would be torn apart by theirs.

    Parameters
    ----------
    job : str
        The start of each line.
    stream : text file, optional
        Standard error by default. If it is not a terminal, nothing is written.
    """

    def __init__(self, job: str, *, stream: TextIO | None = None) -> None:
        super().__init__(logging.INFO)
        self._stream = stream if stream is not None else sys.stderr
        self._shows = self._stream.isatty()
        self._job, self._doing = job, ""
        self._began = self._shown = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        """Show a step if it is time; remember what is being done."""
        if not self._shows:
            return
        self._doing = getattr(record, "doing", self._doing)
        now = time.monotonic()
        pause = min(MOST, max(FIRST, SHARE * (now - self._began)))
        if not hasattr(record, "step") or now - self._shown < pause:
            return
        self._shown = now
        words = [text for text in (self._job, self._doing, record.getMessage()) if text]
        self._stream.write(", ".join(words) + "\n")
        self._stream.flush()
