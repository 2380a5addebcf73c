"""The folder that a run works in: whether it can be written, and no other run works there."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from filelock import FileLock, Timeout

from lib.errors import HeldoutError, reason

_SPACE = "Make room on that disk, or raise its quota,"
_RIGHTS = (
    "Make the folder writable, on a cluster from every node, or work in another one (--directory),"
)
# Errors of the system that stop a job, and what to do about them.
UNWRITABLE = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EFBIG: "Raise the limit on the size of files (ulimit -f)",
    errno.EROFS: _RIGHTS,
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
}


def hand_down_library(folder: str | Path) -> None:
    """Let processes that this one starts import the library of a checkout, not an installed one.

    Parameters
    ----------
    folder : str or Path
        The checkout. Nothing is done where it does not hold `lib`: then that is installed.
    """
    if not Path(folder, "lib").is_dir():
        return
    others = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if str(folder) not in others:
        os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), *others])


def hand_down_one_heap() -> None:
    """Have processes that this one starts keep the memory of all their threads in one heap.

    Each thread has one of its own else, of 64 MiB at most: what is larger the system hands out anew
    in every step of a training, page by page. `lib.networks.backend` asks for one heap too, but
    where pandas was imported before, its threads have theirs already, and JAX's share them: the CNN
    of `exercise` takes 1.7 times as long then. Only glibc looks at this.
    """
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")


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
                folder.resolve(),
                "a folder that this user can write to",
                "one that is read-only",
                "Results are written into the working directory: work in another (--directory), on "
                "a file system that all nodes can write to, or have the rights set.",
            )


def dataset_folder(manifest: str | Path) -> Path:
    """Name the folder of a dataset, which lies beside its manifest.

    A manifest in a store (`--default-storage-provider`) has a local copy, which comes and goes with
    each job. The folder is no output, and stays in the working directory: there it is a volume that
    all jobs see.

    Parameters
    ----------
    manifest : str or Path
        As Snakemake hands it to a script: `resources/data/{dataset}.json`, or the local copy of it.

    Examples
    --------
    >>> dataset_folder("resources/data/mitdb.json").as_posix()
    'resources/data/mitdb'
    >>> dataset_folder(".snakemake/storage/s3/lab/run/resources/data/mitdb.json").as_posix()
    'resources/data/mitdb'
    """
    folder = Path(manifest).with_suffix("")
    if folder.parts[:2] == (".snakemake", "storage"):
        return Path(*folder.parts[-3:])
    return folder


@contextmanager
def packed(output: str | Path) -> Iterator[Path]:
    """Yield a folder to write into: `output`, or what becomes it if that is a zip file."""
    output = Path(output)
    if output.suffix != ".zip":
        yield output
        return
    with TemporaryDirectory() as folder:
        yield Path(folder)
        shutil.make_archive(os.fspath(output.with_suffix("")), "zip", folder)


@contextmanager
def unpacked(source: str | Path) -> Iterator[Path]:
    """Yield a folder with what a zip file holds, or the path itself where that is none."""
    source = Path(source)
    if source.suffix != ".zip":
        yield source
        return
    with TemporaryDirectory() as folder:
        shutil.unpack_archive(source, folder)
        yield Path(folder)


class RunLock:
    """A lock on a folder that ends with the process that holds it, however that ends.

    A run plans first, and takes the lock when it begins to work. What it planned while another run
    was at work is out of date when that one has ended: it would do work again that is done. So it
    remembers who had the folder when it planned.

    Parameters
    ----------
    path : str or Path
        The lock file. Who held it last stands in a file beside it.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._lock = FileLock(path)
        self._last = self._path.with_suffix(".last")
        self._planned = self._holder()

    def _holder(self) -> str | None:
        """Name the run that had the folder last; None where one has it now."""
        try:
            if self._path.exists():
                with self._lock.acquire(timeout=0):
                    pass
            return self._last.read_text(encoding="utf-8") if self._last.exists() else ""
        except Timeout:
            return None
        except OSError:
            # A dry run may look at a folder in which it may not write.
            return ""

    def acquire(self) -> None:
        """Take the lock until the process ends.

        Raises
        ------
        HeldoutError
            Another process holds it, or held it since this object was made; or the folder cannot
            be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # A run that only looks whether the lock is held has it for a moment.
            self._lock.acquire(timeout=2, poll_interval=0.05)
            if self._planned == self._holder():
                self._last.write_text(uuid4().hex, encoding="utf-8")
                return
        except Timeout as error:
            raise HeldoutError(
                f"another run is at work in this folder (it holds {self._path})",
                advice="Wait for it to end, or use a copy of the folder.",
            ) from error
        except OSError as error:
            raise unwritten(error, default=self._path) from error
        self._lock.release()
        raise HeldoutError(
            "another run was at work in this folder while this one planned, and has ended since: "
            "what was planned is out of date",
            advice="Start again.",
        )


def unwritten(error: OSError, *, default: str | Path = "a file") -> HeldoutError:
    """Make the error of a file that cannot be written, for whoever runs the workflow.

    Parameters
    ----------
    error : OSError
        What happened.
    default : str or Path
        Names the file where the error does not.
    """
    return HeldoutError(
        error.filename or default,
        "to be able to read and write it",
        reason(error),
        f"{UNWRITABLE.get(error.errno or 0, _RIGHTS)} and run again: what is finished is kept.",
    )
