"""What systems, links and archivers leave in a folder, and layouts that mean two things."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from lib.datasets.audio import read_audio, read_header
from lib.errors import HeldoutError
from lib.own.survey import listing, survey
from lib.own.table import examine
from tests.support.folders import RATE, tone
from tests.support.wild import wild


def touched(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def two_classes(folder: Path) -> Path:
    return touched(folder, *(f"{name}/{at}.wav" for name in ("bell", "hum") for at in "012"))


@wild(
    "names",
    like="mne-tools/mne-python#7867, wow-signal-dev/metadata-remote#38, qarmin/czkawka#2019",
    holds="`__MACOSX/`, `@eaDir/`, `$RECYCLE.BIN/`, `lost+found/`, with files named as recordings",
    right="passed over, at every depth, and told to nobody",
)
def test_what_systems_leave_behind(tmp_path: Path) -> None:
    folder = two_classes(tmp_path)
    plain = examine(folder)
    touched(folder, "__MACOSX/bell/._0.wav", "__MACOSX/bell/1.wav", "@eaDir/0.wav/x.jpg")
    touched(folder, "bell/@eaDir/0.wav/SYNOAUDIO.mp3", "hum/__MACOSX/9.wav", "lost+found/a.wav")
    touched(folder, "$RECYCLE.BIN/b.wav", "System Volume Information/c.wav", "#recycle/d.wav")
    contents = examine(folder)
    assert contents.table.equals(plain.table)
    assert contents.left_out == {}
    assert contents.cautions == contents.notes == []


@wild(
    "names",
    like="transifex/transifex-client#72, andhus/dirhash-python#31",
    holds="links to the folder itself, to themselves and to nowhere, and a class that is a link",
    right="no recording twice, no traceback; the class is read, what leads nowhere is named",
)
def test_links(tmp_path: Path) -> None:
    folder = two_classes(tmp_path / "mine")
    for file in folder.glob("*/*.wav"):
        soundfile.write(file, tone(hash(file) % 1000, 300.0, seconds=0.2), RATE)
    place = tmp_path / "disk" / "whistle"
    place.mkdir(parents=True)
    for at in range(3):
        soundfile.write(place / f"{at}.wav", tone(at, 900.0, seconds=0.2), RATE)
    (folder / "whistle").symlink_to(place)
    (folder / "again").symlink_to(folder)
    (folder / "above").symlink_to(tmp_path)
    (folder / "self").symlink_to("self")
    (folder / "bell" / "self.wav").symlink_to("self.wav")
    (folder / "hum" / "gone.wav").symlink_to("/nowhere.wav")
    contents = examine(folder)
    assert len(contents.table) == 11
    assert set(contents.table["label"]) == {"bell", "hum", "whistle"}
    surveyed = survey(folder, dataset="folder-x")
    assert {item["path"]: item["reason"] for item in surveyed["left_out"]} == dict.fromkeys(
        ("bell/self.wav", "hum/gone.wav"), "there is no such file"
    )
    assert listing(folder) == listing(folder)


@wild(
    "layouts",
    like="huggingface/datasets#7880, archives with a part of unlabelled recordings",
    holds="`train/` and `test/` with the classes below, and `extra/` beside them",
    right="an error that says to exclude `extra`, not `test`",
)
def test_a_folder_beside_parts(tmp_path: Path) -> None:
    for part in ("train", "test", "extra"):
        two_classes(tmp_path / part)
    with pytest.raises(HeldoutError, match=r"extra beside test, train.*`--exclude extra`"):
        examine(tmp_path)
    assert set(examine(tmp_path, exclude=["extra"]).table["split"]) == {"train", "test"}


@wild(
    "layouts",
    like="spoken digits sorted by speaker (AudioMNIST, the free spoken digits)",
    holds="`01/` to `05/`, and in each `0/` to `9/`",
    right="an error: either level could be the classes; it says how to state which is",
)
def test_numbers_below_numbers(tmp_path: Path) -> None:
    touched(
        tmp_path, *(f"{s:02}/{d}/{at}.wav" for s in range(1, 6) for d in range(10) for at in "ab")
    )
    with pytest.raises(HeldoutError, match="folders that tell classes from persons"):
        examine(tmp_path)
    stated = examine(tmp_path, groups="^([^/]+)/")
    assert set(stated.table["label"]) == {str(digit) for digit in range(10)}
    assert stated.table["group"].nunique() == 5


@wild(
    "sounds",
    like="lhotse-speech/lhotse#1067, philipperemy/timit#4, athena-team/athena#108",
    holds="NIST SPHERE files (`.sph`, or `.WAV` as of TIMIT), whole and cut",
    right="read sample for sample; a cut one is refused as truncated",
)
@pytest.mark.parametrize("name", ["a.sph", "SA1.WAV"])
@pytest.mark.parametrize("subtype", ["PCM_16", "ULAW"])
def test_sphere_files(tmp_path: Path, name: str, subtype: str) -> None:
    wave, path = tone(0, 700.0), tmp_path / name
    with path.open("wb") as stream:
        soundfile.write(stream, wave, RATE, format="NIST", subtype=subtype)
    signal = read_audio(path)
    np.testing.assert_allclose(signal.samples[:, 0], wave, atol=0.02)
    assert signal.notes == read_header(path).notes == ()
    body = path.read_bytes()
    for length in (len(body) - 1, len(body) - 900, len(body) // 2):
        path.write_bytes(body[:length])
        with pytest.raises(HeldoutError, match="truncated"):
            read_audio(path)


@wild(
    "sounds",
    like="naudio/NAudio#225, corrscope/corrscope#488",
    holds="stereo recordings of which one channel is silent, beside mono ones",
    right="the other channel alone, as loud as it is, with a note",
)
def test_a_silent_channel(tmp_path: Path) -> None:
    wave, path = tone(0, 700.0), tmp_path / "a.wav"
    for channels in ((wave, 0 * wave), (0 * wave, wave), (0 * wave, wave, wave)):
        soundfile.write(path, np.stack(channels, axis=1), RATE)
        signal = read_audio(path)
        np.testing.assert_allclose(signal.samples[:, 0], wave, atol=1e-4)
        assert signal.notes == (f"1 of {len(channels)} channels is silent, and is not used",)
    # Of silence alone there is nothing to say here.
    soundfile.write(path, np.zeros((800, 2)), RATE)
    assert read_audio(path).notes == ()


@wild(
    "sounds",
    like="librosa/librosa#694, field recorders that name files .bwf, .wave or .snd",
    holds="wav, RF64 and au files of other suffixes, and WAVE_FORMAT_EXTENSIBLE",
    right="read as what they are",
)
@pytest.mark.parametrize(
    ("suffix", "kind"),
    [("wave", "WAV"), ("bwf", "WAV"), ("rf64", "RF64"), ("snd", "AU"), ("WAV", "WAVEX")],
)
def test_other_suffixes(tmp_path: Path, suffix: str, kind: str) -> None:
    for name, pitch in (("bell", 700.0), ("hum", 120.0)):
        (tmp_path / name).mkdir()
        for at in range(2):
            with (tmp_path / name / f"{at}.{suffix}").open("wb") as stream:
                soundfile.write(stream, tone(at, pitch, seconds=0.3), RATE, format=kind)
    surveyed = survey(tmp_path, dataset="folder-x")
    assert [row["rate"] for row in surveyed["recordings"]] == [RATE] * 4
    assert surveyed["left_out"] == []
