"""The audit on split files and recordings that were published."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.audit.files import audit_files
from lib.audit.tables import COLUMNS, read_split
from lib.datasets.files import read_file
from lib.fingerprint import BANDS, find_matches, fingerprint

pytestmark = pytest.mark.real


def folder(name: str) -> Path:
    root = os.environ.get("HELDOUT_DATA")
    if not root:
        pytest.skip("needs real recordings: HELDOUT_DATA names no folder")
    if not (Path(root) / name).is_dir():
        pytest.skip(f"needs {root}/{name}, which is not there")
    return Path(root) / name


def test_gtzan_fault_filtered_lists() -> None:
    table = read_split(folder("gtzan/filtered_split"))
    assert table["part"].value_counts().to_dict() == {"train": 443, "test": 290, "validation": 197}
    assert table["label"].nunique() == 10
    audit = audit_files(table, root=folder("gtzan/genres"))
    assert not audit["leaks"]
    assert audit["heard"] == 2
    # The lists name 930 different tracks; the same one a second time in another list is a leak.
    again = table[table["part"] == "train"].head(1).assign(part="test")
    assert audit_files(pd.concat([table, again]))["leaks"]


def test_level_tells_the_five_voices() -> None:
    table = read_split(folder("five_voices/gtzan"), label_pattern=r"([A-Z][a-z]+)\.[^/]*$")
    audit = audit_files(table, root=folder("five_voices/gtzan"))
    assert not audit["leaks"]
    (metadata,) = [f for f in audit["findings"] if f["kind"] == "metadata"]
    assert metadata["level"] == "warning"


def test_heart_sounds_hold_one_clip_twice_under_two_names() -> None:
    root = folder("heartbeat_sounds")
    paths = sorted(path.relative_to(root).as_posix() for path in root.glob("set_*/*.wav"))
    table = pd.DataFrame({"path": paths, "part": ["train", "test"] * (len(paths) // 2)})
    table["label"] = [re.split("_", Path(path).name)[0] for path in paths]
    table = table.assign(group="", start=np.nan, end=np.nan)[list(COLUMNS)]
    pairs = [
        {Path(case["first"]).stem, Path(case["second"]).stem}
        for finding in audit_files(table, root=root)["findings"]
        if finding["kind"].startswith("same_audio")
        for case in finding["cases"]
    ]
    twice = {"Bunlabelledtest__103_1305031931979_C", "normal__146_1306778707532_D1"}
    assert pairs == [twice]


def test_records_of_different_patients_do_not_match() -> None:
    files = sorted(folder("mitdb").glob("1*.hea"))
    prints = [fingerprint(read_file(file), band=BANDS[2]) for file in files]
    assert find_matches(prints, band=BANDS[2]) == []
