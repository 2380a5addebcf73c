"""Whole sounds whose headers state other sizes, and sounds that are cut."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from lib.datasets.audio import NO_END, read_audio, read_header
from lib.datasets.mp3 import count
from lib.datasets.sizes import TIMES, WRONG_SIZE
from lib.errors import HeldoutError
from lib.own.study import study_text
from lib.own.survey import survey
from tests.support.folders import RATE, tone
from tests.support.wild import wild

WAVE = tone(0, 700.0)
BYTES = 2 * len(WAVE)


def content(kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, WAVE, RATE, format=kind, **options)
    return stream.getvalue()


def changed(body: bytes, *fields: tuple[int, str, int]) -> bytes:
    body = bytearray(body)
    for at, layout, value in fields:
        struct.pack_into(layout, body, at, value)
    return bytes(body)


def wav(data: int, riff: int | None = None) -> bytes:
    """Make a wav file that states such a size of its samples, and of itself."""
    stated = 36 + BYTES if riff is None else riff
    return changed(content("WAV"), (4, "<I", stated), (40, "<I", data))


def assert_whole(path: Path) -> None:
    signal, header = read_audio(path), read_header(path)
    assert len(signal.samples) == header.frames == len(WAVE)
    np.testing.assert_allclose(signal.samples[:, 0], WAVE, atol=1e-4)
    assert signal.notes == header.notes == (WRONG_SIZE,)


MARKS = (0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 0x80000000, 0x7FFFFF00, 0xFFFFFFFE, 0x7FFFFFDB, 0)


@wild(
    "sizes",
    like="kaldi-asr/kaldi#1567, google/oboe#2108, rs1729/RS#39, afarhan/sbitx#16",
    holds="wav files that were piped, or whose recorder was killed: a mark in place of a size",
    right="all samples are read, with a note that the header is wrong",
)
@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("riff", ["marked", "empty", "right"])
def test_marks_of_streaming_writers(tmp_path: Path, mark: int, riff: str) -> None:
    stated = {"marked": min(mark + 36, 0xFFFFFFFF), "empty": 0, "right": 36 + BYTES}[riff]
    path = tmp_path / "a.wav"
    path.write_bytes(wav(mark, stated))
    assert_whole(path)


@wild(
    "sizes",
    like="llfbandit/record#96, cjcliffe/CubicSDR#616, cryptix/wav#10, surge-synthesizer/surge#8013",
    holds="wav files whose size of the samples counts the header, or a part of it",
    right="all samples are read, with a note that the header is wrong",
)
@pytest.mark.parametrize("more", [2, 8, 16, 28, 36, 44])
@pytest.mark.parametrize("agrees", [True, False])
def test_sizes_that_count_the_header(tmp_path: Path, more: int, agrees: bool) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(BYTES + more, None if agrees else 36 + BYTES + more))
    assert_whole(path)


@wild(
    "sizes",
    like="chaosparrot/parrot.py#69, dancasimiro/WAV.jl#109",
    holds="wav files that state twice or half the samples there are, and their own size rightly",
    right="all samples are read, with a note that the header is wrong",
)
@pytest.mark.parametrize("stated", [2 * BYTES, 3 * BYTES, BYTES // 2, BYTES + 1000])
def test_sizes_that_contradict_that_of_the_file(tmp_path: Path, stated: int) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(stated))
    assert_whole(path)


def _of_aiff(body: bytes, size: int) -> bytes:
    return changed(body, (body.index(b"SSND") + 4, ">I", size), (4, ">I", size))


OTHERS = {
    "au": lambda size: changed(content("AU"), (8, ">I", size)),
    "aiff": lambda size: _of_aiff(content("AIFF"), size),
    "aifc": lambda size: _of_aiff(content("AIFF", subtype="ULAW"), size),
    "rifx": lambda size: changed(content("WAV", endian="BIG"), (4, ">I", size), (40, ">I", size)),
}


@wild(
    "sizes",
    like="libsndfile/libsndfile#1038, sonic-visualiser/sonic-visualiser#125",
    holds="au, aiff, w64, RF64 and FLAC files of writers that stream",
    right="all samples are read, with a note that the header is wrong",
)
@pytest.mark.parametrize("kind", [*OTHERS, "w64", "rf64", "flac"])
def test_marks_in_other_formats(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{ {'rifx': 'wav', 'rf64': 'wav'}.get(kind, kind) }"
    if kind == "flac":
        # Bytes 21 to 25 end with the 36 bits of the number of samples: 0 is unknown.
        body = content("FLAC")
        bodies = [changed(body, (21, "B", body[21] & 0xF0), (22, ">I", 0))]
    elif kind == "w64":
        at = content("W64").index(b"data") + 16
        bodies = [changed(content("W64"), (at, "<Q", size)) for size in (24, 2**63 - 1, 2**64 - 1)]
    elif kind == "rf64":
        bodies = [
            changed(content("RF64"), (20, "<Q", size), (28, "<Q", size)) for size in (0, 2**63)
        ]
    else:
        bodies = [OTHERS[kind](mark) for mark in (0xFFFFFFFF, 0x7FFFFFFF)]
    for body in bodies:
        path.write_bytes(body)
        if kind == "aifc":
            assert len(read_audio(path).samples) == len(WAVE)
            assert read_header(path).notes == (WRONG_SIZE,)
        else:
            assert_whole(path)


@wild(
    "sizes",
    like="kaldi-asr/kaldi#1567",
    holds="sounds that a broken download or a full disk cut short, in each format",
    right="refused as truncated",
)
@pytest.mark.parametrize("kind", ["WAV", "AU", "AIFF", "W64", "RF64", "FLAC"])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.8, 0.98])
def test_what_ends_early_is_refused(tmp_path: Path, kind: str, share: float) -> None:
    body = content(kind)
    path = tmp_path / f"a.{'wav' if kind == 'RF64' else kind.lower()}"
    path.write_bytes(body[: int(share * len(body))])
    with pytest.raises(HeldoutError, match=r"truncated|while decoding|cannot be decoded"):
        read_audio(path)


@wild(
    "sizes",
    like="bitswype/saleae_tdm_analyer#7, AlexandreRouma/SDRPlusPlus#1212",
    holds="wav files with chunks behind the samples, padding, or a wrong size of the file",
    right="the samples that the header states, without a note",
)
def test_right_sizes_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    extra = b"LIST" + struct.pack("<I", 400) + b"INFO" + b"\0" * 396
    for body in (
        content("WAV"),
        wav(BYTES, BYTES),  # its head left out
        changed(content("WAV") + extra, (4, "<I", 36 + BYTES + len(extra))),
        content("WAV") + extra,
        content("WAV") + b"\0" * 512,
    ):
        path.write_bytes(body)
        assert len(read_audio(path).samples) == len(WAVE)
        assert read_header(path).notes == ()


@wild(
    "sizes",
    like="kaldi-asr/kaldi#1567, llfbandit/record#96",
    holds="a class of piped sounds, another of ordinary ones, and one that is cut",
    right="one line on the page says how many have a wrong header; the cut one is left out",
)
def test_one_note_for_all_of_them(tmp_path: Path) -> None:
    for number in range(6):
        for name, frequency in (("bell", 700.0), ("hum", 120.0)):
            file = tmp_path / name / f"{number}.wav"
            file.parent.mkdir(exist_ok=True)
            soundfile.write(file, tone(number + int(frequency), frequency), RATE)
        piped = changed((tmp_path / "hum" / f"{number}.wav").read_bytes(), (40, "<I", 0x7FFFF000))
        (tmp_path / "hum" / f"{number}.wav").write_bytes(piped)
    cut = tmp_path / "bell" / "0.wav"
    cut.write_bytes(cut.read_bytes()[:9000])
    surveyed = survey(tmp_path, dataset="folder-x")
    assert [item["path"] for item in surveyed["left_out"]] == ["bell/0.wav"]
    notes = [note for note in surveyed["notes"] if WRONG_SIZE in note]
    assert len(notes) == 1
    assert "and 2 more (6 of 11 recordings)" in notes[0]
    comments = [
        line for line in study_text(tmp_path).splitlines() if line.startswith("# hum/0.wav")
    ]
    assert len(comments) == 1


@wild(
    "sizes",
    like="SFML/SFML#1280",
    holds="wav files whose header counts channels or bytes twice, in both of its sizes",
    right="all samples are read, with a note that names the factor; cut elsewhere, it is refused",
)
@pytest.mark.parametrize(
    ("subtype", "channels", "times"),
    [("PCM_16", 1, 2), ("PCM_24", 1, 3), ("FLOAT", 1, 4), ("PCM_16", 2, 4), ("PCM_16", 6, 6)],
)
def test_headers_that_count_everything_twice(
    tmp_path: Path, subtype: str, channels: int, times: int
) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.stack([WAVE] * channels, axis=1), RATE, subtype=subtype)
    body = path.read_bytes()
    at = body.index(b"data") + 4
    (size,) = struct.unpack_from("<I", body, at)
    for factor, riff in ((times, len(body) - 8 + (times - 1) * size), (2, 2 * (len(body) - 8))):
        path.write_bytes(changed(body, (at, "<I", factor * size), (4, "<I", riff)))
        signal = read_audio(path)
        np.testing.assert_allclose(signal.samples[:, 0], WAVE, atol=1e-4)
        assert signal.notes == read_header(path).notes == (TIMES.format(factor),)
        for more in (b"\0", b"\0" * 600):  # no whole number of times any more
            path.write_bytes(path.read_bytes()[: -len(more)])
            with pytest.raises(HeldoutError, match="truncated"):
                read_audio(path)
    path.write_bytes(changed(body, (at, "<I", 5 * size), (4, "<I", len(body) + 4 * size)))
    with pytest.raises(HeldoutError, match="truncated"):
        read_audio(path)


PACKED = {
    "ogg": {"kind": "OGG", "subtype": "VORBIS"},
    "opus": {"kind": "OGG", "subtype": "OPUS"},
    "flac": {"kind": "FLAC"},
    "mp3": {"kind": "MP3"},
}


def packed(kind: str, seconds: float = 8.0) -> bytes:
    stream = io.BytesIO()
    options = {"format" if name == "kind" else name: one for name, one in PACKED[kind].items()}
    soundfile.write(stream, tone(0, 700.0, seconds=seconds), RATE, **options)
    return stream.getvalue()


@wild(
    "sizes",
    like="libsndfile/libsndfile#809, mono/taglib-sharp#95",
    holds="ogg, opus, flac and mp3 files cut anywhere, between two frames, too",
    right="refused as truncated, or as one that cannot be decoded; never read as a shorter one",
)
@pytest.mark.parametrize("kind", PACKED)
def test_packed_sounds_that_end_early(tmp_path: Path, kind: str) -> None:
    path, body = tmp_path / f"a.{kind}", packed(kind)
    path.write_bytes(body)
    assert read_audio(path).duration == pytest.approx(8.0, abs=0.2)
    rng = np.random.default_rng(0)
    for length in [len(body) - 1, len(body) - 20, *rng.integers(10, len(body), 30)]:
        path.write_bytes(body[:length])
        with pytest.raises(HeldoutError, match=r"truncated|decod|got 0 frames"):
            read_audio(path)
    # A download that reserved its place, and never filled it.
    path.write_bytes(body[: len(body) // 2] + bytes(len(body) - len(body) // 2))
    with pytest.raises(HeldoutError, match=r"truncated|decod"):
        read_audio(path)


@wild(
    "sizes",
    like="libsndfile/libsndfile#989, libsndfile/libsndfile#888",
    holds="ogg and opus files of which the last page is not marked as such",
    right="what is there is read, with a note",
)
@pytest.mark.parametrize("kind", ["ogg", "opus"])
def test_ogg_files_without_an_end(tmp_path: Path, kind: str) -> None:
    path, body = tmp_path / f"a.{kind}", packed(kind)
    path.write_bytes(body[: body.rindex(b"OggS")])
    signal = read_audio(path)
    assert 5 < signal.duration < 8
    assert signal.notes == read_header(path).notes == (NO_END,)
    # What a player wrote behind the end is no matter.
    path.write_bytes(body + b"TAG" + bytes(125))
    assert read_audio(path).notes == ()


@wild(
    "sizes",
    like="mono/taglib-sharp#95, CDrummond/cantata#368",
    holds="mp3 files cut between two frames, whose index counts more of them",
    right="refused as truncated",
)
def test_mp3_files_cut_between_two_frames(tmp_path: Path) -> None:
    path, body = tmp_path / "a.mp3", packed("mp3")
    whole = count(body)
    assert whole.frames - 1 == whole.stated > 100
    for frames in (20, 40, whole.stated - 1):
        path.write_bytes(body[: _length_of(body, frames)])
        with pytest.raises(HeldoutError, match=f"got {frames}: it is truncated"):
            read_header(path)


def _length_of(body: bytes, frames: int) -> int:
    """Find where so many frames end."""
    low, high = 0, len(body)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if count(body[:middle]).frames < frames else (low, middle)
    return low
