"""What a network is trained by: its recipe, and the name of all that its weights depend on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from lib.errors import HeldoutError
from lib.networks.backend import choose_backend
from lib.networks.hyperparameters import complete, digest
from lib.networks.registry import lookup
from lib.provenance import code_hash, versions
from lib.train.data import Data
from lib.train.training import Training

# What training imports and weights do not depend on, or depend on by what else is in the key.
NOT_OF_WEIGHTS = (
    *("lib.files", "lib.provenance", "lib.train.data", "lib.train.recipe", "lib.train.tensorboard"),
    *("lib.networks.architecture", "lib.networks.hyperparameters", "lib.networks.registry"),
)


class Untrainable(HeldoutError):
    """A trial that cannot be trained, on any machine; other trials of its search can be."""


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
        lookup(self.architecture)  # refuses one that is not known
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
                # Each of its two trainings is one by itself.
                "training": asdict(replace(self.training, refit=False)),
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
