"""Write a trained network as one folder to hand on, with a model card."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add = parser.add_argument
    add(
        "run",
        metavar="RUN",
        help="folder of a run, or a study: then the network that its page names",
    )
    add("--output", type=Path, metavar="FOLDER", help="what to write; exported/STUDY without it")
    add("--format", choices=("saved_model", "onnx"), default="saved_model", help="beside .keras")
    add("--results", type=Path, default=Path("results"), help="folder of the studies")
    add("--data", type=Path, default=Path("resources/data"), help="folder of the manifests")


def run(arguments: argparse.Namespace) -> int:
    """Export."""
    from lib.predict.export import export, manifest_of
    from lib.predict.predictor import find_run, read_run

    folder = find_run(arguments.run, results=arguments.results)
    record = read_run(folder)
    done = export(
        folder,
        arguments.output or Path("exported") / record["study"],
        form=arguments.format,
        tables=arguments.results / "tables",
        manifest=manifest_of(record, arguments.data),
    )
    print(f"{done}, from {folder}")
    return 0
