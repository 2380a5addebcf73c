"""Croissant of a dataset: read by mlcroissant without an error, with its records and checksums."""

from __future__ import annotations

import hashlib
from urllib.parse import unquote

import mlcroissant as mlc
import pandas as pd
import pytest

from lib.errors import HeldoutError
from lib.files import read_json, write_json, write_table
from lib.project import ROOT
from lib.records import croissant, published_at, write_croissant

NAMES = ["a b/ü é.wav", "x&y;#?%\"'.wav", "日本.wav", "-dash", "r:1.dat"]


def described(folder, *, recordings=None, **changes):
    """Write a dataset with odd names, two tables of recordings, and its Croissant file."""
    data = folder / "resources" / "data" / "corpus"
    files = []
    for number, name in enumerate(NAMES):
        file = data / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes([number]))
        files.append(
            {"path": name, "bytes": 1, "sha256": hashlib.sha256(bytes([number])).hexdigest()}
        )
    manifest = {
        "dataset": "corpus", "title": "A corpus", "source": "mirror", "simulated": False,
        "version": "1.0", "licence": "CC0-1.0", "citation": ["A 2020"],
        "landing_page": "https://example.org/corpus", "files": files,
    } | changes.pop("manifest", {})  # fmt: skip
    write_json(data.with_suffix(".json"), manifest)
    table = pd.DataFrame(
        {
            "recording": ["101", "102"], "path": ["p1", "p2"], "label": ["", ""],
            "rate": [360.0, 8000.0], "duration": [1.5, None], "channels": [1, 2],
            "body site": ["x, y", "z"], "body/site": ["m", "n"],
        }
    )  # fmt: skip
    tables = {}
    for study in ("first", "second"):
        tables[study] = folder / "results" / study / "recordings.csv"
        write_table(tables[study], table if recordings is None else recordings)
    output = folder / "results" / "croissant" / "corpus.json"
    return write_croissant(
        output, manifest=manifest, manifest_file=data.with_suffix(".json"), recordings=tables,
        **changes,
    )  # fmt: skip


def values(records):
    return [
        {key: v.decode() if isinstance(v, bytes) else v for key, v in one.items()}
        for one in records
    ]


def test_it_is_read_without_an_error_and_gives_the_recordings(tmp_path):
    dataset = mlc.Dataset(jsonld=str(described(tmp_path)))
    assert dataset.metadata.issues.errors == set()
    assert [one.id for one in dataset.metadata.record_sets] == ["first", "second"]
    rows = values(dataset.records("second"))
    assert [row["second/recording"] for row in rows] == ["101", "102"]
    assert [row["second/rate"] for row in rows] == [360.0, 8000.0]
    assert [row["second/channels"] for row in rows] == [1, 2]
    assert rows[0]["second/duration"] == 1.5
    assert [row["second/body_site"] for row in rows] == ["x, y", "z"]
    # Two columns whose names differ in what no id may have.
    assert [row["second/body_site_7"] for row in rows] == ["m", "n"]


def test_each_file_is_there_with_its_checksum(tmp_path):
    path = described(tmp_path)
    objects = mlc.Dataset(jsonld=str(path)).metadata.distribution
    assert [one.name for one in objects[: len(NAMES)]] == NAMES
    for one in objects:
        file = path.parent / unquote(one.content_url)
        assert hashlib.sha256(file.read_bytes()).hexdigest() == one.sha256
        assert one.content_size == f"{file.stat().st_size} B"


def test_a_published_file_is_named_by_its_address_and_a_simulated_one_never(tmp_path):
    known = {NAMES[2]: "https://example.org/files/%E6%97%A5.wav"}
    for simulated in (False, True):
        path = described(
            tmp_path / str(simulated), addresses=known, manifest={"simulated": simulated}
        )
        urls = [one.content_url for one in mlc.Dataset(jsonld=str(path)).metadata.distribution]
        assert (known[NAMES[2]] in urls) == (not simulated)
        assert ("SIMULATED" in read_json(path)["description"]) == simulated


def test_the_registries_name_addresses():
    known = published_at(ROOT / "resources" / "registry" / "mitdb.yaml")
    assert known["100.dat"].startswith("https://")
    assert known["100.dat"].endswith("/100.dat")
    assert published_at(ROOT / "resources" / "registry" / "common_voice.yaml") == {}


def test_a_folder_of_ones_own_needs_no_address_and_no_citation(tmp_path):
    own = {"landing_page": "", "citation": [], "licence": "not stated (own recordings)"}
    dataset = mlc.Dataset(jsonld=str(described(tmp_path, manifest=own)))
    assert dataset.metadata.issues.errors == set()
    assert len(list(dataset.records("first"))) == 2


def test_of_very_many_files_the_manifest_is_named_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(croissant, "MOST_FILES", len(NAMES) - 1)
    path = described(tmp_path)
    content = read_json(path)
    assert len(content["distribution"]) == 3
    assert "Its 5 files are listed in the manifest" in content["description"]
    assert mlc.Dataset(jsonld=str(path)).metadata.issues.errors == set()


def test_it_says_the_same_wherever_it_lies(tmp_path):
    first, second = (read_json(described(tmp_path / name)) for name in ("a", "b c"))
    assert first == second


def test_what_is_not_valid_is_an_error(tmp_path):
    unknown = [{"path": "a.dat", "bytes": 1, "sha256": None}]
    with pytest.raises(HeldoutError, match=r"expected valid metadata, got [\s\S]*sha256"):
        described(tmp_path, manifest={"files": unknown})
    assert not (tmp_path / "results" / "croissant" / "corpus.json").exists()
