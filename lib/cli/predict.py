"""Predict the class of recordings with a trained network."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lib.predict.predictor import Prediction, Predictor


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add = parser.add_argument
    add(
        "run",
        metavar="RUN",
        help="folder of a run, or a study: then the network that its page names",
    )
    add("files", metavar="FILE", nargs="+", type=Path, help="audio, WFDB record (.hea) or .mat")
    add("--windows", action="store_true", help="a row for each window or beat, with its times")
    add("--json", action="store_true", help="print JSON")
    add("--csv", action="store_true", help="print CSV")
    add("--results", type=Path, default=Path("results"), help="folder of the studies")
    add("--lead", help="another lead than the one the network was trained on (ECG beats)")
    add(
        "--annotations",
        type=Path,
        metavar="FOLDER",
        help="write the class of each beat to .atr files there",
    )
    add("--variable", help="variable of a .mat file that holds the samples")
    add("--rate", help="sampling rate of a .mat file in Hz, or the variable that holds it")
    add(
        "--context",
        metavar="NAME=NUMBER",
        action="append",
        default=[],
        help="what the network is told beside all of the files, such as age=63; may be repeated",
    )
    add("--threads", type=int, default=os.cpu_count() or 1, help="files read at once")


def run(arguments: argparse.Namespace) -> int:
    """Predict and print; 1 where a file could not be predicted."""
    from lib.cli.output import print_json, print_table
    from lib.errors import HeldoutError
    from lib.predict.predictor import Predictor, file_table, find_run, window_table

    given = {"variable": arguments.variable, "rate": rate_of(arguments.rate)}
    predictor = Predictor(
        find_run(arguments.run, results=arguments.results),
        lead=arguments.lead,
        reading={name: value for name, value in given.items() if value is not None},
        context=dict(map(told, arguments.context)),
        threads=arguments.threads,
    )
    predictions = predictor.predict(arguments.files)
    written: dict[str, str] = {}
    failed = False
    for item in predictions:
        for text in item.warnings:
            print(f"warning: {item.path}: {text}", file=sys.stderr)
        if item.error:
            print(f"heldout: {item.error}", file=sys.stderr)
            failed = True
        try:
            if arguments.annotations and not item.error and len(item.positions):
                written[item.path] = _annotate(predictor, item, arguments.annotations)
        except HeldoutError as error:
            # What was predicted is shown all the same.
            print(f"heldout: {error}", file=sys.stderr)
            failed = True
    if arguments.json:
        print_json(
            {
                "run": predictor.folder.as_posix(),
                "study": predictor.record["study"],
                "simulated": predictor.record["simulated"],
                "classes": predictor.classes,
                "files": [_as_json(p, predictor.classes, written.get(p.path)) for p in predictions],
            }
        )
    else:
        make = window_table if arguments.windows else file_table
        print_table(make(predictions, predictor.classes), csv=arguments.csv)
        if not arguments.csv:
            kind = ", trained on simulated recordings" if predictor.record["simulated"] else ""
            print(f"\nby {predictor.folder}{kind}")
    return int(failed)


def rate_of(text: str | None) -> float | str | None:
    """Read a rate: a number of Hz, or else the name of a variable."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def told(text: str) -> tuple[str, float]:
    """Read a name and its number.

    Raises
    ------
    HeldoutError
        There is no number.
    """
    from lib.errors import HeldoutError

    name, _, number = text.rpartition("=")
    try:
        return name, float(number)
    except ValueError as error:
        raise HeldoutError("--context", "NAME=NUMBER, such as age=63", text) from error


def _annotate(predictor: Predictor, item: Prediction, folder: Path) -> str:
    """Write the annotations of a record whose beats were predicted."""
    import numpy as np

    from lib.predict.rpeaks import write_annotations

    names = np.array(predictor.classes)[item.probabilities.argmax(axis=1)]
    path = folder / f"{Path(item.path).name.removesuffix('.hea')}.atr"
    write_annotations(
        path, item.positions, names.tolist(), rate=item.rate, labels=predictor.inputs["labels"]
    )
    print(f"annotations: {path}", file=sys.stderr)
    return path.as_posix()


def _as_json(item: Prediction, classes: list[str], annotations: str | None) -> dict[str, object]:
    if item.error:
        return {"file": item.path, "error": item.error}
    mean, windows = item.mean, []
    for start, end, row in zip(item.start, item.end, item.probabilities, strict=True):
        named = dict(zip(classes, map(float, row), strict=True))
        best = classes[int(row.argmax())]
        windows.append(
            {"start": float(start), "end": float(end), "class": best, "probabilities": named}
        )
    return {
        "file": item.path,
        "rate": item.rate,
        "duration": item.duration,
        "class": classes[int(mean.argmax())],
        "probabilities": dict(zip(classes, map(float, mean), strict=True)),
        "windows": windows,
        "warnings": item.warnings,
        "annotations": annotations,
    }
