"""A folder of annotated ECG: which beats are examples, of which classes, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from lib.config.settings import merge, resolve
from lib.errors import HeldoutError
from lib.features import make
from lib.files import read_yaml, write_json
from lib.own.study import study_text
from lib.own.survey import link, survey
from lib.own.table import labelled_by_beats, list_folder
from lib.recordings.table import recordings_table
from tests.support.folders import heartbeats, own_records, write_record

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return own_records(tmp_path_factory.mktemp("ecg") / "mine")


def configured(place: Path, **over: Any) -> dict[str, Any]:
    config = read_yaml(ROOT / "config" / "config.yaml")
    given = {"folder": str(place), "settings": {"folder": over}}
    study = resolve(merge(config, given))["studies"]["folder"]
    assert isinstance(study, dict)
    return study


def by_class(folder: Path) -> Path:
    for number in range(6):
        label = ("healthy", "ill")[number % 2]
        write_record(folder / label, f"r{number}", heartbeats(number, seconds=6))
    return folder


def test_annotations_alone_make_a_study_of_beats(folder: Path) -> None:
    assert labelled_by_beats(folder)
    study = configured(folder)
    assert study["folder"]["beats"] == "codes"
    assert study["classes"] == {"N": ["N"], "V": ["V"]}
    assert study["scored"] == ["N", "V"]
    expected = {"kind": "beats", "lead": "II", "rate": 125, "samples": 187, "before": 0.6}
    assert study["features"] == expected


def test_q_is_a_class_that_no_mean_counts(tmp_path: Path) -> None:
    for number in range(4):
        wave, peaks, codes = heartbeats(number)
        codes[:4] = ["/", "Q", "B", "?"]
        write_record(tmp_path, f"r{number}", (wave, peaks, codes))
    # One record alone has a fused beat: nobody could tell whether it can be told.
    wave, peaks, codes = heartbeats(9)
    codes[0] = "F"
    write_record(tmp_path, "r9", (wave, peaks, codes))
    study = yaml.safe_load(study_text(tmp_path))
    assert study["classes"] == {"N": ["N", "B"], "V": ["V"], "Q": ["/", "Q"]}
    assert study["scored"] == ["N", "V"]


def test_folders_of_classes_are_still_classes(tmp_path: Path) -> None:
    folder = by_class(tmp_path)
    assert not labelled_by_beats(folder)
    assert configured(folder)["features"]["kind"] == "windows"
    study = configured(folder, folder={"beats": "recordings"})
    assert study["features"]["kind"] == "beats"
    assert list(study["classes"]) == ["healthy", "ill"]
    # Folders of people: the codes are asked for.
    assert list(configured(folder, folder={"beats": "codes"})["classes"]) == ["N", "V"]


def test_a_table_without_labels(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "mine"
    own_records(place)
    rows = "".join(f"p{number // 2}_{number},person {number // 2}\n" for number in range(14))
    (place / "metadata.csv").write_text("path,group\n" + rows)
    assert labelled_by_beats(place)
    table = list_folder(place, beats="codes")
    assert table["path"].tolist()[0] == "p0_0.hea"  # named as WFDB does, without suffix
    assert set(table["label"]) == {""}
    assert table["group"].nunique() == 7
    (place / "metadata.csv").write_text("file,group\np0_0,x\n")
    assert not labelled_by_beats(place)
    with pytest.raises(HeldoutError, match=r"got file, group\. Add path\.$"):
        list_folder(place, beats="codes")


def test_records_that_give_no_beat_are_left_out(folder: Path, tmp_path: Path) -> None:
    study = configured(folder)
    asked = make(**study["features"]).demands
    found = survey(folder, dataset="folder-x", beats="codes", asked=asked)
    assert {item["path"]: item["reason"] for item in found["left_out"]} == {
        "p7_bare.hea": "it has no annotated beats (.atr beside the header)",
        "p7_other.hea": "it has no channel II, but V5",
    }
    assert len(found["recordings"]) == 14
    with pytest.raises(HeldoutError, match="got 2 that cannot"):
        survey(folder, dataset="folder-x", beats="codes", asked=asked, faulty="stop")
    # Where another lead may stand for the one it lacks, a record is used.
    other = make(**study["features"], other_lead="V5").demands
    found = survey(folder, dataset="folder-x", beats="codes", asked=other)
    assert [item["path"] for item in found["left_out"]] == ["p7_bare.hea"]
    found = survey(folder, dataset="folder-x", beats="codes", asked=asked)
    # In the table of recordings none has a label, since each beat has its own.
    place = tmp_path / "folder-x"
    link(folder, place)
    write_json(tmp_path / "folder-x.json", found)
    table = recordings_table("folder-x", place, classes=study["classes"], manifest=found)
    assert set(table["label"]) == {""}
    assert len(table) == 14


@pytest.mark.parametrize("suffix", [".atr", ".dat"])
def test_a_record_damaged_behind_its_header_does_not_stop_the_study(
    tmp_path: Path, suffix: str
) -> None:
    folder = by_class(tmp_path)
    victim = folder / "healthy" / f"r0{suffix}"
    content = victim.read_bytes()
    # Annotations without their end mark; samples that are all marked as missing.
    victim.write_bytes(content[:-1] if suffix == ".atr" else b"\x00\x80" * (len(content) // 2))
    assert configured(folder)["features"]["channels"] == ["II", "V1"]
    surveyed = survey(folder, dataset="folder-x")
    assert [item["path"] for item in surveyed["left_out"]] == ["healthy/r0.hea"]


def test_what_windows_ask_of_a_recording(tmp_path: Path) -> None:
    folder = by_class(tmp_path)
    write_record(folder / "ill", "short", heartbeats(30, seconds=4))
    settings = {"channels": ["II", "V1"], "rate": 64, "samples": 320, "stride": 320}
    asked = make("windows", **settings).demands
    found = survey(folder, dataset="folder-x", asked=asked)
    (gone,) = found["left_out"]
    assert gone == {"path": "ill/short.hea", "reason": "it lasts 4 s, and a window 5 s"}


def test_beats_and_features_go_together(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(HeldoutError, match=r"folder\.beats: expected codes .* got null and beats"):
        configured(by_class(tmp_path), features=configured(folder)["features"])
    with pytest.raises(HeldoutError, match="expected one of codes, recordings, None, got 'all'"):
        configured(folder, folder={"beats": "all"})


def test_a_context_may_not_be_named_as_that_of_the_features(folder: Path, tmp_path: Path) -> None:
    place = own_records(tmp_path / "ecg")
    rows = [f"{path.stem},{number}" for number, path in enumerate(sorted(place.glob("*.hea")))]
    (place / "metadata.csv").write_text("\n".join(["path,rr_before", *rows]))
    over: dict[str, Any] = {"folder": {"beats": "codes", "context": ["rr_before"]}}
    assert configured(place, **over)["folder"]["context"] == ["rr_before"]
    message = r"folder\.context: expected each name once, got rr_before, which the features give"
    with pytest.raises(HeldoutError, match=message):
        configured(place, **over, features={"rhythm": True})


def test_folders_without_what_beats_need(tmp_path: Path) -> None:
    with pytest.raises(HeldoutError, match=r"with annotated beats \(\.atr\), got no recording"):
        study_text(tmp_path, beats="codes")
    for number in range(2):
        write_record(tmp_path, f"r{number}", heartbeats(number, codes="N"), annotated=False)
    with pytest.raises(HeldoutError, match=r"got none among 2, the first: r0\.hea has no annot"):
        study_text(tmp_path, beats="codes")
    with pytest.raises(HeldoutError, match=r"at least 2 classes, got none\. .*path and label\.$"):
        study_text(tmp_path)
    (tmp_path / "r0.atr").write_bytes(b"x")
    with pytest.raises(HeldoutError, match=r"first: r0\.hea: r0\.atr: exp.* truncated\. Put the"):
        study_text(tmp_path, beats="codes")
    write_record(tmp_path, "r0", heartbeats(0, codes="N"))
    with pytest.raises(HeldoutError, match=r"at least 2 classes of the AAMI.* got N in 1"):
        study_text(tmp_path)
    # One folder is no two classes; the codes may be.
    write_record(tmp_path / "people", "r3", heartbeats(0))
    with pytest.raises(HeldoutError, match=r"got people.* say so: `--beats codes`"):
        study_text(tmp_path)


def test_a_damaged_table_is_not_to_be_deleted(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_bytes("path,label\nä.wav,a\n".encode("latin-1"))
    with pytest.raises(HeldoutError, match="Save it as UTF-8") as caught:
        list_folder(tmp_path)
    assert "elete" not in str(caught.value)
