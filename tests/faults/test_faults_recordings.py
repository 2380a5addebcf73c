"""Recordings and tables as they should not be: each a reading, or an error that says what to do."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import soundfile

from lib.datasets import Signal, read, recordings
from lib.datasets.files import read_file, read_file_header
from lib.datasets.matlab import load, variables
from lib.datasets.signal import LARGEST
from lib.errors import HeldoutError
from lib.features import extract, write_shard
from lib.own.table import list_folder
from tests.support.readers import CLIPS, RATE, SHEET, tone, write_record

pytestmark = pytest.mark.filterwarnings(
    "ignore:The inplace keyword", "ignore:.*n_fft=.*too large", "ignore:.*is constant"
)

MFCC = {"rate": 4000, "duration": 0.5, "n_mfcc": 13, "n_mels": 20, "n_fft": 512, "hop": 128}
ACTION = (
    r"again|[Ee]xclude|Replace|Add |Make |Save |[Dd]elete|[Cc]orrect|Name|anew|Look|cut it|choose"
    r"|Retr|Put "
)


def sound(path: Path, wave: np.ndarray, rate: int = RATE, **options: Any) -> None:
    soundfile.write(path, wave, rate, **options)


def header_of(path: Path, offset: int, layout: str, value: int) -> None:
    """Change a field of a file."""
    content = bytearray(path.read_bytes())
    struct.pack_into(layout, content, offset, value)
    path.write_bytes(content)


def floats(path: Path, value: float, at: int | None = None) -> None:
    wave = tone(2000)
    wave[slice(None) if at is None else at] = value
    sound(path, wave, subtype="FLOAT")


def lying_flac(path: Path) -> None:
    """Promise 2³⁶ - 1 samples, all that the format can, in a file of some kB."""
    sound(path, tone(2000))
    content = bytearray(path.read_bytes())
    content[21] |= 0x0F
    content[22:26] = b"\xff" * 4
    path.write_bytes(content)


def other_suffix(path: Path, kind: str, **options: Any) -> None:
    stream = io.BytesIO()
    soundfile.write(stream, tone(4000), 16000, format=kind, **options)
    path.write_bytes(stream.getvalue())


READ = "a reading"
# What is done to `sound.wav`, or to the file named, and what the error says: READ for none.
SOUNDS: dict[str, tuple[str, Callable[[Path], Any], str]] = {
    **{
        f"cut at {tenth * 10} %": (
            "a.wav",
            lambda path, tenth=tenth: (
                sound(path, tone(2000)),
                path.write_bytes(path.read_bytes()[: path.stat().st_size * tenth // 10]),
            ),
            "truncated",
        )
        for tenth in range(1, 10)
    },
    "no bytes": ("a.wav", lambda path: path.write_bytes(b""), "got an empty file"),
    "no frames": ("a.wav", lambda path: sound(path, tone(0)), "got 0 frames"),
    "one frame": ("a.wav", lambda path: sound(path, tone(1)), READ),
    "0.01 s": ("a.wav", lambda path: sound(path, tone(40)), READ),
    "constant": ("a.wav", lambda path: sound(path, np.full(2000, 0.25)), READ),
    "silent": ("a.wav", lambda path: sound(path, np.zeros(2000)), READ),
    "24 bit": ("a.wav", lambda path: sound(path, tone(2000), subtype="PCM_24"), READ),
    "32 bit": ("a.wav", lambda path: sound(path, tone(2000), subtype="PCM_32"), READ),
    "8 bit": ("a.wav", lambda path: sound(path, tone(2000), subtype="PCM_U8"), READ),
    "64 bit float": ("a.wav", lambda path: sound(path, tone(2000), subtype="DOUBLE"), READ),
    "8 channels": ("a.wav", lambda path: sound(path, tone(2000, 8)), READ),
    "1024 channels": ("a.wav", lambda path: sound(path, tone(20, 1024)), READ),
    "NaN in one sample": ("a.wav", lambda path: floats(path, np.nan, 7), "finite samples, got 1 "),
    "infinity in one sample": ("a.wav", lambda path: floats(path, np.inf, 7), "got 1 of 2,000"),
    "NaN everywhere": ("a.wav", lambda path: floats(path, np.nan), "got 2,000 of 2,000"),
    "samples of 1e30": ("a.wav", lambda path: floats(path, 1e30), "full scale of ±1"),
    "samples of 1e-40": ("a.wav", lambda path: floats(path, 1e-40), READ),
    "rate 0": (
        "a.wav",
        lambda path: (sound(path, tone(2000)), header_of(path, 24, "<I", 0)),
        "expected",
    ),
    "rate 4 GHz": (
        "a.wav",
        lambda path: (sound(path, tone(2000)), header_of(path, 24, "<I", 4_000_000_000)),
        "expected",
    ),
    "rate 2 GHz": (
        "a.wav",
        lambda path: (sound(path, tone(2000)), header_of(path, 24, "<I", 2_000_000_000)),
        "rate from 0.1 Hz to 10 MHz",
    ),
    "rate 1 Hz": ("a.wav", lambda path: sound(path, tone(2000), 1), READ),
    "0 channels": (
        "a.wav",
        lambda path: (sound(path, tone(2000)), header_of(path, 22, "<H", 0)),
        "expected",
    ),
    "a length of more than there is": (
        "a.wav",
        lambda path: (
            sound(path, tone(2000)),
            header_of(path, 4, "<I", 5036),
            header_of(path, 40, "<I", 5000),
        ),
        "truncated",
    ),
    "a length of more than there is, in a file of the size that it states": (
        "a.wav",
        lambda path: (sound(path, tone(2000)), header_of(path, 40, "<I", 5000)),
        READ,
    ),
    "a length of less than there is": (
        "a.wav",
        lambda path: (sound(path, tone(2000)), header_of(path, 40, "<I", 1000)),
        READ,
    ),
    "a length of none": (
        "a.wav",
        lambda path: (sound(path, tone(2000)), header_of(path, 40, "<I", 0)),
        READ,
    ),
    "2³⁶ samples promised": ("a.flac", lying_flac, f"at most {LARGEST:,} samples"),
    "an mp3 called wav": ("a.wav", lambda path: other_suffix(path, "MP3"), READ),
    "a wav called mp3": ("a.mp3", lambda path: other_suffix(path, "WAV"), READ),
    "an mp3 called au": ("a.au", lambda path: other_suffix(path, "MP3"), READ),
    "a flac called ogg": ("a.ogg", lambda path: other_suffix(path, "FLAC"), READ),
    "text called au": ("a.au", lambda path: path.write_bytes(b"some text " * 99), "no header"),
    "text called wav": ("a.wav", lambda path: path.write_bytes(b"some text " * 99), "decoded"),
    "text called mp3": ("a.mp3", lambda path: path.write_bytes(b"some text " * 99), "decoded"),
    "a page called wav": ("a.wav", lambda path: path.write_bytes(b"<html>no</html>"), "decoded"),
    "a script called wav": ("a.wav", lambda path: path.write_bytes(b"#!/bin/sh\nls"), "decoded"),
    "a wav in a gzip": (
        "a.wav",
        lambda path: path.write_bytes(zlib.compress(tone(900).tobytes())),
        "decoded",
    ),
    "a folder": ("a.wav", lambda path: path.mkdir(), "expected a file, got nothing there"),
    "no such file": ("a.wav", lambda path: None, "expected a file, got nothing there"),
    "a link to itself": ("a.wav", lambda path: path.symlink_to("a.wav"), "nothing there"),
    "a device": ("a.wav", lambda path: path.symlink_to("/dev/zero"), "nothing there"),
    "another suffix": ("a.txt", lambda path: path.write_bytes(b"text"), "expected a recording"),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_a_sound_is_read_or_refused(tmp_path: Path, name: str) -> None:
    file, make, expected = SOUNDS[name]
    path = tmp_path / file
    make(path)

    def use() -> np.ndarray:
        return extract(read_file(path), kind="mfcc", **MFCC).x

    if expected == READ:
        x = use()
        assert x.shape == (1, 16, 13)
        assert np.isfinite(x).all()
        assert read_file_header(path).frames >= 1
        return
    with pytest.raises(HeldoutError, match=expected) as caught:
        use()
    assert str(path) in str(caught.value)
    assert_says_what_to_do(str(caught.value))


def assert_says_what_to_do(message: str) -> None:
    assert "expected" in message
    assert re.search(ACTION, message), f"it does not say what to do: {message}"


def edit(old: str, new: str) -> Callable[[Path], Any]:
    """Change the text of the header."""

    def change(folder: Path) -> None:
        file = folder / "100.hea"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    return change


def put(name: str, content: bytes) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).write_bytes(content)


def cut(name: str, tenth: int) -> Callable[[Path], Any]:
    def change(folder: Path) -> None:
        file = folder / name
        file.write_bytes(file.read_bytes()[: file.stat().st_size * tenth // 10])

    return change


ELSEWHERE = (
    *("../100.dat", "/etc/passwd", "~/100.dat", "sub/100.dat", "..", "C:\\100.dat", "\\\\h\\x"),
    *("http://127.0.0.1:1/100.dat", "https://example.org/100.dat", "ftp://127.0.0.1/x"),
    *("s3://bucket/100.dat", "gs://bucket/x", "az://x/y", "file:///etc/passwd", "|id", "$(id)"),
    *("`id`", "-", "100.dat;id", "mitdb/1.0.0/100.dat"),
)
RECORDS: dict[str, tuple[Callable[[Path], Any], str]] = {
    **{f"pointing to {name}": (edit("100.dat", name), "expected") for name in ELSEWHERE},
    **{f"signals cut at {t * 10} %": (cut("100.dat", t), "truncated") for t in range(1, 10)},
    **{f"annotations cut at {t * 10} %": (cut("100.atr", t), "expected") for t in range(1, 10)},
    "no signals": (put("100.dat", b""), "got an empty file"),
    "no header": (put("100.hea", b""), "got an empty file"),
    "no annotations": (put("100.atr", b""), "got an empty file"),
    "annotations that are text": (put("100.atr", b"N at 20, V at 90\0\0"), "expected"),
    "annotations that are noise": (put("100.atr", bytes(range(1, 255)) + b"\0\0"), "expected"),
    "rate 0": (edit("100 2 360", "100 2 0"), "rate from 0.1 Hz"),
    "rate -360": (edit("100 2 360", "100 2 -360"), "expected"),
    "rate 1e300": (edit("100 2 360", "100 2 1e300"), "expected"),
    "rate nan": (edit("100 2 360", "100 2 nan"), "expected"),
    "no rate": (edit("100 2 360 400", "100 2"), "expected"),
    "a length of 10¹²": (edit(" 400", " 1000000000000"), "expected a recording of at most"),
    "a length of 10¹² in a format of unknown width": (
        lambda folder: (edit(" 400", " 1000000000000")(folder), edit(" 212 ", " 310 ")(folder)),
        "expected a recording of at most",
    ),
    "10⁹ samples in each frame": (edit(" 212 ", " 212x1000000000 "), "at most"),
    "a length of 0": (edit(" 400", " 0"), "a length"),
    "a negative length": (edit(" 400", " -400"), "expected"),
    "a length of one sample more": (edit(" 400", " 401"), "truncated"),
    "one signal more than lines": (edit("100 2 ", "100 3 "), "expected"),
    "a million signals": (edit("100 2 ", "100 1000000 "), "expected"),
    "no signals in the header": (edit("100 2 ", "100 0 "), "expected"),
    "a line more than signals": (edit("100 2 ", "100 1 "), "expected"),
    "an offset beyond the file": (edit(" 212 ", " 212+999999999 "), "truncated"),
    "an unknown format": (edit(" 212 ", " 999 "), "expected"),
    "a gain of 0": (edit("200.0", "0"), READ),
    "a gain of nan": (edit("200.0", "nan"), "expected"),
    "a gain of 1e-300": (edit("200.0", "1e-300"), "expected"),
    "several segments": (put("100.hea", b"100/2 2 360 400\na 200\nb 200\n"), "of one segment"),
    "a segment that is this record": (put("100.hea", b"100/1 2 360 400\n100 400\n"), "segment"),
    "no line": (put("100.hea", b"# only a remark\n"), "expected"),
    "in UTF-16": (put("100.hea", "100 2 360 400".encode("utf-16")), "expected"),
    "NUL bytes": (put("100.hea", bytes(500)), "expected"),
    "one line of 1 MB": (put("100.hea", b"100 2 360 400 " + b"x" * 1_000_000), "expected"),
    "lead names left out": (
        put(
            "100.hea",
            b"100 2 360 400\n100.dat 212 200 11 0\n100.dat 212 200 11 0\n",
        ),
        "expected the lead MLII",
    ),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_is_read_or_refused(tmp_path: Path, name: str) -> None:
    write_record(tmp_path)
    (tmp_path / "sub").mkdir()
    change, expected = RECORDS[name]
    change(tmp_path)
    settings = {"lead": "MLII", "rate": 125, "samples": 20, "before": 0.05}

    def use() -> np.ndarray:
        recordings("mitdb", tmp_path)
        return extract(read("mitdb", tmp_path / "100.hea"), kind="beats", **settings).x

    if expected == READ:
        assert np.isfinite(use()).all()
        return
    with pytest.raises(HeldoutError, match=expected) as caught:
        use()
    assert str(tmp_path / "") in str(caught.value)
    assert_says_what_to_do(str(caught.value))


def write_mat(folder: Path, **variables: Any) -> Path:
    values = {"ECG": tone(300).T, "PCG": tone(300), "fs": 1000.0} | variables
    (folder / "MAT").mkdir()
    (folder / "ECGPCGSpreadsheet.csv").write_text(SHEET, newline="")
    path = folder / "MAT" / "ECGPCG0001.mat"
    scipy.io.savemat(path, {name: value for name, value in values.items() if value is not None})
    return path


def nested(depth: int) -> np.ndarray:
    value: Any = 1.0
    for _ in range(depth):
        cell = np.empty((1, 1), dtype=object)
        cell[0, 0] = value
        value = cell
    return np.asarray(value)


MATLAB: dict[str, tuple[dict[str, Any], str]] = {
    "no ECG": ({"ECG": None}, "expected the variables ECG"),
    "other names": ({"ECG": None, "PCG": None, "val": tone(300)}, "expected the variables ECG"),
    "names in other letters": ({"ECG": None, "ecg": tone(300)}, "expected the variables ECG"),
    "no rate": ({"fs": None}, "variable fs, a sampling rate"),
    "rate 0": ({"fs": 0.0}, "a sampling rate from 0.1 Hz"),
    "rate nan": ({"fs": np.nan}, "a sampling rate from 0.1 Hz"),
    "rate inf": ({"fs": np.inf}, "a sampling rate from 0.1 Hz"),
    "rate -8000": ({"fs": -8000.0}, "a sampling rate from 0.1 Hz"),
    "rate 1e200": ({"fs": 1e200}, "a sampling rate from 0.1 Hz"),
    "two rates": ({"fs": np.array([1000.0, 2000.0])}, "a sampling rate from 0.1 Hz"),
    "a rate in words": ({"fs": "1000"}, "fs as an array of numbers, got char"),
    "objects": ({"ECG": np.array([[tone(3), "x"]], dtype=object)}, "expected"),
    "a structure": ({"ECG": {"samples": tone(300)}}, "expected"),
    "text": ({"ECG": "x" * 300}, "expected the variables ECG of one length"),
    "complex numbers": ({"ECG": tone(300).T * 1j}, "one row or column of numbers, got complex"),
    "truth values": ({"ECG": tone(300).T > 0}, "expected"),
    "cells a hundred deep": ({"ECG": nested(100)}, "expected"),
    "another variable a hundred deep": ({"more": nested(100)}, READ),
    "two channels": ({"ECG": tone(300, 2)}, "one row or column"),
    "three dimensions": ({"ECG": np.zeros((2, 2, 300))}, "expected"),
    "no samples": ({"ECG": np.zeros((1, 0)), "PCG": np.zeros((1, 0))}, "expected"),
    "one sample": ({"ECG": np.ones((1, 1)), "PCG": np.ones((1, 1))}, "expected"),
    "other lengths": ({"PCG": tone(299)}, "expected"),
    "NaN": ({"ECG": np.full((1, 300), np.nan)}, "expected finite samples, got 300 of 600"),
    "one infinity": ({"ECG": np.where(np.arange(300) == 5, np.inf, 0.1)[None]}, "got 1 of 600"),
    "numbers beyond 32 bits": ({"ECG": np.full((1, 300), 1e300)}, "expected finite samples"),
    "constant": ({"ECG": np.ones((1, 300))}, READ),
    "whole numbers": ({"ECG": np.arange(300, dtype=np.int16)[None]}, READ),
    "0.06 s": ({"ECG": tone(60).T, "PCG": tone(60)}, READ),
    "0.01 s": ({"ECG": tone(10).T, "PCG": tone(10)}, "at least the 0.025 s of one window"),
}


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize("name", MATLAB)
def test_a_matlab_file_is_read_or_refused(tmp_path: Path, name: str) -> None:
    variables, expected = MATLAB[name]
    path = write_mat(tmp_path, **variables)
    settings = {"channels": ["ECG", "PCG"], "rate": 2000, "samples": 50, "stride": 50}

    def use() -> np.ndarray:
        recordings("ephnogram", tmp_path)
        return extract(read("ephnogram", path), kind="windows", **settings).x

    if expected == READ:
        assert np.isfinite(use()).all()
        return
    with pytest.raises(HeldoutError, match=expected) as caught:
        use()
    assert str(path) in str(caught.value)
    assert_says_what_to_do(str(caught.value))


def test_a_matlab_file_of_version_7_3_is_refused(tmp_path: Path) -> None:
    path = write_mat(tmp_path)
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\x89HDF\r\n\x1a\n" * 9)
    with pytest.raises(HeldoutError, match=r"expected a MATLAB file \(version 5 to 7\.2\)"):
        recordings("ephnogram", tmp_path)


def test_a_matlab_file_that_promises_too_much_is_refused(tmp_path: Path) -> None:
    """The dimensions say 2³⁰ × 8 samples; nothing of that size is ever asked for."""
    path = write_mat(tmp_path)
    content = path.read_bytes()
    dims = struct.pack("<IIii", 5, 8, 1, 300)
    assert dims in content
    path.write_bytes(content.replace(dims, struct.pack("<IIii", 5, 8, 8, 1 << 30), 1))
    with pytest.raises(HeldoutError, match="expected"):
        recordings("ephnogram", tmp_path)
    with pytest.raises(HeldoutError, match=f"at most {LARGEST:,} samples, got 8,589,934,592"):
        read_file(path, variable="ECG")


# An array of version 4 that ends where it begins: minus 22 bytes after a header of 22.
CIRCLE = struct.pack("<5i", 50, -22, 1, 0, 2) + b"x\x00"


@pytest.mark.parametrize("body", [CIRCLE, CIRCLE + bytes(100_000)])
def test_a_matlab_file_that_leads_in_circles_is_read_about_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    class Counted(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1, /) -> bytes:
            content = super().read(size)
            Counted.taken += max(1, len(content))
            assert Counted.taken < 3 * len(body) + 10_000, "it goes on for ever"
            return content

    path = tmp_path / "circle.mat"
    path.write_bytes(body)
    monkeypatch.setattr(Path, "open", lambda path, mode: Counted(body))
    for read_it in (lambda: variables(path), lambda: load(path, ["y"])):
        Counted.taken = 0
        with pytest.raises(HeldoutError, match=r"circle\.mat: expected .* lead around in circles"):
            read_it()


def sheet(folder: Path, content: bytes) -> None:
    path = write_mat(folder)
    assert path.is_file()
    (folder / "ECGPCGSpreadsheet.csv").write_bytes(content)


def clips(folder: Path, content: bytes) -> None:
    corpus = folder / "cv-corpus-1" / "es"
    (corpus / "clips").mkdir(parents=True)
    for name in ("one", "two", "three"):
        sound(corpus / "clips" / f"{name}.wav", tone(200))
    (corpus / "validated.tsv").write_bytes(content)


def heart_sounds(folder: Path, content: bytes) -> None:
    (folder / "set_a").mkdir()
    for name in ("normal__201101070538", "murmur__201101051104"):
        sound(folder / "set_a" / f"{name}.wav", tone(200))
    (folder / "set_a.csv").write_bytes(content)


LIST = b"dataset,fname,label,sublabel\na,set_a/normal__201101070538.wav,normal,\n"
TABLES: dict[str, tuple[str, bytes, str]] = {
    "sheet: empty": ("ephnogram", b"", "got an empty file"),
    "sheet: no columns": ("ephnogram", b"\n\n", "expected the columns Record Name"),
    "sheet: a column missing": (
        "ephnogram",
        SHEET.replace("Subject ID", "Subject").encode(),
        "expected the columns Subject ID",
    ),
    "sheet: a column twice": (
        "ephnogram",
        SHEET.replace("Gender", "Subject ID").encode(),
        "expected the columns Subject ID, each once",
    ),
    "sheet: in Latin-1": (
        "ephnogram",
        SHEET.replace("slow", "légère").encode("latin-1"),
        "expected text in UTF-8, got the byte 0xe9",
    ),
    "sheet: in UTF-16": ("ephnogram", SHEET.encode("utf-16"), "expected text in UTF-8"),
    "sheet: with a byte order mark": ("ephnogram", b"\xef\xbb\xbf" + SHEET.encode(), READ),
    "sheet: line ends in a field": (
        "ephnogram",
        SHEET.replace("Rest: laying on bed", '"Rest:\nlaying on bed"').encode(),
        READ,
    ),
    "sheet: a quote without end": (
        "ephnogram",
        SHEET.replace("ECGPCG0002", '"ECGPCG0002').encode(),
        READ,
    ),
    "sheet: a lone carriage return": (
        "ephnogram",
        SHEET.replace("slow", "slow\rer").encode(),
        READ,
    ),
    "sheet: two rows of one record": (
        "ephnogram",
        SHEET.replace("ECGPCG0002", "ECGPCG0001").encode(),
        "expected one row for ECGPCG0001, got two that differ",
    ),
    "sheet: one row twice": ("ephnogram", (SHEET + SHEET.split("\r\n")[1] + "\r\n").encode(), READ),
    "sheet: a field of 1 MB": (
        "ephnogram",
        SHEET.replace("slow", "x" * 1_000_000).encode(),
        "a table of comma-separated values, got one that cannot be read",
    ),
    "sheet: NUL bytes": ("ephnogram", SHEET.replace("slow", "\0").encode(), READ),
    "clips: a column missing": (
        "common_voice",
        CLIPS.replace("client_id", "client").encode(),
        "expected the columns client_id and path",
    ),
    "clips: in Latin-1": (
        "common_voice",
        CLIPS.encode("latin-1"),
        "expected text in UTF-8, got the byte 0x",
    ),
    "clips: in UTF-16": ("common_voice", CLIPS.encode("utf-16"), "expected text in UTF-8"),
    "clips: with a byte order mark": ("common_voice", b"\xef\xbb\xbf" + CLIPS.encode(), READ),
    "clips: line ends in a field": ("common_voice", CLIPS.encode(), READ),
    "clips: a field too few": (
        "common_voice",
        CLIPS.replace("bbbb2222\t", "").encode(),
        "expected 7 fields",
    ),
    "clips: a field too many": (
        "common_voice",
        CLIPS.replace("bbbb2222\t", "bbbb2222\t\t").encode(),
        "expected 7 fields, got 8",
    ),
    "clips: a quote without end": (
        "common_voice",
        (CLIPS.rpartition("cccc")[0] + 'cccc3333\tthree.wav\t"con\n' + "salto\n" * 99).encode(),
        "expected 7 fields",
    ),
    "clips: a lone carriage return": (
        "common_voice",
        CLIPS.replace("con\nsalto", "con\rsalto").encode(),
        READ,
    ),
    "clips: no speaker": (
        "common_voice",
        CLIPS.replace("aaaa1111", "").encode(),
        "expected a client_id in its row, got none",
    ),
    "clips: a clip twice": (
        "common_voice",
        (CLIPS + CLIPS.split("\n")[2] + "\n").encode(),
        READ,
    ),
    "clips: a clip of two speakers": (
        "common_voice",
        (CLIPS + CLIPS.split("\n")[2].replace("bbbb2222", "aaaa1111") + "\n").encode(),
        "expected one speaker of two.wav",
    ),
    "clips: paths that lead out": (
        "common_voice",
        (CLIPS + "dddd\t../../../secret.wav\tx\t1\t\t\t\n").encode(),
        READ,
    ),
    "list: a column missing": (
        "heartbeat_sounds",
        LIST.replace(b"fname", b"name"),
        "expected the columns fname",
    ),
    "list: in Latin-1": (
        "heartbeat_sounds",
        LIST.replace(b"normal,\n", b"caf\xe9,\n"),
        "expected text in UTF-8",
    ),
    "list: another label": (
        "heartbeat_sounds",
        LIST.replace(b"normal,\n", b"murmur,\n"),
        "expected the label in set_a.csv",
    ),
    "list: empty": ("heartbeat_sounds", b"", "got an empty file"),
}
MAKE = {"ephnogram": sheet, "common_voice": clips, "heartbeat_sounds": heart_sounds}
COUNTS = {"ephnogram": 1, "common_voice": 3, "heartbeat_sounds": 2}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_read_or_refused(tmp_path: Path, name: str) -> None:
    dataset, content, expected = TABLES[name]
    MAKE[dataset](tmp_path, content)
    if expected == READ:
        table = recordings(dataset, tmp_path)
        assert len(table) == COUNTS[dataset]
        assert (table["group"] != "").all()
        return
    with pytest.raises(HeldoutError, match=expected) as caught:
        recordings(dataset, tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert_says_what_to_do(str(caught.value))


METADATA = "path,label,group\na/1.wav,a,p1\nb/2.wav,b,p2\n"
OWN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "expected a table"),
    "no columns": (b"\n", "expected"),
    "a column missing": (METADATA.replace("label", "class").encode(), "Add label"),
    "in UTF-16 without a mark": (METADATA.encode("utf-16-le"), "expected a table"),
    "in Latin-1": (METADATA.replace("a/1", "é/1").encode("latin-1"), "expected a table in UTF-8"),
    "a path twice": (METADATA.replace("b/2", "a/1").encode(), "each path once"),
    "a path twice, once with ./": (METADATA.replace("b/2", "./a/1").encode(), "each path once"),
    "no label": (METADATA.replace(",a,", ",,").encode(), "a label for each path"),
    "a group for some": (METADATA.replace("p2", "").encode(), "a group for every path"),
    "an unknown part": (
        b"path,label,split\na/1.wav,a,train\nb/2.wav,b,tset\n",
        "in the column split",
    ),
    "one class": (METADATA.replace(",b,", ",a,").encode(), "at least 2 classes"),
    "a quote without end": (METADATA.replace("a/1", '"a/1').encode(), "expected"),
    "a field more": (METADATA.replace("p2", "p2,x,y").encode(), "expected"),
    **{
        f"a path {path!r}": (METADATA.replace("a/1.wav", f'"{path}"').encode(), "within the folder")
        for path in (
            *("../1.wav", "/etc/passwd", "a/../../1.wav", "C:/1.wav", "a\\..\\..\\1.wav"),
            *("..", "a\n1.wav", "a\t1.wav", "file:///etc/passwd"),
        )
    },
    "a path with a null byte": (METADATA.replace("a/1", "a\0/1").encode(), "bytes of 0"),
}


@pytest.mark.parametrize("name", OWN)
def test_metadata_of_an_own_folder_is_refused(tmp_path: Path, name: str) -> None:
    content, expected = OWN[name]
    (tmp_path / "metadata.csv").write_bytes(content)
    with pytest.raises(HeldoutError, match=expected) as caught:
        list_folder(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert_says_what_to_do(str(caught.value))


SIGNALS: dict[str, tuple[np.ndarray, float, str]] = {
    "a million times too long": (tone(1000), 0.1, "at most"),
    "louder than 32 bits hold": (np.full((2000, 1), 3e38, np.float32), 4000.0, "full scale of ±1"),
    "as loud as 32 bits hold": (np.full((2000, 1), 1e15, np.float32), 4000.0, "full scale of ±1"),
    "of an odd rate": (tone(2000), 3999.7312, READ),
    "of the fastest rate": (tone(2000), 1e7, READ),
}


@pytest.mark.parametrize("kind", ["mfcc", "windows"])
@pytest.mark.parametrize("name", SIGNALS)
def test_features_are_finite_or_refused(name: str, kind: str) -> None:
    wave, rate, expected = SIGNALS[name]
    signal = Signal(np.tile(wave, (100, 1)), rate, ("audio",), name="rec")
    settings = MFCC if kind == "mfcc" else {"channels": ["audio"], "rate": 4000.0, "samples": 10}
    settings = {**settings, "stride": 10} if kind == "windows" else settings
    if expected == "full scale of ±1" and kind == "windows":
        expected = READ  # samples as they are; they are finite
    if expected == READ:
        assert np.isfinite(extract(signal, kind=kind, **settings).x).all()
        return
    with pytest.raises(HeldoutError, match=rf"rec: expected .*{expected}"):
        extract(signal, kind=kind, **settings)


def test_nothing_is_written_of_a_shard_with_a_bad_recording(tmp_path: Path) -> None:
    """One NaN among good recordings: no shard, so that it never reaches examples.npy."""
    for name in ("normal__1", "murmur__2"):
        (tmp_path / "set_a").mkdir(exist_ok=True)
        sound(tmp_path / "set_a" / f"{name}.wav", tone(2000))
    floats(tmp_path / "set_a" / "normal__3.wav", np.nan, 7)
    table = recordings("heartbeat_sounds", tmp_path)
    with pytest.raises(HeldoutError, match=r"normal__3\.wav: expected finite samples"):
        write_shard(
            tmp_path / "out" / "0.npz",
            table,
            dataset="heartbeat_sounds",
            kind="mfcc",
            settings=MFCC,
            classes={"normal": ["normal"], "murmur": ["murmur"]},
        )
    assert not (tmp_path / "out").exists()
