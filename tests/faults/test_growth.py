"""Training after training in one process: nothing of a network is left behind."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.endurance import NETWORKS, examples, slope, train_one


def graphs() -> int:
    """Count the graphs of TensorFlow that are alive: a training step holds hundreds of KB."""
    gc.collect()
    return sum(type(one).__name__ == "FuncGraph" for one in gc.get_objects())


def test_no_graph_and_no_file_outlives_its_network(keras: Any, tmp_path: Path) -> None:
    data, process = examples(), psutil.Process()
    # What the tests before this one left is not what is looked for.
    train_one(tmp_path, data, "cnn", 1)
    keras.backend.clear_session()
    before, files = graphs(), process.num_fds()
    for number, name in enumerate(("cnn", "gru"), start=2):
        train_one(tmp_path, data, name, number)
    keras.backend.clear_session()
    assert graphs() == before
    assert process.num_fds() == files


def test_memory_that_grows_is_seen() -> None:
    rows = [{"run": n, "memory_mib": 700 + min(n, 40) + n / 100} for n in range(5, 101, 5)]
    assert slope(rows) == pytest.approx(1024 / 100)
    assert set(NETWORKS) == {"simple_rnn", "lstm", "gru", "cnn", "cnn_lstm"}


@pytest.mark.slow
def test_memory_and_files_do_not_grow(tmp_path: Path, python: Any) -> None:
    code = (
        "import json, sys; from benchmarks.endurance import run;"
        "print('\\n' + json.dumps(run(sys.argv[1], 40)))"
    )

    rows = json.loads(python(code, tmp_path).splitlines()[-1])
    assert [row["run"] for row in rows] == [5, 10, 20, 30, 40]
    assert len({row["files"] for row in rows}) == 1
    # 5 networks fill caches of their own at first. A graph that stays costs 3,000 KiB a run.
    assert slope(rows) < 1500
