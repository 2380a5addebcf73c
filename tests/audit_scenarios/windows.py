"""Windows of one recording: those that overlap, and those that follow each other."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from lib.splits import make_split
from tests.audit_scenarios.groups import study
from tests.support.scenarios import (
    RATE,
    SEEDS,
    Verdict,
    audit,
    audit_study,
    audit_table,
    base,
    scenario,
    voice,
    write_noises,
)

TEMPORAL = "Kapoor and Narayanan 2023, L3.1"
OVERLAP = "Dehghani et al. 2019, overlapping windows"


def windowed(folder: Path, seed: int, leaky: bool, *, hop: float, comma: bool = False) -> Verdict:
    """List windows of 0.1 s of each file; in the leaky table the last of one are for testing."""
    rng = np.random.default_rng(seed)
    table = base(seed)
    write_noises(folder, table["path"], seed=seed)
    rows = table.loc[table.index.repeat(3)].reset_index(drop=True)
    rows["start"] = np.tile(np.arange(3) * hop, 12)
    rows["end"] = rows["start"] + 0.1
    if leaky:
        rows.loc[3 * rng.integers(6) + 2, "part"] = "test"
    if comma:
        for name in ("start", "end"):
            rows[name] = [f"{value:.2f}".replace(".", ",") for value in rows[name]]
    return audit_table(folder, rows)


scenario(
    "windows",
    source=OVERLAP,
    leak="windows with an overlap of a half, of one file in two parts",
    clean="all windows of a file in one part",
    finds="overlapping_windows",
)(partial(windowed, hop=0.05))
scenario(
    "windows",
    source=OVERLAP,
    leak="the same with decimal commas",
    clean="all windows of a file in one part",
    finds="overlapping_windows",
)(partial(windowed, hop=0.05, comma=True))
scenario(
    "windows",
    source=TEMPORAL,
    leak="windows that follow each other, of one file in two parts",
    clean="all windows of a file in one part",
    finds="files_on_two_sides",
)(partial(windowed, hop=0.1))


def clips(
    folder: Path, seed: int, leaky: bool, *, hop: float, named: bool, seconds: float = 2.0
) -> Verdict:
    """Cut recordings into files; in the leaky table the last of one is for testing."""
    table = base(seed)
    rows = []
    folder.mkdir(parents=True)
    for number, row in enumerate(table.to_dict("records")):
        wave = voice(seed, number, seconds=hop + seconds)
        for place in range(2):
            start = round(place * hop * RATE)
            path = f"rec{row['path'][:3]}_{place}.wav"
            soundfile.write(folder / path, wave[start : start + round(seconds * RATE)], RATE)
            rows.append(row | {"path": path, "group": f"{row['group']}{place * (not named)}"})
    cut = pd.DataFrame(rows)
    if leaky:
        cut.loc[2 * (seed % 6) + 1, "part"] = "test"
    if named:
        return audit_table(folder, cut.drop(columns="group"), "--group-pattern", r"rec(\d+)_")
    return audit_table(folder, cut)


for seconds in (2, 3):
    scenario(
        "windows",
        source=OVERLAP,
        leak=f"clips of {seconds} s cut with an overlap of a half, as files with groups of their "
        "own, in two parts",
        clean="all clips of a recording in one part",
        finds="same_audio",
        missed=() if seconds == 3 else SEEDS,
    )(partial(clips, hop=seconds / 2, named=False, seconds=float(seconds)))
scenario(
    "windows",
    source=TEMPORAL,
    leak="clips that follow each other, as files, in two parts; their names say of which recording",
    clean="all clips of a recording in one part",
    finds="groups_on_two_sides",
)(partial(clips, hop=2.0, named=True))
scenario(
    "windows",
    source=TEMPORAL,
    leak="clips that follow each other, as files with groups of their own, in two parts",
    clean="all clips of a recording in one part",
    finds="same_audio",
    missed=SEEDS,
)(partial(clips, hop=2.0, named=False))


@scenario(
    "windows",
    source="Kapoor and Narayanan 2023, L1.4",
    leak="a file in two parts, its path written a\\1.wav and ./a/1.wav",
    clean="two files",
    finds="files_on_two_sides",
)
def paths(folder: Path, seed: int, leaky: bool) -> Verdict:
    table = base(seed)
    table["path"] = "a/" + table["path"]
    write_noises(folder, table["path"], seed=seed)
    row = int(np.random.default_rng(seed).integers(6))
    again = table.loc[[row if leaky else 11]].assign(part="test")
    again["path"] = "./" + again["path"]
    table["path"] = table["path"].str.replace("/", "\\")
    return audit_table(folder, pd.concat([table, again]))


@scenario(
    "windows",
    source="Kapoor and Narayanan 2023, L1.4",
    leak="a file in train.txt and in test.txt",
    clean="in one of them",
    finds="files_on_two_sides",
)
def lists(folder: Path, seed: int, leaky: bool) -> Verdict:
    table = base(seed)
    table["path"] = [f"{row.label}/{row.group}_{row.path}" for row in table.itertuples()]
    write_noises(folder, table["path"], seed=seed)
    for part, paths in table.groupby("part")["path"]:
        again = [table["path"][seed]] if leaky and part == "test" else []
        (folder / f"{part}.txt").write_text("\n".join([*paths, *again]) + "\n")
    return audit(folder, "--group-pattern", r"/(g\d+)_")


def examples(folder: Path, seed: int, leaky: bool, *, seconds: float) -> Verdict:
    """Move one example of a study into another part, and give it a group of its own or not."""
    table = study(seed)
    split = make_split(table, kind="grouped", seed=seed)
    if seconds == 1.0:
        table.loc[table["start"] == 3, "start"] = 7.5
    part = split.set_index("example")["part"].astype(str)
    last = table.index[(table["start"] == 2) & (part.reindex(table["example"]) == "train")]
    moved = np.random.default_rng(seed).choice(last)
    if leaky:
        split.loc[split["example"] == moved, "part"] = "test"
    if seconds > 1:
        # Nothing but the time tells that both are of one recording.
        table.loc[moved, "group"] = "somebody"
    return audit_study(table, split, seconds=seconds)


scenario(
    "windows",
    source=OVERLAP,
    leak="a study whose beats overlap, one of them in another part and group",
    clean="all in one part",
    finds="overlapping_examples",
)(partial(examples, seconds=1.5))
scenario(
    "windows",
    source=TEMPORAL,
    leak="a study with an example of a patient in another part, without an overlap",
    clean="all in one part",
    finds="groups_on_two_sides",
)(partial(examples, seconds=1.0))
