"""What computes: as asked, as measured, or a clear error."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lib.errors import HeldoutError
from lib.networks import compilation
from lib.networks.backend import device_kind, load
from lib.networks.compilation import choice, choose_backend, compile_mode
from lib.networks.hyperparameters import ARCHITECTURES


def test_every_architecture_has_a_measured_choice_with_its_reason() -> None:
    assert set(compilation.CPU) == set(ARCHITECTURES)
    for found in compilation.CPU.values():
        assert found.backend in compilation.BACKENDS
        assert found.tensorflow in compilation.MODES
        assert len(found.reason) > 20


def test_what_is_asked_for_is_taken() -> None:
    for mode in ("plain", "xla"):
        assert compile_mode(mode, "lstm", "tensorflow", "cpu") == mode
    assert choose_backend("jax", "cnn", "auto") == "jax"


def test_auto_takes_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    for architecture in ARCHITECTURES:
        found = choice(architecture, "cpu")
        for steps, mode in ((found.after, found.tensorflow), (found.after - 1, "plain")):
            assert compile_mode("auto", architecture, "tensorflow", "cpu", steps=steps) == mode
        if found.up_to:
            wide = {"steps": found.after, "width": found.up_to + 1}
            assert compile_mode("auto", architecture, "tensorflow", "cpu", **wide) == "plain"
        assert choose_backend("auto", architecture, "cpu") == found.backend
        assert choose_backend("auto", architecture, "gpu") == "tensorflow"
        assert choose_backend("auto", architecture, "tpu") == "jax"
    assert compile_mode("auto", "cnn", "jax", "cpu") == "xla"


def test_auto_takes_only_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert {choose_backend("auto", name, "cpu") for name in ARCHITECTURES} == {"tensorflow"}


def test_what_cannot_be_is_an_error() -> None:
    with pytest.raises(HeldoutError, match=r"compile: expected one of .* xla, got 'fast'"):
        compile_mode("fast", "lstm", "tensorflow", "cpu")
    with pytest.raises(HeldoutError, match=r"JAX compiles with XLA only\. Set compile: auto"):
        compile_mode("plain", "lstm", "jax", "cpu")
    with pytest.raises(HeldoutError, match="backend: expected one of auto, tensorflow, jax"):
        choose_backend("torch", "lstm", "auto")
    with pytest.raises(
        HeldoutError, match="device: expected one of auto, cpu, gpu, tpu, got 'npu'"
    ):
        choose_backend("auto", "lstm", "npu")
    with pytest.raises(HeldoutError, match=r"xla was asked for, but TensorFlow on several devices"):
        compile_mode("xla", "cnn", "tensorflow", "gpu", devices=2)
    for name in ("cnn", "cnn_lstm"):
        with pytest.raises(
            HeldoutError, match=rf"no deterministic gradient of the pooling in {name}"
        ):
            compile_mode("xla", name, "tensorflow", "cpu")


def test_a_strategy_compiles_by_itself() -> None:
    for device, devices in (("cpu", 2), ("gpu", 4), ("tpu", 1)):
        assert compile_mode("auto", "simple_rnn", "tensorflow", device, devices=devices) == "plain"
    assert compile_mode("auto", "simple_rnn", "jax", "tpu", devices=8) == "xla"


def test_an_accelerator_that_is_asked_for_and_absent(
    keras: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.networks.backend.device_kind", lambda backend: "cpu")
    with pytest.raises(HeldoutError, match=r"device gpu: expected a GPU that tensorflow can use"):
        load("tensorflow", device="gpu")
    with pytest.raises(
        HeldoutError, match=r"a TPU that .* only a cpu.*'\.\[tpu\]', set backend: jax"
    ):
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


def test_the_kind_of_device_is_known(keras: Any) -> None:
    assert device_kind("tensorflow") in ("cpu", "gpu", "tpu")


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted on Linux")
def test_jax_starts_as_many_threads_as_asked_for(python: Callable[..., str]) -> None:
    pytest.importorskip("jax")
    code = (
        "import os, sys; from lib.networks.backend import load\n"
        "load('jax', threads=int(sys.argv[1]))\n"
        "import jax; jax.numpy.ones(2).block_until_ready()\n"
        "print(len(os.listdir('/proc/self/task')))"
    )
    few, many = (int(python(code, threads).split()[-1]) for threads in (1, 9))
    assert many >= few + 8
