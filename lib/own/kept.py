"""The study of a folder, kept for the next start of a run: headers are not all read each time.

Snakemake reads its rules at every start, and on a cluster once more in every job.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from lib.errors import HeldoutError
from lib.files import read_json, write_json
from lib.own.study import study_text
from lib.own.survey import listing
from lib.provenance import code_hash, packages_of


def kept_text(folder: str | Path, *, file: Path | None, **options: Any) -> str:
    """Return what `lib.own.study.study_text` does, from a file where that still holds.

    Parameters
    ----------
    folder : str or Path
        As there.
    file : Path or None
        Where the text is kept; None where it is not. In a place that nobody may write to nothing
        is kept, and a damaged file is made anew.
    **options
        As there.

    Returns
    -------
    str
        It is written anew where the paths, sizes or times of the files of the folder, an option,
        the code, or the version of a package that reads headers is another one.

    Raises
    ------
    HeldoutError
        As `lib.own.study.study_text`. Nothing is kept then.
    """
    if file is None or not Path(folder).is_dir():
        return study_text(folder, **options)
    # Before any file is read: one that changes meanwhile is read again.
    state = _state(Path(folder), options)
    with suppress(HeldoutError, AttributeError, KeyError, TypeError):
        kept = read_json(file)
        if kept["state"] == state and kept["sha256"] == _sha256(kept["text"]):
            return str(kept["text"])
    text = study_text(folder, **options)
    with suppress(OSError, UnicodeError):
        write_json(file, {"state": state, "sha256": _sha256(text), "text": text})
    return text


def _state(folder: Path, options: dict[str, Any]) -> str:
    """Name all that the text follows from."""
    made_by = [
        code_hash("lib.own.study"),
        Path(__file__).with_name("study.yaml.j2").read_text(encoding="utf-8"),
        packages_of("lib.datasets.audio", "lib.datasets.matlab"),
    ]
    return _sha256(
        json.dumps([str(folder), str(folder.resolve()), listing(folder), options, made_by])
    )


def _sha256(text: str) -> str:
    # A name of a file may hold bytes that are no text.
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
