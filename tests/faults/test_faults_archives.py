"""Archives made to do harm: refused with the name, and nothing is written anywhere."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lib.errors import HeldoutError
from lib.retrieve.archives import Limits, members, unpack

LIMITS = Limits(members=50, size=1 << 20, ratio=100, ratio_from=1 << 16)
Entry = tuple[zipfile.ZipInfo | str, bytes]


def zipped(*entries: Entry, kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", kind) as opened:
        for name, body in entries:
            if isinstance(name, zipfile.ZipInfo):
                name.compress_type = kind
            opened.writestr(name, body)
    return stream.getvalue()


def named(name: str, body: bytes = b"2") -> bytes:
    """Return an archive with one good member and one of this name, whatever zipfile makes of it."""
    info = zipfile.ZipInfo("x")
    info.filename = name
    return zipped(("good.wav", b"1" * 50), (info, body))


def special(mode: int, body: bytes) -> bytes:
    info = zipfile.ZipInfo("special")
    info.create_system = 3
    info.external_attr = mode << 16
    return zipped(("good.wav", b"1" * 50), (info, body))


def patched(content: bytes, find: bytes, by: bytes) -> bytes:
    assert find in content
    assert len(find) == len(by)
    return content.replace(find, by)


def central(content: bytes, offset: int, layout: str, value: int, *, local: int | None) -> bytes:
    """Change a field of the last member, in the central directory and in its own header."""
    changed = bytearray(content)
    struct.pack_into(layout, changed, content.rindex(b"PK\x01\x02") + offset, value)
    if local is not None:
        struct.pack_into(layout, changed, content.rindex(b"PK\x03\x04") + local, value)
    return bytes(changed)


def overlapping() -> bytes:
    """Return an archive in which many members are the same packed bytes."""
    content = zipped(*((f"{i:02}.wav", bytes(60_000)) for i in range(30)))
    changed = bytearray(content)
    first = content.index(b"PK\x01\x02")
    at = first
    while (at := content.find(b"PK\x01\x02", at)) >= 0:
        struct.pack_into("<L", changed, at + 42, 0)
        at += 4
    return bytes(changed)


def tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as opened:
        for name, kind, target in (
            ("../x", tarfile.REGTYPE, ""),
            ("link", tarfile.SYMTYPE, "/etc/passwd"),
            ("hard", tarfile.LNKTYPE, "../../x"),
            ("device", tarfile.CHRTYPE, ""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            opened.addfile(info)
    return stream.getvalue()


GOOD = zipped(("a/", b""), ("a/1.wav", bytes(range(256)) * 40), ("b.wav", b"2" * 500))
OUTSIDE = "expected names inside the folder"
# Bytes of an archive, and what the error says.
HARMFUL: dict[str, tuple[Callable[[], bytes], str]] = {
    **{
        f"name {name!r}": ((lambda name=name: named(name)), OUTSIDE)
        for name in (
            *("/etc/x", "//x", "../x", "../../x", "a/../../x", "a/..", "..", "./x", "a/./x"),
            *("C:/x", "c:x", "C:\\x", "..\\x", "\\\\host\\x", "a\\b", "a//x", "/"),
            *("a\nb", "a\rb", "a\tb", "\x7f", "\x1b[2Jx"),
        )
    },
    "a name with a NUL": (lambda: patched(named("goodZ../x"), b"Z../x", b"\0../x"), OUTSIDE),
    "an empty name": (
        lambda: central(zipped(("x", b"1")), 28, "<H", 0, local=26),
        "expected",
    ),
    "a name of 300 bytes": (lambda: named("x" * 300), "names of at most 255 bytes"),
    "a name in Latin-1": (
        lambda: patched(zipped(("caf?.wav", b"1")), b"caf?", b"caf\xe9"),
        "expected UTF-8 names",
    ),
    "a name that is not the UTF-8 it says": (
        lambda: patched(zipped(("é.wav", b"1")), "é".encode(), b"\xc3\xc3"),
        "a zip file with UTF-8 names",
    ),
    "a name twice": (
        lambda: patched(zipped(("a.wav", b"1"), ("b.wav", b"2")), b"b.wav", b"a.wav"),
        "every name once",
    ),
    "a name twice but for case": (lambda: zipped(("a.wav", b"1"), ("A.WAV", b"2")), "every name"),
    "a name twice but for its accents": (
        lambda: zipped(("é.wav", b"1"), (unicodedata.normalize("NFD", "é.wav"), b"2")),
        "every name once",
    ),
    "a file and a folder of one name": (
        lambda: zipped(("a.wav", b"1"), ("a.wav/", b"")),
        "every name once",
    ),
    "a file in a file": (lambda: zipped(("a", b"1"), ("a/b.wav", b"2")), "got both"),
    "a symbolic link": (lambda: special(stat.S_IFLNK | 0o777, b"/etc/passwd"), "a link or a dev"),
    "a character device": (lambda: special(stat.S_IFCHR | 0o666, b""), "a link or a device"),
    "a block device": (lambda: special(stat.S_IFBLK | 0o666, b""), "a link or a device"),
    "a pipe": (lambda: special(stat.S_IFIFO | 0o666, b""), "a link or a device"),
    "a socket": (lambda: special(stat.S_IFSOCK | 0o666, b""), "a link or a device"),
    "a bomb in one member": (lambda: zipped(("a.wav", bytes(1 << 19))), "packed at most 100:1"),
    "a bomb in many": (
        lambda: zipped(*((f"{i}.wav", bytes(60_000)) for i in range(20))),
        "at most 1,048,576 bytes unpacked",
    ),
    "a bomb of members that overlap": (overlapping, "at most 1,048,576 bytes unpacked"),
    "too many members": (
        lambda: zipped(*((f"{i}.wav", b"") for i in range(51))),
        "at most 50 entries, got 51",
    ),
    "too many folders": (
        lambda: zipped(*((f"{i}/", b"") for i in range(51))),
        "at most 50 entries, got 51",
    ),
    "larger than it says": (
        lambda: central(GOOD, 24, "<L", 10, local=22),
        "'b.wav' whole, got",
    ),
    "smaller than it says": (
        lambda: central(zipped(("b.wav", b"2" * 500), kind=0), 24, "<L", 600, local=22),
        "expected",
    ),
    "beyond the end of the archive": (
        lambda: central(GOOD, 42, "<L", 10**6, local=None),
        "'b.wav' whole, got",
    ),
    "of another name in its own header": (
        lambda: GOOD.replace(b"b.wav", b"c.wav", 1),
        "'b.wav' whole, got",
    ),
    "a wrong checksum": (lambda: central(GOOD, 16, "<L", 1, local=14), "'b.wav' whole, got"),
    "encrypted": (lambda: central(GOOD, 8, "<H", 1, local=6), "no encryption"),
    "strongly encrypted": (lambda: central(GOOD, 8, "<H", 0x41, local=6), "no encryption"),
    "packed by bzip2": (lambda: zipped(("a.wav", b"1"), kind=zipfile.ZIP_BZIP2), "by method 12"),
    "packed by LZMA": (lambda: zipped(("a.wav", b"1"), kind=zipfile.ZIP_LZMA), "by method 14"),
    "packed by a method of no name": (lambda: central(GOOD, 10, "<H", 99, local=8), "method 99"),
    "of a version to come": (lambda: central(GOOD, 6, "<H", 99, local=4), "expected"),
    **{
        f"cut at {tenth * 10} %": (
            (lambda tenth=tenth: GOOD[: len(GOOD) * tenth // 10]),
            "a zip file",
        )
        for tenth in range(1, 10)
    },
    "empty": (lambda: b"", "a zip file"),
    "a page": (lambda: b"<html>Sign in</html>", "a zip file"),
    "a tar with links and devices": (tar, "a zip file"),
    "a gzip": (lambda: gzip.compress(GOOD), "a zip file"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", HARMFUL)
def test_a_harmful_archive_is_refused_whole(tmp_path: Path, name: str) -> None:
    make, words = HARMFUL[name]
    archive = tmp_path / "in" / "packed.zip"
    archive.parent.mkdir()
    archive.write_bytes(make())
    placed: list[str] = []

    def place(path: str, file: Path) -> None:
        placed.append(path)
        target = tmp_path / "out" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        file.rename(target)

    with pytest.raises(HeldoutError, match=words) as caught:
        unpack(
            archive,
            layout=lambda member: member,
            place=place,
            scratch=tmp_path / "scratch" / "part",
            limits=LIMITS,
        )
    assert str(caught.value).startswith("packed.zip: expected")
    # Where the list of members is sound, those before the damaged one may have come.
    whole = {f"out/{path}" for path in placed}
    found = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if not p.is_dir()}
    assert found == {"in/packed.zip"} | whole
    assert set(placed) <= {"a/1.wav"}
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))


def test_a_good_archive_passes_the_same_limits(tmp_path: Path) -> None:
    archive = tmp_path / "packed.zip"
    archive.write_bytes(GOOD)
    assert [entry.filename for entry in members(archive, limits=LIMITS)] == ["a/1.wav", "b.wav"]


def test_a_disk_that_cannot_be_written_is_not_the_fault_of_the_archive(tmp_path: Path) -> None:
    archive = tmp_path / "packed.zip"
    archive.write_bytes(GOOD)

    def full(path: str, file: Path) -> None:
        raise OSError(28, "No space left on device")

    scratch = tmp_path / "part"
    with pytest.raises(OSError, match="No space left"):
        unpack(archive, layout=lambda member: member, place=full, scratch=scratch, limits=LIMITS)
    assert not scratch.exists()
