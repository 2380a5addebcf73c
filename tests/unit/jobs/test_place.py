"""The lock on a folder: one run at a time, and no plan that another run made out of date."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lib.config.settings import ROOT
from lib.errors import HeldoutError
from lib.jobs.place import RunLock, dataset_folder, hand_down_one_heap, packed, unpacked

CODE = """
import sys
from lib.jobs.place import RunLock
lock = RunLock(sys.argv[1])
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def other_run(path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, str(path)], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_one_run_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "a" / "run.lock"
    with other_run(path):
        pass
    RunLock(path).acquire()


def test_a_second_run_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    lock = RunLock(path)
    with other_run(path), pytest.raises(HeldoutError, match="another run is at work"):
        lock.acquire()


def test_a_plan_made_while_another_run_worked_is_out_of_date(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    with other_run(path):
        lock = RunLock(path)
    with pytest.raises(HeldoutError, match="while this one planned, and has ended since"):
        lock.acquire()
    # Started again, it plans with what is there now.
    RunLock(path).acquire()


def test_a_run_that_came_and_went_while_one_planned_counts_too(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    lock = RunLock(path)
    with other_run(path):
        pass
    with pytest.raises(HeldoutError, match="what was planned is out of date"):
        lock.acquire()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HeldoutError, match="expected to be able to read and write"):
        RunLock(tmp_path / "file" / "run.lock").acquire()


def test_a_folder_is_written_as_it_is_or_into_an_archive(tmp_path: Path) -> None:
    (tmp_path / "as_it_is").mkdir()
    for name in ("as_it_is", "archive.zip"):
        with packed(tmp_path / name) as folder:
            (folder / "0.csv").write_text("a,b\n")
        with unpacked(tmp_path / name) as folder:
            assert [(file.name, file.read_text()) for file in folder.iterdir()] == [
                ("0.csv", "a,b\n")
            ]
    assert (tmp_path / "archive.zip").is_file()


@pytest.mark.parametrize("before", ["", ".snakemake/storage/s3/lab/run/", "module/"])
def test_a_dataset_lies_in_the_working_directory_and_not_in_the_copy_of_a_store(
    before: str,
) -> None:
    expected = Path("module" if before == "module/" else "", "resources/data/mitdb")
    assert dataset_folder(f"{before}resources/data/mitdb.json") == expected


def test_what_the_user_says_of_heaps_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_ARENA_MAX", "4")
    hand_down_one_heap()
    assert os.environ["MALLOC_ARENA_MAX"] == "4"
