"""Make a folder in which the installed workflow runs: a Snakefile, its settings, its profiles."""

from __future__ import annotations

import argparse
from pathlib import Path

SNAKEFILE = """\
# The workflow of the installed package; its rules may be changed and others added below. See
# docs/module.md of the project.
from lib.project import ROOT


configfile: "config/config.yaml"


module heldout:
    snakefile:
        str(ROOT / "workflow" / "Snakefile")
    config:
        config


use rule * from heldout


onstart:
    heldout.onstart()
"""
"""Names no path: another environment, or another version, has its own."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="made unless it is there")


def run(arguments: argparse.Namespace) -> int:
    """Write the folder, which must not hold any of it yet."""
    import shutil

    from lib.errors import HeldoutError, reason
    from lib.project import ROOT

    folder: Path = arguments.folder
    for name in ("Snakefile", "workflow", "config", "profiles", "slurm"):
        if (folder / name).exists():
            raise HeldoutError(
                folder / name,
                "a folder without a workflow, since nothing is overwritten",
                advice="Choose another folder, or move it away.",
            )
    try:
        (folder / "workflow").mkdir(parents=True)
        (folder / "workflow" / "Snakefile").write_text(SNAKEFILE, encoding="utf-8")
        (folder / "config" / "studies").mkdir(parents=True)
        for file in (ROOT / "config").glob("*.yaml"):
            shutil.copy(file, folder / "config")
        shutil.copytree(ROOT / "profiles", folder / "profiles")
        # As in a clone: `snakemake --profile slurm`.
        (folder / "slurm").symlink_to("profiles/slurm")
    except OSError as error:
        raise HeldoutError(
            folder, "to be able to write to it", reason(error), "Choose another folder."
        ) from error
    print(f"{folder}\nThen, in that folder: snakemake --cores all")
    return 0
