"""The audit on split files and recordings that were published."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from lib.audit.files import audit_files
from lib.audit.listening import listen, same_recordings
from lib.audit.tables import read_split
from lib.datasets.files import read_file
from lib.features.fingerprint import BANDS, fingerprint
from lib.features.matches import find_matches

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


# Sample for sample the same where they overlap, under other names: of two subjects, of two classes.
TWICE = {
    ("Aunlabelledtest__201101241434", "extrahls__201101241433"),
    ("Aunlabelledtest__201106031556", "artifact__201106031558"),
    ("extrahls__201104021355", "murmur__201104021355"),
    ("extrahls__201104270458", "extrahls__201104270459"),
    ("murmur__201106141148", "normal__201106141148"),
    ("Bunlabelledtest__101_1305030823364_D", "normal_noisynormal_146_1306778707532_D"),
    ("Bunlabelledtest__103_1305031931979_C", "normal__146_1306778707532_D1"),
    ("Bunlabelledtest__146_1306778707532_D31", "normal__103_1305031931979_D3"),
    ("normal__103_1305031931979_B", "normal__146_1306778707532_D1"),
    ("normal__103_1305031931979_D1", "normal__146_1306778707532_D2"),
    ("normal__103_1305031931979_D2", "normal__146_1306778707532_D4"),
    ("normal__103_1305031931979_D3", "normal__146_1306778707532_D3"),
}


def test_heart_sounds_hold_recordings_under_two_names() -> None:
    root = folder("heartbeat_sounds")
    paths = sorted(path.relative_to(root).as_posix() for path in root.glob("set_*/*.wav"))
    heard, band = listen(paths, root, threads=2)
    found = {
        (Path(copy.first).stem, Path(copy.second).stem)
        for copy in same_recordings(heard, band=band, root=root)
    }
    assert found == TWICE


def test_records_of_different_patients_do_not_match() -> None:
    files = sorted(folder("mitdb").glob("1*.hea"))
    prints = [fingerprint(read_file(file), band=BANDS[2]) for file in files]
    assert find_matches(prints, band=BANDS[2]) == []
