"""Every reader of what comes from outside, each with small valid files to begin from."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lib.datasets import Signal, read, recordings
from lib.datasets.files import read_file, read_file_header
from lib.datasets.waveform_database import read_beats
from lib.features import extract
from lib.files import read_json
from lib.own.table import list_folder
from lib.retrieve import read_registry
from lib.retrieve.archives import Limits, unpack

RATE = 4000
REGISTRY = Path(__file__).parents[2] / "resources" / "registry"


@dataclass(frozen=True)
class Reader:
    """A reader of the project.

    Attributes
    ----------
    make : callable
        Fills a folder with what the reader needs; gives the file that is broken, and valid bytes
        of it, one or more.
    read : callable
        Reads the folder as the workflow does, up to the features.
    """

    make: Callable[[Path], tuple[Path, list[bytes]]]
    read: Callable[[Path], Any]

    @staticmethod
    def warm_up() -> None:
        """Import what readers import when they are called."""
        import scipy.io
        import scipy.signal  # noqa: F401
        import soundfile  # noqa: F401
        import wfdb  # noqa: F401

        use(Signal(tone(), 3000.0, ("audio",)))


def tone(samples: int = 400, channels: int = 1) -> np.ndarray:
    """Make a wave of shape (time, channels), never constant."""
    time = np.arange(samples)[:, None] / RATE
    rng = np.random.default_rng(0)
    wave = np.sin(2 * np.pi * 300 * time * (1 + np.arange(channels)))
    return (0.4 * wave + 0.05 * rng.normal(size=(samples, channels))).astype(np.float32)


def use(signal: Signal) -> None:
    """Make features of a reading, which must be finite or refused."""
    assert np.isfinite(signal.samples).all()
    assert len(signal.positions) == len(signal.symbols)
    windows = {"channels": [signal.channels[0]], "rate": 2000, "samples": 50, "stride": 50}
    mfcc = {"rate": 2000, "duration": 0.1, "n_mfcc": 5, "n_mels": 8, "n_fft": 64, "hop": 32}
    if signal.channels == ("audio",):
        made = extract(signal, kind="mfcc", **mfcc)
    else:
        made = extract(signal, kind="windows", **windows, limit=3)
    assert np.isfinite(made.x).all()


def _sounds(suffix: str, *kinds: dict[str, Any]) -> Callable[[Path], tuple[Path, list[bytes]]]:
    def make(folder: Path) -> tuple[Path, list[bytes]]:
        import soundfile

        bodies = []
        for kind in kinds:
            options = dict(kind)
            stream = io.BytesIO()
            wave = tone(options.pop("samples", 400), options.pop("channels", 1))
            soundfile.write(stream, wave, 16000 if suffix in ("mp3", "ogg") else RATE, **options)
            bodies.append(stream.getvalue())
        return folder / f"sound.{suffix}", bodies

    return make


def _read_sound(folder: Path) -> None:
    (path,) = folder.glob("sound.*")
    header = read_file_header(path)
    assert header.rate > 0
    assert header.frames > 0
    use(read_file(path))


def write_record(
    folder: Path,
    *,
    fmt: str = "212",
    signals: int = 2,
    samples: int = 400,
    annotated: bool = True,
) -> None:
    """Write a WFDB record `100`."""
    import wfdb

    names = ["MLII", "V5", *(f"x{i}" for i in range(signals))][:signals]
    wfdb.wrsamp(
        "100",
        fs=360,
        units=["mV"] * signals,
        sig_name=names,
        p_signal=tone(samples, signals).astype(np.float64),
        fmt=[fmt] * signals,
        adc_gain=[200.0] * signals,
        baseline=[0] * signals,
        comments=["69 M 1085 1629 x1", "Aldomet, Inderal"],
        write_dir=str(folder),
    )
    if not annotated:
        return
    where = np.array([20, 90, 180, 300])
    notes = ["", "(N\x00", "", "x" * 30]
    wfdb.wrann(*("100", "atr", where), symbol=list("N+VN"), aux_note=notes, write_dir=str(folder))


def _record(suffix: str, *formats: str) -> Callable[[Path], tuple[Path, list[bytes]]]:
    def make(folder: Path) -> tuple[Path, list[bytes]]:
        bodies = []
        for fmt in formats:
            write_record(folder, fmt=fmt, annotated=suffix == ".atr")
            bodies.append((folder / f"100{suffix}").read_bytes())
        if suffix == ".hea":
            head = bodies[0].decode()
            # Formats that cannot be written here, skews, offsets, several samples a frame.
            bodies += [
                head.replace(" 212 ", f" {fmt} ").encode()
                for fmt in ("310", "311", "8", "80", "160", "61", "212x2", "212:3", "212+1", "508")
            ]
        return folder / f"100{suffix}", bodies

    return make


def _read_record(folder: Path) -> None:
    use(read_file(folder / "100.hea"))
    assert (recordings("mitdb", folder)["rate"] > 0).all()


def _read_beats(folder: Path) -> None:
    positions, symbols = read_beats(folder / "100.hea", length=400)
    assert len(positions) == len(symbols)
    assert all(0 <= position < 400 for position in positions)


SHEET = (
    "Record Name,Subject ID,Record Duration (min),Age (years),Gender,Recording Scenario,,\r\n"
    "ECGPCG0001,S001,30,26,Male,Exercise: slow walk (7 min);rest,,\r\n"
    "ECGPCG0002,S002,30,,Female,Rest: laying on bed,,\r\n,,,,,,,\r\n"
)


def _matlab(folder: Path) -> tuple[Path, list[bytes]]:
    import scipy.io

    ecg, pcg = tone(300).T, tone(300)
    bodies = []
    for extra, options in (
        ({}, {}),
        ({}, {"do_compression": True}),
        ({"ECG": (1000 * ecg).astype(np.int16)}, {}),
        ({"note": np.array([{"a": 1}, "b"], dtype=object), "s": {"x": {"y": 1.0}}}, {}),
        ({"ECG": np.array([[1.0, "b"]], dtype=object)}, {}),
        ({}, {"format": "4"}),
    ):
        stream = io.BytesIO()
        content = {"ECG": ecg, "PCG": pcg, "fs": 1000.0, **extra}
        scipy.io.savemat(stream, content, **options)
        bodies.append(stream.getvalue())
    (folder / "MAT").mkdir(exist_ok=True)
    (folder / "ECGPCGSpreadsheet.csv").write_text(SHEET, newline="")
    return folder / "MAT" / "ECGPCG0001.mat", bodies


def _read_matlab(folder: Path) -> None:
    path = folder / "MAT" / "ECGPCG0001.mat"
    recordings("ephnogram", folder)
    use(read("ephnogram", path))
    read_file(path, variable="ECG", rate="fs")


def _sheet(folder: Path) -> tuple[Path, list[bytes]]:
    target, bodies = _matlab(folder)
    target.write_bytes(bodies[0])
    return folder / "ECGPCGSpreadsheet.csv", [SHEET.encode(), b"\xef\xbb\xbf" + SHEET.encode()]


def _read_sheet(folder: Path) -> None:
    table = recordings("ephnogram", folder)
    assert table["recording"].tolist() == ["ECGPCG0001"]


CLIPS = (
    "client_id\tpath\tsentence\tup_votes\tage\tgender\taccent\n"
    'aaaa1111\tone.wav\t"¿Qué ""es"" esto?"\t2\ttwenties\tmale\tmexicano\n'
    "bbbb2222\ttwo.wav\tY un cuento\t2\t\t\tandino\n"
    'cccc3333\tthree.wav\t"con\nsalto"\t2\t\tfemale\t\n'
)


def _clips(folder: Path) -> tuple[Path, list[bytes]]:
    import soundfile

    corpus = folder / "cv-corpus-1" / "es"
    (corpus / "clips").mkdir(parents=True)
    for name in ("one", "two", "three"):
        soundfile.write(corpus / "clips" / f"{name}.wav", tone(200), RATE)
    return corpus / "validated.tsv", [CLIPS.encode(), CLIPS.replace("accent", "accents").encode()]


def _read_clips(folder: Path) -> None:
    table = recordings("common_voice", folder)
    assert set(table["recording"]) <= {"one", "two", "three"}
    assert (table["group"] != "").all()


_LIST = (
    "dataset,fname,label,sublabel\n"
    "a,set_a/normal__201101070538.wav,normal,\n"
    "a,set_a/murmur__201101051104.wav,murmur,\n"
)


def _heart_sounds(folder: Path) -> tuple[Path, list[bytes]]:
    import soundfile

    (folder / "set_a").mkdir()
    for name in ("normal__201101070538", "murmur__201101051104"):
        soundfile.write(folder / "set_a" / f"{name}.wav", tone(200), RATE)
    return folder / "set_a.csv", [_LIST.encode()]


def _read_heart_sounds(folder: Path) -> None:
    assert len(recordings("heartbeat_sounds", folder)) == 2


_METADATA = "path,label,group,split\na/1.wav,a,p1,train\nb/2.wav,b,p2,test\nb/3.wav,b,p3,\n"


def _metadata(folder: Path) -> tuple[Path, list[bytes]]:
    return folder / "metadata.csv", [
        _METADATA.encode(),
        b"label,path\na,a/1.wav\nb,b/2.wav\n",
    ]


def _read_metadata(folder: Path) -> None:
    table = list_folder(folder)
    for name in table["path"]:
        assert (folder / name).resolve().is_relative_to(folder.resolve()), name
    assert table["label"].nunique() > 1


def _zip(folder: Path) -> tuple[Path, list[bytes]]:
    bodies = []
    for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", kind) as opened:
            opened.writestr("a/", b"")
            opened.writestr("a/1.wav", b"one" * 30)
            opened.writestr("é.wav", b"two" * 30)
        bodies.append(stream.getvalue())
    return folder / "packed.zip", bodies


def _read_zip(folder: Path) -> None:
    out, scratch = folder / "inner" / "out", folder / "inner" / "scratch"
    shutil.rmtree(folder / "inner", ignore_errors=True)

    def place(path: str, file: Path) -> None:
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        file.rename(out / path)

    try:
        unpack(
            folder / "packed.zip",
            layout=lambda name: name,
            place=place,
            scratch=scratch,
            limits=Limits(members=20, size=1 << 20),
        )
    finally:
        there = {path.name for path in folder.iterdir()}
        assert there <= {"packed.zip", "inner"}, there
        assert not scratch.exists()


def _registry(folder: Path) -> tuple[Path, list[bytes]]:
    made = [path.read_bytes() for path in sorted(REGISTRY.glob("*.yaml"))]
    return folder / "some.yaml", [body[:6000].rpartition(b"\n  - ")[0] or body for body in made]


def _read_registry(folder: Path) -> None:
    read_registry(folder / "some.yaml")


def _survey(folder: Path) -> tuple[Path, list[bytes]]:
    row = {"recording": "a/1.wav", "label": "a", "group": "p", "split": "", "rate": 8000.0}
    rows = [row | {"duration": 1.0, "channels": 1, "context": {"age": 63.0}, "about": {"sex": "F"}}]
    rows.append(rows[0] | {"recording": "b/2.wav", "label": "b"})
    return folder / "folder-x.json", [json.dumps({"recordings": rows}).encode()]


def _read_survey(folder: Path) -> None:
    read_json(folder / "folder-x.json")
    recordings("folder-x", folder / "folder-x")


PCM = {"subtype": "PCM_16"}
READERS = {
    "wav": Reader(
        _sounds(
            "wav",
            {"format": "WAV", **PCM},
            {"format": "WAV", "subtype": "FLOAT"},
            {"format": "WAVEX", "subtype": "PCM_24", "channels": 8},
            {"format": "WAV", "subtype": "MS_ADPCM"},
            {"format": "RF64", **PCM},
        ),
        _read_sound,
    ),
    "au": Reader(
        _sounds("au", {"format": "AU", **PCM}, {"format": "AU", "subtype": "ULAW"}), _read_sound
    ),
    "mp3": Reader(_sounds("mp3", {"format": "MP3", "samples": 3000}), _read_sound),
    "flac": Reader(
        _sounds("flac", {"format": "FLAC", **PCM}, {"format": "FLAC", "channels": 2, **PCM}),
        _read_sound,
    ),
    "ogg": Reader(
        _sounds(
            "ogg", {"format": "OGG", "subtype": "VORBIS"}, {"format": "OGG", "subtype": "OPUS"}
        ),
        _read_sound,
    ),
    "aiff": Reader(_sounds("aiff", {"format": "AIFF", **PCM}), _read_sound),
    "wfdb_header": Reader(_record(".hea", "212"), _read_record),
    "wfdb_signals": Reader(_record(".dat", "212"), _read_record),
    "wfdb_annotations": Reader(_record(".atr", "212"), _read_beats),
    "matlab": Reader(_matlab, _read_matlab),
    "ephnogram_sheet": Reader(_sheet, _read_sheet),
    "common_voice_table": Reader(_clips, _read_clips),
    "heart_sounds_list": Reader(_heart_sounds, _read_heart_sounds),
    "metadata": Reader(_metadata, _read_metadata),
    "survey": Reader(_survey, _read_survey),
    "zip": Reader(_zip, _read_zip),
    "registry": Reader(_registry, _read_registry),
}
"""Every reader, by name."""
