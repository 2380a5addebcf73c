"""What a run through Slurm needs, checked before the first job is submitted."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable

from lib.errors import HeldoutError

PROFILE = "profiles/slurm/profile.yaml"


def partitions() -> set[str]:
    """List the partitions of the cluster.

    Raises
    ------
    HeldoutError
        There is no Slurm on this machine, or it does not answer.
    """
    command = ["sinfo", "--noheader", "--format=%R"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except FileNotFoundError as error:
        raise HeldoutError(
            "the profile asks for Slurm",
            "its program sinfo",
            "nothing of that name",
            "Log in where sbatch and sinfo can be run, or leave out --profile slurm.",
        ) from error
    except subprocess.SubprocessError as error:
        said = str(getattr(error, "stderr", "") or error).strip()
        raise HeldoutError(
            f"Slurm does not answer: {' '.join(command)}: {said}",
            advice="Nothing was submitted. Wait until sinfo lists its partitions, and run again.",
        ) from error
    return set(done.stdout.split())


def require_partitions(names: Iterable[str | None]) -> None:
    """Raise where jobs are to go to a partition that the cluster does not have.

    Without this every job would be refused by `sbatch`, as often as it may be tried.

    Parameters
    ----------
    names : iterable of str or None
        What jobs ask for: one partition, or several joined by commas. None is the cluster's own
        choice.

    Raises
    ------
    HeldoutError
        Lists the partitions that there are; or as `partitions`.
    """
    asked = {part for name in names if name for part in str(name).split(",")}
    if not asked:
        return
    there = partitions()
    if lost := sorted(asked - there):
        raise HeldoutError(
            f"Slurm has no partition {' or '.join(lost)}",
            f"one of {', '.join(sorted(there)) or 'none at all'}",
            advice=f"Set slurm_partition in {PROFILE}, or on the command line: "
            "--default-resources slurm_partition=NAME",
        )
