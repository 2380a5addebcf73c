"""All examples in one array."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.datasets.dataset import COLUMNS
from lib.errors import HeldoutError
from lib.examples.arrays import contents, open_examples
from lib.examples.assembly import assemble, join_duplicates
from lib.examples.context import RESERVED, context_names, context_of, examples_digest
from lib.files import sha256


def recordings(*names):
    groups = [f"g{name}" for name in names]
    return pd.DataFrame({"recording": names, "group": groups, "split": "train"})


def shard(path, *counts, shape=(3, 2), value=None, also=(), context=()):
    """Write a shard of (recording, number of examples); an example holds its name and number.

    Each value of its context, of these names, is its number, too.
    """
    names = np.array([name for name, n in counts for _ in range(n)], dtype=np.str_)
    number = np.array([i for _, n in counts for i in range(n)], dtype=float)
    x = np.zeros((len(names), *shape), np.float32)
    x[:, 0, 0] = [int(name) for name in names] if value is None else value
    x[:, 1, 0] = number
    known = {"rate": 4000.0, "duration": 5.0, "channels": 1, "level": -20.0, "unit": "mV"}
    known["saturated"] = 0.0
    arrays = {key: np.full(len(names), entry) for key, entry in known.items()}
    listed = np.array([*(name for name, _ in counts), *also], dtype=np.str_)
    label = np.char.add("c", names)
    arrays["context"] = np.tile(number[:, None], len(context)).astype(np.float32)
    arrays["context_names"] = np.array(context, dtype=np.str_)
    arrays |= {"recordings": listed, "made_with": np.array('{"librosa": "0.11.0"}')}
    np.savez(path, x=x, recording=names, label=label, start=number, **arrays)
    return path


@pytest.fixture
def put(tmp_path):
    """Assemble into the test's folder, and give array and table."""

    def run(shards, table, **given):
        out = {"npy": tmp_path / "examples.npy", "parquet": tmp_path / "examples.parquet"}
        made = assemble(shards, table, **out, **given)
        examples = pd.read_parquet(out["parquet"])
        digest = examples_digest(out["npy"], examples)
        assert made == {"sha256": digest, "made_with": {"librosa": "0.11.0"}}
        return open_examples(out["npy"]), examples

    return run


def test_examples_stand_in_the_order_of_the_recordings(tmp_path, put):
    shards = [
        shard(tmp_path / "0.npz", ("7", 2), ("2", 3)),
        shard(tmp_path / "1.npz", ("5", 1)),
        shard(tmp_path / "2.npz"),
    ]
    x, table = put(shards, recordings("2", "5", "7"))
    assert x.shape == (6, 3, 2)
    assert x.dtype == np.float32
    assert x[:, 0, 0].tolist() == [2, 2, 2, 5, 7, 7]
    assert x[:, 1, 0].tolist() == [0, 1, 2, 0, 0, 1]
    assert list(table["recording"]) == ["2", "2", "2", "5", "7", "7"]
    assert list(table["group"]) == ["g2", "g2", "g2", "g5", "g7", "g7"]
    assert list(table["label"]) == ["c2", "c2", "c2", "c5", "c7", "c7"]
    assert list(table["example"]) == list(range(6))
    assert list(table["start"]) == [0, 1, 2, 0, 0, 1]
    names = "example recording group label start split rate duration channels level unit saturated"
    assert list(table.columns) == [*names.split(), "content", "flat"]
    content, flat = contents(x)
    assert table["content"].tolist() == content.tolist()
    assert table["flat"].tolist() == flat.tolist()


def test_shards_may_be_dealt_otherwise(tmp_path, put):
    table = recordings("2", "5", "7")
    one = put([shard(tmp_path / "0.npz", ("7", 2), ("2", 3), ("5", 1))], table)
    shards = [shard(tmp_path / f"{n}.npz", (n, c)) for n, c in (("7", 2), ("5", 1), ("2", 3))]
    other = put(shards, table)
    np.testing.assert_array_equal(one[0], other[0])
    pd.testing.assert_frame_equal(one[1], other[1])


def test_recording_without_an_example_is_no_error(tmp_path, put):
    x, _ = put([shard(tmp_path / "0.npz", ("2", 1), also=["5"])], recordings("2", "5"))
    assert len(x) == 1


def test_context_is_a_column_for_each_name_in_the_order_of_the_examples(tmp_path, put):
    shards = [
        shard(tmp_path / "0.npz", ("7", 2), context=("a", "b")),
        shard(tmp_path / "1.npz", ("5", 1), context=("a", "b")),
    ]
    _, table = put(shards, recordings("5", "7"))
    assert list(table.columns[-2:]) == ["context_a", "context_b"]
    assert context_names(table.columns) == ["a", "b"]
    assert context_of(table).dtype == np.float32
    assert context_of(table).tolist() == [[0, 0], [0, 0], [1, 1]]


def test_a_context_of_recordings_follows_that_of_their_features(tmp_path, put):
    table = recordings("5", "7").assign(age=[63, 18.5], site=[1, 0])
    shards = [
        shard(tmp_path / "0.npz", ("7", 2), context=("a",)),
        shard(tmp_path / "1.npz", ("5", 1), context=("a",)),
    ]
    _, examples = put(shards, table, context=["site", "age"])
    assert context_names(examples.columns) == ["a", "site", "age"]
    assert context_of(examples).tolist() == [[0, 1, 63], [0, 0, 18.5], [1, 0, 18.5]]
    _, alone = put([shard(tmp_path / "2.npz", ("7", 1), ("5", 1))], table, context=["age"])
    assert context_of(alone).tolist() == [[63], [18.5]]


def test_every_column_of_examples_is_a_reserved_name(tmp_path, put):
    _, examples = put([shard(tmp_path / "0.npz", ("2", 1))], recordings("2"))
    assert set(examples.columns) | set(COLUMNS) <= set(RESERVED)


def test_examples_without_a_context_have_none(tmp_path, put):
    _, table = put([shard(tmp_path / "0.npz", ("2", 1))], recordings("2"))
    assert context_of(table) is None
    assert examples_digest(tmp_path / "examples.npy", table) == sha256(tmp_path / "examples.npy")


def test_digest_is_of_the_array_and_the_context(tmp_path, put):
    _, table = put([shard(tmp_path / "0.npz", ("2", 3), context=("a", "b"))], recordings("2"))
    renamed = table.rename(columns={"context_b": "context_c"})
    changed = table.assign(context_b=table["context_b"] + 1)
    fewer = table.drop(columns=["context_a", "context_b"])
    other = table.assign(label="another class, which is no part of it")
    npy = tmp_path / "examples.npy"
    digests = [examples_digest(npy, t) for t in (table, renamed, changed, fewer)]
    assert len(set(digests)) == 4
    assert examples_digest(npy, other) == digests[0]
    np.save(npy, np.zeros((3, 3, 2), np.float32))
    assert examples_digest(npy, table) not in digests


def test_shards_of_two_contexts_are_refused(tmp_path, put):
    names = ("2", ("a",)), ("5", ())
    shards = [shard(tmp_path / f"{n}.npz", (n, 1), context=names) for n, names in names]
    with pytest.raises(HeldoutError, match=r"expected a finite context .* of recording 5"):
        put(shards, recordings("2", "5"))


def test_split_may_be_missing(tmp_path, put):
    table = recordings("2").assign(split=np.nan)
    assert list(put([shard(tmp_path / "0.npz", ("2", 1))], table)[1]["split"]) == [""]


def test_numbers_as_names_are_text(tmp_path, put):
    table = recordings("2").assign(recording=[2])
    assert list(put([shard(tmp_path / "0.npz", ("2", 1))], table)[1]["recording"]) == ["2"]


def test_examples_cannot_be_written_to(tmp_path, put):
    x, _ = put([shard(tmp_path / "0.npz", ("2", 1))], recordings("2"))
    assert isinstance(x, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        x[0] = 1


@pytest.mark.parametrize(
    ("shards", "names", "text"),
    [
        ([[("2", 1)]], "25", r"got none for 1: 5\."),
        ([], "2", r"one of 0 shards, got none for 1: 2\."),
        ([[("2", 1), ("5", 1)]], "2", r"0\.npz: .*got 5, not in the table"),
        ([[("2", 1)], [("2", 1)]], "2", r"1\.npz: .*got 2, also in .*0\.npz"),
        ([[("2", 0)], []], "2", "expected examples, got none from 2 shards and 1 recordings"),
    ],
)
def test_shards_that_do_not_fit_the_table_are_refused(tmp_path, put, shards, names, text):
    paths = [shard(tmp_path / f"{i}.npz", *counts) for i, counts in enumerate(shards)]
    with pytest.raises(HeldoutError, match=text):
        put(paths, recordings(*names))
    assert not (tmp_path / "examples.npy").exists()


def test_shards_of_two_shapes_are_refused(tmp_path, put):
    paths = [
        shard(tmp_path / "0.npz", ("2", 1)),
        shard(tmp_path / "1.npz", ("5", 1), shape=(4, 2)),
    ]
    with pytest.raises(HeldoutError, match=r"1\.npz: .*shape \(3, 2\), got 1 of \(4, 2\)"):
        put(paths, recordings("2", "5"))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(tmp_path, put, value):
    path = shard(tmp_path / "0.npz", ("2", 2), value=[1, value])
    with pytest.raises(HeldoutError, match="infinity in 1 examples, the first of recording 2"):
        put([path], recordings("2"))
    assert {file.name for file in tmp_path.iterdir()} == {"0.npz"}


def test_broken_shard_is_refused(tmp_path, put):
    path = shard(tmp_path / "0.npz", ("2", 2))
    content = path.read_bytes()
    for broken in (b"", b"text", content[:-40]):
        path.write_bytes(broken)
        with pytest.raises(HeldoutError, match=r"0\.npz: expected a shard of features"):
            put([path], recordings("2"))
    np.savez(path, x=np.zeros(3))
    with pytest.raises(HeldoutError, match=r"0\.npz: expected a shard of features, got KeyError"):
        put([path], recordings("2"))


def test_arrays_that_are_no_examples_are_refused(tmp_path):
    path = tmp_path / "examples.npy"
    with pytest.raises(HeldoutError, match=r"examples\.npy: expected an array of examples"):
        open_examples(path)
    np.save(path, np.zeros((2, 3, 1)))
    with pytest.raises(HeldoutError, match=r"expected float32 examples .* got float64"):
        open_examples(path)
    np.save(path, np.zeros((2, 3), np.float32))
    with pytest.raises(HeldoutError, match=r"of shape \(2, 3\)"):
        open_examples(path)
    np.save(path, np.zeros((2, 3, 1), np.float32))
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(HeldoutError, match="expected an array of examples"):
        open_examples(path)
    np.save(path, np.array([{}]), allow_pickle=True)
    with pytest.raises(HeldoutError, match="expected an array of examples"):
        open_examples(path)


def test_recordings_with_an_identical_example_are_one_group(tmp_path, put):
    counts = [(name, 2) for name in "23456"]
    value = np.array([2, 2, 3, 3, 2, 4, 4, 5, 0, 0])  # 2 and 4 share one, 4 and 5 another
    file = shard(tmp_path / "0.npz", *counts, shape=(3, 1), value=value)
    x, table = put([file], recordings(*"23456"))
    assert x[5, :, 0].tolist() == [4, 1, 0]
    groups = dict(zip(table["recording"], table["group"], strict=True))
    assert groups == {"2": "g2", "3": "g3", "4": "g2", "5": "g5", "6": "g6"}


def test_copies_are_one_group(tmp_path, put):
    file = shard(tmp_path / "0.npz", *((name, 2) for name in "23456"))
    # 5 has no example, and joins what it is a copy of all the same.
    copies = [("6", "3"), ("3", "5"), ("5", "2")]
    _, table = put([file], recordings(*"23456"), copies=copies)
    groups = dict(zip(table["recording"], table["group"], strict=True))
    assert groups == {"2": "g2", "3": "g2", "4": "g4", "5": "g2", "6": "g2"}


def test_what_is_left_out_leaves_the_rest_as_it_is(tmp_path, put):
    shards = [
        shard(tmp_path / "0.npz", ("7", 2), ("2", 3), ("4", 1)),
        shard(tmp_path / "1.npz", ("5", 1)),
    ]
    table = recordings("2", "4", "5", "7")
    x, examples = put(shards, table)
    kept = examples["recording"].isin(["4", "7"])
    alone, rows = put(shards, table, left_out={"2": "why", "5": "why"})
    np.testing.assert_array_equal(alone, x[kept.to_numpy()])
    expected = examples[kept].reset_index(drop=True).assign(example=np.arange(3))
    pd.testing.assert_frame_equal(rows, expected)
    with pytest.raises(HeldoutError, match=r"got none from 2 shards and 4 .* 4 were left out"):
        put(shards, table, left_out=list("2457"))


def test_values_of_a_recording_that_is_left_out_do_not_matter(tmp_path, put):
    file = shard(tmp_path / "0.npz", ("2", 1), ("5", 1), value=[np.nan, 5])
    x, _ = put([file], recordings("2", "5"), left_out=["2"])
    assert x[:, 0, 0].tolist() == [5]


@given(
    st.lists(st.integers(0, 5), min_size=1),
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=6),
)
def test_groups_of_copies_are_joined_and_no_others(rows, pairs):
    group = np.array([f"g{one}" for one in rows])
    same = [(f"g{a}", f"g{b}") for a, b in pairs]
    content, flat = np.arange(len(rows), dtype=np.uint64), np.zeros(len(rows), bool)
    joined = dict(zip(group, join_duplicates(group, content, flat, same=same), strict=True))
    # What can be reached from a group through pairs, without the library.
    reached = {name: {name} for name in {*group, *itertools.chain(*same)}}
    for _ in reached:
        for a, b in same:
            both = reached[a] | reached[b]
            for name in both:
                reached[name] = both
    assert joined == {name: min(reached[name]) for name in group}


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.booleans()), min_size=1))
def test_joined_groups_share_no_content_with_another(rows):
    group = np.array([f"g{one}" for one, _, _ in rows])
    content = np.array([one for _, one, _ in rows], np.uint64)
    flat = np.array([one for _, _, one in rows])
    joined = join_duplicates(group, content, flat)
    table = pd.DataFrame({"before": group, "after": joined, "content": content})
    # A group stays together, and nothing that changes over time is in two.
    assert (table.groupby("before")["after"].nunique() == 1).all()
    assert (table[~flat].groupby("content")["after"].nunique() == 1).all()
    assert set(joined) <= set(group)
    unlike = np.arange(len(rows), dtype=np.uint64)
    np.testing.assert_array_equal(join_duplicates(group, unlike, flat), group)
    np.testing.assert_array_equal(join_duplicates(group, content, np.ones(len(rows), bool)), group)
