"""Every architecture by its name."""

from __future__ import annotations

from dataclasses import replace
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
    """Look up an architecture, or a variant of one.

    Parameters
    ----------
    name : str
        One of `ARCHITECTURES`, perhaps with a point and a name of its own, such as `lstm.wide`: a
        study may compare several networks of one architecture.

    Returns
    -------
    Architecture
        `name` is that of the architecture, without the variant; `title` has both.

    Raises
    ------
    HeldoutError
        There is none of that name.

    Examples
    --------
    >>> lookup("lstm.two_layers").title
    'LSTM two layers'
    """
    base, _, variant = name.partition(".")
    if base not in ARCHITECTURES:
        raise HeldoutError(
            f"unknown architecture {base!r}", advice=suggestion(base, sorted(ARCHITECTURES))
        )
    known = ARCHITECTURES[base]
    return replace(known, title=f"{known.title} {variant.replace('_', ' ')}") if variant else known


def find(name: str) -> Architecture | None:
    """Look up what may be an architecture, or else a baseline."""
    return lookup(name) if name.partition(".")[0] in ARCHITECTURES else None
