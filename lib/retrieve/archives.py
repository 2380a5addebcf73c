"""Unpacking published zip files into the published layout, trusting nothing that they say."""

from __future__ import annotations

import stat
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lib.errors import HeldoutError
from lib.files import safe_path

_UTF8 = 0x800  # general purpose bit 11 of a zip member: its name is UTF-8
_ENCRYPTED = 0x1
_LONGEST = 255  # bytes of a name, on every common file system


@dataclass(frozen=True)
class Limits:
    """What an archive may hold at most, against archives made to fill a disk.

    Attributes
    ----------
    members : int
        Files and folders.
    size : int
        Bytes of all members unpacked.
    ratio : float
        Unpacked bytes per packed byte of one member. PCM audio packs to a half or a third; digital
        silence much better, so small members are let off (`ratio_from`).
    ratio_from : int
        Unpacked bytes from which `ratio` counts.
    """

    members: int = 10_000
    size: int = 2 << 30
    ratio: float = 200.0
    ratio_from: int = 10 << 20


def members(archive: Path, *, limits: Limits | None = None) -> list[zipfile.ZipInfo]:
    """List the files of a zip, after every one of its entries was found harmless.

    Parameters
    ----------
    archive : Path
        A zip file.
    limits : Limits, optional
        What it may hold at most.

    Raises
    ------
    HeldoutError
        It is not a zip; or an entry is encrypted, has an absolute path, a path with `..`, a name
        that is not UTF-8 or that another entry has, is a link or a device, is packed by a method
        that nobody uses; or a limit is passed.
    """
    limits = limits or Limits()
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = opened.infolist()
    except Exception as error:  # zipfile raises whatever the bytes lead it to
        raise _refused(archive, "a zip file with UTF-8 names", f"{error}") from error
    if len(entries) > limits.members:
        raise _refused(archive, f"at most {limits.members:,} entries", f"{len(entries):,}")
    total = sum(entry.file_size for entry in entries)
    if total > limits.size:
        raise _refused(archive, f"at most {limits.size:,} bytes unpacked", f"{total:,}")
    seen: set[str] = set()
    for entry in entries:
        _check(archive, entry, limits)
        # Two names that differ in case or in the form of an accent are one file on some disks.
        key = unicodedata.normalize("NFC", entry.filename.rstrip("/")).casefold()
        if key in seen:
            raise _refused(archive, "every name once", f"{entry.filename!r} twice")
        seen.add(key)
    files = {entry.filename for entry in entries if not entry.is_dir()}
    for entry in entries:
        for folder in PurePosixPath(entry.filename).parents:
            if str(folder) in files:
                raise _refused(archive, f"{folder} as a file or a folder", "both")
    return [entry for entry in entries if not entry.is_dir()]


def unpack(
    archive: Path,
    *,
    layout: Callable[[str], str | None],
    place: Callable[[str, Path], None],
    scratch: Path,
    limits: Limits | None = None,
) -> list[str]:
    """Unpack a zip, one whole member at a time.

    Parameters
    ----------
    archive : Path
        A zip file.
    layout : callable
        Maps the name of a member to its path in the published layout, or to None where it is not
        part of it. It is not asked about what macOS adds to a zip.
    place : callable
        Takes that path and a file with its content, and moves the file there.
    scratch : Path
        Where a member is written before it is whole.
    limits : Limits, optional
        What the archive may hold at most.

    Returns
    -------
    list of str
        Paths in the published layout, sorted.

    Raises
    ------
    HeldoutError
        See `members`; or a member is damaged, two belong at one path, or `layout` refuses one.
    """
    targets: dict[str, zipfile.ZipInfo] = {}
    for entry in members(archive, limits=limits):
        path = PurePosixPath(entry.filename)
        # What macOS adds: folders of resource forks, and files that begin with a dot.
        if "__MACOSX" in path.parts or path.name.startswith("."):
            continue
        try:
            target = layout(entry.filename)
        except HeldoutError as error:
            raise error.within(archive.name) from error
        if target is None:
            continue
        if target in targets:
            both = f"{targets[target].filename!r} and {entry.filename!r}"
            raise _refused(archive, f"one member for {target}", both)
        targets[target] = entry
    scratch.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive) as opened:
        for target, entry in sorted(targets.items()):
            try:
                with scratch.open("wb") as sink:
                    for chunk in _content(archive, opened, entry):
                        sink.write(chunk)
                place(target, scratch)
            finally:
                scratch.unlink(missing_ok=True)
    return sorted(targets)


def _content(archive: Path, opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Read a member in pieces; what goes wrong in writing them is not its fault."""
    size, whole = 0, f"{entry.filename!r} whole"
    try:
        # zipfile stops at the stated size and compares the checksum: no more comes than `members`
        # has allowed.
        with opened.open(entry) as source:
            while chunk := source.read(1 << 20):
                size += len(chunk)
                yield chunk
    except Exception as error:  # as in `members`
        raise _refused(archive, whole, f"{error}") from error
    if size != entry.file_size:
        stated = f"{size:,} of the {entry.file_size:,} bytes that it says"
        raise _refused(archive, whole, stated)


def _check(archive: Path, entry: zipfile.ZipInfo, limits: Limits) -> None:
    """Refuse one harmful entry."""
    # `filename` has been cut at a NUL and had its separators changed: judge what the zip says.
    name = entry.orig_filename
    # Archives made on Unix carry the kind of file in the upper half of the attributes; 0: unknown.
    kind = stat.S_IFMT(entry.external_attr >> 16)
    size, packed = entry.file_size, max(entry.compress_size, 1)
    checks = (
        (name.isascii() or entry.flag_bits & _UTF8, "UTF-8 names", f"{name!r}"),
        (safe_path(name), "names inside the folder", f"{name!r}"),
        (
            all(len(part.encode()) <= _LONGEST for part in name.split("/")),
            f"names of at most {_LONGEST} bytes",
            f"{name[:80]!r}…",
        ),
        (
            kind in (0, stat.S_IFREG, stat.S_IFDIR),
            "files and folders",
            f"a link or a device: {name!r}",
        ),
        (
            entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED),
            "members stored or deflated",
            f"{name!r} packed by method {entry.compress_type}",
        ),
        (not entry.flag_bits & _ENCRYPTED, "no encryption", f"{name!r} encrypted"),
        (
            size <= max(limits.ratio_from, limits.ratio * packed),
            f"members packed at most {limits.ratio:g}:1",
            f"{name!r} with {size:,} bytes from {packed:,}",
        ),
    )
    for harmless, expected, got in checks:
        if not harmless:
            raise _refused(archive, expected, got)


def _refused(archive: Path, expected: str, got: str) -> HeldoutError:
    return HeldoutError(
        archive.name,
        expected,
        got,
        "Nothing of it is used. Look whether the publisher changed it, and run again: it is "
        "fetched anew.",
    )
