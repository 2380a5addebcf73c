"""Listing a folder of recordings: names alone, links to folders of a class too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from scipy.io import savemat

from lib.datasets.files import (
    files_below,
    read_file,
    read_file_header,
    recordings_below,
)
from lib.datasets.matlab import load
from lib.datasets.signal import LARGEST, REPLACE, DamagedError
from lib.errors import HeldoutError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        *("mine/a/1.wav", "mine/a/deep/2.FLAC", "mine/a/notes.txt", "mine/a/.hidden.wav"),
        *("mine/a/100.hea", "mine/a/100.mat", "mine/a/101.mat", "elsewhere/3.wav"),
        *("mine/top.wav", "elsewhere/inner/4.wav", "mine/.cache/5.wav", "mine/a/.cache/deep/6.wav"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "mine" / "b").symlink_to(tmp_path / "elsewhere")
    # A link within a class may lead back to where it stands.
    (tmp_path / "mine" / "a" / "back").symlink_to(tmp_path / "mine")
    return tmp_path / "mine"


def test_every_file_once_by_its_path_within_the_folder(folder: Path) -> None:
    names = [name for name in files_below(folder) if not name.startswith(("a/", "."))]
    assert sorted(names) == ["b/3.wav", "b/inner/4.wav", "top.wav"]
    assert len(set(files_below(folder))) == len(list(files_below(folder)))


def test_recordings_are_those_that_are_named_so(folder: Path) -> None:
    found = recordings_below(folder)
    of_a = ["a/1.wav", "a/100.hea", "a/101.mat", "a/deep/2.FLAC"]
    assert found == [*of_a, "b/3.wav", "b/inner/4.wav", "top.wav"]


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert recordings_below(tmp_path / "nowhere") == []


def saved(path: Path, **variables: Any) -> Path:
    savemat(path, {"val": np.ones((1, 100)), **variables})
    return path


def test_what_is_not_damaged_keeps_its_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "a.mat", cell=np.array([[np.ones(3), "x"]], dtype=object))
    sound = tmp_path / "a.wav"
    soundfile.write(sound, np.zeros(100), 4000)
    version = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\x89HDF\r\n\x1a\n" * 9
    (tmp_path / "new.mat").write_bytes(version)
    monkeypatch.setattr("lib.datasets.signal.LARGEST", 99)
    for file, reading, advice in (
        (path, {"variable": "cell", "rate": 500}, r"got cell .*\. Name another variable"),
        (path, {"variable": "val", "rate": 500}, r"got 100 by its header\. .*cut it into parts"),
        (sound, {}, r"got 100 by its header\. .*cut it into parts"),
        (tmp_path / "new.mat", {"variable": "val"}, r"got version 7\.3 .* Save it with `-v7`"),
        (tmp_path / "none.wav", {}, r"got nothing there\. Correct the path\.$"),
    ):
        for reader in (read_file, read_file_header):
            with pytest.raises(HeldoutError, match=advice) as caught:
                reader(file, **reading)
            assert not isinstance(caught.value, DamagedError)
            assert "anew" not in caught.value.advice
    monkeypatch.setattr("lib.datasets.signal.LARGEST", LARGEST)
    with pytest.raises(HeldoutError, match=r"the variable fs, a sampling rate .* --rate 500 on"):
        read_file(path, variable="val")
    with pytest.raises(HeldoutError, match=r"a sampling rate .*got 0\.0\. Correct the rate\.$"):
        read_file(path, variable="val", rate=0)


def test_what_is_damaged_is_to_be_replaced_wherever_it_came_from(tmp_path: Path) -> None:
    """Nothing fetches what is a person's own, in a mirror, or was downloaded by hand."""
    path = saved(tmp_path / "a.mat")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DamagedError) as published:
        load(path, ["val"])
    with pytest.raises(DamagedError) as own:
        read_file(path, variable="val")
    assert published.value.advice == own.value.advice == REPLACE
    assert REPLACE == "Replace the file by a whole one, or leave it out."
    assert own.value.fact == published.value.fact
    assert isinstance(own.value.within("study x"), DamagedError)
