"""What a machine has for a run, what of it works, and what is wrong: nothing personal in it.

It imports the standard library and what stands on it alone, so that it can say what else is broken.
"""

from __future__ import annotations

import getpass
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib import __version__, provenance
from lib.project import ROOT

PACKAGES = ("snakemake", "keras", "tensorflow", "jax", "numpy", "librosa", "wfdb")
BACKENDS = ("tensorflow", "jax")
LEAST_ROOM, LEAST_MEMORY = 2.0, 4.0
"""GB on a disk, and of memory: the default run takes less than half of either."""

_CGROUP = Path("/sys/fs/cgroup")
# One training of one step, in a process that may end in any way.
_TRIAL = """
import json, sys
import numpy as np
from lib.networks.backend import device_kind, device_name, load
keras = load(sys.argv[1])
product = keras.ops.matmul(np.eye(64, dtype="float32"), np.full((64, 64), 2, "float32"))
assert float(keras.ops.sum(product)) == 8192, "the product of two matrices is wrong"
model = keras.Sequential([keras.layers.Input((8, 2)), keras.layers.LSTM(4), keras.layers.Dense(1)])
model.compile(optimizer="adam", loss="mse")
loss = float(model.train_on_batch(np.ones((4, 8, 2), "float32"), np.ones((4, 1), "float32")))
assert np.isfinite(loss), f"the loss of a training step is {loss}"
print(json.dumps({"kind": device_kind(sys.argv[1]), "device": device_name(sys.argv[1])}))
"""


def examine(*, timeout: float = 180.0) -> dict[str, Any]:
    """Look at everything that a run needs.

    Parameters
    ----------
    timeout : float
        Seconds that each backend is given.

    Returns
    -------
    dict
        `versions`, `system`, `cores` (`machine`, `allowed`), `memory_gb` (`machine`, `allowed`),
        `backends`, `folders`, `slurm`, and `problems`: each with `what`, `advice` and `essential`.
    """
    state: dict[str, Any] = {
        "versions": versions(),
        "system": {
            "system": f"{platform.system()} {platform.release()}",
            "machine": platform.machine() or "unknown",
        },
        "cores": cores(),
        "memory_gb": memory(),
        "backends": {name: try_backend(name, timeout=timeout) for name in BACKENDS},
        "folders": {shown(name): folder(name) for name in folders()},
        "slurm": slurm(),
    }
    return {**state, "problems": problems(state)}


def folders() -> list[str]:
    """List the folders that are written to: of the run, of caches, and of temporary files."""
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return [".", "results", "resources/data", "logs", caches, tempfile.gettempdir()]


def versions() -> dict[str, str | None]:
    """List the versions of Python, of the project and of packages; None for one that is missing."""
    known = provenance.versions(PACKAGES)
    first = {"python": known["python"], "heldout": __version__}
    return first | {name: known.get(name) for name in PACKAGES}


def cores() -> dict[str, float | None]:
    """Count the cores of the machine, and those that this process may use."""
    there = os.cpu_count()
    allowed = float(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else there or 1
    )
    quota, _, period = _cgroup("cpu.max").partition(" ")
    if quota.isdigit() and period.strip().isdigit():
        allowed = min(allowed, int(quota) / int(period))
    return {"machine": there, "allowed": allowed}


def memory() -> dict[str, float | None]:
    """Say how much memory the machine has and how much this process may take, in GB."""
    try:
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    except (ValueError, OSError, AttributeError):
        return {"machine": None, "allowed": None}
    limits = [
        int(text) / 1e9
        for name in ("memory.max", "memory/memory.limit_in_bytes")
        if (text := _cgroup(name)).isdigit()
    ]
    return {"machine": round(there, 1), "allowed": round(min([there, *limits]), 1)}


def _cgroup(name: str) -> str:
    """Read a limit of the control group of this process, or of the one at the top; '' for none."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    own = next((line[3:].strip("/") for line in lines if line.startswith("0::")), "")
    for path in (_CGROUP / own / name, _CGROUP / name):
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError:
            continue
    return ""


def try_backend(name: str, *, timeout: float) -> dict[str, Any]:
    """Multiply two matrices and train one step, in a process of its own.

    Parameters
    ----------
    name : str
        tensorflow or jax.
    timeout : float
        Seconds after which the process is ended.

    Returns
    -------
    dict
        `works`, and `kind` and `device` where it does, or `error` where it does not.
    """
    others = os.environ.get("PYTHONPATH", "")
    library = os.fspath(Path(__file__).parents[1])
    path = os.pathsep.join(filter(None, [library, others]))
    command = [sys.executable, "-c", _TRIAL, name]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        return {"works": False, "error": f"no answer within {timeout:g} s"}
    except OSError as error:
        return {"works": False, "error": shown(str(error))}
    last = (done.stdout.strip().splitlines() or [""])[-1]
    if done.returncode == 0 and last.startswith("{"):
        return {"works": True, **json.loads(last)}
    said = (done.stderr.strip().splitlines() or [f"its process ended with {done.returncode}"])[-1]
    return {"works": False, "error": shown(said)}


def folder(name: str) -> dict[str, Any]:
    """Say whether files can be made in a folder, or in the first above it that is there.

    Returns
    -------
    dict
        `exists`, `writable`, and `free_gb` (None where the disk does not say).
    """
    try:
        path = Path(name).expanduser()
    except RuntimeError:  # there is no home
        return {"exists": False, "writable": False, "free_gb": None}
    there = next((one for one in (path, *path.absolute().parents) if one.is_dir()), Path("/"))
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"heldout")
        writable = True
    except OSError:
        writable = False
    try:
        free: float | None = round(shutil.disk_usage(there).free / 1e9, 1)
    except OSError:
        free = None
    return {"exists": path.is_dir(), "writable": writable, "free_gb": free}


def slurm() -> str | None:
    """Name the version of Slurm, or what its command complains of; None where there is none."""
    try:
        done = subprocess.run(["sinfo", "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    complaint = done.stderr.strip().rpartition("\n")[2]
    return done.stdout.strip() or (f"installed, but sinfo says: {complaint}" if complaint else None)


def problems(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Say what is wrong, and what to do.

    Parameters
    ----------
    state : mapping
        What `examine` returns, without the problems.

    Returns
    -------
    list of dict
        `what`, `advice`, and `essential`: whether no run can succeed before it is put right.
    """
    wrong: list[dict[str, Any]] = []

    def add(what: str, advice: str, *, essential: bool = True) -> None:
        wrong.append({"what": what, "advice": advice, "essential": essential})

    if not (3, 11) <= tuple(map(int, state["versions"]["python"].split(".")[:2])) <= (3, 13):
        add(
            f"Python {state['versions']['python']}: expected 3.11, 3.12 or 3.13",
            "TensorFlow has wheels for no other: make the environment anew with one of these.",
        )
    for name in PACKAGES:
        if state["versions"][name] is None:
            add(
                f"the package {name} is not installed",
                f"Run `make setup` in a clone, or `python -m pip install {name}`.",
                essential=name not in BACKENDS,
            )
    for name in ("workflow/Snakefile", "config/config.yaml", "resources/registry"):
        if not (ROOT / name).exists():
            add(f"{name} of the project is missing", "Install the project again, or clone it anew.")
    working = [name for name, one in state["backends"].items() if one["works"]]
    for name, one in state["backends"].items():
        if not one["works"]:
            other = f"`--config backend={working[0]}` does without it." if working else ""
            advice = f"Install it anew (`python -m pip install --force-reinstall {name}`). {other}"
            add(f"{name} does not work: {one['error']}", advice.strip(), essential=not working)
    for name, one in state["folders"].items():
        own = name in (".", "results", "resources/data", "logs")
        if not one["writable"]:
            variable = "TMPDIR" if name == shown(tempfile.gettempdir()) else "XDG_CACHE_HOME"
            advice = (
                "Work in another folder (`--directory`), or have the rights set."
                if own
                else f"Set {variable} to a folder that can be written to."
            )
            add(f"no file can be made in {name}", advice)
        elif one["free_gb"] is not None and one["free_gb"] < LEAST_ROOM:
            add(
                f"{name} has {one['free_gb']:g} GB left",
                f"Make room: less than {LEAST_ROOM:g} GB is used up soon.",
                essential=False,
            )
    allowed = state["memory_gb"]["allowed"]
    if allowed is not None and allowed < LEAST_MEMORY:
        add(
            f"{allowed:g} GB of memory may be used",
            "Run one job at a time (`--cores 1`), or ask for more memory.",
            essential=False,
        )
    return wrong


def shown(text: str) -> str:
    """Take out of a text what tells who and where somebody is: home, user, host, environment.

    Examples
    --------
    >>> shown(f"no such file: {Path.cwd() / 'results'}")
    'no such file: ./results'
    """
    places = {sys.prefix: "(environment)", os.fspath(Path.cwd()): "."}
    try:
        places[os.fspath(Path.home())] = "~"
        user = getpass.getuser()
    except (KeyError, OSError, RuntimeError):  # a container may know neither
        user = ""
    for place in sorted(places, key=len, reverse=True):
        if len(place) > 1:
            text = text.replace(place, places[place])
    if user:
        text = re.sub(rf"(?<=[/\\]){re.escape(user)}(?![\w.-])", "(user)", text)
    if host := platform.node():
        text = re.sub(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", "(host)", text)
    return text
