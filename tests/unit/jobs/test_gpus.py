"""GPUs are dealt out one by one, also among processes, and come back when one dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock

from lib.config.settings import ROOT
from lib.errors import HeldoutError
from lib.jobs import gpus
from lib.jobs.gpus import claimed_gpus, gpus_of_training
from lib.networks.devices import VISIBLE, visible_gpus

# Holds GPUs until a line comes, and says which.
HOLD = """
import sys, os
from pathlib import Path
from lib.jobs import gpus as module
module.LOOK = 0.02
gpus, share, wanted, folder = sys.argv[1].split(","), *map(int, sys.argv[2:4]), Path(sys.argv[4])
with module.claimed_gpus("gpu", wanted, runs_per_gpu=share, gpus=gpus, folder=folder) as held:
    print(*held, os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def _no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.delenv(VISIBLE, raising=False)
    monkeypatch.setattr(gpus, "LOOK", 0.02)


@pytest.fixture
def hold(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start a process that holds GPUs."""

    def start(gpus: str, *, share: int = 1, wanted: int = 1) -> subprocess.Popen[str]:
        kept = {key: value for key, value in os.environ.items() if key != "SLURM_JOB_ID"}
        return subprocess.Popen(
            [sys.executable, "-c", HOLD, gpus, str(share), str(wanted), str(tmp_path)],
            cwd=ROOT,
            env={**kept, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    return start


def said(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    return process.stdout.readline().split()


def end(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        process.communicate("\n", timeout=60)


def test_gpus_of_the_driver_and_those_that_are_left_visible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert visible_gpus(tmp_path) == []
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert visible_gpus(tmp_path) == ["0", "1"]
    for stated, expected in {
        "1": ["1"],
        "GPU-8f, 0": ["GPU-8f", "0"],
        "": [],
        "-1": [],
        "1,-1,0": ["1"],
    }.items():
        monkeypatch.setenv(VISIBLE, stated)
        assert visible_gpus(tmp_path) == expected


@pytest.mark.parametrize("device", ["cpu", "tpu"])
def test_nothing_is_held_where_no_gpu_is_wanted(device: str, tmp_path: Path) -> None:
    with claimed_gpus(device, gpus=["0"], folder=tmp_path / "locks") as held:
        assert held == []
        assert VISIBLE not in os.environ
    with claimed_gpus("auto", gpus=[], folder=tmp_path / "locks") as held:
        assert held == []
    assert not (tmp_path / "locks").exists()


def test_the_process_sees_the_gpu_that_it_holds_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VISIBLE, "3,5")
    with claimed_gpus("auto", gpus=["3", "5"], folder=tmp_path) as held:
        assert held == ["3"]
        assert os.environ[VISIBLE] == "3"
        assert os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    assert os.environ[VISIBLE] == "3,5"
    monkeypatch.delenv(VISIBLE)
    with claimed_gpus("auto", "all", gpus=["3", "5"], folder=tmp_path) as held:
        assert held == ["3", "5"]
    assert VISIBLE not in os.environ


def test_processes_get_a_gpu_each_and_the_next_one_waits(
    hold: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    first = hold("0,1")
    assert said(first) == ["0", "0"]
    second = hold("0,1")
    assert said(second) == ["1", "1"]
    got: list[list[str]] = []

    def take() -> None:
        with claimed_gpus("gpu", gpus=["0", "1"], folder=tmp_path) as held:
            got.append(held)

    third = threading.Thread(target=take)
    third.start()
    time.sleep(0.3)
    assert got == []
    end(second)
    third.join(60)
    assert got == [["1"]]
    end(first)


def test_a_killed_process_gives_its_gpu_back(
    hold: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = hold("0")
    assert said(process) == ["0", "0"]
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    with claimed_gpus("gpu", gpus=["0"], folder=tmp_path) as held:
        assert held == ["0"]


def test_several_trainings_share_a_gpu_after_each_gpu_has_one(
    hold: Callable[..., subprocess.Popen[str]],
) -> None:
    running, got = [], []
    for _ in range(4):
        running.append(hold("0,1", share=2))
        got.append(said(running[-1])[0])
    assert got == ["0", "1", "0", "1"]
    end(*running)


def test_the_emptiest_gpu_is_taken_whichever_place_is_free(
    hold: Callable[..., subprocess.Popen[str]],
) -> None:
    running = [hold("0,1", share=2)]
    assert said(running[0])[0] == "0"
    running.append(hold("0,1", share=2))
    assert said(running[1])[0] == "1"
    running.append(hold("0,1", share=2))
    assert said(running[2])[0] == "0"
    # The second place of GPU 0 is still taken, and GPU 1 is idle.
    end(*running[:2])
    last = hold("0,1", share=2)
    assert said(last)[0] == "1"
    end(running[2], last)


def test_several_gpus_are_taken_at_once_or_not_at_all(
    hold: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    one = hold("0,1")
    assert said(one) == ["0", "0"]
    both = hold("0,1", wanted=2)
    time.sleep(0.5)
    # The one that waits for two holds neither.
    assert both.poll() is None
    with FileLock(tmp_path / "1-0.lock").acquire(timeout=30):
        pass
    end(one)
    assert said(both) == ["0", "1", "0,1"]
    end(both)


def test_slurm_has_assigned_already(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.setenv(VISIBLE, "2")
    with claimed_gpus("gpu", gpus=["2"], folder=tmp_path / "locks-17") as held:
        assert held == ["2"]
        assert os.environ[VISIBLE] == "2"
    # A job that asked for none, on a node where they are not hidden.
    monkeypatch.delenv(VISIBLE)
    with claimed_gpus("auto", gpus=["0", "1"], folder=tmp_path / "locks") as held:
        assert held == []
        assert VISIBLE not in os.environ
    assert not (tmp_path / "locks").exists()
    monkeypatch.setenv(VISIBLE, "2,4")
    # An allocation of several, with trainings side by side in it.
    with claimed_gpus("gpu", gpus=["2", "4"], folder=tmp_path / "locks") as held:
        assert held == ["2"]


def test_trainings_side_by_side_in_an_allocation_of_slurm_queue(
    hold: Callable[..., subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One training takes all GPUs of the allocation: another one there waits for them."""
    first = hold("0,1", wanted=2)
    assert said(first) == ["0", "1", "0,1"]
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.setenv(VISIBLE, "0,1")
    waited = []

    def look_again(seconds: float) -> None:
        waited.append(seconds)
        if first.poll() is None:
            end(first)

    monkeypatch.setattr(gpus, "time", SimpleNamespace(sleep=look_again))
    with claimed_gpus("gpu", "all", gpus=["0", "1"], folder=tmp_path) as held:
        assert held == ["0", "1"]
    assert waited


def test_locks_are_of_one_user_and_of_one_job_of_slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = set()
    for user, job in (("ann", ""), ("ann", "17"), ("ann", "18"), ("bob", ""), ("bob", "17")):
        monkeypatch.setattr(gpus.getpass, "getuser", lambda user=user: user)
        monkeypatch.setenv("SLURM_JOB_ID", job)
        folders.add(gpus._folder())
    assert len(folders) == 5


def test_a_scheduler_is_asked_for_gpus_only_where_there_must_be_one() -> None:
    assert [gpus_of_training(device, 4) for device in ("auto", "cpu", "tpu", "gpu")] == [0, 0, 0, 4]
    assert gpus_of_training("gpu", "all") == 1


def test_more_gpus_than_there_are(tmp_path: Path) -> None:
    with (
        pytest.raises(HeldoutError, match=r"expected 3 GPUs, .* may use 2 .* Set devices: 2"),
        claimed_gpus("gpu", 3, gpus=["0", "1"], folder=tmp_path),
    ):
        pass
