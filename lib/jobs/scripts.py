"""What every job of the workflow does before and after its work: its log, its lock, its errors."""

from __future__ import annotations

import atexit
import gc
import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from lib.errors import HeldoutError
from lib.files import read_json, read_table
from lib.jobs.gpus import claimed_gpus
from lib.jobs.place import UNWRITABLE, unwritten
from lib.progress import Progress

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def job(log: str | Path) -> Iterator[logging.Logger]:
    """Run the body of a script with its log.

    Messages go to the log file, and progress to the terminal, if there is one. An error of the
    project is written to the log and to standard error as its text alone, since that says what to
    do; any other error with its traceback. Both end the process with status 1.

    A lock beside the log keeps two processes from doing one job at once: when a run was killed
    and its jobs were not, the next run waits for the orphan instead of writing beside it.

    Parameters
    ----------
    log : str or Path
        The log file; it is written anew.

    Yields
    ------
    logging.Logger
        The logger of the library.
    """
    log = Path(log)
    logger = logging.getLogger("lib")
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with (
            FileLock(log.with_name(f".{log.name}.lock")),
            _logged(log, logger),
            _seldom_collected(),
        ):
            yield logger
    # What it says is in the log by now, where that could be written.
    except _Told:
        sys.exit(1)
    except OSError as error:
        print(f"heldout: {unwritten(error, default=log)}", file=sys.stderr)
        sys.exit(1)


@contextmanager
def training_job(snakemake: Any) -> Iterator[logging.Logger]:
    """Run the body of a script that trains: a `job` that holds the GPUs it computes on.

    Parameters
    ----------
    snakemake : object
        What Snakemake gives to the script. Of its config `runs_per_gpu` is read, which changes no
        result and is therefore not among the params.

    Yields
    ------
    logging.Logger
        As `job`.
    """
    compute, share = snakemake.params.compute, int(snakemake.config["runs_per_gpu"])
    with (
        job(snakemake.log[0]) as logger,
        claimed_gpus(compute["device"], compute["devices"], runs_per_gpu=share),
    ):
        yield logger


def training_options(
    snakemake: Any,
    hyperparameters: Mapping[str, Any],
    *,
    fold: int | None = None,
    examples: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Read what all scripts that train hand on: what they train on, how, and where it is kept.

    Parameters
    ----------
    snakemake : object
        What Snakemake gives to the script.
    hyperparameters : mapping
        Those of the trial, or that all trials have.
    fold : int, optional
        The fold of a final run. Without it the data are what a search may see.
    examples : pd.DataFrame, optional
        `examples.parquet` of a final run.

    Returns
    -------
    dict
        `data` (`lib.train.data.Data`), `recipe` (`lib.train.recipe.Recipe`) and `store`.
    """
    from lib.examples.arrays import open_examples
    from lib.train.data import open_data, read_search_data
    from lib.train.recipe import Recipe
    from lib.train.training import Training

    files, params, names = snakemake.input, snakemake.params, snakemake.wildcards
    known = {"classes": params.classes, "scored": params.scored}
    known |= {"digest": read_json(files.digest)["sha256"]}
    if fold is None or examples is None:
        tables = files.npy, files.examples, files.split
        data = read_search_data(*tables, by_test=params.by_test, **known)
    else:
        x, split = open_examples(files.npy), read_table(files.split)
        data = open_data(x, examples, split, fold=fold, **known)
    recipe = Recipe(
        architecture=names.architecture,
        hyperparameters=hyperparameters,
        training=Training(**params.training),
        **params.compute,
        threads=snakemake.threads,
    )
    return {"data": data, "recipe": recipe, "store": Path(files.npy).parent / "fits"}


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Let the garbage collector look less often at what mostly stays: a ninth of the CPU time.

    Most of a short job is importing libraries, some hundred thousand objects that all stay:
    looking through them again and again takes a fifth of importing TensorFlow. When the process
    ends it need not look at them at all, which takes half a second after a training with JAX.
    """
    atexit.register(gc.freeze)
    usual = gc.get_threshold()
    gc.set_threshold(50_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


class _Told(Exception):
    """The job failed, and has said why."""


class _Log(logging.FileHandler):
    """A log that a job can do without: on a full disk its own files are what matters."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass

    def close(self) -> None:
        with suppress(OSError):
            super().close()


@contextmanager
def _logged(log: Path, logger: logging.Logger) -> Iterator[None]:
    """Write messages of the block to the log, and say how it failed there and on the terminal."""
    handler = _Log(log, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    progress = Progress(log.stem)
    logger.addHandler(progress)
    warned = logging.getLogger("py.warnings")
    logging.captureWarnings(True)
    warned.addHandler(handler)
    try:
        yield
    except Exception as error:
        if message := _message(error):
            logger.error("%s", message)
            print(f"heldout: {message}", file=sys.stderr)
        else:
            logger.exception("unexpected error")
            traceback.print_exc()
        raise _Told from error
    finally:
        logging.captureWarnings(False)
        warned.removeHandler(handler)
        for added in (handler, progress):
            logger.removeHandler(added)
        handler.close()


def _message(error: BaseException) -> str:
    """Say what a person can do about an error, and nothing where that is not known."""
    if isinstance(error, HeldoutError):
        return str(error)
    # Libraries raise their own error from what the system said. What was merely being handled when
    # an error came (its `__context__`) is no reason for it.
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, OSError) and below.errno in UNWRITABLE:
            return str(unwritten(below))
        if isinstance(below, MemoryError):
            return (
                f"expected enough memory for this job, got: {str(below) or 'none left'}. "
                "Run fewer jobs at once (--cores), on a machine with more memory, and again: "
                "what is finished is kept."
            )
        below = below.__cause__
    return ""
