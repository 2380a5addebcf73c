"""The simulated voices are laid out as the published ones; speakers keep their voice."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lib.simulate import common_voice, five_voices, simulate, voice


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("five_voices")
    simulate("five_voices", path, seed=0)
    return path


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("common_voice")
    # mp3 takes its time: one speaker for each accent will do, and two for one of them.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(common_voice, "SPEAKERS", {**common_voice.SPEAKERS, "caribe": 20})
        patch.setattr(common_voice, "LEAST_SPEAKERS", 1)
        simulate("common_voice", path, seed=0, scale=0.1)
    return path / "cv-corpus-6.1-2020-12-11" / "es"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def test_folders(voices: Path) -> None:
    files = sorted(path.relative_to(voices).as_posix() for path in voices.rglob("*.au"))
    assert len(files) == 110
    assert Counter(file.rsplit("/", 1)[0] for file in files) == {
        "gtzan/_train": 50,
        "gtzan/_validation": 25,
        "gtzan/_test": 25,
        "audio": 10,
    }
    assert "gtzan/_train/James.01 .au" in files
    assert {"gtzan/_train/Linda.01.au", "gtzan/_train/Linda.010.au"} <= set(files)
    assert {"gtzan/_test/Maria.011.au", "gtzan/_validation/Maria.020.au"} <= set(files)
    assert "audio/Patricia.022.au" in files


def test_au_files(voices: Path) -> None:
    for path in voices.rglob("*.au"):
        info = soundfile.info(path)
        assert (info.format, info.subtype) == ("AU", "PCM_16")
        assert (info.samplerate, info.channels, info.frames) == (48000, 2, 148800)
    samples = soundfile.read(path)[0]
    np.testing.assert_array_equal(samples[:, 0], samples[:, 1])
    assert 0.005 < samples.std() < 0.2


def test_same_bytes_of_a_voice() -> None:
    first, second = (
        voice.speak(
            np.random.default_rng(1),
            voice.draw_speaker(np.random.default_rng(0), woman=True),
            1.0,
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
    assert len(first) == voice.RATE
    assert np.isfinite(first).all()


def test_a_very_short_clip_is_noise_and_not_an_error() -> None:
    speaker = voice.draw_speaker(np.random.default_rng(0), woman=False)
    clip = voice.speak(np.random.default_rng(1), speaker, 0.2)
    assert len(clip) == 3200
    assert np.isfinite(clip).all()


def test_voices_have_their_pitch() -> None:
    for woman, low, high in ((False, 75, 170), (True, 140, 290)):
        speaker = voice.draw_speaker(np.random.default_rng(4), woman=woman, spread=0)
        assert low < speaker.pitch < high
        clip = voice.speak(np.random.default_rng(5), speaker, 3.0, manner=voice.Manner(accent=0))
        lags = np.arange(voice.RATE // 300, voice.RATE // 70)
        frames = clip[: len(clip) // 640 * 640].reshape(-1, 640)
        loud = np.argsort(-(frames**2).mean(1))[:20]
        found = []
        for k in loud:
            piece = clip[k * 640 : k * 640 + 1280]
            if len(piece) == 1280:
                match = [np.dot(piece[:-lag], piece[lag:]) / (1280 - lag) for lag in lags]
                found.append(voice.RATE / lags[int(np.argmax(match))])
        assert np.median(found) == pytest.approx(speaker.pitch, rel=0.25)


def test_validated_of_6_1(clips: Path) -> None:
    raw = (clips / "validated.tsv").read_bytes()
    assert raw.split(b"\r\n")[0].decode().split("\t") == [
        *(["client_id", "path", "sentence", "up_votes", "down_votes", "age", "gender"]),
        *(["accent", "locale", "segment"]),
    ]
    rows = _rows(clips / "validated.tsv")
    assert {row["path"] for row in rows} == {path.name for path in (clips / "clips").iterdir()}
    assert len({row["path"] for row in rows}) == len(rows)
    accents = defaultdict(set)
    for row in rows:
        assert len(row["client_id"]) == 128
        accents[row["client_id"]].add(row["accent"])
    assert all(len(names) == 1 for names in accents.values())
    speakers = Counter(next(iter(names)) for names in accents.values())
    assert speakers == {**dict.fromkeys(common_voice.SPEAKERS, 1), "caribe": 2}
    assert b'""' in raw
    assert all(row["locale"] == "es" for row in rows)


def test_scale_1_has_enough_speakers() -> None:
    speakers = common_voice.speakers(1.0)
    assert 55 <= sum(speakers.values()) <= 65
    assert sum(count >= 6 for accent, count in speakers.items() if accent) >= 4
    assert set(common_voice.speakers(0.01).values()) == {common_voice.LEAST_SPEAKERS}
    assert common_voice.speakers(2.0)["mexicano"] == 2 * speakers["mexicano"]


def test_mp3_files(clips: Path) -> None:
    for path in (clips / "clips").iterdir():
        info = soundfile.info(path)
        assert (info.format, info.samplerate, info.channels) == ("MP3", 48000, 1)
        assert 3.9 < info.duration < 6.2
    assert soundfile.read(path)[0].std() > 0.003


def test_names_and_numbers() -> None:
    assert five_voices.file_name("James", 1) == "James.01 .au"
    assert five_voices.file_name("James", 10) == "James.010.au"


def spoken(monkeypatch, **manner):
    """Return a clip of five syllables of 0.25 s from 0.1 s on, and its RMS in steps of 0.05 s."""
    row = [(0.1 + 0.25 * k, 0.25, False, k / 4) for k in range(5)]
    monkeypatch.setattr(voice, "_syllables", lambda *_: row)
    rng = np.random.default_rng(3)
    clip = voice.speak(
        rng, voice.draw_speaker(rng, woman=False), 2.0, manner=voice.Manner(**manner)
    )
    return clip, np.sqrt(np.mean(clip.reshape(40, -1) ** 2, axis=1))


def test_a_phrase_swells_or_fades(monkeypatch):
    _, louder = spoken(monkeypatch, swell=20, hiss=0)
    _, softer = spoken(monkeypatch, swell=-20, hiss=0)
    first, last = slice(2, 7), slice(22, 27)
    assert louder[last].max() > 4 * louder[first].max()
    assert softer[first].max() > 4 * softer[last].max()


def test_s_begins_a_syllable_or_ends_it(monkeypatch):
    def high(coda):
        clip, _ = spoken(monkeypatch, hiss=8.0, coda=coda)
        bright = np.abs(np.diff(clip, n=2, prepend=[0, 0])).reshape(40, -1).mean(axis=1)
        syllables = bright[2:27].reshape(5, 5)
        return syllables[:, 0].sum(), syllables[:, -1].sum()

    (begin, end), (coda_begin, coda_end) = high(coda=False), high(coda=True)
    assert begin > end
    assert coda_end > coda_begin
