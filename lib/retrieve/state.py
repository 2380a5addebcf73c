"""What is known of a dataset's folder between two runs, and where its earlier contents are.

Beside `resources/data/{dataset}` lies a hidden folder `resources/data/.{dataset}`:

- `source`: where the present content of the folder is from. It is only ever written while the
  folder is absent or empty, so that a crash cannot leave a folder with a wrong origin;
- `{source}.json`: size, time of change and SHA-256 of every file of that source;
- `parts/`, `archives/`: unfinished downloads, and downloaded zip files.

The manifest would not do: a workflow engine deletes it before it runs a rule again. Simulated data
say so inside their own folder (`.simulated.json`), which goes wherever the folder goes: they can
never be taken for recordings, even when all else is lost.
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
from lib.files import atomic, read_json, sha256, write_json

SOURCES = ("simulated", "download", "mirror")
MARKER = ".simulated.json"
Listing = dict[str, dict[str, Any]]  # path -> bytes, mtime_ns, sha256


def files_in(folder: Path, *, follow: bool = True) -> list[str]:
    """List the files of a folder as posix paths, sorted; hidden ones are no part of a dataset.

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
    found: list[str] = []
    passed: set[Path] = set()
    for where, folders, names in os.walk(root, followlinks=follow):
        here = Path(where)
        # A link to a folder above would go round for ever.
        real_here = here.resolve()
        folders[:] = [] if real_here in passed else folders
        names = [] if real_here in passed else names
        passed.add(real_here)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in (*folders, *names):
            path = here / name
            if name.startswith("."):
                continue
            # Unlike `resolve`, this takes a link to itself for what it is: a broken one.
            real = Path(os.path.realpath(path))
            shown = folder / path.relative_to(root)
            if not follow and not real.is_relative_to(root):
                raise HeldoutError(
                    f"{shown}: expected a file inside {folder}, got a link to {real}. "
                    "Put the file itself there."
                )
            if real.is_dir():
                continue
            if not real.is_file():
                what = "something else" if real.exists() else "a broken link"
                raise HeldoutError(f"{shown}: expected an ordinary file, got {what}. Remove it.")
            found.append(path.relative_to(root).as_posix())
    return sorted(found)


def listing(folder: Path, paths: Iterable[str], *, known: Listing, threads: int = 4) -> Listing:
    """Give size, time of change and SHA-256 of files.

    Parameters
    ----------
    folder : Path
        The dataset's folder.
    paths : iterable of str
        Files in it.
    known : dict
        An earlier listing: a file whose size and time of change it has is not read again.
    threads : int
        Files read at the same time.
    """

    def one(path: str) -> dict[str, Any]:
        # Before reading: a file that changes meanwhile then has another time of change.
        status = (folder / path).stat()
        row = known.get(path)
        if (
            row is not None
            and row["bytes"] == status.st_size
            and row["mtime_ns"] == status.st_mtime_ns
        ):
            return row
        size, changed = status.st_size, status.st_mtime_ns
        return {"bytes": size, "mtime_ns": changed, "sha256": sha256(folder / path)}

    paths = list(paths)
    with ThreadPoolExecutor(threads) as pool:
        return dict(zip(paths, pool.map(one, paths), strict=True))


def row_of(path: Path, digest: str) -> dict[str, Any]:
    """Give the row of a listing for a file whose SHA-256 is known."""
    status = path.stat()
    return {"bytes": status.st_size, "mtime_ns": status.st_mtime_ns, "sha256": digest}


def place(source: Path, target: Path) -> None:
    """Move a whole file into place, also from another disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with atomic(target) as part:
            shutil.copy2(source, part)
    # Renaming one of two names of the same file onto the other does nothing.
    source.unlink(missing_ok=True)


@dataclass(frozen=True)
class Place:
    """A dataset's folder, and all that lies beside it.

    Attributes
    ----------
    dataset : str
        Name.
    folder : Path
        `resources/data/{dataset}`.
    """

    dataset: str
    folder: Path

    @property
    def hidden(self) -> Path:
        """The project's own folder beside the dataset's."""
        return self.folder.parent / f".{self.folder.name}"

    def aside(self, source: str) -> Path:
        """Name the folder where the content of another source waits."""
        return self.folder.parent / f"{self.folder.name}.{source}"

    def present(self) -> bool:
        """Whether the folder holds anything; an empty one is removed."""
        if self.folder.is_symlink() and self.folder.is_dir():
            return True  # even where it is empty: the link is somebody's
        if self.folder.is_symlink():
            raise HeldoutError(
                f"{self.folder}: expected a folder, got a link to {self.folder.readlink()}, where "
                "none is. Make that folder, or remove the link, and run again."
            )
        if not self.folder.exists():
            return False
        if not self.folder.is_dir():
            raise HeldoutError(
                f"{self.folder}: expected a folder, got a file. Move it away and run again."
            )
        if any(self.folder.iterdir()):
            return True
        self.folder.rmdir()
        return False

    def origin(self) -> str | None:
        """Tell the source of the folder's content: a source, or None where a person put it.

        Raises
        ------
        HeldoutError
            Simulated and other files are mixed.
        """
        if (self.folder / MARKER).exists():
            return self._simulated()
        manifest = self._manifest()
        try:
            source = (self.hidden / "source").read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            source = str(manifest.get("source", ""))
        if source not in SOURCES:
            return None
        sizes = {path: row["bytes"] for path, row in self.known(source).items()}
        if not sizes and manifest.get("source") == source:
            sizes = {row["path"]: row["bytes"] for row in manifest.get("files", [])}
        # Where nothing is left of what was listed, somebody emptied the folder and filled it anew.
        if sizes and not any(
            sizes.get(path) == (self.folder / path).stat().st_size for path in files_in(self.folder)
        ):
            return None
        return source

    def _simulated(self) -> str | None:
        rows = read_listing(self.folder / MARKER)
        found = files_in(self.folder)
        same = {path for path in found if path in rows} if rows else set(found)
        if len(same) == len(found):
            return "simulated"
        if not same:
            # Somebody replaced all of it: the marker speaks of files that are gone.
            (self.folder / MARKER).unlink()
            return None
        other = next(path for path in found if path not in same)
        raise HeldoutError(
            f"{self.folder}: expected simulated data only, got other files among them (first: "
            f"{other}). Move what is yours elsewhere, delete the rest, and run again."
        )

    def _manifest(self) -> dict[str, Any]:
        try:
            value = read_json(self.folder.parent / f"{self.folder.name}.json")
        except HeldoutError:
            return {}
        return value if isinstance(value, dict) else {}

    def known(self, source: str) -> Listing:
        """Give the listing of an earlier run; empty where there is none to be trusted."""
        return read_listing(self.hidden / f"{source}.json")

    def remember(self, source: str, rows: Listing) -> None:
        """Keep the listing for the next run, unless it says what is kept already."""
        if self.known(source) != rows:
            write_json(self.hidden / f"{source}.json", {"files": rows})

    def enter(self, source: str) -> None:
        """Say that what comes into the folder, which is absent, is of `source`."""
        with atomic(self.hidden / "source") as part:
            part.write_text(source + "\n", encoding="utf-8")

    def put_aside(self, name: str) -> Path:
        """Rename the folder to `{dataset}.{name}`, with a number where that name is taken."""
        target = self.aside(name)
        number = 2
        while target.exists() or target.is_symlink():
            target = self.aside(f"{name}-{number}")
            number += 1
        self.folder.rename(target)
        return target

    def keep(self, path: str) -> None:
        """Move a file that is not what it should be to `{dataset}.kept`: it may be somebody's."""
        target = self.aside("kept") / path
        number = 2
        while target.exists():
            target = (self.aside("kept") / path).with_name(f"{Path(path).name}-{number}")
            number += 1
        place(self.folder / path, target)

    def switch(self, source: str) -> None:
        """Make the folder hold what is of `source`, or nothing; lose nothing.

        Raises
        ------
        HeldoutError
            Simulated and other files are mixed.
        """
        if self.present():
            origin = self.origin()
            if origin == source:
                return
            if origin is None and source != "simulated":
                # Files that a person put there are taken for what they are, and verified.
                self.enter(source)
                return
            self.put_aside(origin or "kept")
        # From here to the rename the folder is absent: a crash leaves no content of wrong origin.
        self.enter(source)
        waiting = self.aside(source)
        if waiting.is_dir():
            # What lay there may have been touched: all of it is read again.
            (self.hidden / f"{source}.json").unlink(missing_ok=True)
            waiting.rename(self.folder)


def read_listing(path: Path) -> Listing:
    """Read a listing; one that is missing or damaged is an empty one, so that all is read again."""
    try:
        rows = read_json(path)["files"]
        return {
            str(name): {key: row[key] for key in ("bytes", "mtime_ns", "sha256")}
            for name, row in rows.items()
        }
    except (HeldoutError, KeyError, TypeError, AttributeError):
        return {}
