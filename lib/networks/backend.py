"""Loading Keras on TensorFlow or on JAX: the only place that does."""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from lib.errors import HeldoutError
from lib.project import cache_folder
from lib.provenance import versions

BACKENDS = ("tensorflow", "jax")
DEVICES = ("auto", "cpu", "gpu", "tpu")
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")

# Keras and TensorFlow import these where they find them, for wrappers that are not used here.
# Hiding them for the import takes it from 7.2 to 3.0 s (TensorFlow) and from 3.4 to 1.5 s (JAX).
UNUSED = {
    "tensorflow": ("jax", "sklearn", "pandas", "scipy", "matplotlib", "IPython"),
    "jax": ("sklearn", "pandas", "matplotlib", "IPython", "requests"),
}

# A flag that its XLA does not know ends the process. Those of these versions know the one below.
KNOWN = {"tensorflow": "2.21.", "jax": "0.10."}


@contextmanager
def _hidden(names: tuple[str, ...]) -> Iterator[None]:
    """Make `import name` fail inside the block for packages that nobody has imported yet."""
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # the import system knows None
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what the C++ side prints while it starts; show it if it fails to."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            held.seek(0)
            sys.stderr.write(held.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _keep_freed_memory() -> None:
    """Have glibc keep the memory that a step frees for the next step, which asks for as much.

    By default it gives large arrays back to the system at once, which hands out the same memory
    again page by page, each page cleared: half of the time of a step of an LSTM on a CPU. It does
    so wherever it maps an array, and threads with a heap of their own map what is over 64 MiB.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl
        return
    # By the numbers of malloc.h; see mallopt(3).
    trim_threshold, top_pad, mmap_max, arena_max = -1, -2, -4, -8
    mallopt(trim_threshold, 2**31 - 1)
    mallopt(top_pad, 2**26)
    mallopt(mmap_max, 0)
    mallopt(arena_max, 1)


def _keep_compiled(jax: Any) -> None:
    """Have JAX keep what XLA compiles for processes to come, which are given the same program.

    Compiling takes about half of the CPU time of a short training, and trainings of one shape
    follow each other. The twenty small programs that set first weights are kept as well: compiling
    them takes 0.4 s. What is kept is in a folder of the user's, for this kind of processor alone:
    another may lack its instructions. Where nothing can be written there, each process compiles.
    """
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return  # somebody has a place for it
    cpu = platform.processor() + platform.machine()
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        cpu += "".join(sorted({line for line in lines if line.startswith(("model name", "flags"))}))
    folder = cache_folder() / "xla" / hashlib.sha256(cpu.encode()).hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    jax.config.update("jax_compilation_cache_dir", os.fspath(folder))
    jax.config.update("jax_compilation_cache_max_size", 2**29)  # bytes
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)


def load(
    backend: str = "tensorflow", *, threads: int | None = None, device: str = "auto"
) -> ModuleType:
    """Import Keras on a backend and make it deterministic.

    A process that imported Keras before, such as a notebook, keeps it as it is: its threads stay,
    and TensorFlow on a GPU is deterministic only if whoever imported it made it so.

    Parameters
    ----------
    backend : {"tensorflow", "jax"}
        What computes.
    threads : int, optional
        How many CPU threads one operation may use. None leaves the choice to the backend.
    device : {"auto", "cpu", "gpu", "tpu"}
        Where it computes; auto takes a GPU or TPU where the backend finds one.

    Returns
    -------
    module
        `keras`.

    Raises
    ------
    HeldoutError
        The backend is unknown, not installed, or Keras already runs on another one; or a GPU or
        TPU was asked for and the backend finds none.
    """
    _require_one_of("backend", backend, BACKENDS)
    _require_one_of("device", device, DEVICES)
    if "keras" in sys.modules:
        keras = sys.modules["keras"]
        if keras.backend.backend() != backend:
            raise HeldoutError(
                f"backend: Keras already runs on {keras.backend.backend()} in this process, "
                f"{backend} was asked for",
                advice="Use one process for each backend.",
            )
        _require(device, backend)
        return keras
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # JAX would take most of a GPU's memory at once; several trainings may share it.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    if threads is not None:
        # How many threads JAX starts; the flags of XLA leave that to the number of cores.
        os.environ.setdefault("PJRT_NPROC", str(threads))
    _set_xla_flags(backend, threads)
    _keep_freed_memory()
    try:
        with _quiet(), _hidden(UNUSED[backend]):
            framework: Any = importlib.import_module(backend)
            keras = importlib.import_module("keras")
            if backend == "tensorflow":
                _configure_tensorflow(framework, threads, device)
            elif device == "cpu":
                framework.config.update("jax_platforms", "cpu")
        if backend == "jax":
            _keep_compiled(framework)
            # Keras asks once whether there is TensorFlow, to seed it too, and would import it for
            # that: 3 s and 170 MB.
            with _hidden(("tensorflow",)):
                keras.utils.set_random_seed(0)
    except ImportError as error:
        raise HeldoutError(
            f"backend {backend}",
            f"the package {backend} to be installed",
            str(error),
            f"Install it (pip install {backend}) or choose another backend in the config.",
        ) from error
    _require(device, backend)
    return keras


def _set_xla_flags(backend: str, threads: int | None) -> None:
    """Tell XLA, before it is loaded, how to use a CPU; what the environment says comes first."""
    flags = []
    if threads == 1:
        flags.append("--xla_cpu_multi_thread_eigen=false")
    if versions().get(backend, "").startswith(KNOWN[backend]):
        # What can be computed at once would be, and all of it be held. A CNN-LSTM takes 1.5 GB with
        # JAX instead of 2.0; and operations of a step of a recurrent network are too small to be
        # handed to other threads: trying to makes it 1.1 (JAX) to 1.5 times (TensorFlow) as long.
        flags.append("--xla_cpu_enable_concurrency_optimized_scheduler=false")
    stated = os.environ.get("XLA_FLAGS", "").split()
    os.environ["XLA_FLAGS"] = " ".join([*flags, *stated])


def _require(device: str, backend: str) -> None:
    """Raise HeldoutError where a GPU or TPU was asked for and the backend has none."""
    if device not in ("gpu", "tpu") or (kind := device_kind(backend)) == device:
        return
    extra = "tpu" if device == "tpu" else {"tensorflow": "cuda", "jax": "jax-cuda"}[backend]
    look = "nvidia-smi" if device == "gpu" else "ls /dev/accel* /dev/vfio"
    raise HeldoutError(
        f"device {device}",
        f"a {device.upper()} that {backend} can use",
        f"only a {kind}",
        f"See with {look} whether there is one, install what the backend needs for it "
        f"(pip install '.[{extra}]'), or set device: auto.",
    )


def _require_one_of(key: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise HeldoutError(key, f"one of {', '.join(known)}", repr(value))


def choose_backend(asked: str, *, device: str = "auto", devices: int | str = 1) -> str:
    """Choose the backend of a training, without loading one.

    Parameters
    ----------
    asked : {"auto", "jax", "tensorflow"}
        What the config says; auto is JAX, with which most networks were measured to train faster.
    device : {"auto", "cpu", "gpu", "tpu"}
        What the config says.
    devices : int or "all"
        What the config says.

    Returns
    -------
    str
        jax or tensorflow.

    Raises
    ------
    HeldoutError
        Something is unknown; or TensorFlow is asked for on several devices, or on a TPU.
    """
    _require_one_of("device", device, DEVICES)
    _require_one_of("backend", asked, ("auto", *BACKENDS))
    if asked == "tensorflow" and (devices != 1 or device == "tpu"):
        several = f"devices: {devices}" if devices != 1 else "device: tpu"
        raise HeldoutError(
            "backend",
            f"jax or auto with {several}",
            "tensorflow",
            "Set backend: auto; or devices: 1 and device: auto for TensorFlow on one device.",
        )
    return "jax" if asked == "auto" else asked


def _configure_tensorflow(tf: Any, threads: int | None, device: str) -> None:
    """Set threads, memory growth and deterministic operations, before anything is computed."""
    if threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        # One more for the input pipeline: a single thread would make it wait for the network.
        tf.config.threading.set_inter_op_parallelism_threads(2)
    if device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    for gpu in tf.config.get_visible_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    tf.config.experimental.enable_op_determinism()
    if device_kind("tensorflow") == "cpu":
        # Rewriting the graph takes 0.3 s a training. The CNN and the LSTMs that were tried, of
        # arrhythmia and voices, were no faster for it on a CPU.
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def device_name(backend: str) -> str:
    """Name the kind of device that the backend computes on: `CPU`, or the model of the GPU."""
    if backend == "jax":
        import jax

        return str(jax.devices()[0].device_kind).upper()
    import tensorflow as tf

    gpus = tf.config.get_visible_devices("GPU")
    if not gpus:
        return "CPU"
    return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))


def device_kind(backend: str) -> str:
    """Name the kind of device that a loaded backend computes on: `cpu`, `gpu` or `tpu`."""
    if backend == "jax":
        import jax

        return {"cuda": "gpu", "rocm": "gpu"}.get(name := jax.default_backend(), name)
    import tensorflow as tf

    return "gpu" if tf.config.get_visible_devices("GPU") else "cpu"
