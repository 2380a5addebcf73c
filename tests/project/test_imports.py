"""Importing any module of the library stays light, and needs neither backend nor workflow."""

import pkgutil
import platform

import pytest

import lib

MODULES = ["lib", *(found.name for found in pkgutil.walk_packages(lib.__path__, "lib."))]
HEAVY = ("tensorflow", "jax", "keras", "snakemake")
# Imports every module in turn, each as if it were the first of the library.
CODE = f"""
import importlib, sys
for name in sys.argv[1:]:
    for known in [known for known in sys.modules if known.partition(".")[0] == "lib"]:
        del sys.modules[known]
    importlib.import_module(name)
    loaded = [heavy for heavy in {HEAVY} if heavy in sys.modules]
    if loaded:
        print(name, "loads", *loaded)
        break
"""


def test_every_module_is_found():
    assert {"lib.train.runs", "lib.train.trainer", "lib.datasets.mitdb", "lib.features"} <= set(
        MODULES
    )


def test_no_module_loads_a_backend_or_snakemake(python):
    assert python(CODE, *MODULES) == ""


def test_the_package_alone_loads_next_to_nothing(python):
    code = "import sys, lib; print(*{m.split('.')[0] for m in sys.modules} & {'numpy', 'pandas'})"
    assert python(code).strip() == ""


@pytest.mark.slow
def test_a_backend_leaves_the_other_one_alone(python):
    pytest.importorskip("jax")
    code = """
import sys
from lib.networks.backend import load
load(sys.argv[1])
print(*sorted({"tensorflow", "jax"} & sys.modules.keys()))
"""
    assert python(code, "jax").split() == ["jax"]
    assert python(code, "tensorflow").split() == ["tensorflow"]


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep what is freed"
)
def test_memory_that_is_freed_is_kept_for_the_next_step(python):
    code = """
import resource, sys
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from lib.networks.backend import load
if sys.argv[1] == "backend":
    load("tensorflow")
def step():
    held = [np.ones(size, np.uint8) for size in (20_000_000, 20_000_000, 100_000_000)]
# Backends compute in threads of their own, whose heaps are small.
thread = ThreadPoolExecutor(1)
thread.submit(step).result()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    thread.submit(step).result()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    # A page is 4 KiB, or 2 MiB where the system hands out huge ones.
    assert int(python(code, "none")) > 10 * 60
    assert int(python(code, "backend")) < 10 * 4


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep what is freed"
)
def test_jax_keeps_what_is_freed_also_where_pandas_started_threads_before(python, monkeypatch):
    from lib.jobs.place import hand_down_one_heap

    code = """
import resource
import pandas
from lib.networks.backend import load
load("jax", threads=1, device="cpu")
import jax
from jax import numpy as jnp
@jax.jit
def step(x):
    # Arrays that no later operation can be computed together with.
    for _ in range(2):
        x = jax.lax.optimization_barrier(jnp.flip(x) + 1)
    return x.sum()
x = jnp.ones(25_000_000, jnp.float32)
for _ in range(5):
    step(x).block_until_ready()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step(x).block_until_ready()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    monkeypatch.setenv("MALLOC_ARENA_MAX", "")  # is put back as it was
    monkeypatch.delenv("MALLOC_ARENA_MAX")
    hand_down_one_heap()
    # One array of 100 MB has 24,000 pages of 4 KiB, or 48 of 2 MiB.
    assert int(python(code)) < 10 * 4


def test_backends_that_cannot_be(keras, monkeypatch):
    from lib.errors import HeldoutError
    from lib.networks.backend import load

    assert load("tensorflow") is keras
    with pytest.raises(HeldoutError, match="expected one of tensorflow, jax, got 'torch'"):
        load("torch")
    with pytest.raises(HeldoutError, match=r"already runs on tensorflow.* one process for each"):
        load("jax")


def test_a_backend_that_is_not_installed(python):
    code = """
import sys
sys.modules["jax"] = None
from lib.networks.backend import load
from lib.errors import HeldoutError
try:
    load("jax")
except HeldoutError as error:
    print(error)
"""
    message = python(code)
    assert "backend jax: expected the package jax to be installed" in message
    assert "pip install jax" in message
