"""Archives made to do harm, and where their members belong."""

from __future__ import annotations

import stat
import struct
import zipfile
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.datasets.heartbeat_sounds import layout
from lib.errors import HeldoutError
from lib.retrieve.archives import Limits, members, unpack


def made(tmp_path: Path, *entries: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    path = tmp_path / "made.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, body in entries:
            opened.writestr(name, body)
    return path


def special(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def extract(archive: Path, tmp_path: Path, limits: Limits | None = None) -> list[str]:
    out = tmp_path / "out" / "folder"

    def place(path: str, file: Path) -> None:
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        file.rename(out / path)

    return unpack(
        archive,
        layout=lambda name: name,
        place=place,
        scratch=tmp_path / "scratch",
        limits=limits,
    )


def test_an_ordinary_archive_is_unpacked(tmp_path: Path) -> None:
    archive = made(tmp_path, ("a/", b""), ("a/b.wav", b"1"), ("é.wav", b"2"))
    assert extract(archive, tmp_path) == ["a/b.wav", "é.wav"]
    assert (tmp_path / "out/folder/a/b.wav").read_bytes() == b"1"


@pytest.mark.parametrize(
    "name", ["/etc/x", "../x", "a/../../x", "a/./x", "C:/x", "C:\\x", "..\\x", "a//x", "a\nb"]
)
def test_a_name_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    archive = made(tmp_path, ("good.wav", b"1"), (name, b"2"))
    with pytest.raises(HeldoutError, match="expected names inside the folder"):
        extract(archive, tmp_path)
    assert not (tmp_path / "out").exists(), "nothing is unpacked, not even the good ones"


@pytest.mark.parametrize(
    "kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK]
)
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    archive = made(tmp_path, (special("x", kind | 0o777), b"/etc/passwd"))
    with pytest.raises(HeldoutError, match="got a link or a device: 'x'"):
        extract(archive, tmp_path)


@pytest.mark.parametrize("other", ["a.wav", "A.WAV"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicate_names_are_refused(tmp_path: Path, other: str) -> None:
    archive = made(tmp_path, ("a.wav", b"1"), (other, b"2"))
    with pytest.raises(HeldoutError, match="expected every name once"):
        extract(archive, tmp_path)


def test_two_members_for_one_place_are_refused(tmp_path: Path) -> None:
    archive = made(tmp_path, ("a/x.wav", b"1"), ("b/x.wav", b"2"))
    with pytest.raises(HeldoutError, match=r"one member for x\.wav"):
        unpack(
            archive,
            layout=lambda name: Path(name).name,
            place=lambda path, file: None,
            scratch=tmp_path / "scratch",
        )


@pytest.mark.parametrize("flagged", [False, True])
def test_names_that_are_not_utf8_are_refused(tmp_path: Path, flagged: bool) -> None:
    archive = made(tmp_path, ("xx.wav", b"1"))
    body = archive.read_bytes().replace(b"xx.wav", b"\xff\xfe.wav")
    if flagged:  # says that the name is UTF-8, which it is not
        at = body.index(b"PK\x01\x02")
        body = body[: at + 8] + struct.pack("<H", 0x800) + body[at + 10 :]
    archive.write_bytes(body)
    with pytest.raises(HeldoutError, match="UTF-8 names"):
        extract(archive, tmp_path)


def test_encrypted_members_are_refused(tmp_path: Path) -> None:
    archive = made(tmp_path, ("a.wav", b"1"))
    body = archive.read_bytes()
    at = body.index(b"PK\x01\x02")
    archive.write_bytes(body[: at + 8] + struct.pack("<H", 1) + body[at + 10 :])
    with pytest.raises(HeldoutError, match="no encryption"):
        extract(archive, tmp_path)


def test_bombs_are_refused(tmp_path: Path) -> None:
    archive = made(tmp_path, ("a.wav", bytes(1_000_000)), ("b.wav", b"1"))
    with pytest.raises(HeldoutError, match="packed at most 10:1"):
        extract(archive, tmp_path, Limits(ratio=10, ratio_from=1000))
    with pytest.raises(HeldoutError, match="at most 999 bytes unpacked, got 1,000,001"):
        extract(archive, tmp_path, Limits(size=999))
    with pytest.raises(HeldoutError, match="at most 1 entries, got 2"):
        extract(archive, tmp_path, Limits(members=1))
    assert not (tmp_path / "out").exists()


def test_a_member_larger_than_it_says_is_refused(tmp_path: Path) -> None:
    archive = made(tmp_path, ("a.wav", bytes(100_000)))
    body = archive.read_bytes()
    at = body.index(b"PK\x01\x02")
    archive.write_bytes(body[: at + 24] + struct.pack("<I", 10) + body[at + 28 :])
    with pytest.raises(HeldoutError, match=r"'a\.wav' whole"):
        extract(archive, tmp_path)
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "scratch").exists()


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_a_truncated_archive_is_refused(tmp_path: Path, keep: float) -> None:
    archive = made(tmp_path, ("a.wav", bytes(range(256)) * 100))
    body = archive.read_bytes()
    archive.write_bytes(body[: int(len(body) * keep)])
    with pytest.raises(HeldoutError, match=r"made\.zip: expected a zip file"):
        members(archive)


def test_a_damaged_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "made.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as opened:
        opened.writestr("a.wav", b"content")
    path.write_bytes(path.read_bytes().replace(b"content", b"CONTENT"))
    with pytest.raises(HeldoutError, match=r"'a\.wav' whole"):
        extract(path, tmp_path)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_our_error(tmp_path_factory: object, body: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.zip"  # type: ignore[attr-defined]
    path.write_bytes(body)
    with pytest.raises(HeldoutError):
        members(path)


def test_what_macos_adds_is_passed_over(tmp_path: Path) -> None:
    names = ("a/b.wav", "__MACOSX/a/._b.wav", "__MACOSX/x", "a/.DS_Store")
    archive = made(tmp_path, *((name, b"1") for name in names))
    assert extract(archive, tmp_path) == ["a/b.wav"]


def test_a_name_that_the_layout_refuses_is_named_with_the_archive(tmp_path: Path) -> None:
    with pytest.raises(HeldoutError, match=r"made\.zip: expected recordings .* 'heart\.wav'"):
        unpack(
            made(tmp_path, ("heart.wav", b"1")),
            layout=partial(layout, "set_a/normal_*.wav"),
            place=lambda path, file: None,
            scratch=tmp_path / "scratch",
        )
