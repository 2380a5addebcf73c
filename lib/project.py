"""Where the files are that are no code of the library: workflow, settings, resources, caches."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).parent
_INSTALLED = _PACKAGE / "_project"
ROOT = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent
"""The folder of `workflow`, `config`, `resources` and `profiles`: the checkout, or a folder within
the package where that was installed from a wheel."""


def path_of(name: str) -> str:
    """Name a file of the project for the rules.

    Parameters
    ----------
    name : str
        A path below `ROOT`.

    Returns
    -------
    str
        The path as it is where the working directory is `ROOT`: a checkout may be moved without its
        results being out of date. The absolute path anywhere else.
    """
    return name if Path.cwd().samefile(ROOT) else os.fspath(ROOT / name)


def cache_folder() -> Path:
    """Name the folder, of the user's, for what may be deleted at any time; it need not be there."""
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    except RuntimeError:  # a container may know no home: then nothing can be kept
        home = os.devnull
    return Path(home) / "heldout"
