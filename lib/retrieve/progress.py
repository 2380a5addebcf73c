"""One line on a terminal that says how far a retrieval is; nothing where nobody looks."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

Callback = Callable[[str, int, int | None], None]


class Progress:
    """Tell a callback, or the terminal, how many bytes have come. Safe to call from threads.

    Parameters
    ----------
    dataset : str
        What the line names.
    callback : callable, optional
        Called with the path, the bytes so far, and the bytes in all (None where unknown). Without
        one, a line is drawn on `stream` if that is a terminal.
    stream : text file, optional
        Standard error by default.
    """

    def __init__(
        self, dataset: str, *, callback: Callback | None = None, stream: TextIO | None = None
    ) -> None:
        self._dataset = dataset
        self._callback = callback
        self._stream = stream if stream is not None else sys.stderr
        self._draws = callback is None and self._stream.isatty()
        self._lock = threading.Lock()
        self._sizes: dict[str, int] = {}
        self._drawn = 0.0

    def __call__(self, path: str, done: int, total: int | None) -> None:
        """Report that `done` of `total` bytes of `path` are here."""
        if self._callback is None and not self._draws:
            return
        with self._lock:
            if self._callback is not None:
                self._callback(path, done, total)
                return
            self._sizes[path] = done
            if time.monotonic() - self._drawn > 0.2:
                self._drawn = time.monotonic()
                text = f"{self._dataset}: {len(self._sizes)} files, {self._megabytes():.1f} MB"
                self._stream.write(f"\r{text}, {path}"[:100].ljust(100))
                self._stream.flush()

    def __enter__(self) -> Progress:
        """Give itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the line, so that what is printed next starts on its own."""
        if self._draws and self._sizes:
            self._stream.write("\r" + " " * 100 + "\r")
            self._stream.flush()

    def _megabytes(self) -> float:
        return sum(self._sizes.values()) / 1e6
