"""The machine: what it is, how fast it multiplies matrices, and a process of one's own."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lib.provenance import versions

ROOT = Path(__file__).parent.parent


def cores() -> int:
    """Count the CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe() -> dict[str, Any]:
    """Describe the machine in general terms: cores, CPU model, memory, versions."""
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    keep = ("python", "keras", "tensorflow", "jax", "numpy")
    return {
        "cores": cores(),
        "cpu": model,
        "memory_gib": round(memory),
        "versions": {name: versions()[name] for name in keep if name in versions()},
    }


def fastest(run: Callable[[], Any], *, seconds: float = 0.5, least: int = 3) -> float:
    """Time a function several times and give the shortest, in s: the others were disturbed."""
    best, began, count = float("inf"), time.perf_counter(), 0
    while count < least or time.perf_counter() - began < seconds:
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
        count += 1
    return best


def apart(module: str, *, blas_threads: int | None = None, **arguments: Any) -> Any:
    """Call `run(**arguments)` of a module of this package in a process of its own.

    A backend is chosen once a process, and peak memory is that of a whole process.

    Parameters
    ----------
    module : str
        Of this package.
    blas_threads : int, optional
        How many threads a matrix product of numpy takes there; None for as many as by default.

    Returns
    -------
    object
        What it returns, through JSON.
    """
    code = (
        "import importlib, json, sys; "
        f"found = importlib.import_module('benchmarks.{module}').run(**json.loads(sys.argv[1])); "
        "print('\\n' + json.dumps(found))"
    )
    names = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
    threads = {name: str(blas_threads) for name in names if blas_threads}
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(arguments)],
        cwd=ROOT,
        env={**surroundings(), "PYTHONPATH": str(ROOT), **threads},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(
            f"benchmarks.{module} {arguments}: exit status {done.returncode}\n"
            f"{done.stdout}\n{done.stderr}"
        )
    return json.loads(done.stdout.rstrip().rpartition("\n")[2])


def surroundings() -> dict[str, str]:
    """Return the environment of what is measured.

    It lacks what would hold OpenBLAS to another CPU's kernel, and has one heap, as jobs of the
    workflow have (`lib.jobs.place.hand_down_one_heap`).
    """
    held = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
    kept = {name: value for name, value in os.environ.items() if name not in held}
    return kept | {"MALLOC_ARENA_MAX": "1"}


def peak(*, quick: bool = False) -> dict[str, Any]:
    """Measure the float32 matrix product of each library at its best size, each on its own.

    Returns
    -------
    dict
        `flops`, of the fastest, in operations per second; `libraries`, of each; `kernel`, what the
        BLAS of numpy computes with.
    """
    each = {
        name: apart("peak", library=name, quick=quick) for name in ("numpy", "jax", "tensorflow")
    }
    flops = {name: one["flops"] for name, one in each.items()}
    return {"flops": max(flops.values()), "libraries": flops, "kernel": each["numpy"]["kernel"]}


def together(module: str, **arguments: Any) -> list[Any]:
    """Call `run(**arguments)` of a module on each core at once, each in a process of its own."""
    with ThreadPoolExecutor(cores()) as pool:
        waiting = [pool.submit(apart, module, blas_threads=1, **arguments) for _ in range(cores())]
        return [one.result() for one in waiting]


def epoch_timer(keras: Any, *, seconds: float, skip: int = 0) -> Any:
    """Make a callback that notes the seconds of each epoch, and stops a training after some.

    Parameters
    ----------
    keras : module
        From `lib.networks.backend.load`.
    seconds : float
        How long epochs are timed, s.
    skip : int
        How many epochs do not count before that: the first one compiles.

    Returns
    -------
    keras.callbacks.Callback
        Its attribute `epochs` lists the seconds of all of them.
    """

    class Timer(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.epochs: list[float] = []

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.began = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.epochs.append(time.perf_counter() - self.began)
            if sum(self.epochs[skip:]) > seconds:
                self.model.stop_training = True

    return Timer()
