"""The array of examples: what it holds, without holding it."""

import os
from functools import partial
from types import SimpleNamespace

import numpy as np

from lib.examples.arrays import blocks, contents, open_examples


def test_contents_follow_the_examples_in_blocks(monkeypatch):
    x = np.random.default_rng(0).normal(size=(50, 3, 2)).astype(np.float32)
    x[40] = x[7]
    x[3] = [1, 2]
    whole, flat = contents(x)
    assert len(np.unique(whole)) == 49
    assert whole[40] == whole[7]
    assert np.flatnonzero(flat).tolist() == [3]
    monkeypatch.setattr("lib.examples.arrays.blocks", partial(blocks, nbytes=100))
    for there, again in zip((whole, flat), contents(x), strict=True):
        np.testing.assert_array_equal(there, again)


def test_contents_of_a_file_are_read_once(tmp_path, monkeypatch):
    x = np.random.default_rng(0).normal(size=(16, 6, 2)).astype(np.float32)
    np.save(tmp_path / "examples.npy", x)
    read = []

    def counted(*arguments):
        read.append(os.preadv(*arguments))
        return read[-1]

    monkeypatch.setattr("lib.examples.arrays.os", SimpleNamespace(preadv=counted))
    for of_file, of_array in zip(
        contents(open_examples(tmp_path / "examples.npy")), contents(x), strict=True
    ):
        np.testing.assert_array_equal(of_file, of_array)
    assert sum(read) == x.nbytes
