"""Where the files of a dataset lie, by source, and what is known of them between two runs.

Beside `resources/data/{dataset}`, a link, lies a hidden folder `resources/data/.{dataset}`:

- `{source}`: the files of one source, or a link to a mirror. The link leads to the one in use, so
  that nothing is moved or deleted to change sources;
- `{source}.json`: size, time of change and SHA-256 of every file there, whether it was fetched, and
  of which folder all this is;
- `parts`, `archives`: unfinished downloads, and downloaded zip files; `lock`.

Where a person made a folder in the place of the link, theirs is used for `source: download`.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.errors import HeldoutError
from lib.files import atomic, read_json, sha256, symlink, write_json
from lib.simulate.simulator import NOTE

SOURCES = ("simulated", "download", "mirror")
MARKER = ".simulated.json"
"""A file in a folder of simulated data: whatever becomes of it, nobody takes it for recordings."""

Listing = dict[str, dict[str, Any]]  # path -> bytes, mtime_ns, sha256, fetched


def is_simulated(folder: Path) -> bool:
    """Tell whether a folder holds simulated data, made here or by `lib.simulate` alone."""
    return any((folder / name).exists() for name in (MARKER, NOTE))


def files_in(folder: Path, *, follow: bool = True) -> list[str]:
    """List the files of a folder as posix paths, sorted, without what is no part of a dataset.

    Hidden files are not, nor is the note that simulated data come with.

    Parameters
    ----------
    folder : Path
        The dataset's folder, or a mirror of it.
    follow : bool
        Whether links may lead out of the folder: a person may link to a big disk, a mirror that
        somebody else keeps may not lead us anywhere.

    Raises
    ------
    HeldoutError
        Something in it is a broken link or no ordinary file, or leads out though it may not.
    """
    root = folder.resolve()
    files: list[str] = []
    passed: set[Path] = set()
    for where, folders, names in os.walk(root, followlinks=follow):
        here = Path(where)
        # A link to a folder above would go round for ever.
        if here.resolve() in passed:
            folders.clear()
            continue
        passed.add(here.resolve())
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in (*folders, *(name for name in names if not name.startswith("."))):
            path = here / name
            # Unlike `resolve`, this takes a link to itself for what it is: a broken one.
            real = Path(os.path.realpath(path))
            shown = folder / path.relative_to(root)
            if not follow and not real.is_relative_to(root):
                raise HeldoutError(
                    shown,
                    f"a file inside {folder}",
                    f"a link to {real}",
                    "Put the file itself there.",
                )
            if real.is_dir():
                continue
            if not real.is_file():
                what = "something else" if real.exists() else "a broken link"
                raise HeldoutError(shown, "an ordinary file", what, "Remove it.")
            files.append(path.relative_to(root).as_posix())
    return sorted(set(files) - {NOTE})


def listing(folder: Path, paths: Iterable[str], *, known: Listing, threads: int = 4) -> Listing:
    """List size, time of change and SHA-256 of files.

    Parameters
    ----------
    folder : Path
        The dataset's folder.
    paths : iterable of str
        Files in it.
    known : dict
        An earlier listing: a file whose size and time of change it has is not read again, and a
        file that it knows as fetched stays so while its bytes are the same.
    threads : int
        Files read at the same time.
    """

    def one(path: str) -> dict[str, Any]:
        # Before reading: a file that changes meanwhile then has another time of change.
        status = (folder / path).stat()
        size, changed = status.st_size, status.st_mtime_ns
        row = known.get(path, {})
        if (row.get("bytes"), row.get("mtime_ns")) == (size, changed):
            return row
        digest = sha256(folder / path)
        # Other bytes than those that were fetched are a person's.
        fetched = row.get("fetched", False) and row["sha256"] == digest
        return {"bytes": size, "mtime_ns": changed, "sha256": digest, "fetched": fetched}

    paths = list(paths)
    with ThreadPoolExecutor(threads) as pool:
        return dict(zip(paths, pool.map(one, paths), strict=True))


def fetched_row(path: Path, digest: str) -> dict[str, Any]:
    """Describe a file that was just fetched, and whose SHA-256 is known, as a row of a listing."""
    status = path.stat()
    size, changed = status.st_size, status.st_mtime_ns
    return {"bytes": size, "mtime_ns": changed, "sha256": digest, "fetched": True}


def read_listing(path: Path, *, folder: str | None = None) -> Listing:
    """Read a listing; one that is missing, damaged or of another folder is an empty one."""
    try:
        value = read_json(path)
        if value.get("folder") != folder:
            return {}
        return {
            str(name): {key: row[key] for key in ("bytes", "mtime_ns", "sha256", "fetched")}
            for name, row in value["files"].items()
        }
    except (HeldoutError, KeyError, TypeError, AttributeError):
        return {}


def move(source: Path, target: Path) -> None:
    """Move a whole file into place, also from another disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with atomic(target) as part:
            shutil.copy2(source, part)
        source.unlink()


@dataclass(frozen=True)
class Place:
    """Where the files of a dataset from one source are.

    Attributes
    ----------
    link : Path
        `resources/data/{dataset}`.
    source : str
        One of `SOURCES`.
    by_hand : bool
        Whether a person's folder, or a person's link to one, is in the place of the link.
    """

    link: Path
    source: str
    by_hand: bool

    @classmethod
    def at(cls, link: Path, source: str) -> Place:
        """Look what is in the place of a link.

        Raises
        ------
        HeldoutError
            It is a file, a person's link that leads nowhere, or a folder of simulated data.
        """
        place = cls(link, source, by_hand=cls._by_hand(link))
        if (place.by_hand or source == "download") and is_simulated(place.folder):
            raise HeldoutError(
                place.folder, "recordings", "simulated data", "Move them away and run again."
            )
        return place

    @staticmethod
    def _by_hand(link: Path) -> bool:
        if link.is_symlink():
            if link.readlink().parent == Path(f".{link.name}"):
                return False
            if not link.is_dir():
                raise HeldoutError(
                    link,
                    "a folder",
                    f"a link to {link.readlink()}, where none is",
                    "Make that folder, or remove the link, and run again.",
                )
            return True
        if not link.exists():
            return False
        if not link.is_dir():
            raise HeldoutError(link, "a folder", "a file", "Move it away and run again.")
        return any(link.iterdir())

    @property
    def hidden(self) -> Path:
        """The project's own folder beside the link."""
        return self.link.parent / f".{self.link.name}"

    @property
    def folder(self) -> Path:
        """Where the files belong."""
        return self.link if self.by_hand else self.hidden / self.source

    def enter(self) -> None:
        """Make the folder, and let the link lead to it."""
        if self.by_hand:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.link.is_dir() and not self.link.is_symlink():
            self.link.rmdir()  # an empty one
        symlink(self.link, self.folder.relative_to(self.link.parent))

    def name_of(self, folder: Path) -> str:
        """Name a folder, whatever links lead to it; as seen from the link, since projects move."""
        real, home = folder.resolve(), self.link.parent.resolve()
        return (real.relative_to(home) if real.is_relative_to(home) else real).as_posix()

    def known(self, folder: Path) -> Listing:
        """Read what an earlier run found in this very folder; empty where that is not known."""
        return read_listing(self.hidden / f"{self.source}.json", folder=self.name_of(folder))

    def remember(self, folder: Path, rows: Listing) -> None:
        """Keep the listing of a folder for the next run, unless it is kept already.

        What is known of files that are excluded now, or gone, is kept, too.
        """
        known = self.known(folder)
        if known != (rows := known | rows):
            value = {"folder": self.name_of(folder), "files": rows}
            write_json(self.hidden / f"{self.source}.json", value)

    def require_link(self, what: str) -> None:
        """Check that no person's folder is where a link has to be.

        Raises
        ------
        HeldoutError
            One is.
        """
        if self.by_hand:
            raise HeldoutError(
                self.link,
                f"{what}, or nothing",
                "files that were put there by hand",
                "Set `source: download` to use them, or move the folder away, and run again. Moved "
                f"to {self.hidden / 'download'}, it is what `source: download` takes.",
            )
