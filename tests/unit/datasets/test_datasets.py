"""What holds for every dataset, and for a signal of any."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lib.datasets import COLUMNS, DATASETS, Dataset, Signal, get_dataset, read, recordings
from lib.datasets.signal import constant, decibel, level, mix
from lib.errors import HeldoutError


def listed(*rows):
    """Make a dataset of which every folder holds these rows."""
    return Dataset("made_up", lambda folder, exclude: pd.DataFrame(rows), read=lambda path: None)


def test_datasets_are_known_by_their_names():
    assert all(get_dataset(name).name == name for name in DATASETS)
    assert get_dataset("folder-mine").examples_have_labels is None
    assert [name for name in DATASETS if DATASETS[name].examples_have_labels] == ["mitdb"]


def test_unknown_dataset_is_refused():
    with pytest.raises(
        HeldoutError, match=r"dataset: .* got 'mitbd'. Did you mean 'mitdb'. Known: common_v"
    ):
        recordings("mitbd", "anywhere")
    with pytest.raises(HeldoutError, match="'mitbd'"):
        read("mitbd", "anywhere")


@pytest.mark.parametrize("dataset", sorted(set(DATASETS) - {"ephnogram"}))
def test_empty_folder_is_refused(tmp_path, dataset):
    with pytest.raises(HeldoutError, match=rf"expected recordings of {dataset} .* got none"):
        recordings(dataset, tmp_path)


def test_recordings_are_sorted_and_begin_with_the_same_columns():
    row = {"extra": 1} | dict.fromkeys(COLUMNS, "")
    table = listed(*(row | {"recording": name, "path": name} for name in "ba")).recordings("folder")
    assert list(table["recording"]) == ["a", "b"]
    assert list(table.columns) == [*COLUMNS, "extra"]


def test_two_recordings_of_one_name_are_refused():
    row = dict.fromkeys(COLUMNS, "x")
    with pytest.raises(HeldoutError, match="got 2 that share a name"):
        listed(row, row).recordings("folder")


def test_signal_keeps_float32_and_knows_its_duration():
    signal = Signal(np.zeros((10, 2)), 5.0, ("a", "b"))
    assert signal.samples.dtype == np.float32
    assert signal.duration == 2.0
    assert len(signal.positions) == len(signal.symbols) == 0


@pytest.mark.parametrize(
    ("samples", "rate", "text"),
    [
        (np.zeros((0, 1)), 1.0, "rec: expected samples, got none"),
        (np.zeros((3, 2)), 1.0, r"rec: expected samples of shape \(time, 1\)"),
        (np.zeros(3), 1.0, r"rec: expected samples of shape"),
        (np.zeros((3, 1)), 0.0, "rec: expected a sampling rate from 0.1 Hz to 10 MHz, got 0.0"),
        (np.zeros((3, 1)), np.nan, "rec: expected a sampling rate from 0.1 Hz to 10 MHz, got nan"),
        (np.array([[0], [np.nan], [1]]), 1.0, "rec: expected finite samples, got 1 of 3"),
        (np.array([[0], [np.inf], [np.nan]]), 1.0, "rec: expected finite samples, got 2 of 3"),
    ],
)
def test_bad_signal_is_refused(samples, rate, text):
    with pytest.raises(HeldoutError, match=text):
        Signal(samples, rate, ("a",), name="rec")


@pytest.mark.parametrize(("positions", "symbols"), [([1], []), ([3], ["N"]), ([-1], ["N"])])
def test_beats_outside_of_the_signal_are_refused(positions, symbols):
    with pytest.raises(HeldoutError, match="expected one code for each beat and beats within"):
        Signal(np.zeros((3, 1)), 1.0, ("a",), np.array(positions), np.array(symbols, dtype="<U1"))


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 1100), st.integers(1, 3)),
        elements=st.sampled_from([0.0, 0.5]),
        fill=st.just(0.5),
    )
)
def test_a_channel_is_constant_when_its_least_sample_is_its_greatest(samples):
    np.testing.assert_array_equal(
        constant(samples), samples.min(axis=0) == samples.max(axis=0), strict=True
    )
    np.testing.assert_array_equal(mix(samples), samples.mean(axis=1), strict=True)


def test_a_channel_that_changes_late_is_not_constant():
    samples = np.zeros((5000, 2), np.float32)
    samples[4999, 1] = 1
    assert constant(samples).tolist() == [True, False]


def test_level_is_the_rms_in_db():
    square = np.array([[1.0], [-1.0]] * 50)
    assert level(Signal(square, 10.0, ("a",))) == pytest.approx(0)
    assert level(Signal(square / 10, 10.0, ("a",))) == pytest.approx(-20, abs=1e-5)
    assert level(Signal(square * 0, 10.0, ("a",))) == -200
    assert level(Signal(square * 1e-30, 10.0, ("a",))) == -200


def test_the_unit_of_a_level_is_that_of_the_samples():
    assert Signal(np.zeros((3, 1)), 1.0, ("audio",)).unit == "full scale"
    assert decibel("full scale", "full scale") == "dB of full scale"
    assert decibel("mV") == "dB re 1 mV"
    assert decibel("mV", "full scale") == "dB of full scale or dB re 1 mV"
