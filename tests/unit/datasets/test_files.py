"""Listing a folder of recordings: names alone, links to folders of a class too."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.datasets.files import files_below, is_recording, recordings_below


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        *("mine/a/1.wav", "mine/a/deep/2.FLAC", "mine/a/notes.txt", "mine/a/.hidden.wav"),
        *("mine/a/100.hea", "mine/a/100.mat", "mine/a/101.mat", "elsewhere/3.wav"),
        *("mine/top.wav", "elsewhere/inner/4.wav"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "mine" / "b").symlink_to(tmp_path / "elsewhere")
    # A link within a class may lead back to where it stands.
    (tmp_path / "mine" / "a" / "back").symlink_to(tmp_path / "mine")
    return tmp_path / "mine"


def test_every_file_once_by_its_path_within_the_folder(folder: Path) -> None:
    names = [name for name in files_below(folder) if not name.startswith("a/")]
    assert sorted(names) == ["b/3.wav", "b/inner/4.wav", "top.wav"]
    assert len(set(files_below(folder))) == len(list(files_below(folder)))


def test_recordings_are_those_that_are_named_so(folder: Path) -> None:
    found = recordings_below(folder)
    of_a = ["a/1.wav", "a/100.hea", "a/101.mat", "a/deep/2.FLAC"]
    assert found == [*of_a, "b/3.wav", "b/inner/4.wav", "top.wav"]
    assert all(is_recording(folder / name) for name in found)
    others = set(files_below(folder)) - set(found)
    assert not any(is_recording(folder / name) for name in others)


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert recordings_below(tmp_path / "nowhere") == []
