"""A person's own folder: what is listed, left out, joined, and the study that is written of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml

from lib.cli import main
from lib.config.params import own_context, reading
from lib.config.settings import merge, resolve
from lib.datasets import read, recordings
from lib.datasets.registry import get_dataset
from lib.errors import HeldoutError
from lib.features import extract
from lib.files import read_yaml, write_json
from lib.own.study import study_text
from lib.own.survey import NO_GROUPS, link, listing, survey
from lib.own.table import list_folder
from lib.recordings.table import recordings_table
from tests.support.folders import CLASSES, RATE, own_folder, own_records, tone

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return own_folder(tmp_path / "mine")


def described(folder: Path, text: str) -> Path:
    (folder / "metadata.csv").write_text(text)
    return folder


def test_a_folder_for_each_class(folder: Path) -> None:
    (folder / "notes.txt").write_text("not a class")
    (folder / "bell" / "list.txt").write_text("not a recording")
    for hidden in (".cache", "bell/.cache"):
        (folder / hidden).mkdir()
        shutil.copy(folder / "bell" / "00.flac", folder / hidden)
    table = list_folder(folder)
    assert len(table) == 20
    assert set(table["label"]) == set(CLASSES)
    assert table.loc[0].tolist() == ["bell/00.flac", "bell", "", ""]


def test_groups_from_names(folder: Path) -> None:
    table = list_folder(folder, groups=r"/(\w)")
    assert set(table["group"]) == {"0", "1", "c"}
    with pytest.raises(HeldoutError, match=r"expected it in every path, got none in .*copy"):
        list_folder(folder, groups=r"/(\d)")
    with pytest.raises(HeldoutError, match="expected one group in brackets, got 2"):
        list_folder(folder, groups=r"(\w)(\w)")
    with pytest.raises(HeldoutError, match="Correct the pattern"):
        list_folder(folder, groups="(")


def test_a_table(folder: Path) -> None:
    described(
        folder,
        "path,label,group,split\nbell/00.flac,1,7,training\nhum/01.wav,2,8,dev\nhum/07.wav,2,9,\n",
    )
    table = list_folder(folder, groups="no pattern is searched where a column says it")
    assert table.to_numpy().tolist() == [
        ["bell/00.flac", "1", "7", "train"],
        ["hum/01.wav", "2", "8", "validation"],
        ["hum/07.wav", "2", "9", ""],
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,label\na,b\n", "expected the columns path and label.* got file, label. Add path"),
        ("path,label,split\na,b,some\n", "expected train, validation or test in the column split"),
        ("path,label\n../a,b\n", r"expected paths within the folder, got \.\./a"),
        ("path,label\na,b\na,c\n", "expected each path once, got a, labelled b and c"),
        ("path,label,x\na,b,1\na,b,2\n", "expected each path once, got a"),
        ("path,label\na,\n", "expected a label for each path, got a"),
        ("path,label,group\na,b,1\nc,d,\n", "expected a group for every path, got c"),
        ("path,label\na,b\n", "expected recordings .* of at least 2 classes, got b"),
    ],
)
def test_tables_that_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(HeldoutError, match=message):
        list_folder(described(tmp_path, text))


def test_folders_that_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HeldoutError, match=r"none: expected a folder of recordings, got nothing"):
        list_folder(tmp_path / "none")
    with pytest.raises(HeldoutError, match=r"of at least 2 classes, got none\. Make a folder"):
        list_folder(tmp_path)


def test_listing_changes_with_any_file(folder: Path) -> None:
    before = listing(folder)
    assert listing(folder) == before
    (folder / "bell" / "00.flac").rename(folder / "bell" / "new.flac")
    assert listing(folder) != before


def test_what_cannot_be_used_is_left_out_and_told(folder: Path) -> None:
    found = survey(folder, dataset="folder-x")
    reasons = {item["path"]: item["reason"] for item in found["left_out"]}
    assert set(reasons) == {"bell/00.flac", "bell/03.wav", "hum/copy.flac"}
    assert reasons["bell/03.wav"].endswith("got 2,000: it is truncated")
    assert "the same audio as hum/copy.flac, which is labelled hum" in reasons["bell/00.flac"]
    assert len(found["recordings"]) == 17
    assert len(found["files"]) == 17
    assert found["cautions"] == [
        NO_GROUPS,
        "3 of 20 recordings were left out; the report says which and why, under Data.",
    ]
    assert sum(note.startswith("Left out: ") for note in found["notes"]) == 3


def test_a_name_with_a_full_stop_loses_no_reason(tmp_path: Path) -> None:
    """What is wrong is a field of the error, and not cut out of its text."""
    folder = own_folder(tmp_path / "of Dr. Smith" / "mine")
    (folder / "bell").rename(folder / "Dr. Smith")
    surveyed = survey(folder, dataset="folder-x")
    reasons = {item["path"]: item["reason"] for item in surveyed["left_out"]}
    assert (
        reasons["Dr. Smith/03.wav"]
        == "expected 16,044 bytes by its header, got 2,000: it is truncated"
    )
    (note,) = (note for note in surveyed["notes"] if "Dr. Smith/03.wav" in note)
    assert note == f"Left out: Dr. Smith/03.wav: {reasons['Dr. Smith/03.wav']}."


def test_the_file_beside_a_header_is_named(tmp_path: Path) -> None:
    folder = own_records(tmp_path / "Dr. Smith")
    victim = sorted(folder.rglob("*.dat"))[0]
    victim.write_bytes(victim.read_bytes()[:100])
    header = victim.with_suffix(".hea").relative_to(folder).as_posix()
    surveyed = survey(folder, dataset="folder-x", beats="codes")
    (lost,) = surveyed["left_out"]
    assert lost["path"] == header
    assert lost["reason"].startswith(f"{victim.name}: expected ")
    assert lost["reason"].endswith("got 100: it is truncated")


def test_a_table_in_a_folder_with_a_full_stop(tmp_path: Path) -> None:
    described(own_folder(tmp_path / "a. Delete it"), "path,label\nbell/00.flac,1,2\n")
    with pytest.raises(HeldoutError, match=r"expected 2 cells.*, got 3\. Put a cell") as e:
        list_folder(tmp_path / "a. Delete it")
    assert str(tmp_path / "a. Delete it" / "metadata.csv") in str(e.value)


KNOWN = "path,label,age,site\nbell/00.flac,a,63,1\nhum/01.wav,b, 18.5,2e0\nhum/07.wav,b,-4,03\n"


def test_a_context_is_a_number_for_each_recording(folder: Path, tmp_path: Path) -> None:
    described(folder, KNOWN)
    table = list_folder(folder, context=["site", "age"])
    assert table[["site", "age"]].to_numpy().tolist() == [[1, 63], [2, 18.5], [3, -4]]
    assert list(table) == ["path", "label", "group", "split", "site", "age"]
    place = tmp_path / "data" / "folder-x"
    link(folder, place)
    manifest = survey(folder, dataset="folder-x", context=["age"])
    write_json(tmp_path / "data" / "folder-x.json", manifest)
    classes = {"a": ["a"], "b": ["b"]}
    kept = recordings_table("folder-x", place, classes=classes, manifest=manifest, min_groups=1)
    assert kept["age"].tolist() == [63, 18.5, -4]
    assert not {"about", "context"} & set(kept)
    for context in ({"age": "old"}, {"label": 1.0}, {"path": 1.0}, [1.0]):
        manifest["recordings"][0]["context"] = context
        write_json(tmp_path / "data" / "folder-x.json", manifest)
        with pytest.raises(HeldoutError, match="expected the survey of a folder"):
            recordings("folder-x", place)


def test_what_scores_are_broken_down_by_is_kept_as_it_was_written(
    folder: Path, tmp_path: Path
) -> None:
    described(
        folder,
        "path,label,Sex,site,colour\nbell/00.flac,a, F ,1,red\nhum/01.wav,b,,2,red\n"
        "hum/07.wav,b,M,1,red\n",
    )
    assert list(list_folder(folder)) == ["path", "label", "group", "split", "sex", "site"]
    place = tmp_path / "data" / "folder-x"
    link(folder, place)
    manifest = survey(folder, dataset="folder-x")
    write_json(tmp_path / "data" / "folder-x.json", manifest)
    classes = {"a": ["a"], "b": ["b"]}
    kept = recordings_table("folder-x", place, classes=classes, manifest=manifest, min_groups=1)
    assert kept["sex"].tolist() == ["F", "", "M"]
    assert kept["site"].tolist() == ["1", "2", "1"]
    for about in ({"sex": 1}, {"label": "a"}, ["F"]):
        manifest["recordings"][0]["about"] = about
        write_json(tmp_path / "data" / "folder-x.json", manifest)
        with pytest.raises(HeldoutError, match="expected the survey of a folder"):
            recordings("folder-x", place)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (KNOWN.replace("age", "years"), "expected the column age, .* label, years, site. "),
        (KNOWN.replace("63", ""), r"column age: expected a finite .* nothing for bell/00.flac \(1"),
        (KNOWN.replace("63", "old"), r"'old' for bell/00.flac \(1 of 3\)\. Correct or fill it in"),
        (
            KNOWN.replace("63", "nan").replace("-4", "inf"),
            "'nan' for bell/00.flac, 'inf' for hum/07",
        ),
        (KNOWN.replace("63", "1e39"), "'1e39' for bell/00.flac"),
        (KNOWN.replace("63", "true"), "'true' for bell/00.flac"),
    ],
)
def test_a_context_that_is_no_number(folder: Path, text: str, message: str) -> None:
    described(folder, text)
    with pytest.raises(HeldoutError, match=rf"metadata\.csv: .*{message}"):
        survey(folder, dataset="folder-x", context=["site", "age"])
    assert list_folder(folder, context=["site"])["site"].tolist() == [1, 2, 3]


def test_a_context_without_a_table(folder: Path) -> None:
    message = r"metadata\.csv: expected a table with the columns path, age, .* got no such file"
    with pytest.raises(HeldoutError, match=message):
        list_folder(folder, context=["age"])


@pytest.mark.parametrize("name", ["label", "group", "recording", "example", "split", "path"])
def test_a_context_that_means_something_else(folder: Path, name: str) -> None:
    described(folder, KNOWN)
    message = rf"folder\.context: expected columns with names of their own, .*, got {name}\. Remove"
    with pytest.raises(HeldoutError, match=message):
        list_folder(folder, context=["age", name])
    with pytest.raises(HeldoutError, match=message):
        configured(folder=str(folder), settings={"folder": {"folder": {"context": [name]}}})


def test_a_context_by_configuration_and_by_command(folder: Path, tmp_path: Path) -> None:
    described(folder, KNOWN)
    over = {"folder": {"context": ["age", "site"]}}
    study = configured(folder=str(folder), settings={"folder": over})["folder"]
    assert own_context(study) == ["age", "site"]
    assert own_context(configured(folder=str(folder))["folder"]) == []
    command = ["new-study", str(folder), "--name", "mine", "--studies", str(tmp_path)]
    assert main([*command, "--context", "age,site"]) == 0
    assert read_yaml(tmp_path / "mine.yaml")["folder"]["context"] == ["age", "site"]
    with pytest.raises(HeldoutError, match=r"folder\.context: .* once, got age, twice"):
        list_folder(folder, context=["age", "age"])


def test_a_folder_name_is_no_part_of_the_study(tmp_path: Path) -> None:
    folder = own_folder(tmp_path / "mine\ntitle: other")
    assert yaml.safe_load(study_text(folder))["title"] == "mine\ntitle: other"


def test_or_it_stops_the_run(folder: Path) -> None:
    with pytest.raises(
        HeldoutError, match=r"got 3 that cannot:\n  - bell/03\.wav: expected 16,044"
    ):
        survey(folder, dataset="folder-x", faulty="stop")


def test_the_same_audio_is_one_group(folder: Path) -> None:
    bell, rate = soundfile.read(folder / "bell" / "06.flac")
    soundfile.write(folder / "bell" / "again.wav", bell / 2, rate)
    found = survey(folder, dataset="folder-x")
    groups = {row["recording"]: row["group"] for row in found["recordings"]}
    assert groups["bell/06.flac"] == groups["bell/again.wav"]
    assert len(set(groups.values())) == len(groups) - 1
    assert any("count as one group" in note for note in found["notes"])


def test_groups_that_are_known_need_no_warning(folder: Path) -> None:
    found = survey(folder, dataset="folder-x", groups=r"/(\w)")
    assert NO_GROUPS not in found["cautions"]


def test_a_file_of_the_table_that_is_not_there(folder: Path) -> None:
    described(folder, "path,label\nbell/06.flac,a\nhum/01.wav,b\nnone.wav,b\n")
    found = survey(folder, dataset="folder-x")
    assert found["left_out"] == [{"path": "none.wav", "reason": "there is no such file"}]


def test_recordings_of_a_survey(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "data" / "folder-x"
    link(folder, place)
    write_json(tmp_path / "data" / "folder-x.json", manifest := survey(folder, dataset="folder-x"))
    classes = {name: [name] for name in CLASSES}
    table = recordings_table("folder-x", place, classes=classes, manifest=manifest)
    assert len(table) == 17
    row = table.iloc[0]
    assert row["recording"] == "bell/06.flac"
    assert len(row["sha256"]) == 64
    assert len(read("folder-x", row["path"]).samples) == RATE
    link(folder, place)  # once more: nothing is in the way
    with pytest.raises(HeldoutError, match="expected nothing, or a link to the folder"):
        link(folder, tmp_path / "data")
    write_json(tmp_path / "data" / "folder-x.json", {})
    with pytest.raises(HeldoutError, match="expected the survey of a folder"):
        recordings("folder-x", place)


def configured(**over: Any) -> dict[str, Any]:
    config = merge(read_yaml(ROOT / "config" / "config.yaml"), over)
    return dict(resolve(config)["studies"])


def test_a_folder_is_the_one_study(folder: Path) -> None:
    studies = configured(folder=str(folder))
    assert list(studies) == ["folder"]
    study = studies["folder"]
    assert study["dataset"] == "folder-folder"
    assert study["source"] == "folder"
    assert not study["simulated"]
    assert list(study["classes"]) == sorted(CLASSES)
    assert study["features"]["rate"] == RATE
    assert list(study["protocols"]) == ["grouped", "random"]
    over = {"folder": {"folder": {"groups": r"/(\w)", "faulty": "stop"}}}
    changed = configured(folder=str(folder), settings=over)["folder"]
    assert changed["folder"]["groups"] == r"/(\w)"
    assert changed["folder"]["faulty"] == "stop"


def test_a_study_with_a_published_split(folder: Path) -> None:
    rows = ["path,label,group,split"]
    for number in range(12):
        part = ("train", "test")[number // 6]
        soundfile.write(folder / f"{number}.wav", tone(number, 300), RATE)
        rows.append(f"{number}.wav,{'ab'[number % 2]},{number // 2},{part}")
    described(folder, "\n".join(rows) + "\n")
    study = configured(folder=str(folder))["folder"]
    assert study["protocols"]["published"]["parts"] == {"train": ["train"], "test": ["test"]}
    assert study["protocols"]["published"]["honest"] is True
    # One group on both sides: its numbers are not honest, and the file says so.
    described(folder, "\n".join([*rows[:-1], "11.wav,b,0,test"]) + "\n")
    assert configured(folder=str(folder))["folder"]["protocols"]["published"]["honest"] is False


def test_measured_signals_become_windows(tmp_path: Path) -> None:
    from scipy.io import savemat

    for name in ("rest", "walk"):
        (tmp_path / name).mkdir()
        for number in range(6):
            x = np.random.default_rng(number).normal(size=(2, 1500))
            savemat(tmp_path / name / f"{number}.mat", {"val": x, "fs": 300.0})
    with pytest.raises(HeldoutError, match=r"State it: `folder: \{variable"):
        study_text(tmp_path)
    over = {"folder": {"folder": {"variable": "val"}}}
    study = configured(folder=str(tmp_path), settings=over)["folder"]
    assert study["features"] == {
        "kind": "windows",
        "channels": ["val1", "val2"],
        "rate": 250,
        "samples": 1250,
        "stride": 1250,
        "limit": 20,
    }
    assert reading(study) == {"variable": "val"}
    signal = get_dataset("folder-folder").read(tmp_path / "rest" / "0.mat", **reading(study))
    assert extract(signal, **study["features"]).x.shape == (1, 1250, 2)


def test_the_command_writes_a_study_that_is_accepted(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "checkout"
    for part in ("config", "workflow/schemas"):
        shutil.copytree(ROOT / part, root / part)
    studies = root / "config" / "studies"
    command = ["new-study", str(folder), "--groups", r"/(\w)", "--studies", str(studies)]
    assert main(command) == 0
    assert "--config studies=mine" in capsys.readouterr().out
    text = (studies / "mine.yaml").read_text()
    assert NO_GROUPS[:20] not in text
    assert yaml.safe_load(text)["folder"]["groups"] == r"/(\w)"
    config = merge(read_yaml(root / "config" / "config.yaml"), {"studies": "mine"})
    assert resolve(config, root=root)["studies"]["mine"]["dataset"] == "folder-mine"
    assert main(command) == 1
    assert "none is overwritten" in capsys.readouterr().err
    assert main([*command, "--name", "no-good"]) == 1
    assert "expected letters, digits and underscores" in capsys.readouterr().err


def test_names_that_yaml_would_misread(tmp_path: Path) -> None:
    for number, name in enumerate(("no", "1.5", "a: b", 'q"uote')):
        (tmp_path / name).mkdir()
        for copy in range(3):
            soundfile.write(tmp_path / name / f"{copy}.wav", tone(number * 9 + copy, 300), RATE)
    study = yaml.safe_load(study_text(tmp_path))
    assert set(study["classes"]) == {"no", "1.5", "a: b", 'q"uote'}


def test_a_dataset_and_its_folder_belong_together(tmp_path: Path, folder: Path) -> None:
    over = {"voices": {"folder": {"path": "x"}}}
    with pytest.raises(HeldoutError, match="`folder` belongs to `dataset: folder`"):
        configured(studies="voices", settings=over)


def test_nothing_can_be_read(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.wav").write_bytes(b"nothing")
    with pytest.raises(HeldoutError) as caught:
        study_text(tmp_path)
    text = str(caught.value)
    assert "expected recordings that can be read, got none among 2, the first: a/x.wav: " in text
    assert text.endswith(". Replace the file by a whole one, or leave it out.")
    assert f"{tmp_path}/a/x.wav: expected" not in text
    assert ".." not in text


def test_numbers_of_metadata_are_kept_by_recording(folder: Path) -> None:
    rows = [
        f"{path.relative_to(folder).as_posix()},{path.parent.name},{number},{number % 2},"
        f"{'NA' if number == 4 else number + 0.5},7,{'x' if number else 3}"
        for number, path in enumerate(sorted(folder.glob("*/*.*")))
    ]
    described(folder, "path,label,group,Site,age,same,text\n" + "\n".join(rows) + "\n")
    surveyed = survey(folder, dataset="folder-x")
    kept = {row["recording"] for row in surveyed["recordings"]}
    assert set(surveyed["numbers"]) == {"site", "age"}
    assert set(surveyed["numbers"]["site"].values()) == {0.0, 1.0}
    assert set(surveyed["numbers"]["site"]) == kept
    assert len(kept - set(surveyed["numbers"]["age"])) == 1
    # What a network is told is no other number.
    assert set(survey(folder, dataset="folder-x", context=["site"])["numbers"]) == {"age"}
    assert survey(own_folder(folder.parent / "plain"), dataset="folder-x")["numbers"] == {}
