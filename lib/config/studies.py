"""The files of studies: those of the working directory, then those that come with the project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from lib.errors import HeldoutError, suggestion

FOLDER = Path("config") / "studies"


def find_studies(root: Path, here: Path | None = None) -> dict[str, Path]:
    """Find the file of each study by its name.

    Parameters
    ----------
    root : Path
        The project.
    here : Path, optional
        The working directory: its study is taken where both have one of a name.

    Returns
    -------
    dict
        Name to path, sorted within each folder.
    """
    folders = [root / FOLDER]
    if here is not None and not here.samefile(root):
        folders.append(FOLDER if here == Path() else here / FOLDER)
    return {file.stem: file for folder in folders for file in sorted(folder.glob("*.yaml"))}


def require_known(names: Iterable[str], files: Mapping[str, Path], *, others: list[str]) -> None:
    """Raise where there is no study of a name.

    Parameters
    ----------
    names : iterable of str
        What was asked for.
    files : mapping
        Of `find_studies`.
    others : list of str
        Names that are known without a file.

    Raises
    ------
    HeldoutError
        Names what was perhaps meant, and where there are two folders what is in each.
    """
    known = [*files, *others]
    for name in names:
        if name in known:
            continue
        advice = suggestion(name, known)
        folders = {
            file.parent: [f for f in files if files[f].parent == file.parent]
            for file in files.values()
        }
        if len(folders) > 1:
            held = "; ".join(f"{folder} has {', '.join(of)}" for folder, of in folders.items())
            advice = f"{advice.partition('Known:')[0]}{held}."
        raise HeldoutError(f"unknown study {name!r}", advice=advice)
