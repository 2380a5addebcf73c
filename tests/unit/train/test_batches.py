"""Batches: every row once an epoch, in an order that depends on seed and epoch alone."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import HeldoutError
from lib.examples.arrays import take
from lib.train import batches as module
from lib.train.batches import (
    batches,
    checked_at_once,
    moments,
    padded_loss,
    predict,
    predicted_at_once,
    scaler,
)

N = 23


@pytest.fixture
def x():
    """Return examples that hold their own number; those of other parts are NaN."""
    x = np.full((N, 3, 2), np.nan, np.float32)
    x[::2] = np.arange(0, N, 2)[:, None, None]
    return x


ROWS = np.arange(0, N, 2)
TARGETS = np.eye(len(ROWS), dtype=np.float32)


def passes(data):
    """Return the numbers of the examples of one epoch, batch by batch."""
    return [data[i][0][:, 0, 0].astype(int).tolist() for i in range(len(data))]


def flat(lists):
    return list(itertools.chain.from_iterable(lists))


@pytest.fixture(params=["in memory", "from the file"])
def place(request, monkeypatch, tmp_path, x):
    """Return the array in memory, or too large for it and mapped."""
    if request.param == "in memory":
        return x
    monkeypatch.setattr(module, "IN_MEMORY", 0)
    np.save(tmp_path / "x.npy", x)
    return np.load(tmp_path / "x.npy", mmap_mode="r")


def test_all_rows_once_and_no_other(keras, place):
    data = batches(keras, place, ROWS, TARGETS, batch_size=5, shuffle_seed=3)
    assert list(map(len, passes(data))) == [5, 5, 2]
    assert sorted(flat(passes(data))) == ROWS.tolist()


def test_targets_and_weights_stay_with_their_rows(keras, place):
    weights = np.arange(len(ROWS), dtype=np.float32)
    data = batches(keras, place, ROWS, TARGETS, weights, batch_size=5, shuffle_seed=3)
    for i in range(len(data)):
        values, targets, weight = data[i]
        numbers = values[:, 0, 0].astype(int) // 2
        assert targets.argmax(axis=1).tolist() == numbers.tolist() == weight.tolist()


def test_context_stays_with_its_row_and_is_not_augmented(keras, place, x):
    context = np.stack([np.arange(N), 2 * np.arange(N)], axis=1).astype(np.float32)
    data = batches(
        keras,
        place,
        ROWS[::-1],
        TARGETS,
        context=context,
        batch_size=5,
        shuffle_seed=3,
        augment=lambda batch, epoch, number: -batch,
    )
    seen = []
    for i in range(len(data)):
        inputs, targets = data[i]
        numbers = -inputs["examples"][:, 0, 0]
        np.testing.assert_array_equal(inputs["context"], np.stack([numbers, 2 * numbers], axis=1))
        assert (ROWS[::-1][targets.argmax(axis=1)] == numbers).all()
        seen += numbers.tolist()
    assert sorted(seen) == ROWS.tolist()


def test_rows_in_any_order_keep_their_targets(keras, place):
    rows = ROWS[::-1]
    data = batches(keras, place, rows, TARGETS, batch_size=4)
    for i in range(len(data)):
        values, targets = data[i]
        assert (rows[targets.argmax(axis=1)] == values[:, 0, 0]).all()


def test_order_depends_on_seed_and_epoch_alone(keras, place):
    def order(seed, epoch):
        return passes(batches(keras, place, ROWS, batch_size=5, shuffle_seed=seed, epoch=epoch))

    assert order(3, 0) == order(3, 0)
    assert order(3, 0) != order(3, 1) != order(4, 1)
    data = batches(keras, place, ROWS, batch_size=5, shuffle_seed=3)
    data.epoch = 7
    data.on_epoch_begin()
    assert passes(data) == order(3, 7)


def test_so_many_rows_of_each_class_are_drawn_anew_for_each_epoch(keras, place):
    labels = np.arange(len(ROWS)) % 4 > 0  # three of class 0, nine of class 1
    targets = np.eye(2, dtype=np.float32)[labels.astype(int)]
    given = {"batch_size": 5, "shuffle_seed": 3, "counts": np.array([3, 4])}
    data = batches(keras, place, ROWS, targets, **given)
    epochs = []
    for data.epoch in range(40):
        data.on_epoch_begin()
        assert len(data) == 2
        of_epoch = flat(passes(data))
        assert len(of_epoch) == 7
        assert set(of_epoch) >= set(ROWS[~labels].tolist())
        epochs.append(of_epoch)
    assert len(set(map(tuple, epochs))) > 1
    assert set(flat(epochs)) == set(ROWS.tolist())
    # A training that was interrupted draws what it would have drawn.
    assert flat(passes(batches(keras, place, ROWS, targets, epoch=7, **given))) == epochs[7]


def test_nothing_is_drawn_where_all_are_wanted(keras, place):
    given = {"batch_size": 5, "shuffle_seed": 3}
    every = passes(batches(keras, place, ROWS, TARGETS, **given))
    counts = np.bincount(TARGETS.argmax(axis=1))
    assert passes(batches(keras, place, ROWS, TARGETS, counts=counts, **given)) == every


def test_memory_and_file_give_the_same(keras, monkeypatch, x):
    first = passes(batches(keras, x, ROWS, batch_size=5, shuffle_seed=3))
    monkeypatch.setattr(module, "IN_MEMORY", 0)
    assert passes(batches(keras, x, ROWS, batch_size=5, shuffle_seed=3)) == first


def test_without_a_seed_rows_come_in_order(keras, place):
    assert flat(passes(batches(keras, place, ROWS, batch_size=5))) == ROWS.tolist()


def test_shuffling_is_over_the_whole_part(keras):
    x = np.arange(1000, dtype=np.float32).reshape(-1, 1, 1)
    first = passes(batches(keras, x, np.arange(1000), batch_size=100, shuffle_seed=0))[0]
    assert min(first) < 50
    assert max(first) > 950


def test_predictions_are_in_the_order_of_the_rows(keras, monkeypatch):
    x = np.random.default_rng(0).normal(size=(40, 4, 1)).astype(np.float32)
    rows = np.random.default_rng(1).permutation(40)[:30]
    inputs = keras.Input((4, 1))
    model = keras.Model(inputs, keras.layers.Flatten()(inputs))
    monkeypatch.setattr(module, "PREDICT_BYTES", 7 * x[:1].nbytes)
    np.testing.assert_array_equal(predict(keras, model, x, rows), x[rows, :, 0])


class Seen:
    """A network that predicts what it sees, and remembers how many examples came at once."""

    def __init__(self):
        self.sizes = []

    def predict(self, data, *, verbose):
        parts = [data[number][0] for number in range(len(data))]
        self.sizes += [len(part) for part in parts]
        return np.concatenate(parts)[:, :, 0]


@given(st.integers(1, 300), st.integers(1, 80))
def test_every_batch_of_a_prediction_has_one_size(keras, count, most):
    x = np.arange(300, dtype=np.float32)[:, None, None]
    rows = np.random.default_rng(count).permutation(300)[:count]
    seen = Seen()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PREDICT_BYTES", most * x[:1].nbytes)
        np.testing.assert_array_equal(predict(keras, seen, x, rows)[:, 0], rows)
        size = predicted_at_once(4, count)
    assert seen.sizes == [size] * -(-count // size)
    assert size <= most
    assert sum(seen.sizes) - count <= max(0, count // 4), "more is filled up than is needed"


@given(st.integers(1, 100_000), st.integers(1, 2048))
def test_little_is_filled_up_in_validation(count, batch_size):
    size = checked_at_once(count, batch_size)
    assert size % batch_size == 0
    assert size == batch_size or -(-count // size) >= 8


def test_parts_of_almost_one_size_share_the_sizes_of_batches():
    """So that what is compiled for one fold serves the others."""
    counts = range(40, 20_000, 7)
    more = [round(1.03 * count) for count in counts]
    for sizes in (predicted_at_once, lambda _, count: checked_at_once(count, 32)):
        same = [sizes(500, a) == sizes(500, b) for a, b in zip(counts, more, strict=True)]
        assert np.mean(same) > 0.9


@given(st.integers(1, 5), st.sampled_from(["float32", "float64"]), st.integers(0, 9))
def test_a_batch_is_scaled_as_the_first_layer_of_what_is_kept_does(keras, channels, dtype, seed):
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(6, 4, channels)) * 30 + 100).astype(dtype)
    x[:, :, 0] = 7.0  # without any variance
    mean, variance = moments(x, np.arange(4))
    layer = keras.layers.Normalization(mean=mean.tolist(), variance=variance.tolist())
    scaled = scaler(mean, variance)(x)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, np.asarray(layer(x.astype("float32"))), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [True, False])
def test_the_loss_of_an_epoch_is_the_mean_over_its_examples(keras, smoothing, weighted):
    """However the last batch was filled up."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(10, 3, 1)).astype(np.float32)
    targets = np.eye(3, dtype=np.float32)[rng.integers(3, size=10)]
    weights = rng.uniform(0.2, 2, size=10).astype(np.float32) if weighted else None
    made = {"batch_size": 4, "shuffle_seed": 1, "multiple": 4}
    data = batches(keras, x, np.arange(10), targets, weights, **made)
    loss = padded_loss(keras, label_smoothing=smoothing)
    for number in range(3):
        given, y, weight = data[number]
        loss.update_state(y, keras.ops.softmax(np.resize(given[:, :, 0], (4, 3))), weight)
    p = np.asarray(keras.ops.softmax(x[:, :, 0]))
    each = -(((1 - smoothing) * targets + smoothing / 3) * np.log(p)).sum(axis=1)
    assert float(loss.result()) == pytest.approx(
        np.mean(each * (1 if weights is None else weights))
    )


@given(st.integers(1, 40), st.integers(1, 3), st.integers(0, 9), st.sampled_from([0, 1e4]))
def test_moments_are_those_of_numpy(n, channels, seed, offset):
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(60, 7, channels)) + offset).astype(np.float32)
    rows = rng.permutation(60)[:n]
    x[np.setdiff1d(np.arange(60), rows)] = np.nan
    whole = x[rows].astype(np.float64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PREDICT_BYTES", 5 * x[:1].nbytes)
        mean, variance = moments(x, rows)
    np.testing.assert_allclose(mean, whole.mean(axis=(0, 1)), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(variance, whole.var(axis=(0, 1)), rtol=1e-9)
    assert mean.dtype == variance.dtype == np.float64


@given(st.lists(st.integers(0, 40), max_size=30), st.integers(0, 4))
def test_rows_of_a_file_are_those_of_the_array(tmp_path_factory, rows, start):
    folder = tmp_path_factory.getbasetemp()
    x = np.arange(50 * 3 * 2, dtype=np.float32).reshape(50, 3, 2)
    if not (folder / "take.npy").exists():
        np.save(folder / "take.npy", x)
    mapped = np.load(folder / "take.npy", mmap_mode="r")
    rows = np.array(rows, dtype=int)
    for array, mapping in ((x, mapped), (x[start:], mapped[start:]), (x[:, ::2], mapped[:, ::2])):
        taken = take(mapping, rows)
        assert isinstance(taken, np.ndarray)
        assert taken.flags.writeable
        assert (taken == array[rows]).all()


def test_a_file_that_was_cut_is_an_error(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((10, 3, 2), np.float32))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    with (tmp_path / "x.npy").open("r+b") as file:
        file.truncate(200)
    with pytest.raises(HeldoutError, match=r"x.npy: expected 10 examples, .* within the one of"):
        take(mapped, np.arange(10))


def test_training_from_a_file_does_not_map_it_into_memory(tmp_path, python):
    """200 MB in the file, and a process that grows by a tenth of that."""
    code = """
import resource, sys
import numpy as np
import lib.train.batches
lib.train.batches.IN_MEMORY = 0
file = sys.argv[1]
x = np.lib.format.open_memmap(file, mode="w+", dtype=np.float32, shape=(2000, 12500, 2))
del x
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
class Module:
    class utils:
        class PyDataset:
            pass
x = np.load(file, mmap_mode="r")
lib.train.batches.PREDICT_BYTES = 1_000_000
before = peak()
data = lib.train.batches.batches(Module, x, np.arange(2000), batch_size=20, shuffle_seed=0)
assert sum(len(data[i][0]) for i in range(len(data))) == 2000
lib.train.batches.moments(x, np.arange(2000))
print(peak() - before)
"""
    assert int(python(code, tmp_path / "x.npy")) < 20_000
