"""Splits: what a protocol promises, for any examples."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from lib.config.settings import ROOT
from lib.errors import HeldoutError
from lib.files import read_yaml
from lib.splits import make_split
from lib.splits.dealing import cut_validation

# Dealing tries many orders: a dozen cases a property keep this file quick.
few = settings(max_examples=12)


def table(groups, labels, **columns):
    """Return examples by their groups and labels."""
    frame = pd.DataFrame({"example": np.arange(len(groups)), "group": groups, "label": labels})
    return frame.assign(recording=frame["group"].astype(str), **columns)


def of_group_sizes(sizes):
    """Return examples of groups that each have one class: {class: examples of each group}."""
    groups = [f"{c}{i}" for c, each in sizes.items() for i, n in enumerate(each) for _ in range(n)]
    return table(groups, [name[0] for name in groups])


def sides(split, examples):
    """Join the split with its examples."""
    return split.assign(part=split["part"].astype(str)).merge(examples, on="example")


@st.composite
def mixed(draw):
    """Draw examples of groups with several classes, each class in three groups or more."""
    classes = draw(st.integers(2, 4))
    count = draw(st.integers(3 * classes, 25))
    groups, labels = [], []
    for group in range(count):
        present = {group % classes} | draw(st.sets(st.integers(0, classes - 1), max_size=2))
        for label in sorted(present):
            n = draw(st.integers(3, 6))
            groups += [f"g{group:02d}"] * n
            labels += [f"c{label}"] * n
    return table(groups, labels)


@st.composite
def pure(draw, *, least):
    """Draw examples of groups with one class each, at least `least` of every class."""
    classes = draw(st.integers(2, 4))
    sizes = st.lists(st.integers(1, 60), min_size=least, max_size=least + 8)
    return of_group_sizes({name: draw(sizes) for name in "abcd"[:classes]})


@few
@given(mixed(), st.integers(0, 3), st.integers(1, 3))
def test_a_group_is_never_on_two_sides(examples, seed, folds):
    joined = sides(make_split(examples, kind="grouped", seed=seed, folds=folds), examples)
    assert (joined.groupby(["fold", "group"])["part"].nunique() == 1).all()


@few
@given(mixed(), st.integers(0, 3), st.integers(1, 3), st.booleans())
def test_what_the_test_part_chooses_is_trained_on_the_same_examples(examples, seed, folds, refit):
    of = {"kind": "grouped", "folds": folds}
    honest = make_split(examples, seed=seed, **of)
    selected = make_split(examples, kind="test_selected", seed=seed, of=of, refit=refit)

    def of_part(split, *parts):
        return split.loc[split["part"].isin(parts), ["fold", "example"]].reset_index(drop=True)

    trained = ("train", "validation") if refit else ("train",)
    assert_frame_equal(of_part(selected, "train"), of_part(honest, *trained))
    assert_frame_equal(of_part(selected, "test"), of_part(honest, "test"))
    assert_frame_equal(of_part(selected, "validation"), of_part(selected, "test"))


@few
@given(mixed(), st.integers(0, 3), st.integers(1, 4), st.sampled_from(["grouped", "random"]))
def test_every_example_once_per_fold(examples, seed, folds, kind):
    split = make_split(examples, kind=kind, seed=seed, folds=folds)
    for fold in range(folds):
        here = split.loc[split["fold"] == fold, "example"]
        assert here.tolist() == examples["example"].tolist()
    assert sorted(split["fold"].unique()) == list(range(folds))


@few
@given(mixed(), st.integers(0, 3), st.integers(2, 4), st.sampled_from(["grouped", "random"]))
def test_test_parts_of_the_folds_partition_the_examples(examples, seed, folds, kind):
    split = make_split(examples, kind=kind, seed=seed, folds=folds)
    tested = split.loc[split["part"] == "test", "example"]
    assert sorted(tested) == examples["example"].tolist()


@few
@given(pure(least=3), st.integers(0, 3))
def test_every_class_in_every_part_with_three_groups_each(examples, seed):
    joined = sides(make_split(examples, kind="grouped", seed=seed), examples)
    assert joined.groupby("part")["label"].nunique().eq(examples["label"].nunique()).all()


@few
@given(st.data(), st.integers(0, 3), st.integers(2, 5))
def test_every_class_in_every_part_of_every_fold(data, seed, folds):
    # With two folds each pile is once what is left for train and validation: two groups each.
    examples = data.draw(pure(least=max(folds, 4)))
    joined = sides(make_split(examples, kind="grouped", seed=seed, folds=folds), examples)
    counts = joined.groupby(["fold", "part"])["label"].nunique()
    assert len(counts) == 3 * folds
    assert (counts == examples["label"].nunique()).all()


@st.composite
def few_groups(draw):
    """Draw examples of a few groups with any classes, in any numbers."""
    classes = draw(st.integers(2, 4))
    groups, labels = [], []
    for group in range(draw(st.integers(3, 7))):
        for label in draw(st.sets(st.integers(0, classes - 1), min_size=1)):
            n = draw(st.sampled_from([1, 3, 20]))
            groups += [f"g{group}"] * n
            labels += [f"c{label}"] * n
    return table(groups, labels)


@few
@given(few_groups(), st.sampled_from([0.07, 0.1, 0.2, 0.3, 0.4]))
def test_every_class_is_learned_where_one_group_can_be_spared(examples, share):
    part = np.full(len(examples), "train", dtype="U10")
    cut_validation(examples, part, unit="group", share=share, seed=0)
    in_train = examples["group"][part == "train"]
    assert 0 < in_train.nunique() < examples["group"].nunique()
    spared = [
        examples["label"][examples["group"] != group].nunique() for group in set(examples["group"])
    ]
    learned = examples["label"][part == "train"].nunique()
    assert learned == max(spared)


def test_one_huge_group_does_not_push_its_class_out_of_a_part():
    examples = of_group_sizes({"a": [1000, 1, 1], "b": [5, 5, 5, 5]})
    joined = sides(make_split(examples, kind="grouped"), examples)
    assert (joined.groupby("part")["label"].nunique() == 2).all()


@few
@given(mixed(), st.integers(0, 2), st.sampled_from(["grouped", "random"]))
def test_order_of_rows_does_not_matter(examples, seed, kind):
    shuffled = examples.sample(frac=1, random_state=1)
    assert_frame_equal(
        make_split(examples, kind=kind, seed=seed), make_split(shuffled, kind=kind, seed=seed)
    )


@pytest.mark.parametrize("kind", ["grouped", "random"])
def test_the_seed_decides(kind):
    examples = of_group_sizes({"a": [3] * 12, "b": [4] * 12})
    first, again, other = (make_split(examples, kind=kind, seed=seed) for seed in (0, 0, 1))
    assert_frame_equal(first, again)
    assert not first.equals(other)


@few
@given(st.integers(0, 20))
def test_parts_have_about_their_shares(seed):
    examples = of_group_sizes({"a": [10] * 20, "b": [4] * 20, "c": [1] * 20})
    joined = sides(
        make_split(examples, kind="grouped", seed=seed, test=0.25, validation=0.2), examples
    )
    shares = joined.groupby("label")["part"].value_counts(normalize=True)
    for (_, part), share in shares.items():
        assert share == pytest.approx({"train": 0.6, "validation": 0.15, "test": 0.25}[part])


@few
@given(
    st.lists(st.integers(1, 40), min_size=2, max_size=4),
    st.integers(0, 9),
    st.sampled_from([0.2, 0.25, 0.5]),
)
def test_random_deals_each_class_by_the_shares(counts, seed, share):
    labels = [f"c{i}" for i, n in enumerate(counts) for _ in range(n * 10)]
    examples = table(["one group"] * len(labels), labels)
    split = make_split(examples, kind="random", seed=seed, test=share, validation=0.2)
    joined = sides(split, examples)
    for label, here in joined.groupby("label"):
        size = examples["label"].eq(label).sum()
        assert abs((here["part"] == "test").sum() - share * size) < 1
        left = (here["part"] != "test").sum()
        assert abs((here["part"] == "validation").sum() - 0.2 * left) < 1


def test_random_lets_groups_stand_on_two_sides():
    examples = of_group_sizes({"a": [20, 20], "b": [20, 20]})
    joined = sides(make_split(examples, kind="random"), examples)
    assert (joined.groupby("group")["part"].nunique() == 3).all()


PARTS = {"train": ["g0", "g1", "g2", "g3"], "test": ["g4", "g5"]}


def published(**options):
    """Split eight groups, of which two belong to no part."""
    names = [f"g{i}" for i in range(8) for _ in range(6)]
    examples = table(names, ["a", "b"] * 24)
    options = {"by": "recording", "parts": PARTS} | options
    return sides(make_split(examples, kind="published", **options), examples)


def test_published_takes_the_lists_and_leaves_out_the_rest():
    joined = published()
    by_part = joined.groupby("part")["group"].unique().map(set)
    assert by_part["test"] == {"g4", "g5"}
    assert by_part["train"] | by_part["validation"] == {"g0", "g1", "g2", "g3"}
    assert not set(joined["group"]) & {"g6", "g7"}


def test_published_cuts_validation_from_train_by_group():
    by_part = published().groupby("part")["group"].unique().map(set)
    assert by_part["validation"]
    assert not by_part["train"] & by_part["validation"]


def test_published_takes_a_validation_part_that_is_given():
    joined = published(parts=PARTS | {"validation": ["g6"]})
    by_part = joined.groupby("part")["group"].unique().map(set)
    assert by_part["validation"] == {"g6"}
    assert by_part["train"] == set(PARTS["train"])


def test_published_by_the_datasets_own_folders():
    folders = ["train"] * 12 + ["test"] * 6 + ["predict"] * 2
    examples = table([f"r{i}" for i in range(20)], ["a", "b"] * 10, split=folders)
    parts = {"train": ["train"], "test": ["test"]}
    joined = sides(make_split(examples, kind="published", by="split", parts=parts), examples)
    assert joined.loc[joined["part"] == "test", "example"].tolist() == list(range(12, 18))
    assert set(joined["example"]) == set(range(18))


def test_numbers_and_texts_are_the_same_record():
    examples = table([100, 101, 102, 103] * 3, ["a", "b"] * 6)
    parts = {"train": [100, "101", "102"], "test": ["103"]}
    split = make_split(examples, kind="published", by="recording", parts=parts)
    assert (split["part"] == "test").sum() == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parts": {"train": ["g0"]}}, "^parts: expected train, test and perhaps validation"),
        ({"parts": None}, "got none"),
        ({"parts": PARTS | {"extra": ["g7"]}}, "got train, test, extra"),
        (
            {"by": "patient"},
            "by patient: expected a column of the recordings or of the examples, got example, g",
        ),
        ({"parts": PARTS | {"test": ["g3", "g4"]}}, "got g3 in train and in test"),
        ({"parts": PARTS | {"test": ["x1", "x2"]}}, r"its test part \(x1, x2, …\)"),
        (
            {"parts": PARTS | {"train": ["g0"]}},
            r"train part: expected at least 2 .*got one group only \(g0\)",
        ),
        ({"folds": 2}, "^kind published: expected the settings .*'folds'"),
    ],
)
def test_published_refuses(options, message):
    with pytest.raises(HeldoutError, match=message):
        published(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"kind": "by patient"},
            "^kind: expected one of grouped, published, random, external, .*, got 'by patient'",
        ),
        ({"unit": "example"}, "^kind grouped: expected the settings folds, test, validation, got"),
        ({"folds": 0}, "^folds: expected 1 or more, got 0"),
        ({"test": 0}, "^test: expected a share between 0 and 1, both excluded, got 0"),
        ({"test": 1.0}, "^test: expected a share between 0 and 1, both excluded, got 1"),
        (
            {"validation": -0.1},
            "^validation: expected a share between 0 and 1, both excluded, got -0.1",
        ),
        ({"folds": 9}, r"at least 9 groups, one for each part, got 8 \(a0, a1"),
    ],
)
def test_impossible_settings_are_refused(options, message):
    examples = of_group_sizes({"a": [3] * 4, "b": [3] * 4})
    with pytest.raises(HeldoutError, match=message):
        make_split(examples, **({"kind": "grouped"} | options))


def test_a_class_with_one_group_is_named():
    examples = of_group_sizes({"a": [3, 3, 3], "b": [9]})
    with pytest.raises(
        HeldoutError,
        match=r"class 'b': expected at least 2 groups.*one group only \(b0\).*Leave the class",
    ):
        make_split(examples, kind="grouped")


def test_two_groups_cannot_make_three_parts():
    with pytest.raises(HeldoutError, match="train part: expected at least 2 groups"):
        make_split(table(["p", "q"] * 3, list("aabbab")), kind="grouped")


def test_a_part_without_examples_is_named():
    examples = table(["p", "q", "r"], ["a", "a", "a"])
    with pytest.raises(
        HeldoutError, match="fold 0: expected examples in the validation part, got none"
    ):
        make_split(examples, kind="random", test=0.4, validation=0.001)


def test_the_published_records_of_mit_bih():
    protocols = read_yaml(ROOT / "config/studies/arrhythmia.yaml")["protocols"]
    first = {part: set(names) for part, names in protocols["published"]["parts"].items()}
    second = {
        part: set(names) for part, names in protocols["published_without_202"]["parts"].items()
    }
    assert set(first) == set(second) == {"train", "test"}
    assert len(protocols["published"]["parts"]["train"]) == len(first["train"]) == 22
    assert len(protocols["published"]["parts"]["test"]) == len(first["test"]) == 22
    assert not first["train"] & first["test"]
    assert not (first["train"] | first["test"]) & {"102", "104", "107", "217"}
    assert second["train"] == first["train"]
    assert first["test"] - second["test"] == {"202"}
    assert len(protocols["published_without_202"]["parts"]["test"]) == 21
    # 201 and 202 are of one patient.
    assert "201" in first["train"]
    assert not protocols["published"]["honest"]
    assert protocols["published_without_202"]["honest"]
