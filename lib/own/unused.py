"""What lies in a folder and is not used: told, with the command that makes it usable."""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path, PurePosixPath

from lib.datasets.dataset import is_excluded
from lib.datasets.files import SUFFIXES
from lib.errors import HeldoutError
from lib.files import is_hidden
from lib.own.headers import by_key, named
from lib.own.layout import listed

# Recordings that ffmpeg reads, as sound or in a film, and signals that other programs do.
_SOUNDS = re.compile(
    r"\.(3ga|3gpp?|aac|ac3|amr|ape|asf|avi|awb|caf|dff|dsf|dss|flv|m4[abprv]|mk[av]|mov|mp[24c]|mpg"
    r"|oma|qcp|ra|rm|spx|tta|voc|web[am]|wm[av]|wv)"
)
_SIGNALS = (".edf", ".bdf", ".gdf")
# What people write and draw beside recordings: a folder of them is meant for no class.
_PAPERS = re.compile(
    r"\.(txt|md|pdf|docx?|xlsx?|json|ya?ml|xml|html?|png|jpe?g|svg|py|m|ipynb|log)|"
)
_ARCHIVES = re.compile(r"\.(zip|rar|7z|tar|tgz|tar\.(gz|bz2|xz|zst)|tbz2?|txz)$")
# What somebody took for the table that is read.
_TABLES = re.compile(r"metadata(\.csv)?\.(xlsx?|xlsm|ods|numbers|tsv|txt|json|parquet)|metadata")
_MOST = 6


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def is_unread(name: str) -> bool:
    """Tell by its suffix whether a file is a recording of a format that is not read."""
    suffix = _suffix(name)
    known = suffix in _SIGNALS or _SOUNDS.fullmatch(suffix) is not None
    return known and suffix not in SUFFIXES


def unread(names: Iterable[str], recordings: Collection[str]) -> list[str]:
    """List the recordings of formats that are not read.

    Parameters
    ----------
    names : iterable of str
        All files of a folder that are not hidden.
    recordings : collection of str
        Those that are read. What has one of the same name beside it was converted before.

    Returns
    -------
    list of str
        Sorted.
    """
    converted = {os.path.splitext(name)[0] for name in recordings}  # noqa: PTH122
    return sorted(
        name
        for name in names
        if is_unread(name) and os.path.splitext(name)[0] not in converted  # noqa: PTH122
    )


def conversion(folder: Path, names: Sequence[str]) -> str:
    """Say how recordings of a format that is not read become usable; empty for none."""
    if not names:
        return ""
    suffixes = sorted({_suffix(name) for name in names})
    if any(suffix in _SIGNALS for suffix in suffixes):
        return "Convert them to WFDB records (.hea), .mat or wav."
    some = " -o ".join(f"-iname '*{suffix}'" for suffix in suffixes)
    some = some if len(suffixes) == 1 else rf"\( {some} \)"
    return (
        f"Convert them: find {shlex.quote(str(folder))} {some} -exec sh -c "
        """'ffmpeg -n -i "$1" "${1%.*}.wav"' _ {} \\;"""
    )


def reason(name: str) -> str:
    """Say why a recording of a format that is not read is left out."""
    return f"recordings of the format {_suffix(name)} are not read"


def require_classes(
    folder: Path, lost: Sequence[str], classes: Iterable[str], files: Sequence[str]
) -> None:
    """Refuse a folder in which all recordings of a class are of formats that are not read.

    Raises
    ------
    HeldoutError
        There are such classes, which `lost` lists; `files` are their recordings.
    """
    if lost:
        suffixes = ", ".join(sorted({_suffix(name) for name in files}))
        raise HeldoutError(
            folder,
            "recordings that can be read in each class",
            f"none in {listed(lost)}, but {len(files)} of the format {suffixes}; classes that can "
            f"be read: {listed(classes) or 'none'}",
            f"{conversion(folder, files)} Or go on without: --exclude {shlex.quote(lost[0])} for "
            f"new-study, `recordings: {{exclude: [{', '.join(lost)}]}}` in the settings.",
        )


def others(names: Iterable[str]) -> str:
    """Count files that are no recordings by their suffix, in one sentence; empty for none."""
    counts = Counter(sorted(_suffix(name) or "no suffix" for name in names))
    if not counts:
        return ""
    some = [f"{count} {suffix}" for suffix, count in counts.most_common(_MOST)]
    rest = sum(counts.values()) - sum(count for _, count in counts.most_common(_MOST))
    some += [f"{rest} others"] if rest else []
    return f"Passed over, since they are no recordings: {', '.join(some)}."


def unopened(names: Iterable[str]) -> list[str]:
    """Say what holds recordings or their labels in a form that is not read: archives, workbooks."""
    names = sorted(names)
    archives = [name for name in names if _ARCHIVES.search(name.lower())]
    told = []
    if archives:
        told.append(f"{named(archives)}: archives are not looked into. Unpack what is in them.")
    capitals = [name for name in names if name.endswith(".HEA")]
    if capitals:
        told.append(f"{named(capitals)}: headers of WFDB records are read where they end in .hea.")
    for name in (one for one in names if _TABLES.fullmatch(one.lower())):
        told.append(
            f"{name} is not read, but metadata.csv is: save it as CSV (UTF-8) under that name."
        )
    return told


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def without_recordings(
    folder: Path, names: Collection[str], used: Collection[str], *, exclude: Collection[str] = ()
) -> list[str]:
    """Say which folders hold no recording, but may be meant for a class, or for a part of one.

    Parameters
    ----------
    folder : Path
        As for `lib.own.table.examine`.
    names : collection of str
        All its files that are not hidden.
    used : collection of str
        The recordings, those of formats that are not read among them.
    exclude : collection of str
        Folders of which nothing is said.

    Returns
    -------
    list of str
        A sentence for each at the top, and one for all others of which the same is true.
    """
    within = {parent.as_posix() for name in used for parent in PurePosixPath(name).parents}
    held: dict[str, Counter[str]] = {}
    for name in names:
        for parent in PurePosixPath(name).parents:
            held.setdefault(parent.as_posix(), Counter())[_suffix(name) or "no suffix"] += 1
    told, deeper = [], []
    waiting = [""]
    while waiting:
        above = waiting.pop()
        for entry in sorted(os.scandir(folder / above), key=lambda entry: entry.name):
            place = f"{above}{entry.name}"
            if is_hidden(place) or not _is_folder(entry) or is_excluded(place, exclude):
                continue
            if place in within:
                waiting.append(f"{place}/")
                continue
            counts = held.get(place, Counter())
            if counts and all(_PAPERS.fullmatch("" if s == "no suffix" else s) for s in counts):
                continue
            some = ", ".join(f"{count} {suffix}" for suffix, count in counts.most_common(_MOST))
            holds = f"holds no recording that can be read, but {some}" if some else "is empty"
            if not os.access(entry.path, os.R_OK | os.X_OK):
                holds = "cannot be looked into: its permissions forbid it"
            elif above and entry.is_symlink():
                holds = "is a link, and links to folders are followed at the top only"
            if above:
                deeper.append((place, holds))
            else:
                told.append(f"The folder {place} {holds}: it is no class here.")
    for holds, places in by_key(sorted(deeper)).items():
        if len(places) == 1:
            told.append(f"The folder {places[0]} {holds}: nothing of it is used.")
        else:
            told.append(f"Each of the folders {named(places)} {holds}: nothing of them is used.")
    return told
