"""Programs that are no dependency: `.ci/run` puts each into an environment of its own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tool(name: str, program: str | None = None) -> str:
    """Find a program, and skip the test that needs it where there is none.

    Parameters
    ----------
    name : str
        Its environment, `.cache/{name}`.
    program : str, optional
        `name` by default. One of `.venv`, such as `python`, is looked for nowhere else.
    """
    program = program or name
    own = ROOT / ".cache" / name / "bin" / program
    found = os.fspath(own) if own.is_file() else shutil.which(program)
    if found is None or (program == "python" and not own.is_file()):
        pytest.skip(f"needs {program} of .cache/{name}, which .ci/run makes")
    return found
