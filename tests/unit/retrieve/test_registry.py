"""The registry files are whole, and a bad one is refused."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.datasets.folder import PREFIX
from lib.datasets.registry import DATASETS
from lib.errors import HeldoutError
from lib.files import read_yaml, safe_path
from lib.retrieve.registry import parse_registry, read_registry

REGISTRY = Path(__file__).parents[3] / "resources" / "registry"
STUDIED = {"mitdb", "ephnogram", "heartbeat_sounds", "five_voices", "common_voice"}


def load(dataset: str) -> dict[str, Any]:
    return read_registry(REGISTRY / f"{dataset}.yaml")


def test_there_is_one_file_for_each_dataset() -> None:
    assert {path.stem for path in REGISTRY.glob("*.yaml")} == set(DATASETS) >= STUDIED


@pytest.mark.parametrize("dataset", DATASETS)
def test_registry_is_valid(dataset: str) -> None:
    registry = parse_registry(load(dataset))
    assert registry.dataset == dataset
    assert all(file.url and file.url.startswith("http") for file in registry.files)
    assert all(" " not in (file.url or "") for file in registry.files)
    # What nobody can fetch must say how a person gets it.
    assert registry.downloadable or "{folder}" in (registry.consent or "")


@pytest.mark.parametrize("dataset", ["mitdb", "ephnogram", "five_voices"])
def test_every_listed_file_has_a_checksum(dataset: str) -> None:
    files = parse_registry(load(dataset)).files
    assert all(re.fullmatch("[0-9a-f]{64}", file.sha256 or "") for file in files)


def test_mitdb_is_complete() -> None:
    files = {file.path: file for file in parse_registry(load("mitdb")).files}
    records = {path.split(".")[0] for path in files if "." in path}
    assert len(records) == 48
    assert set(files) == {f"{r}.{e}" for r in records for e in ("atr", "dat", "hea")} | {
        "RECORDS",
        "ANNOTATORS",
    }
    # 650,000 samples of two signals in format 212: three bytes for each pair.
    assert {files[f"{record}.dat"].bytes for record in records} == {650_000 * 3}
    assert files["100.dat"].url == "https://physionet.org/files/mitdb/1.0.0/100.dat"


def test_ephnogram_has_all_records_and_no_second_copy() -> None:
    files = parse_registry(load("ephnogram")).files
    assert sum(file.path.endswith(".mat") for file in files) == 69
    assert {file.path for file in files if not file.path.startswith("MAT/")} == {
        "ECGPCGSpreadsheet.csv",
        "LICENSE.txt",
        "RECORDS",
    }


def test_five_voices_is_complete_and_its_names_are_quoted() -> None:
    files = {file.path: file for file in parse_registry(load("five_voices")).files}
    assert len(files) == 110
    address = files["gtzan/_train/James.01 .au"].url or ""
    assert address.endswith("/08f0d9c/gtzan/_train/James.01%20.au")


def test_heartbeat_sounds_has_the_archives_of_both_sets() -> None:
    archives = parse_registry(load("heartbeat_sounds")).archives
    counts = {archive.holds: archive.recordings for archive in archives}
    # The totals of the challenge, without its unlabelled test parts.
    assert counts == {
        "set_a/artifact_*.wav": 40,
        "set_a/extrahls_*.wav": 19,
        "set_a/murmur_*.wav": 34,
        "set_a/normal_*.wav": 31,
        "set_b/extrastole_*.wav": 46,
        "set_b/murmur_*.wav": 95,
        "set_b/normal_*.wav": 320,
    }
    assert all(archive.sha256 is None for archive in archives)


def change(dataset: str, **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(load(dataset)), **changes}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"checksum": "x"}, "Additional properties"),
        ({"citation": []}, "citation"),
        ({"base_url": "ftp://x/"}, "base_url"),
        ({"files": [{"path": "a", "bytes": 1}]}, "sha256"),
        ({"files": [{"path": "a", "bytes": -1, "sha256": None}]}, "files/0/bytes"),
        ({"files": [{"path": "a", "bytes": 1, "sha256": "XYZ"}]}, "files/0/sha256"),
        ({"files": [{"path": "../a", "bytes": 1, "sha256": None}]}, "inside the dataset's folder"),
        ({"files": [{"path": "/a", "bytes": 1, "sha256": None}]}, "inside the dataset's folder"),
        ({"files": [{"path": ".a", "bytes": 1, "sha256": None}]}, "inside the dataset's folder"),
        ({"files": [{"path": "a", "bytes": 1, "sha256": None}] * 2}, "a is listed twice"),
    ],
)
def test_bad_registry_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(HeldoutError, match=text):
        parse_registry(change("mitdb", **changes))


def test_missing_registry_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(HeldoutError, match=r"nothing\.yaml: expected a YAML file"):
        read_registry(tmp_path / "nothing.yaml")


def test_registry_that_is_not_yaml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("a: [")
    with pytest.raises(HeldoutError, match=r"bad\.yaml: expected a YAML file"):
        read_registry(path)
    path.write_text("- a list")
    with pytest.raises(HeldoutError, match=r"bad\.yaml"):
        read_registry(path)


@given(st.text(max_size=30))
def test_a_safe_path_stays_inside(text: str) -> None:
    if safe_path(text):
        base = Path("/base/folder")
        joined = base / text
        assert joined.is_relative_to(base)
        assert ".." not in joined.parts


@pytest.mark.parametrize(
    "text", ["", "/a", "../a", "a/../b", "a//b", "./a", "C:\\a", "c:a", "a\\b", "a\0b", "a\nb"]
)
def test_unsafe_paths(text: str) -> None:
    assert not safe_path(text)


def test_the_rule_takes_the_names_that_a_registry_may_have() -> None:
    root = Path(__file__).parents[3]
    schema = read_yaml(root / "lib/retrieve/registry.schema.yaml")
    # The rule takes every dataset but folders of one's own, whose names no registry may have.
    pattern = schema["properties"]["dataset"]["pattern"]
    assert all(re.search(pattern, name) for name in DATASETS)
    assert not re.search(pattern, f"{PREFIX}mine")
