"""`exclude` excludes before anything is read, fetched or verified; advice fits every source."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from scipy.io import savemat

from lib.datasets.registry import DATASETS
from lib.errors import HeldoutError
from lib.files import write_json
from lib.own.study import study_text
from lib.own.survey import link, survey
from lib.own.table import examine
from lib.recordings.table import recordings_table
from lib.retrieve import retrieve
from tests.support.folders import RATE, heartbeats, own_folder, tone, write_record
from tests.support.registries import tiny_registry
from tests.support.wild import wild

URL = "http://127.0.0.1:9/"  # nothing is fetched


@wild(
    "exclude",
    like="WFP-VAM/modape#139",
    holds="a damaged file, and one of 4 Hz, that `exclude` names, with or without suffix",
    right="neither is read: nothing of the study follows from them, and `faulty: stop` goes on",
)
def test_excluded_files_of_an_own_folder(tmp_path: Path) -> None:
    folder = own_folder(tmp_path / "mine")
    soundfile.write(folder / "hum" / "slow.wav", np.zeros(40), 4)
    exclude = ["bell/03", "hum/slow.wav", "hum/copy.flac"]
    assert yaml.safe_load(study_text(folder, exclude=exclude))["features"]["rate"] == 8000
    surveyed = survey(folder, dataset="folder-x", exclude=exclude, faulty="stop")
    assert surveyed["left_out"] == []
    assert surveyed["version"] == "18 of 18 recordings"
    assert not any(file["path"] in exclude for file in surveyed["files"])
    # A study with other names to exclude takes them out of the same survey.
    link(folder, tmp_path / "folder-x")
    write_json(tmp_path / "folder-x.json", surveyed)
    classes = {name: [name] for name in ("bell", "hum")}
    table = recordings_table(
        "folder-x", tmp_path / "folder-x", classes=classes, exclude=["whistle", "bell/00"]
    )
    assert "bell/00.flac" not in set(table["recording"])
    assert "bell/06.flac" in set(table["recording"])


@wild(
    "exclude",
    like="lists of names that were typed from memory",
    holds="`exclude` with a name that is not there",
    right="a note that names it: a slip of the pen excludes nothing",
)
def test_an_excluded_name_that_is_not_there(tmp_path: Path) -> None:
    folder = own_folder(tmp_path)
    assert "Excluded, but not there: bell/3.wav." in examine(folder, exclude=["bell/3.wav"]).notes


def corpus(dataset: str, folder: Path) -> None:
    """Write two recordings as a corpus publishes them."""
    names = {
        "common_voice": ["cv-corpus-1/es/clips/one.wav", "cv-corpus-1/es/clips/two.wav"],
        "five_voices": ["gtzan/_train/a.0 .au", "gtzan/_test/b.1.au"],
        "heartbeat_sounds": ["set_a/murmur__201101051104.wav", "set_a/normal__201101070538.wav"],
    }
    for name in names.get(dataset, []):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, tone(0, 300, seconds=0.2), RATE)
    if dataset == "common_voice":
        rows = "client_id\tpath\taccents\nx\tone.wav\tCaribe\ny\ttwo.wav\tCaribe\n"
        (folder / "cv-corpus-1/es/validated.tsv").write_text(rows)
    for name in ("100", "101") if dataset == "mitdb" else ():
        write_record(folder, name, heartbeats(0, seconds=4))
    if dataset == "ephnogram":
        (folder / "MAT").mkdir()
        rows = "Record Name,Subject ID,Recording Scenario\nr1,s1,Rest\nr2,s2,Rest\n"
        (folder / "ECGPCGSpreadsheet.csv").write_text(rows)
        for name in ("r1", "r2"):
            wave = np.zeros((1, 40))
            savemat(folder / "MAT" / f"{name}.mat", {"ECG": wave, "PCG": wave, "fs": 8000.0})


@wild(
    "exclude",
    like="PhysioNet mirrors with a file that was cut",
    holds="a published corpus of which one recording is damaged",
    right="an error with advice that fits; excluded, it is not read, and the others are listed",
)
@pytest.mark.parametrize("dataset", DATASETS)
def test_excluded_recordings_of_a_published_dataset(tmp_path: Path, dataset: str) -> None:
    corpus(dataset, tmp_path)
    known = DATASETS[dataset]
    table = known.recordings(tmp_path)
    first = table.iloc[0]
    Path(first["path"]).write_bytes(b"RIFF\x10\0\0\0")
    with pytest.raises(HeldoutError) as caught:
        known.recordings(tmp_path)
    assert caught.value.advice
    assert not {"anew", "again"} & set(caught.value.advice.replace(".", " ").split())
    left = known.recordings(tmp_path, exclude=[first["recording"]])
    assert left["recording"].tolist() == table["recording"].tolist()[1:]
    path = Path(first["path"]).relative_to(tmp_path).as_posix()
    assert known.recording_of(path) == first["recording"]


@wild(
    "exclude",
    like="mir-dataset-loaders/mirdata#494, mir-dataset-loaders/mirdata#495",
    holds="a mirror in which a file has another checksum than the published one",
    right="an error that says how to go on; excluded, it is not verified, nor in the manifest",
)
def test_excluded_files_of_a_mirror(tmp_path: Path) -> None:
    registry = tiny_registry({"100.dat": b"whole", "100.hea": b"head", "101.dat": b"x"}, URL)
    mirror = tmp_path / "mirror" / "tiny"
    mirror.mkdir(parents=True)
    for name, content in (("100.dat", b"who"), ("100.hea", b"head"), ("101.dat", b"x")):
        (mirror / name).write_bytes(content)

    def run(*exclude: str) -> list[str]:
        manifest = retrieve(
            "tiny", source="mirror", folder=tmp_path / "data" / "tiny",
            registry=registry, mirror=tmp_path / "mirror", exclude=exclude,
        )  # fmt: skip
        assert manifest["missing"] == 0
        return [file["path"] for file in manifest["files"]]

    with pytest.raises(HeldoutError, match=r"100\.dat: expected 5 bytes") as caught:
        run("101")
    assert "exclude the recording" in caught.value.advice
    assert run("100") == ["101.dat"]
    (mirror / "100.dat").write_bytes(b"whole")
    assert run() == ["100.dat", "100.hea", "101.dat"]
