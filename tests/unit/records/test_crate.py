"""The RO-Crate of a run: read back by rocrate, whole, and as the profile of workflow runs asks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate

from lib.files import read_json, sha256, write_json
from lib.records import crate as module
from lib.records import write_crate

TIMES = (datetime(2026, 1, 1, 10, tzinfo=UTC), datetime(2026, 1, 1, 12, 30, tzinfo=UTC))
STUDIES = [{"study": "beats", "title": "Beats"}, {"study": "odd", "title": 'A "b" <c> & d'}]
MANIFESTS = [
    {
        "dataset": "mitdb", "title": "MIT-BIH", "simulated": False, "version": "1.0.0",
        "licence": "ODC-By", "landing_page": "https://example.org/mitdb",
    },
    {
        "dataset": "voices", "title": "Voices", "simulated": True, "version": "1", "licence": "x",
        "landing_page": "https://example.org/voices",
    },
    {"dataset": "folder-x", "simulated": False, "version": "3 of 4 recordings", "licence": "own"},
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    names = ("Snakefile", "report.html", "tables/answers.csv", "tables/costs.csv", "beats/x.json")
    names += ("plots/a.svg", *(f"croissant/{one['dataset']}.json" for one in MANIFESTS))
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)
    provenance = {"commit": "0123abc", "versions": {"snakemake": "9.27.1"}}
    write_json(folder / "provenance.json", provenance)
    write_crate(
        folder / "ro-crate-metadata.json",
        studies=STUDIES, manifests=MANIFESTS, provenance=provenance, times=TIMES,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def crate(folder) -> ROCrate:
    return ROCrate(folder)


def names(entities) -> list[str]:
    return [entity.id for entity in entities]


def test_the_run_is_an_action_of_the_workflow(crate):
    workflow = crate.mainEntity
    assert workflow.id == "Snakefile"
    assert set(workflow.type) == {"File", "SoftwareSourceCode", "ComputationalWorkflow"}
    assert workflow["programmingLanguage"]["name"] == "Snakemake"
    assert workflow["programmingLanguage"]["version"] == "9.27.1"
    assert "0123abc" in workflow["description"]
    (action,) = crate.get_by_type("CreateAction")
    assert action["instrument"] is workflow
    assert action["startTime"] == "2026-01-01T10:00:00+00:00"
    assert action["endTime"] == "2026-01-01T12:30:00+00:00"
    # Nobody knows who ran it.
    assert action.get("agent") is None
    assert crate.root_dataset["mentions"].id == action.id


def test_it_says_what_was_read_and_what_was_made(crate):
    (action,) = crate.get_by_type("CreateAction")
    assert names(action["object"]) == ["provenance.json", "#mitdb", "#voices", "#folder-x"]
    # What was simulated is not what is published there.
    urls = [one.get("url") for one in action["object"][1:]]
    assert urls == ["https://example.org/mitdb", None, None]
    made = ["report.html", "tables/answers.csv", "tables/costs.csv", "plots/", "beats/"]
    assert names(action["result"]) == made
    croissants = [one["subjectOf"].id for one in action["object"][1:]]
    assert croissants == [f"croissant/{one['dataset']}.json" for one in MANIFESTS]


def test_each_file_is_there_with_its_checksum(crate, folder):
    parts = set(names(crate.root_dataset["hasPart"]))
    assert "Snakefile" in parts
    for part in parts:
        assert (folder / part).exists(), part
    for entity in crate.get_by_type("File", exact=True):
        assert entity.id in parts
        assert entity["sha256"] == sha256(folder / entity.id)
        assert entity["contentSize"] == str((folder / entity.id).stat().st_size)


def test_whatever_it_refers_to_is_described_in_it(folder):
    graph = read_json(folder / "ro-crate-metadata.json")["@graph"]
    known = {entity["@id"] for entity in graph}
    assert len(known) == len(graph)

    def referred(value):
        if isinstance(value, dict):
            yield value["@id"]
        elif isinstance(value, list):
            for one in value:
                yield from referred(one)

    asked = {name for entity in graph for value in entity.values() for name in referred(value)}
    # Specifications and home pages, which are named and not described.
    outside = {name for name in asked - known if name.startswith(("https://", "http://"))}
    assert asked - known == outside
    assert not {name for name in outside if "example.org" in name}


def test_it_says_which_profiles_it_follows(crate):
    assert names(crate.root_dataset["conformsTo"]) == list(module.PROFILES)
    assert crate.version == "1.1"


def test_the_licence_is_for_a_person_to_state(crate):
    assert crate.root_dataset["license"]["name"] == "Not stated yet"
