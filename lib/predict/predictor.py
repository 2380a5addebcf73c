"""Predicting files with a finished run: its features are made as they were for training."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.datasets.files import read_file
from lib.datasets.signal import Signal
from lib.errors import HeldoutError
from lib.features.kinds import Features
from lib.features.registry import extract, make
from lib.files import read_json, read_table
from lib.networks.backend import load
from lib.predict.inputs import differences, require_given
from lib.predict.rpeaks import find_beats
from lib.train.batches import predict

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network says of one file.

    Attributes
    ----------
    path : str
        The file.
    error : str
        Why it could not be predicted; all that follows is then empty.
    warnings : list of str
        In what it differs from the recordings of the training.
    rate : float
        In Hz.
    duration : float
        In s.
    start, end : np.ndarray [shape=(examples,)]
        Of each example, in s.
    positions : np.ndarray [shape=(examples,)]
        The sample of each beat; empty where examples are no beats.
    probabilities : np.ndarray [shape=(examples, classes)]
        Of each example.
    """

    path: str
    error: str = ""
    warnings: list[str] = field(default_factory=list)
    rate: float = 0.0
    duration: float = 0.0
    start: np.ndarray = field(default_factory=lambda: np.zeros(0))
    end: np.ndarray = field(default_factory=lambda: np.zeros(0))
    positions: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    probabilities: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    @property
    def mean(self) -> np.ndarray:
        """Mean probabilities of the examples, shape (classes,)."""
        return np.asarray(self.probabilities.mean(axis=0))


def find_run(name: str | Path, *, results: str | Path = "results") -> Path:
    """Find the run that a person means.

    Parameters
    ----------
    name : str or Path
        The folder of a run, or the name of a study.
    results : path
        The folder that holds the studies.

    Returns
    -------
    Path
        The folder. A study stands for its verdict: the protocol and architecture that the page
        names (`answers.csv`). Of a study that the last comparison is not about, it is any honest
        network. Of several runs it is the one with the least loss on its validation part: the test
        part has no say, and neither have runs that the comparison did not know, which are left from
        other settings.

    Raises
    ------
    HeldoutError
        There is no such folder, or no honest run of a network in the study.
    """
    folder = Path(name)
    if (folder / "run.json").is_file():
        return folder
    # `new-study` names a study after its folder of recordings, which may lie right here.
    study = Path(results) / folder
    study = study if study.is_dir() else folder
    compared, verdict = _compared(study, "runs"), _compared(study, "answers")
    candidates = []
    for row in verdict or [{"protocol": "*", "architecture": "*"}]:
        pattern = f"{row['protocol']}/{row['architecture']}/seed-*/fold-*/run.json"
        candidates += sorted(study.glob(pattern))
    known = {
        f"{r['protocol']}/{r['architecture']}/seed-{r['seed']}/fold-{r['fold']}" for r in compared
    }
    losses = {}
    for file in candidates:
        run, record = file.parent, read_json(file)
        of_comparison = not known or run.relative_to(study).as_posix() in known
        network = record.get("kind") == "network" and (run / "model.keras").is_file()
        if of_comparison and network and record.get("honest"):
            losses[run] = record["metrics"]["validation"]["loss"]
    if not losses:
        raise HeldoutError(
            name,
            f"the folder of a run (with run.json and model.keras), or a study in {results} with an "
            "honest run of a network",
            "neither",
            "Run the workflow first, or correct the name.",
        )
    return min(losses, key=lambda run: losses[run])


def _compared(study: Path, table: str) -> list[dict[Any, Any]]:
    """Read the rows of a table of the last comparison that are about a study."""
    file = study.parent / "tables" / f"{table}.csv"
    if not file.is_file():
        return []
    rows = read_table(file, text=("study", "protocol", "architecture"))
    return rows[rows["study"] == study.name].to_dict("records")


def read_run(folder: str | Path) -> dict[str, Any]:
    """Read what a run says of itself and of its inputs.

    Raises
    ------
    HeldoutError
        The run is not there, is no network, or does not say how its inputs are made.
    """
    record = read_json(Path(folder) / "run.json")
    if record.get("kind") != "network" or not (Path(folder) / "model.keras").is_file():
        raise HeldoutError(
            folder,
            "the run of a network, with its model.keras",
            f"{record.get('kind', 'something else')} {record.get('architecture', '')}",
            "Name another run.",
        )
    if "inputs" not in record:
        raise HeldoutError(
            f"{folder}/run.json",
            "`inputs`, how the features are made",
            "none: the run is of an older version",
            "Run the workflow again; what was trained is not trained anew.",
        )
    return dict(record)


def load_model(keras: Any, path: str | Path) -> Any:
    """Load a model, but no code that its file may hold.

    Parameters
    ----------
    keras : module
        Of `lib.networks.backend.load`.
    path : path
        A file `.keras`.

    Returns
    -------
    keras.Model
        The model.

    Raises
    ------
    HeldoutError
        The file is missing, is no model, or holds code: a layer that is a function.
    """
    try:
        return keras.models.load_model(path, safe_mode=True)
    except Exception as error:  # Keras raises whatever the archive leads it to
        raise HeldoutError(
            path,
            "a model of this workflow, without code of its own",
            f"{type(error).__name__}: {str(error)[:300]}",
            "Do not use it; delete its folder and run the workflow again: it is trained anew.",
        ) from error


class Predictor:
    """A network that takes files.

    Parameters
    ----------
    folder : path
        Of a run.
    lead : str, optional
        The lead to take instead of the one that beats were cut from in training.
    reading : mapping, optional
        What `lib.datasets.files.read_file` takes beside the path, over what the study states.
    context : mapping, optional
        A number for each name of `lib.predict.inputs.given_context`, such as the age of the person
        whose files are predicted.
    threads : int
        Files read at once.

    Raises
    ------
    HeldoutError
        As `read_run` and `lib.predict.inputs.require_given`.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        lead: str | None = None,
        reading: Mapping[str, Any] | None = None,
        context: Mapping[str, float] | None = None,
        threads: int = 4,
    ) -> None:
        self.folder = Path(folder)
        self.record = read_run(folder)
        self.inputs: dict[str, Any] = self.record["inputs"]
        self.classes: list[str] = self.record["classes"]
        self.features: dict[str, Any] = dict(self.inputs["features"])
        if lead is not None:
            if not make(**self.features).of_beats:
                kind = self.features["kind"]
                raise HeldoutError(
                    "lead", "a network of beats", f"one of {kind}", "Leave --lead out."
                )
            self.features |= {"lead": lead, "other_lead": ""}
        self._kind = make(**self.features)
        self._reading = {**self.inputs["reading"], **(reading or {})}
        self._given = require_given(context or {}, self.inputs)
        self._threads = threads

    def predict(self, paths: Sequence[str | Path]) -> list[Prediction]:
        """Predict files: read in parallel, predicted together.

        Parameters
        ----------
        paths : sequence of path
            What `lib.datasets.files.read_file` takes.

        Returns
        -------
        list of Prediction
            In the order of `paths`. One that cannot be predicted has an `error`, and does not
            keep the others from being predicted.
        """
        with ThreadPoolExecutor(self._threads) as pool:
            items = list(pool.map(self._examples, map(Path, paths)))
        read = [item[1] for item in items if not isinstance(item, Prediction)]
        if not read:
            return [item for item in items if isinstance(item, Prediction)]
        x = np.concatenate([features.x for features in read])
        context = np.concatenate([features.context for features in read])
        keras = load(self.record["backend"])
        model = load_model(keras, self.folder / "model.keras")
        beside = context if context.shape[1] else None
        probabilities = predict(keras, model, x, np.arange(len(x)), beside)
        done, first = [], 0
        for path, item in zip(paths, items, strict=True):
            if isinstance(item, Prediction):
                done.append(item)
                continue
            count = len(item[1].x)
            done.append(self._prediction(str(path), *item, probabilities[first : first + count]))
            first += count
        return done

    def _examples(self, path: Path) -> tuple[Signal, Features] | Prediction:
        try:
            signal = read_file(path, **self._reading)
            if self._kind.of_beats and not len(signal.positions):
                signal = find_beats(signal, lead=self._kind.first_channel(signal))
            features = extract(signal, **self.features)
            given = np.tile(self._given, (len(features.x), 1))
            features = replace(features, context=np.hstack([features.context, given]))
        except HeldoutError as error:
            return Prediction(str(path), error=str(error))
        except Exception as error:  # of a library: the other files are predicted all the same
            logger.debug("%s", path, exc_info=True)
            told = HeldoutError(
                path,
                "a recording that can be predicted",
                f"{type(error).__name__}: {error}",
                "Take the file out, and please report it.",
            )
            return Prediction(str(path), error=str(told))
        return signal, features

    def _prediction(
        self, path: str, signal: Signal, features: Features, probabilities: np.ndarray
    ) -> Prediction:
        return Prediction(
            path,
            warnings=[*signal.notes, *differences(signal, features, self.inputs)],
            rate=signal.rate,
            duration=signal.duration,
            start=features.start,
            end=features.start + self._kind.seconds,
            positions=signal.positions if self._kind.of_beats else np.zeros(0, dtype=np.int64),
            probabilities=probabilities,
        )


def file_table(predictions: Sequence[Prediction], classes: Sequence[str]) -> pd.DataFrame:
    """Make a row for each predicted file: mean probabilities, and the class with the largest.

    Returns
    -------
    pd.DataFrame
        `file`, `class`, `examples`, then a column for each class.
    """
    rows = [
        {
            "file": p.path,
            "class": classes[int(p.mean.argmax())],
            "examples": len(p.probabilities),
            **{name: float(v) for name, v in zip(classes, p.mean, strict=True)},
        }
        for p in predictions
        if not p.error
    ]
    return pd.DataFrame(rows, columns=["file", "class", "examples", *classes])


def window_table(predictions: Sequence[Prediction], classes: Sequence[str]) -> pd.DataFrame:
    """Make a row for each example of the predicted files.

    Returns
    -------
    pd.DataFrame
        `file`, `start`, `end` (s), `class`, then a column for each class.
    """
    tables = []
    for p in predictions:
        if p.error:
            continue
        best = np.array(classes)[p.probabilities.argmax(axis=1)]
        head = pd.DataFrame({"file": p.path, "start": p.start, "end": p.end, "class": best})
        tables.append(head.join(pd.DataFrame(p.probabilities, columns=list(classes))))
    if not tables:
        return pd.DataFrame(columns=["file", "start", "end", "class", *classes])
    return pd.concat(tables, ignore_index=True)
