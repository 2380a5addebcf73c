"""The study of a folder is made anew only where something that it follows from has changed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from lib.errors import HeldoutError
from lib.own import kept
from lib.own.kept import kept_text
from lib.own.study import study_text
from tests.support.folders import own_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return own_folder(tmp_path / "recordings")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "study.json"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """List the folders whose recordings were read."""
    folders: list[Path] = []

    def counted(folder: Path, **options: Any) -> str:
        folders.append(folder)
        return study_text(folder, **options)

    monkeypatch.setattr(kept, "study_text", counted)
    return folders


def overwrite(file: Path) -> None:
    """Change what is in a file and nothing that a listing shows of it."""
    status = file.stat()
    file.write_bytes(b"\0" * status.st_size)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_no_recording_is_opened_a_second_time(folder: Path, file: Path) -> None:
    text = kept_text(folder, file=file)
    assert text == study_text(folder)
    for recording in folder.glob("*/*"):
        overwrite(recording)
    assert kept_text(folder, file=file) == text
    with pytest.raises(HeldoutError, match="recordings that can be read"):
        study_text(folder)


CHANGES: dict[str, Any] = {
    "touched": lambda folder: os.utime(folder / "bell" / "00.flac", (0, 0)),
    "added": lambda folder: shutil.copy(folder / "bell" / "00.flac", folder / "bell" / "more.flac"),
    "removed": lambda folder: (folder / "bell" / "00.flac").unlink(),
    "moved": lambda folder: (folder / "bell" / "00.flac").rename(folder / "hum" / "x.flac"),
    "longer": lambda folder: (folder / "bell" / "03.wav").write_bytes(b"\0" * 2001),
    "told": lambda folder: (folder / "metadata.csv").write_text(
        "path,label\nbell/00.flac,a\nhum/01.wav,b\n"
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_folder_is_read_again(
    folder: Path, file: Path, written: list[Path], change: str
) -> None:
    kept_text(folder, file=file)
    CHANGES[change](folder)
    assert kept_text(folder, file=file) == study_text(folder)
    assert len(written) == 2
    kept_text(folder, file=file)
    assert len(written) == 2


@pytest.mark.parametrize("option", [{"groups": "(.*)"}, {"exclude": ["whistle"]}])
def test_other_options_are_another_study(
    folder: Path, file: Path, written: list[Path], option: dict[str, Any]
) -> None:
    kept_text(folder, file=file)
    assert kept_text(folder, file=file, **option) == study_text(folder, **option)
    assert len(written) == 2


def test_another_folder_is_another_study(folder: Path, file: Path, tmp_path: Path) -> None:
    kept_text(folder, file=file)
    other = shutil.copytree(folder, tmp_path / "other")
    assert kept_text(other, file=file) == study_text(other)


@pytest.mark.parametrize("name", ["code_hash", "packages_of"])
def test_other_code_is_another_study(
    folder: Path, file: Path, written: list[Path], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    kept_text(folder, file=file)
    monkeypatch.setattr(kept, name, lambda *_: "another")
    kept_text(folder, file=file)
    assert len(written) == 2


@pytest.mark.parametrize("damage", ["", "{}", "[]", "null", "7", '{"state": 1}', "cut", "changed"])
def test_a_damaged_file_is_made_anew(
    folder: Path, file: Path, written: list[Path], damage: str
) -> None:
    text = kept_text(folder, file=file)
    whole = file.read_text()
    file.write_text(
        {"cut": whole[:-40], "changed": whole.replace("seed", "sead").replace("mfcc", "mel")}.get(
            damage, damage
        )
    )
    assert kept_text(folder, file=file) == text
    assert file.read_text() == whole
    assert len(written) == 2


def test_a_place_that_takes_no_file_keeps_nothing(
    folder: Path, tmp_path: Path, written: list[Path]
) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file" / "study.json", Path("/proc/study.json"), None):
        assert kept_text(folder, file=place) == study_text(folder)
    assert len(written) == 3


def test_what_is_wrong_is_said_each_time(tmp_path: Path, file: Path) -> None:
    for _ in range(2):
        with pytest.raises(HeldoutError, match="nothing there"):
            kept_text(tmp_path / "nowhere", file=file)
    (tmp_path / "empty").mkdir()
    for _ in range(2):
        with pytest.raises(HeldoutError, match="at least 2 classes"):
            kept_text(tmp_path / "empty", file=file)
    assert not file.exists()
