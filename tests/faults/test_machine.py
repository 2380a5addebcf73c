"""A full disk, no memory, a wrong clock, a folder that is read-only or moved: nothing is lost."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from lib.jobs.scripts import job
from tests.faults.test_kills import scripts
from tests.support.workflow import Process, Workflow, end

ROOT = os.geteuid() == 0
REPORT = "results/report.html"


# --- What a job says.


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "No space left on device. Make room on that disk"),
        (errno.EDQUOT, "Make room on that disk, or raise its quota, and run again"),
        (errno.EROFS, "Read-only file system. Make the folder writable"),
        (errno.EACCES, "Permission denied. Make the folder writable"),
        (errno.EFBIG, "Raise the limit on the size of files (ulimit -f) and run again"),
    ],
)
def test_a_job_says_what_the_machine_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: int, words: str
) -> None:
    with pytest.raises(SystemExit), job(tmp_path / "a.log"):
        # As libraries do.
        raise ValueError("unable to write") from OSError(code, os.strerror(code), "results/a.npy")
    for text in (capsys.readouterr().err, (tmp_path / "a.log").read_text()):
        assert "results/a.npy: expected to be able to read and write it, got " in text
        assert words in text
        assert "what is finished is kept" in text
        assert "Traceback" not in text


def test_a_job_does_not_blame_an_error_that_was_handled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def read_cache() -> None:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), "a cache")

    with pytest.raises(SystemExit), job(tmp_path / "a.log"):
        try:
            read_cache()
        except OSError:  # without the cache, then
            {}["label"]
    for text in (capsys.readouterr().err, (tmp_path / "a.log").read_text()):
        assert "KeyError: 'label'" in text
        assert "Traceback" in text
        assert "expected to be able to read and write" not in text


def test_a_job_without_memory_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    with pytest.raises(SystemExit), job(tmp_path / "a.log"):
        np.zeros((1 << 24, 1 << 24))
    text = capsys.readouterr().err
    assert "expected enough memory for this job, got: Unable to allocate" in text
    assert "Run fewer jobs at once" in text
    assert "Traceback" not in text


def test_a_log_that_cannot_be_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").write_text("a file where a folder should be")
    with pytest.raises(SystemExit), job(tmp_path / "logs" / "a.log"):
        pytest.fail("it began")
    assert "logs: expected to be able to read and write it" in capsys.readouterr().err


def test_a_log_that_fills_the_disk_stops_no_job(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, which is always full")
    (tmp_path / "a.log").symlink_to("/dev/full")
    with job(tmp_path / "a.log") as logger:
        logger.info("to a full disk")
        done = True
    assert done
    assert capsys.readouterr().err == ""


# --- What a run does.


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[Path, str], None]]:
    """Mount a small disk of its own over a folder, or mount it anew with other options."""
    if not ROOT:
        pytest.skip("needs the right to mount a file system (root): a full disk is not tested")
    mounted: list[Path] = []

    def mount(folder: Path, options: str) -> None:
        again = folder in mounted
        folder.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-o", f"remount,{options}" if again else options]
        command += [str(folder)] if again else ["-t", "tmpfs", "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")
        if not again:
            mounted.append(folder)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def forget_page(workflow: Workflow) -> None:
    """Take away all that comes after the trainings."""
    workflow.path(REPORT).unlink()
    for name in ("tables", "plots"):
        shutil.rmtree(workflow.path(f"results/{name}"))


@pytest.mark.slow
def test_a_disk_that_fills_is_named_and_the_run_goes_on(
    copied: Workflow, disk: Callable[[Path, str], None]
) -> None:
    undisturbed = copied.tables()
    kept = copied.path("kept")
    copied.path("results").rename(kept)
    used = sum(path.stat().st_size for path in kept.rglob("*") if path.is_file())
    # Room for what is there and little more: pages are whole on a tmpfs.
    files = sum(1 for _ in kept.rglob("*"))
    small = (used + 4096 * files) // 1024 + 40
    disk(copied.path("results"), f"size={small}k")
    shutil.copytree(kept, copied.path("results"), dirs_exist_ok=True)
    forget_page(copied)
    filler = copied.path("results/filler")
    with filler.open("wb") as stream:
        # All that is left but a page.
        free = shutil.disk_usage(copied.path("results")).free
        stream.write(b"0" * max(0, free - 4096))
    done = copied.run()
    assert done.status != 0
    assert "No space left on device" in done.output, done.output
    assert "Make room on that disk" in done.output
    assert "Error in rule compare" in done.output
    assert "Traceback" not in done.output, done.output
    assert copied.unfinished() == []
    tables = copied.tables()
    assert {name: tables[name] for name in tables if name in undisturbed} == {
        name: undisturbed[name] for name in tables
    }
    filler.unlink()
    disk(copied.path("results"), f"size={4 * small}k")
    done = copied.run()
    assert done.status == 0, done.output
    assert copied.tables() == undisturbed


@pytest.mark.slow
def test_a_read_only_folder_is_named_and_loses_nothing(
    copied: Workflow, disk: Callable[[Path, str], None]
) -> None:
    undisturbed, kept = copied.tables(), copied.path("kept")
    copied.path("results").rename(kept)
    disk(copied.path("results"), "size=200m")
    shutil.copytree(kept, copied.path("results"), dirs_exist_ok=True)
    disk(copied.path("results"), "ro")
    done = copied.run("--forcerun", "compare")
    assert done.status != 0
    assert "results: expected a folder that this user can write to" in done.output, done.output
    assert "got one that is read-only" in done.output
    assert "Traceback" not in done.output, done.output
    assert copied.tables() == undisturbed
    disk(copied.path("results"), "rw")
    done = copied.run()
    assert done.status == 0, done.output
    assert copied.tables() == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["compare", "report"])
def test_a_job_that_is_killed_for_memory_is_named_and_made_again(
    copied: Workflow, started: list[Process], rule: str
) -> None:
    undisturbed = copied.tables()
    copied.path(REPORT).unlink()
    # The job waits here for as long as the test likes.
    with FileLock(copied.path(f"logs/.{rule}.log.lock")):
        process = copied.start("--forcerun", rule)
        started.append(process)
        process.wait_for(lambda: [name for name, _ in scripts(process)] == [rule])
        for _, found in scripts(process):
            end(found)
        done = process.wait()
    assert done.status != 0
    assert f"Error in rule {rule}" in done.output
    # Signal 9, as a system that has no memory left sends it.
    assert "SIGKILL" in done.output or "-9" in done.output or "137" in done.output, done.output
    assert not copied.path(REPORT).exists()
    done = copied.run()
    assert done.status == 0, done.output
    assert copied.tables() == undisturbed
    assert copied.path(REPORT).is_file()


@pytest.mark.slow
def test_results_that_were_moved_are_results(copied: Workflow, tmp_path: Path) -> None:
    moved = Workflow(tmp_path / "somewhere else" / "an other name")
    moved.folder.parent.mkdir()
    shutil.move(copied.folder, moved.folder)
    assert moved.plan().jobs == []
    page = moved.path(REPORT).read_text(encoding="utf-8")
    assert str(copied.folder) not in page
    # And one changed value makes again what it touches, there.
    moved.configure({"resamples": 101})
    assert set(moved.plan().rules) == {"shortcuts", "compare", "plots", "report", "records"}


def shift(workflow: Workflow, days: float) -> None:
    """Move the times of all files, those of the source too, as a clock that was wrong has them."""
    for path in workflow.folder.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts:
            stat = path.stat()
            moved = stat.st_mtime_ns + int(days * 86400 * 1e9)
            os.utime(path, ns=(stat.st_atime_ns, moved), follow_symlinks=False)


@pytest.mark.slow
@pytest.mark.parametrize("days", [-400, 400])
def test_a_clock_that_was_wrong_makes_nothing_again(copied: Workflow, days: int) -> None:
    shift(copied, days)
    assert copied.plan().jobs == []


@pytest.mark.slow
def test_a_clock_that_jumped_on_between_two_runs(copied: Workflow) -> None:
    """What follows on trainings of a clock that was behind is made once, and then is done."""
    undisturbed = copied.tables()
    shift(copied, -400)
    forget_page(copied)
    assert set(copied.plan().rules) == {"compare", "plots", "report", "records"}
    done = copied.run()
    assert done.status == 0, done.output
    assert copied.tables() == undisturbed
    assert copied.plan().jobs == []


@pytest.mark.slow
def test_a_clock_that_jumped_back_between_two_runs(copied: Workflow) -> None:
    """Inputs from the future are named by Snakemake, which would otherwise never come to an end."""
    undisturbed = copied.tables()
    shift(copied, 400)
    forget_page(copied)
    done = copied.run()
    assert done.status != 0
    assert "This could indicate a clock skew problem" in done.output, done.output
    assert copied.unfinished() == []
    # Nothing that was made is lost: with the times put right it is gone on with.
    shift(copied, -400)
    done = copied.run()
    assert done.status == 0, done.output
    assert copied.tables() == undisturbed
    assert copied.plan().jobs == []
