"""Files: whole or not there, and read as they were written."""

import hashlib
import platform
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from lib.errors import HeldoutError
from lib.files import atomic, read_json, read_table, sha256, write_json, write_table


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_atomic_makes_folders_and_moves_into_place(tmp_path):
    path = tmp_path / "a" / "b" / "run.json"
    with atomic(path) as part:
        assert part.parent == path.parent
        assert part.suffix == ".json"
        part.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert names(path.parent) == ["run.json"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_atomic_leaves_nothing_half_written(tmp_path, error):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(error), atomic(path) as part:
        part.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert names(tmp_path) == ["table.csv"]


def test_atomic_leaves_nothing_where_nothing_was(tmp_path):
    with pytest.raises(RuntimeError), atomic(tmp_path / "new.csv") as part:
        part.write_text("half")
        raise RuntimeError
    assert names(tmp_path) == []


_KILLED = """
import os, signal, sys
from lib.files import atomic

with atomic(sys.argv[1]) as part:
    part.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_next_writer_deletes_what_a_killed_one_left(tmp_path):
    table, other = tmp_path / "table.csv", tmp_path / "other.csv"
    for path in (table, other):
        subprocess.run([sys.executable, "-c", _KILLED, path], check=False)
    left = names(tmp_path)
    assert len(left) == 2
    with atomic(table) as part:
        part.write_text("whole")
    assert names(tmp_path) == sorted(["table.csv", *(n for n in left if n.startswith(".other"))])


def test_what_a_living_process_or_another_machine_writes_is_left_alone(tmp_path):
    # Of process 1, of another machine, and of no process.
    living = [f".table.{platform.node()}.{who}.part.csv" for who in ("1", "node.1", "")]
    for name in [*living, ".table.elsewhere.999999999.part.csv"]:
        (tmp_path / name).touch()
    before = names(tmp_path)
    with atomic(tmp_path / "table.csv") as part:
        part.write_text("whole")
    assert names(tmp_path) == sorted([*before, "table.csv"])


def test_readers_see_the_old_or_the_new_file(tmp_path):
    path = tmp_path / "value.json"
    write_json(path, ["old"] * 1000)
    seen, stop = [], threading.Event()

    def watch():
        while not stop.is_set():
            seen.append(len(read_json(path)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    for count in range(1000, 1100):
        write_json(path, ["new"] * count)
    stop.set()
    watcher.join()
    assert seen
    assert set(seen) <= set(range(1000, 1100))


def test_json_comes_back(tmp_path):
    value = {"name": "Müller", "list": [1, 2.5, None, True]}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value
    assert "Müller" in (tmp_path / "a.json").read_text(encoding="utf-8")


def test_json_has_no_nan(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert names(tmp_path) == []


@pytest.mark.parametrize("content", [None, b"{half", b"\xff\xfe"])
def test_json_that_cannot_be_read(tmp_path, content):
    path = tmp_path / "audit.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(HeldoutError, match=r"audit\.json: expected a JSON file, got .* run again"):
        read_json(path)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_tables_come_back(tmp_path, suffix):
    table = pd.DataFrame(
        {
            "recording": ["100", "0042", "NA", "null", "nan", ""],
            "label": ["NA", "N", "None", "S", "-", "V"],
            "value": [1.5, np.nan, 0.1 + 0.2, 1e-300, -0.0, 3.0],
            "count": range(6),
        }
    )
    path = tmp_path / f"table.{suffix}"
    write_table(path, table)
    assert names(tmp_path) == [path.name]
    assert_frame_equal(
        read_table(path, text=("recording", "label")), table, check_dtype=False, check_exact=True
    )


def test_records_stay_text_and_empty_text_is_not_missing(tmp_path):
    path = tmp_path / "recordings.csv"
    path.write_text("recording,split,duration\n100,,2.5\n0042,test,\n", encoding="utf-8")
    table = read_table(path, text=("recording", "split", "absent"))
    assert table["recording"].tolist() == ["100", "0042"]
    assert table["split"].tolist() == ["", "test"]
    assert np.isnan(table["duration"][1])
    assert "absent" not in table


def test_a_column_without_any_text_is_text(tmp_path):
    write_table(tmp_path / "a.csv", pd.DataFrame({"name": ["x", "y"], "split": ["", ""]}))
    assert read_table(tmp_path / "a.csv", text=("split",))["split"].tolist() == ["", ""]


def test_csv_has_the_same_bytes_on_every_system(tmp_path):
    write_table(tmp_path / "a.csv", pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
    assert (tmp_path / "a.csv").read_bytes() == b"a,b\n1,x\n2,y\n"


@pytest.mark.parametrize("name", ["missing.csv", "missing.parquet", "bad.parquet", "empty.csv"])
def test_tables_that_cannot_be_read(tmp_path, name):
    if not name.startswith("missing"):
        (tmp_path / name).write_bytes(b"" if name.startswith("empty") else b"PAR1 half")
    suffix = name.split(".")[1]
    with pytest.raises(HeldoutError, match=rf"{name}: expected a {suffix} table, got .* run again"):
        read_table(tmp_path / name)


def test_sha256(tmp_path):
    content = bytes(range(256)) * 5000
    (tmp_path / "a").write_bytes(content)
    assert sha256(tmp_path / "a") == hashlib.sha256(content).hexdigest()
