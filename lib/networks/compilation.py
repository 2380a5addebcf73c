"""Which backend and which compile mode trains an architecture fastest, as it was measured."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from lib.errors import HeldoutError

BACKENDS = ("tensorflow", "jax")
MODES = ("plain", "xla")
DEVICES = ("auto", "cpu", "gpu", "tpu")
VISIBLE = "CUDA_VISIBLE_DEVICES"
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


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
    after : int
        From how many steps in time on, over a whole training, that mode makes up for the time that
        compiling takes. Shorter trainings are plain.
    up_to : int, optional
        Up to which batch × units of the widest layer it is the faster one.
    """

    backend: str
    tensorflow: str
    reason: str
    after: int = 0
    up_to: int | None = None


def choice(architecture: str, device: str) -> Choice:
    """Look up what is fastest for an architecture on a kind of device: cpu, gpu or tpu."""
    return ACCELERATORS.get(device) or CPU[architecture]


def compile_mode(
    asked: str,
    architecture: str,
    backend: str,
    device: str,
    *,
    devices: int = 1,
    steps: int = 0,
    width: int = 0,
) -> str:
    """Give the compile mode of a training.

    Parameters
    ----------
    asked : {"auto", "plain", "xla"}
        What the config says.
    architecture : str
        One of `lib.networks.hyperparameters.ARCHITECTURES`.
    backend : {"tensorflow", "jax"}
        What computes.
    device : {"cpu", "gpu", "tpu"}
        On what, from `lib.networks.backend.device_kind`.
    devices : int
        On how many.
    steps : int
        Steps in time of the whole training: epochs × batches × length of an example.
    width : int
        Batch × units of the widest recurrent layer.

    Returns
    -------
    str
        plain or xla.

    Raises
    ------
    HeldoutError
        The mode is unknown; plain was asked of JAX; or XLA of TensorFlow on several devices, or for
        a network that pools.
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
    if devices > 1 or device == "tpu":
        # A strategy compiles what runs on each device by itself where the device needs it.
        if asked == "xla":
            raise HeldoutError(
                "compile: xla was asked for, but TensorFlow on several devices, or on a TPU, "
                "compiles as its strategy does. Set compile: auto, or backend: jax."
            )
        return "plain"
    if asked == "xla" and architecture in ("cnn", "cnn_lstm"):
        raise HeldoutError(
            f"compile: xla was asked for, but TensorFlow's XLA has no deterministic gradient of "
            f"the pooling in {architecture}. Set compile: auto, or backend: jax."
        )
    if asked != "auto":
        return asked
    best = choice(architecture, device)
    pays = steps >= best.after and (best.up_to is None or width <= best.up_to)
    return best.tensorflow if pays else "plain"


def choose_backend(asked: str, architecture: str, device: str) -> str:
    """Give the backend of a training, without loading one.

    Parameters
    ----------
    asked : {"tensorflow", "jax", "auto"}
        What the config says. `auto` takes the fastest of those that are installed.
    architecture : str
        One of `lib.networks.hyperparameters.ARCHITECTURES`.
    device : {"auto", "cpu", "gpu", "tpu"}
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
        device = "gpu" if visible_gpus() else "cpu"
    best = choice(architecture, device).backend
    return best if importlib.util.find_spec(best) else "tensorflow"


def visible_gpus(dev: Path = Path("/dev")) -> list[str]:
    """List the NVIDIA GPUs that this process may use, without loading a driver.

    Parameters
    ----------
    dev : Path
        Where the driver puts a file for each of them.

    Returns
    -------
    list of str
        As in CUDA_VISIBLE_DEVICES: what stands there, or numbers in the order of the bus.
    """
    stated = os.environ.get(VISIBLE)
    found = sorted(dev.glob("nvidia[0-9]*"))
    if stated is None or not found:
        return [str(number) for number in range(len(found))]
    names: list[str] = []
    for name in map(str.strip, stated.split(",")):
        # CUDA reads no further than the first that cannot be.
        if name in ("", "-1"):
            break
        names.append(name)
    return names


# Seconds a step of TensorFlow plain over those of the others, from docs/benchmarks.md. XLA starts
# each of the many small operations of a recurrent step for less. `after` is two and a half times
# the most that compiling the training step took, over what each step in time gained: that of
# validation is compiled too.
CPU: dict[str, Choice] = {
    "simple_rnn": Choice(
        "jax",
        "xla",
        "JAX 5.8 times as fast, TensorFlow with XLA 2.5 times",
        after=160_000,
    ),
    "lstm": Choice(
        "jax",
        "xla",
        "JAX 1.0 to 4.0 times as fast, TensorFlow with XLA 1.3 to 2.7 times; "
        "1.0 times where batch × units is 5,000 and more",
        after=140_000,
        up_to=4_096,
    ),
    "gru": Choice(
        "jax",
        "xla",
        "JAX 1.2 to 4.7 times as fast, TensorFlow with XLA 1.3 to 2.8 times",
        after=90_000,
    ),
    "cnn": Choice("tensorflow", "plain", "JAX 0.8 to 1.2 times as fast"),
    "cnn_lstm": Choice("jax", "plain", "JAX 1.1 times as fast"),
}
"""Measured by `python -m benchmarks speed`."""

ACCELERATORS = {
    "gpu": Choice("tensorflow", "plain", "nothing was measured on a GPU"),
    "tpu": Choice("jax", "xla", "what the extra `tpu` installs; nothing was measured on a TPU"),
}
