"""A model to hand on: both formats agree, and the card says what it must."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lib.cli import main
from lib.errors import HeldoutError
from lib.export import disagreement, export, manifest_of, model_card
from lib.files import read_json, write_json, write_table
from lib.predict import Predictor
from tests.unit.test_predict import CLASSES, WINDOWS, make_run, tone

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


def test_both_formats_agree(exported: Path) -> None:
    assert disagreement(exported, read_json(exported / "inputs.json")) < 1e-5


def test_formats_that_do_not_agree_are_not_handed_on(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.export.AGREEMENT", -1.0)
    with pytest.raises(HeldoutError, match=r"expected the SavedModel to give the probabilities"):
        export(run, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_difference_is_seen(exported: Path, keras: Any, tmp_path: Path) -> None:
    import shutil

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


def test_the_card_of_a_leaky_run(exported: Path) -> None:
    record = {**read_json(exported / "run.json"), "honest": False, "simulated": False}
    board = pd.DataFrame({"metric": ["macro_f1", "mse"], "estimate": [0.7, 0.1]})
    board = board.assign(low=[0.6, np.nan], high=[0.8, np.nan])
    card = model_card(record, board=board, manifest={})
    assert "**Not honest" in card
    assert "simulated" not in card
    assert "| macro_f1 | 0.700 | 0.600 to 0.800 |" in card
    assert "| mse | 0.100 | – |" in card
    assert "Of the recordings: not known" in card


def test_the_command(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    board = {"study": "tones", "protocol": "grouped", "architecture": "cnn", "unit": "example"}
    board |= {"metric": "kappa", "estimate": 0.5, "low": 0.25, "high": 0.75}
    rows = [board, {**board, "architecture": "gru", "metric": "mcc"}]
    write_table(tmp_path / "results" / "tables" / "leaderboard.csv", pd.DataFrame(rows))
    write_json(tmp_path / "data" / "folder-tones.json", {"licence": "mine", "citation": ["Me"]})
    out = tmp_path / "model"
    command = ["export", str(run), "--output", str(out), "--results", str(tmp_path / "results")]
    assert main([*command, "--data", str(tmp_path / "data")]) == 0
    assert str(out) in capsys.readouterr().out
    card = (out / "README.md").read_text()
    assert "| kappa | 0.500 | 0.250 to 0.750 |" in card
    assert "mcc" not in card
    assert "- Me" in card
    assert manifest_of({"dataset": "none"}, tmp_path) == {}
