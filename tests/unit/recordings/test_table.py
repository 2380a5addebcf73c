"""A study's recordings."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from lib.datasets import COLUMNS, DATASETS
from lib.errors import HeldoutError
from lib.files import write_table
from lib.recordings.table import read_recordings, recordings_table


@pytest.fixture
def published(monkeypatch):
    """Make a dataset list what a test gives: (recording, label, group), then further columns."""

    def give(*rows, dataset="heartbeat_sounds", suffix=".wav", **columns):
        table = pd.DataFrame(
            [
                {
                    "recording": name,
                    "path": f"data/{name}{suffix}",
                    "label": label,
                    "group": group,
                    "split": "",
                    "rate": 4000.0,
                    "duration": 5.0,
                    "channels": 1,
                    "site": "A",
                }
                for name, label, group in rows
            ]
        ).assign(**columns)
        known = replace(DATASETS[dataset], listing=lambda folder, exclude: table)
        monkeypatch.setattr("lib.datasets.registry.DATASETS", {dataset: known})

    return give


CLASSES = {"ill": ["murmur", "extrahls"], "well": ["normal"]}
ROWS = [
    ("1", "murmur", "a"),
    ("2", "extrahls", "b"),
    ("3", "normal", "a"),
    ("4", "normal", "c"),
    ("5", "", "d"),
    ("6", "artifact", "d"),
]


def test_labels_become_classes_and_the_rest_is_left_out(published):
    published(*ROWS)
    table = recordings_table("heartbeat_sounds", "data", classes=CLASSES)
    assert list(table["recording"]) == ["1", "2", "3", "4"]
    assert list(table["label"]) == ["ill", "ill", "well", "well"]
    assert list(table["source_label"]) == ["murmur", "extrahls", "normal", "normal"]
    assert list(table.columns) == [*COLUMNS, "source_label", "site", "sha256"]
    assert (table["sha256"] == "").all()


def test_exclusions_and_the_part_to_predict(published):
    published(*ROWS)
    chosen = {"classes": CLASSES, "min_groups": 1}
    table = recordings_table("heartbeat_sounds", "data", **chosen, exclude=[3, "none"])
    assert list(table["recording"]) == ["1", "2", "4"]
    published(*ROWS, split=["", "", "predict", "", "", ""])
    table = recordings_table("heartbeat_sounds", "data", **chosen)
    assert list(table["recording"]) == ["1", "2", "4"]


def test_recording_with_several_labels_has_the_class_they_agree_on(published):
    labels = ["murmur|normal", "murmur|extrahls", "free text|normal", "murmur", "normal", "x|y"]
    published(*((str(i), label, str(i)) for i, label in enumerate(labels)))
    table = recordings_table("heartbeat_sounds", "data", classes=CLASSES)
    assert dict(zip(table["recording"], table["label"], strict=True)) == {
        "1": "ill",
        "2": "well",
        "3": "ill",
        "4": "well",
    }


def test_class_without_recordings_is_refused(published):
    published(*ROWS)
    with pytest.raises(HeldoutError) as caught:
        recordings_table("heartbeat_sounds", "data", classes=CLASSES | {"odd": ["clicks", "hum"]})
    text = str(caught.value)
    assert "class odd: expected recordings labelled clicks or hum, got none" in text
    assert "normal (2)" in text
    assert "(none) (1)" in text


def test_class_of_one_group_is_refused(published):
    published(*ROWS[:3])
    with pytest.raises(HeldoutError, match=r"class well: .* at least 2 groups, got 1 \(a\)"):
        recordings_table("heartbeat_sounds", "data", classes=CLASSES)
    assert len(recordings_table("heartbeat_sounds", "data", classes=CLASSES, min_groups=1)) == 3


def test_label_of_two_classes_is_refused(published):
    published(*ROWS)
    with pytest.raises(HeldoutError, match="got 'normal' in well and odd"):
        recordings_table("heartbeat_sounds", "data", classes=CLASSES | {"odd": ["normal"]})


def test_recordings_whose_examples_have_labels_are_all_kept(published):
    published(("100", "", "100"), ("201", "", "201"), dataset="mitdb", suffix=".hea")
    table = recordings_table("mitdb", "data", classes={"N": ["N"]})
    assert list(table["label"]) == ["", ""]
    with pytest.raises(HeldoutError, match="at least 2 groups, got 1 after exclusions"):
        recordings_table("mitdb", "data", classes={"N": ["N"]}, exclude=["100"])


def manifest(**sums):
    files = [{"path": path, "bytes": 1, "sha256": value} for path, value in sums.items()]
    return {"dataset": "x", "files": files}


def test_checksums_come_from_the_manifest(published):
    published(*ROWS[:4])
    sums = manifest(**{f"{i}.wav": f"sum{i}" for i in range(1, 5)})
    table = recordings_table("heartbeat_sounds", "data", classes=CLASSES, manifest=sums)
    assert list(table["sha256"]) == ["sum1", "sum2", "sum3", "sum4"]
    del sums["files"][2]
    with pytest.raises(HeldoutError, match=r"data/3\.wav: expected it in the manifest"):
        recordings_table("heartbeat_sounds", "data", classes=CLASSES, manifest=sums)


def test_checksum_of_a_wfdb_record_is_of_all_its_files(published):
    published(("10", "", "a"), ("100", "", "b"), dataset="mitdb", suffix=".hea")
    names = [f"{stem}.{suffix}" for stem in ("10", "100") for suffix in ("atr", "dat", "hea")]
    sums = {name: f"sum of {name}" for name in names}
    table = recordings_table("mitdb", "data", classes={}, manifest=manifest(**sums))
    text = "".join(f"{name} sum of {name}\n" for name in names[:3])
    assert table["sha256"][0] == hashlib.sha256(text.encode()).hexdigest()
    sums["100.atr"] = "other"
    changed = recordings_table("mitdb", "data", classes={}, manifest=manifest(**sums))
    assert (table["sha256"] == changed["sha256"]).tolist() == [True, False]


def test_table_survives_being_written(published, tmp_path):
    published(*ROWS, group=["1", "2", "3", "4", "5", "6"])
    table = recordings_table("heartbeat_sounds", "data", classes=CLASSES)
    write_table(tmp_path / "recordings.csv", table)
    again = read_recordings(tmp_path / "recordings.csv")
    pd.testing.assert_frame_equal(again[[*COLUMNS, "sha256"]], table[[*COLUMNS, "sha256"]])


def test_a_column_that_is_text_already_may_be_named_again(tmp_path: Path) -> None:
    table = pd.DataFrame({"recording": ["100", "101"], "group": ["1", None]})
    write_table(tmp_path / "recordings.csv", table)
    read = read_recordings(tmp_path / "recordings.csv", text=["recording", "group", "site"])
    assert read.to_dict("list") == {"recording": ["100", "101"], "group": ["1", ""]}
