"""The array of examples: what it holds, without holding it."""

from functools import partial

import numpy as np

from lib.examples.arrays import blocks, contents


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
