"""The journal of a search, cut anywhere: the search goes on, and finds what it would have found."""

from __future__ import annotations

import errno
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib.search.bayes import Sweep, work
from lib.search.journal import open_study
from lib.train.data import Data
from lib.train.recipe import Recipe
from lib.train.training import Training

SPACE = {"units": [[8], [16]], "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}}
TRIALS, EPOCHS = 4, 3
ROWS = {"train": np.arange(4), "validation": np.arange(4, 6)}
DATA = Data(np.zeros((6, 3, 1), np.float32), np.array([0, 1] * 3), ROWS, ["a", "b"], ["a", "b"])
RECIPE = Recipe("lstm", {}, Training(epochs=EPOCHS))


def train(folder: Path, data: Data, recipe: Recipe, **options: Any) -> dict[str, Any]:
    rate, loss = recipe.hyperparameters["learning_rate"], 0.0
    for epoch in range(1, EPOCHS + 1):
        loss = abs(np.log10(rate) + 2) + 1 / epoch
        if options["stops"](epoch, loss) and epoch < EPOCHS:
            return {"state": "pruned", "metrics": {"validation": {"loss": loss}}}
    return {"state": "complete", "metrics": {"validation": {"loss": loss}}}


def search(
    folder: Path, *, stopping: str = "halving", worker: int = 0, how: Any = train
) -> list[tuple[Any, ...]]:
    sweep = Sweep(SPACE, TRIALS, seed=1, workers=2, stopping=stopping)
    journal = work(
        folder, DATA, RECIPE, sweep, worker=worker, identity={"study": "s"}, store=folder, train=how
    )
    study = open_study(folder, **journal)
    return [
        (t.number, t.state.name, t.params, t.value, t.intermediate_values, t.user_attrs["worker"])
        for t in study.get_trials()
    ]


def undisturbed(folder: Path, stopping: str) -> tuple[bytes, str, list[tuple[Any, ...]]]:
    """Search once; return the journal, its name, and the trials."""
    trials = search(folder, stopping=stopping)
    (journal,) = folder.glob("journal-*.log")
    return journal.read_bytes(), journal.name, trials


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str, list[tuple[Any, ...]]]:
    return undisturbed(tmp_path_factory.mktemp("whole"), "halving")


@pytest.mark.parametrize("stopping", ["halving", "hyperband"])
def test_killed_between_any_two_lines_it_finds_the_same(tmp_path: Path, stopping: str) -> None:
    text, name, trials = undisturbed(tmp_path / "whole", stopping)
    assert "PRUNED" in [trial[1] for trial in trials]
    lines = text.splitlines(keepends=True)
    assert len(lines) > 20
    for count in range(len(lines) + 1):
        folder = tmp_path / str(count)
        folder.mkdir()
        (folder / name).write_bytes(b"".join(lines[:count]))
        assert search(folder, stopping=stopping) == trials, f"cut after line {count}"


def test_half_a_line_is_dropped_and_the_search_goes_on(
    whole: tuple[bytes, str, list[tuple[Any, ...]]],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    text, name, found = whole
    rng = np.random.default_rng(0)
    for length in rng.choice(np.arange(1, len(text)), 25, replace=False):
        folder = tmp_path / str(length)
        folder.mkdir()
        (folder / name).write_bytes(text[:length])
        with caplog.at_level(logging.WARNING, "lib.search.journal"):
            assert search(folder) == found, f"cut at byte {length}"
    assert "dropped its last line, which was cut off" in caplog.text


def test_a_full_disk_leaves_no_half_line_for_the_other_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from optuna.storages import journal

    write = journal.JournalFileBackend.append_logs

    def full(self: Any, logs: list[dict[str, Any]]) -> None:
        with Path(self._file_path).open("ab") as stream:
            stream.write(b'{"op_code": 8, "tri')
        raise OSError(errno.ENOSPC, "No space left on device", self._file_path)

    def stops_there(folder: Path, data: Data, recipe: Recipe, **options: Any) -> dict[str, Any]:
        monkeypatch.setattr(journal.JournalFileBackend, "append_logs", full)
        return train(folder, data, recipe, **options)

    with pytest.raises(OSError, match="No space left"):
        search(tmp_path, how=stops_there)
    (file,) = tmp_path.glob("journal-*.log")
    assert file.read_bytes().endswith(b"\n")
    monkeypatch.setattr(journal.JournalFileBackend, "append_logs", write)
    states = [row[1] for row in search(tmp_path, worker=1)]
    assert states.count("RUNNING") == 1
    states = [row[1] for row in search(tmp_path, worker=0)]
    assert len(states) == TRIALS
    assert "RUNNING" not in states
