"""One training on several devices: its variables on each of them, its batches divided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from lib.errors import HeldoutError
from lib.networks.backend import device_kind

SCALINGS = ("none", "batch", "linear")


@dataclass(frozen=True)
class Placement:
    """Where the variables of a model lie.

    Attributes
    ----------
    count : int
        Devices. Each has all variables and computes an equal share of every batch.
    scope : callable
        Gives the context in which a model is built, compiled and trained.
    run : callable
        Calls a function once on each device.
    """

    count: int = 1
    scope: Callable[[], AbstractContextManager[Any]] = nullcontext
    run: Callable[[Callable[[], Any]], Any] = lambda function: function()


def count_devices(asked: int | str, backend: str) -> int:
    """Say how many of the devices here a training takes.

    Parameters
    ----------
    asked : int or "all"
        What the config says.
    backend : {"tensorflow", "jax"}
        A loaded backend.

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
        raise HeldoutError(f"devices: expected a positive whole number or all, got {asked!r}.")
    if asked == 1:
        return 1
    kind = device_kind(backend)
    found = len(_devices(backend, kind))
    if asked == "all":
        return found
    if int(asked) > found:
        raise HeldoutError(
            f"devices: expected {asked} that {backend} can use, it found {found} ({kind}). "
            f"Set devices: {found if found > 1 else 1}, or devices: all for as many as there are; "
            "CUDA_VISIBLE_DEVICES and the scheduler may hide some."
        )
    return int(asked)


def place(count: int, keras: Any) -> Placement:
    """Spread models over the first `count` devices here.

    With TensorFlow by `tf.distribute` (`MirroredStrategy`, `TPUStrategy`), with JAX by
    `keras.distribution.DataParallel`.

    Parameters
    ----------
    count : int
        From `count_devices`.
    keras : module
        From `lib.networks.backend.load`.
    """
    backend = keras.backend.backend()
    kind = device_kind(backend)
    # TensorFlow computes on a TPU only within its strategy, even on one core.
    if count == 1 and not (backend == "tensorflow" and kind == "tpu"):
        return Placement()
    devices = _devices(backend, kind)[:count]
    if backend == "jax":
        names = [f"{device.platform}:{device.id}" for device in devices]
        data_parallel = keras.distribution.DataParallel(devices=names)
        return Placement(count, data_parallel.scope)
    import tensorflow as tf

    if kind == "tpu":
        strategy = _tpu_strategy(tf, count)
    else:
        names = [device.name for device in devices]
        # Its collective operations are made for GPUs: those of a CPU mix up what they reduce.
        reduction = None if kind == "gpu" else tf.distribute.ReductionToOneDevice()
        strategy = tf.distribute.MirroredStrategy(names, cross_device_ops=reduction)
    return Placement(count, strategy.scope, strategy.run)


def scaled(values: Mapping[str, Any], scaling: str, count: int) -> tuple[int, float]:
    """Give the batch of all devices together, and the learning rate that goes with it.

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
        raise HeldoutError(f"scaling: expected one of {', '.join(SCALINGS)}, got {scaling!r}.")
    batch, rate = values["batch_size"], values["learning_rate"]
    if scaling == "linear":
        rate *= count
    if scaling != "none":
        return batch * count, rate
    if batch % count:
        below = batch // count * count
        near = f"{below} or {below + count}" if below else f"{count}"
        raise HeldoutError(
            f"batch_size: expected a multiple of the {count} devices, got {batch}: each takes an "
            f"equal share. Use a batch_size of {near}, other devices, or scaling: batch."
        )
    return batch, rate


def _devices(backend: str, kind: str) -> list[Any]:
    if backend == "jax":
        import jax

        return list(jax.local_devices())
    import tensorflow as tf

    return list(tf.config.list_logical_devices(kind.upper()))


def _tpu_strategy(tf: Any, count: int) -> Any:
    """Start the TPU of this machine."""
    resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect("local")
    topology = tf.tpu.experimental.initialize_tpu_system(resolver)
    cores = tf.tpu.experimental.DeviceAssignment.build(topology, num_replicas=count)
    return tf.distribute.TPUStrategy(resolver, experimental_device_assignment=cores)
