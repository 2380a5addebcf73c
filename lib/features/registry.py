"""The kinds of features: from one recording to examples, network inputs of one shape."""

from __future__ import annotations

import inspect
from types import MappingProxyType
from typing import Any

from lib.datasets.signal import Signal
from lib.errors import HeldoutError, suggestion
from lib.features.beats import Beats
from lib.features.kinds import ADVICE, Features, Kind
from lib.features.mel import Mel
from lib.features.mfcc import Mfcc
from lib.features.spectral import Spectral
from lib.features.types import require_types
from lib.features.windows import Windows

KINDS = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Beats,
            Windows,
            Mfcc,
            Spectral,
            Mel,
        )
    }
)
"""The kinds of features, by name."""


def make(kind: str, **settings: Any) -> Kind:
    """Check the settings of features, without reading anything.

    Parameters
    ----------
    kind : str
        A name in `KINDS`.
    **settings
        What the kind takes.

    Returns
    -------
    Kind
        With its `shape`, `seconds`, `demands` and whatever else follows from the settings.

    Raises
    ------
    HeldoutError
        The kind is not known, or a setting is missing, not known, or wrong.

    Examples
    --------
    >>> make("beats", lead="MLII", rate=125, samples=187, before=0.6).seconds
    1.496
    """
    if kind not in KINDS:
        raise HeldoutError(
            "features.kind", "a kind of features", repr(kind), suggestion(kind, list(KINDS))
        )
    chosen = KINDS[kind]
    known = inspect.signature(chosen).parameters
    needed = {name for name, setting in known.items() if setting.default is setting.empty}
    unknown = [name for name in settings if name not in known]
    if unknown or not needed <= set(settings):
        wrong = [f"{name!r}, which is none of them" for name in unknown]
        missing = [repr(name) for name in known if name in needed and name not in settings]
        wrong += [f"no {', '.join(missing)}"] if missing else []
        raise HeldoutError(
            f"features kind {kind}",
            f"the settings {', '.join(known)}",
            "; ".join(wrong),
            " ".join([ADVICE, *(suggestion(name, list(known)) for name in unknown[:1])]),
        )
    require_types(chosen, settings, place=f"features kind {kind}")
    return chosen(**settings)


def shape(kind: str, **settings: Any) -> tuple[int, int]:
    """Compute the shape of an example without reading anything.

    Parameters
    ----------
    kind : str
        A name in `KINDS`.
    **settings
        What the kind takes.

    Returns
    -------
    tuple of int
        (time, channels).

    Raises
    ------
    HeldoutError
        As `make`.

    Examples
    --------
    >>> shape("mel", rate=16000, duration=5.0, n_mels=64, n_fft=1024, hop=256)
    (313, 64)
    """
    return make(kind, **settings).shape


def extract(signal: Signal, *, kind: str, **settings: Any) -> Features:
    """Make the examples of one recording.

    Parameters
    ----------
    signal : Signal
        The recording.
    kind : str
        A name in `KINDS`.
    **settings
        What the kind takes; see its class.

    Returns
    -------
    Features
        Of `shape(kind, **settings)` each.

    Raises
    ------
    HeldoutError
        As `make` and `Kind.examples`.

    Examples
    --------
    >>> import numpy as np
    >>> from lib.datasets import Signal
    >>> ramp = Signal(np.linspace(0, 1, 1000)[:, None], 100.0, ("ECG",))
    >>> settings = {"channels": ["ECG"], "rate": 50, "samples": 100, "stride": 100}
    >>> features = extract(ramp, kind="windows", **settings)
    >>> features.x.shape, features.start.tolist()
    ((5, 100, 1), [0.0, 2.0, 4.0, 6.0, 8.0])
    """
    return make(kind, **settings).examples(signal)
