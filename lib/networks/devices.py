"""One training on several devices: its variables on each of them, its batches divided."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from lib.errors import HeldoutError

SCALINGS = ("none", "batch", "linear")
VISIBLE = "CUDA_VISIBLE_DEVICES"


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
    files = sorted(dev.glob("nvidia[0-9]*"))
    if stated is None or not files:
        return [str(number) for number in range(len(files))]
    names: list[str] = []
    for name in map(str.strip, stated.split(",")):
        # CUDA reads no further than the first that cannot be.
        if name in ("", "-1"):
            break
        names.append(name)
    return names


def count_devices(asked: int | str) -> int:
    """Say how many of the devices here a training takes; more than one are those of JAX.

    Parameters
    ----------
    asked : int or "all"
        What the config says.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    HeldoutError
        More are asked for than there are, or something that is no number of devices.
    """
    if asked != "all" and (not isinstance(asked, int) or isinstance(asked, bool) or asked < 1):
        raise HeldoutError("devices", "a positive whole number or all", repr(asked))
    if asked == 1:
        return 1
    here = len(local_devices())
    if asked == "all":
        return here
    if int(asked) > here:
        raise HeldoutError(
            "devices",
            f"{asked} that jax can use",
            f"{here} ({local_devices()[0].platform})",
            f"Set devices: {here}, or devices: all for as many as there are; "
            f"{VISIBLE} and the scheduler may hide some.",
        )
    return int(asked)


def local_devices() -> list[Any]:
    """List the devices of this process that JAX can use."""
    import jax

    return list(jax.local_devices())


def spread(count: int, keras: Any) -> AbstractContextManager[Any]:
    """Make the context in which a model is built and trained on the first `count` devices.

    Each has all variables and computes an equal share of every batch.

    Parameters
    ----------
    count : int
        From `count_devices`.
    keras : module
        From `lib.networks.backend.load`.
    """
    if count == 1:
        return nullcontext()
    names = [f"{device.platform}:{device.id}" for device in local_devices()[:count]]
    return keras.distribution.DataParallel(devices=names).scope()


def scaled(values: Mapping[str, Any], scaling: str, count: int) -> tuple[int, float]:
    """Compute the batch of all devices together, and the learning rate that goes with it.

    Parameters
    ----------
    values : mapping
        Hyperparameters: `batch_size` and `learning_rate`.
    scaling : {"none", "batch", "linear"}
        `none` divides the batch among the devices: the training is that of one device. `batch`
        gives each device a whole batch; `linear` multiplies the learning rate by the number of
        devices as well (the linear rule of Goyal et al., 2017, without its warm-up).
    count : int
        Devices.

    Returns
    -------
    batch_size : int
        Examples a step, over all devices.
    learning_rate : float

    Raises
    ------
    HeldoutError
        The scaling is unknown, or the devices do not divide the batch.

    Examples
    --------
    >>> scaled({"batch_size": 32, "learning_rate": 0.001}, "linear", 4)
    (128, 0.004)
    """
    if scaling not in SCALINGS:
        raise HeldoutError("scaling", f"one of {', '.join(SCALINGS)}", repr(scaling))
    batch, rate = values["batch_size"], values["learning_rate"]
    if scaling == "linear":
        rate *= count
    if scaling != "none":
        return batch * count, rate
    if batch % count:
        below = batch // count * count
        near = f"{below} or {below + count}" if below else f"{count}"
        raise HeldoutError(
            "batch_size",
            f"a multiple of the {count} devices",
            str(batch),
            f"Each takes an equal share. Use a batch_size of {near}, other devices, or scaling: "
            "batch.",
        )
    return batch, rate
