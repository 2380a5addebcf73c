"""What a trial sets: every hyperparameter checked, and the name made from its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from lib.errors import HeldoutError, suggestion
from lib.networks.registry import lookup


def complete(architecture: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in the defaults of an architecture and check every value.

    Parameters
    ----------
    architecture : str
        One of `lib.networks.registry.ARCHITECTURES`.
    given : mapping
        The hyperparameters that differ from the defaults.

    Returns
    -------
    dict
        Every hyperparameter of the architecture, in a fixed order.

    Raises
    ------
    HeldoutError
        Unknown architecture or hyperparameter, or a value that cannot be.
    """
    known = lookup(architecture)
    specs = known.hyperparameters
    for name in given:
        if name not in specs:
            raise HeldoutError(
                f"{architecture}: unknown hyperparameter {name!r}",
                advice=suggestion(name, list(specs)),
            )
    values = {name: given.get(name, spec.default) for name, spec in specs.items()}
    for name, spec in specs.items():
        if not spec.allows(values[name]):
            raise HeldoutError(f"{architecture}: {name}", spec.expected, repr(values[name]))
        # 0 and 0.0 are one dropout: they must give one name, and one training.
        if isinstance(spec.default, float):
            values[name] = float(values[name])
    first, *others = known.pairs or ("",)
    for name in others:
        if len(values[name]) != len(values[first]):
            raise HeldoutError(
                architecture,
                f"as many {name} as {first}",
                f"{len(values[name])} {name} and {len(values[first])} {first}",
            )
    return values


def require_channels(architecture: str, given: Mapping[str, Any], *, channels: int) -> None:
    """Raise HeldoutError where a network is to take more channels than an example has."""
    wanted = given.get("channels", 0)
    if wanted > channels:
        raise HeldoutError(
            f"{architecture}: channels", f"at most the {channels} of an example", str(wanted)
        )


def digest(value: Any, length: int = 64) -> str:
    """Compute the first digits of the SHA-256 of a value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def trial_id(architecture: str, hyperparameters: Mapping[str, Any]) -> str:
    """Name a trial by its content: layer sizes, optimizer, learning rate, and a short hash.

    The hash of 48 bits is unique in practice: in the largest grid two trials share one with a
    probability of 0.00002. A value more in a grid leaves the names of the other cells, and their
    results, as they are.

    Examples
    --------
    >>> trial_id("lstm", {"units": [128, 64]})
    'lstm-128x64-adam-0.001-ad796ab32bd0'
    """
    values = complete(architecture, hyperparameters)
    sizes = [*values.get("filters", []), *values.get("units", []), *values["dense"]]
    layers = "x".join(map(str, sizes[:6]))
    rate = f"{values['learning_rate']:g}"
    short = digest({"architecture": architecture, **values}, 12)
    return f"{architecture}-{layers}-{values['optimizer']}-{rate}-{short}"
