"""Each `python -m lib` command of README and docs runs as it stands there, and says what it should.

The networks are untrained and the files are tones: what is tested is the command, not the answer.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from lib.cli import main
from lib.files import read_json, write_json
from lib.simulate.simulator import simulate
from tests.project.test_docs import LIBRARY
from tests.support.folders import own_folder, own_records
from tests.unit.predict.test_export import MORE
from tests.unit.predict.test_predictor import BEATS, WINDOWS, ecg, make_run, tone


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, keras: Any) -> Path:
    """Return a folder with all that the commands of the docs name."""
    folder = tmp_path_factory.mktemp("place")
    tone(folder / "some.wav", 40)
    samples, rate = soundfile.read(tone(folder / "other.wav", 80, rate=8000))
    soundfile.write(folder / "other.mp3", samples, rate)
    ecg(folder / "record")
    run = folder / "results" / "voices" / "grouped" / "cnn" / "seed-0" / "fold-0"
    make_run(run, keras, [folder / "some.wav"], WINDOWS)
    beats = folder / "results" / "arrhythmia" / "grouped" / "cnn" / "seed-0" / "fold-0"
    make_run(beats, keras, [folder / "record.hea"], BEATS)
    voices = folder / "resources" / "data" / "five_voices" / "audio"
    voices.mkdir(parents=True)
    for number, name in enumerate(("James", "Linda")):
        samples, rate = soundfile.read(tone(folder / "voice.wav", 40 + 40 * number))
        soundfile.write(voices / f"{name}.021.au", samples, rate)
    mine = folder / "results" / "folder" / "grouped" / "gru" / "seed-0" / "fold-0"
    make_run(mine, keras, sorted(voices.iterdir()), WINDOWS)
    for made, study in ((run, "voices"), (beats, "arrhythmia"), (mine, "folder")):
        write_json(made / "run.json", {**read_json(made / "run.json"), **MORE, "study": study})
    for number, file in enumerate(sorted(own_folder(folder / "my_recordings").rglob("*.*"))):
        file.rename(file.with_name(f"p{number % 4}_{file.name}"))
    own_records(folder / "my_ecg")
    hearts = folder / "resources" / "data" / "heartbeat_sounds"
    simulate("heartbeat_sounds", hearts, seed=1, scale=0.1)
    rows = ["path,part,label,group"]
    for number in range(8):
        part, label = ("train", "test")[number // 4], "ab"[number % 2]
        path = folder / "recordings" / part / label / f"p{number}_x.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = 0.1 * np.random.default_rng(number).normal(size=8000)
        soundfile.write(path, noise, 8000)
        rows.append(f"{path.relative_to(folder / 'recordings')},{part},{label},p{number}")
    (folder / "split.csv").write_text("\n".join(rows) + "\n")
    (folder / "config" / "studies").mkdir(parents=True)
    return folder


def is_json(place: Path, out: str) -> bool:
    return bool(json.loads(out))


RUN = "results/arrhythmia/grouped/cnn/seed-0/fold-0"
VOICES = "resources/data/five_voices/audio"
EXPECTED: dict[str, Callable[[Path, str], bool]] = {
    "predict voices some.wav other.mp3": lambda _, out: "other.mp3" in out,
    f"predict {RUN} record.hea --windows --csv": lambda _, out: out.startswith(
        "file,start,end,class,low,high\n"
    ),
    "predict arrhythmia record.hea --annotations beats --json": lambda place, out: (
        is_json(place, out) and (place / "beats" / "record.atr").is_file()
    ),
    "audit split.csv --audio-root recordings": lambda _, out: "no leak found" in out,
    "audit split.csv --audio-root recordings --html audit.html": lambda place, _: (
        "No leak was found." in (place / "audit.html").read_text()
    ),
    "audit recordings --group-pattern '(p[0-9]+)_' --json": is_json,
    "export voices --output exported/voices": lambda place, _: (
        place / "exported" / "voices" / "saved_model"
    ).is_dir(),
    "export voices --format onnx --output exported/voices_onnx": lambda place, _: (
        place / "exported" / "voices_onnx" / "model.onnx"
    ).is_file(),
    "new-study my_recordings --groups '(p[0-9]+)_' --name mine": lambda place, _: (
        "(p[0-9]+)_" in (place / "config" / "studies" / "mine.yaml").read_text()
    ),
    f"predict folder {VOICES}/James.021.au {VOICES}/Linda.021.au": lambda _, out: (
        "Linda.021.au" in out
    ),
    "new-study my_recordings --groups '([0-9]+)' --name two_voices": lambda place, out: (
        (place / "config" / "studies" / "two_voices.yaml").is_file() and "two_voices" in out
    ),
    "new-study my_ecg --beats codes --groups '(p[0-9]+)_' --name beats": lambda place, _: (
        "kind: beats" in (place / "config" / "studies" / "beats.yaml").read_text()
    ),
    "join ours=my_recordings heartbeat_sounds=resources/data/heartbeat_sounds --into both": (
        lambda place, _: ",heartbeat_sounds" in (place / "both" / "metadata.csv").read_text()
    ),
    "doctor": lambda _, out: "backend jax" in out,
}


@pytest.mark.parametrize("words", LIBRARY, ids=" ".join)
def test_a_command_of_the_docs_runs(
    words: list[str],
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(place)
    if "onnx" in words:
        pytest.importorskip("tf2onnx")
        pytest.importorskip("onnxruntime")
    status = main(words[3:])
    shown = capsys.readouterr()
    assert status == 0, shown.err
    assert EXPECTED[shlex.join(words[3:])](place, shown.out), shown.out


def test_a_folder_is_deployed_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "work"
    assert main(["deploy", str(folder)]) == 0
    assert {path.name for path in folder.iterdir()} == {"workflow", "config", "profiles", "slurm"}
    assert str(tmp_path) not in (folder / "workflow" / "Snakefile").read_text()
    assert main(["deploy", str(folder)]) == 1
    assert "nothing is overwritten" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main(["deploy", str(tmp_path / "file" / "below")]) == 1
    assert "Choose another folder." in capsys.readouterr().err
