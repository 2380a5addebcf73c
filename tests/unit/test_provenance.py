"""Provenance: results are made anew when the code that they use changes, and only then."""

import importlib.metadata
import os
import pkgutil
import shutil
import subprocess
from pathlib import Path

import pytest

import lib
from lib import provenance
from lib.provenance import (
    LIBRARY,
    code_hash,
    commit,
    durations,
    hardware,
    modules_of,
    packages_of,
    span,
    versions,
)
from lib.simulate import DATASETS


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Return a copy of the library that a test may edit."""
    copy = tmp_path / "lib"
    shutil.copytree(LIBRARY, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "LIBRARY", copy)
    forget()
    yield copy
    forget()


def forget():
    for cached in ("_module_file", "_syntax"):
        getattr(provenance, cached).cache_clear()


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    forget()


def test_a_hash_is_of_the_content_alone(library):
    copied = code_hash("lib.train.runs")
    assert len(copied) == 16
    int(copied, 16)
    assert copied != code_hash("lib.features")
    provenance.LIBRARY = LIBRARY
    forget()
    assert code_hash("lib.train.runs") == copied


def test_code_that_is_used_counts(library):
    before = code_hash("lib.train.runs")
    edit(library / "train" / "batches.py", "IN_MEMORY = 512_000_000", "IN_MEMORY = 1")
    assert code_hash("lib.train.runs") != before


def test_a_module_imported_inside_a_function_counts(library):
    (library / "inner.py").write_text("VALUE = 1\n")
    with (library / "metrics" / "record.py").open("a") as stream:
        stream.write("\n\ndef late():\n    from lib import inner\n    return inner.VALUE\n")
    forget()
    before = code_hash("lib.train.runs")
    assert "lib.inner" in modules_of("lib.train.runs")
    edit(library / "inner.py", "VALUE = 1", "VALUE = 2")
    assert code_hash("lib.train.runs") != before


def test_words_and_layout_do_not_count(library):
    before = code_hash("lib.train.runs")
    scores = library / "metrics" / "record.py"
    edit(scores, '"""Score the predictions of one part', '"""Judge the predictions of one part')
    edit(scores, '"""The scores that', '"""Those scores that')
    edit(scores, "    p = probabilities", "    # A remark.\n\n    p = (probabilities)")
    assert "A remark" in scores.read_text()
    edit(scores, "(probabilities)", "probabilities")
    assert code_hash("lib.train.runs") == before


def test_what_errors_and_logs_say_does_not_count(library):
    stages = ("lib.train.runs", "lib.splits.registry", "lib.features")
    before = [code_hash(stage) for stage in stages]
    edit(library / "datasets" / "audio.py", "DamagedError(", "DamagedError('once more', ")
    dealing = library / "splits" / "dealing.py"
    edit(dealing, "HeldoutError(", "HeldoutError(f'once more: {1 + 1}' + ")
    edit(library / "train" / "runs.py", "the trial failed: %s", "this trial failed: %s")
    edit(library / "progress.py", "import", "import ast, ")
    edit(library / "errors.py", "cutoff=0.5", "cutoff=0.6")
    assert [code_hash(stage) for stage in stages] == before
    edit(dealing, "raise HeldoutError", "return HeldoutError")
    assert code_hash("lib.splits.registry") != before[1]


def test_other_modules_do_not_count(library):
    stages = (
        "lib.train.runs",
        "lib.splits",
        "lib.features",
        "lib.recordings.table",
        "lib.examples.assembly",
    )
    before = [code_hash(stage) for stage in stages]
    for name in ("plots/style.py", "report/__init__.py", "compare/runs.py", "retrieve/mirror.py"):
        with (library / name).open("a") as stream:
            stream.write("\nADDED = 1\n")
    forget()
    assert [code_hash(stage) for stage in stages] == before


def test_editing_features_leaves_what_comes_before(library):
    before = {stage: code_hash(stage) for stage in ("lib.features", "lib.recordings.table")}
    with (library / "features" / "beats.py").open("a") as stream:
        stream.write("\nADDED = 1\n")
    forget()
    assert code_hash("lib.features") != before["lib.features"]
    assert code_hash("lib.recordings.table") == before["lib.recordings.table"]


@pytest.mark.parametrize(
    ("module", "others"),
    [
        ("lib.train.runs", ("plots", "compare", "report", "simulate", "retrieve", "features")),
        ("lib.train.runs", ("datasets", "train.baselines", "audit", "search", "config", "own")),
        # A new metric trains nothing again.
        ("lib.train.runs", ("metrics.registry", "metrics.sample", "metrics.calibration")),
        ("lib.features", ("train", "networks", "compare", "report", "own", "predict")),
        ("lib.features", ("simulate", "retrieve", "splits")),
        ("lib.train.baselines", ("train.runs", "train.trainer", "networks", "features")),
        ("lib.splits", ("train", "features", "datasets", "compare")),
        ("lib.audit.examples", ("train", "features", "datasets", "compare")),
        ("lib.search.choice", ("train", "compare", "report", "plots")),
        ("lib.compare", ("train", "features", "plots", "report", "retrieve", "simulate")),
        ("lib.recordings.table", ("train", "features", "retrieve", "simulate", "compare")),
    ],
)
def test_a_stage_does_not_depend_on_others(module, others):
    used = modules_of(module)
    assert not [name for name in used if f"{name}.".startswith(tuple(f"lib.{o}." for o in others))]


def test_a_stage_depends_on_what_it_uses():
    assert {
        "lib.train.trainer",
        "lib.networks.models",
        "lib.train.batches",
        "lib.networks.backend",
        "lib.networks.hyperparameters",
        "lib.networks.cnn_lstm",
    } <= set(modules_of("lib.train.runs"))
    assert {"lib.features.beats", "lib.datasets.mitdb"} <= set(modules_of("lib.features"))


def test_a_module_that_is_chosen_by_name_counts():
    """`lib.simulate` imports the simulator of a dataset by its name."""
    simulators = {
        found.name
        for found in pkgutil.iter_modules([str(LIBRARY / "simulate")], "lib.simulate.")
        if found.name.rpartition(".")[2] in ("mitdb", "ephnogram", "common_voice")
    }
    assert len(simulators) == 3
    assert simulators <= set(modules_of("lib.simulate"))


def changed_by(library: Path, name: str) -> set[str]:
    """Edit a module of `lib.simulate` and give the datasets that are simulated anew."""

    def hashes() -> dict[str, str]:
        return {name: code_hash("lib.simulate", chosen={"lib.simulate": name}) for name in DATASETS}

    before = hashes()
    with (library / "simulate" / name).open("a") as stream:
        stream.write("\nADDED = 1\n")
    forget()
    return {name for name, found in hashes().items() if found != before[name]}


def test_a_simulator_concerns_the_datasets_that_it_makes(library):
    assert changed_by(library, "mitdb.py") == {"mitdb"}
    assert changed_by(library, "ecg.py") == {"mitdb", "ephnogram"}
    assert changed_by(library, "voice.py") == {"five_voices", "common_voice"}
    assert changed_by(library, "common.py") == changed_by(library, "__init__.py") == set(DATASETS)


def test_a_name_that_no_module_has_chooses_none():
    """A dataset without a simulator: the job says so, not the planning of it."""
    found = modules_of("lib.simulate", chosen={"lib.simulate": "tiny"})
    assert [name for name in found if name.startswith("lib.simulate.")] == [
        "lib.simulate.simulator"
    ]


def test_modules_can_be_left_out():
    whole = set(modules_of("lib.retrieve"))
    part = set(modules_of("lib.retrieve", without=("lib.simulate.simulator",)))
    assert "lib.simulate.simulator" in whole
    assert part < whole
    assert not any(name.startswith("lib.simulate") for name in part)
    hashes = {code_hash("lib.retrieve", without=w) for w in ((), ("lib.simulate.simulator",))}
    assert len(hashes) == 2


def test_every_module_has_a_hash():
    for found in pkgutil.walk_packages(lib.__path__, "lib."):
        assert found.name in modules_of(found.name)
        assert len(code_hash(found.name)) == 16


def test_a_module_that_is_not_there():
    with pytest.raises(ValueError, match=r"no module 'lib\.trian' in lib"):
        code_hash("lib.trian")


def test_the_packages_that_make_features_are_known_with_their_versions(monkeypatch):
    def features():
        return packages_of("lib.features", without=["lib.files"])

    before = features()
    assert {"librosa", "scipy", "soundfile", "wfdb", "numpy"} <= set(before)
    assert not {"tensorflow", "keras", "PyYAML", "lib", "heldout", "json"} & set(before)
    version = importlib.metadata.version
    monkeypatch.setattr(
        "importlib.metadata.version", lambda name: "99" if name == "librosa" else version(name)
    )
    assert features() == before | {"librosa": "99"}


def test_a_package_is_found_that_is_called_otherwise_than_it_is_imported():
    assert "scikit-learn" in packages_of("lib.train.baselines")


def test_versions():
    found = versions()
    assert {"python", "keras", "tensorflow", "numpy"} <= set(found)
    assert all(isinstance(value, str) for value in found.values())


def test_the_hardware_is_described():
    found = hardware()
    assert list(found) == ["system", "machine", "processor", "cores", "memory"]
    assert all(isinstance(value, str) and value for value in found.values())


def test_a_commit_is_marked_where_files_differ(tmp_path):
    assert commit(tmp_path) == "unknown"
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e@example.org"]
    (tmp_path / "a").write_text("1")
    for command in (["init", "-q"], ["add", "a"], ["commit", "-q", "-m", "m"]):
        subprocess.run([*git, *command], check=True)
    clean = commit(tmp_path)
    int(clean, 16)
    (tmp_path / "a").write_text("2")
    assert commit(tmp_path) == f"{clean}+"


def test_what_is_installed_within_a_repository_of_somebody_else_has_a_version(tmp_path):
    subprocess.run(["git", "-C", str(tmp_path), "init", "-q"], check=True)
    (tmp_path / "site-packages").mkdir()
    assert provenance.revision(tmp_path / "site-packages") == f"version {lib.__version__}"
    assert provenance.revision(tmp_path) == commit(tmp_path)


def test_durations_are_summed_by_stage(tmp_path):
    for name, seconds in (("train/a", 1.25), ("train/b", 2.5), ("features/a", 1), ("report", 4)):
        path = tmp_path / f"{name}.tsv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"s\tcpu_time\tmax_rss\n{seconds}\t1\t100\n")
    assert durations(tmp_path) == {"features": 1.0, "report": 4.0, "train": 3.8}


def test_what_was_parsed_is_looked_up_and_damage_does_no_harm(library, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    first = code_hash("lib.features")
    forget()
    monkeypatch.setattr(provenance, "_parsed", lambda _: pytest.fail("parsed again"))
    assert code_hash("lib.features") == first
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(provenance, "LIBRARY", library)
    for file in (tmp_path / "cache").rglob("*.json"):
        file.write_bytes(file.read_bytes()[:20])
    forget()
    assert code_hash("lib.features") == first
    # As it is where nothing can be written.
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    forget()
    assert code_hash("lib.features") == first


def test_every_file_is_looked_up_as_it_would_be_parsed():
    for file in LIBRARY.rglob("*.py"):
        provenance._syntax.cache_clear()
        assert provenance._syntax(file) == provenance._parsed(file.read_text(encoding="utf-8"))


def test_a_run_lasts_from_the_first_job_to_the_last(tmp_path):
    for name, seconds, ended in (("a", 30, 1_000), ("b", 5, 1_010), ("c/d", 1, 1_020)):
        path = tmp_path / f"{name}.tsv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"s\tcpu_time\n{seconds}\t1\n")
        os.utime(path, (ended, ended))
    assert [time.timestamp() for time in span(tmp_path)] == [970, 1_020]
    began, ended = span(tmp_path / "none")
    assert began == ended
    assert began.tzinfo is not None
