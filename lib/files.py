"""Read and write files so that nothing half-written ever has its final name."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import platform
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib.errors import HeldoutError, reason

if TYPE_CHECKING:
    import pandas as pd


# What no person made: hidden files, and what archivers, network disks and systems leave behind.
_HIDDEN = re.compile(
    r"(^|/)(\.|(__MACOSX|@eaDir|#recycle|\$RECYCLE\.BIN|lost\+found|System Volume Information)"
    r"(/|$))"
)

REMAKE = "Delete it and run again: it will be recreated."

# What a person writes is nowhere near it; some lines of aliases that refer to each other are.
_MOST = 100_000
_ALIAS = "Look for an alias (*name) that refers to what contains it."


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and move it into place if the block succeeds.

    What a process of this machine left of `path` that was killed as it wrote is deleted.

    Parameters
    ----------
    path : str or Path
        The final name. Its folder is created if missing.

    Yields
    ------
    Path
        Where to write. It has the suffix of `path`, since writers choose their format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Machine and process separate two writers of one file: the last one wins, with a whole file.
    start, end = f".{path.stem}.{platform.node()}.", f".part{path.suffix}"
    for left in _parts(path.parent.absolute()):
        writer = left.name.removeprefix(start).removesuffix(end)
        if left.name == f"{start}{writer}{end}" and writer.isdecimal() and not _alive(int(writer)):
            left.unlink(missing_ok=True)
    part = path.with_name(f"{start}{os.getpid()}{end}")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@cache
def _parts(folder: Path) -> list[Path]:
    """List what was half-written in a folder when this process first wrote there."""
    with os.scandir(folder) as entries:
        return [Path(entry.path) for entry in entries if ".part" in entry.name[-20:]]


def _alive(pid: int) -> bool:
    """Tell whether a process is at work; one that has ended may stay listed for a while."""
    # Here, since a file is seldom left.
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def symlink(path: str | Path, target: str | Path) -> None:
    """Let `path` be a symbolic link to `target`, at once, whatever link was there before.

    Raises
    ------
    HeldoutError
        The file system has no symbolic links.
    """
    path, target = Path(path), Path(target)
    if path.is_symlink() and path.readlink() == target:
        return
    try:
        with atomic(path) as part:
            part.unlink(missing_ok=True)
            part.symlink_to(target, target_is_directory=True)
    except OSError as error:
        # What a file system says that has none: not permitted, or not supported.
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
            raise
        raise HeldoutError(
            path,
            "a file system with symbolic links",
            f"{error}",
            "Put the project on another disk; exFAT and FAT have none.",
        ) from error


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically. NaN is refused: it is not JSON."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    with atomic(path) as part:
        part.write_text(text + "\n", encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    HeldoutError
        The file is missing or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise HeldoutError(path, "a JSON file", reason(error), REMAKE) from error


def write_table(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table as CSV or Parquet, by the suffix of `path`, atomically, without its index."""
    with atomic(path) as part:
        if part.suffix == ".parquet":
            table.to_parquet(part, index=False)
        else:
            table.to_csv(part, index=False, lineterminator="\n")


def read_table(path: str | Path, *, text: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read a CSV or Parquet table.

    Parameters
    ----------
    path : str or Path
        A `.csv` or `.parquet` file.
    text : tuple of str
        Columns of a CSV that are text even where they look like numbers (record `100`).

    Raises
    ------
    HeldoutError
        The file is missing or cannot be read.
    """
    import pandas as pd

    path = Path(path)
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        # "NA" may be a class or a group: only an empty field is missing, and text is never missing.
        table = pd.read_csv(
            path, dtype=dict.fromkeys(text, str), keep_default_na=False, na_values=[""]
        )
    except (OSError, ValueError) as error:
        raise HeldoutError(path, f"a {path.suffix[1:]} table", reason(error), REMAKE) from error
    columns = [name for name in table.columns if name in text]
    table[columns] = table[columns].fillna("")
    return table


def sha256(path: str | Path) -> str:
    """Compute the SHA-256 of a file's bytes as 64 hexadecimal digits."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_file(path: str | Path) -> bool:
    """Say whether a file exists; one whose name is too long does not.

    `Path.is_file` raises OSError for such a name, and a table may hold any.
    """
    return os.path.isfile(path)  # noqa: PTH113


def safe_path(path: str) -> bool:
    """Say whether a relative path with / between its parts stays inside its folder."""
    if not path or path.startswith("/") or "\\" in path or re.match(r"^[A-Za-z]:", path):
        return False
    if any(ord(char) < 32 or ord(char) == 127 for char in path):
        return False
    return all(part not in ("", ".", "..") for part in path.rstrip("/").split("/"))


def is_hidden(name: str) -> bool:
    """Tell whether a path within a folder is hidden, or lies in a folder that is.

    Parameters
    ----------
    name : str
        In posix form, within the folder.

    Returns
    -------
    bool
        Whether a part of it begins with a dot, or is what archivers, network disks and systems
        leave behind.

    Examples
    --------
    >>> [is_hidden(name) for name in ("a/.b/c.wav", "__MACOSX/c.wav", "a/@eaDir", "a/c.wav")]
    [True, True, True, False]
    """
    return bool(_HIDDEN.search(name))


def _loader() -> Any:
    """Return a loader of plain values that rejects duplicate keys: the later one would win."""
    import yaml

    class Loader(yaml.SafeLoader):
        def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
            node = super().compose_mapping_node(anchor)
            seen: set[str] = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value in seen:
                    raise yaml.composer.ComposerError(
                        None, None, f"the key {key.value!r} appears twice", key.start_mark
                    )
                if isinstance(key, yaml.ScalarNode):
                    seen.add(key.value)
            return node

    return Loader


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file without running anything it might hold.

    Raises
    ------
    HeldoutError
        The file is missing, is not YAML, has a key twice in one mapping, or is not plain (see
        `require_plain`).
    """
    # Here, since what only trains reads no YAML.
    import yaml

    try:
        value = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_loader())
    # ValueError: a date or a number that Python cannot hold, or no UTF-8.
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        raise HeldoutError(
            path, "a YAML file", f"{error or type(error).__name__}", "Correct it."
        ) from error
    require_plain(value, str(path))
    return value


def require_plain(value: Any, where: str) -> None:
    """Check that a value is what a person may mean: numbers are finite, keys are text.

    Parameters
    ----------
    value : object
        What was read.
    where : str
        What errors name.

    Raises
    ------
    HeldoutError
        A number is NaN or infinite, a key is no text, the value holds itself, or aliases that refer
        to each other stand for more than 100,000 values.
    """
    # What several aliases stand for is looked at once: how many values it is, written out.
    sizes: dict[int, int] = {}

    def check(item: Any, path: str) -> int:
        if isinstance(item, float) and not math.isfinite(item):
            raise HeldoutError(f"{where}: {path}", "a finite number", str(item), "Correct it.")
        if not isinstance(item, Mapping | list | tuple):
            return 1
        if id(item) not in sizes:
            named, size = isinstance(item, Mapping), 1
            for key, inner in item.items() if isinstance(item, Mapping) else enumerate(item):
                if named and not isinstance(key, str):
                    place = f"{where}: {path or 'top level'}"
                    raise HeldoutError(place, "keys of text", repr(key), "Put it in quotes.")
                size += check(inner, f"{path}.{key}".lstrip("."))
            if size > _MOST:
                raise HeldoutError(where, f"at most {_MOST:,} values", "more", _ALIAS)
            sizes[id(item)] = size
        return sizes[id(item)]

    try:
        check(value, "")
    except RecursionError:
        raise HeldoutError(where, "values that end", advice=_ALIAS) from None
