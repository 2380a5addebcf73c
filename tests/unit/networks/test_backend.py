"""What computes: as asked, as measured, or a clear error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lib.errors import HeldoutError
from lib.networks import backend
from lib.networks.backend import choose_backend, device_kind, load


def test_auto_takes_jax() -> None:
    for where in ({}, {"device": "gpu"}, {"device": "tpu"}, {"devices": 2}, {"devices": "all"}):
        assert choose_backend("auto", **where) == "jax"  # type: ignore[arg-type]


def test_what_is_asked_for_is_taken() -> None:
    for name in backend.BACKENDS:
        assert choose_backend(name, device="gpu") == name
    assert choose_backend("jax", device="tpu", devices="all") == "jax"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"devices": 2}, r"backend: expected jax or auto with devices: 2, got tensorflow\. Set b"),
        ({"devices": "all"}, "expected jax or auto with devices: all, got tensorflow"),
        ({"device": "tpu"}, "expected jax or auto with device: tpu, got tensorflow"),
        ({"device": "npu"}, "device: expected one of auto, cpu, gpu, tpu, got 'npu'"),
    ],
)
def test_tensorflow_trains_on_one_cpu_or_gpu(options: dict[str, Any], message: str) -> None:
    with pytest.raises(HeldoutError, match=message):
        choose_backend("tensorflow", **options)


def test_an_unknown_backend() -> None:
    with pytest.raises(HeldoutError, match="backend: expected one of auto, tensorflow, jax, got"):
        choose_backend("torch")


def test_an_accelerator_that_is_asked_for_and_absent(
    keras: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.networks.backend.device_kind", lambda backend: "cpu")
    with pytest.raises(HeldoutError, match=r"device gpu: expected a GPU that tensorflow can use"):
        load("tensorflow", device="gpu")
    with pytest.raises(HeldoutError, match=r"a TPU that .* got only a cpu.*'\.\[tpu\]'"):
        load("tensorflow", device="tpu")
    with pytest.raises(HeldoutError, match="device: expected one of auto, cpu, gpu, tpu, got 'c"):
        load("tensorflow", device="cuda")


def test_a_gpu_is_hidden_where_the_cpu_is_asked_for(python: Any) -> None:
    code = """
from lib.networks.backend import device_kind, device_name, load
load("tensorflow", device="cpu")
print(device_kind("tensorflow"), device_name("tensorflow"))
"""
    assert python(code).split() == ["cpu", "CPU"]


@pytest.mark.parametrize(
    ("name", "kind"), [("cpu", "cpu"), ("tpu", "tpu"), ("cuda", "gpu"), ("rocm", "gpu")]
)
def test_jax_names_its_gpus_by_their_makers(
    monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(default_backend=lambda: name))
    assert device_kind("jax") == kind


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted on Linux")
def test_jax_starts_as_many_threads_as_asked_for(python: Callable[..., str]) -> None:
    code = (
        "import os, sys; from lib.networks.backend import load\n"
        "load('jax', threads=int(sys.argv[1]))\n"
        "import jax; jax.numpy.ones(2).block_until_ready()\n"
        "print(len(os.listdir('/proc/self/task')))"
    )
    few, many = (int(python(code, threads).split()[-1]) for threads in (1, 9))
    assert many >= few + 8


def test_jax_trains_without_importing_tensorflow(python: Callable[..., str]) -> None:
    code = (
        "import sys; from lib.networks.backend import load\n"
        "keras = load('jax')\n"
        "draws = []\n"
        "for seed in (1, 2, 1):\n"
        "    keras.utils.set_random_seed(seed)\n"
        "    draws.append(float(keras.random.uniform(())))\n"
        "from lib.networks.models import build\n"
        "import numpy as np\n"
        "model = build('gru', {}, shape=(9, 2), classes=2, backend='jax')\n"
        "model.predict(np.ones((2, 9, 2)), verbose=0)\n"
        "print(draws[0] == draws[2] != draws[1], 'tensorflow' in sys.modules)"
    )
    assert python(code).split() == ["True", "False"]


TRAIN = """
import hashlib
import numpy as np
from lib.networks.backend import load

keras = load("jax", threads=1, device="cpu")
model = keras.Sequential([keras.Input((20, 2)), keras.layers.LSTM(8), keras.layers.Dense(2)])
model.compile("adam", "mse")
x = np.random.default_rng(0).normal(size=(32, 20, 2)).astype("float32")
model.fit(x, x[:, 0], verbose=0)
print(hashlib.sha256(model.predict(x, verbose=0).tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_what_was_compiled_serves_the_next_process_and_changes_nothing(
    python: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "heldout" / "xla"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "")
    without = python(TRAIN)
    assert not kept.exists()
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR")
    first = python(TRAIN)
    (written,) = kept.rglob("jit_train_step-*-cache")
    second = python(TRAIN)
    assert list(kept.rglob("jit_train_step-*-cache")) == [written]
    assert without == first == second
    # A process that was killed while it wrote leaves part of a program, which nobody runs.
    written.write_bytes(written.read_bytes()[:1000])
    assert python(TRAIN) == first


def test_a_home_that_cannot_be_written_to_is_done_without(
    python: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    code = TRAIN.split("model =")[0] + "import jax; print(jax.config.jax_compilation_cache_dir)"
    assert python(code).split() == ["None"]
