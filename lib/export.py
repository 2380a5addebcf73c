"""A trained network as a folder to hand on: two formats that agree, settings, and a model card."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.backend import load
from lib.errors import HeldoutError
from lib.files import read_json, read_table, write_json
from lib.predict import load_model, read_run

# Two runtimes add up in another order: float32 probabilities differ by a few units in the last
# place, not by this.
AGREEMENT = 1e-4
_TRIED = 16


def export(
    run: str | Path,
    folder: str | Path,
    *,
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
    tables : path, optional
        The tables of `lib.compare`, for the intervals on the card.
    manifest : mapping, optional
        Of the dataset, for its version, licence and citation.

    Returns
    -------
    Path
        `folder`: `model.keras`, `saved_model/` (TensorFlow, endpoint `serve`), `inputs.json`,
        `labels.txt`, `run.json` and `README.md`, the model card. `lib.predict` takes it as a run.

    Raises
    ------
    HeldoutError
        As `lib.predict.read_run`; the folder is there; the run was computed with another backend
        than TensorFlow; or the two formats do not agree.
    """
    run, folder = Path(run), Path(folder)
    record = read_run(run)
    if folder.exists():
        raise HeldoutError(
            f"{folder}: expected nothing there, since no model is overwritten. Name another folder "
            "(--output), or move it away."
        )
    # Both backends read `.keras`; only this one writes a SavedModel without a further package.
    keras = load("tensorflow")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".export.") as scratch:
        part = Path(scratch) / "model"
        part.mkdir()
        shutil.copy2(run / "model.keras", part)
        shutil.copy2(run / "run.json", part)
        model = load_model(keras, run / "model.keras")
        model.export(part / "saved_model", format="tf_saved_model", verbose=False)
        difference = disagreement(part, record["inputs"])
        if not difference <= AGREEMENT:
            raise HeldoutError(
                f"{run}: expected the SavedModel to give the probabilities of model.keras, got "
                f"a difference of {difference:g}. Do not use it; report this with the run.json."
            )
        write_json(part / "inputs.json", {**record["inputs"], "classes": record["classes"]})
        (part / "labels.txt").write_text("\n".join(record["classes"]) + "\n", encoding="utf-8")
        card = model_card(record, board=_board(tables, record), manifest=manifest or {})
        (part / "README.md").write_text(card, encoding="utf-8")
        part.replace(folder)
    return folder


def disagreement(folder: str | Path, inputs: Mapping[str, Any]) -> float:
    """Give the largest difference between the probabilities of `model.keras` and `saved_model`.

    Both are asked for the same examples, drawn within the range of the training's.
    """
    import tensorflow as tf

    keras = load("tensorflow")
    low, high = (np.array(inputs["values"][end], dtype=np.float32) for end in ("low", "high"))
    rng = np.random.default_rng(0)
    x = rng.uniform(low, high, size=(_TRIED, *inputs["shape"])).astype(np.float32)
    model = load_model(keras, Path(folder) / "model.keras")
    # Its variables live as long as this object.
    saved = tf.saved_model.load(str(Path(folder) / "saved_model"))
    served = saved.serve(tf.constant(x)).numpy()
    return float(np.abs(model.predict(x, verbose=0) - served).max())


def _board(tables: str | Path | None, record: Mapping[str, Any]) -> pd.DataFrame:
    """Take the lines of the leaderboard that are about this run's protocol and architecture."""
    file = Path(tables or "") / "leaderboard.csv"
    if tables is None or not file.is_file():
        return pd.DataFrame()
    board = read_table(file, text=("study", "protocol", "architecture", "metric", "unit"))
    same = [board[name] == record[name] for name in ("study", "protocol", "architecture")]
    return board[np.logical_and.reduce(same) & (board["unit"] == "example")]


def model_card(
    record: Mapping[str, Any], *, board: pd.DataFrame, manifest: Mapping[str, Any]
) -> str:
    """Write the model card: data, protocol, numbers with intervals, limits, licence.

    Parameters
    ----------
    record : mapping
        `run.json`.
    board : pd.DataFrame
        Rows of `leaderboard.csv` about it; perhaps none.
    manifest : mapping
        Of the dataset; perhaps empty.

    Returns
    -------
    str
        Markdown.
    """
    inputs = record["inputs"]
    recordings = inputs["recordings"]
    test = record["metrics"]["test"]
    honest = record["honest"]
    lines = [
        f"# {record['architecture']} for {', '.join(record['classes'])}",
        "",
        f"Study {record['study']}, protocol {record['protocol']}, trial {record['trial']}, seed "
        f"{record['seed']}, fold {record['fold']}.",
    ]
    if record["simulated"]:
        lines += ["", "**Trained on simulated recordings: of no use on real ones.**"]
    lines += [
        "",
        "## Use",
        "",
        "    python -m lib predict FOLDER FILE",
        "",
        f"`model.keras` (Keras) and `saved_model/` (TensorFlow, endpoint `serve`) take float32 "
        f"examples of shape (examples, {inputs['shape'][0]}, {inputs['shape'][1]}) as "
        "`inputs.json` says they are made, and give the probability of each line of `labels.txt`. "
        "Normalisation is part of the network.",
        "",
        "## Data",
        "",
        f"{record['dataset']} {manifest.get('version') or ''}".strip()
        + f", {record['metrics']['train']['examples']} training examples. Sampling rates "
        f"{', '.join(f'{rate:g}' for rate in recordings['rate'])} Hz; durations "
        f"{recordings['duration'][0]:.2f} to {recordings['duration'][1]:.2f} s; levels "
        f"{recordings['level'][0]:.0f} to {recordings['level'][1]:.0f} dB of full scale.",
        "",
        "## Numbers",
        "",
        "No group (what the protocol keeps together: a patient, a speaker, a recording) of the "
        "test part was in another part."
        if honest
        else "**Not honest: groups of the test part were in the train part, too. These numbers "
        "promise too much.**",
        "",
        f"This run, on its {test['examples']} test examples: macro-F1 {test['macro_f1']:.3f}, "
        f"accuracy {test['accuracy']:.3f}.",
        "",
    ]
    if len(board):
        lines += [
            "All seeds and folds of the architecture, with 95 % intervals over groups:",
            "",
            "| metric | estimate | 95 % interval |",
            "|---|---|---|",
        ]
        for row in board.to_dict("records"):
            ends = "–" if pd.isna(row["low"]) else f"{row['low']:.3f} to {row['high']:.3f}"
            lines.append(f"| {row['metric']} | {row['estimate']:.3f} | {ends} |")
        lines.append("")
    lines += [
        "## Limits",
        "",
        "- Not a medical device. What recordings of other devices, rooms, languages or patients "
        "give has not been measured.",
        "- `python -m lib predict` warns where a file differs from the training recordings in "
        "rate, length, level or range; nobody warns of other differences.",
        "- Probabilities are not calibrated on anything but the validation part, which chose the "
        "epoch.",
        "",
        "## Licence",
        "",
        f"Of the recordings: {manifest.get('licence') or 'not known'}. Whether a network is bound "
        "by the licence of its recordings differs by law; ask before you hand it on.",
        *(f"- {entry}" for entry in manifest.get("citation") or []),
        "",
    ]
    return "\n".join(lines)


def manifest_of(record: Mapping[str, Any], data: str | Path) -> dict[str, Any]:
    """Read the manifest of a run's dataset; empty where it is not there."""
    file = Path(data) / f"{record['dataset']}.json"
    return dict(read_json(file)) if file.is_file() else {}
