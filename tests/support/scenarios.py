"""Pairs of splits, one that leaks and one that does not, from which docs/audit.md has its tables.

A scenario makes either of the two by code, from a seed, and asks a door that people have: the
command `audit`, the audit of a study, or the check of the configuration.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import soundfile

from lib.audit import audit_split, require_honest
from lib.cli import main
from lib.config.settings import ROOT, merge, resolve
from lib.errors import HeldoutError
from lib.files import read_yaml
from tests.unit.features.test_fingerprint import sound

# With the first all was developed; the others were looked at once nothing was changed any more.
SEEDS = (0, 3, 4)
RATE = 16000
PARTS = ("train",) * 6 + ("validation",) * 3 + ("test",) * 3

Verdict = dict[str, str]
"""What a door said: each leak and warning by its kind, with its level."""


class Scenario(NamedTuple):
    """One pair: `make(folder, seed, leaky)` gives the verdict on either of the two.

    `finds` is the kind of the finding, or what the error says; `missed` are the seeds with which
    nothing is found.
    """

    kind: str
    source: str
    leak: str
    clean: str
    finds: str
    level: str
    missed: tuple[int, ...]
    make: Callable[[Path, int, bool], Verdict]


SCENARIOS: list[Scenario] = []


def scenario(
    kind: str,
    *,
    source: str,
    leak: str,
    clean: str,
    finds: str,
    level: str = "leak",
    missed: tuple[int, ...] = (),
) -> Callable[[Callable[[Path, int, bool], Verdict]], Callable[[Path, int, bool], Verdict]]:
    """Register a function as one pair.

    Parameters
    ----------
    kind : str
        The heading it stands under, such as `groups`.
    source : str
        Who describes such leaks.
    leak, clean : str
        What is in either of the two.
    finds : str
        The kind of the finding; of the configuration, what the error says.
    level : str
        Of the finding: leak, warning, or refused.
    missed : tuple of int
        The seeds with which the leak is not found: a test holds that, too.
    """

    def register(make: Callable[[Path, int, bool], Verdict]) -> Callable[..., Verdict]:
        SCENARIOS.append(Scenario(kind, source, leak, clean, finds, level, missed, make))
        return make

    return register


@cache
def voice(seed: int, number: int, *, seconds: float = 3.0) -> np.ndarray:
    """Make the recording of a number; no two are alike."""
    return sound(1000 * seed + number, seconds=seconds, rate=RATE)


def noise(rng: np.random.Generator, *, seconds: float = 0.15, rate: float = RATE) -> np.ndarray:
    """Make a short noise, quick to write and to read."""
    return 0.1 * rng.normal(size=round(seconds * rate))


def base(seed: int, *, count: int = 12) -> pd.DataFrame:
    """Make a table of files in three parts: two labels in each part, a group for each file."""
    rng = np.random.default_rng([seed, count])
    parts = np.repeat(PARTS, count // len(PARTS))
    labels = np.array(["murmur", "normal"])[np.arange(count) % 2]
    names = rng.permutation(count)
    return pd.DataFrame(
        {
            "path": [f"{name:03}.wav" for name in names],
            "part": parts,
            "label": labels,
            "group": [f"g{number + 30}" for number in rng.permutation(count)],
        }
    )


def write_noises(folder: Path, paths: Any, *, seed: int) -> None:
    """Write a short noise for each path."""
    for number, path in enumerate(dict.fromkeys(paths)):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, noise(np.random.default_rng([seed, number])), RATE)


def audit_table(folder: Path, table: pd.DataFrame, *options: str) -> Verdict:
    """Write a table beside its files, and audit it."""
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "split.csv", index=False)
    return audit(folder / "split.csv", *options)


def audit(source: Path, *options: str) -> Verdict:
    """Run `python -m lib audit` in this process."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = main(["audit", str(source), "--json", "--threads", "1", *options])
    found = json.loads(printed.getvalue())["findings"]
    verdict = {one["kind"]: one["level"] for one in found if one["level"] != "note"}
    assert status == int("leak" in verdict.values()), "the status contradicts the findings"
    return verdict


def audit_study(examples: pd.DataFrame, split: pd.DataFrame, *, seconds: float = 1.0) -> Verdict:
    """Audit the split of a study under a protocol that is called honest."""
    found = audit_split(
        examples, split, duration=seconds, classes=["murmur", "normal"], honest=True
    )
    kinds = ("groups_on_two_sides", "identical_examples", "overlapping_examples")
    verdict = {kind: "leak" for kind in kinds if found[kind]["count"]}
    try:
        require_honest(found, study="study", protocol="grouped")
    except HeldoutError:
        assert verdict
    else:
        assert not verdict, "it leaks, and the run goes on"
    return verdict | ({"missing_classes": "warning"} if found["missing_classes"] else {})


def configured(study: str, over: Mapping[str, Any]) -> Verdict:
    """Resolve the configuration of one study; what refuses it is the finding."""
    shipped = read_yaml(ROOT / "config" / "config.yaml")
    try:
        resolve(merge(shipped, {"studies": [study], "settings": {study: over}}))
    except HeldoutError as error:
        return {str(error): "refused"}
    return {}
