"""A run from nothing: every path that is promised, and what lies there."""

from __future__ import annotations

import json
import re
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from mlcroissant import Dataset
from rocrate.rocrate import ROCrate

from lib.compare import TABLES, TIMED
from lib.files import sha256
from lib.report.checklists import FORMATS, LISTS
from tests.support.workflow import ROOT, Workflow

PROTOCOLS = ("grouped", "random")
NETWORKS = ("simple_rnn", "gru")
BASELINES = ("majority", "metadata", "logistic")
CLASSES = ["N", "S", "V"]
HISTORY = [
    *("epoch", "loss", "accuracy", "mse", "mae"),
    *("val_loss", "val_accuracy", "val_mse", "val_mae", "learning_rate", "seconds"),
]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def runs(workflow: Workflow, *architectures: str, seeds: tuple[int, ...] = (0, 1)) -> list[Path]:
    return [
        workflow.path(f"results/tiny/{protocol}/{architecture}/seed-{seed}/fold-0")
        for protocol in PROTOCOLS
        for architecture in architectures
        for seed in seeds
    ]


def test_the_stages_leave_what_they_promise(finished: Workflow) -> None:
    promised = [
        *("resources/data/mitdb.json", "resources/data/mitdb/100.dat"),
        *("results/tiny/recordings.csv", "results/tiny/recordings/0.csv"),
        *(f"results/tiny/features/{shard}.npz" for shard in (0, 1)),
        *("results/tiny/examples.npy", "results/tiny/examples.parquet"),
        *(f"results/tiny/{protocol}/split.parquet" for protocol in PROTOCOLS),
        *(f"results/tiny/{protocol}/audit.json" for protocol in PROTOCOLS),
        *(f"results/tiny/search/{name}/trials.csv" for name in NETWORKS),
        *(f"results/tiny/search/{name}/best.json" for name in NETWORKS),
        *(f"results/tables/{table}.csv" for table in TABLES),
        *("results/report.html", "results/provenance.json"),
        *(f"results/checklists/tiny/{name}.{end}" for name in LISTS for end in FORMATS),
        *("results/ro-crate-metadata.json", "results/Snakefile", "results/croissant/mitdb.json"),
    ]
    assert [path for path in promised if not finished.path(path).is_file()] == []
    assert finished.unfinished() == []


def test_examples_are_one_memory_mapped_array_with_its_index(finished: Workflow) -> None:
    x = np.load(finished.path("results/tiny/examples.npy"), mmap_mode="r")
    examples = pd.read_parquet(finished.path("results/tiny/examples.parquet"))
    assert isinstance(x, np.memmap)
    assert x.dtype == np.float32
    assert x.shape == (len(examples), 48, 1)
    assert np.isfinite(x).all()
    assert list(examples.columns) == [
        *("example", "recording", "group", "label", "start"),
        *("split", "rate", "duration", "channels", "level", "unit", "saturated", "content", "flat"),
    ]
    assert examples["example"].tolist() == list(range(len(examples)))
    assert sorted(examples["label"].unique()) == CLASSES


def test_the_page_prints_the_packages_that_made_the_features(finished: Workflow) -> None:
    made_with = read(finished.path("results/tiny/examples.json"))["made_with"]
    assert made_with["librosa"] == version("librosa")
    page = finished.path("results/report.html").read_text()
    assert f"librosa {made_with['librosa']}" in page
    assert f"wfdb {made_with['wfdb']}" in page


def test_splits_have_every_part_and_only_the_random_one_leaks(finished: Workflow) -> None:
    examples = pd.read_parquet(finished.path("results/tiny/examples.parquet"))
    shared = {}
    for protocol in PROTOCOLS:
        split = pd.read_parquet(finished.path(f"results/tiny/{protocol}/split.parquet"))
        assert list(split.columns) == ["example", "fold", "part"]
        assert set(split["part"]) == {"train", "validation", "test"}
        joined = split.merge(examples, on="example")
        groups = {part: set(rows["group"]) for part, rows in joined.groupby("part", observed=True)}
        shared[protocol] = (groups["train"] | groups["validation"]) & groups["test"]
        audit = read(finished.path(f"results/tiny/{protocol}/audit.json"))
        assert audit["honest"] == (protocol == "grouped")
        assert audit["leaks"] == (protocol == "random")
        assert (audit["groups_on_two_sides"]["count"] > 0) == (protocol == "random")
    assert not shared["grouped"]
    assert shared["random"]


def test_a_search_lists_its_trials_and_keeps_a_folder_of_each(finished: Workflow) -> None:
    folder = finished.path("results/tiny/search/simple_rnn")
    trials = pd.read_csv(folder / "trials.csv")
    best = read(folder / "best.json")
    assert len(trials) == 2
    assert set(trials["learning_rate"]) == {0.01, 0.003}
    assert best["trial"] == trials.loc[trials["val_loss"].idxmin(), "trial"]
    assert best["hyperparameters"]["learning_rate"] in (0.01, 0.003)
    for trial in trials["trial"]:
        assert (folder / trial / "run.json").is_file()
        assert (folder / trial / "history.csv").is_file()


def test_a_search_has_seen_nothing_of_the_test_part(finished: Workflow) -> None:
    records = list(finished.path("results/tiny/search").rglob("run.json"))
    assert len(records) == 2
    for file in records:
        assert set(read(file)["metrics"]) == {"train", "validation"}
        assert not (file.parent / "predictions.parquet").exists()
        assert not (file.parent / "model.keras").exists()


@pytest.mark.parametrize("tool", ["wandb", "mlflow"])
def test_the_scripts_of_the_docs_log_every_epoch_of_every_trial(
    tool: str, finished: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Both are no part of the environment: what they are told is looked at here.
    told = MagicMock()
    monkeypatch.setitem(sys.modules, tool, told)
    monkeypatch.chdir(finished.folder)
    page = (ROOT / "docs" / "hyperparameter-search.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (script,) = [block for block in blocks if f"import {tool}" in block]
    exec(script, {})

    trials = pd.read_csv("results/tiny/search/simple_rnn/trials.csv")
    if tool == "wandb":
        begun = [call.kwargs for call in told.init.call_args_list]
        named = {one["name"]: one["config"] for one in begun}
        assert {one["mode"] for one in begun} == {"offline"}
        rows = told.init().__enter__().log.call_args_list
    else:
        names = [call.kwargs["run_name"] for call in told.start_run.call_args_list]
        params = [call.args[0] for call in told.log_params.call_args_list]
        named = dict(zip(names, params, strict=True))
        rows = told.log_metrics.call_args_list
    rates = {name: values["learning_rate"] for name, values in named.items()}
    assert rates == dict(zip(trials["trial"], trials["learning_rate"], strict=True))
    assert len(rows) == trials["epochs"].sum()
    assert all(row.kwargs["step"] == row.args[0]["epoch"] for row in rows)
    lowest = min(row.args[0]["val_loss"] for row in rows)
    assert lowest == pytest.approx(trials["val_loss"].min(), rel=1e-3)


def test_a_run_of_a_network_is_complete(finished: Workflow) -> None:
    for folder in runs(finished, *NETWORKS):
        record = read(folder / "run.json")
        assert (record["study"], record["simulated"], record["kind"]) == ("tiny", True, "network")
        assert record["protocol"] == folder.parents[2].name
        assert record["seed"] == int(folder.parent.name.removeprefix("seed-"))
        assert set(record["metrics"]) == {"train", "validation", "test"}
        for metrics in record["metrics"].values():
            assert {"loss", "accuracy", "mse", "mae", "macro_f1", "examples"} <= set(metrics)
        assert record["train_seconds"] > 0
        assert record["parameters"] > 0
        assert record["model_kb"] == pytest.approx(
            (folder / "model.keras").stat().st_size / 1000, abs=0.1
        )
        assert {"tensorflow", "keras", "python"} <= set(record["versions"])
        history = pd.read_csv(folder / "history.csv")
        assert list(history.columns) == HISTORY
        assert history["epoch"].tolist() == [1, 2]
        assert list((folder / "tensorboard").rglob("events.out.tfevents.*"))


def test_predictions_say_each_example_of_validation_and_test(finished: Workflow) -> None:
    for folder in runs(finished, *NETWORKS) + runs(finished, *BASELINES, seeds=(0,)):
        table = pd.read_parquet(folder / "predictions.parquet")
        assert list(table.columns) == ["example", "part", "label", *CLASSES]
        split = pd.read_parquet(folder.parents[2] / "split.parquet")
        split = split[split["part"] != "train"]
        expected = sorted(zip(split["example"], split["part"].astype(str), strict=True))
        got = sorted(zip(table["example"], table["part"].astype(str), strict=True))
        assert got == expected
        np.testing.assert_allclose(table[CLASSES].sum(axis=1), 1, atol=1e-5)
        record = read(folder / "run.json")
        test = table[table["part"] == "test"]
        right = test[CLASSES].idxmax(axis=1) == test["label"]
        assert record["metrics"]["test"]["accuracy"] == pytest.approx(right.mean())


def test_tables_hold_every_run_and_say_that_it_is_simulated(finished: Workflow) -> None:
    table = pd.read_csv(finished.path("results/tables/runs.csv"))
    assert len(table) == len(PROTOCOLS) * (2 * len(NETWORKS) + len(BASELINES))
    assert table["simulated"].all()
    for name in ("leaderboard", "inflation", "differences"):
        assert pd.read_csv(finished.path(f"results/tables/{name}.csv"))["simulated"].all(), name


def test_no_table_but_those_of_costs_holds_a_duration(finished: Workflow) -> None:
    for file in finished.path("results/tables").glob("*.csv"):
        names = set(pd.read_csv(file, nrows=0).columns)
        timed = {name for name in names if "second" in name or "date" in name or "time" in name}
        assert bool(timed) == (file.stem in TIMED), f"{file.name}: {timed}"


def test_the_report_stands_alone_and_says_that_it_is_simulated(finished: Workflow) -> None:
    page = finished.path("results/report.html").read_text(encoding="utf-8")
    assert "simulated recordings" in page
    assert "inflation" in page.lower()
    # Whatever is fetched would be missing without a network; links to follow are not fetched.
    assert re.findall(r"""<(?:script|img|iframe|source)[^>]*src=(?!["']?data:)[^>]*""", page) == []
    assert re.findall(r"""<link[^>]*href=(?!["']?data:)[^>]*>""", page) == []


def test_checklists_lie_beside_the_page_and_lead_back_to_it(finished: Workflow) -> None:
    page = finished.path("results/report.html")
    linked = set(re.findall(r'href="(checklists/[^"]+)"', page.read_text(encoding="utf-8")))
    assert linked == {f"checklists/tiny/{name}.html" for name in LISTS}
    anchors = set(re.findall(r'id="([^"]+)"', page.read_text(encoding="utf-8")))
    for name in linked:
        text = (page.parent / name).read_text(encoding="utf-8")
        places = [one for one in re.findall(r'href="([^"]+)"', text) if one.startswith("../")]
        assert places
        for place in places:
            file, _, anchor = place.partition("#")
            assert (page.parent / name).parent.joinpath(file).is_file(), place
            assert not anchor or anchor in anchors, place


def test_the_records_are_read_by_the_packages_that_define_them(finished: Workflow) -> None:
    crate = ROCrate(finished.path("results"))
    (action,) = crate.get_by_type("CreateAction")
    assert action["instrument"] is crate.mainEntity
    made = {entity.id for entity in action["result"]}
    assert {f"tables/{table}.csv" for table in TABLES} <= made
    assert {"report.html", "tiny/", "plots/", "checklists/"} <= made
    for entity in crate.get_by_type("File", exact=True):
        assert sha256(finished.path("results") / entity.id) == entity["sha256"], entity.id
    assert action["startTime"] < action["endTime"]
    dataset = Dataset(jsonld=str(finished.path("results/croissant/mitdb.json")))
    assert dataset.metadata.issues.errors == set()
    records = [one["tiny/recording"].decode() for one in dataset.records("tiny")]
    table = pd.read_csv(finished.path("results/tiny/recordings.csv"), dtype=str)
    assert records == table["recording"].tolist()
    manifest = read(finished.path("resources/data/mitdb.json"))
    listed = {one.name: one.sha256 for one in dataset.metadata.distribution}
    assert {one["path"]: one["sha256"] for one in manifest["files"]}.items() <= listed.items()


def test_the_first_run_says_nothing_that_is_no_concern_of_the_user(finished: Workflow) -> None:
    output = finished.path("first.log").read_text(encoding="utf-8")
    noise = [
        line
        for line in output.splitlines()
        if re.search(r"Traceback|Warning|oneDNN|cuda|tensorflow/|absl", line)
    ]
    assert noise == []


def test_run_again_there_is_nothing_to_be_done(finished: Workflow) -> None:
    done = finished.run()
    assert done.status == 0, done.output
    assert "Nothing to be done" in done.output


def test_the_profiles_plan_the_same_jobs(copied: Workflow) -> None:
    copied.path("results/report.html").unlink()
    shutil.rmtree(copied.path("results/plots"))
    here = copied.plan()
    assert set(here.rules) == {"plots", "report", "records"}
    slurm = copied.run("--dry-run", "--profile", "slurm")
    assert slurm.status == 0, slurm.output
    assert "slurm_partition=cpu" in slurm.output
    for profile in ("slurm", "profiles/gpu", "profiles/tpu"):
        assert copied.plan("--profile", profile).jobs == here.jobs, profile


def test_trainings_take_turns_on_a_gpu(fresh: Workflow) -> None:
    done = fresh.run("--dry-run", "--profile", "profiles/gpu")
    assert done.status == 0, done.output
    jobs = re.findall(
        r"^(?:local)?rule (\w+):\n(?:    .*\n)*?    resources: (.*)$", done.output, re.M
    )
    claiming = {rule for rule, resources in jobs if "gpu=1" in resources}
    assert claiming == {"trial", "train"}


def test_lint_finds_nothing(fresh: Workflow) -> None:
    done = fresh.run("--lint")
    assert done.status == 0, done.output


@pytest.mark.slow
def test_snakemake_can_pack_its_own_report(copied: Workflow, tmp_path: Path) -> None:
    packed = tmp_path / "report.zip"
    done = copied.run("--report", str(packed))
    assert done.status == 0, done.output
    with ZipFile(packed) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/report.html")][-1:]
        index = archive.read(name).decode()
    # Categories, labels and captions of what a reader looks for.
    for words in (
        *("Report", "Tables", "tiny", "the page", "inflation over all studies", "leaderboard"),
        *("learning_curves_grouped", "works offline", "Every trial of the search"),
    ):
        assert words in index, words


@pytest.mark.slow
def test_the_default_config_plans_all_five_studies(fresh: Workflow) -> None:
    fresh.config = {}
    plan = fresh.plan()
    studies = {file.stem for file in (ROOT / "config" / "studies").glob("*.yaml")}
    assert plan.values("study", "train") == studies
