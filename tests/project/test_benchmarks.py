"""The benchmarks: what is counted, what the page says, and that every section runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import devices, speed
from benchmarks.__main__ import MEASURED, SECTIONS, main
from benchmarks.machine import describe, fastest, peak
from benchmarks.page import render
from benchmarks.products import Activation, Product, activations, flop, products
from lib.networks.models import build
from tests.support.endurance import rows_of_endurance


def needed(architecture: str, batch: int, shape: tuple[int, int], **values: Any) -> list[Product]:
    values = {"dense": [], **values}
    return products(build(architecture, values, shape=shape, classes=3), batch)


@pytest.mark.parametrize(("architecture", "gates"), [("simple_rnn", 1), ("gru", 3), ("lstm", 4)])
def test_a_recurrent_layer_has_a_product_for_all_steps_and_one_for_each(
    keras: Any, architecture: str, gates: int
) -> None:
    assert needed(architecture, 7, (20, 5), units=[6, 4]) == [
        # Examples need no gradient.
        Product(7 * 20, 5, gates * 6, 1, backward=1),
        Product(7, 6, gates * 6, 20),
        Product(7 * 20, 6, gates * 4),
        Product(7, 4, gates * 4, 20),
        Product(7, 4, 3),
    ]


def test_a_bidirectional_layer_has_all_twice(keras: Any) -> None:
    one = needed("lstm", 7, (20, 5), units=[6])
    two = needed("lstm", 7, (20, 5), units=[6], bidirectional=True)
    assert two[:4] == one[:2] * 2
    assert two[4] == Product(7, 12, 3)


def test_convolutions_are_products_over_what_comes_out(keras: Any) -> None:
    found = needed("cnn_lstm", 2, (30, 2), filters=[4, 8], kernels=[3, 5], units=[6])
    # 30 → 28, pooled to 14 → 10, pooled to 5.
    assert found[:2] == [Product(2 * 28, 6, 4, 1, backward=1), Product(2 * 10, 20, 8)]
    assert found[2] == Product(2 * 5, 8, 24)


def test_operations_of_a_dense_network_by_hand(keras: Any) -> None:
    found = needed("cnn", 10, (8, 1), filters=[2], kernels=[3], dense=[5])
    convolution = 2 * 80 * 3 * 2 * 2  # forward, gradient of the weights
    dense = 2 * 10 * 8 * 5 * 3  # and gradient of the inputs
    last = 2 * 10 * 5 * 3 * 3
    assert flop(found) == convolution + dense + last


def test_the_activations_of_a_network(keras: Any) -> None:
    def of(architecture: str, **values: Any) -> list[Activation]:
        return activations(build(architecture, values, shape=(30, 2), classes=3), 2)

    end = [Activation("relu", 2, 5), Activation("softmax", 2, 3)]
    # Four gates and the cell, at each step, in both directions.
    once = Activation("tanh", 2, 5 * 6, times=30)
    assert of("lstm", units=[6], bidirectional=True, dense=[5], pooling="last") == [once] * 2 + end
    convolved = Activation("relu", 2 * 30, 4)
    pooled = {"pooling": "max", "dense": [5]}
    assert of("cnn", filters=[4], kernels=[3], **pooled) == [convolved, *end]


def test_the_operations_of_a_product_are_those_of_numpy() -> None:
    """`einsum_path` counts the multiplications and additions of a product by itself."""
    one = Product(11, 13, 17, times=4, backward=0)
    path = np.einsum_path("ij,jk->ik", np.ones((11, 13)), np.ones((13, 17)))[1]
    (count,) = (line for line in path.splitlines() if "Naive FLOP count" in line)
    assert one.flop == pytest.approx(4 * float(count.split(":")[1]), rel=1e-3)


def test_times_and_the_machine() -> None:
    calls: list[int] = []
    assert fastest(lambda: calls.append(1), seconds=0.0, least=5) > 0
    assert len(calls) == 5
    assert describe()["cores"] >= 1


@pytest.mark.slow
def test_the_peak_is_that_of_the_machines_own_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    found = peak(quick=True)
    assert found["flops"] == max(found["libraries"].values()) > 1e8
    assert set(found["libraries"]) == {"numpy", "jax", "tensorflow"}
    assert "openblas" in found["kernel"]
    assert "Prescott" not in found["kernel"]


def test_what_is_kept_was_measured_in_full() -> None:
    sections = json.loads(MEASURED.read_text(encoding="utf-8"))["sections"]
    assert set(sections) <= set(SECTIONS)
    assert not any(section["quick"] for section in sections.values())


def test_the_shapes_are_those_of_the_studies() -> None:
    written = json.loads(devices.SHAPES.read_text(encoding="utf-8"))
    assert written == speed.cases(), "run python -m benchmarks.devices"


def test_devices_needs_no_package_but_keras_and_numpy(python: Any) -> None:
    code = """
import sys
for name in ("pandas", "yaml", "scipy", "sklearn", "jsonschema", "filelock", "tensorboardX"):
    sys.modules[name] = None
import benchmarks.__main__, benchmarks.devices, benchmarks.page, benchmarks.products
import lib.train.trainer
"""
    assert python(code) == ""


def test_the_page_says_where_there_was_no_accelerator() -> None:
    one = {"batch": 32, "steps": 4, "flop": 1, "precision": "float32", "of_peak": 0.25}
    cpu = one | {"seconds_per_epoch": 3.0, "device": "CPU"}
    section = {"quick": False, "note": "", "seconds": 60, "backend": "jax", "steps": 4}
    section |= {"peaks": {"cpu float32": 2e11}, "accelerator": False, "machine": describe()}
    section |= {"rows": [{"name": "voices lstm", "shape": [128, 33], "measured": [cpu]}]}
    section |= {"date": "2026-11-29", "commit": "0123456789ab+"}
    page = render({"sections": {"devices": section}})
    assert "No accelerator was found: only the CPU was measured" in page
    assert "| voices lstm (128×33, batch 32) | CPU, float32 | 3 | 25% | 1.00 |" in page
    assert "; 1 min; 2026-11-29 at commit `0123456789ab` with uncommitted changes." in page
    gpu = one | {"seconds_per_epoch": 0.5, "device": "A GPU"}
    section["rows"][0]["measured"].append(gpu)
    page = render({"sections": {"devices": section | {"accelerator": True}}})
    assert "No accelerator" not in page
    assert "| A GPU, float32 | 0.5 | 25% | 6.00 |" in page


def test_an_unknown_section(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["sped", "--output", str(tmp_path)])
    assert (
        "unknown section 'sped'; known: speed, peers, seeds, voices, grid"
        in capsys.readouterr().err
    )


def test_a_word_that_no_row_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.speed.measure", lambda *_, **__: {"rows": [], "quick": True})
    with pytest.raises(SystemExit):
        main(["speed", "--only", "lsmt", "--output", str(tmp_path)])
    assert "no row of speed has 'lsmt' in its name" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_rows_that_are_measured_apart_are_dated_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(folder: Path, *, quick: bool, only: str = "") -> dict[str, Any]:
        one = {"batch": 32, "precision": "float32", "of_peak": 0.25, "seconds_per_epoch": 3.0}
        measured = [one | {"device": "CPU"}]
        rows = [{"name": name, "shape": [2, 1], "measured": measured} for name in ("gru", "lstm")]
        found = {"quick": quick, "accelerator": False, "peaks": {}, "backend": "jax", "steps": 4}
        return found | {"rows": [row | {"only": only} for row in rows if only in row["name"]]}

    monkeypatch.setattr("benchmarks.devices.measure", measure)
    monkeypatch.setattr("benchmarks.__main__.commit", lambda _: "0123456789ab")
    main(["devices", "--output", str(tmp_path)])
    main(["devices", "--only", "gru", "--output", str(tmp_path)])
    assert "Measured before that" not in (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    monkeypatch.setattr("benchmarks.__main__.commit", lambda _: "ba9876543210")
    main(["devices", "--only", "lstm", "--output", str(tmp_path)])
    found = json.loads((tmp_path / "measured.json").read_text(encoding="utf-8"))
    section = found["sections"]["devices"]
    assert {row["name"]: row["only"] for row in section["rows"]} == {"gru": "gru", "lstm": "lstm"}
    assert section["commit"] == "ba9876543210"
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert "Measured before that, on " in page
    assert page.index("`ba9876543210`") < page.index("`0123456789ab`: gru.")


def test_help_shows_each_example_on_its_own_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    lines = capsys.readouterr().out.splitlines()
    assert "python -m benchmarks endurance --runs 200" in lines


@pytest.mark.slow
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_runs(tmp_path: Path, section: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if section == "endurance":
        # tests/faults/test_growth.py makes these runs, more of them.
        monkeypatch.setattr("benchmarks.endurance.apart", rows_of_endurance)
    main([section, "--quick", "--output", str(tmp_path), "--folder", str(tmp_path)])
    found = json.loads((tmp_path / "measured.json").read_text(encoding="utf-8"))
    assert found["sections"][section]["quick"] is True
    assert found["sections"][section].get("rows") != []
    assert "the figures mean nothing" in (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {"measured.json", "benchmarks.md"}
