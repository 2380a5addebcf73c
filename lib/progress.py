"""How far a job is, for whoever watches it: on a terminal, and nowhere else."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any, TextIO

FIRST, MOST = 5.0, 60.0
"""Seconds before the first line, and at most between two."""
SHARE = 0.05
"""Between two lines at least this share of the time so far: a long job says less often how far it
is, and a short one nothing."""


def doing(text: str) -> dict[str, Any]:
    """Mark a log message as the start of something long, such as `trial 3 of 48`, as `extra`."""
    return {"doing": text}


def step() -> dict[str, Any]:
    """Mark a log message as a step of what is being done, such as an epoch: pass it as `extra`."""
    return {"step": True}


class Progress(logging.Handler):
    """Shows steps on a terminal, each on a line of its own, not more often than one can read.

    Whole lines, since several jobs and Snakemake write to one terminal: a bar that is drawn over
    again and again, as tqdm's are, would be torn apart by theirs.

    Parameters
    ----------
    job : str
        What begins each line.
    stream : text file, optional
        Standard error by default. Where it is no terminal, nothing is ever written.
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
