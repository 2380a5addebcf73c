"""The audit: every planted leak is found and counted, and a clean split is called clean."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.audit import audit_split, require_honest
from lib.errors import HeldoutError
from lib.examples.arrays import contents

LENGTH = 2.0  # s
CLASSES = ["a", "b"]


def make(parts="train train validation validation test test", *, fold=0):
    """Return six recordings of a group each, four examples in a recording, both classes in each."""
    sides = np.repeat(parts.split(), 4)
    number = np.repeat(np.arange(6), 4)
    examples = pd.DataFrame(
        {
            "example": np.arange(24),
            "recording": [f"r{i}" for i in number],
            "group": [f"g{i}" for i in number],
            "label": ["a", "b"] * 12,
            "start": np.tile(np.arange(4) * LENGTH, 6),
        }
    )
    split = pd.DataFrame({"example": np.arange(24), "fold": fold, "part": sides})
    x = np.random.default_rng(0).normal(size=(24, 5, 2)).astype(np.float32)
    return examples, split, x


def audit(examples, split, x, *, honest=True, duration=LENGTH, classes=CLASSES):
    content, flat = contents(x)
    examples = examples.assign(content=content, flat=flat)
    return audit_split(examples, split, duration=duration, classes=classes, honest=honest)


def test_a_clean_split_is_clean():
    found = audit(*make())
    assert not found["leaks"]
    assert found["groups_on_two_sides"] == {"count": 0, "groups": [], "examples": 0}
    assert found["identical_examples"] == {"count": 0, "recordings": []}
    assert found["overlapping_examples"] == {"count": 0, "recordings": []}
    assert found["missing_classes"] == []
    require_honest(found, study="s", protocol="p")


def test_parts_are_described():
    parts = audit(*make())["parts"]
    assert [part["part"] for part in parts] == ["train", "validation", "test"]
    for part in parts:
        assert part["examples"] == 8
        assert part["groups"] == 2
        assert part["classes"] == {"a": 4, "b": 4}


def test_groups_on_two_sides():
    examples, split, x = make()
    examples.loc[examples["recording"] == "r5", "group"] = "g0"  # train and test
    examples.loc[examples["recording"] == "r3", "group"] = "g1"  # train and validation
    found = audit(examples, split, x)
    assert found["leaks"]
    assert found["groups_on_two_sides"] == {"count": 2, "groups": ["g0", "g1"], "examples": 16}
    assert found["identical_examples"]["count"] == found["overlapping_examples"]["count"] == 0


def test_the_same_group_on_one_side_in_two_folds_is_no_leak():
    examples, first, x = make()
    _, second, _ = make("test test train train validation validation", fold=1)
    found = audit(examples, pd.concat([first, second], ignore_index=True), x)
    assert not found["leaks"]
    assert len(found["parts"]) == 6


def test_identical_examples_under_other_groups():
    examples, split, x = make()
    x[20] = x[0]  # train and test, other groups
    x[21] = x[0]  # twice in test: one content still
    x[9] = x[4]  # train and validation
    x[2] = x[3]  # both in train: no leak
    found = audit(examples, split, x)
    assert found["leaks"]
    assert found["identical_examples"]["count"] == 2
    assert sorted(found["identical_examples"]["recordings"]) == [["r0", "r5"], ["r1", "r2"]]
    assert found["groups_on_two_sides"]["count"] == found["overlapping_examples"]["count"] == 0


def test_an_example_without_a_change_over_time_is_no_copy():
    examples, split, x = make()
    x[20] = x[0] = 1.5  # silence in two recordings, on two sides
    assert not audit(examples, split, x)["leaks"]


def test_overlapping_windows():
    examples, split, x = make()
    # r0 gets another group's name and stands on two sides; its windows overlap by half.
    examples.loc[:3, "start"] = np.arange(4) * LENGTH / 2
    split.loc[2:3, "part"] = "test"
    examples.loc[2:3, "group"] = "g5"
    found = audit(examples, split, x)
    # 0 s | 1 s || 2 s | 3 s: only the two at the border share samples with the other side.
    assert found["overlapping_examples"] == {"count": 2, "recordings": ["r0"]}
    assert found["leaks"]
    assert found["groups_on_two_sides"]["count"] == 0


def test_windows_that_touch_do_not_overlap():
    examples, split, x = make()
    examples.loc[:3, "start"] = np.arange(4) * 0.1 * 3
    split.loc[2:3, "part"] = "test"
    assert audit(examples, split, x, duration=0.3)["overlapping_examples"]["count"] == 0
    assert audit(examples, split, x, duration=0.301)["overlapping_examples"]["count"] == 2


def test_an_example_that_overlaps_beyond_its_neighbours_is_counted():
    examples, split, x = make()
    examples.loc[:3, "start"] = [0.0, 0.5, 1.0, 5.0]
    split.loc[2, "part"] = "test"
    # 0 s overlaps with 1 s, though 0.5 s, of its own side, stands between them.
    assert audit(examples, split, x)["overlapping_examples"]["count"] == 3


def test_a_class_missing_from_a_part():
    examples, split, x = make()
    examples.loc[examples["recording"].isin(["r2", "r3"]), "label"] = "a"
    found = audit(examples, split, x, classes=["a", "b", "c"])
    assert {(item["part"], item["class"]) for item in found["missing_classes"]} == {
        ("validation", "b"),
        ("train", "c"),
        ("validation", "c"),
        ("test", "c"),
    }
    assert not found["leaks"]  # it is reported, and does not stop the run


def test_only_an_honest_protocol_stops_the_run():
    examples, split, x = make()
    examples.loc[examples["recording"] == "r5", "group"] = "g0"
    x[20] = x[4]
    split.loc[0, "part"] = "test"
    examples.loc[1, "start"] = 0.5
    leaky = audit(examples, split, x, honest=False)
    assert leaky["leaks"]
    require_honest(leaky, study="hearts", protocol="random")
    honest = audit(examples, split, x, honest=True)
    with pytest.raises(HeldoutError) as caught:
        require_honest(honest, study="hearts", protocol="by_patient")
    message = str(caught.value)
    assert "hearts: the protocol 'by_patient' is called honest, and leaks" in message
    assert "1 groups appear in two parts, with 8 examples: g0" in message
    assert "1 contents appear in two parts (r1 = r5)" in message
    assert "2 examples overlap in time with one of another part (recordings r0)" in message
    assert "set `honest: false` for 'by_patient'" in message


@st.composite
def windows(draw):
    """Draw windows on a grid of quarter seconds, in several recordings and folds, in any order."""
    n = draw(st.integers(1, 30))
    column = lambda values: draw(st.lists(values, min_size=n, max_size=n))  # noqa: E731
    examples = pd.DataFrame(
        {
            "example": np.arange(n),
            "recording": column(st.sampled_from(["r0", "r1"])),
            "group": "g",
            "label": "a",
            "start": np.array(column(st.integers(-2, 20))) / 4,
        }
    )
    folds = []
    for fold in range(draw(st.integers(1, 2))):
        parts = column(st.sampled_from(["train", "validation", "test", ""]))
        folds.append(pd.DataFrame({"example": np.arange(n), "fold": fold, "part": parts}))
    split = pd.concat(folds, ignore_index=True)
    split = split[split["part"] != ""]  # an example may be left out of a protocol
    return examples, split.sample(frac=1, random_state=draw(st.integers(0, 9)))


@given(windows(), st.sampled_from([0.25, 0.5, 0.9, 1.0, 3.0]))
def test_overlaps_are_counted_as_by_comparing_all_pairs(drawn, duration):
    examples, split = drawn
    overlapping, recordings = set(), set()
    for _, fold in split.groupby("fold"):
        rows = fold.merge(examples, on="example").to_dict("records")
        for one in rows:
            for other in rows:
                near = abs(one["start"] - other["start"]) < duration - 1e-6
                same = one["recording"] == other["recording"]
                if near and same and one["part"] != other["part"]:
                    overlapping.add(one["example"])
                    recordings.add(one["recording"])
    x = np.arange(len(examples), dtype=np.float32).reshape(-1, 1, 1)
    found = audit(examples, split, x, duration=duration)["overlapping_examples"]
    assert found == {"count": len(overlapping), "recordings": sorted(recordings)}


def test_many_examples_are_counted_right():
    n = 100_000
    rng = np.random.default_rng(0)
    number = np.arange(n) // 2000
    examples = pd.DataFrame(
        {
            "example": np.arange(n),
            "recording": [f"r{i}" for i in number],
            "group": [f"g{i}" for i in number],
            "label": rng.choice(CLASSES, n),
            "start": np.arange(n) % 2000 * 0.5,
        }
    )
    parts = rng.choice(["train", "validation", "test"], n)
    split = pd.DataFrame({"example": np.arange(n), "fold": 0, "part": parts})
    x = np.arange(n * 4, dtype=np.float32).reshape(n, 2, 2)
    found = audit(examples, split, x, duration=1.4)
    # Two neighbours on either side overlap; all four are on the same side once in 81.
    assert found["overlapping_examples"]["count"] == pytest.approx(n * (1 - 3**-4), rel=0.01)


def test_an_example_without_a_group_is_refused():
    examples, split, x = make()
    with pytest.raises(HeldoutError, match="a group of each, got 2 without one"):
        audit(examples.assign(group=examples["group"].mask(examples["example"] < 2)), split, x)
