"""PASCAL Classifying Heart Sounds Challenge 2011: heart sounds in two sets, in Kaggle's layout."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from lib.datasets.audio import read_audio, read_header
from lib.datasets.dataset import Dataset, row
from lib.datasets.text import read_csv
from lib.errors import HeldoutError

_UNLABELLED = {"Aunlabelledtest", "Bunlabelledtest"}

# set_a: label, time. set_b: label, sublabel or nothing, subject, time, site of the stethoscope.
_SET_A = re.compile(r"(?P<label>[A-Za-z]+)__(?P<time>\d+)")
_SET_B = re.compile(
    r"(?P<label>[A-Za-z]+)_(?P<sublabel>[A-Za-z]*)_(?P<subject>\d+)_(?P<time>\d+)_(?P<site>\w+)"
)
# The lists name the files of set_b otherwise (Btraining_murmur_…): only the end is the same.
_KEY = re.compile(r"(\d+_\d+_\w+|\d+)$")
_LONGEST = 100
# What identifies a recording in the archives of the challenge.
_MEMBER = {
    "set_a": re.compile(r"(?:^|[_\W])(\d{8,14})\.wav$", re.IGNORECASE),
    # The last part is the site; where one was recorded twice it has a number: B_1.
    "set_b": re.compile(r"(?:^|[_\W])(\d+_\d+_[A-Z]\d*(?:_\d+)?)\.wav$", re.IGNORECASE),
}


def recordings(folder: str | Path, exclude: Collection[str] = ()) -> pd.DataFrame:
    """List the recordings on disk; their names say label and subject.

    The subject is the first number in a name of set_b. In set_a, whose names have none, each file
    is its own group.

    Parameters
    ----------
    folder : str or Path
        The folder that holds `set_a` and `set_b`. `set_a.csv` and `set_b.csv`, when there, are
        compared with the names.
    exclude : collection of str
        Recordings, by name, of which nothing is read.

    Returns
    -------
    pd.DataFrame
        The columns of `lib.datasets`, and `sublabel` (noisynormal, noisymurmur), `set` (a, b) and
        `site`.

    Raises
    ------
    HeldoutError
        A name is of neither pattern, a list cannot be read, or it gives another label.
    """
    rows = []
    for part, pattern in (("a", _SET_A), ("b", _SET_B)):
        listed = _listed(Path(folder) / f"set_{part}.csv")
        for path in sorted((Path(folder) / f"set_{part}").glob("[!.]*.wav")):
            if path.stem not in exclude:
                rows.append(_describe(path, part, pattern, listed))
    return pd.DataFrame(rows)


def _listed(path: Path) -> dict[str, set[str]]:
    """Map the labels in a list by the end of its names (a clean and a noisy copy share it)."""
    labels: dict[str, set[str]] = {}
    if path.is_file():
        for row in read_csv(path, required=("fname", "label")):
            # Only as much as a name has: over a long line of digits the search would take minutes.
            key = _KEY.search(Path(row["fname"]).stem[-_LONGEST:])
            if key:
                labels.setdefault(key[1], set()).add(row["label"])
    return labels


def _describe(
    path: Path, part: str, pattern: re.Pattern[str], listed: dict[str, set[str]]
) -> dict[str, Any]:
    name = pattern.fullmatch(path.stem)
    if not name:
        wanted = "label__time" if part == "a" else "label_sublabel_subject_time_site"
        raise HeldoutError(
            path,
            f"a name like {wanted}.wav",
            path.name,
            "Rename it as published, or move it out of the folder.",
        )
    fields = name.groupdict()
    label = "" if fields["label"] in _UNLABELLED else fields["label"]
    key = fields["time"] if part == "a" else "_".join(name.group("subject", "time", "site"))
    if label not in listed.get(key, {label}):
        raise HeldoutError(
            path,
            f"the label in set_{part}.csv ({', '.join(sorted(listed[key]))})",
            f"{label or 'none'!r} in the file name",
            "Replace both by the published ones, or exclude the recording.",
        )
    return row(
        path,
        read_header,
        label=label,
        group=f"a{key}" if part == "a" else f"b{fields['subject']}",
        sublabel=fields.get("sublabel", ""),
        set=part,
        site=fields.get("site", ""),
    )


def layout(holds: str, member: str) -> str | None:
    """Translate the name of a recording in an archive of the challenge to that of Kaggle's release.

    The challenge and the release name a recording differently; subject, time and site are the
    same in both, and identify it: `Training B Normal/Btraining_noisynormal/101_1305030823364_B.wav`
    is `set_b/normal_noisynormal_101_1305030823364_B.wav`.

    Parameters
    ----------
    holds : str
        The recordings of the archive in the release: `set_b/normal_*.wav`.
    member : str
        A name in the archive.

    Returns
    -------
    str or None
        Its path in the release; None where it is no recording.

    Raises
    ------
    HeldoutError
        The name cannot be read.
    """
    path = PurePosixPath(member)
    if path.suffix.lower() != ".wav":
        return None
    part, label = holds.removesuffix("_*.wav").split("/")
    match = _MEMBER[part].search(path.name)
    if match is None:
        raise HeldoutError(
            "",
            "recordings named as in the challenge of 2011",
            repr(member),
            "The publisher changed the archive: use the release on Kaggle.",
        )
    noisy = f"noisy{label}"
    sub = noisy if noisy in member.lower() else ""
    return f"{part}/{label}_{sub}_{match[1]}.wav"


HEARTBEAT_SOUNDS = Dataset("heartbeat_sounds", recordings, read_audio, layout=layout)
