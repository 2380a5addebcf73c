"""Which backend and which compile mode trains an architecture fastest, as it was measured."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from lib.errors import HeldoutError

BACKENDS = ("tensorflow", "jax")
MODES = ("plain", "xla")
DEVICES = ("auto", "cpu", "gpu")


@dataclass(frozen=True)
class Choice:
    """What is fastest for an architecture on a kind of device.

    Attributes
    ----------
    backend : {"tensorflow", "jax"}
        The faster one.
    tensorflow : {"plain", "xla"}
        The faster mode of TensorFlow; JAX has XLA only.
    reason : str
        Why.
    """

    backend: str
    tensorflow: str
    reason: str


def choice(architecture: str, device: str) -> Choice:
    """Look up what is fastest for an architecture on a kind of device: cpu, gpu or tpu."""
    if device != "cpu":
        return ACCELERATOR
    return CPU.get(architecture, DEFAULT)


def compile_mode(asked: str, architecture: str, backend: str, device: str) -> str:
    """Give the compile mode of a training.

    Parameters
    ----------
    asked : {"auto", "plain", "xla"}
        What the config says.
    architecture : str
        One of `lib.hyperparameters.ARCHITECTURES`.
    backend : {"tensorflow", "jax"}
        What computes.
    device : {"cpu", "gpu", "tpu"}
        On what, from `lib.backend.device_kind`.

    Returns
    -------
    str
        plain or xla.

    Raises
    ------
    HeldoutError
        The mode is unknown, or plain was asked of JAX.
    """
    if asked not in ("auto", *MODES):
        raise HeldoutError(f"compile: expected one of auto, {', '.join(MODES)}, got {asked!r}.")
    if backend == "jax":
        if asked == "plain":
            raise HeldoutError(
                "compile: plain was asked for, but JAX compiles with XLA only. "
                "Set compile: auto, or backend: tensorflow."
            )
        return "xla"
    return choice(architecture, device).tensorflow if asked == "auto" else asked


def choose_backend(asked: str, architecture: str, device: str) -> str:
    """Give the backend of a training, without loading one.

    Parameters
    ----------
    asked : {"tensorflow", "jax", "auto"}
        What the config says. `auto` takes the fastest of those that are installed.
    architecture : str
        One of `lib.hyperparameters.ARCHITECTURES`.
    device : {"auto", "cpu", "gpu"}
        What the config says; with auto, a GPU counts where its driver shows one.

    Returns
    -------
    str
        tensorflow or jax.

    Raises
    ------
    HeldoutError
        The backend or the device is unknown.
    """
    if device not in DEVICES:
        raise HeldoutError(f"device: expected one of {', '.join(DEVICES)}, got {device!r}.")
    if asked not in ("auto", *BACKENDS):
        raise HeldoutError(f"backend: expected one of auto, {', '.join(BACKENDS)}, got {asked!r}.")
    if asked != "auto":
        return asked
    if device == "auto":
        device = "gpu" if _driver_shows_gpu() else "cpu"
    best = choice(architecture, device).backend
    return best if importlib.util.find_spec(best) else "tensorflow"


def _driver_shows_gpu() -> bool:
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "all") in ("", "-1")
    return Path("/dev/nvidia0").exists() and not hidden


_STEPS = "a recurrent step is many small operations, and XLA joins them; JAX starts them fastest"
CPU: dict[str, Choice] = {
    "simple_rnn": Choice("jax", "xla", _STEPS),
    "lstm": Choice("jax", "xla", _STEPS),
    "gru": Choice("jax", "xla", _STEPS),
}
DEFAULT = Choice("tensorflow", "plain", "nothing was measured for it")
ACCELERATOR = Choice("tensorflow", "plain", "nothing was measured on a GPU or TPU")
"""Measured by `python -m benchmarks speed` (docs/benchmarks.md), on the CPU."""
