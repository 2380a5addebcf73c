"""The features of a new study, with settings that follow from the headers of all recordings."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from lib.datasets.signal import Header
from lib.errors import HeldoutError
from lib.own.headers import AUDIO_RATE, MEASURED_RATE, far_below, few

# A beat from before its P wave to behind its T wave, as in the study `arrhythmia`.
_BEAT_RATE, _BEAT_SECONDS, _BEFORE = 125, 1.5, 0.6

Settings = dict[str, str]
"""Keys of `features` and what stands behind them in the file, comments too."""

_EFFORTS = {"demo": {"epochs": 25, "early_stopping": 8}, "quick": {"epochs": 40}}


class Choice(NamedTuple):
    """What a study of a folder is made of.

    Attributes
    ----------
    example : str
        What an example is.
    features : Settings
        How it is made.
    networks : dict
        Name of an architecture to its hyperparameters, `fixed` and `space`.
    epochs, patience : int
        The limit of a training, and after how many epochs without a better one it ends.
    efforts : dict
        What less effort changes of these: name to keys of `training`.
    gone : dict
        The few recordings that lack what all others have, with what they lack.
    """

    example: str
    features: Settings
    networks: Mapping[str, Mapping[str, Any]]
    epochs: int = 60
    patience: int = 10
    efforts: Mapping[str, Mapping[str, int]] = _EFFORTS
    gone: Mapping[str, str] = {}


def mfcc(headers: Mapping[str, Header]) -> Choice:
    """Choose MFCC of sounds."""
    rate, why = _lowest(headers, AUDIO_RATE)
    middle = float(np.median([header.duration for header in headers.values()]))
    duration = min(10.0, max(0.5, round(middle, 1)))
    n_fft = 2 ** math.ceil(math.log2(0.1 * rate))
    # About a hundred frames: what a small recurrent network can follow.
    hop = max(n_fft // 4, math.ceil(duration * rate / 100))
    features = {
        "kind": "mfcc # also mel and spectral",
        "rate": f"{rate:g} # {why}; else it could give a class away",
        "duration": f"{duration:g} # s; longer recordings are cut, shorter ones filled up",
        "n_mfcc": "13",
        "n_mels": "40",
        "n_fft": f"{n_fft} # samples",
        "hop": f"{hop} # samples",
    }
    networks = {"gru": _recurrent(batch_size=16), "cnn": _convolutional([16, 32], [5, 3])}
    return Choice(f"MFCC of the first {duration:g} s", features, networks)


def windows(folder: Path, headers: Mapping[str, Header], label: Mapping[str, str]) -> Choice:
    """Choose windows, and say which of the few recordings do not have what all others have."""
    channels = _channels(folder, headers, label)
    gone = {
        path: f"it has no channel {', '.join(name for name in channels if name not in one.names)}"
        for path, one in headers.items()
        if not set(channels) <= set(one.names)
    }
    lasting = {path: one.duration for path, one in headers.items() if path not in gone}
    short = far_below(lasting, cap=10.0, share=0.5)
    if _keep_classes([*gone, *short], headers, label):
        gone |= {path: f"it lasts {lasting[path]:g} s, shorter than a window" for path in short}
    kept = {path: header for path, header in headers.items() if path not in gone}
    rate, why = _lowest(kept, MEASURED_RATE)
    seconds = min(10.0, *(header.duration for header in kept.values()))
    samples = max(1, int(seconds * rate))
    features = {
        "kind": "windows",
        "channels": as_json(channels),
        "rate": f"{rate:g} # {why}",
        "samples": f"{samples} # {samples / rate:g} s",
        "stride": f"{samples} # samples from the start of a window to that of the next",
        "limit": "20 # windows of a recording at most, so that no long one outweighs the others",
    }
    networks = {
        "cnn": _convolutional([16, 32, 32], [7, 5, 3]),
        "cnn_lstm": {
            "fixed": {"filters": [16, 32], "kernels": [7, 5], "units": [16], "pooling": "mean"}
            | {"dense": [], "learning_rate": 0.003, "global_clipnorm": 1.0, "batch_size": 16}
            | {"class_weights": True},
            "space": {"dropout": [0.0]},
        },
    }
    return Choice(f"a window of {samples / rate:g} s", features, networks, gone=gone)


def beats(headers: Mapping[str, Header], leads: Mapping[str, tuple[str, ...]]) -> Choice:
    """Choose beats of the lead that most records have."""
    common = Counter(name for some in leads.values() for name in some)
    having = max(common.values())
    most = [name for name in common if common[name] == having]
    # Of leads that are as common, one along the axis of the heart shows beats best.
    lead = next((name for name in ("MLII", "II") if name in most), most[0])
    rate, why = _lowest({path: headers[path] for path in leads if lead in leads[path]}, _BEAT_RATE)
    samples = int(_BEAT_SECONDS * rate)
    features = {
        "kind": "beats",
        "lead": f"{as_json(lead)} # {having} of {len(leads)} records have it; others are left out",
        "rate": f"{rate:g} # {why}",
        "samples": f"{samples} # {samples / rate:g} s",
        "before": f"{_BEFORE} # s from the start of the window to the R peak",
    }
    return Choice(
        f"one beat, {samples} samples at {rate:g} Hz",
        features,
        networks={
            "cnn": _convolutional([16, 32], [7, 5], dense=[32], batch_size=64),
            "gru": _recurrent(batch_size=64),
        },
        epochs=20,
        patience=5,
        efforts={"demo": {"epochs": 8, "early_stopping": 3}},
    )


def _convolutional(
    filters: list[int], kernels: list[int], *, dense: Sequence[int] = (), batch_size: int = 16
) -> dict[str, Any]:
    """Choose hyperparameters of a CNN."""
    fixed = {"filters": filters, "kernels": kernels, "dense": list(dense), "learning_rate": 0.003}
    fixed |= {"batch_size": batch_size, "batch_normalization": False, "class_weights": True}
    return {"fixed": fixed, "space": {"dropout": [0.2]}}


def _recurrent(*, batch_size: int) -> dict[str, Any]:
    """Choose hyperparameters of a GRU."""
    fixed = {"units": [24], "pooling": "mean", "learning_rate": 0.005, "global_clipnorm": 1.0}
    fixed |= {"batch_size": batch_size, "class_weights": True}
    return {"fixed": fixed, "space": {"dropout": [0.0]}}


def _lowest(headers: Mapping[str, Header], cap: float) -> tuple[float, str]:
    """Find the lowest rate of all recordings, up to `cap`, and say who has it."""
    lowest = min(header.rate for header in headers.values())
    if lowest >= cap:
        return cap, f"Hz, one for all {len(headers):,} recordings, which have it or more"
    having = [path for path, header in headers.items() if header.rate == lowest]
    if len(having) == len(headers):
        return lowest, f"Hz, one for all {len(headers):,} recordings, as they have it"
    return lowest, f"Hz, the lowest rate, one for all ({len(having):,} of {len(headers):,} have it)"


def _channels(folder: Path, headers: Mapping[str, Header], label: Mapping[str, str]) -> list[str]:
    """Choose the channels that all recordings have, or all but one in twenty."""
    having = Counter(name for header in headers.values() for name in header.names)
    most = [name for name in having if few(len(headers) - having[name], of=len(headers))]
    lacking = [path for path, header in headers.items() if not set(most) <= set(header.names)]
    enough = len(lacking) <= len(headers) // 20 and _keep_classes(lacking, headers, label)
    channels = most if enough else [name for name in most if having[name] == len(headers)]
    if not channels:
        some: dict[tuple[str, ...], str] = {}
        for path, header in headers.items():
            some.setdefault(header.names, path)
        told = "; ".join(f"{', '.join(names)} in {path}" for names, path in list(some.items())[:4])
        raise HeldoutError(
            folder, "recordings with a channel in common", told, "Name the channels alike."
        )
    return channels


def _keep_classes(
    gone: Iterable[str], headers: Mapping[str, Header], label: Mapping[str, str]
) -> bool:
    """Tell whether each class has recordings left once some are gone."""
    gone = set(gone)
    return {label[path] for path in headers} == {label[p] for p in headers if p not in gone}


def as_json(value: object) -> str:
    """Write a value so that YAML reads it as what it is, whatever its name: JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)


def as_flow(value: object) -> str:
    """Write settings as YAML in one line, as a person would."""
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=math.inf)
    return text.strip()
