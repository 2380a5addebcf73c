"""The card of a model to hand on: data, protocol, numbers with intervals, limits, licence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

_PROTOCOLS = {
    True: "No group (what the protocol keeps together: a patient, a speaker, a recording) of the "
    "test part was in another part.",
    False: "**Not honest: groups of the test part were in the train part, too. These numbers "
    "promise too much.**",
}


def model_card(
    record: Mapping[str, Any],
    *,
    board: pd.DataFrame,
    manifest: Mapping[str, Any],
    formats: Mapping[str, str] | None = None,
) -> str:
    """Write the model card.

    Parameters
    ----------
    record : mapping
        `run.json`.
    board : pd.DataFrame
        Rows of `leaderboard.csv` about the study, by example; perhaps none.
    manifest : mapping
        Of the dataset; perhaps empty.
    formats : mapping of str to str, optional
        Each file or folder beside `model.keras` that holds the network, and what takes it.

    Returns
    -------
    str
        Markdown.
    """
    parts = [_head(record), _use(record, formats or {}), _data(record, manifest)]
    parts += [_numbers(record, board), _limits(manifest), _licence(manifest)]
    return "\n".join(line for part in parts for line in [*part, ""])


def _head(record: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {record['architecture']} for {', '.join(record['classes'])}"
    yield ""
    yield (
        f"Study {record['study']}, protocol {record['protocol']}, trial {record['trial']}, seed "
        f"{record['seed']}, fold {record['fold']}."
    )
    if record["simulated"]:
        yield ""
        yield "**Trained on simulated recordings: of no use on real ones.**"


def _use(record: Mapping[str, Any], formats: Mapping[str, str]) -> Iterator[str]:
    inputs = record["inputs"]
    others = "".join(f", `{name}` ({what})" for name, what in formats.items())
    yield from ("## Use", "", "    python -m lib predict FOLDER FILE", "")
    yield (
        f"`model.keras` (Keras){others}: float32 examples of shape (examples, "
        f"{inputs['shape'][0]}, {inputs['shape'][1]}), made as `inputs.json` says, give the "
        "probability of each line of `labels.txt`. Normalisation is part of the network."
    )


def _data(record: Mapping[str, Any], manifest: Mapping[str, Any]) -> Iterator[str]:
    inputs = record["inputs"]
    recordings = inputs["recordings"]
    name = " ".join(
        str(text) for text in (manifest.get("title") or record["dataset"], manifest.get("version"))
        if text
    )  # fmt: skip
    source = f", {manifest['source']}" if manifest.get("source") else ""
    where = f" ({manifest['landing_page']})" if manifest.get("landing_page") else ""
    yield from ("## Data", "")
    yield (
        f"{name}{where}{source}: {record['metrics']['train']['examples']} training examples. "
        f"Sampling rates {', '.join(f'{rate:g}' for rate in recordings['rate'])} Hz; durations "
        f"{recordings['duration'][0]:.2f} to {recordings['duration'][1]:.2f} s; levels "
        f"{recordings['level'][0]:.0f} to {recordings['level'][1]:.0f} {recordings['decibel']}."
    )
    yield ""
    for label, members in inputs["labels"].items():
        yield f"- class {label}: labelled {', '.join(members)}"


def _numbers(record: Mapping[str, Any], board: pd.DataFrame) -> Iterator[str]:
    test = record["metrics"]["test"]
    yield from ("## Numbers", "", _PROTOCOLS[bool(record["honest"])], "")
    yield (
        f"This run, on its {test['examples']} test examples: macro-F1 {test['macro_f1']:.3f}, "
        f"accuracy {test['accuracy']:.3f}."
    )
    yield ""
    if not len(board):
        yield "Intervals are not known here: the tables of the study were not there."
        return
    here = board["protocol"] == record["protocol"]
    own = board["architecture"] == record["architecture"]
    yield from _table(
        "All seeds and folds of the architecture, with 95 % intervals over the groups of the test "
        "part:",
        board[here & own],
        "metric",
    )
    score = board["metric"] == "macro_f1"
    yield from _table(
        "What to hold it against, macro-F1 of the baselines under the same protocol:",
        board[here & score & (board["kind"] == "baseline")],
        "architecture",
    )
    leaky = board["honest"].astype(str).str.lower() == "false"
    yield from _table(
        "And what the same architecture seems to reach where groups stand on two sides (macro-F1):",
        board[~here & own & score & leaky],
        "protocol",
    )


def _table(title: str, rows: pd.DataFrame, name: str) -> Iterator[str]:
    if rows.empty:
        return
    yield from (title, "", f"| {name} | estimate | 95 % interval |", "|---|---|---|")
    for row in rows.to_dict("records"):
        ends = "–" if pd.isna(row["low"]) else f"{row['low']:.3f} to {row['high']:.3f}"
        groups = f" ({int(row['groups'])} groups)" if ends != "–" else ""
        yield f"| {row[name]} | {row['estimate']:.3f} | {ends}{groups} |"
    yield ""


def _limits(manifest: Mapping[str, Any]) -> Iterator[str]:
    yield from ("## Limits", "")
    yield from (f"- {caution}" for caution in manifest.get("cautions") or [])
    yield (
        "- Not a medical device. What recordings of other devices, rooms, languages or patients "
        "give has not been measured."
    )
    yield (
        "- `python -m lib predict` warns where a file differs from the training recordings in "
        "rate, length, level or range; nobody warns of other differences."
    )
    yield (
        "- Probabilities are not calibrated on anything but the validation part, which chose the "
        "epoch."
    )


def _licence(manifest: Mapping[str, Any]) -> Iterator[str]:
    yield from ("## Licence", "")
    yield (
        f"Of the recordings: {manifest.get('licence') or 'not known'}. Whether a network is bound "
        "by the licence of its recordings differs by law; ask before you hand it on."
    )
    yield from (f"- {entry}" for entry in manifest.get("citation") or [])
