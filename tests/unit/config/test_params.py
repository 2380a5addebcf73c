"""What rules take of the configuration: the values that they name, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib.config.params import MADE, description, need_of_training, value
from lib.config.paths import compared, permuted, runs
from lib.config.settings import ROOT, merge, resolve
from lib.config.stores import require_no_journal
from lib.errors import HeldoutError
from lib.files import read_yaml
from tests.support.folders import own_folder

SHIPPED = read_yaml(ROOT / "config" / "config.yaml")
NAMES = {"study": "arrhythmia", "protocol": "grouped", "architecture": "cnn"}
BAYES = {"method": "bayes", "trials": 7, "workers": 3, "space": {"dropout": [0.1, 0.2]}}


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    return resolve(SHIPPED)


@pytest.fixture(scope="module")
def bayes() -> dict[str, Any]:
    over = {"arrhythmia": {"architectures": {"cnn": BAYES}}}
    return resolve(SHIPPED | {"studies": ["arrhythmia"], "settings": over})


def test_a_key_of_the_protocol_comes_before_the_study_and_that_before_all(
    settings: dict[str, Any],
) -> None:
    assert (
        value(settings, NAMES, "title")
        == settings["studies"]["arrhythmia"]["protocols"]["grouped"]["title"]
    )
    study = {"study": "arrhythmia"}
    assert value(settings, study, "title") == settings["studies"]["arrhythmia"]["title"]
    assert value(settings, study, "resamples") == value(settings, {}, "resamples") == 2000
    with pytest.raises(KeyError, match="titel"):
        value(settings, NAMES, "titel")


def test_all_that_is_made_is_made_for_every_architecture(settings: dict[str, Any]) -> None:
    for name, study in settings["studies"].items():
        for protocol in study["protocols"]:
            for architecture, trials in study["trials"].items():
                job = {
                    **{"study": name, "protocol": protocol, "architecture": architecture},
                    **{"dataset": study["dataset"], "trial": next(iter(trials))},
                    "search": "search",
                }
                for key in set(MADE) - {"survey"}:
                    value(settings, job, key)


def test_identity_of_a_search_is_that_of_the_primary_protocol(settings: dict[str, Any]) -> None:
    study = settings["studies"]["arrhythmia"]
    of_search = value(settings, {"study": "arrhythmia", "architecture": "cnn"}, "identity")
    assert of_search["protocol"] == study["primary"]
    assert of_search["honest"] is True
    assert value(settings, NAMES | {"protocol": "random"}, "identity") == of_search | {
        "protocol": "random",
        "honest": False,
    }


def test_every_run_is_compared_once(settings: dict[str, Any]) -> None:
    study = settings["studies"]["heart_sounds"]
    folders = runs(study, study["architectures"], [0, 1])
    folds = sum(rule.get("folds", 1) for rule in study["protocols"].values())
    assert len(set(folders)) == len(folders) == 2 * folds * len(study["architectures"])
    files = compared(settings)
    assert len(set(files)) == len(files)
    assert {f"{folder}/predictions.parquet" for folder in folders} <= set(files)
    assert "results/voices/random/majority/seed-0/fold-0/run.json" in files
    assert not any("majority/seed-1" in file for file in files)


@pytest.fixture(scope="module")
def full() -> dict[str, Any]:
    return resolve(SHIPPED | {"studies": ["voices"], "effort": "full"})


def test_what_the_test_part_chooses_is_called_so(full: dict[str, Any]) -> None:
    study = full["studies"]["voices"]
    names = {"study": "voices", "architecture": "gru"}
    by_test, run = names | {"search": "test_search"}, names | {"protocol": "test_selected"}
    for job in (by_test, run):
        identity = value(full, job, "identity")
        assert (identity["protocol"], identity["honest"]) == ("test_selected", False)
        once = {key: told for key, told in study["training"].items() if key != "refit"}
        assert value(full, job, "training") == {**once, "keep": "best"}
    assert study["training"]["keep"] == "last"
    assert study["training"]["refit"]
    honest = names | {"search": "search"}
    assert value(full, honest, "training") == study["training"]
    assert value(full, by_test, "by_test")
    assert not value(full, honest, "by_test")
    assert value(full, run, "best") == "results/voices/test_search/gru/best.json"
    for other in study["protocols"].keys() - {"test_selected"}:
        job = names | {"protocol": other}
        assert value(full, job, "best") == "results/voices/search/gru/best.json"
    # Where the epoch alone is chosen, or there is one trial, nothing is searched.
    over = {"voices": {"protocols": {"test_selected": {"hyperparameters": False}}}}
    epoch = resolve(SHIPPED | {"studies": ["voices"], "effort": "full", "settings": over})
    demo = resolve(SHIPPED | {"studies": ["voices"]})
    for one in (epoch, demo):
        assert value(one, run, "best") == "results/voices/search/gru/best.json"
    # A search by the test part is of the protocol whose hyperparameters it chooses.
    rules = full["studies"]["voices"]["protocols"]
    first = {"epoch": rules["test_selected"] | {"hyperparameters": False}} | rules
    both = full | {"studies": {"voices": study | {"protocols": first}}}
    assert value(both, by_test, "identity")["protocol"] == "test_selected"
    of = study["protocols"]["published"]
    split = {"kind": "published", "by": of["by"], "parts": of["parts"]}
    assert value(full, run, "split") == {
        "kind": "test_selected",
        "of": split,
        "refit": True,
    }


def test_what_a_search_waits_for(settings: dict[str, Any], bayes: dict[str, Any]) -> None:
    names = NAMES | {"search": "search"}
    workers = [f"results/arrhythmia/search/cnn/worker-{number}.json" for number in range(3)]
    assert value(bayes, names, "searched") == workers
    by_test = value(bayes, NAMES | {"search": "test_search"}, "searched")
    assert by_test == [name.replace("/search/", "/test_search/") for name in workers]
    grid = value(settings, NAMES, "trials")
    expected = [f"results/arrhythmia/search/cnn/{name}/run.json" for name in grid]
    assert value(settings, names, "searched") == (expected if len(grid) > 1 else [])
    alone = {"arrhythmia": {"architectures": {"cnn": {"space": {"dropout": [0.1]}}}}}
    over = {"studies": ["arrhythmia"], "settings": alone, "effort": "full"}
    one = resolve(merge(SHIPPED, over))
    one["studies"]["arrhythmia"]["trials"]["cnn"] = dict([grid.popitem()])
    assert value(one, names, "searched") == []


def test_a_simulated_dataset_depends_on_its_simulator_alone(settings: dict[str, Any]) -> None:
    simulated = value(settings, {"dataset": "mitdb"}, "retrieval")
    assert simulated["source"] == "simulated"
    assert simulated["mirror"] is None
    assert simulated["code"]
    mirrored = value(resolve(SHIPPED | {"mirror": "/data"}), {"dataset": "mitdb"}, "retrieval")
    assert mirrored.pop("listing")
    chosen = {"source": "mirror", "mirror": "/data", "simulation": None}
    # What every study of it excludes is not even verified.
    excluded = {"exclude": ["102", "104", "107", "217"]}
    assert mirrored == chosen | excluded | {"code": "", "layout": ""}
    assert simulated["exclude"] == []
    archived = value(settings, {"dataset": "heartbeat_sounds"}, "retrieval")
    assert archived["layout"]


def test_a_file_that_is_added_to_an_own_folder_changes_its_survey(tmp_path: Path) -> None:
    folder = own_folder(tmp_path / "recordings")
    settings = resolve(SHIPPED | {"folder": str(folder)})
    (dataset,) = (study["dataset"] for study in settings["studies"].values())
    before = value(settings, {"dataset": dataset}, "survey")
    assert value(settings, {"dataset": dataset}, "survey") == before
    (folder / "more.wav").write_bytes(b"RIFF")
    after = value(settings, {"dataset": dataset}, "survey")
    assert {key for key in before if before[key] != after[key]} == {"listing"}


def test_a_protocol_by_site_has_a_fold_for_each_and_its_column_is_kept(tmp_path: Path) -> None:
    by = {"honest": True, "title": "t", "by": "hospital", "sites": ["a", "b", 3]}
    parts = {"train": ["a"], "test": ["b"]}
    protocols = {
        "left_out": {**by, "kind": "sites"},
        "by_rate": {**by, "kind": "pairs", "by": "rate"},
        "elsewhere": {
            "honest": True,
            "title": "t",
            "by": "set",
            "kind": "external",
            "parts": parts,
        },
    }
    folder = own_folder(tmp_path / "recordings")
    over = {"folder": str(folder), "settings": {"folder": {"protocols": protocols}}}
    settings = resolve(SHIPPED | over)
    study = settings["studies"]["folder"]
    described = description(study, settings)["protocols"]
    assert {name: described[name]["folds"] for name in protocols} == {
        **{"left_out": 3, "by_rate": 3, "elsewhere": 1}
    }
    folders = runs(study, ["gru"], [0])
    assert sum("/left_out/" in one for one in folders) == 3
    # What every recording has needs no column in metadata.csv.
    columns = value(settings, {"dataset": study["dataset"]}, "survey")["columns"]
    assert columns == ["hospital", "set"]


def test_a_worker_is_given_the_time_of_its_share_of_the_trials(
    bayes: dict[str, Any], tmp_path: Path
) -> None:
    npy = tmp_path / "x.npy"
    np.save(npy, np.zeros((20_000, 187, 1), np.float32))
    own, three = (
        need_of_training(bayes, NAMES, npy, trainings=count, attempt=1) for count in (None, 3)
    )
    assert own == three
    assert need_of_training(bayes, NAMES, npy, attempt=2).mem_mb == 2 * own.mem_mb


def test_a_description_names_what_the_page_shows():
    found = resolve(SHIPPED | {"effort": "full"})
    described = description(found["studies"]["arrhythmia"], found)
    assert described["classes"] == ["N", "S", "V", "F", "Q"]
    assert described["scored"] == ["N", "S", "V", "F"]
    assert described["protocols"]["published"]["honest"] is False
    assert described["protocols"]["grouped"]["folds"] == 5
    assert described["protocols"]["published"]["folds"] == 1
    assert described["simulated"] is True
    assert described["shared_searches"] == {}


def test_a_description_names_searches_that_several_workers_share():
    bayes = {"method": "bayes", "space": {"dropout": [0.1, 0.2]}}
    over = {"cnn": {**bayes, "workers": 3}, "lstm": {**bayes, "workers": 1}}
    found = resolve(SHIPPED | {"settings": {"arrhythmia": {"architectures": over}}})
    described = description(found["studies"]["arrhythmia"], found)
    assert described["shared_searches"] == {"cnn": 3}


def test_a_search_by_folds_is_given_the_time_of_all_of_them(tmp_path: Path) -> None:
    npy = tmp_path / "x.npy"
    np.save(npy, np.zeros((20_000, 187, 1), np.float32))
    of_search = {name: of for name, of in NAMES.items() if name != "protocol"}

    def chosen(**over: Any) -> dict[str, Any]:
        keys = {"arrhythmia": {"architectures": {"cnn": BAYES | {"stopping": "none"} | over}}}
        return resolve(SHIPPED | {"studies": ["arrhythmia"], "settings": keys})

    plain, folds = chosen(), chosen(choose="folds", folds=4)
    assert need_of_training(folds, of_search, npy, attempt=1) == need_of_training(
        plain, of_search, npy, trainings=12, attempt=1
    )
    final = [need_of_training(one, NAMES, npy, trainings=2, attempt=1) for one in (plain, folds)]
    assert final[0] == final[1]
    assert value(plain, of_search, "choice") is None
    made = value(folds, of_search, "choice")
    assert (made["folds"], made["seed"]) == (4, 0)
    described = description(folds["studies"]["arrhythmia"], folds)
    assert described["searched_in_folds"] == {"cnn": 4}
    with pytest.raises(HeldoutError, match="study arrhythmia: cnn: choose: expected `stopping"):
        chosen(choose="folds", stopping="halving")


def test_permuted_labels_are_a_run_for_each_network_number_and_fold() -> None:
    over = {"voices": {"permutations": 2, "primary": "grouped", "protocols": {}}}
    found = resolve(SHIPPED | {"studies": ["voices"], "effort": "full", "settings": over})
    study = found["studies"]["voices"]
    made = permuted(study)
    assert len(set(made)) == len(made) == 2 * 2 * 5
    assert set(made) <= set(compared(found))
    assert permuted(study | {"permutations": 0}) == []


def test_a_bayesian_search_is_refused_where_jobs_share_no_file(
    settings: dict[str, Any], bayes: dict[str, Any]
) -> None:
    require_no_journal(settings)
    with pytest.raises(HeldoutError, match=r"arrhythmia, cnn, method.*got bayes.*method: random"):
        require_no_journal(bayes)


def test_final_trainings_alone_have_a_refit(tmp_path: Path) -> None:
    npy = tmp_path / "x.npy"
    np.save(npy, np.zeros((20_000, 72, 2), np.float32))
    rules = {
        "chosen": {"title": "by test", "kind": "test_selected", "of": "grouped", "honest": False}
    }
    over = {"protocols": rules, "training": {"refit": True}}
    found = resolve(SHIPPED | {"studies": ["arrhythmia"], "settings": {"arrhythmia": over}})
    final = {"study": "arrhythmia", "protocol": "random", "architecture": "cnn"}
    of_trial = {"study": "arrhythmia", "search": "search", "architecture": "cnn", "trial": "t"}
    assert value(found, final, "training")["refit"]
    assert value(found, final, "refit")
    assert "refit" not in value(found, of_trial, "training")
    # Its validation part is its test part.
    chosen = value(found, final | {"protocol": "chosen"}, "training")
    assert chosen["keep"] == "best"
    assert "refit" not in chosen
    assert not value(found, final | {"protocol": "chosen"}, "refit")
    needs = [need_of_training(found, final, npy, trainings=1, attempt=1)]
    found["studies"]["arrhythmia"]["architectures"]["cnn"]["training"]["refit"] = False
    needs += [need_of_training(found, final, npy, trainings=n, attempt=1) for n in (1, 2)]
    assert needs[0] == needs[2] != needs[1]


def test_what_is_compared_inside_ds1_differs_by_its_beats_alone() -> None:
    config = SHIPPED | read_yaml(ROOT / "config" / "inside_ds1.yaml")
    study = resolve(config)["studies"]["arrhythmia"]
    others = [name for name in study["trials"] if name.endswith(".all_beats")]
    assert len(others) == 5
    for name in others:
        first = name.removesuffix(".all_beats")
        ours, theirs = (list(study["trials"][one].values()) for one in (first, name))
        assert ours == theirs, name
        kept = {"undersampling", "epochs"}
        trainings = [study["architectures"][one]["training"] for one in (first, name)]
        assert {k: v for k, v in trainings[0].items() if k not in kept} == {
            k: v for k, v in trainings[1].items() if k not in kept
        }
