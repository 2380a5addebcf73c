"""A trained network as a folder to hand on: formats that agree, settings, and a model card."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.errors import HeldoutError
from lib.files import read_json, read_table, write_json
from lib.networks.backend import load
from lib.predict.card import model_card
from lib.predict.predictor import load_model, read_run
from lib.train.batches import predict

FORMS = {
    "saved_model": ("saved_model", "TensorFlow, endpoint `serve`"),
    "onnx": ("model.onnx", "ONNX, input `examples`"),
}
"""Each format with the file or folder that holds it, and what takes it."""

# Two runtimes add up in another order: float32 probabilities differ by a few units in the last
# place, not by this.
AGREEMENT = 1e-4
_TRIED = 16


def export(
    run: str | Path,
    folder: str | Path,
    *,
    form: str = "saved_model",
    tables: str | Path | None = None,
    manifest: Mapping[str, Any] | None = None,
) -> Path:
    """Write a network with all that one needs to use it, or to decide not to.

    Parameters
    ----------
    run : str or Path
        The folder of a run.
    folder : str or Path
        What to make; it must not be there.
    form : {"saved_model", "onnx"}
        What is written beside `model.keras`.
    tables : path, optional
        The tables of `lib.compare`, for the intervals on the card.
    manifest : mapping, optional
        Of the dataset, for its version, licence and citation.

    Returns
    -------
    Path
        `folder`: `model.keras`; `saved_model/` (TensorFlow, endpoint `serve`) or `model.onnx`
        (input `examples`, and `context` where there is one); `inputs.json`, `labels.txt`,
        `run.json` and `README.md`, the model card. `lib.predict.predictor` takes it as a run.

    Raises
    ------
    HeldoutError
        As `lib.predict.predictor.read_run`; the form is not known, or what writes it is not
        installed; the folder is there; or the two formats do not agree.
    """
    run, folder = Path(run), Path(folder)
    record = read_run(run)
    if form not in FORMS:
        raise HeldoutError(
            f"format {form!r}", f"one of {', '.join(FORMS)}", advice="Correct it (--format)."
        )
    if form == "onnx":
        _require_onnx()
    if folder.exists():
        raise HeldoutError(
            folder,
            "nothing there, since no model is overwritten",
            advice="Name another folder (--output), or move it away.",
        )
    # Both backends read `.keras`; only this one writes both formats.
    keras = load("tensorflow")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".export.") as scratch:
        part = Path(scratch) / "model"
        part.mkdir()
        shutil.copy2(run / "model.keras", part)
        shutil.copy2(run / "run.json", part)
        model = load_model(keras, run / "model.keras")
        file = FORMS[form][0]
        if form == "onnx":
            _write_onnx(keras, model, part / file)
        else:
            model.export(part / file, format="tf_saved_model", verbose=False)
        difference = disagreement(part, record["inputs"])
        if not difference <= AGREEMENT:
            raise HeldoutError(
                run,
                f"{file} to give the probabilities of model.keras",
                f"a difference of {difference:g}",
                "Do not use it; report this with the run.json.",
            )
        write_json(part / "inputs.json", {**record["inputs"], "classes": record["classes"]})
        (part / "labels.txt").write_text("\n".join(record["classes"]) + "\n", encoding="utf-8")
        card = model_card(
            record,
            board=_board(tables, record),
            manifest=manifest or {},
            formats=dict([FORMS[form]]),
        )
        (part / "README.md").write_text(card, encoding="utf-8")
        part.replace(folder)
    return folder


def _require_onnx() -> None:
    lost = [name for name in ("tf2onnx", "onnxruntime") if find_spec(name) is None]
    if lost:
        raise HeldoutError(
            "format onnx",
            "the packages tf2onnx and onnxruntime",
            f"no {' and no '.join(lost)}",
            "Install them (pip install tf2onnx onnxruntime), or leave --format out.",
        )


def _write_onnx(keras: Any, model: Any, file: Path) -> None:
    """Convert a network with tf2onnx, as Keras does it."""

    # The constants of a Normalization layer are tensors made outside of the traced function:
    # tf2onnx makes inputs of them. Those of Rescaling are numbers, and become part of the graph.
    def rescaled(layer: Any) -> Any:
        if not isinstance(layer, keras.layers.Normalization):
            return layer.__class__.from_config(layer.get_config())
        config = layer.get_config()
        mean, variance = (np.array(config[name]).reshape(-1) for name in ("mean", "variance"))
        # As the layer itself does, so that a channel without any variance stays finite.
        deviation = np.maximum(np.sqrt(variance), keras.config.epsilon())
        return keras.layers.Rescaling((1 / deviation).tolist(), (-mean / deviation).tolist())

    clone = keras.models.clone_model(model, clone_function=rescaled)
    clone.set_weights(model.get_weights())
    # One input, or a mapping of several; each has the name of its layer.
    spec = keras.tree.map_structure(
        lambda tensor: keras.InputSpec(shape=tensor.shape, dtype="float32", name=tensor.name),
        model.input,
    )
    clone(keras.tree.map_structure(lambda t: np.zeros((1, *t.shape[1:]), np.float32), model.input))
    with warnings.catch_warnings():
        # Keras looks for a name that NumPy 2 gave up.
        warnings.simplefilter("ignore", FutureWarning)
        clone.export(file, format="onnx", verbose=False, input_signature=[spec])


def disagreement(folder: str | Path, inputs: Mapping[str, Any]) -> float:
    """Compute the largest difference of the probabilities that two formats give.

    `model.keras` and the other format are asked for the same examples, drawn within the range of
    the training's, and so is their context.
    """
    folder = Path(folder)
    keras = load("tensorflow")
    rng = np.random.default_rng(0)

    def draw(ends: Mapping[str, Any], *shape: int) -> np.ndarray:
        low, high = (np.array(ends[end], dtype=np.float32) for end in ("low", "high"))
        return rng.uniform(low, high, size=(_TRIED, *shape)).astype(np.float32)

    given = {"examples": draw(inputs["values"], *inputs["shape"])}
    if "context" in inputs:
        given["context"] = draw(inputs["context"], len(inputs["context"]["names"]))
    rows, beside = np.arange(_TRIED), given.get("context")
    model = load_model(keras, folder / "model.keras")
    expected = predict(keras, model, given["examples"], rows, beside)
    ask = _ask_onnx if (folder / "model.onnx").is_file() else _ask_saved_model
    return float(np.abs(expected - ask(folder, given)).max())


def _ask_onnx(folder: Path, given: Mapping[str, np.ndarray]) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(
        str(folder / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    return np.asarray(session.run(None, dict(given))[0])


def _ask_saved_model(folder: Path, given: Mapping[str, np.ndarray]) -> np.ndarray:
    import tensorflow as tf

    # Its variables live as long as this object.
    saved = tf.saved_model.load(str(folder / "saved_model"))
    tensors = {name: tf.constant(values) for name, values in given.items()}
    # What takes one input takes it without its name.
    inputs = tensors if len(tensors) > 1 else tensors["examples"]
    return np.asarray(saved.serve(inputs).numpy())


def _board(tables: str | Path | None, record: Mapping[str, Any]) -> pd.DataFrame:
    """Take the lines of the leaderboard that are about this run's study, by example."""
    file = Path(tables or "") / "leaderboard.csv"
    if tables is None or not file.is_file():
        return pd.DataFrame()
    text = ("study", "protocol", "honest", "architecture", "kind", "metric", "unit")
    board = read_table(file, text=text)
    return board[(board["study"] == record["study"]) & (board["unit"] == "example")]


def manifest_of(record: Mapping[str, Any], data: str | Path) -> dict[str, Any]:
    """Read the manifest of a run's dataset; empty where it is not there."""
    file = Path(data) / f"{record['dataset']}.json"
    return dict(read_json(file)) if file.is_file() else {}
