"""A stand-in for conda: its environments have what is installed here, if that is what is asked for.

No channel is asked, so nothing is said of what conda-forge has.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import yaml
from packaging.requirements import Requirement

# What a package is called in conda where that is not its name in the package index.
CONDA = {"soundfile": "pysoundfile", "matplotlib": "matplotlib-base", "soxr": "soxr-python"}

_INDEX = {conda: name for name, conda in CONDA.items()}


def put_conda(folder: Path) -> str:
    """Make an installation of the stand-in, and return the PATH that has it.

    What it is asked is written into the file `calls` of the folder.
    """
    (folder / "bin").mkdir(parents=True)
    conda, activate = folder / "bin" / "conda", folder / "bin" / "activate"
    conda.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{folder}" "$@"\n')
    conda.chmod(0o755)
    # Snakemake has bash read it, with the environment as its argument.
    activate.write_text('export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n')
    return os.pathsep.join([os.fspath(folder / "bin"), os.environ["PATH"]])


def lacking(file: Path) -> Iterator[str]:
    """Yield the entries of an environment file that what is installed here does not meet."""
    *packages, index = yaml.safe_load(file.read_text())["dependencies"]
    for line in [*packages, *index["pip"]]:
        asked = Requirement(line)
        try:
            name = _INDEX.get(asked.name, asked.name)
            got = platform.python_version() if name == "python" else version(name)
        except PackageNotFoundError:
            yield f"{line}: not installed"
        else:
            if not asked.specifier.contains(got):
                yield f"{line}: {got} is installed"


def _main(folder: Path, words: list[str]) -> str:
    with (folder / "calls").open("a") as calls:
        print(*words, file=calls)
    match words:
        case ["--version"]:
            return "conda 26.1.0"
        case ["info", "--json"]:
            return json.dumps({"conda_prefix": os.fspath(folder), "platform": "linux-64"})
        case ["config", "--get", key, "--json"]:
            return json.dumps({"get": {key: "strict"}})
        case ["clean", *_]:
            return ""
        case ["env", "create", "--quiet", "--no-default-packages", "--file", file, "--prefix", to]:
            if unmet := list(lacking(Path(file))):
                sys.exit("\n".join(unmet))
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", to], check=True)
            (packages,) = Path(to).glob("lib/python*/site-packages")
            # Those of the packages alone: a .pth file there, of a checkout, is not read.
            (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
            return ""
    sys.exit(f"not known to the stand-in: conda {' '.join(words)}")


if __name__ == "__main__":
    print(_main(Path(sys.argv[1]), sys.argv[2:]))
