"""Finished trainings are kept: whole, once, and safe from two jobs at a time."""

import threading
import time
from datetime import datetime
from types import SimpleNamespace

import numpy as np
import pytest

from lib.errors import HeldoutError
from lib.files import read_json
from lib.train.callbacks import State
from lib.train.store import fit_once
from lib.train.trainer import Fitted
from lib.train.training import Training

ROW = {"loss": 0.5, "val_loss": 0.4, "seconds": 0.1}


class Pretend:
    """Stands in for a trainer: counts its trainings, and takes its time."""

    recipe = SimpleNamespace(backend="tensorflow")
    data = SimpleNamespace(digest="d")

    def __init__(self, *, seconds=0.0, error=None, key="k", device="CPU"):
        self.key, self.device = lambda seed: key, device
        self.trained, self.seconds, self.error = 0, seconds, error
        self.model = SimpleNamespace(weights=[np.zeros((2, 3), np.float32)] * 12)

    def fit(self, seed, *, checkpoint, tensorboard, **_):
        self.trained += 1
        checkpoint.write_bytes(b"state")
        time.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        weights = [np.full((2, 3), seed + i, np.float32) for i in range(12)]
        return self.restore([{"epoch": 1} | ROW], weights)

    def restore(self, history, weights):
        self.model = SimpleNamespace(weights=weights)
        return Fitted(self.model, history, 1)


def run(trainer, folder, seed=0):
    return fit_once(trainer, seed, store=folder / "fits", tensorboard=folder / "tb")


def test_equal_keys_are_trained_once(tmp_path):
    first, second = Pretend(), Pretend()
    one, other = run(first, tmp_path, seed=3), run(second, tmp_path, seed=3)
    assert (first.trained, second.trained) == (1, 0)
    assert other.history == one.history == [{"epoch": 1} | ROW]
    # Twelve: by name, the eleventh would come before the third.
    for index, (mine, theirs) in enumerate(
        zip(one.model.weights, other.model.weights, strict=True)
    ):
        np.testing.assert_array_equal(mine, theirs)
        assert theirs[0, 0] == 3 + index
    assert any((tmp_path / "tb").iterdir())


def test_examples_without_a_digest_are_refused(tmp_path):
    trainer = Pretend()
    trainer.data = SimpleNamespace(digest="")
    with pytest.raises(HeldoutError, match=r"expected the SHA-256 of the examples, .* got none"):
        run(trainer, tmp_path)
    assert trainer.trained == 0


def test_other_keys_are_trained_apart(tmp_path):
    for key in ("one", "two"):
        trainer = Pretend(key=key)
        run(trainer, tmp_path)
        assert trainer.trained == 1


def test_of_two_jobs_one_trains_and_the_other_waits(tmp_path):
    trainers = [Pretend(seconds=0.3), Pretend(seconds=0.3)]
    jobs = [threading.Thread(target=run, args=(trainer, tmp_path)) for trainer in trainers]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(30)
    assert sorted(trainer.trained for trainer in trainers) == [0, 1]
    assert all(len(trainer.model.weights) == 12 for trainer in trainers)


def test_a_failed_training_is_not_kept(tmp_path):
    with pytest.raises(HeldoutError, match="the loss became nan"):
        run(Pretend(error=HeldoutError("the loss became nan")), tmp_path)
    assert [path.name for path in (tmp_path / "fits" / "k").iterdir()] == ["checkpoint.npz"]
    again = Pretend()
    run(again, tmp_path)
    assert again.trained == 1


def test_what_is_kept(tmp_path):
    run(Pretend(), tmp_path)
    folder = tmp_path / "fits" / "k"
    assert {path.name for path in folder.iterdir()} == {
        *("weights.npz", "history.json", "made.json")
    }
    assert read_json(folder / "history.json") == [{"epoch": 1} | ROW]


def test_what_made_the_weights_is_kept_beside_them(tmp_path):
    first = run(Pretend(device="NVIDIA H100"), tmp_path)
    again = run(Pretend(device="CPU"), tmp_path)
    assert again.made == first.made
    assert again.made["device"] == "NVIDIA H100"
    assert again.made["train_seconds"] == 0.1
    assert {"keras", "tensorflow", "jax", "numpy"} <= set(again.made["versions"])
    assert datetime.fromisoformat(again.made["finished"]).tzinfo


def test_without_weights_a_training_is_not_whole(tmp_path):
    run(Pretend(), tmp_path)
    (tmp_path / "fits" / "k" / "weights.npz").unlink()
    again = Pretend()
    run(again, tmp_path)
    assert again.trained == 1


@pytest.mark.parametrize("change", [lambda held: held[:-1], lambda held: [held[0].T, *held[1:]]])
def test_weights_of_another_network_are_a_damaged_file(tmp_path, change):
    run(Pretend(), tmp_path)
    (file,) = tmp_path.glob("fits/*/weights.npz")
    with np.load(file) as held:
        left = change([held[name] for name in held.files])
    np.savez(file, *left)
    with pytest.raises(HeldoutError, match=r"weights\.npz.*damaged file.*Delete it"):
        run(Pretend(), tmp_path)


@pytest.mark.parametrize("damaged", [b"", b"PK\x03\x04 damaged", b"no archive"])
def test_a_damaged_checkpoint_is_said_and_begun_anew(tmp_path, caplog, damaged):
    checkpoint = tmp_path / "checkpoint.npz"
    checkpoint.write_bytes(damaged)
    network = SimpleNamespace(variables=[], weights=[], optimizer=SimpleNamespace(variables=[]))
    state = State(network, Training(epochs=2), checkpoint)
    assert state.history == []
    assert not state.finished
    assert not checkpoint.exists()
    assert "checkpoint.npz is damaged" in caplog.text


@pytest.mark.parametrize("now", [[np.zeros(3)], [np.zeros(3), np.zeros(2)]])
def test_a_checkpoint_of_another_network_changes_nothing(tmp_path, now):
    checkpoint = tmp_path / "checkpoint.npz"
    values = [SimpleNamespace(shape=(3,), assign=pytest.fail) for _ in range(2)]
    network = SimpleNamespace(variables=values, weights=[], optimizer=SimpleNamespace(variables=[]))
    row = {"columns": ["epoch"], "history": [[1]], "stopped": False, "averaged": 0}
    np.savez(checkpoint, **row, **{f"now_{i}": value for i, value in enumerate(now)})
    assert State(network, Training(epochs=2), checkpoint).history == []
