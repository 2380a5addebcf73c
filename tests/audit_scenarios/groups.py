"""Persons on two sides, however their names are written."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from lib.splits import make_split
from tests.support.scenarios import (
    Verdict,
    audit,
    audit_study,
    audit_table,
    base,
    scenario,
    write_noises,
)

NONINDEPENDENCE = "Kapoor and Narayanan 2023, L3.2"
TYPED = "OpenRefine, key collision (fingerprint)"
PEOPLE = ("Anna", "Berta", "Clara", "Dora", "Emma", "Frieda", "Greta", "Hanna")


def grouped(
    folder: Path,
    seed: int,
    leaky: bool,
    *,
    written: tuple[str, str] = ("{}", "{}"),
    sides: tuple[str, str] = ("train", "test"),
    people: tuple[object, ...] = PEOPLE,
    folds: bool = False,
) -> Verdict:
    """Give two files of two parts to one person or to two, each name written in its own way."""
    rng = np.random.default_rng(seed)
    table = base(seed)
    one, other = rng.choice(len(people), 2, replace=False)
    for side, form, who in zip(sides, written, (one, one if leaky else other), strict=True):
        row = rng.choice(np.flatnonzero(table["part"] == side))
        table.loc[row, "group"] = form.format(people[who])
    write_noises(folder, table["path"], seed=seed)
    if folds:
        table = table.assign(fold=np.repeat([1, 2, 10], [6, 3, 3])).drop(columns="part")
    return audit_table(folder, table)


NUMBERS = (3, 4, 5, 6, 7, 8)
WRITTEN = {
    "in train and in test": {},
    "in train and in validation": {"sides": ("train", "validation")},
    "in validation and in test": {"sides": ("validation", "test")},
    "in two folds": {"folds": True},
    "with a non-breaking blank behind the name": {"written": ("{}", "{}\u00a0")},
    "with a mark that nobody sees before the name": {"written": ("{}", "\u200b{}")},
    "with two blanks within the name": {"written": ("{} Maier", "{}  Maier")},
    "with an accent in another form": {"written": ("{} L\u00f3pez", "{} Lo\u0301pez")},
}
ALIKE = {
    "as 7 and 07": {"written": ("{}", "0{}"), "people": NUMBERS},
    "as 7 and 7.0": {"written": ("{}", "{}.0"), "people": NUMBERS},
    "as p-7 and p_7": {"written": ("p-{}", "p_{}"), "people": NUMBERS},
    "as P07 and p7": {"written": ("P0{}", "p{}"), "people": NUMBERS},
}
for how, options in WRITTEN.items():
    scenario(
        "groups",
        source=NONINDEPENDENCE if "with" not in how else TYPED,
        leak=f"one person {how}",
        clean="two persons, written so",
        finds="groups_on_two_sides",
    )(partial(grouped, **options))
for how, options in ALIKE.items():
    scenario(
        "groups",
        source=TYPED,
        leak=f"one person in two parts, written {how}",
        clean="two persons, written so",
        finds="groups_alike",
        level="warning",
    )(partial(grouped, **options))


@scenario(
    "groups",
    source=TYPED,
    leak="one person in two parts, in other capitals",
    clean="two persons, written so",
    finds="groups_alike",
    level="warning",
)
def capitals(folder: Path, seed: int, leaky: bool) -> Verdict:
    table = base(seed)
    one, other = np.random.default_rng(seed).choice(PEOPLE, 2, replace=False)
    table.loc[[0, 11], "group"] = [one, (one if leaky else other).upper()]
    write_noises(folder, table["path"], seed=seed)
    return audit_table(folder, table)


@scenario(
    "groups",
    source="Chaibub Neto et al. 2019, repeated measures",
    leak="two sessions of a person in two parts, each with a name of its own",
    clean="the sessions of two persons",
    finds="sessions_on_two_sides",
    level="warning",
)
def sessions(folder: Path, seed: int, leaky: bool) -> Verdict:
    forms = [("{}_ses-1", "{}_ses-2"), ("{} visit 1", "{} visit 3"), ("{}-run1", "{}-run02")]
    return grouped(folder, seed, leaky, written=forms[seed % 3])


@scenario(
    "groups",
    source=NONINDEPENDENCE,
    leak="a person in two parts, known from the names of files (--group-pattern)",
    clean="another person in the name",
    finds="groups_on_two_sides",
)
def of_names(folder: Path, seed: int, leaky: bool) -> Verdict:
    table = base(seed).drop(columns="group")
    who = np.random.default_rng(seed).permutation(12)
    who[11] = who[0] if leaky else 12
    table["path"] = [f"p{one:02}_{number}.wav" for number, one in enumerate(who)]
    write_noises(folder, table["path"], seed=seed)
    return audit_table(folder, table, "--group-pattern", r"(p\d+)_")


def _folders(folder: Path, seed: int, leaky: bool, *, sides: tuple[str, ...]) -> Verdict:
    rng = np.random.default_rng(seed)
    people = rng.permutation(12)
    people[-1] = people[0] if leaky else 12
    paths = [
        f"{sides[number % len(sides)]}/{label}/p{who}/{number}.wav"
        for number, who in enumerate(people)
        for label in ("murmur", "normal")
    ]
    write_noises(folder, paths, seed=seed)
    return audit(folder, "--group-pattern", r"/(p\d+)/", "--label-pattern", r"(murmur|normal)")


scenario(
    "groups",
    source=NONINDEPENDENCE,
    leak="a folder of a person below train/ and below test/",
    clean="a folder of another person",
    finds="groups_on_two_sides",
)(partial(_folders, sides=("train", "validation", "test")))
scenario(
    "groups",
    source=NONINDEPENDENCE,
    leak="a folder of a person below fold1/ and below fold3/",
    clean="a folder of another person",
    finds="groups_on_two_sides",
)(partial(_folders, sides=("fold1", "fold2", "fold3")))


@scenario(
    "groups",
    source=NONINDEPENDENCE,
    leak="nobody knows whose some of the recordings are",
    clean="all are known",
    finds="groups_unknown",
    level="warning",
)
def unknown(folder: Path, seed: int, leaky: bool) -> Verdict:
    table = base(seed)
    if leaky:
        table.loc[np.random.default_rng(seed).choice(12, 2, replace=False), "group"] = ""
    write_noises(folder, table["path"], seed=seed)
    return audit_table(folder, table)


@scenario(
    "groups",
    source=NONINDEPENDENCE,
    leak="a speaker in train.tsv and in test.tsv, joined with a column client_id, in UTF-16",
    clean="another speaker",
    finds="groups_on_two_sides",
)
def spreadsheet(folder: Path, seed: int, leaky: bool) -> Verdict:
    table = base(seed)
    table.loc[11, "group"] = table["group"][2] if leaky else "somebody"
    write_noises(folder, table["path"], seed=seed)
    names = {"path": "Path ", "part": "Split", "group": "client_id"}
    text = table.rename(columns=names).to_csv(index=False, sep="\t")
    (folder / "split.tsv").write_text(text, encoding="utf-16")
    return audit(folder / "split.tsv")


def study(seed: int) -> pd.DataFrame:
    """Make the examples of twelve recordings of twelve patients, four in each."""
    rng = np.random.default_rng(seed)
    number = np.repeat(np.arange(12), 4)
    return pd.DataFrame(
        {
            "example": np.arange(48),
            "recording": [f"r{one}" for one in number],
            "group": [f"g{one}" for one in number],
            "label": np.array(["murmur", "normal"])[number % 2],
            "start": np.tile(np.arange(4.0), 12),
            "content": [rng.bytes(8).hex() for _ in range(48)],
            "flat": False,
        }
    )


@scenario(
    "groups",
    source=NONINDEPENDENCE,
    leak="a study whose published lists divide the recordings of a patient",
    clean="two patients",
    finds="groups_on_two_sides",
)
def published(folder: Path, seed: int, leaky: bool) -> Verdict:
    examples = study(seed)
    if leaky:
        one, other = np.random.default_rng(seed).choice(4, 2)
        examples.loc[examples["recording"] == f"r{8 + other}", "group"] = f"g{one}"
    parts = {
        "train": [f"r{n}" for n in range(4)],
        "validation": [f"r{n}" for n in range(4, 8)],
        "test": [f"r{n}" for n in range(8, 12)],
    }
    return audit_study(examples, make_split(examples, kind="published", parts=parts))


@scenario(
    "groups",
    source="Saeb et al. 2017, record-wise cross-validation",
    leak="a study whose examples are dealt at random",
    clean="dealt by patient",
    finds="groups_on_two_sides",
)
def by_example(folder: Path, seed: int, leaky: bool) -> Verdict:
    examples = study(seed)
    return audit_study(
        examples, make_split(examples, kind="random" if leaky else "grouped", seed=seed)
    )
