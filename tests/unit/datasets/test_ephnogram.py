"""EPHNOGRAM and its format, MATLAB files: what is read and what is refused."""

import numpy as np
import pytest
import scipy.io

from lib.datasets import read, recordings
from lib.errors import HeldoutError
from tests.unit.datasets.test_mitdb import write_record

SHEET = """Record Name,Subject ID,Record Duration (min),Age (years),Gender,Recording Scenario,,\r
ECGPCG0001,S001,30,26,Male,Exercise: slow walk (7 min);rest,,\r
ECGPCG0002,S001,30,,Male,Exercise: slow walk (7 min); rest ,,\r
ECGPCG0009,S009,30,25,Male,Rest: laying on bed,,\r
,,,,,,,
"""


def write_mat(folder, name, **variables):
    """Write a MAT file with ECG, PCG and fs, or what is given for them (None leaves one out)."""
    values = {"ECG": np.arange(16.0)[None], "PCG": -np.arange(16.0)[:, None], "fs": 8.0} | variables
    (folder / "MAT").mkdir(exist_ok=True)
    (folder / "ECGPCGSpreadsheet.csv").write_text(SHEET, newline="")
    path = folder / "MAT" / f"{name}.mat"
    scipy.io.savemat(path, {key: value for key, value in values.items() if value is not None})
    return path


def test_ephnogram_lists_files_with_their_row(tmp_path):
    write_mat(tmp_path, "ECGPCG0001", PCG2=np.zeros((1, 16)))
    write_mat(tmp_path, "ECGPCG0002")
    write_mat(tmp_path, "ECGPCG0007")
    table = recordings("ephnogram", tmp_path).set_index("recording")
    assert list(table.index) == ["ECGPCG0001", "ECGPCG0002", "ECGPCG0007"]
    assert set(table["label"][:2]) == {"Exercise: slow walk (7 min); rest"}
    assert table["label"].iloc[2] == ""
    assert list(table["group"]) == ["S001", "S001", "ECGPCG0007"]
    assert list(table["channels"]) == [3, 2, 2]
    assert (table["duration"] == 2.0).all()
    assert table["age"].iloc[0] == 26
    assert np.isnan(table["age"].iloc[1])


def test_ephnogram_reads_rows_and_columns(tmp_path):
    signal = read("ephnogram", write_mat(tmp_path, "ECGPCG0001"))
    assert signal.channels == ("ECG", "PCG")
    np.testing.assert_array_equal(signal.samples, np.stack([np.arange(16), -np.arange(16)], 1))
    assert signal.rate == 8.0


def test_ephnogram_reads_wfdb_where_there_is_no_mat(tmp_path):
    write_mat(tmp_path, "ECGPCG0001")
    (tmp_path / "WFDB").mkdir()
    for name in ("ECGPCG0001", "ECGPCG0009"):
        waves = write_record(tmp_path / "WFDB", name, leads=("PCG", "ECG"), beats="")
    table = recordings("ephnogram", tmp_path).set_index("recording")
    assert table.loc["ECGPCG0001", "path"].endswith("MAT/ECGPCG0001.mat")
    assert table.loc["ECGPCG0009", "path"].endswith("WFDB/ECGPCG0009.hea")
    signal = read("ephnogram", table.loc["ECGPCG0009", "path"])
    np.testing.assert_allclose(signal.samples, waves[:, ::-1], atol=1 / 200)


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"PCG": None}, "expected the variables PCG"),
        ({"fs": None}, "expected the variable fs, a sampling rate from 0.1 Hz to 10 MHz, got none"),
        ({"fs": 0.0}, "expected the variable fs"),
        ({"PCG": np.zeros((1, 9))}, "of one length"),
    ],
)
def test_bad_ephnogram_file_is_refused_by_both(tmp_path, variables, text):
    path = write_mat(tmp_path, "ECGPCG0001", **variables)
    with pytest.raises(HeldoutError, match=rf"0001\.mat: {text}" if text[0] == "e" else text):
        read("ephnogram", path)
    with pytest.raises(HeldoutError, match=r"0001\.mat: expected the variable"):
        recordings("ephnogram", tmp_path)


@pytest.mark.parametrize(
    ("ecg", "text"),
    [
        (np.array([["a", 1]], dtype=object), "expected ECG as an array of numbers, got cell"),
        (np.zeros((4, 4)), "expected ECG as one row or column of numbers"),
        (np.full((1, 16), np.nan), "expected finite samples, got 16 of 32"),
    ],
)
def test_ephnogram_signal_of_other_things_is_refused(tmp_path, ecg, text):
    path = write_mat(tmp_path, "ECGPCG0001", ECG=ecg)
    with pytest.raises(HeldoutError, match=rf"0001\.mat: {text}"):
        read("ephnogram", path)


@pytest.mark.parametrize("keep", [0, 60, 200])
def test_truncated_mat_file_is_refused(tmp_path, keep):
    path = write_mat(tmp_path, "ECGPCG0001")
    path.write_bytes(path.read_bytes()[:keep])
    for function in (lambda: read("ephnogram", path), lambda: recordings("ephnogram", tmp_path)):
        with pytest.raises(HeldoutError, match=r"0001\.mat: expected"):
            function()


def test_ephnogram_needs_its_spreadsheet(tmp_path):
    write_mat(tmp_path, "ECGPCG0001")
    sheet = tmp_path / "ECGPCGSpreadsheet.csv"
    sheet.write_text("Record Name,Age\nECGPCG0001,3\n")
    with pytest.raises(HeldoutError, match="expected the columns Recording Scenario, Subject ID"):
        recordings("ephnogram", tmp_path)
    sheet.unlink()
    with pytest.raises(HeldoutError, match=r"ECGPCGSpreadsheet\.csv: expected a file"):
        recordings("ephnogram", tmp_path)
