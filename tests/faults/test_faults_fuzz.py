"""Mutated files for every reader: a few at once, and as many as HELDOUT_FUZZ says when slow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lib.errors import HeldoutError
from tests.support.readers import READERS

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"
INPUTS = int(os.environ.get("HELDOUT_FUZZ", "200"))


@pytest.mark.parametrize("inputs", [10, pytest.param(INPUTS, marks=pytest.mark.slow)])
def test_mutated_files_end_in_a_reading_or_an_error(inputs: int) -> None:
    """One process for all readers, its memory, time and reach limited (tests.support.fuzzing)."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.fuzzing", "--inputs", str(inputs)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300 + len(READERS) * inputs,
    )
    results: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    last = results[-1] if results else {}
    assert done.returncode in (0, 1), f"died in {last}:\n{done.stderr[-2000:]}"
    found = [result for result in results if "failures" in result]
    assert {r["reader"]: r["failures"] for r in found if r["failures"]} == {}
    assert [result["reader"] for result in found] == list(READERS)
    for result in found:
        assert result["inputs"] >= inputs * 0.8, result
        assert result["readings"] + result["refused"] == result["inputs"], result


def corpus() -> list[Path]:
    return sorted(path for path in CORPUS.glob("*/*") if path.is_file())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", corpus(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_an_input_that_once_failed(tmp_path: Path, path: Path) -> None:
    """What ended in another exception, or not at all, is read or refused since."""
    reader = READERS[path.parent.name]
    target, bodies = reader.make(tmp_path)
    target.write_bytes(bodies[0])
    reader.read(tmp_path)
    target.write_bytes(path.read_bytes())
    try:
        reader.read(tmp_path)
    except HeldoutError as error:
        assert "expected" in str(error)


def test_the_corpus_is_small_and_of_known_readers() -> None:
    files = corpus()
    assert {path.parent.name for path in files} <= set(READERS)
    assert len(files) >= 8
    assert sum(path.stat().st_size for path in files) < 100_000
