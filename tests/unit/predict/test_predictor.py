"""Files predicted with a run: as in training, with times, warnings and annotations."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from lib.cli import main
from lib.datasets.files import read_file, read_file_header
from lib.errors import HeldoutError
from lib.examples.context import context_columns
from lib.features import extract, make
from lib.files import read_json, write_json
from lib.predict.inputs import describe_inputs, differences
from lib.predict.predictor import Predictor, file_table, find_run, window_table
from lib.predict.rpeaks import find_beats, write_annotations
from tests.support.runs import compare_runs, make_runs

CLASSES = ["low", "high"]
WINDOWS = {"kind": "windows", "channels": ["audio"], "rate": 1000, "samples": 500, "stride": 250}
BEATS = {"kind": "beats", "lead": "II", "rate": 100, "samples": 80, "before": 0.3}
RHYTHM: dict[str, Any] = BEATS | {
    "baseline": True,
    "scale": "record",
    "median_beat": True,
    "rhythm": True,
}


def tone(path: Path, frequency: float, *, rate: int = 1000, duration: float = 1.0) -> Path:
    time = np.arange(round(rate * duration)) / rate
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * frequency * time), rate, subtype="FLOAT")
    return path


def ecg(
    path: Path,
    *,
    rate: int = 250,
    duration: float = 20.0,
    lead: str = "II",
    early: Sequence[int] = (),
) -> np.ndarray:
    """Write a record with a spike a second as its R peaks, some early; return their places."""
    import wfdb

    peaks = np.arange(rate, round(rate * (duration - 1)), rate)
    peaks[list(early)] -= round(0.4 * rate)
    samples = 0.01 * np.random.default_rng(0).normal(size=round(rate * duration))
    width = np.arange(-8, 9)
    for peak in peaks:
        samples[peak + width] += np.exp(-((width / 3) ** 2))
    wfdb.wrsamp(
        path.name,
        fs=rate,
        units=["mV"],
        sig_name=[lead],
        p_signal=samples[:, None],
        fmt=["16"],
        write_dir=str(path.parent),
    )
    return peaks


def make_run(
    folder: Path,
    keras: Any,
    files: list[Path],
    features: dict[str, Any],
    *,
    loss: float = 0.5,
    given: Sequence[str] = (),
) -> Path:
    """Leave a run whose network has random weights, with inputs described from some files.

    Each of them is told its number under each of the names that are given.
    """
    from lib.networks.models import build

    signals = [read_file(file) for file in files]
    settings = {key: value for key, value in features.items() if key != "kind"}
    blocks, contexts = [], []
    for signal in signals:
        if features["kind"] == "beats":
            signal = find_beats(signal, lead=features["lead"])
        one = extract(signal, kind=features["kind"], **settings)
        blocks.append(one.x)
        contexts.append(one.context)
    x, context = np.concatenate(blocks), np.concatenate(contexts)
    of = np.repeat(np.arange(len(files)), [len(block) for block in blocks])
    context = np.hstack([context, np.tile(of[:, None], len(given)).astype(np.float32)])
    examples = pd.DataFrame(
        {
            "rate": [signals[i].rate for i in of],
            "duration": [signals[i].duration for i in of],
            "channels": 1,
            "level": -9.0,
            "unit": "full scale",
        }
    )
    columns = context_columns([*make(**features).context, *given])
    examples[columns] = context
    told = (context.mean(axis=0), context.var(axis=0)) if columns else None
    keras.utils.set_random_seed(3)
    values = {"filters": [4], "kernels": [3], "dense": []}
    model = build("cnn", values, shape=x.shape[1:], classes=2, context=told)
    folder.mkdir(parents=True)
    model.save(folder / "model.keras")
    labels = {"low": ["N"], "high": ["V", "E"]}
    rows = np.arange(len(x))
    record = {
        "study": "tones",
        "simulated": True,
        "honest": True,
        "kind": "network",
        "architecture": "cnn",
        "backend": "tensorflow",
        "classes": CLASSES,
        "metrics": {"validation": {"loss": loss}},
        "inputs": describe_inputs(x, examples, rows, features=features, labels=labels),
    }
    write_json(folder / "run.json", record)
    return folder


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("files")
    return [tone(folder / f"{f}.wav", f) for f in (20, 40, 80, 160)]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, keras: Any, files: list[Path]) -> Path:
    results = tmp_path_factory.mktemp("results")
    for seed, loss in ((0, 0.7), (1, 0.4), (2, 0.6)):
        folder = results / "tones" / "grouped" / "cnn" / f"seed-{seed}" / "fold-0"
        make_run(folder, keras, files, WINDOWS, loss=loss)
    # Better, and not honest: not to be taken.
    leaky = make_run(
        results / "tones" / "random" / "cnn" / "seed-0" / "fold-0", keras, files, WINDOWS, loss=0.1
    )
    write_json(leaky / "run.json", {**read_json(leaky / "run.json"), "honest": False})
    return results


def run_of(study: Path) -> Path:
    return study / "tones" / "grouped" / "cnn" / "seed-1" / "fold-0"


def test_a_study_without_a_verdict_stands_for_its_best_honest_run(study: Path) -> None:
    assert find_run("tones", results=study) == run_of(study)
    assert find_run(study / "tones") == run_of(study)
    other = study / "tones" / "random" / "cnn" / "seed-0" / "fold-0"
    assert find_run(other) == other


def test_a_study_goes_before_the_folder_that_it_is_named_after(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tones").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_run("tones", results=study) == run_of(study)


def test_a_run_of_other_settings_is_not_taken(study: Path) -> None:
    tables = study / "tables"
    tables.mkdir()
    known = "study,protocol,architecture,seed,fold\nother,grouped,cnn,0,0\n"
    try:
        (tables / "runs.csv").write_text(known)
        assert find_run("tones", results=study) == run_of(study)
        # The best one is left from before the last comparison.
        (tables / "runs.csv").write_text(known + "tones,grouped,cnn,0,0\ntones,grouped,cnn,2,0\n")
        assert find_run("tones", results=study).parent.name == "seed-2"
    finally:
        shutil.rmtree(tables)


def test_a_study_stands_for_the_network_that_its_page_names(tmp_path: Path) -> None:
    """Another architecture has the best single run; the verdict is about the mean of all runs."""
    made = make_runs(tmp_path)
    results, name = made["results"], made["studies"][0]["study"]
    runs = {file.parent: read_json(file) for file in (results / name).glob("*/*/*/*/run.json")}
    for folder, record in runs.items():
        if record["kind"] == "network":
            (folder / "model.keras").touch()
            single = (record["protocol"], record["architecture"], record["seed"])
            scores = {"cnn": 0.8, "gru": 0.5, "lstm": 0.1}
            score = scores[record["architecture"]] if single != ("grouped", "lstm", 1) else 0.99
            record["metrics"]["validation"] |= {"macro_f1": score, "loss": 1 - score}
            if record["architecture"] == "cnn" and record["seed"] == 1:
                record["metrics"]["validation"]["loss"] = 0.15  # the better of the two
            write_json(folder / "run.json", record)
    compare_runs(made)
    answer = pd.read_csv(made["tables"] / "answers.csv").set_index("study").loc[name]
    assert answer["architecture"] == "cnn"
    expected = results / name / answer["protocol"] / "cnn" / "seed-1" / "fold-0"
    assert find_run(name, results=results) == expected
    # Without the verdict it would be another one.
    shutil.rmtree(made["tables"])
    assert find_run(name, results=results).parents[1].name == "lstm"


def test_a_run_that_is_not_there(study: Path) -> None:
    with pytest.raises(HeldoutError, match=r"nothing: expected the folder of a run"):
        find_run("nothing", results=study)


def test_predictions_are_those_of_the_network_on_the_features(
    study: Path, keras: Any, files: list[Path]
) -> None:
    found = Predictor(run_of(study), threads=3).predict(files)
    model = keras.models.load_model(run_of(study) / "model.keras")
    settings = {key: value for key, value in WINDOWS.items() if key != "kind"}
    for file, item in zip(files, found, strict=True):
        x = extract(read_file(file), kind="windows", **settings).x
        np.testing.assert_allclose(item.probabilities, model.predict(x, verbose=0), atol=1e-5)
        np.testing.assert_allclose(item.start, [0, 0.25, 0.5])
        np.testing.assert_allclose(item.end, [0.5, 0.75, 1.0])
        assert item.path == str(file)
        assert item.warnings == []


def test_tables(study: Path, files: list[Path]) -> None:
    found = Predictor(run_of(study)).predict(files)
    whole, windows = file_table(found, CLASSES), window_table(found, CLASSES)
    assert whole["file"].tolist() == [str(file) for file in files]
    assert whole["examples"].tolist() == [3] * 4
    means = windows.groupby("file", sort=False)[CLASSES].mean()
    np.testing.assert_allclose(whole[CLASSES], means, atol=1e-6)
    best = np.array(CLASSES)[windows[CLASSES].to_numpy().argmax(axis=1)]
    assert (windows["class"] == best).all()


def test_a_damaged_file_leaves_the_others_alone(
    study: Path, files: list[Path], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_bytes(files[0].read_bytes()[:100])
    for reader in (read_file, read_file_header):
        # Nothing fetches a person's own file anew: to delete it would be bad advice.
        with pytest.raises(HeldoutError, match=r"truncated\. Replace the file by a whole one") as e:
            reader(bad)
        assert "elete" not in str(e.value)
        assert str(e.value).startswith(f"{bad}: expected ")
    found = Predictor(run_of(study)).predict([files[0], bad, files[1]])
    assert "truncated" in found[1].error
    assert [bool(item.error) for item in found] == [False, True, False]
    assert len(file_table(found, CLASSES)) == 2
    alone = Predictor(run_of(study)).predict([bad])
    assert "truncated" in alone[0].error
    assert window_table(alone, CLASSES).empty


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        ({"rate": 2000}, "sampling rate 2000 Hz; training recordings had 1000 Hz"),
        ({"duration": 3.0}, "duration 3.00 s; training recordings had 1.00 to 1.00 s"),
        ({"gain": 0.1}, "level -29 dB of full scale; training recordings had -9 to -9 dB"),
        ({"offset": 0.5}, "features out of range in 3 of 3 examples, most in channel 0"),
    ],
)
def test_differences_are_told(
    study: Path, tmp_path: Path, change: dict[str, float], warning: str
) -> None:
    gain, offset = change.pop("gain", 1.0), change.pop("offset", 0.0)
    file = tone(tmp_path / "x.wav", 40, **change)  # type: ignore[arg-type]
    samples, rate = soundfile.read(file)
    soundfile.write(file, samples * gain + offset, rate, subtype="FLOAT")
    (item,) = Predictor(run_of(study)).predict([file])
    assert any(warning in text for text in item.warnings), item.warnings


def test_a_run_without_inputs_or_network(study: Path, tmp_path: Path) -> None:
    record = read_json(run_of(study) / "run.json")
    write_json(tmp_path / "run.json", {**record, "kind": "baseline"})
    with pytest.raises(HeldoutError, match=r"expected the run of a network.*got baseline cnn"):
        Predictor(tmp_path)
    (tmp_path / "model.keras").touch()
    write_json(tmp_path / "run.json", {k: v for k, v in record.items() if k != "inputs"})
    with pytest.raises(HeldoutError, match=r"expected `inputs`.*Run the workflow again"):
        Predictor(tmp_path)


def test_a_lead_belongs_to_beats(study: Path) -> None:
    with pytest.raises(HeldoutError, match="expected a network of beats, got one of windows"):
        Predictor(run_of(study), lead="II")


@pytest.fixture(scope="module")
def beats(tmp_path_factory: pytest.TempPathFactory, keras: Any) -> Path:
    folder = tmp_path_factory.mktemp("beats")
    ecg(folder / "train")
    return make_run(folder / "run", keras, [folder / "train.hea"], BEATS)


def test_a_record_without_annotations_gets_them_when_asked(
    beats: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import wfdb

    peaks = ecg(tmp_path / "new")
    out = tmp_path / "out"
    command = ["predict", str(beats), str(tmp_path / "new"), "--windows", "--csv"]
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    assert main(command) == 0
    assert set(tmp_path.iterdir()) == before, "nothing is written unasked"
    capsys.readouterr()
    assert main([*command, "--annotations", str(out)]) == 0
    annotation = wfdb.rdann(str(out / "new"), "atr")
    assert annotation.sample.tolist() == peaks.tolist()
    assert annotation.fs == 250
    table = capsys.readouterr().out.splitlines()
    named = [line.split(",")[3] for line in table[1:]]
    assert annotation.aux_note == named
    assert annotation.symbol == [{"low": "N", "high": "V"}[name] for name in named]
    # A second time the file is there: what may be a person's work is not overwritten.
    assert main([*command, "--annotations", str(out)]) == 1
    assert "annotations are not overwritten" in capsys.readouterr().err


def test_another_lead(beats: Path, tmp_path: Path) -> None:
    ecg(tmp_path / "v", lead="V1")
    (item,) = Predictor(beats).predict([tmp_path / "v.hea"])
    assert "expected the lead II, got V1. Name another lead (--lead)." in item.error
    (item,) = Predictor(beats, lead="V1").predict([tmp_path / "v.hea"])
    assert not item.error
    assert len(item.positions) == 18


@pytest.fixture(scope="module")
def rhythmic(tmp_path_factory: pytest.TempPathFactory, keras: Any) -> Path:
    folder = tmp_path_factory.mktemp("rhythm")
    ecg(folder / "train", early=(4, 9))
    return make_run(folder / "run", keras, [folder / "train.hea"], RHYTHM)


def test_the_context_of_a_file_is_made_as_in_training(
    rhythmic: Path, keras: Any, tmp_path: Path
) -> None:
    ecg(tmp_path / "new", early=(6,))
    (item,) = Predictor(rhythmic).predict([tmp_path / "new.hea"])
    assert not any("out of range" in text for text in item.warnings)
    signal = find_beats(read_file(tmp_path / "new.hea"), lead="II")
    features = extract(signal, **RHYTHM)
    model = keras.models.load_model(rhythmic / "model.keras")
    inputs = {"examples": features.x, "context": features.context}
    expected = model.predict(inputs, verbose=0)
    np.testing.assert_allclose(item.probabilities, expected, atol=1e-5)
    others = model.predict(inputs | {"context": features.context[::-1]}, verbose=0)
    assert np.abs(expected - others).max() > 1e-3


def test_a_rhythm_that_no_training_record_had_is_told(rhythmic: Path, tmp_path: Path) -> None:
    ecg(tmp_path / "new")
    signal = read_file(tmp_path / "new.hea")
    positions = np.array([250, 500, 510, 3000])
    strange = replace(signal, positions=positions, symbols=np.full(4, "N"))
    inputs = read_json(rhythmic / "run.json")["inputs"]
    told = differences(strange, extract(strange, **RHYTHM), inputs)
    assert any("context out of range in 3 of 4 examples, most in rr_" in t for t in told), told


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory, keras: Any, files: list[Path]) -> Path:
    folder = tmp_path_factory.mktemp("aged")
    return make_run(folder / "run", keras, files, WINDOWS, given=["age", "body mass"])


def test_what_is_told_of_a_file_is_its_context(aged: Path, keras: Any, files: list[Path]) -> None:
    told = {"body mass": 1.0, "age": 2.0}
    one, two = Predictor(aged, context=told).predict(files[:2])
    assert not one.warnings
    model = keras.models.load_model(aged / "model.keras")
    x = extract(read_file(files[1]), **WINDOWS).x
    context = np.tile(np.float32([2, 1]), (len(x), 1))
    expected = model.predict({"examples": x, "context": context}, verbose=0)
    np.testing.assert_allclose(two.probabilities, expected, atol=1e-5)
    older = Predictor(aged, context=told | {"age": 5.0}).predict(files[:2])[1]
    assert np.abs(older.probabilities - expected).max() > 1e-3
    assert older.warnings == [
        "context out of range in 3 of 3 examples, most in age: 5 to 5; training examples had 0 to 3"
    ]


def test_what_is_told_follows_the_context_of_the_features(tmp_path: Path, keras: Any) -> None:
    ecg(tmp_path / "one", early=(4, 9))
    run = make_run(tmp_path / "run", keras, [tmp_path / "one.hea"], RHYTHM, given=["age"])
    (item,) = Predictor(run, context={"age": 0}).predict([tmp_path / "one.hea"])
    assert not item.error and not any("context" in text for text in item.warnings)
    with pytest.raises(HeldoutError, match="context: expected one of age, got rr_before"):
        Predictor(run, context={"rr_before": 0})


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (
            {"age": 3},
            r"context: expected a number for age \(0 to 3 in training\), body mass \(0 to 3 in .*, "
            r"got none for body mass\. Add --context 'body mass=NUMBER'\.",
        ),
        ({"age": 3, "bodymass": 1}, "got bodymass. Did you mean 'body mass'"),
        ({"age": np.nan, "body mass": 1}, "context age: expected a finite number, got nan"),
        ({"age": 1e39, "body mass": 1}, r"context age: expected a finite number, got 1e\+39"),
    ],
)
def test_what_has_to_be_told_of_a_file(aged: Path, told: dict[str, float], message: str) -> None:
    with pytest.raises(HeldoutError, match=message):
        Predictor(aged, context=told)


def test_a_network_that_is_told_nothing(study: Path) -> None:
    with pytest.raises(HeldoutError, match="context: expected none: the network takes none, got a"):
        Predictor(run_of(study), context={"age": 3})


def test_telling_by_command(
    aged: Path, files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["predict", str(aged), str(files[0]), "--json", "--context", "age=2"]
    assert main([*command, "--context", "body mass=1e0"]) == 0
    (item,) = json.loads(capsys.readouterr().out)["files"]
    (expected,) = Predictor(aged, context={"age": 2, "body mass": 1}).predict(files[:1])
    assert list(item["probabilities"].values()) == pytest.approx(expected.mean.tolist(), abs=1e-6)
    assert main(command) != 0
    assert "Add --context 'body mass=NUMBER'." in capsys.readouterr().err
    assert main([*command, "--context", "body mass"]) != 0
    assert (
        "--context: expected NAME=NUMBER, such as age=63, got body mass" in capsys.readouterr().err
    )


def test_json(study: Path, files: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(file) for file in files[:2]]
    status = main(["predict", "tones", *paths, "nowhere.wav", "--results", str(study), "--json"])
    assert status == 1
    found = json.loads(capsys.readouterr().out)
    assert found["run"] == run_of(study).as_posix()
    assert found["simulated"] is True
    first, _, lost = found["files"]
    assert "expected a file" in lost["error"]
    assert sum(first["probabilities"].values()) == pytest.approx(1)
    assert [(w["start"], w["end"]) for w in first["windows"]] == [(0, 0.5), (0.25, 0.75), (0.5, 1)]


def test_a_table_for_people(
    study: Path, files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(run_of(study)), str(files[0])]) == 0
    out = capsys.readouterr().out
    assert "by " in out
    assert "trained on simulated recordings" in out
    assert main(["predict", "no_study", str(files[0])]) == 1
    assert "heldout: no_study: expected the folder of a run" in capsys.readouterr().err


def test_matlab_variables(tmp_path: Path) -> None:
    from scipy.io import savemat

    x = np.arange(40.0).reshape(20, 2)
    savemat(tmp_path / "a.mat", {"val": x.T, "fs": 50.0, "other": np.array(["text"])})
    signal = read_file(tmp_path / "a.mat", variable="val")
    np.testing.assert_array_equal(signal.samples, x)
    assert (signal.rate, signal.channels) == (50.0, ("val1", "val2"))
    assert read_file(tmp_path / "a.mat", variable="val", rate=10).rate == 10
    with pytest.raises(HeldoutError, match=r"expected the name of the variable.*it holds val"):
        read_file(tmp_path / "a.mat")
    with pytest.raises(HeldoutError, match="expected the variable ecg, got val, fs, other"):
        read_file(tmp_path / "a.mat", variable="ecg")
    with pytest.raises(HeldoutError, match="expected the variable hz, a sampling rate from"):
        read_file(tmp_path / "a.mat", variable="val", rate="hz")
    with pytest.raises(HeldoutError, match="expected other as an array of numbers, got char"):
        read_file(tmp_path / "a.mat", variable="other", rate=1)


def test_a_file_of_no_known_format(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(HeldoutError, match=r"a\.txt: expected a recording .*got \.txt"):
        read_file(tmp_path / "a.txt")


def test_beats_that_cannot_be_found(tmp_path: Path) -> None:
    from lib.datasets.signal import Signal

    flat = Signal(np.zeros((2500, 1), np.float32), 250.0, ("II",))
    with pytest.raises(HeldoutError, match="expected beats in the lead II, got none"):
        find_beats(flat, lead="II")
    short = Signal(np.zeros((250, 1), np.float32), 250.0, ("II",))
    with pytest.raises(HeldoutError, match="expected 2 s of ECG at least"):
        find_beats(short, lead="II")


def test_annotations_of_classes_that_are_no_codes(tmp_path: Path) -> None:
    import wfdb

    path = write_annotations(
        tmp_path / "a.atr",
        np.array([5, 9]),
        ["other", "strange"],
        rate=100,
        labels={"other": ["L"], "strange": ["so"]},
    )
    annotation = wfdb.rdann(str(path.with_suffix("")), "atr")
    assert annotation.symbol == ["L", "Q"]
    assert annotation.aux_note == ["other", "strange"]
