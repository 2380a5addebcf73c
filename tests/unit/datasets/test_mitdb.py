"""The MIT-BIH Arrhythmia Database and its format, WFDB: what is read and what is refused."""

import numpy as np
import pytest
import wfdb

from lib.datasets import read, recordings
from lib.errors import HeldoutError

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")  # of wfdb, in writing

RATE = 360


def write_record(
    folder, name="100", *, leads=("MLII", "V5"), n=2000, beats="N+VN", age="69 M 1 2 x1"
):
    """Write a WFDB record with one annotation every 400 samples; give its waves in mV."""
    time = np.arange(n) / RATE
    waves = np.stack([np.sin(2 * np.pi * (i + 1) * time) for i in range(len(leads))], axis=1)
    wfdb.wrsamp(
        name,
        fs=RATE,
        units=["mV"] * len(leads),
        sig_name=list(leads),
        p_signal=waves,
        fmt=["212"] * len(leads),
        adc_gain=[200] * len(leads),
        baseline=[1024] * len(leads),
        comments=[age],
        write_dir=str(folder),
    )
    if beats:
        where = 200 + 400 * np.arange(len(beats))
        wfdb.wrann(name, "atr", where, symbol=list(beats), write_dir=str(folder))
    return waves


def test_mitdb_lists_from_headers(tmp_path):
    write_record(tmp_path, "201")
    write_record(tmp_path, "202", age="-1 F 1 2 x1")
    write_record(tmp_path, "114", leads=("V5", "MLII"), n=1800)
    table = recordings("mitdb", tmp_path).set_index("recording")
    assert list(table["group"]) == ["114", "201", "201"]
    assert (table["label"] == "").all()
    assert table.loc["114", "leads"] == "V5 MLII"
    assert table.loc["114", "duration"] == 5.0
    assert table.loc["201", ["age", "sex", "rate", "channels"]].tolist() == [69, "M", 360, 2]
    assert np.isnan(table.loc["202", "age"])
    assert table.loc["201", "path"] == (tmp_path / "201.hea").as_posix()


def test_mitdb_reads_mv_and_beats_alone(tmp_path):
    waves = write_record(tmp_path, beats="N+V~Q")
    signal = read("mitdb", tmp_path / "100.hea")
    assert signal.samples.dtype == np.float32
    np.testing.assert_allclose(signal.samples, waves, atol=1 / 200)
    assert signal.channels == ("MLII", "V5")
    assert signal.rate == 360
    assert "".join(signal.symbols) == "NVQ"
    assert signal.positions.tolist() == [200, 1000, 1800]
    assert signal.positions.dtype == np.int64


def test_wfdb_microvolts_become_mv(tmp_path):
    write_record(tmp_path)
    header = tmp_path / "100.hea"
    whole = read("mitdb", header).samples
    header.write_text(header.read_text().replace("/mV", "/uV"))
    small = read("mitdb", header)
    np.testing.assert_allclose(small.samples, whole / 1000, atol=1e-6)
    assert small.unit == "mV"
    header.write_text(header.read_text().replace("/uV", "/mmHg", 1))
    assert read("mitdb", header).unit == "unit of the file"  # of two units, no one


@pytest.mark.parametrize(
    "elsewhere", ["../100.dat", "/etc/passwd", "http://localhost/100.dat", "s3://bucket/100.dat"]
)
def test_wfdb_header_that_points_elsewhere_is_refused(tmp_path, elsewhere):
    write_record(tmp_path)
    header = tmp_path / "100.hea"
    header.write_text(header.read_text().replace("100.dat", elsewhere))
    for function in (lambda: read("mitdb", header), lambda: recordings("mitdb", tmp_path)):
        with pytest.raises(HeldoutError, match=r"100\.hea: expected") as caught:
            function()
        assert "beside the header" in str(caught.value) or "readable" in str(caught.value)


def test_wfdb_segments_that_are_missing_are_named(tmp_path):
    (tmp_path / "100.hea").write_text("100/2 2 360 200\na 100\nb 100\n")
    with pytest.raises(HeldoutError, match=r"100\.hea: expected segments .* got of a: .*nothing"):
        recordings("mitdb", tmp_path)


def test_truncated_wfdb_signal_is_refused(tmp_path):
    write_record(tmp_path)
    file = tmp_path / "100.dat"
    file.write_bytes(file.read_bytes()[:1200])
    with pytest.raises(
        HeldoutError, match=r"100\.dat: expected 6,000 bytes .* got 1,200.*truncated"
    ):
        read("mitdb", tmp_path / "100.hea")
    with pytest.raises(HeldoutError, match="truncated"):
        recordings("mitdb", tmp_path)


@pytest.mark.parametrize(("suffix", "what"), [(".dat", "100.dat"), (".atr", "100.atr")])
def test_missing_and_empty_wfdb_files_are_refused(tmp_path, suffix, what):
    write_record(tmp_path)
    file = (tmp_path / "100").with_suffix(suffix)
    file.write_bytes(b"")
    with pytest.raises(HeldoutError, match=f"{what}: expected a recording, got an empty file"):
        read("mitdb", tmp_path / "100.hea")
    file.unlink()
    with pytest.raises(HeldoutError, match=f"{what}: expected a file, got nothing there"):
        read("mitdb", tmp_path / "100.hea")


def test_truncated_annotations_are_refused(tmp_path):
    write_record(tmp_path)
    file = tmp_path / "100.atr"
    file.write_bytes(file.read_bytes()[:-2])
    with pytest.raises(HeldoutError, match=r"100\.atr: expected annotations that end .*truncated"):
        read("mitdb", tmp_path / "100.hea")


def test_annotations_beyond_the_record_are_refused(tmp_path):
    write_record(tmp_path)
    wfdb.wrann("100", "atr", np.array([5000]), symbol=["N"], write_dir=str(tmp_path))
    with pytest.raises(
        HeldoutError, match=r"expected beats within 2,000 samples, got one at 5,000"
    ):
        read("mitdb", tmp_path / "100.hea")


@pytest.mark.parametrize("first", ["100 2 0 2000", "100 2 360 0", "100 2 360"])
def test_wfdb_header_without_rate_or_length_is_refused(tmp_path, first):
    write_record(tmp_path)
    header = tmp_path / "100.hea"
    lines = header.read_text().splitlines()
    header.write_text("\n".join([first, *lines[1:]]) + "\n")
    with pytest.raises(
        HeldoutError, match=r"100\.hea: expected a rate from 0.1 Hz to 10 MHz, a length"
    ):
        recordings("mitdb", tmp_path)


def test_wfdb_header_of_other_bytes_is_refused(tmp_path):
    (tmp_path / "100.hea").write_bytes(bytes(range(256)))
    with pytest.raises(HeldoutError, match=r"100\.hea: expected"):
        recordings("mitdb", tmp_path)


def test_wfdb_sample_marked_invalid_is_refused(tmp_path):
    digital = np.full((100, 1), 1024)
    digital[7] = -32768
    wfdb.wrsamp(
        "100",
        fs=RATE,
        units=["mV"],
        sig_name=["MLII"],
        d_signal=digital,
        fmt=["16"],
        adc_gain=[200],
        baseline=[1024],
        write_dir=str(tmp_path),
    )
    wfdb.wrann("100", "atr", np.array([5]), symbol=["N"], write_dir=str(tmp_path))
    with pytest.raises(HeldoutError, match=r"100\.hea: expected finite samples, got 1 of 100"):
        read("mitdb", tmp_path / "100.hea")
