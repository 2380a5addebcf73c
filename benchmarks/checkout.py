"""A copy of the project in a folder of its own, and Snakemake run there as a person would."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, cores

PARTS = (
    "Snakefile",
    "environment.yml",
    "workflow",
    "lib",
    "config",
    "profiles",
    "resources/registry",
)


def copy(folder: Path) -> Path:
    """Copy what a run needs, and no result."""
    for part in PARTS:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    for source in (ROOT / "resources").glob("*.*"):
        shutil.copy2(source, folder / "resources" / source.name)
    return folder


def snakemake(folder: Path, /, *targets: str, **config: Any) -> None:
    """Make files of a copy.

    Raises
    ------
    RuntimeError
        Snakemake failed; the text is what it said.
    """
    given = [
        f"{key}={value if isinstance(value, str) else json.dumps(value)}"
        for key, value in config.items()
    ]
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--cores",
        str(cores()),
        *targets,
        "--config",
        *given,
    ]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    # The interpreter of the jobs is the one of this process.
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stdout}\n{done.stderr}")
