"""The audit of any project's split: every planted leak is found, and a clean split is clean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from lib.audit.files import audit_files
from lib.audit.overlaps import overlapping
from lib.audit.tables import SITES, part_of, read_split
from lib.cli import main
from lib.errors import HeldoutError
from lib.features.resampling import resample
from tests.support.folders import heartbeats, write_record
from tests.unit.features.test_fingerprint import RATE, sound

PARTS = ["train"] * 6 + ["validation"] * 3 + ["test"] * 3


@pytest.fixture
def clean(tmp_path: Path) -> tuple[pd.DataFrame, Path]:
    """Twelve different files of twelve groups, two classes in every part."""
    root = tmp_path / "audio"
    root.mkdir()
    for number in range(12):
        soundfile.write(root / f"{number}.wav", sound(number), RATE)
    table = pd.DataFrame(
        {
            "path": [f"{number}.wav" for number in range(12)],
            "part": PARTS,
            "label": ["a", "b"] * 6,
            "group": [f"g{number}" for number in range(12)],
            "start": np.nan,
            "end": np.nan,
        }
    )
    return table, root


def kinds(audit: dict[str, Any], level: str = "leak") -> list[str]:
    return [finding["kind"] for finding in audit["findings"] if finding["level"] == level]


def found(audit: dict[str, Any], kind: str) -> dict[str, Any]:
    (finding,) = [finding for finding in audit["findings"] if finding["kind"] == kind]
    return dict(finding)


def test_a_clean_split(clean: tuple[pd.DataFrame, Path]) -> None:
    audit = audit_files(clean[0], root=clean[1])
    assert not audit["leaks"]
    assert kinds(audit) == kinds(audit, "warning") == []
    assert (audit["files"], audit["heard"]) == (12, 12)
    assert audit["parts"]["test"] == {"files": 3, "groups": 3, "classes": {"a": 1, "b": 2}}


def test_a_group_on_two_sides(clean: tuple[pd.DataFrame, Path]) -> None:
    table, _ = clean
    table.loc[11, "group"] = "g0"
    finding = found(audit_files(table), "groups_on_two_sides")
    assert finding["level"] == "leak"
    assert finding["cases"] == [{"group": "g0", "parts": ["test", "train"]}]
    assert "1 of 11 groups appear in two parts, with 2 files" in finding["text"]


def test_a_file_on_two_sides(clean: tuple[pd.DataFrame, Path]) -> None:
    table, _ = clean
    table.loc[11, "path"] = "0.wav"
    assert found(audit_files(table), "files_on_two_sides")["cases"][0]["path"] == "0.wav"


COPIES = {
    "exact": lambda wave: (wave, RATE, "wav"),
    "mp3": lambda wave: (wave, RATE, "mp3"),
    "ogg": lambda wave: (wave, RATE, "ogg"),
    "resampled": lambda wave: (resample(wave, rate=RATE, new_rate=8000), 8000, "wav"),
    "cut": lambda wave: (wave[RATE : round(2.4 * RATE)], RATE, "wav"),
    "louder": lambda wave: (wave * 3, RATE, "wav"),
    "cut, quieter, mp3": lambda wave: (wave[RATE // 2 : RATE * 2] / 3, RATE, "mp3"),
}


@pytest.mark.parametrize("kind", COPIES)
@pytest.mark.parametrize("label", ["b", "a"])
def test_the_same_audio_under_another_name(
    clean: tuple[pd.DataFrame, Path], kind: str, label: str
) -> None:
    table, root = clean
    wave, _ = soundfile.read(root / "0.wav", dtype="float32")
    copy, rate, form = COPIES[kind](wave)
    soundfile.write(root / f"copy.{form}", copy, rate)
    table.loc[11, ["path", "label"]] = [f"copy.{form}", label]
    audit = audit_files(table, root=root)
    assert kinds(audit) == ["same_audio"]
    (case,) = found(audit, "same_audio")["cases"]
    assert (case["first"], case["second"]) == ("0.wav", f"copy.{form}")
    assert case["exact"] == (kind == "exact")
    assert ("contradicting_labels" in kinds(audit, "warning")) == (label == "b")


def test_a_short_or_silent_copy_is_found_by_its_samples(
    clean: tuple[pd.DataFrame, Path],
) -> None:
    table, root = clean
    for name in ("0.wav", "11.wav"):
        soundfile.write(root / name, sound(0)[:2000], RATE)
    (case,) = found(audit_files(table, root=root), "same_audio")["cases"]
    assert case["exact"]


def test_a_copy_within_a_part_is_no_leak(clean: tuple[pd.DataFrame, Path]) -> None:
    table, root = clean
    soundfile.write(root / "2.wav", sound(0), RATE)
    audit = audit_files(table, root=root)
    assert not audit["leaks"]
    assert kinds(audit, "note").count("same_audio_within") == 1


def test_overlapping_windows(clean: tuple[pd.DataFrame, Path]) -> None:
    table, _ = clean
    windows = table.assign(path="long.wav", group="", start=np.arange(12.0), end=np.arange(12) + 1)
    assert "overlapping_windows" not in kinds(audit_files(windows))
    windows["end"] += 0.5
    finding = found(audit_files(windows), "overlapping_windows")
    # At each of the two borders between parts one window of either side.
    assert finding["count"] == 4


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.sampled_from(["train", "test", "validation"]),
            st.integers(0, 12),
            st.integers(1, 6),
        ),
        max_size=12,
    )
)
def test_overlaps_are_those_of_all_pairs(rows: list[tuple[str, str, int, int]]) -> None:
    table = pd.DataFrame(rows, columns=["path", "part", "start", "length"])
    table["end"] = table["start"] + table["length"]
    expected = [
        any(p == q and a != b and s < t + m and t < s + n for q, b, t, m in rows)
        for p, a, s, n in rows
    ]
    assert overlapping(table).tolist() == expected


def test_metadata_that_tell_the_label(tmp_path: Path) -> None:
    parts = ["train"] * 40 + ["test"] * 20
    for number in range(60):
        # One class was recorded at another rate.
        rate = 8000 if number % 2 else 16000
        soundfile.write(tmp_path / f"{number}.wav", sound(number, seconds=0.5, rate=rate), rate)
    table = pd.DataFrame(
        {
            "path": [f"{number}.wav" for number in range(60)],
            "part": parts,
            "label": ["a", "b"] * 30,
            "group": [str(number) for number in range(60)],
            "start": np.nan,
            "end": np.nan,
        }
    )
    finding = found(audit_files(table, root=tmp_path), "metadata")
    assert finding["level"] == "warning"
    assert finding["cases"][0]["balanced_accuracy"] == 1
    shuffled = table.assign(label=np.random.default_rng(1).permutation(table["label"]))
    assert found(audit_files(shuffled, root=tmp_path), "metadata")["level"] == "note"


def noises(
    folder: Path, names: list[str], labels: list[str], groups: list[str] | None = None
) -> pd.DataFrame:
    """Write a short noise for each name; the first half is trained on, the second tested on."""
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        wave = 0.1 * np.random.default_rng(number).normal(size=800)
        soundfile.write(folder / name, wave, 8000)
    return pd.DataFrame(
        {
            "path": names,
            "part": np.repeat(["train", "test"], len(names) // 2),
            "label": labels,
            "group": groups or names,
            "start": np.nan,
            "end": np.nan,
        }
    )


LABELS = ["bell", "hum"] * 30


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("{label}_{number:03}.wav", False),  # the class is written there
        ("{first}_{number:03}.wav", False),  # so it is, in short
        ("{number:03}-{code}.wav", False),  # and as a code
        ("{number:03}.wav", False),
        ("{device}_{number:03}.wav", True),
        ("{year}/{number:03}.wav", True),
        ("{serial:03}.wav", True),
    ],
)
def test_names_that_tell_the_label(tmp_path: Path, form: str, told: bool) -> None:
    names = [
        form.format(
            label=label,
            first=label[0],
            code=7 if label == "hum" else 4,
            device="zoom" if label == "hum" else "phone",
            year=2019 if label == "hum" else 2021,
            number=number,
            serial=number + 500 * (label == "hum"),
        )
        for number, label in zip(np.random.default_rng(0).permutation(60), LABELS, strict=True)
    ]
    audit = audit_files(noises(tmp_path, names, LABELS), root=tmp_path)
    assert ("file_names" in kinds(audit, "warning")) == told
    assert not audit["leaks"]


def test_sites_that_tell_the_label(tmp_path: Path) -> None:
    names = [f"{number}.wav" for number in np.random.default_rng(0).permutation(60)]
    table = noises(tmp_path, names, LABELS)
    # Four sites, whose order says nothing.
    table["site"] = [f"s{number % 2 + number // 2 % 2 * 2}" for number in range(60)]
    finding = found(audit_files(table, root=tmp_path), "sites")
    assert {"site": "s0", "labels": ["bell"]} in finding["cases"]
    table["site"] = [f"s{number // 2 % 4}" for number in range(60)]
    assert "sites" not in kinds(audit_files(table, root=tmp_path), "warning")
    # Without audio, too.
    table["site"] = [f"s{number % 2}" for number in range(60)]
    assert "sites" in kinds(audit_files(table), "warning")


def test_a_shortcut_is_found_among_many_columns(tmp_path: Path) -> None:
    names = [f"{number}.wav" for number in np.random.default_rng(0).permutation(60)]
    table = noises(tmp_path, names, LABELS)
    told = [f"s{number % 2}" for number in range(60)]
    findings = audit_files(table.assign(**dict.fromkeys(SITES, told)), root=tmp_path)["findings"]
    warned = [one["text"] for one in findings if one["kind"] == "sites"]
    assert len(warned) == len(SITES)


def test_what_all_recordings_of_a_person_share_is_no_evidence(tmp_path: Path) -> None:
    names = [f"{number}.wav" for number in np.random.default_rng(0).permutation(60)]
    # Six persons, each of one label and at one site: ten files of each are no ten observations.
    persons = [f"p{number // 10}" for number in range(60)]
    labels = [LABELS[number // 10] for number in range(60)]
    table = noises(tmp_path, names, labels, persons).assign(site=labels)
    assert kinds(audit_files(table, root=tmp_path), "warning") == []
    assert "sites" in kinds(audit_files(table.assign(group=""), root=tmp_path), "warning")


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("P-01", "p1", "groups_alike"),
        ("7.0", "07", "groups_alike"),
        ("anna_ses-1", "anna ses 2", "sessions_on_two_sides"),
        ("p1 visit 3", "p1_take1", "sessions_on_two_sides"),
        ("1-23", "12-3", ""),
        ("1.05", "1.5", ""),
        ("p1", "p10", ""),
        ("stake1", "s", ""),
        ("Saturday 3", "Saturday 4", ""),
    ],
)
def test_groups_that_are_probably_one(
    clean: tuple[pd.DataFrame, Path], one: str, other: str, kind: str
) -> None:
    table, _ = clean
    table.loc[[0, 11], "group"] = [one, other]
    assert kinds(audit_files(table), "warning") == ([kind] if kind else [])


def test_what_a_part_lacks(clean: tuple[pd.DataFrame, Path]) -> None:
    table, _ = clean
    table.loc[table["part"] == "test", "label"] = "a"
    assert found(audit_files(table), "missing_classes")["cases"] == [{"part": "test", "class": "b"}]
    gone = audit_files(table[table["part"] != "test"])
    assert "there is no test part" in found(gone, "missing_part")["text"]
    assert "missing_classes" not in kinds(gone, "warning")


def test_the_interval_at_best(clean: tuple[pd.DataFrame, Path]) -> None:
    table, _ = clean
    finding = found(audit_files(table), "interval")
    assert "with 3 groups in the test part" in finding["text"]
    wide = finding["cases"][0]
    assert wide["high"] - wide["low"] > 0.6
    assert "with 3 files" in found(audit_files(table.assign(group="")), "interval")["text"]


def test_files_that_cannot_be_heard(clean: tuple[pd.DataFrame, Path]) -> None:
    table, root = clean
    (root / "3.wav").write_bytes((root / "3.wav").read_bytes()[:3000])
    (root / "4.wav").unlink()
    audit = audit_files(table, root=root)
    assert audit["heard"] == 10
    assert "truncated" in found(audit, "files_unreadable")["cases"][0]["reason"]
    assert found(audit, "files_missing")["cases"] == [{"path": "4.wav"}]


def test_wfdb_records_named_without_suffix(tmp_path: Path) -> None:
    for number in range(4):
        write_record(tmp_path, f"{number}", heartbeats(number % 3))
    (tmp_path / "2.dat").write_bytes(b"")
    table = pd.DataFrame({"path": ["0", "1", "2", "3", "4"], "part": ["train"] * 3 + ["test"] * 2})
    table.to_csv(tmp_path / "split.csv", index=False)
    audit = audit_files(read_split(tmp_path / "split.csv"), root=tmp_path)
    assert audit["heard"] == 3
    (case,) = found(audit, "same_audio")["cases"]
    assert (case["first"], case["second"], case["exact"]) == ("0", "3", True)
    assert found(audit, "files_missing")["cases"] == [{"path": "4"}]
    (broken,) = found(audit, "files_unreadable")["cases"]
    assert (broken["path"], broken["reason"].partition(":")[0]) == ("2", "2.dat")


@pytest.mark.parametrize("path", ["x" * 300, "x" * 300 + ".wav", "x" * 300 + "/1.wav", "."])
def test_names_of_no_file_are_missing_or_unreadable(tmp_path: Path, path: str) -> None:
    table = pd.DataFrame({"path": [path], "part": ["test"]})
    table.to_csv(tmp_path / "split.csv", index=False)
    audit = audit_files(read_split(tmp_path / "split.csv"), root=tmp_path)
    assert found(audit, "files_unreadable" if path == "." else "files_missing")["count"] == 1


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("train_filtered", "train"),
        ("_validation", "validation"),
        ("DEV", "validation"),
        ("test-clean", "test"),
        ("latest", ""),
        ("train_test", ""),
        ("3", ""),
    ],
)
def test_names_of_parts(name: str, part: str) -> None:
    assert part_of(name) == part


def test_columns_under_other_names(tmp_path: Path) -> None:
    file = tmp_path / "split.tsv"
    file.write_text("Filename\tSubset\tgenre\tArtist\nx/1.wav\tVAL\tNA\t007\n")
    table = read_split(file)
    assert table.loc[0, ["path", "part", "label", "group"]].tolist() == [
        *("x/1.wav", "validation", "NA", "007")
    ]


def test_lists_and_folders(tmp_path: Path) -> None:
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "train_filtered.txt").write_text("blues/blues.1.wav\nblues/blues.2.wav\n\n")
    (lists / "test_filtered.txt").write_text("rock/rock.1.wav\n")
    (lists / "readme.txt").write_text("not a list\n")
    table = read_split(lists, group_pattern=r"\.(\d)\.")
    assert table["label"].tolist() == ["rock", "blues", "blues"]
    assert table["group"].tolist() == ["1", "1", "2"]
    for path in (
        *("train/a/1.wav", "test/a/2.wav", "test/3.mp3", "test/a/notes.txt", "other/4.wav"),
        *("test/a/.cache/2.wav", ".train/a/5.wav", "test.wav", "test/a/6.hea", "test/a/6.mat"),
    ):
        file = tmp_path / "folders" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    table = read_split(tmp_path / "folders")
    assert table[["path", "part", "label"]].to_numpy().tolist() == [
        ["test/3.mp3", "test", ""],
        ["test/a/2.wav", "test", "a"],
        ["test/a/6.hea", "test", "a"],
        ["train/a/1.wav", "train", "a"],
    ]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("path,label\n1.wav,a\n", {}, r"expected a column part \(or split, set"),
        ("path,part\n1.wav,one\n", {}, "expected the parts train, validation, test, got one"),
        (
            "path,part\n1.wav,test\n,test\n,train\n",
            {},
            "a path in every row, got none in 2 of 3, the first in row 2. Fill them in",
        ),
        (
            "path,part\nä.wav,test\n",
            {"encoding": "latin-1"},
            r"line 2 in another encoding; in Windows-1252 .* 'ä\.wav,test'. Save it as UTF-8",
        ),
        ("path,part\n1.wav,test\n", {"group_pattern": "("}, "group pattern '\\('"),
        ("path,part\n1.wav,test\n", {"group_pattern": "1"}, "expected one group in brackets"),
        ("path,part\n1.wav,test\n", {"label_pattern": "(x)"}, "got it in none"),
    ],
)
def test_tables_that_cannot_be_read(
    tmp_path: Path, content: str, options: dict[str, str], message: str
) -> None:
    encoding = options.pop("encoding", "utf-8")
    (tmp_path / "t.csv").write_text(content, encoding=encoding)
    with pytest.raises(HeldoutError, match=message):
        read_split(tmp_path / "t.csv", **options)
    with pytest.raises(HeldoutError, match="expected lists of files or folders named train"):
        read_split(tmp_path)
    with pytest.raises(HeldoutError, match=r"none\.csv: expected a table"):
        read_split(tmp_path / "none.csv")


def test_patterns_fill_what_the_columns_leave_empty(tmp_path: Path) -> None:
    file = tmp_path / "split.csv"
    file.write_text(
        "path,part,label,group\nx/p1_a.wav,train,NA,007\nx/p2_b.wav,test,,\nx/c.wav,test,,\n"
    )
    table = read_split(file, group_pattern=r"(p\d)_", label_pattern=r"_(\w)\.")
    assert table["group"].tolist() == ["007", "p2", ""]
    assert table["label"].tolist() == ["NA", "b", ""]
    # Without patterns nothing is filled in, and without a column all of it is.
    assert read_split(file)[["label", "group"]].to_numpy().tolist()[1] == ["", ""]
    file.write_text("path,part\nx/p1_a.wav,train\nx/p2_b.wav,test\n")
    table = read_split(file, group_pattern=r"(p\d)_", label_pattern=r"_(\w)\.")
    assert table["group"].tolist() == ["p1", "p2"]
    assert table["label"].tolist() == ["a", "b"]
    assert read_split(file)["label"].tolist() == ["x", "x"]


def test_a_list_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("Geräusche", encoding="latin-1")
    (tmp_path / "test.txt").write_text("b.wav\n")
    (tmp_path / "train.txt").write_text("\ufeffä.wav\n", encoding="utf-8")
    assert read_split(tmp_path)["path"].tolist() == ["b.wav", "ä.wav"]
    (tmp_path / "train.txt").write_text("ä.wav\n", encoding="latin-1")
    with pytest.raises(HeldoutError, match=r"train\.txt: .* in UTF-8, got .* Save it as UTF-8"):
        read_split(tmp_path)


def test_the_command(
    clean: tuple[pd.DataFrame, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, root = clean
    file, page = tmp_path / "split.csv", tmp_path / "page.html"
    table.to_csv(file, index=False)
    command = ["audit", str(file), "--audio-root", str(root)]
    assert main([*command, "--html", str(page)]) == 0
    assert "no leak found" in capsys.readouterr().out
    assert "No leak was found." in page.read_text()
    soundfile.write(root / "11.wav", sound(0) * 2, RATE)
    assert main([*command, "--json", "--html", str(page)]) == 1
    audit = json.loads(capsys.readouterr().out)
    assert kinds(audit) == ["same_audio"]
    text = page.read_text()
    assert "This split leaks." in text
    assert "11.wav" in text
    assert "<td>train | test</td>" in text
    assert main(command) == 1
    assert "11.wav" in capsys.readouterr().out
    # A folder with a slip in its name must not pass for a split without leaks.
    assert main([*command[:-1], str(tmp_path / "elsewhere")]) == 1
    assert "not one of its" in capsys.readouterr().err


def test_leaks_come_first(clean: tuple[pd.DataFrame, Path]) -> None:
    table, root = clean
    (root / "3.wav").unlink()
    soundfile.write(root / "11.wav", sound(0), RATE)
    levels = [finding["level"] for finding in audit_files(table, root=root)["findings"]]
    assert levels == sorted(levels, key=["leak", "warning", "note"].index)
    assert set(levels) == {"leak", "warning", "note"}


def test_strict(
    clean: tuple[pd.DataFrame, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, _ = clean
    table.drop(columns="group").to_csv(tmp_path / "split.csv", index=False)
    page = tmp_path / "page.html"
    assert main(["audit", str(tmp_path / "split.csv"), "--html", str(page)]) == 0
    assert "no leak found, but mind the 2 warnings\n" in capsys.readouterr().out
    assert "Read the warnings" in page.read_text()
    assert main(["audit", str(tmp_path / "split.csv"), "--strict"]) == 1
