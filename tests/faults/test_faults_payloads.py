"""Files that hold code: nothing of it is run, whoever reads them."""

from __future__ import annotations

import io
import os
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from lib.config.schema import typed
from lib.datasets.files import read_file
from lib.errors import HeldoutError
from lib.examples.arrays import open_examples
from lib.examples.assembly import read_shard
from lib.files import read_json, read_table, read_yaml
from lib.predict.predictor import load_model
from lib.retrieve import read_registry

ROOT = Path(__file__).parents[2]
YAML = "!!python/object/apply:os.system ['touch {mark}']\n"


class Payload:
    """What leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.mark),)


def pickled(mark: Path) -> bytes:
    return pickle.dumps(Payload(mark))


def objects(mark: Path) -> np.ndarray:
    held = np.empty((1, 1, 1), dtype=object)
    held[0, 0, 0] = Payload(mark)
    return held


def npy(path: Path, mark: Path) -> None:
    np.save(path, objects(mark), allow_pickle=True)


def npz(path: Path, mark: Path) -> None:
    np.savez(path, x=objects(mark), recordings=objects(mark)[0, 0])


def text(path: Path, mark: Path) -> None:
    path.write_text("title: " + YAML.format(mark=mark))


READERS: dict[str, tuple[str, Callable[[Path, Path], Any], Callable[[Path], Any]]] = {
    "an array of examples": ("examples.npy", npy, open_examples),
    "a pickle for an array": (
        "examples.npy",
        lambda path, mark: path.write_bytes(pickled(mark)),
        open_examples,
    ),
    "a YAML file": ("a.yaml", text, read_yaml),
    "a registry": ("a.yaml", text, read_registry),
    "a pickle for a table": (
        "a.parquet",
        lambda path, mark: path.write_bytes(pickled(mark)),
        read_table,
    ),
    "a pickle for JSON": ("a.json", lambda path, mark: path.write_bytes(pickled(mark)), read_json),
    "a pickle for a sound": (
        "a.wav",
        lambda path, mark: path.write_bytes(pickled(mark)),
        read_file,
    ),
    "a pickle for a MATLAB file": (
        "a.mat",
        lambda path, mark: path.write_bytes(pickled(mark)),
        lambda path: read_file(path, variable="x"),
    ),
    "an array for a MATLAB file": ("a.mat", npz, lambda path: read_file(path, variable="x")),
}


@pytest.mark.parametrize("name", READERS)
def test_nothing_that_a_file_contains_is_run(tmp_path: Path, name: str) -> None:
    file, write, read = READERS[name]
    path, mark = tmp_path / file, tmp_path / "mark"
    write(path, mark)
    if path.with_name(path.name + ".npz").is_file():  # numpy adds its suffix
        path.with_name(path.name + ".npz").rename(path)
    with pytest.raises(HeldoutError, match="expected"):
        read(path)
    assert not mark.exists()


def test_the_payload_would_leave_a_mark(tmp_path: Path) -> None:
    """Else the tests above show nothing."""
    pickle.loads(pickled(tmp_path / "mark"))
    assert (tmp_path / "mark").is_dir()


def test_a_shard_of_features_is_not_unpickled(tmp_path: Path) -> None:
    npz(tmp_path / "0.npz", tmp_path / "mark")
    with pytest.raises(HeldoutError, match="expected a shard of features"):
        read_shard(tmp_path / "0.npz", ["x"])
    assert not (tmp_path / "mark").exists()


def test_text_of_the_command_line_is_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    given = YAML.format(mark=mark).strip()
    assert typed({"a": given}, {"properties": {"a": {"type": "integer"}}}) == {"a": given}
    assert not mark.exists()


def lambda_model(keras: Any, path: Path, mark: Path) -> None:
    """Write a model whose layer is code that leaves a mark."""
    code = f"lambda x: (__import__('os').mkdir({str(mark)!r}), x)[1]"
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(eval(code))])
    mark.rmdir()  # Keras called it to learn the shape
    model.save(path)


def test_a_model_that_holds_code_is_not_loaded(tmp_path: Path, keras: Any) -> None:
    path, mark = tmp_path / "model.keras", tmp_path / "mark"
    lambda_model(keras, path, mark)
    with pytest.raises(HeldoutError, match=r"model\.keras: expected .* without code"):
        load_model(keras, path)
    assert not mark.exists()


@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_code_in_the_older_format_is_not_loaded(tmp_path: Path, keras: Any, name: str) -> None:
    """Keras takes HDF5 by its first bytes, whatever the name of the file."""
    mark = tmp_path / "mark"
    lambda_model(keras, tmp_path / "saved.h5", mark)
    path = (tmp_path / "saved.h5").rename(tmp_path / name)
    with pytest.raises(HeldoutError, match=rf"{name}: expected .* without code"):
        load_model(keras, path)
    assert not mark.exists()


@pytest.mark.parametrize("kind", ["external", "soft"])
def test_weights_that_lie_in_another_file_are_not_loaded(
    tmp_path: Path, keras: Any, kind: str
) -> None:
    """A link in the weights would bring in what the user, and not the author, can read."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")])
    path, other = tmp_path / "model.keras", tmp_path / "other.h5"
    model.save(path)
    with zipfile.ZipFile(path) as opened:
        parts = {name: opened.read(name) for name in opened.namelist()}
    other.write_bytes(parts["model.weights.h5"])
    weights = tmp_path / "weights.h5"
    weights.write_bytes(parts["model.weights.h5"])
    with h5py.File(weights, "a") as file:
        data = file["layers/dense/vars"]
        file.move("layers/dense/vars/0", "kept")
        where = "/layers/dense/vars/0"
        data["0"] = h5py.SoftLink("/kept") if kind == "soft" else h5py.ExternalLink(other, where)
    parts["model.weights.h5"] = weights.read_bytes()
    with zipfile.ZipFile(path, "w") as opened:
        for name, content in parts.items():
            opened.writestr(name, content)
    with pytest.raises(HeldoutError, match=r"model\.keras: expected a model of this workflow"):
        load_model(keras, path)


@pytest.mark.parametrize("kind", ["text", "pickle", "a zip of pickles", "cut"])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, keras: Any, kind: str) -> None:
    path, mark = tmp_path / "model.keras", tmp_path / "mark"
    if kind == "text":
        path.write_text("no model")
    elif kind == "pickle":
        path.write_bytes(pickled(mark))
    elif kind == "cut":
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path)
        path.write_bytes(path.read_bytes()[:500])
    else:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as opened:
            for name in ("config.json", "metadata.json", "model.weights.h5"):
                opened.writestr(name, pickled(mark))
        path.write_bytes(stream.getvalue())
    with pytest.raises(HeldoutError, match=r"model\.keras: expected a model of this workflow"):
        load_model(keras, path)
    assert not mark.exists()


UNSAFE = re.compile(
    r"\bpickle\b|\bjoblib\b|\bdill\b|allow_pickle=True|safe_mode=False|unsafe|shell=True"
    r"|os\.system|(?<![\w.])eval\(|(?<![\w.])exec\(|yaml\.(load|unsafe_load|full_load)\("
)


def test_the_library_has_no_way_to_run_what_it_reads() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for folder in ("lib", "workflow", "docs", "benchmarks")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".smk")
        for line in path.read_text(encoding="utf-8").splitlines()
        if UNSAFE.search(line) and not line.lstrip().startswith("#")
    ]
    # The loader is one of plain values.
    assert [line for line in found if "Loader=_loader()" not in line] == []


def test_the_library_says_that_it_takes_no_pickles() -> None:
    """Each np.load states it, whatever the default of numpy becomes."""
    calls = [
        line
        for path in sorted((ROOT / "lib").rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if "np.load(" in line
    ]
    assert len(calls) >= 4
    assert [line for line in calls if "allow_pickle=False" not in line] == []
    models = [
        path.name
        for path in sorted((ROOT / "lib").rglob("*.py"))
        if "models.load_model(" in path.read_text(encoding="utf-8")
    ]
    assert models == ["predictor.py"], "one place loads models"
