"""The journal of a Bayesian search: an Optuna study in a file that workers share."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib.errors import HeldoutError
from lib.files import read_json

logger = logging.getLogger(__name__)


def open_study(folder: Path, *, settings: str, name: str) -> Any:
    """Open the Optuna study of a search, or begin it.

    Parameters
    ----------
    folder : Path
        The search's folder. The journal in it is named after the settings, so that a search with
        other settings begins anew and one with more trials goes on.
    settings : str
        From `settings_of`.
    name : str
        Of the study, as optuna-dashboard shows it.

    Returns
    -------
    optuna.Study
    """
    import optuna
    from optuna.storages import journal

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    file = str(journal_file(folder, settings))
    # A lock by creating a file works on network file systems too.
    lock = journal.JournalFileOpenLock(file)

    class Backend(journal.JournalFileBackend):
        def append_logs(self, logs: list[dict[str, Any]]) -> None:
            try:
                super().append_logs(logs)
            except OSError:
                # The disk is full. What another worker writes later must not follow half a line.
                _drop_torn_line(Path(file), lock)
                raise

    _drop_torn_line(Path(file), lock)
    backend = Backend(file, lock_obj=lock)
    return optuna.create_study(
        study_name=name,
        storage=optuna.storages.JournalStorage(backend),
        direction="minimize",
        load_if_exists=True,
    )


def journal_of(workers: Sequence[str | Path]) -> dict[str, str]:
    """Read which journal the workers of a search shared.

    Parameters
    ----------
    workers : sequence of str or Path
        The files in which each wrote what `lib.search.bayes.work` returned.

    Returns
    -------
    dict
        `settings` and `name`, as `open_study` takes them.

    Raises
    ------
    HeldoutError
        They worked on several journals: each search then has fewer trials than it should.
    """
    journals: dict[str, list[str]] = {}
    for file in map(Path, workers):
        name = journal_file(file.parent, read_json(file)["settings"]).name
        journals.setdefault(name, []).append(file.stem)
    if len(journals) > 1:
        raise HeldoutError(
            Path(workers[0]).parent,
            "one journal that all workers share",
            "; ".join(f"{' and '.join(names)} at {name}" for name, names in journals.items()),
            "They computed with other backends, threads or packages: set `backend`, or use nodes "
            "that are alike, and run again with --forcerun worker.",
        )
    return dict(read_json(workers[0]))


def _drop_torn_line(file: Path, lock: Any) -> None:
    """Take away the last line of a journal where it is not whole: Optuna would read no further."""
    if not file.exists():
        return
    lock.acquire()
    try:
        with file.open("rb+") as stream:
            text = stream.read()
            whole = text.rfind(b"\n") + 1
            if whole < len(text):
                logger.warning("%s: dropped its last line, which was cut off", file)
                stream.truncate(whole)
    finally:
        lock.release()


def journal_file(folder: Path, settings: str) -> Path:
    """Name the journal of a search with some settings."""
    return folder / f"journal-{settings}.log"
