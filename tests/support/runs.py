"""Fabricate everything that compare, plots and report read: two studies with all of their runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.compare import compare
from lib.examples.arrays import contents
from lib.explore import explore
from lib.files import read_table, write_json, write_table
from lib.splits import make_split

ARCHITECTURES = ("lstm", "gru", "cnn")
BASELINES = ("majority", "metadata", "logistic")
# Skill is the weight of the truth in the made-up probabilities: (honest, random).
SKILL = {
    "lstm": (0.9, 1.9),
    "gru": (1.1, 2.0),
    "cnn": (1.3, 2.6),
    "metadata": (0.3, 0.5),
    "logistic": (0.6, 0.8),
}


SITES = ("east", "north", "west")
# Protocols by hospital, to be added to those of a study.
BY_HOSPITAL = {
    kind: {"kind": kind, "honest": True, "title": title, "folds": 3}
    | {"by": "hospital", "sites": list(SITES)}
    for kind, title in (("sites", "one hospital left out"), ("pairs", "each hospital alone"))
}


def study(
    name: str,
    *,
    classes: Sequence[str],
    scored: Sequence[str],
    architectures: Sequence[str] = ARCHITECTURES,
    seeds: Sequence[int] = (0, 1),
    simulated: bool = True,
    title: str = "",
    example_kind: str = "beats",
    permutations: int = 0,
) -> dict[str, Any]:
    return {
        "study": name,
        "dataset": f"{name}_data",
        "title": title or name.replace("_", " ").capitalize(),
        "question": "Which network tells the classes of patients it has never seen?",
        "simulated": simulated,
        "classes": list(classes),
        "scored": list(scored),
        "primary": "grouped",
        "protocols": {
            "grouped": {"kind": "grouped", "honest": True, "title": "by patient", "folds": 1},
            "random": {"kind": "random", "honest": False, "title": "by example", "folds": 1},
        },
        "architectures": list(architectures),
        "shared_searches": {},
        "searched_in_folds": {},
        "baselines": list(BASELINES),
        "seeds": list(seeds),
        "permutations": permutations,
        "budgets": {
            name: {"epochs": 30, "seconds": None, "undersampling": None, "refit": False}
            for name in architectures
        },
        "example_kind": example_kind,
        "input": {
            "seconds": 1.5,
            "before": 0.6 if example_kind == "beats" else 0.0,
            "aligned": example_kind == "beats",
            "channels": [],
            "unit": "mV",
        },
    }


def two_studies() -> list[dict[str, Any]]:
    return [
        study(
            "arrhythmia", classes=["N", "S", "V", "F", "Q"], scored=["N", "S", "V", "F"],
            title="Arrhythmia",
        ),
        study(
            "voices", classes=["James", "Linda", "Maria"], scored=["James", "Linda", "Maria"],
            title="Voices", example_kind="spectral", simulated=False,
        ),
    ]  # fmt: skip


def make_runs(
    folder: Path,
    *,
    studies: Sequence[dict[str, Any]] | None = None,
    groups: int = 24,
    per_group: int = 20,
    folds: int = 1,
    seed: int = 0,
    epochs: int = 20,
    trials: int = 6,
    change: Callable[[pd.DataFrame], pd.DataFrame] = lambda examples: examples,
) -> dict[str, Any]:
    """Write all inputs below `folder`; give what compare, plots and report are called with."""
    studies = list(two_studies() if studies is None else studies)
    results = folder / "results"
    for number, one in enumerate(studies):
        rng = np.random.default_rng([seed, number])
        alone = one["example_kind"] == "spectral"
        examples = change(_examples(one, rng, groups=groups, per_group=1 if alone else per_group))
        base = results / one["study"]
        signals = _signals(one, examples, rng)
        content, flat = contents(signals)
        examples = examples.assign(content=content, flat=flat, saturated=0.0)
        write_table(base / "examples.parquet", examples)
        np.save(base / "examples.npy", signals)
        write_table(base / "recordings.csv", _recordings(examples))
        count = examples["recording"].nunique()
        explored = explore(examples, classes=one["classes"], recordings=count)
        write_json(base / "exploration.json", explored)
        write_json(base / "shortcuts.json", _shortcuts())
        for name in one["architectures"]:
            for number in range(1, one["permutations"] + 1):
                for fold in range(folds):
                    at = base / "permuted" / name / f"permutation-{number}" / f"fold-{fold}"
                    score = {"macro_f1": float(rng.uniform(0.1, 0.3))}
                    write_json(at / "run.json", {"metrics": {"test": score}})
        for protocol, settings in one["protocols"].items():
            honest = settings["honest"]
            recordings = read_table(base / "recordings.csv")
            if "sites" in settings:
                chosen = {key: settings[key] for key in ("kind", "by", "sites")}
                split = make_split(examples, recordings=recordings, **chosen)
            elif settings["kind"] == "test_selected":
                split = read_table(base / one["primary"] / "split.parquet")
                tested = split[split["part"] == "test"].assign(part="validation")
                split = pd.concat([split[split["part"] != "validation"], tested])
            else:
                split = _split(examples, rng, by="group" if honest else "example", folds=folds)
            write_table(base / protocol / "split.parquet", split)
            write_json(base / protocol / "audit.json", _audit(one, protocol, examples, split))
            for name in one["architectures"] + one["baselines"]:
                kind = "network" if name in one["architectures"] else "baseline"
                for s in one["seeds"] if kind == "network" else [0]:
                    for fold in sorted(split["fold"].unique().tolist()):
                        path = base / protocol / name / f"seed-{s}" / f"fold-{fold}"
                        part = split[split["fold"] == fold]
                        _run(path, one, protocol, name, kind, s, fold, examples, part, rng, epochs)
        for name in one["architectures"]:
            write_table(base / "search" / name / "trials.csv", _trials(name, rng, trials))
    claims = folder / "claims.csv"
    write_table(claims, _claims())
    return {
        "studies": studies,
        "results": results,
        "tables": results / "tables",
        "plots": results / "plots",
        "claims": claims,
        "manifests": [_manifest(one) for one in studies],
        "provenance": {
            "commit": "0123abc", "config": {"seed": 0, "settings": {"voices": {"epochs": 5}}},
            "command": "snakemake --cores 2",
            "versions": {"python": "3.11", "numpy": "2.4"},
            "durations": {"features": 12.5, "train": 340.0},
        },
    }  # fmt: skip


def small_runs(folder: Path) -> dict[str, Any]:
    """Write one small study of one architecture: for what takes many runs of compare."""
    one = study("arrhythmia", classes=["N", "S"], scored=["N", "S"], architectures=["lstm"])
    return make_runs(folder, studies=[one], groups=12, per_group=6)


def compare_runs(
    made: dict[str, Any], folder: Path | None = None, **options: Any
) -> dict[str, Path]:
    """Compare what `make_runs` wrote, with fewer resamples than a person would take."""
    return compare(
        made["studies"],
        results=made["results"],
        tables=folder or made["tables"],
        claims=made["claims"],
        **{"resamples": 600, **options},
    )


def _examples(
    one: dict[str, Any], rng: np.random.Generator, *, groups: int, per_group: int
) -> pd.DataFrame:
    classes = one["classes"]
    n = groups * per_group
    share = np.array([2.0 ** -(k % 5) for k in range(len(classes))])
    label = rng.choice(len(classes), size=n, p=share / share.sum())
    # Each class occurs in several groups, so that every part has all of them.
    for k in range(len(classes)):
        label[k :: 3 * len(classes)] = k
    group = np.repeat(np.arange(groups), per_group)
    return pd.DataFrame(
        {
            "example": np.arange(n),
            "recording": [f"r{g:03}" for g in group],
            "group": [f"p{g:03}" for g in group],
            "label": np.array(classes, dtype=object)[label],
            "start": np.tile(np.arange(per_group) * 0.8, groups),
            "split": "",
            "rate": 360.0,
            "duration": 1800.0,
            "channels": 1,
            "level": rng.normal(-20, 3, n),
            "unit": "mV",
        }
    )


def _recordings(examples: pd.DataFrame) -> pd.DataFrame:
    """Say of each recording what may be known of a person."""
    table = examples.drop_duplicates("recording")[["recording", "group", "rate", "duration"]]
    number = np.arange(len(table))
    ages = np.where(number % 5 == 4, np.nan, 20.0 + 25 * (number % 3))
    sites = np.array(SITES)[number % len(SITES)]
    return table.assign(age=ages, sex=np.array(["F", "M"])[number % 2], hospital=sites)


def _shortcuts() -> dict[str, Any]:
    """Say what a linear model tells: the group well, the site as chance does, one value never."""
    row = {"values": 24, "groups": 24, "examples": 480, "interval_note": "", "note": ""}
    none = dict.fromkeys(("score", "low", "high", "chance", "association"))
    return {
        "columns": [
            row
            | none
            | {"column": "group", "score": 0.8, "low": 0.7, "high": 0.9, "chance": 1 / 24},
            row
            | {"column": "site", "values": 2, "score": 0.5, "low": 0.4, "high": 0.6}
            | {"chance": 0.5, "association": 0.1},
            row
            | none
            | {"column": "rate", "values": 1, "note": "it is the same for all recordings"},
        ],
        "ridge": {"score": 0.6, "permuted": [0.2 + k / 1000 for k in range(99)], "ways": None},
    }


def _signals(one: dict[str, Any], examples: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    number = examples["label"].map({c: k for k, c in enumerate(one["classes"])}).to_numpy()
    if one["example_kind"] == "spectral":
        time, band = np.arange(128)[:, None], np.arange(33)[None, :]
        x = np.sin(time / 9 + band * (number[:, None, None] + 1) / 7)
        return (x + rng.normal(0, 0.3, x.shape)).astype(np.float32)
    t = np.linspace(-0.5, 1, 187)[None, :]
    width = 0.02 + 0.03 * number[:, None]
    beat = np.exp(-((t / width) ** 2)) + 0.2 * np.exp(-(((t - 0.3) / 0.08) ** 2))
    return (beat + rng.normal(0, 0.03, beat.shape)).astype(np.float32)[..., None]


def _split(
    examples: pd.DataFrame, rng: np.random.Generator, *, by: str, folds: int
) -> pd.DataFrame:
    units = rng.permutation(examples[by].unique())
    tables = []
    for fold in range(folds):
        turned = np.roll(units, fold * (len(units) // max(folds, 2)))
        edge = len(units) // (folds if folds > 1 else 2)
        part = dict.fromkeys(turned, "train")
        part |= dict.fromkeys(turned[:edge], "test")
        part |= dict.fromkeys(turned[edge : edge + max(1, edge // 3)], "validation")
        tables.append(
            pd.DataFrame(
                {"example": examples["example"], "fold": fold, "part": examples[by].map(part)}
            )
        )
    return pd.concat(tables, ignore_index=True)


def _audit(
    one: dict[str, Any], protocol: str, examples: pd.DataFrame, split: pd.DataFrame
) -> dict[str, Any]:
    table = split.merge(examples, on="example")
    sides = table.groupby(["fold", "group"])["part"].nunique()
    shared = sorted({g for _, g in sides[sides > 1].index})
    parts = [
        {
            "fold": int(fold), "part": part, "examples": len(some),
            "groups": int(some["group"].nunique()),
            "classes": {c: int((some["label"] == c).sum()) for c in one["classes"]},
        }
        for (fold, part), some in table.groupby(["fold", "part"])
    ]  # fmt: skip
    settings = one["protocols"][protocol]
    return {
        "study": one["study"], "protocol": protocol, "kind": settings["kind"],
        "honest": settings["honest"], "leaks": bool(shared),
        "groups_on_two_sides": {
            "count": len(shared), "groups": shared,
            "examples": int(table["group"].isin(shared).sum()),
        },
        "identical_examples": {"count": 0}, "sites_on_two_sides": {"count": 0}, "in_no_part": 0,
        "overlapping_examples": {"count": 3 if shared else 0},
        "missing_classes": [], "parts": parts,
    }  # fmt: skip


def _run(
    path: Path,
    one: dict[str, Any],
    protocol: str,
    name: str,
    kind: str,
    seed: int,
    fold: int,
    examples: pd.DataFrame,
    part: pd.DataFrame,
    rng: np.random.Generator,
    epochs: int,
) -> None:
    classes = one["classes"]
    honest = one["protocols"][protocol]["honest"]
    rows = part[part["part"] != "train"].merge(examples, on="example")
    truth = rows["label"].map({c: k for k, c in enumerate(classes)}).to_numpy()
    logits = rng.normal(0, 1, (len(rows), len(classes)))
    if name == "majority":
        logits = np.tile(np.linspace(1, 0, len(classes)), (len(rows), 1))
    else:
        # A patient is easy or hard as a whole: that is why groups are resampled.
        ease = {g: rng.normal(0, 0.6) for g in rows["group"].unique()}
        skill = np.full(len(rows), SKILL.get(name, (1.0, 2.0))[0 if honest else 1])
        if "site" in part:
            # Where a network was trained, it does as well as under a split that leaks.
            met = rows["site"].isin(part.loc[part["part"] == "train", "site"])
            skill[met] = SKILL.get(name, (1.0, 2.0))[1]
        logits[np.arange(len(rows)), truth] += skill * 1.5 + rows["group"].map(ease).to_numpy()
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    table = rows[["example", "part", "label"]].copy()
    for k, label in enumerate(classes):
        table[label] = probability[:, k].astype(np.float32)
    write_table(path / "predictions.parquet", table)
    right = (probability.argmax(1) == truth).mean()
    scores = {
        "loss": float(1 - right), "accuracy": float(right), "mse": 0.1, "mae": 0.2,
        "macro_f1": float(right) - 0.05, "examples": len(rows),
    }  # fmt: skip
    write_json(
        path / "run.json",
        {
            "study": one["study"], "dataset": one["dataset"], "simulated": one["simulated"],
            "protocol": protocol, "honest": honest, "architecture": name, "kind": kind,
            "trial": f"{name}-00", "seed": seed, "fold": fold, "classes": classes,
            "scored": one["scored"], "hyperparameters": {"units": 32},
            "training": {"epochs": epochs},
            "metrics": {"train": scores, "validation": scores, "test": scores},
            "epochs": epochs, "best_epoch": epochs - 6, "parameters": 12345, "model_kb": 60.5,
            "train_seconds": float(rng.uniform(1, 9)), "predict_seconds": 0.001,
            "backend": "tensorflow", "device": "cpu", "versions": {"keras": "3.10"},
            **({"ending": "converged"} if kind == "network" else {}),
            **({"alone": {"rate": 0.2, "duration": 0.4}} if name == "metadata" else {}),
        },
    )  # fmt: skip
    if kind == "network":
        epoch = np.arange(1, epochs + 1)
        train = 1.4 * np.exp(-epoch / 6) + 0.1 + rng.normal(0, 0.01, epochs)
        val = train + 0.02 * epoch / 4 + rng.normal(0, 0.03, epochs)
        history = {
            "epoch": epoch, "loss": train, "accuracy": 1 - train / 2, "mse": train / 9,
            "mae": train / 5, "val_loss": val, "val_accuracy": 1 - val / 2, "val_mse": val / 9,
            "val_mae": val / 5, "learning_rate": 1e-3, "seconds": 0.5,
        }  # fmt: skip
        write_table(path / "history.csv", pd.DataFrame(history))


def _trials(name: str, rng: np.random.Generator, count: int) -> pd.DataFrame:
    loss = rng.uniform(0.4, 1.2, count)
    return pd.DataFrame(
        {
            "trial": [f"{name}-{k:02}" for k in range(count)],
            "units": ([16, 32, 64] * count)[:count],
            "optimizer": ["adam"] * (count // 2) + ["rmsprop"] * (count - count // 2),
            "val_loss": loss,
            "val_accuracy": 1 - loss / 2,
            "val_macro_f1": 0.95 - loss / 2,
            "epochs": 20,
            "state": ["complete"] * (count - 1) + ["pruned"],
        }
    )


def _claims() -> pd.DataFrame:
    columns = (
        *("study", "source", "architecture", "split", "protocol", "group_disjoint", "metric"),
        *("model", "value", "test_size", "valid", "note"),
    )
    rows = [
        ("arrhythmia", "A 2019", "cnn", "random beats", "random", "false", "macro_f1", "", 0.86,
         "file", "true", ""),
        ("arrhythmia", "B 2019", "seq2seq", "called honest", "grouped", "false", "sensitivity_S",
         "", 0.889, "", "false", "the order gives the label away"),
        ("voices", "C", "lstm", "folders", "published", "false", "accuracy", "", 1.0, "25 clips",
         "true", "25 of 25"),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _manifest(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "dataset": one["dataset"], "source": "simulated" if one["simulated"] else "mirror",
        "simulated": one["simulated"], "version": "1.0.0", "licence": "ODC-By 1.0",
        "citation": ["Moody and Mark 2001, IEEE Eng. Med. Biol. 20:45"],
        "files": [{"path": "100.dat", "bytes": 1950000, "sha256": "ab" * 32}],
    }  # fmt: skip
