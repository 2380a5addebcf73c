"""Several datasets as one folder: whose recordings they are, and what one of them lacks."""

from pathlib import Path

import pandas as pd
import pytest
import soundfile
import yaml

from lib.cli.main import main
from lib.config.protocols import split_options
from lib.errors import HeldoutError
from lib.own.join import join
from lib.own.study import study_text
from lib.own.table import examine
from lib.simulate.simulator import simulate
from lib.splits.registry import check_rule
from tests.support.folders import RATE, tone


def folder(path: Path, labels: tuple[str, ...], *, each: int = 2) -> Path:
    for number, label in enumerate(labels):
        for person in range(each):
            file = path / label / f"p{person}.wav"
            file.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(file, tone(10 * number + person, 300.0, seconds=0.1), RATE)
    return path


def test_recordings_of_two_datasets_are_of_two_groups(tmp_path):
    folders = {name: folder(tmp_path / name, ("a", "b")) for name in ("ours", "theirs")}
    table, told = join(folders, tmp_path / "both")
    assert told == []
    listed = examine(tmp_path / "both", columns=["dataset"]).table
    assert listed["path"].tolist() == sorted(table["path"])
    assert listed.groupby("group")["dataset"].nunique().max() == 1
    assert set(listed["dataset"]) == {"ours", "theirs"}
    assert (listed["path"].str.partition("/")[0] == listed["dataset"]).all()


def test_labels_that_one_dataset_lacks_are_told(tmp_path):
    folders = {
        "ours": folder(tmp_path / "ours", ("murmur", "normal")),
        "theirs": folder(tmp_path / "theirs", ("murmur", "healthy")),
    }
    _, told = join(folders, tmp_path / "both")
    assert told[0].startswith("ours has no recording labelled healthy. Put labels that mean the")
    assert told[1].startswith("theirs has no recording labelled normal.")


def test_a_published_corpus_is_read_as_such(tmp_path):
    simulate("heartbeat_sounds", tmp_path / "pascal", seed=0, scale=0.1)
    ours = folder(tmp_path / "ours", ("murmur", "normal"))
    table, _ = join({"heartbeat_sounds": tmp_path / "pascal", "ours": ours}, tmp_path / "both")
    theirs = table[table["dataset"] == "heartbeat_sounds"]
    assert {"murmur", "normal"} <= set(theirs["label"]) and "" not in set(theirs["label"])
    assert set(theirs["set"]) == {"a", "b"}
    assert all((tmp_path / "both" / path).is_file() for path in table["path"])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["ours"], "^datasets: expected two or more, got 1"),
        (["ours", "../x"], "^name '../x': expected letters, digits, - and _"),
        (["ours", "mitdb"], "^mitdb: expected a dataset whose recordings have a label each"),
    ],
)
def test_what_cannot_be_joined_is_refused_and_nothing_is_written(tmp_path, names, message):
    own = folder(tmp_path / "own", ("a", "b"))
    with pytest.raises(HeldoutError, match=message):
        join(dict.fromkeys(names, own), tmp_path / "both")
    assert not (tmp_path / "both").exists()


def test_nothing_is_overwritten(tmp_path, capsys):
    own = folder(tmp_path / "own", ("a", "b"))
    command = ["join", f"one={own}", f"two={own}", "--into", str(tmp_path / "both")]
    assert main(command) == 0
    assert "one: 4 recordings; two: 4 recordings" in capsys.readouterr().out
    before = pd.read_csv(tmp_path / "both" / "metadata.csv")
    assert main(command) == 1
    assert "one with files, which are not overwritten" in capsys.readouterr().err
    assert before.equals(pd.read_csv(tmp_path / "both" / "metadata.csv"))
    assert main(["join", "one", f"two={own}", "--into", str(tmp_path / "c")]) == 1


def test_a_study_of_both_divides_by_dataset(tmp_path):
    folders = {
        "ours": folder(tmp_path / "ours", ("a", "b"), each=3),
        "theirs": folder(tmp_path / "theirs", ("a", "b"), each=3),
        "small": folder(tmp_path / "small", ("a", "b"), each=1),
    }
    join(folders, tmp_path / "all")
    protocols = yaml.safe_load(study_text(tmp_path / "all", by=" Dataset"))["protocols"]
    assert protocols["sites"]["sites"] == ["ours", "small", "theirs"]
    # One group is none to train on, to validate with and to test on.
    assert protocols["pairs"]["sites"] == ["ours", "theirs"]
    assert {protocols[name]["by"] for name in ("sites", "pairs")} == {"dataset"}
    check_rule(**split_options(protocols["sites"]))
    assert "sites" not in yaml.safe_load(study_text(tmp_path / "all"))["protocols"]
    with pytest.raises(HeldoutError, match="a column hospital, by which a protocol divides"):
        study_text(tmp_path / "all", by="hospital")
    with pytest.raises(HeldoutError, match="a table with a column dataset"):
        study_text(folders["ours"], by="dataset")
