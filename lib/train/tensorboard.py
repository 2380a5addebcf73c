"""What TensorBoard shows: the curves of a run, and the table of hyperparameters of all runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def event_writer(folder: Path | None, *, fresh: bool) -> Iterator[Any]:
    """Open TensorBoard events; a fresh training begins without those of an older one."""
    if folder is None:
        yield None
        return
    from tensorboardX import SummaryWriter

    if fresh and folder.exists():
        for old in folder.glob("events.*"):
            old.unlink()
    with SummaryWriter(str(folder), flush_secs=10) as writer:
        yield writer


def write_events(writer: Any, row: Mapping[str, float]) -> None:
    """Write one epoch; curves of train and validation lie in one chart each."""
    for name, value in row.items():
        if name != "epoch":
            metric = name.removeprefix("val_")
            chart = f"{metric}/{'validation' if metric != name else 'train'}"
            writer.add_scalar(chart, value, int(row["epoch"]))


def write_history_events(folder: Path, history: list[dict[str, float]]) -> None:
    """Write the TensorBoard events of a training that is over."""
    with event_writer(folder, fresh=True) as writer:
        for row in history:
            write_events(writer, row)


def write_hyperparameters(
    folder: Path, hyperparameters: Mapping[str, Any], metrics: Mapping[str, float]
) -> None:
    """Write a line for TensorBoard's table of hyperparameters, beside the curves of the run.

    Parameters
    ----------
    folder : Path
        The TensorBoard folder of the run.
    hyperparameters : mapping
        Numbers, truth values and text as they are; lists are shown as `64x32`.
    metrics : mapping
        What the table shows beside them, such as `best/loss`.
    """
    from tensorboardX import SummaryWriter
    from tensorboardX.summary import hparams

    shown = {
        name: value if isinstance(value, bool | int | float | str) else "x".join(map(str, value))
        for name, value in hyperparameters.items()
    }
    with SummaryWriter(str(folder), filename_suffix=".hparams") as writer:
        for summary in hparams(shown, dict(metrics)):
            writer.file_writer.add_summary(summary)
        for name, value in metrics.items():
            writer.add_scalar(name, value)
