"""Training after training in one process: nothing of a network is left behind."""

from __future__ import annotations

import gc
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from benchmarks.endurance import NETWORKS, examples, slope, train_one
from lib.networks.registry import ARCHITECTURES
from tests.support.endurance import rows_of_endurance


def graphs() -> int:
    """Count the graphs of TensorFlow that are alive: a training step holds hundreds of KB."""
    gc.collect()
    return sum(type(one).__name__ == "FuncGraph" for one in gc.get_objects())


def test_no_graph_and_no_file_outlives_its_network(keras: Any, tmp_path: Path) -> None:
    data, process = examples(), psutil.Process()
    # What the tests before this one left is not what is looked for.
    train_one(tmp_path, data, "cnn", 1, backend="tensorflow")
    keras.backend.clear_session()
    before, files = graphs(), process.num_fds()
    for number, name in enumerate(("cnn", "gru"), start=2):
        train_one(tmp_path, data, name, number, backend="tensorflow")
    keras.backend.clear_session()
    assert graphs() == before
    assert process.num_fds() == files


def optimizer_of_keras(keras: Any, values: Mapping[str, Any], rate: float, *, steps: int) -> Any:
    return keras.optimizers.get(
        {"class_name": values["optimizer"], "config": {"learning_rate": rate}}
    )


def test_keras_alone_trains_the_same_weights_and_keeps_the_graph(
    keras: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `lib.train.optimizer` takes out of Keras is a sum of one: not a bit differs without it.

    Where this fails because no graph is kept, Keras or TensorFlow has fixed it: delete the detour.
    """
    data = examples()
    # A fit of the same name would be found instead of trained.
    ours = train_one(tmp_path / "ours", data, "cnn", 1, backend="tensorflow")
    before = graphs()
    assert "_all_reduce_sum_gradients" in dir(keras.optimizers.Adam)
    monkeypatch.setattr("lib.train.trainer.optimizer", optimizer_of_keras)
    theirs = train_one(tmp_path / "theirs", data, "cnn", 1, backend="tensorflow")
    keras.backend.clear_session()
    assert graphs() > before
    assert ours["metrics"] == theirs["metrics"]
    weights = [
        keras.saving.load_model(*(tmp_path / name).rglob("model.keras")).get_weights()
        for name in ("ours", "theirs")
    ]
    for mine, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_memory_that_grows_is_seen() -> None:
    rows = [{"run": n, "memory_mib": 700 + min(n, 40) + n / 100} for n in range(5, 101, 5)]
    assert slope(rows) == pytest.approx(1024 / 100)
    assert set(NETWORKS) == set(ARCHITECTURES)


@pytest.mark.slow
@pytest.mark.parametrize(
    # What XLA compiles comes and goes by some 10 MiB; there are more runs for that, and short ones.
    ("backend", "seen"),
    [("jax", [20, 40, 80, 120, 160]), ("tensorflow", [20, 40, 60, 80])],
)
def test_memory_and_files_do_not_grow(
    tmp_path: Path, python: Any, backend: str, seen: list[int]
) -> None:
    code = (
        "import json, sys; from benchmarks.endurance import run;"
        "print('\\n' + json.dumps(run(sys.argv[1], int(sys.argv[2]), sys.argv[3])))"
    )

    rows = json.loads(python(code, tmp_path, seen[-1], backend).splitlines()[-1])
    assert [row["run"] for row in rows] == seen
    # What is made up where only the rest of that benchmark is looked at.
    assert set(rows[0]) == set(rows_of_endurance("endurance", folder="", runs=24)[0])
    assert len({row["files"] for row in rows}) == 1
    # 5 networks fill caches of their own at first. A graph that stays costs 750 KiB a run.
    assert slope(rows) < 375
