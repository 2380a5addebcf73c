"""What every job of the workflow does before and after its work: its log, its lock, its errors."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from lib.errors import HeldoutError
from lib.progress import Progress


def hand_down_library(folder: str | Path) -> None:
    """Let processes that this one starts import the library of a checkout, not an installed one.

    Parameters
    ----------
    folder : str or Path
        The checkout: the folder that holds `lib`.
    """
    others = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if str(folder) not in others:
        os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), *others])


def require_writable(*folders: str | Path) -> None:
    """Raise unless files can be made in folders; those that are not there yet are passed over.

    Raises
    ------
    HeldoutError
        Names the first that is read-only for this user.
    """
    for folder in map(Path, folders):
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            raise HeldoutError(
                f"{folder.resolve()}: expected a folder that this user can write to, got one that "
                "is read-only. Results are written beside the Snakefile: work in a copy of the "
                "project on a file system that all nodes can write to, or have the rights set."
            )


class RunLock:
    """A lock on a folder that ends with the process that holds it, however that ends.

    Parameters
    ----------
    path : str or Path
        The lock file.
    """

    def __init__(self, path: str | Path) -> None:
        self._lock = FileLock(path)

    def acquire(self) -> None:
        """Take the lock until the process ends.

        Raises
        ------
        HeldoutError
            Another process holds it.
        """
        try:
            Path(self._lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise HeldoutError(
                f"another run is at work in this folder (it holds {self._lock.lock_file}). "
                "Wait for it to end, or use a copy of the folder."
            ) from error


@contextmanager
def job(log: str | Path) -> Iterator[logging.Logger]:
    """Run the body of a script with its log.

    Messages go to the log file, and progress to the terminal, if there is one. An error of the
    project is written to the log and to standard error as its text alone, since that says what to
    do; any other error with its traceback. Both end the process with status 1.

    A lock beside the log keeps two processes from doing one job at once: when a run was killed
    and its jobs were not, the next run waits for the orphan instead of writing beside it.

    Parameters
    ----------
    log : str or Path
        The log file; it is written anew.

    Yields
    ------
    logging.Logger
        The logger of the library.
    """
    log = Path(log)
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()
    except OSError as error:
        print(
            f"heldout: {log}: this job cannot write to the folder of the run: {error}. On a "
            "cluster the folder has to be on a file system that every node can write to.",
            file=sys.stderr,
        )
        sys.exit(1)
    with FileLock(log.with_name(f".{log.name}.lock")):
        handler = logging.FileHandler(log, mode="w", encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger = logging.getLogger("lib")
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        progress = Progress(log.stem)
        logger.addHandler(progress)
        logging.captureWarnings(True)
        logging.getLogger("py.warnings").addHandler(handler)
        try:
            yield logger
        except HeldoutError as error:
            logger.error("%s", error)
            print(f"heldout: {error}", file=sys.stderr)
            sys.exit(1)
        except Exception:
            logger.exception("unexpected error")
            traceback.print_exc()
            sys.exit(1)
        finally:
            logger.removeHandler(progress)
            handler.close()
