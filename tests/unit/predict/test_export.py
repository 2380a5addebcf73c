"""A model to hand on: both formats agree, and the card says what it must."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lib.cli import main
from lib.errors import HeldoutError
from lib.files import read_json, write_json, write_table
from lib.networks.registry import ARCHITECTURES
from lib.predict.card import model_card
from lib.predict.export import disagreement, export, manifest_of
from lib.predict.predictor import Predictor
from tests.unit.predict.test_predictor import CLASSES, RHYTHM, WINDOWS, ecg, make_run, tone

SMALL = {
    "cnn": {"filters": [4], "kernels": [3], "dense": [5]},
    "cnn_lstm": {"filters": [4], "kernels": [3], "units": [5]},
}
MORE = {
    "dataset": "folder-tones",
    "protocol": "grouped",
    "trial": "cnn-1",
    "seed": 0,
    "fold": 0,
    "metrics": {
        "train": {"examples": 30},
        "validation": {"loss": 0.5},
        "test": {"examples": 12, "macro_f1": 0.75, "accuracy": 0.8},
    },
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("files")
    return [tone(folder / f"{f}.wav", f) for f in (20, 160)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, keras: Any, files: list[Path]) -> Path:
    folder = make_run(tmp_path_factory.mktemp("run") / "run", keras, files, WINDOWS)
    write_json(folder / "run.json", {**read_json(folder / "run.json"), **MORE})
    return folder


@pytest.fixture(scope="module")
def exported(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(run, tmp_path_factory.mktemp("out") / "model", manifest={"licence": "CC0"})


def test_everything_is_in_the_folder(exported: Path) -> None:
    assert sorted(path.name for path in exported.iterdir()) == [
        *("README.md", "inputs.json", "labels.txt", "model.keras", "run.json", "saved_model")
    ]
    assert (exported / "labels.txt").read_text().split() == CLASSES
    assert read_json(exported / "inputs.json")["features"] == WINDOWS
    assert [path.name for path in exported.parent.iterdir()] == ["model"]


@pytest.mark.parametrize(
    "architecture",
    [
        name if name == "cnn" else pytest.param(name, marks=pytest.mark.slow)
        for name in ARCHITECTURES
    ],
)
def test_onnx_agrees(
    run: Path, keras: Any, tmp_path: Path, architecture: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tf2onnx")
    pytest.importorskip("onnxruntime")
    from lib.networks.models import build

    shutil.copytree(run, tmp_path / "run")
    keras.utils.set_random_seed(4)
    model = build(
        architecture,
        SMALL.get(architecture, {"units": [6], "bidirectional": architecture == "gru"}),
        shape=(500, 1),
        classes=2,
        # The second moment of a channel that never changes is 0.
        mean=np.array([0.2]),
        variance=np.array([0.04 if architecture != "lstm" else 0.0]),
    )
    model.save(tmp_path / "run" / "model.keras")
    command = ["export", str(tmp_path / "run"), "--format", "onnx", "--output"]
    assert main([*command, str(tmp_path / "model")]) == 0
    assert not (tmp_path / "model" / "saved_model").exists()
    assert "`model.onnx` (ONNX, input `examples`)" in (tmp_path / "model/README.md").read_text()

    # Another number of examples than when it was tested, and far from where it was.
    import onnxruntime

    session = onnxruntime.InferenceSession(str(tmp_path / "model" / "model.onnx"))
    x = np.random.default_rng(1).normal(0.2, 0.5, size=(5, 500, 1)).astype(np.float32)
    (found,) = session.run(None, {"examples": x})
    np.testing.assert_allclose(found, model.predict(x, verbose=0), atol=1e-5)


@pytest.mark.parametrize("form", ["saved_model", "onnx"])
def test_a_network_with_a_context_has_two_inputs(keras: Any, tmp_path: Path, form: str) -> None:
    if form == "onnx":
        pytest.importorskip("tf2onnx")
        pytest.importorskip("onnxruntime")
    ecg(tmp_path / "new", early=(4, 9))
    run = make_run(tmp_path / "run", keras, [tmp_path / "new.hea"], RHYTHM, given=["age"])
    write_json(run / "run.json", {**read_json(run / "run.json"), **MORE})
    out = export(run, tmp_path / "model", form=form)
    inputs = read_json(out / "inputs.json")
    assert disagreement(out, inputs) < 1e-5
    card = (out / "README.md").read_text()
    assert "It takes two inputs by name" in card
    assert [f"- {name}: " in card for name in inputs["context"]["names"]] == [True] * 9
    assert "- age: 0 to 0 (told with `--context`)\n" in card
    assert "python -m lib predict FOLDER FILE --context age=NUMBER\n" in card
    assert card.count("told with") == 1
    networks = [Predictor(folder, context={"age": 0}) for folder in (out, run)]
    one, two = (network.predict([tmp_path / "new.hea"])[0] for network in networks)
    np.testing.assert_array_equal(one.probabilities, two.probabilities)
    if form == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(str(out / "model.onnx"))
        shapes = {one.name: one.shape[1:] for one in session.get_inputs()}
        assert shapes == {"examples": [80, 2], "context": [9]}
    # Another context is another prediction, in both formats: it is not lost on the way.
    model = keras.models.load_model(out / "model.keras")
    weights = model.get_weights()
    weights[-2][-9:, 0] += 1
    model.set_weights(weights)
    model.save(out / "model.keras")
    assert disagreement(out, inputs) > 0.01


def test_formats_that_cannot_be_written(run: Path, tmp_path: Path, monkeypatch: Any) -> None:
    with pytest.raises(HeldoutError, match=r"format 'tflite': expected one of saved_model, onnx"):
        export(run, tmp_path / "model", form="tflite")
    monkeypatch.setattr("lib.predict.export.find_spec", lambda name: None)
    with pytest.raises(HeldoutError, match=r"got no tf2onnx and no onnxruntime\. Install"):
        export(run, tmp_path / "model", form="onnx")
    assert list(tmp_path.iterdir()) == []


def test_both_formats_agree(exported: Path) -> None:
    assert disagreement(exported, read_json(exported / "inputs.json")) < 1e-5


def test_formats_that_do_not_agree_are_not_handed_on(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.predict.export.AGREEMENT", -1.0)
    with pytest.raises(HeldoutError, match=r"expected saved_model to give the probabilities"):
        export(run, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_difference_is_seen(exported: Path, keras: Any, tmp_path: Path) -> None:
    other = shutil.copytree(exported, tmp_path / "other")
    model = keras.models.load_model(other / "model.keras")
    weights = model.get_weights()
    weights[-1] = weights[-1] + np.array([0.5, -0.5], np.float32)
    model.set_weights(weights)
    model.save(other / "model.keras")
    assert disagreement(other, read_json(other / "inputs.json")) > 0.01


def test_it_predicts_as_the_run_does(exported: Path, run: Path, files: list[Path]) -> None:
    one, two = (Predictor(folder).predict(files)[0] for folder in (exported, run))
    np.testing.assert_array_equal(one.probabilities, two.probabilities)


def test_nothing_is_overwritten(run: Path, exported: Path) -> None:
    with pytest.raises(HeldoutError, match="expected nothing there, since no model is overwritten"):
        export(run, exported)


def test_the_card(exported: Path) -> None:
    card = (exported / "README.md").read_text()
    assert "Trained on simulated recordings: of no use on real ones" in card
    assert "macro-F1 0.750, accuracy 0.800" in card
    assert "Of the recordings: CC0" in card
    assert "of the test part was in another part" in card


BOARD = {
    "study": "tones",
    "protocol": "grouped",
    "honest": True,
    "architecture": "cnn",
    "kind": "network",
    "unit": "example",
    "metric": "macro_f1",
    "estimate": 0.7,
    "low": 0.6,
    "high": 0.8,
    "groups": 9,
}


def test_the_card_of_a_leaky_run(exported: Path) -> None:
    record = {**read_json(exported / "run.json"), "honest": False, "simulated": False}
    rows = [BOARD, BOARD | {"metric": "mse", "estimate": 0.1, "low": np.nan, "high": np.nan}]
    card = model_card(record, board=pd.DataFrame(rows), manifest={})
    assert "**Not honest" in card
    assert "simulated" not in card
    assert "| macro_f1 | 0.700 | 0.600 to 0.800 (9 groups) |" in card
    assert "| mse | 0.100 | – |" in card
    assert "Of the recordings: not known" in card
    assert "Intervals are not known here" in model_card(record, board=pd.DataFrame(), manifest={})


def test_the_card_says_that_a_run_has_no_macro_f1(exported: Path) -> None:
    record = read_json(exported / "run.json")
    record["metrics"]["test"]["macro_f1"] = None
    card = model_card(record, board=pd.DataFrame(), manifest={})
    assert "macro-F1 not defined (examples of one scored class), accuracy 0.800" in card


def test_the_card_says_what_to_hold_the_numbers_against(exported: Path) -> None:
    rows = [
        BOARD,
        BOARD | {"architecture": "logistic", "kind": "baseline", "estimate": 0.66},
        BOARD | {"protocol": "random", "honest": False, "estimate": 0.97},
        BOARD | {"protocol": "random", "honest": False, "architecture": "gru", "estimate": 0.98},
    ]
    manifest = {
        "title": "Tones",
        "version": "2 of 3 recordings",
        "source": "folder",
        "landing_page": "https://example.org",
        "cautions": ["No groups are known."],
        "licence": "CC0",
    }
    card = model_card(read_json(exported / "run.json"), board=pd.DataFrame(rows), manifest=manifest)
    assert "Tones 2 of 3 recordings (https://example.org), folder: 30 training examples" in card
    assert "- class high: labelled V, E" in card
    assert "| logistic | 0.660 | 0.600 to 0.800 (9 groups) |" in card
    assert "| random | 0.970 |" in card
    assert "0.980" not in card
    assert "- No groups are known." in card


def test_the_command(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kappa = BOARD | {"metric": "kappa", "estimate": 0.5, "low": 0.25, "high": 0.75}
    rows = [kappa, kappa | {"architecture": "gru", "metric": "mcc"}, kappa | {"study": "other"}]
    write_table(tmp_path / "results" / "tables" / "leaderboard.csv", pd.DataFrame(rows))
    write_json(tmp_path / "data" / "folder-tones.json", {"licence": "mine", "citation": ["Me"]})
    out = tmp_path / "model"
    command = ["export", str(run), "--output", str(out), "--results", str(tmp_path / "results")]
    assert main([*command, "--data", str(tmp_path / "data")]) == 0
    assert str(out) in capsys.readouterr().out
    card = (out / "README.md").read_text()
    assert "| kappa | 0.500 | 0.250 to 0.750 (9 groups) |" in card
    assert card.count("| kappa |") == 1
    assert "mcc" not in card
    assert "- Me" in card
    assert manifest_of({"dataset": "none"}, tmp_path) == {}
