"""What is refused before a job is submitted to Slurm."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.errors import HeldoutError
from lib.jobs.cluster import partitions, require_partitions


@pytest.fixture
def sinfo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program `sinfo` in the way that knows two partitions."""
    program = tmp_path / "sinfo"
    program.write_text("#!/bin/sh\necho cpu\necho gpu\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return program


def test_partitions_that_there_are(sinfo: Path) -> None:
    assert partitions() == {"cpu", "gpu"}
    require_partitions(["cpu", "cpu,gpu", None])


def test_a_partition_that_there_is_not(sinfo: Path) -> None:
    with pytest.raises(
        HeldoutError, match=r"no partition big: expected one of cpu, gpu. Set slurm"
    ):
        require_partitions(["cpu", "gpu,big"])


def test_nobody_is_asked_where_the_cluster_chooses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    require_partitions([None, None])


def test_no_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        HeldoutError, match=r"expected its program sinfo.*leave out --profile slurm"
    ):
        require_partitions(["cpu"])


def test_a_controller_that_does_not_answer(sinfo: Path) -> None:
    sinfo.write_text("#!/bin/sh\necho 'Unable to contact slurm controller' >&2\nexit 1\n")
    with pytest.raises(
        HeldoutError, match=r"does not answer: .*Unable to contact slurm controller"
    ):
        require_partitions(["cpu"])
