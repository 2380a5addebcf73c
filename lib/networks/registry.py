"""Every architecture by its name."""

from __future__ import annotations

from importlib import import_module

from lib.errors import HeldoutError, suggestion
from lib.networks.architecture import Architecture

# Each is a file of this package with an `ARCHITECTURE`.
NAMES = (
    "simple_rnn",
    "lstm",
    "gru",
    "cnn",
    "cnn_lstm",
)

ARCHITECTURES: dict[str, Architecture] = {
    name: import_module(f"lib.networks.{name}").ARCHITECTURE for name in NAMES
}


def lookup(name: str) -> Architecture:
    """Look up an architecture.

    Raises
    ------
    HeldoutError
        There is none of that name.
    """
    if name not in ARCHITECTURES:
        raise HeldoutError(
            f"unknown architecture {name!r}", advice=suggestion(name, sorted(ARCHITECTURES))
        )
    return ARCHITECTURES[name]
