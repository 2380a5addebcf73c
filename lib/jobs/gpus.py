"""GPUs of one machine, dealt out to the trainings that run on it at the same time."""

from __future__ import annotations

import getpass
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from lib.errors import HeldoutError
from lib.networks.devices import VISIBLE, visible_gpus
from lib.progress import doing

logger = logging.getLogger(__name__)

# How long a waiting training sleeps before it looks again (s).
LOOK = 1.0


def gpus_of_training(device: str, devices: int | str) -> int:
    """Say how many GPUs a scheduler is asked for: none unless there must be one.

    With `devices: all` it is one, and a profile says more: all that a job is given are used.
    """
    if device != "gpu":
        return 0
    return 1 if devices == "all" else int(devices)


@contextmanager
def claimed_gpus(
    device: str,
    devices: int | str = 1,
    *,
    runs_per_gpu: int = 1,
    gpus: list[str] | None = None,
    folder: Path | None = None,
) -> Iterator[list[str]]:
    """Hold GPUs for the block, and show this process no others.

    To be entered before a backend is loaded, which looks at CUDA_VISIBLE_DEVICES once. Each GPU has
    `runs_per_gpu` places, each a lock that ends with the process that holds it, however that ends.
    A training takes the GPU with the fewest others on it, and waits while all are taken. Waiting
    trainings queue, so that one that needs several GPUs gets them in the end.

    Parameters
    ----------
    device : {"auto", "cpu", "gpu", "tpu"}
        What the config says. Nothing is held for cpu and tpu, nor where there is no GPU.
    devices : int or "all"
        How many GPUs.
    runs_per_gpu : int
        How many trainings may share one.
    gpus : list of str, optional
        The GPUs; by default `visible_gpus()`.
    folder : Path, optional
        Of the locks; by default one for all runs of this user on this machine.

    Yields
    ------
    list of str
        The GPUs, empty where none are held.

    Raises
    ------
    HeldoutError
        More GPUs are asked for than there are.
    """
    gpus = visible_gpus() if gpus is None else gpus
    if device not in ("auto", "gpu") or not gpus:
        yield []
        return
    wanted = len(gpus) if devices == "all" else int(devices)
    if wanted > len(gpus):
        raise HeldoutError(
            "devices",
            f"{wanted} GPUs",
            f"a process that may use {len(gpus)} "
            f"({VISIBLE} is {os.environ.get(VISIBLE, 'not set')!r})",
            f"Set devices: {len(gpus)}, or devices: all, or ask the scheduler for more.",
        )
    if os.environ.get("SLURM_JOB_ID") and VISIBLE not in os.environ:
        # Slurm has none for this job.
        yield []
        return
    before = {name: os.environ.get(name) for name in (VISIBLE, "CUDA_DEVICE_ORDER")}
    with ExitStack() as held:
        taken = _take(gpus, wanted, runs_per_gpu, folder or _folder(), held)
        # By default CUDA numbers GPUs by their speed, which a list of numbers may not agree with.
        os.environ |= {VISIBLE: ",".join(taken), "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
        logger.info("on GPU %s", ", ".join(taken))
        try:
            yield taken
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def _folder() -> Path:
    """Name the folder of the locks; each job of Slurm numbers its GPUs by itself."""
    job = os.environ.get("SLURM_JOB_ID", "")
    return Path(tempfile.gettempdir()) / f"heldout-{getpass.getuser()}" / f"gpus{job}"


def _take(
    gpus: list[str], wanted: int, runs_per_gpu: int, folder: Path, held: ExitStack
) -> list[str]:
    """Lock a place on each of so many GPUs, all at once, waiting until that can be done."""
    folder.mkdir(parents=True, exist_ok=True)
    waiting = False
    # Only the first in the queue looks for places.
    with FileLock(folder / "queue.lock"):
        while True:
            with ExitStack() as trying:
                free: dict[str, list[FileLock]] = {}
                for gpu in gpus:
                    for place in range(runs_per_gpu):
                        lock = FileLock(folder / f"{gpu.replace('/', '_')}-{place}.lock")
                        with suppress(Timeout):
                            trying.enter_context(lock.acquire(timeout=0))
                            free.setdefault(gpu, []).append(lock)
                if len(free) >= wanted:
                    # Sorting keeps the order of equals.
                    taken = sorted(free, key=lambda gpu: -len(free[gpu]))[:wanted]
                    for gpu, (first, *others) in free.items():
                        for lock in others if gpu in taken else [first, *others]:
                            lock.release()
                    held.push(trying.pop_all())
                    return taken
            if not waiting:
                logger.info("waiting for %d free GPU(s)", wanted, extra=doing("waits for a GPU"))
                waiting = True
            time.sleep(LOOK)
