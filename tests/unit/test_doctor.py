"""What a machine has for a run is told, with what is wrong, and nothing personal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lib import doctor
from lib.cli import main

ROOT = Path(__file__).parents[2]


WORKS = {"works": True, "kind": "cpu", "device": "CPU"}


def sound(**over: Any) -> dict[str, Any]:
    """Return what a machine on which all is well has."""
    good = {"exists": True, "writable": True, "free_gb": 50.0}
    return {
        "versions": {"python": "3.12.1", "heldout": "1", **dict.fromkeys(doctor.PACKAGES, "1.0")},
        "system": {"system": "Linux 6", "machine": "x86_64"},
        "cores": {"machine": 8, "allowed": 8.0},
        "memory_gb": {"machine": 16.0, "allowed": 16.0},
        "backends": dict.fromkeys(doctor.BACKENDS, WORKS),
        "folders": dict.fromkeys((".", "results", "~/.cache", "/tmp"), good),
        "slurm": None,
    } | over


def test_nothing_is_wrong_with_a_sound_machine() -> None:
    assert doctor.problems(sound()) == []


BROKEN = {"works": False, "error": "ImportError: no such library"}


@pytest.mark.parametrize(
    ("part", "over", "essential", "words"),
    [
        ("versions", {"python": "3.9.2"}, True, "expected 3.11, 3.12 or 3.13"),
        ("versions", {"snakemake": None}, True, "the package snakemake is not installed"),
        ("versions", {"jax": None}, False, "the package jax is not installed"),
        ("backends", {"jax": BROKEN}, False, "`--config backend=tensorflow` does without it"),
        ("backends", {"jax": BROKEN, "tensorflow": BROKEN}, True, "no such library"),
        (
            "folders",
            {".": {"exists": True, "writable": False, "free_gb": 1.0}},
            True,
            "--directory",
        ),
        (
            "folders",
            {"~/.cache": {"exists": False, "writable": False, "free_gb": None}},
            True,
            "Set XDG_CACHE_HOME",
        ),
        ("folders", {".": {"exists": True, "writable": True, "free_gb": 0.3}}, False, "Make room"),
        ("memory_gb", {"machine": 16.0, "allowed": 1.5}, False, "`--cores 1`"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(
    part: str, over: dict[str, Any], essential: bool, words: str
) -> None:
    found = sound()
    found[part] = {**found[part], **over}
    told = doctor.problems(found)
    assert any(words in f"{one['what']}. {one['advice']}" for one in told)
    assert any(one["essential"] for one in told) == essential
    assert all(one["advice"].rstrip(")").endswith(".") for one in told)


def test_folders_are_tried_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = doctor.folder("results/deep")
    assert (before["exists"], before["writable"]) == (False, True)
    assert before["free_gb"] > 0
    assert list(tmp_path.iterdir()) == []
    assert doctor.folder("/proc/nowhere")["writable"] is False


def test_the_limits_of_the_control_group_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_CGROUP", tmp_path)
    assert doctor.memory()["allowed"] == doctor.memory()["machine"]
    (tmp_path / "memory.max").write_text("1500000000\n")
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert doctor.memory()["allowed"] == 1.5
    assert doctor.cores()["allowed"] == 0.5
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert doctor.memory()["allowed"] == doctor.memory()["machine"]
    assert doctor.cores()["allowed"] >= 1


def test_a_backend_that_fails_in_any_way_is_only_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code, words in (
        ("raise ImportError('no libcudart under ' + __file__)", "no libcudart"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ended with -11"),
        ("import time; time.sleep(60)", "no answer within 3 s"),
    ):
        (tmp_path / "jax.py").write_text(code)
        # Before the folder of the library, which comes first otherwise.
        first = f"import sys; sys.path.insert(0, {str(tmp_path)!r})"
        monkeypatch.setattr(doctor, "_TRIAL", f"{first}\nimport jax")
        found = doctor.try_backend("jax", timeout=3)
        assert not found["works"]
        assert words in found["error"]


def test_texts_name_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "people" / "user7"
    (home / "studies").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LOGNAME", "user7")
    monkeypatch.setattr(doctor.platform, "node", lambda: "node7.example.org")
    monkeypatch.chdir(home / "studies")
    text = f"{home}/studies/results, {home}/x on node7.example.org; /disk/user7/y; /disk/user70"
    told = doctor.shown(text)
    assert told == "./results, ~/x on (host); /disk/(user)/y; /disk/user70"
    assert doctor.shown(f"{sys.prefix}/lib/jax.so") == "(environment)/lib/jax.so"


def test_it_needs_no_package(tmp_path: Path) -> None:
    """What is broken may be anything: the command itself imports the standard library alone."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from lib.cli import main; from lib import doctor\n"
        "doctor.try_backend = lambda name, timeout: {'works': False, 'error': 'none'}\n"
        "sys.exit(main(['doctor']))"
    )
    # -I -S: without site-packages.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(ROOT)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert "WRONG: the package snakemake is not installed." in done.stdout
    assert "Traceback" not in done.stderr


def test_the_command_says_what_it_found(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    works = {"works": True, "kind": "gpu", "device": "H100"}
    monkeypatch.setattr(doctor, "try_backend", lambda name, timeout: works)
    assert main(["doctor"]) == 0
    told = capsys.readouterr().out
    assert "backend jax" in told
    assert "works on H100 (gpu)" in told
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {
        "versions",
        "system",
        "cores",
        "memory_gb",
        "backends",
        "folders",
        "slurm",
        "problems",
    } == (set(found))
    monkeypatch.setattr(doctor, "try_backend", lambda name, timeout: BROKEN)
    assert main(["doctor"]) == 1
    assert "WRONG: jax does not work: ImportError" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("echo slurm 22.05.8", "slurm 22.05.8"),
        ("echo 'sinfo: fatal: no configuration' >&2; exit 1", "sinfo says: sinfo: fatal: no conf"),
    ],
)
def test_a_slurm_without_a_configuration_is_not_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, found: str
) -> None:
    (tmp_path / "sinfo").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "sinfo").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert found in (doctor.slurm() or "")


@pytest.mark.slow
def test_the_backends_of_this_machine_work() -> None:
    for name in doctor.BACKENDS:
        found = doctor.try_backend(name, timeout=180)
        assert found["works"], found
        assert os.fspath(Path.home()) not in json.dumps(found)
