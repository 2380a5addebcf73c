"""The configuration: what is shipped resolves, and every fault is told at once."""

import re
import shutil
from copy import deepcopy

import pytest
import yaml

from lib.config.paths import folds_of
from lib.config.protocols import split_options
from lib.config.schema import typed
from lib.config.settings import OF_STUDIES, ROOT, compute, merge, resolve, source_of
from lib.errors import HeldoutError
from lib.features import shape
from lib.files import read_yaml

SHIPPED = read_yaml(ROOT / "config" / "config.yaml")
STUDIES = ["heart_sounds", "arrhythmia", "exercise", "voices", "accents"]


def settings(**over):
    return merge(SHIPPED, over)


def of_study(name="voices", **over):
    """Lay keys over one study, and resolve it alone."""
    return resolve(settings(studies=[name], settings={name: over}))


def test_the_shipped_configuration():
    found = resolve(SHIPPED)
    assert list(found["studies"]) == STUDIES
    assert SHIPPED["studies"] == STUDIES, "the caller's mapping was changed"
    assert all(study["simulated"] for study in found["studies"].values())


@pytest.mark.parametrize("effort", (*OF_STUDIES, "original"))
@pytest.mark.parametrize("name", STUDIES)
def test_every_study_with_every_effort(name, effort):
    study = resolve(settings(studies=[name], effort=effort))["studies"][name]
    assert study["name"] == name
    assert set(study["trials"]) == set(study["architectures"])
    assert len(study["classes"]) >= 2
    assert set(study["scored"]) <= set(study["classes"])
    honest = study["protocols"][study["primary"]]
    assert honest["honest"]
    # The original project on voices used the folders of the dataset alone.
    if (name, effort) != ("voices", "original"):
        assert any(rule["kind"] == "random" for rule in study["protocols"].values())
    assert len(shape(**study["features"])) == 2
    assert "efforts" not in study
    for rule in study["protocols"].values():
        assert folds_of(rule) >= 1
        assert not {"honest", "title"} & set(split_options(rule))


def test_how_networks_are_trained():
    assert compute(resolve(SHIPPED)) == {
        "backend": "auto",
        "device": "auto",
        "devices": 1,
        "scaling": "none",
        "precision": "float32",
    }


def test_full_is_laid_over_the_default():
    full = merge(SHIPPED, read_yaml(ROOT / "config" / "full.yaml"))
    found = resolve(full)
    assert found["effort"] == "full"
    assert {study["source"] for study in found["studies"].values()} == {"download"}
    mirrored = resolve(merge(full, {"mirror": "/data"}))
    assert {study["source"] for study in mirrored["studies"].values()} == {"mirror"}


def test_efforts_differ():
    epochs = [
        resolve(settings(studies="arrhythmia", effort=effort))["studies"]["arrhythmia"]["training"]
        for effort in (*OF_STUDIES, "original")
    ]
    assert epochs[0] != epochs[2]


def test_one_study_as_a_word_and_several_joined_by_commas():
    assert list(resolve(settings(studies="arrhythmia"))["studies"]) == ["arrhythmia"]
    assert list(resolve(settings(studies="voices,accents"))["studies"]) == ["voices", "accents"]
    assert resolve(settings(seeds=3))["seeds"] == [3]


def test_numbers_of_the_command_line_arrive_as_text():
    found = resolve(
        settings(
            studies=["voices"],
            seeds=["0", "1"],
            simulation={"scale": "0.5"},
            settings={"voices": {"training": {"epochs": "4"}}},
        )
    )
    assert found["seeds"] == [0, 1]
    assert found["simulation"]["scale"] == 0.5
    assert found["studies"]["voices"]["training"]["epochs"] == 4


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("1e1", "integer", 10),
        ("1e1", ["integer", "null"], 10),
        ("1e1", "number", 10.0),
        ("1e-1", "integer", 0.1),
        ("1e-4", "number", 1e-4),
        ("4", "number", 4),
        ("true", "boolean", True),
        ("False", "boolean", False),
        ("null", ["integer", "null"], None),
        ("1e1", "string", "1e1"),
        ("one", "integer", "one"),
        ("1e999", "integer", float("inf")),
    ],
)
def test_text_is_read_as_what_the_schema_wants(text, kind, value):
    read = typed(text, {"type": kind})
    assert read == value
    assert type(read) is type(value)


def test_devices_are_a_number_or_all():
    assert resolve(settings(studies=["arrhythmia"], devices=2))["devices"] == 2
    assert resolve(settings(devices="all"))["devices"] == "all"
    # Whatever the devices, a batch each is a batch that they divide.
    assert resolve(settings(devices=7, scaling="batch"))["scaling"] == "batch"


@pytest.fixture
def project(tmp_path):
    """Return a project of the shipped schemas and a function that writes its one study."""
    shutil.copytree(ROOT / "workflow" / "schemas", tmp_path / "workflow" / "schemas")
    file = tmp_path / "config" / "studies" / "voices.yaml"
    file.parent.mkdir(parents=True)
    shutil.copy(ROOT / "config" / "config.yaml", tmp_path / "config")

    def write(**over):
        study = merge(read_yaml(ROOT / "config" / "studies" / "voices.yaml"), over)
        file.write_text(yaml.safe_dump(study))
        return tmp_path

    return write


def test_small_numbers_in_the_file_of_a_study(project):
    """YAML takes 1e-4 for text."""
    training = {"training": {"reduce_lr_factor": "1e-1"}}
    lstm = {"architectures": {"lstm": {"fixed": {"learning_rate": "1e-4"}, "space": {}}}}
    root = project(**training, efforts={"demo": lstm})
    study = resolve(settings(studies=["voices"]), root=root)["studies"]["voices"]
    assert study["training"]["reduce_lr_factor"] == 0.1
    (trial,) = study["trials"]["lstm"].values()
    assert trial["learning_rate"] == 1e-4


def test_an_effort_or_a_person_leaves_an_architecture_out():
    demo = resolve(settings(studies=["arrhythmia"]))["studies"]["arrhythmia"]
    assert list(demo["architectures"]) == ["cnn", "lstm"]
    # As a file has it, and as the command line does.
    for null in (None, "null"):
        left = of_study(architectures={"gru": null}, protocols={"random": null})
        assert list(left["studies"]["voices"]["trials"]) == ["lstm"]
        assert "random" not in left["studies"]["voices"]["protocols"]
    with pytest.raises(HeldoutError, match=r"architectures: gruu: null .* Did you mean 'gru'"):
        of_study(architectures={"gruu": None})
    # Who names one again has it as the study has it.
    named = {"settings": {"arrhythmia": {"architectures": {"gru": {"fixed": {"units": [9]}}}}}}
    again = resolve(settings(studies=["arrhythmia"], **named))["studies"]["arrhythmia"]
    (trial, *_) = again["trials"]["gru"].values()
    assert (trial["units"], trial["pooling"]) == ([9], "max")
    with pytest.raises(
        HeldoutError,
        match=r"architectures: expected a mapping \(key: value\), with 1 or more keys, got \{\}",
    ):
        of_study(architectures={"gru": None, "lstm": None})


def test_what_an_original_project_did_replaces_keys_of_the_study():
    study = resolve(settings(studies=["voices"], effort="original"))["studies"]["voices"]
    assert list(study["architectures"]) == [
        *("lstm.base", "lstm.base_mfcc", "lstm.added_layer", "lstm.fewer_features")
    ]
    assert list(study["protocols"]) == ["published"]
    (base,) = study["trials"]["lstm.base"].values()
    assert base["normalization"] == "none"
    assert base.get("schedule", "constant") == "constant", "joined with the study's own"
    accents = resolve(settings(studies=["accents"], effort="original"))["studies"]["accents"]
    limits = {name: one["training"]["epochs"] for name, one in accents["architectures"].items()}
    assert (limits["gru"], limits["gru.two_layers"]) == (15, 20)
    assert "augmentation" not in accents["training"]


def test_a_study_that_repeats_nothing_has_no_original(project):
    with pytest.raises(HeldoutError, match="voices: it repeats no original project: expected one"):
        resolve(settings(studies=["voices"], effort="original"), root=project())


@pytest.mark.parametrize(
    ("training", "message"),
    [
        ({"epochs": 0}, r"lstm\.training\.epochs: expected a whole number, 1 or more, got 0"),
        ({"seconds": 0}, r"lstm\.training\.seconds: expected a number, more than 0, got 0"),
    ],
)
def test_a_budget_of_nothing_is_refused(training, message):
    with pytest.raises(HeldoutError, match=message):
        of_study(architectures={"lstm": {"training": training}})
    with pytest.raises(HeldoutError, match=message.removeprefix(r"lstm\.")):
        of_study(training=training)


def test_every_effort_is_checked_whichever_is_chosen(project):
    root = project(efforts={"full": {"training": {"epoch": 3}}})
    message = (
        r"voices with effort full \(.*\n.*training: unknown key 'epoch'. Did you mean 'epochs'"
    )
    with pytest.raises(HeldoutError, match=message):
        resolve(settings(studies=["voices"], effort="demo"), root=root)


def test_settings_are_for_the_effort_that_is_chosen(project):
    root = project(efforts={"full": {"architectures": {"lstm.wide": {"fixed": {}, "space": {}}}}})
    chosen = {"studies": ["voices"], "settings": {"voices": {"architectures": {"lstm.wide": None}}}}
    study = resolve(settings(**chosen, effort="full"), root=root)["studies"]["voices"]
    assert "lstm" in study["architectures"]
    assert "lstm.wide" not in study["architectures"]
    with pytest.raises(HeldoutError, match=r"lstm\.wide: null leaves out what the study has"):
        resolve(settings(**chosen), root=root)


def test_keys_of_a_study_are_laid_over_it():
    study = of_study(training={"epochs": 3})["studies"]["voices"]
    shipped = resolve(settings(studies=["voices"]))["studies"]["voices"]
    assert study["training"] == shipped["training"] | {"epochs": 3}
    assert study["trials"] == shipped["trials"]


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ({"sede": 1}, r"unknown key 'sede'. Did you mean 'seed'\?"),
        ({"simulation": {"scael": 2}}, r"simulation: unknown key 'scael'. Did you mean 'scale'\?"),
        ({"effort": "fast"}, "effort: expected one of demo, quick, full, original, got 'fast'"),
        ({"source": "web"}, "source: expected one of simulated, download, mirror, got 'web'"),
        ({"backend": "torch"}, "backend: expected one of auto, jax, tensorflow, got 'torch'"),
        ({"device": "npu"}, "device: expected one of auto, cpu, gpu, tpu, got 'npu'"),
        (
            {"devices": 0},
            "devices: expected a whole number, 1 or more, or all, got 0.* It is: on how many GPUs",
        ),
        ({"devices": "two"}, "devices: expected .* got 'two'"),
        ({"scaling": "sqrt"}, "scaling: expected one of none, batch, linear, got 'sqrt'"),
        ({"precision": "float16"}, "precision: expected one of float32, mixed_float16"),
        ({"runs_per_gpu": 0}, "runs_per_gpu: expected a whole number, 1 or more, got 0"),
        (
            {"studies": ["voices"], "devices": 7},
            r"study voices, .*batch_size: expected a multiple of the 7 devices",
        ),
        (
            {"compile": "xla"},
            r"the key 'compile' is gone: JAX always .* Delete the key; .* backend: jax",
        ),
        (
            {"studies": ["voices"], "devices": 5, "backend": "tensorflow"},
            r"study voices, lstm: backend: expected jax or auto with devices: 5, got tensorflow",
        ),
        (
            {"studies": ["voices"], "device": "tpu", "backend": "tensorflow"},
            r"study voices, lstm: backend: expected jax or auto with device: tpu, got tensorflow",
        ),
        ({"threads": 0}, "threads: expected a whole number, 1 or more, got 0.* It is: CPU threads"),
        (
            {"shards": "many"},
            "shards: expected a whole number, 1 .*or null, got 'many'.* It is: number of feature",
        ),
        ({"seeds": []}, "seeds: .* It is: seeds of the final runs"),
        ({"threads": 2.0}, "threads: expected a whole number, 1 or more, got 2.0"),
        ({"threads": True}, "threads: expected a whole number, 1 or more, got True"),
        ({"seeds": [1, 1]}, "seeds: expected a list, .*each value once, got"),
        ({"seeds": [-1]}, r"seeds\.0: expected a whole number, 0 or more, got -1"),
        ({"studies": []}, "studies: .* It is: the studies to run"),
        ({"studies": "hart_sounds"}, r"unknown study 'hart_sounds'. Did you mean 'heart_sounds'\?"),
        ({"settings": {"voice": {}}}, r"unknown study 'voice'. Did you mean 'voices'\?"),
        ({"studies": ["../secret"]}, "expected letters, digits and underscores, got '../secret'"),
        ({"baselines": ["best"]}, "expected one of majority, metadata, logistic, got 'best'"),
        ({"source": "mirror"}, "its source is a mirror, and none is named. Add --config mirror="),
        ({"sources": {"mitdb": "mirror"}}, "dataset mitdb: its source is a mirror"),
        ({"sources": {"mitdb": "web"}}, r"sources\.mitdb: expected one of simulated"),
        ({"mirror": ""}, "mirror: "),
        (
            {"settings": {"arrhythmia": {"architectures": {"gru": {"fixed": {"channels": 3}}}}}},
            "study arrhythmia: gru: channels: expected at most the 2 of an example, got 3",
        ),
    ],
)
def test_faults_of_the_configuration(over, message):
    with pytest.raises(HeldoutError, match=message):
        resolve(settings(**over))


def test_a_missing_key_is_as_shipped():
    config = deepcopy(SHIPPED)
    del config["resamples"], config["seed"]
    assert resolve(config) == resolve(SHIPPED)
    assert resolve({}) == resolve(SHIPPED)
    assert resolve({"simulation": {"scale": 0.5}})["simulation"] == {"seed": 0, "scale": 0.5}


def test_missing_keys_of_a_study_are_named_once(project):
    root = project()
    file = root / "config" / "studies" / "voices.yaml"
    study = read_yaml(file)
    del study["primary"], study["title"]
    file.write_text(yaml.safe_dump(study))
    with pytest.raises(HeldoutError) as raised:
        resolve(settings(studies=["voices"]), root=root)
    (line,) = re.findall(r"expected the keys .*", str(raised.value))
    assert line.startswith("expected the keys title, primary, which are missing. Add them: docs/")


def test_a_study_of_the_working_directory_is_taken_first(project, tmp_path_factory):
    root, here = project(), tmp_path_factory.mktemp("here")
    study = read_yaml(root / "config" / "studies" / "voices.yaml")
    asked = settings(studies=["voices"])
    assert resolve(asked, root=root, here=here) == resolve(asked, root=root)
    (here / "config" / "studies").mkdir(parents=True)
    (here / "config" / "studies" / "voices.yaml").write_text(
        yaml.safe_dump(study | {"title": "Ours"})
    )
    (here / "config" / "studies" / "calls.yaml").write_text(yaml.safe_dump(study))
    assert resolve(asked, root=root, here=here)["studies"]["voices"]["title"] == "Ours"
    assert resolve(asked, root=root)["studies"]["voices"]["title"] == study["title"]
    both = resolve(settings(studies=["calls", "voices"]), root=root, here=here)
    assert list(both["studies"]) == ["calls", "voices"]


def test_an_unknown_study_lists_the_studies_of_both_folders(project, tmp_path_factory):
    root, here = project(), tmp_path_factory.mktemp("here")
    (here / "config" / "studies").mkdir(parents=True)
    (here / "config" / "studies" / "calls.yaml").touch()
    with pytest.raises(HeldoutError) as raised:
        resolve(settings(studies=["cals"]), root=root, here=here)
    assert str(raised.value) == (
        f"unknown study 'cals'. Did you mean 'calls'? {root / 'config/studies'} has voices; "
        f"{here / 'config/studies'} has calls."
    )


RANDOM = {"title": "t", "kind": "random", "honest": True}
BY_SITE = {"title": "t", "kind": "pairs", "honest": True, "by": "site"}
PUBLISHED = {"title": "t", "kind": "published", "honest": True}


@pytest.mark.parametrize(
    ("over", "message"),
    [
        (
            {"trainnig": {}},
            r"study voices [^-]*- unknown key 'trainnig'. Did you mean 'training'\?",
        ),
        ({"training": {"epoch": 3}}, r"training: unknown key 'epoch'. Did you mean 'epochs'\?"),
        (
            {"training": {"epochs": 0}},
            r"training\.epochs: expected a whole number, 1 or more, got 0",
        ),
        (
            {"training": {"epochs": "few"}},
            r"training\.epochs: expected a whole number, 1 or more, got 'few'",
        ),
        ({"dataset": "mitbd"}, r"voices: dataset: .* got 'mitbd'. Did you mean 'mitdb'\? Known: c"),
        ({"primary": "groupd"}, r"primary: expected one of its protocols, got 'groupd'. Did you"),
        ({"primary": "random"}, "'random' has `honest: false`"),
        ({"protocols": {"random": {"honest": True}}}, "a random split by example cannot be honest"),
        ({"protocols": {"x": RANDOM}}, "protocol x: .*a random split by example cannot be honest"),
        (
            {"protocols": {"test_selected": {"honest": True}}},
            "test_selected: .*`honest: false`, since what its test part chose is judged on that",
        ),
        ({"primary": "test_selected"}, "'test_selected' has `honest: false`"),
        (
            {"protocols": {"test_selected": {"folds": 2}}},
            "test_selected: .*expected the settings of, hyperparameters, refit, got 'folds'",
        ),
        (
            {"protocols": {"grouped": {"honst": True}}},
            r"protocol grouped: .*got 'honst'. Did you mean 'honest'\?",
        ),
        (
            {"protocols": {"x": {"title": "x", "kind": "grouped", "honst": True, "folds": 2}}},
            r"protocols\.x: expected the keys honest, .*Did you mean 'honest' by 'honst'\?",
        ),
        (
            {
                "protocols": {
                    "again": {"title": "again", "kind": "random", "honest": False, "folds": 2}
                }
            },
            "protocols: expected one of kind random at most, .*got random, again",
        ),
        (
            {"protocols": {"x": PUBLISHED}},
            "protocol x: .*expected the setting parts, which it needs",
        ),
        (
            {"protocols": {"grouped": {"parts": {"train": ["a"], "test": ["b"]}}}},
            "protocol grouped: .*got 'parts'",
        ),
        ({"protocols": {"search": PUBLISHED}}, "protocols: "),
        (
            {"protocols": {"x": BY_SITE | {"sites": ["a"]}}},
            r"protocols\.x\.sites: expected a list, with 2 or more values, .*got \['a'\]",
        ),
        ({"protocols": {"x": BY_SITE}}, "protocol x: .*expected the setting sites, which it needs"),
        (
            {"protocols": {"x": BY_SITE | {"sites": ["a", "b"], "folds": 2}}},
            "protocol x: .*expected the settings by, sites, test, validation, got 'folds'",
        ),
        (
            {"protocols": {"x": BY_SITE | {"sites": ["a", "b"]}}, "primary": "x"},
            "primary: .*must hold more than one site. 'x' trains on each site alone",
        ),
        (
            {"protocols": {"x": PUBLISHED | {"kind": "by hand"}}},
            r"protocol x: .*kind: expected one of group",
        ),
        (
            {"scored": ["nobody"]},
            "study voices: scored: expected one of its classes, got 'nobody'. Known: ",
        ),
        ({"architectures": {"ltsm": {"fixed": {}, "space": {}}}}, "unknown architecture 'ltsm'"),
        ({"architectures": {"lstm": {"fixed": {"unit": [3]}}}}, "unknown hyperparameter 'unit'"),
        ({"architectures": {"lstm": {"space": {"dropout": [2]}}}}, "dropout: expected a number"),
        ({"architectures": {"lstm": {"space": {"droput": [0]}}}}, "'?droput|space of droput"),
        ({"architectures": {"lstm": {"space": {"dropout": []}}}}, "dropout"),
        (
            {"architectures": {"lstm": {"spacing": 3}}},
            "architectures.lstm: the key 'spacing' is gone: each look now comes after `factor`",
        ),
        (
            {"architectures": {"lstm": {"factor": [4, 5]}}},
            r"lstm\.factor: expected .*got \[4, 5\](.|\n)*write one number: `factor: 4`",
        ),
        (
            {"architectures": {"lstm": {"factor": 1}}},
            r"lstm\.factor: expected a whole number, 2 or more, got 1",
        ),
        ({"features": {"kind": "melody"}}, r"features\.kind: .* got 'melody'. .*Known: beats, "),
        (
            {"features": {"hops": 3}},
            r"study voices: features kind spectral: .* Did you mean 'hop'\?",
        ),
        ({"protocols": {"x": RANDOM | {"honest": False}}}, "at most, .* got random, x. Leave out"),
        ({"classes": {"example": ["x"]}}, "classes: "),
        ({"question": ""}, "question: "),
    ],
)
def test_faults_of_a_study(over, message):
    with pytest.raises(HeldoutError, match=message):
        of_study(**over)


@pytest.mark.parametrize(
    ("study", "name", "fitting"),
    [
        ("voices", "gain", "spectral of 64 × 33: shift, noise, mask_time, mask_channels, got"),
        ("accents", "wander", "mel of .*: shift, noise, mask_time, mask_channels, got wander"),
        ("arrhythmia", "mask_channels", "beats of .*: shift, noise, gain, wander, mask_time, got"),
        ("exercise", "mask_channels", "windows of 600 × 2: shift, noise, gain, wander, mask"),
    ],
)
def test_an_augmentation_that_does_not_fit_the_features(study, name, fitting):
    message = rf"study {study}: training\.augmentation\.{name}: expected an augmentation that fits "
    with pytest.raises(HeldoutError, match=f"{message}the features {fitting}"):
        of_study(study, training={"augmentation": {name: 0.1}})
    # So may another effort switch off what does not fit its features.
    assert of_study(study, training={"augmentation": {name: 0}})


def test_every_fault_is_told_in_one_error():
    with pytest.raises(HeldoutError) as caught:
        resolve(settings(sede=1, efort="demo", threads=0, effort="fast"))
    message = str(caught.value)
    assert message.startswith("the configuration:\n")
    for word in (
        "'sede'",
        "'efort'",
        "threads: expected a whole number",
        "effort: expected one of",
    ):
        assert word in message
    assert message.count("\n  - ") == 4


def test_every_fault_of_a_study_is_told_in_one_error():
    with pytest.raises(HeldoutError) as caught:
        of_study(training={"epoch": 1, "early_stopping": -1}, question=3)
    message = str(caught.value)
    assert "config/studies/voices.yaml, or settings.voices" in message
    for word in ("'epoch'", "early_stopping: expected a whole", "question: expected text"):
        assert word in message


def test_a_study_that_is_not_a_mapping(tmp_path):
    root = tmp_path / "root"
    (root / "config" / "studies").mkdir(parents=True)
    (root / "workflow").mkdir()
    (root / "workflow" / "schemas").symlink_to(ROOT / "workflow" / "schemas")
    shutil.copy(ROOT / "config" / "config.yaml", root / "config")
    (root / "config" / "studies" / "mine.yaml").write_text("- a list\n")
    with pytest.raises(HeldoutError, match=r"mine\.yaml: expected a mapping of keys, got list"):
        resolve(settings(studies=["mine"]), root=root)
    (root / "config" / "studies" / "mine.yaml").write_text("title: [\n")
    with pytest.raises(HeldoutError, match=r"mine\.yaml: expected a YAML file, got"):
        resolve(settings(studies=["mine"]), root=root)


def test_yaml_runs_nothing(tmp_path):
    (tmp_path / "a.yaml").write_text("!!python/object/apply:os.system ['true']\n")
    with pytest.raises(HeldoutError, match="expected a YAML file"):
        read_yaml(tmp_path / "a.yaml")
    with pytest.raises(HeldoutError, match=r"missing\.yaml: expected a YAML file"):
        read_yaml(tmp_path / "missing.yaml")


def test_merge_joins_mappings_and_replaces_the_rest():
    base = {"a": {"b": 1, "c": [1, 2]}, "d": 4}
    joined = merge(base, {"a": {"c": [3]}, "d": {"e": 5}})
    assert joined == {"a": {"b": 1, "c": [3]}, "d": {"e": 5}}
    joined["a"]["c"].append(4)
    assert base == {"a": {"b": 1, "c": [1, 2]}, "d": 4}


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ({}, "simulated"),
        ({"source": "download"}, "download"),
        ({"mirror": "/data"}, "mirror"),
        ({"mirror": "/data", "sources": {"mitdb": "simulated"}}, "simulated"),
        ({"source": "download", "sources": {"mitdb": "mirror"}, "mirror": "/d"}, "mirror"),
        ({"sources": {"ephnogram": "download"}}, "simulated"),
    ],
)
def test_where_a_dataset_comes_from(over, expected):
    assert source_of("mitdb", settings(**over)) == expected


def test_trainings_that_cannot_be_are_refused_before_anything_runs() -> None:
    training = {"keep": "average", "early_stopping": 3}
    with pytest.raises(
        HeldoutError, match=r"study voices: lstm: training\.keep: .* beside `average`"
    ):
        of_study(training=training)


def test_one_baseline_may_be_typed_as_a_word():
    assert resolve(settings(baselines="logistic"))["baselines"] == ["logistic"]
    assert resolve(settings(baselines="majority,logistic"))["baselines"] == ["majority", "logistic"]


@pytest.mark.parametrize(("study", "name"), [("arrhythmia", "1O2"), ("voices", "James.OO1")])
def test_a_recording_that_the_publisher_has_not_cannot_be_excluded(study, name):
    over = {study: {"recordings": {"exclude": [name]}}}
    asked = settings(studies=[study], settings=over)
    assert resolve(asked)["studies"][study]["recordings"]["exclude"] == [name]  # simulated
    message = rf"study {study}, recordings.exclude: expected recordings of \w+, got '{name}'\. Did"
    with pytest.raises(HeldoutError, match=message):
        resolve(asked | {"source": "download"})
