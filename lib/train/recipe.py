"""What a network is trained by: its recipe, and the name of all that its weights depend on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from lib.errors import HeldoutError
from lib.networks.backend import choose_backend
from lib.networks.hyperparameters import complete, digest
from lib.networks.registry import lookup
from lib.provenance import code_hash, versions
from lib.train.augmentation import require_augmentation
from lib.train.data import Data

# What training imports and weights do not depend on, or depend on by what else is in the key.
NOT_OF_WEIGHTS = (
    *("lib.files", "lib.provenance", "lib.train.data", "lib.train.tensorboard"),
    *("lib.networks.architecture", "lib.networks.hyperparameters", "lib.networks.registry"),
)

KEEP = ("best", "last", "average")
# The share of the epochs whose weights are averaged.
AVERAGED = 0.25


class Untrainable(HeldoutError):
    """A trial that cannot be trained, on any machine; other trials of its search can be."""


@dataclass(frozen=True)
class Training:
    """How long and under which rules a network is trained.

    Attributes
    ----------
    epochs : int
        At most.
    early_stopping : int
        Epochs without a better validation loss before training stops; 0 never stops early.
    reduce_lr_factor : float
        What the learning rate is multiplied by on a plateau of the validation loss; 1 for never.
        A trial whose `schedule` sets the rate of every step has no plateaus.
    reduce_lr_patience : int
        Epochs without a better validation loss that make a plateau.
    keep : {"best", "last", "average"}
        Which weights are kept: those of the epoch with the lowest validation loss, those of the
        last epoch, or the mean of those after each of the last `AVERAGED` of all epochs.
    augmentation : mapping
        What is done to the examples of the train part, epoch by epoch anew, and how much: see
        `lib.train.augmentation.AUGMENTATIONS`.
    seconds : float, optional
        Training ends with the epoch in which so much time (s) has been spent in epochs. How many
        these are depends on the machine, so the weights do too.

    Raises
    ------
    HeldoutError
        An unknown `keep` or augmentation, or an average of epochs that early stopping or a limit
        in seconds may leave out.
    """

    epochs: int
    early_stopping: int = 0
    reduce_lr_factor: float = 1.0
    reduce_lr_patience: int = 2
    keep: str = "best"
    augmentation: Mapping[str, float] = field(default_factory=dict)
    seconds: float | None = None

    def __post_init__(self) -> None:
        """Check what goes together."""
        if self.keep not in KEEP:
            raise HeldoutError("training.keep", f"one of {', '.join(KEEP)}", repr(self.keep))
        for name in ("early_stopping", "seconds") if self.keep == "average" else ():
            if getattr(self, name):
                raise HeldoutError(
                    "training.keep",
                    f"no `{name}` beside `average`, which takes the last epochs of all",
                    f"{name}: {getattr(self, name)}",
                    f"Remove {name}, or keep the best or the last weights.",
                )
        require_augmentation(self.augmentation)

    def spent(self, history: Sequence[Mapping[str, float]]) -> bool:
        """Whether the epochs so far have taken all the time there is."""
        return self.seconds is not None and sum(row["seconds"] for row in history) >= self.seconds

    def averages(self, epoch: int) -> bool:
        """Whether the weights after an epoch, from 1, are among those that are averaged."""
        return self.keep == "average" and epoch > self.epochs - math.ceil(AVERAGED * self.epochs)


@dataclass(frozen=True)
class Recipe:
    """How a network is trained, whatever the examples and the seed.

    Attributes
    ----------
    architecture : str
        One of `lib.networks.registry.ARCHITECTURES`.
    hyperparameters : mapping
        What differs from its defaults.
    training : Training
        Epochs and stopping.
    backend : {"auto", "jax", "tensorflow"}
        What computes; `auto` becomes JAX.
    device : {"auto", "cpu", "gpu", "tpu"}
        Where it computes; `auto` is a GPU or TPU where the backend finds one.
    devices : int or "all"
        On how many of the devices of a machine.
    scaling : {"none", "batch", "linear"}
        What several devices change (`lib.networks.devices.scaled`).
    precision : {"float32", "mixed_float16", "mixed_bfloat16"}
        What it computes in. Weights, normalisation and the softmax are float32 in all of them.
    threads : int, optional
        CPU threads; None leaves their number to the backend.

    Raises
    ------
    HeldoutError
        An unknown architecture, or what `lib.networks.backend.choose_backend` refuses.
    """

    architecture: str
    hyperparameters: Mapping[str, Any]
    training: Training
    backend: str = "auto"
    device: str = "auto"
    devices: int | str = 1
    scaling: str = "none"
    precision: str = "float32"
    threads: int | None = None

    def __post_init__(self) -> None:
        """Choose the backend, if that was left open."""
        lookup(self.architecture)
        backend = choose_backend(self.backend, device=self.device, devices=self.devices)
        object.__setattr__(self, "backend", backend)

    def key(self, data: Data, seed: int, *, kind: str = "") -> str:
        """Name a training by all that its weights depend on; the test part is not among it.

        Parameters
        ----------
        data : Data
            Examples and parts.
        seed : int
            Of initial weights, dropout and shuffling.
        kind : str
            The kind of device that computes, from `lib.networks.backend.device_kind`; empty for a
            name that is that of any.

        Returns
        -------
        str
            32 hexadecimal digits.
        """
        packages = versions()
        return digest(
            {
                "architecture": lookup(self.architecture).name,
                "hyperparameters": complete(self.architecture, self.hyperparameters),
                "training": asdict(self.training),
                "examples": data.digest,
                "train": digest(data.rows["train"].tolist()),
                "validation": digest(data.rows["validation"].tolist()),
                "labels": digest(data.labels.tolist()),
                "classes": data.classes,
                "seed": seed,
                "code": weights_code(self.architecture),
                "backend": [self.backend, packages.get(self.backend), packages["keras"]],
                "precision": self.precision,
                # Each thread adds up a part of a sum: their number changes the last digits.
                "threads": self.threads,
                # On one device there is nothing to scale.
                "devices": [kind, *([] if self.devices == 1 else [self.devices, self.scaling])],
            },
            32,
        )


def weights_code(architecture: str) -> str:
    """Hash the code that makes the weights of an architecture, and not that of the others."""
    name = lookup(architecture).name
    return code_hash("lib.train.trainer", f"lib.networks.{name}", without=NOT_OF_WEIGHTS)
