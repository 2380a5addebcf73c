"""Jobs: their log, their lock, and how they end."""

import logging
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lib.config.settings import ROOT
from lib.errors import HeldoutError
from lib.files import write_json, write_table
from lib.jobs.place import require_writable
from lib.jobs.scripts import job, training_options
from lib.train.recipe import Recipe
from lib.train.training import Training


def test_messages_of_the_library_go_to_the_log(tmp_path):
    log = tmp_path / "logs" / "train" / "a.log"
    with job(log) as logger:
        logger.info("begun")
        logging.getLogger("lib.train.trainer").info("epoch 1")
        warnings.warn("mind this", stacklevel=1)
    text = log.read_text()
    assert "INFO begun" in text
    assert "INFO epoch 1" in text
    assert "mind this" in text


def test_the_log_is_written_anew(tmp_path):
    for word in ("first", "second"):
        with job(tmp_path / "a.log") as logger:
            logger.info(word)
    assert "first" not in (tmp_path / "a.log").read_text()


def test_jobs_of_one_process_keep_their_logs_apart(tmp_path):
    for name in ("one", "two"):
        with job(tmp_path / f"{name}.log") as logger:
            logger.info("I am %s", name)
            warnings.warn(f"mind {name}", stacklevel=1)
    assert "two" not in (tmp_path / "one.log").read_text()
    assert (tmp_path / "two.log").read_text().count("I am two") == 1
    assert (tmp_path / "two.log").read_text().count("mind two") == 1


def test_a_job_leaves_the_process_as_it_was(tmp_path):
    loggers = logging.getLogger("lib"), logging.getLogger("py.warnings")
    before = [list(logger.handlers) for logger in loggers]
    for _ in range(2):
        with pytest.raises(SystemExit), job(tmp_path / "a.log"):
            raise HeldoutError("a.wav", "5 bytes", "3")
        with job(tmp_path / "a.log"):
            pass
        assert [logger.handlers for logger in loggers] == before
        with pytest.warns(UserWarning, match="after it"):
            warnings.warn("after it", stacklevel=1)


def test_what_a_process_holds_is_not_searched_when_it_ends(tmp_path):
    # What is registered first is called last.
    script = (
        "import atexit, gc, sys\n"
        "from lib.jobs.scripts import job\n"
        "atexit.register(lambda: print(gc.get_freeze_count()))\n"
        "with job(sys.argv[1]): print(gc.get_freeze_count())"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "a.log")]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    before, after = map(int, done.stdout.split())
    assert before == 0 < after


def test_an_error_of_the_project_is_told_without_traceback(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended, job(tmp_path / "a.log"):
        raise HeldoutError("100.dat: expected 5 bytes, got 3. Fetch it anew.")
    assert ended.value.code == 1
    shown = capsys.readouterr()
    assert shown.err == "heldout: 100.dat: expected 5 bytes, got 3. Fetch it anew.\n"
    assert shown.out == ""
    text = (tmp_path / "a.log").read_text()
    assert "ERROR 100.dat: expected 5 bytes, got 3. Fetch it anew." in text
    assert "Traceback" not in text


def test_any_other_error_comes_with_its_traceback(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended, job(tmp_path / "a.log"):
        raise ZeroDivisionError("by nought")
    assert ended.value.code == 1
    for text in (capsys.readouterr().err, (tmp_path / "a.log").read_text()):
        assert "Traceback" in text
        assert "ZeroDivisionError: by nought" in text


def test_what_scripts_that_train_hand_on(tmp_path):
    table = pd.DataFrame({"example": range(6), "label": ["a", "b"] * 3})
    parts = ["train", "train", "validation", "validation", "test", "test"]
    split = pd.DataFrame({"example": range(6), "fold": 0, "part": parts})
    names = {"npy": "x.npy", "examples": "x.csv", "split": "split.csv", "digest": "x.json"}
    files = {name: str(tmp_path / file) for name, file in names.items()}
    np.save(files["npy"], np.zeros((6, 4, 1), np.float32))
    write_table(files["examples"], table)
    write_table(files["split"], split)
    write_json(files["digest"], {"sha256": "d"})
    compute = {"backend": "jax", "device": "cpu", "devices": 1}
    params = {"classes": ["a", "b"], "scored": ["a"], "training": {"epochs": 2}, "compute": compute}
    params |= {"by_test": False}
    snakemake = SimpleNamespace(
        input=SimpleNamespace(**files),
        params=SimpleNamespace(**params),
        wildcards=SimpleNamespace(architecture="lstm", study="hearts"),
        threads=3,
    )
    search = training_options(snakemake, {"units": [4]})
    assert set(search["data"].rows) == {"train", "validation"}
    assert search["store"] == tmp_path / "fits", "beside the examples"
    final = training_options(snakemake, {"units": [4]}, fold=0, examples=table)
    assert final["data"].rows["test"].tolist() == [4, 5]
    assert final["recipe"] == search["recipe"]
    assert final["recipe"] == Recipe(
        "lstm", {"units": [4]}, Training(epochs=2), backend="jax", device="cpu", threads=3
    )
    snakemake.params.by_test = True
    by_test = training_options(snakemake, {"units": [4]})["data"].rows
    assert {part: rows.tolist() for part, rows in by_test.items()} == {
        "train": [0, 1],
        "validation": [4, 5],
    }
    # Of the same key: a search trains for the final run.
    assert search["recipe"].key(search["data"], 0) == final["recipe"].key(final["data"], 0)


CODE = """
import sys, time
from pathlib import Path
from lib.jobs.place import require_writable
from lib.jobs.scripts import job
log, order, name, seconds = sys.argv[1:]
with job(log):
    with open(order, "a") as stream:
        print(name, "in", file=stream, flush=True)
        time.sleep(float(seconds))
        print(name, "out", file=stream, flush=True)
"""


def start(folder, name, seconds):
    command = [sys.executable, "-c", CODE, folder / "a.log", folder / "order", name, str(seconds)]
    return subprocess.Popen(command, cwd=ROOT)


def wait_for(path, text, seconds=60):
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if path.exists() and text in path.read_text():
            return
        time.sleep(0.02)
    pytest.fail(f"{path.name} never said {text!r}")


def test_a_second_job_of_one_log_waits_for_the_first(tmp_path):
    first = start(tmp_path, "first", 1.5)
    wait_for(tmp_path / "order", "first in")
    second = start(tmp_path, "second", 0)
    assert first.wait(60) == second.wait(60) == 0
    lines = (tmp_path / "order").read_text().splitlines()
    assert lines == ["first in", "first out", "second in", "second out"]


def test_a_killed_job_leaves_no_lock(tmp_path):
    first = start(tmp_path, "first", 600)
    wait_for(tmp_path / "order", "first in")
    os.kill(first.pid, 9)
    first.wait(10)
    assert start(tmp_path, "second", 0).wait(30) == 0


def test_a_folder_that_cannot_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = tmp_path / "results"
    locked.mkdir()
    # Whoever is root may write everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != locked)
    require_writable(tmp_path, tmp_path / "not there yet")
    with pytest.raises(HeldoutError, match="results: expected a folder that this user can write"):
        require_writable(tmp_path, locked)


def test_a_job_whose_log_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").touch()
    with pytest.raises(SystemExit), job(tmp_path / "logs" / "one.log"):
        raise AssertionError("the work is not begun")
    assert "on a cluster from every node" in capsys.readouterr().err
