"""Baselines: what they know, and what they must not look at."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lib.errors import HeldoutError
from lib.files import read_json, read_table
from lib.train.baselines import BASELINES, baseline_run, statistics
from lib.train.data import Data, with_validation

CLASSES = ["artifact", "murmur", "normal"]
N = 120


def data(*, labels=None, seed=0):
    """Return noise that says nothing of its class."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, 6, 2)).astype(np.float32)
    labels = np.arange(N) % 3 if labels is None else labels
    rows = {"train": np.arange(60), "validation": np.arange(60, 90), "test": np.arange(90, N)}
    return Data(x, labels, rows, CLASSES, CLASSES[:2])


def examples(**over):
    rng = np.random.default_rng(1)
    table = {"rate": 4000.0, "duration": rng.uniform(1, 9, N), "channels": 1}
    return pd.DataFrame(table | {"level": rng.normal(-20, 3, N)} | over)


def run(tmp_path, name, of=None, table=None, **options):
    folder = tmp_path / name
    identity = {"study": "s", "protocol": "grouped", "architecture": name, "seed": 0, "fold": 0}
    baseline_run(
        folder,
        data() if of is None else of,
        examples() if table is None else table,
        identity=identity,
        seed=0,
        **options,
    )
    return read_json(folder / "run.json"), read_table(folder / "predictions.parquet")


@pytest.mark.parametrize("name", BASELINES)
def test_a_run_folder(tmp_path, name):
    record, table = run(tmp_path, name)
    assert sorted(path.name for path in (tmp_path / name).iterdir()) == [
        "predictions.parquet",
        "run.json",
    ]
    assert record["kind"] == "baseline"
    assert record["architecture"] == name
    assert record["classes"] == CLASSES
    assert record["scored"] == CLASSES[:2]
    assert record["parameters"] > 0
    assert set(record["metrics"]) == {"train", "validation", "test"}
    assert [record["metrics"][part]["examples"] for part in record["metrics"]] == [60, 30, 30]
    assert list(table) == ["example", "part", "label", *CLASSES]
    assert table["part"].value_counts().to_dict() == {"validation": 30, "test": 30}
    np.testing.assert_allclose(table[CLASSES].sum(axis=1), 1, rtol=1e-5)
    assert table["label"].tolist() == [CLASSES[i % 3] for i in table["example"]]


def test_the_majority_predicts_the_shares_of_train(tmp_path):
    labels = np.zeros(N, int)
    labels[:15] = 1  # a quarter of train
    labels[60:] = 2  # which train does not know
    record, table = run(tmp_path, "majority", data(labels=labels))
    np.testing.assert_allclose(table[CLASSES].to_numpy(), [[0.75, 0.25, 0.0]] * 60)
    assert record["metrics"]["train"]["accuracy"] == 0.75
    assert record["metrics"]["test"]["accuracy"] == 0


def test_metadata_finds_a_sampling_rate_that_gives_a_class_away(tmp_path):
    leak = np.where(np.arange(N) % 3 == 0, 44_100.0, 4000.0)
    record, table = run(tmp_path, "metadata", table=examples(rate=leak))
    told = table["artifact"] > 0.5
    assert (told == (table["label"] == "artifact")).all()
    honest, _ = run(tmp_path / "honest", "metadata")
    assert record["metrics"]["test"]["accuracy"] > honest["metrics"]["test"]["accuracy"] + 0.15


@pytest.mark.parametrize("name", ["metadata", "logistic"])
def test_classes_that_train_does_not_know_get_nothing(tmp_path, name):
    labels = np.where(np.arange(N) < 60, np.arange(N) % 2 * 2, np.arange(N) % 3)
    record, table = run(tmp_path, name, data(labels=labels))
    assert (table["murmur"] == 0).all()
    assert (table["artifact"] > 0).any()
    assert (table["normal"] > 0).any()
    np.testing.assert_allclose(table[CLASSES].sum(axis=1), 1, rtol=1e-5)
    assert np.isfinite(record["metrics"]["test"]["loss"])


@pytest.mark.parametrize("name", ["metadata", "logistic"])
def test_train_alone_is_fitted(tmp_path, name):
    """Other labels in the other parts change no prediction."""
    _, first = run(tmp_path / "one", name)
    labels = np.arange(N) % 3
    labels[60:] = 1
    _, second = run(tmp_path / "two", name, data(labels=labels))
    np.testing.assert_array_equal(first[CLASSES], second[CLASSES])


def test_logistic_finds_loud_examples(tmp_path):
    loud = data()
    loud.x[loud.labels == 1] *= 5
    record, table = run(tmp_path, "logistic", loud)
    told = table["murmur"] > 0.5
    assert (told == (table["label"] == "murmur")).mean() > 0.9
    assert record["parameters"] == 3 * 14 + 3


def test_logistic_alone_sees_the_context(tmp_path):
    plain = data()
    told = replace(plain, context=(plain.labels == 1)[:, None].astype(np.float32))
    record, table = run(tmp_path, "logistic", told)
    assert ((table["murmur"] > 0.5) == (table["label"] == "murmur")).mean() > 0.9
    assert record["parameters"] == 3 * 15 + 3
    for name in ("majority", "metadata"):
        _, one = run(tmp_path / "without", name, plain)
        _, other = run(tmp_path / "with", name, told)
        pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize("name", BASELINES)
def test_equal_seeds_give_equal_predictions(tmp_path, name):
    _, first = run(tmp_path / "one", name)
    _, second = run(tmp_path / "two", name)
    pd.testing.assert_frame_equal(first, second)


def test_an_unknown_baseline_is_named(tmp_path):
    with pytest.raises(HeldoutError, match="expected one of majority, metadata, logistic, got 'x'"):
        run(tmp_path, "x")
    assert not (tmp_path / "x").exists()


def test_statistics_by_hand(tmp_path):
    x = np.array([[[1.0, 0.0], [-3.0, 0.0], [2.0, 4.0]]], dtype=np.float32)
    found = statistics(x)[0].reshape(7, 2)
    assert found[0] == pytest.approx([0, 4 / 3])  # mean
    assert found[1] == pytest.approx([np.std([1, -3, 2]), np.std([0, 0, 4])])
    assert found[2].tolist() == [-3, 0]  # minimum
    assert found[3].tolist() == [2, 4]  # maximum
    assert found[4] == pytest.approx([np.sqrt(14 / 3), np.sqrt(16 / 3)])  # root mean square
    assert found[5] == pytest.approx([4.5, 2])  # mean absolute difference
    assert found[6] == pytest.approx([1 / 3, 2 / 3])  # where the largest magnitude is


def test_statistics_of_a_mapped_file_are_the_same(tmp_path):
    x = data().x
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    np.testing.assert_array_equal(statistics(mapped), statistics(x))


def test_metadata_say_which_column_gives_the_class_away(tmp_path):
    labels = np.arange(N) % 3
    rng = np.random.default_rng(2)
    table = examples(duration=1.0 + labels + rng.uniform(0, 0.5, N))
    table["context_age"] = rng.normal(60, 9, N)
    record, _ = run(tmp_path, "metadata", table=table)
    assert set(record["alone"]) == {"rate", "duration", "channels", "level", "age"}
    assert record["alone"]["duration"] == 1.0
    # A column that is the same for all tells nothing.
    assert record["alone"]["rate"] < 0.5
    assert record["metrics"]["test"]["macro_f1"] > 0.9


def test_numbers_that_no_network_is_told_are_looked_at(tmp_path):
    labels = np.arange(N) % 3
    names = [f"r{number}" for number in range(N)]
    rng = np.random.default_rng(2)
    numbers = {
        "site": dict(zip(names, 10.0 * labels, strict=True)),
        "age": {name: float(rng.normal(60, 9)) for name in names[::2]},  # of half of them
        "late": dict.fromkeys(names[-5:], 1.0),  # of none in the train part
        "rate": dict(zip(names, 1.0 * labels, strict=True)),
    }
    table = examples(recording=names)
    record, _ = run(tmp_path, "metadata", table=table, numbers=numbers)
    extra = {"site", "age", "rate of metadata.csv"}
    assert set(record["alone"]) == {"rate", "duration", "channels", "level", *extra}
    assert record["alone"]["site"] == record["alone"]["rate of metadata.csv"] == 1.0
    assert max(record["alone"]["age"], record["alone"]["rate"]) < 0.6
    # The baseline itself knows what it knew.
    plain, _ = run(tmp_path / "plain", "metadata", table=table)
    assert plain["metrics"] == record["metrics"]


def test_only_the_metadata_baseline_looks_at_single_columns(tmp_path):
    assert "alone" not in run(tmp_path, "majority")[0]


def test_a_baseline_is_fitted_anew_as_networks_are(tmp_path):
    of = data()
    plain, own = run(tmp_path / "plain", "logistic", of)
    refit, own_again = run(tmp_path / "refit", "logistic", of, refit=True)
    whole, both = run(tmp_path / "whole", "logistic", with_validation(of))
    assert refit["metrics"]["validation"] == plain["metrics"]["validation"]
    assert refit["metrics"]["test"] == whole["metrics"]["test"] != plain["metrics"]["test"]
    for part, expected in {"validation": own, "test": both}.items():
        there = [table[table["part"] == part] for table in (own_again, expected)]
        pd.testing.assert_frame_equal(*(one.reset_index(drop=True) for one in there))
