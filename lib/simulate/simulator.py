"""Simulated datasets in exactly the published layouts, to try a workflow without any download.

The subjects differ from one another as real ones do (waves, timbre, noise, microphones), so that a
split by recording flatters here too. The numbers of a study on them say nothing about medicine or
language, only that the workflow runs and that its splits matter.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib import import_module
from pathlib import Path

from lib.errors import HeldoutError

DATASETS = ("common_voice", "ephnogram", "five_voices", "heartbeat_sounds", "mitdb")
"""Names that `simulate` knows; each is a module here with `write(folder, *, seed, scale)`."""

NOTE = "SIMULATED.txt"
"""The file that says so in every simulated dataset."""


def simulate(dataset: str, folder: str | Path, *, seed: int = 0, scale: float = 1.0) -> None:
    """Write a small dataset in exactly the published layout.

    The same arguments give the same bytes. Each subject has a generator of its own, made from
    `seed`, the dataset and the subject's name.

    Parameters
    ----------
    dataset : str
        One of `DATASETS`.
    folder : str or Path
        Where to: missing, empty, or an earlier simulation, whose files are replaced. It is filled
        only when everything has been made.
    seed : int
        Seed, not negative.
    scale : float
        Multiplies subjects or the length of recordings (which of them, each dataset's `write`
        says), never below what every protocol and class needs.

    Raises
    ------
    HeldoutError
        The dataset is not known, `seed` or `scale` is out of range, or `folder` holds files that
        are not simulated.
    """
    if dataset not in DATASETS:
        raise HeldoutError(
            "simulate",
            f"a dataset of {', '.join(DATASETS)}",
            repr(dataset),
            "Choose one of them, or retrieve it from another source.",
        )
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise HeldoutError("simulate: seed", "an integer from 0", repr(seed), "Change it.")
    if not 0 < scale <= 50:
        raise HeldoutError(
            "simulate: scale", "a number above 0 and up to 50", repr(scale), "Change it."
        )
    folder = Path(folder)
    old = [] if not folder.exists() else [p for p in folder.iterdir() if p.name[0] != "."]
    if old and not (folder / NOTE).exists():
        raise HeldoutError(
            folder,
            "an empty folder or simulated files",
            f"{len(old)} others ({old[0].name}, …)",
            "Nothing was changed; move them, or name another folder.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as name:
        part = Path(name)
        module = import_module(f"lib.simulate.{dataset}")
        module.write(part, seed=seed, scale=scale)
        # The note goes away first and comes last: without it, the folder is not whole.
        for path in sorted(old, key=lambda p: p.name != NOTE):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in sorted(part.iterdir()):
            os.replace(path, folder / path.name)
        (part / NOTE).write_text(
            f"These are simulated recordings in the layout of {dataset}. No person was recorded.\n"
            f"They were made with seed {seed} and scale {scale:g}.\n",
            encoding="utf-8",
        )
        os.replace(part / NOTE, folder / NOTE)
