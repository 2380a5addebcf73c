"""WFDB records as they are published: odd headers, names that repeat, segments, all formats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from lib.datasets.files import read_file, read_file_header, recordings_below
from lib.datasets.waveform_database import files_of
from lib.errors import HeldoutError
from lib.features.registry import extract, make
from lib.own.study import study_text
from lib.own.survey import survey
from lib.own.table import examine
from tests.support.folders import heartbeats, write_record
from tests.support.wild import wild

FRAMES, RATE = 400, 100


def samples(seed: int, signals: int = 2, frames: int = FRAMES) -> np.ndarray:
    """Make samples as a record of 16 bits holds them, shape (frames, signals)."""
    rng = np.random.default_rng(seed)
    return rng.integers(-500, 500, (frames, signals)).cumsum(0) // 8


def write(
    folder: Path,
    name: str,
    values: np.ndarray,
    *,
    record: str = "{name} {signals} 100 {frames}",
    fields: str = "1000/mV 16 0 0 0 0",
    names: tuple[str, ...] = ("I", "II", "III"),
    suffix: str = ".dat",
    tail: str = "",
) -> Path:
    """Write a record in format 16 with a header as it is typed here."""
    folder.mkdir(parents=True, exist_ok=True)
    head = b"\0" * 24 if suffix == ".mat" else b""
    (folder / f"{name}{suffix}").write_bytes(head + values.astype("<i2").tobytes())
    stated = "16+24" if suffix == ".mat" else "16"
    count = values.shape[1]
    lines = [record.format(name=name, signals=count, frames=len(values))]
    lines += [f"{name}{suffix} {stated} {fields} {signal}" for signal in names[:count]]
    path = folder / f"{name}.hea"
    path.write_text("\n".join(lines) + "\n" + tail, encoding="utf-8")
    return path


RECORD_LINES = [
    "{name} {signals} 100 {frames} 2014-05-08 05:05:15",  # CinC 2017
    "{name}.mat {signals} 100 {frames} 05-May-2020 09:49:17",  # CinC 2021
    "{name} {signals} 100 {frames} 2006",
    "{name} {signals} 100 {frames} 12:00:00 31/02/1999",
    "{name} {signals} 100 {frames} 25:61:00 1/1/3036",
    "{name} {signals} 100 {frames} 11:20 4/1/199",
    "{name} {signals} 100/1000(0) {frames} noon",
    "medians/{name} {signals} 100 {frames}",
    "another_name {signals} 100.000 {frames}.0",
]


@wild(
    "records",
    like=(
        "MIT-LCP/wfdb-python#351, MIT-LCP/wfdb-python#415, MIT-LCP/wfdb-python#128, "
        "MIT-LCP/wfdb-python#307, MIT-LCP/physionet#84, MIT-LCP/mimic-code#86"
    ),
    holds="headers with dates in another order, a year alone, an impossible date, .mat in the name",
    right="read: no field that is not used can refuse a record",
)
@pytest.mark.parametrize("record", RECORD_LINES)
def test_fields_of_the_record_line(tmp_path: Path, record: str) -> None:
    values = samples(1)
    tail = "#Age: 61\n# Dx: 164889003 é\n"
    path = write(tmp_path, "A00001", values, record=record, suffix=".mat", tail=tail)
    signal = read_file(path)
    np.testing.assert_allclose(signal.samples, values / 1000, atol=1e-6)
    assert (signal.rate, signal.channels, signal.unit) == (100.0, ("I", "II"), "mV")
    assert read_file_header(path)[:3] == (100.0, FRAMES, 2)


@wild(
    "records",
    like="MIT-LCP/wfdb-python#528, the headers of PTB-XL+ 1.0.1",
    holds="checksums that are none, fields left out, a path in the names of the signal files",
    right="read: no field that is not used can refuse a record",
)
@pytest.mark.parametrize(
    "fields",
    ["1000/mV 16 0 0 NaN 0", "1000(0)/mV 16 0 0 0x1F 0", "1000.0(0)/mV - 0 7 12.5 0", "1000/mV"],
)
def test_fields_of_a_signal_line(tmp_path: Path, fields: str) -> None:
    values = samples(2)
    path = write(tmp_path, "r", values, fields=fields, record="set/{name} {signals} 100 {frames}")
    path.write_text(path.read_text().replace("\nr.dat", "\nset/r.dat"))
    signal = read_file(path)
    np.testing.assert_allclose(signal.samples, values / 1000, atol=1e-6)
    assert signal.channels == ("I", "II")


@wild(
    "records",
    like="wfdb/wfdb-spec#2, wfdb/wfdb-spec#4",
    holds="records whose names hold blanks, accents or brackets",
    right="read as they are named",
)
@pytest.mark.parametrize("name", ["my record", "patient 12", "José", "r (1)", "r[1]"])
def test_names_of_records(tmp_path: Path, name: str) -> None:
    values = samples(3)
    path = write(tmp_path, name, values)
    if "[" in name:  # nothing that leads anywhere, but no name of a signal file either
        path.write_text(path.read_text().replace(f"\n{name}.dat", "\nplain.dat"))
        (tmp_path / f"{name}.dat").rename(tmp_path / "plain.dat")
    np.testing.assert_allclose(read_file(path).samples, values / 1000, atol=1e-6)
    assert len(files_of(path)) == 2


@wild(
    "records",
    like="MIT-LCP/mimic-code#1574, mne-tools/mne-python#4305",
    holds="records with two or three channels of one name; the class is in the second",
    right="all channels, each by a name of its own, and a note",
)
def test_channels_of_one_name(tmp_path: Path) -> None:
    for number in range(6):
        for label, factor in (("broad", 4), ("narrow", 1)):
            values = samples(number, 3, 1000)
            values[:, 1] *= factor
            write(tmp_path / label, f"{label}{number}", values, names=("ECG", "ECG", "ECG"))
    text = study_text(tmp_path)
    features = yaml.safe_load(text)["features"]
    assert features["channels"] == ["ECG", "ECG 2", "ECG 3"]
    assert "3 of its channels are named ECG" in text.replace("\n# ", " ")
    signal = read_file(tmp_path / "broad" / "broad0.hea")
    x = extract(signal, **features).x
    assert not np.allclose(x[..., 0], x[..., 1])
    notes = survey(tmp_path, dataset="folder-x", asked=make(**features).demands)["notes"]
    assert [note for note in notes if "(12 of 12 recordings): 3 of its channels" in note]
    # The same channel asked for twice is a slip.
    with pytest.raises(HeldoutError, match="channels: expected each once, got ECG, ECG"):
        make(**{**features, "channels": ["ECG", "ECG"]})


def packed(values: np.ndarray, fmt: str) -> bytes:
    """Pack samples of (frames, signals) as signal(5) of the WFDB describes a format."""
    flat = values.reshape(-1)
    if fmt in ("61", "160", "80"):
        kind, shift = {"61": (">i2", 0), "160": ("<u2", 32768), "80": ("u1", 128)}[fmt]
        return (flat + shift).astype(kind).tobytes()
    if fmt == "8":
        return np.diff(values, axis=0, prepend=0).reshape(-1).astype("i1").tobytes()
    if fmt == "24":
        return flat.astype("<i4").view("u1").reshape(-1, 4)[:, :3].tobytes()
    if fmt == "32":
        return flat.astype("<i4").tobytes()
    full = np.concatenate([flat, np.zeros(-len(flat) % 6, flat.dtype)])
    if fmt == "212":
        a, b = (full[i::2] & 0xFFF for i in range(2))
        body = np.stack([a & 0xFF, a >> 8 | b >> 8 << 4, b & 0xFF], 1).astype("u1").tobytes()
        return body[: -(-len(flat) * 3 // 2)]
    a, b, c = (full[i::3] & 0x3FF for i in range(3))
    if fmt == "310":
        words = np.stack([a << 1 | (c & 0x1F) << 11, b << 1 | c >> 5 << 11], 1)
        return words.astype("<u2").tobytes()[: len(flat) // 3 * 4 + len(flat) % 3 * 2]
    return (a | b << 10 | c << 20).astype("<u4").tobytes()[: -(-len(flat) * 4 // 3)]


FORMATS = ["8", "16", "24", "32", "61", "80", "160", "212", "310", "311"]


@wild(
    "records",
    like="MIT-LCP/wfdb-python#6, the databases of PhysioNet in formats 8 to 524",
    holds="records in every format of signal(5), whole and cut by one byte",
    right="read sample for sample; the cut one is refused as truncated",
)
@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("frames", [399, 400, 401])
def test_every_format(tmp_path: Path, fmt: str, frames: int) -> None:
    rng = np.random.default_rng(frames)
    values = rng.integers(-100, 100, (frames, 2))
    if fmt == "8":
        values = rng.integers(-5, 6, (frames, 2)).cumsum(0)
    path = write(tmp_path, "r", values, fields="100/mV 12 0 0 0 0")
    path.write_text(path.read_text().replace(" 16 100/", f" {fmt} 100/"))
    body = values.astype("<i2").tobytes() if fmt == "16" else packed(values, fmt)
    (tmp_path / "r.dat").write_bytes(body)
    np.testing.assert_allclose(read_file(path).samples, values / 100, atol=1e-6)
    (tmp_path / "r.dat").write_bytes(body[:-1])
    for reader in (read_file, read_file_header):
        with pytest.raises(HeldoutError, match="truncated"):
            reader(path)


@wild(
    "records",
    like="MIT-LCP/wfdb-python#6, the MIMIC-IV waveforms of PhysioNet",
    holds="records in the formats of FLAC (508, 516, 524)",
    right="read sample for sample; a cut one is refused",
)
@pytest.mark.parametrize(
    ("fmt", "subtype"), [("508", "PCM_S8"), ("516", "PCM_16"), ("524", "PCM_24")]
)
def test_compressed_formats(tmp_path: Path, fmt: str, subtype: str) -> None:
    values = np.random.default_rng(0).integers(-100, 100, (FRAMES, 2))
    path = write(tmp_path, "r", values, fields="100/mV 12 0 0 0 0")
    path.write_text(path.read_text().replace(" 16 100/", f" {fmt} 100/"))
    shift = {"508": 24, "516": 16, "524": 8}[fmt]
    shifted = (values << shift).astype(np.int32)
    soundfile.write(tmp_path / "r.dat", shifted, RATE, format="FLAC", subtype=subtype)
    np.testing.assert_allclose(read_file(path).samples, values / 100, atol=1e-6)
    body = (tmp_path / "r.dat").read_bytes()
    (tmp_path / "r.dat").write_bytes(body[: len(body) // 2])
    with pytest.raises(HeldoutError):
        read_file(path)


def segments(folder: Path, *, layout: bool, gap: int = 0) -> Path:
    """Write a record of two segments, with `p_layout` first, which lacks nothing of either."""
    for number in (1, 2):
        write(folder, f"p_{number:04}", samples(number))
    lines = ["p_0001 400", *([f"~ {gap}"] if gap else []), "p_0002 400"]
    if layout:
        text = "p_layout 2 100 0\n" + "".join(f"~ 0 200/mV 11 0 0 0 0 {n}\n" for n in ("I", "II"))
        (folder / "p_layout.hea").write_text(text)
        lines.insert(0, "p_layout 0")
    header = folder / "p.hea"
    header.write_text("\n".join([f"p/{len(lines)} 2 100 {800 + gap}", *lines]) + "\n")
    return header


@wild(
    "records",
    like="MIT-LCP/wfdb-python#402, MIT-LCP/wfdb-python#405, MIT-LCP/wfdb-python#14",
    holds="multi-segment records of fixed and of variable layout, their segments beside them",
    right="one recording each, its segments joined",
)
@pytest.mark.parametrize("layout", [False, True])
def test_segments_are_joined(tmp_path: Path, layout: bool) -> None:
    header = segments(tmp_path / "a", layout=layout)
    assert recordings_below(tmp_path) == ["a/p.hea"]
    signal = read_file(header)
    expected = np.concatenate([samples(1), samples(2)]) / 1000
    np.testing.assert_allclose(signal.samples, expected, atol=1e-6)
    assert signal.channels == ("I", "II")
    assert read_file_header(header)[:3] == (100.0, 800, 2)
    assert len(files_of(header)) == 5 + layout


@wild(
    "records",
    like="MIT-LCP/wfdb-python#405, MIT-LCP/mimic-code#791, MIT-LCP/mimic-code#1224",
    holds="multi-segment records with a gap, a segment that is missing, or a line too few",
    right="refused, with advice that fits",
)
def test_segments_that_cannot_be_joined(tmp_path: Path) -> None:
    header = segments(tmp_path, layout=True, gap=50)
    with pytest.raises(HeldoutError, match=r"50 of 850 that are missing .* Write its stretches"):
        read_file(header)
    (tmp_path / "p_0002.hea").unlink()
    with pytest.raises(
        HeldoutError, match=r"p_0002: .*nothing there\. Put all files of the record"
    ):
        read_file_header(header)
    header.write_text(header.read_text().replace("p/4", "p/5"))
    with pytest.raises(HeldoutError, match="a line for each of its 5 segments, got 4"):
        read_file_header(header)


@wild(
    "records",
    like="MIT-LCP/wfdb-python#6",
    holds="a record with a signal that lags behind the others (skew)",
    right="the signals aligned, as long as all have samples",
)
def test_skewed_signals(tmp_path: Path) -> None:
    values = samples(5)
    path = write(tmp_path, "r", values)
    first, second = path.read_text().splitlines()[1:]
    path.write_text("\n".join(["r 2 100 400", first, second.replace(" 16 ", " 16:3 ", 1)]) + "\n")
    read = read_file(path).samples
    assert len(read) == FRAMES - 3
    np.testing.assert_allclose(read[:, 1], values[3:, 1] / 1000, atol=1e-6)


@wild(
    "records",
    like="MIT-LCP/wfdb-python#528, records that were written or copied under Windows",
    holds="headers that name `./a.dat` or `A.DAT`, where `a.dat` lies beside",
    right="the file beside is read; what a header names elsewhere is never opened",
)
@pytest.mark.parametrize("named", ["./a.dat", "A.DAT", "./A.dat"])
def test_signal_files_of_other_places(tmp_path: Path, named: str) -> None:
    write_record(tmp_path, "a", ecg := heartbeats(0, seconds=5), annotated=False)
    header = tmp_path / "a.hea"
    header.write_text(header.read_text().replace("a.dat", named))
    np.testing.assert_allclose(read_file(header).samples[:, 0], ecg[0], atol=0.01)
    header.write_text(header.read_text().replace(named, "C:\\data\\a.dat"))
    with pytest.raises(HeldoutError, match="the name of a file beside the header"):
        read_file(header)


@wild(
    "records",
    like="records that were copied from a disc that knows capitals only",
    holds="`A.HEA` and `A.DAT` alone",
    right="an error that says how headers are named",
)
def test_headers_in_capitals(tmp_path: Path) -> None:
    (tmp_path / "bell").mkdir()
    for name in ("A.HEA", "A.DAT"):
        (tmp_path / "bell" / name).touch()
    with pytest.raises(HeldoutError, match=r"bell/A\.HEA: headers of WFDB records are read where"):
        examine(tmp_path)
