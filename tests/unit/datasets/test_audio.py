"""Readers of audio: wav, au and mp3."""

import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.datasets import DATASETS, common_voice, mp3, read, recordings
from lib.datasets.audio import read_audio, read_header
from lib.errors import HeldoutError


def tone(path, *, rate=4000, seconds=0.5, channels=1, **options):
    """Write a tone; further channels are its halves."""
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate)
    soundfile.write(path, np.stack([wave / (i + 1) for i in range(channels)], 1), rate, **options)
    return wave


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def test_audio_is_the_mean_of_its_channels(tmp_path):
    wave = tone(tmp_path / "a.au", channels=2)
    signal = read_audio(tmp_path / "a.au")
    np.testing.assert_allclose(signal.samples[:, 0], 0.75 * wave, atol=1e-4)
    assert read_header(tmp_path / "a.au") == (4000.0, 2000, 2, ("audio",), (), True)
    assert signal.duration == 0.5


@pytest.mark.parametrize("suffix", ["wav", "au", "mp3"])
@pytest.mark.parametrize("share", [0.5, 0.99])
def test_truncated_audio_is_refused(tmp_path, suffix, share):
    path = tmp_path / f"a.{suffix}"
    tone(path, rate=48000)
    read_audio(path)
    cut(path, share)
    for function in (read_audio, read_header):
        with pytest.raises(HeldoutError, match=rf"a\.{suffix}: expected .*truncated"):
            function(path)


@pytest.mark.parametrize("suffix", ["wav", "au", "mp3"])
def test_empty_missing_and_foreign_files_are_refused(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    with pytest.raises(HeldoutError, match="expected a file, got nothing there"):
        read_audio(path)
    path.write_bytes(b"")
    with pytest.raises(HeldoutError, match="expected a recording, got an empty file"):
        read_audio(path)
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(HeldoutError, match="cannot be decoded"):
        read_audio(path)


def test_audio_without_frames_is_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(0), 4000)
    with pytest.raises(
        HeldoutError, match=r"expected frames at a rate from 0\.1 Hz to 10 MHz, got 0 frames"
    ):
        read_header(tmp_path / "a.wav")


def test_audio_of_rate_zero_is_refused(tmp_path):
    tone(tmp_path / "a.wav")
    content = bytearray((tmp_path / "a.wav").read_bytes())
    content[24:28] = struct.pack("<I", 0)
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(HeldoutError, match=r"a\.wav: expected"):
        read_header(tmp_path / "a.wav")


def test_audio_that_holds_nan_is_refused(tmp_path):
    wave = np.zeros(100)
    wave[3] = np.nan
    soundfile.write(tmp_path / "a.wav", wave, 4000, subtype="FLOAT")
    with pytest.raises(HeldoutError, match="expected finite samples, got 1 of 100"):
        read_audio(tmp_path / "a.wav")


def test_wav_of_unknown_length_is_read(tmp_path):
    tone(tmp_path / "a.wav")
    content = bytearray((tmp_path / "a.wav").read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = b"\xff" * 4
    (tmp_path / "a.wav").write_bytes(content)
    assert len(read_audio(tmp_path / "a.wav").samples) == 2000


def test_mp3_frames_are_counted(tmp_path):
    tone(tmp_path / "a.mp3", rate=48000, seconds=1)
    content = (tmp_path / "a.mp3").read_bytes()
    found = mp3.count(content)
    assert found.missing == 0
    assert found.samples == 1152 * found.frames
    assert 48000 <= found.samples < 48000 + 4 * 1152
    tag = b"ID3\x04\x00\x00\x00\x00\x01\x02" + bytes(130)
    assert mp3.count(tag + content + b"TAG" + bytes(125)) == found
    assert mp3.count(content[:-1]).missing == 1


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_mp3_count_takes_any_bytes(content):
    found = mp3.count(content)
    assert found.missing >= 0
    assert mp3.count(b"ID3" + content).frames >= 0


def heartbeat_folder(folder):
    tone(folder / "set_a/artifact__201012172012.wav", rate=44100, seconds=0.1)
    tone(folder / "set_a/Aunlabelledtest__201106061215.wav", rate=44100, seconds=0.1)
    tone(folder / "set_b/murmur__200_1308144251434_D.wav")
    tone(folder / "set_b/murmur_noisymurmur_200_1308144251434_D.wav")
    tone(folder / "set_b/Bunlabelledtest__103_1305031931979_C.wav")
    (folder / "set_a/._artifact__201012172012.wav").write_bytes(b"left by a file manager")


def test_heartbeat_sounds_are_listed_by_their_names(tmp_path):
    heartbeat_folder(tmp_path)
    table = recordings("heartbeat_sounds", tmp_path).set_index("recording")
    assert len(table) == 5
    noisy = table.loc["murmur_noisymurmur_200_1308144251434_D"]
    assert noisy[["label", "group", "sublabel", "set", "site"]].tolist() == [
        "murmur",
        "b200",
        "noisymurmur",
        "b",
        "D",
    ]
    assert table.loc["artifact__201012172012", "group"] == "a201012172012"
    assert table.loc["artifact__201012172012", "rate"] == 44100
    assert table.loc["Bunlabelledtest__103_1305031931979_C", ["label", "group"]].tolist() == [
        "",
        "b103",
    ]
    assert table.loc["Aunlabelledtest__201106061215", "label"] == ""


def test_heartbeat_sounds_agree_with_the_lists(tmp_path):
    heartbeat_folder(tmp_path)
    (tmp_path / "set_a.csv").write_text(
        "dataset,fname,label,sublabel\r\n"
        "a,set_a/artifact__201012172012.wav,artifact,\r\n"
        "a,set_a/__201106061215.wav,,\r\n"
    )
    listed = (
        "dataset,fname,label,sublabel\n"
        "b,set_b/Btraining_murmur_200_1308144251434_D.wav,murmur,\n"
        "b,set_b/Btraining_murmur_noisymurmur_200_1308144251434_D.wav,murmur,noisymurmur\n"
        "b,set_b/Bunlabelledtest_103_1305031931979_C.wav,,\n"
        "b,set_b/Btraining_normal_999_1305031931979_C.wav,normal,\n"
    )
    (tmp_path / "set_b.csv").write_text(listed)
    assert len(recordings("heartbeat_sounds", tmp_path)) == 5
    (tmp_path / "set_b.csv").write_text(listed.replace("murmur,", "normal,"))
    with pytest.raises(HeldoutError, match=r"set_b\.csv \(normal\), got 'murmur' in the file name"):
        recordings("heartbeat_sounds", tmp_path)


def test_heartbeat_sound_of_another_name_is_refused(tmp_path):
    tone(tmp_path / "set_b/murmur.wav")
    with pytest.raises(
        HeldoutError, match=r"expected a name like label_sublabel_subject_time_site"
    ):
        recordings("heartbeat_sounds", tmp_path)


def test_five_voices_are_listed_by_folder(tmp_path):
    for inner in ("gtzan/_train/James.01 .au", "gtzan/_train/James.010.au", "audio/Linda.021.au"):
        tone(tmp_path / inner, rate=48000, seconds=0.1, channels=2)
    tone(tmp_path / "gtzan/_validation/Maria.016.au", seconds=0.1)
    tone(tmp_path / "gtzan/_test/Maria.011.au", seconds=0.1)
    table = recordings("five_voices", tmp_path).set_index("recording")
    assert table["split"].to_dict() == {
        "predict-Linda.021": "predict",
        "test-Maria.011": "test",
        "train-James.01": "train",
        "train-James.010": "train",
        "validation-Maria.016": "validation",
    }
    assert table.loc["train-James.01", ["label", "group", "channels"]].tolist() == [
        "James",
        "train-James.01",
        2,
    ]
    assert len(read("five_voices", table.loc["train-James.01", "path"]).samples) == 4800


OLD = "client_id\tpath\tsentence\tup_votes\tage\tgender\taccent\tlocale\tsegment"
NEW = "client_id\tpath\tsentence_id\tsentence\tage\tgender\taccents\tvariant\tlocale\tsegment"
NORTH = "España: Norte peninsular (Asturias, Castilla y León, Cantabria)"


def voices(folder, table, *rows, header, release="cv-corpus-6.1-2020-12-11", clips=True):
    """Write one table of a release, rows as lists of fields, and its clips."""
    corpus = folder / release / "es"
    (corpus / "clips").mkdir(parents=True, exist_ok=True)
    lines = [header, *("\t".join(row) for row in rows)]
    (corpus / f"{table}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for row in rows:
        if clips and not (corpus / "clips" / row[1]).exists():
            tone(corpus / "clips" / row[1], rate=48000, seconds=0.1)


def old(client, clip, sentence="Hola.", accent=""):
    return [client, clip, sentence, "2", "teens", "female", accent, "es", ""]


def new(client, clip, sentence="Hola.", accents=""):
    return [client, clip, "0", sentence, "teens", "", accents, "", "es", ""]


def test_common_voice_reads_the_old_layout_with_its_quotes(tmp_path):
    rows = [
        old("c" * 40, "a.mp3", '"La revista ""Proceso""."', "andino"),
        old("d" * 40, "b.mp3", '"Paciencia\tlo es todo""."', "caribe"),
        old("d" * 40, "c.mp3", '"Dos\nlíneas"'),
        old("d" * 40, "d.mp3", "Con \u2028 dentro y \u0085 más."),
    ]
    voices(tmp_path, "validated", *rows, header=OLD)
    table = recordings("common_voice", tmp_path)
    assert list(table["recording"]) == ["a", "b", "c", "d"]
    assert list(table["label"]) == ["andino", "caribe", "", ""]
    assert list(table["group"]) == ["c" * 16] + ["d" * 16] * 3
    assert table["duration"].between(0.1, 0.2).all()
    assert set(table["sex"]) == {"female"}


def test_common_voice_reads_the_new_layout_whose_quotes_are_letters(tmp_path):
    rows = [
        new("c" * 40, "a.mp3", '"Empieza y no cierra', NORTH),
        new("c" * 40, "b.mp3", "Otra.", f"{NORTH},catalan"),
        new("c" * 40, "c.mp3", 'Termina"', f"{NORTH}|México"),
        new("c" * 40, "d.mp3", "Otra.", "Chileno: Chile, Cuyo"),
        new("c" * 40, "e.mp3", "Otra.", "Caribe: Cuba, Venezuela, México caribeño,México"),
        new("c" * 40, "f.mp3", "Otra.", "De mi casa"),
    ]
    voices(tmp_path, "validated", *rows, header=NEW, release="cv-corpus-16.1-delta-2023-12-06")
    assert list(recordings("common_voice", tmp_path)["label"]) == [
        "nortepeninsular",
        "nortepeninsular|catalan",
        "nortepeninsular|mexicano",
        "chileno",
        "caribe|mexicano",
        "De mi casa",
    ]


def test_common_voice_counts_a_clip_once_and_lists_what_is_there(tmp_path):
    voices(tmp_path, "validated", old("c", "a.mp3"), header=OLD)
    voices(tmp_path, "other", old("c", "a.mp3"), old("d", "b.mp3"), header=OLD)
    voices(tmp_path, "other", new("c", "a.mp3"), header=NEW, release="cv-corpus-17.0")
    voices(tmp_path, "test", old("d", "b.mp3"), header=OLD)
    missing = [old("d", "gone.mp3"), old("d", "../validated.tsv"), old("d", "b.mp3")]
    voices(tmp_path, "other", *missing, header=OLD, clips=False)
    table = recordings("common_voice", tmp_path)
    assert list(table["recording"]) == ["a", "b"]
    assert list(table["split"]) == ["", "test"]


def test_common_voice_row_with_too_few_fields_is_refused(tmp_path):
    voices(tmp_path, "validated", old("c", "a.mp3"), ["d", "b.mp3"], header=OLD)
    with pytest.raises(HeldoutError, match=r"validated\.tsv, line 4: expected 9 fields, got 2"):
        recordings("common_voice", tmp_path)


def test_common_voice_table_of_other_columns_is_refused(tmp_path):
    voices(tmp_path, "validated", header="a\tb")
    with pytest.raises(HeldoutError, match="expected the columns client_id and path, got a, b"):
        recordings("common_voice", tmp_path)


def test_common_voice_clip_without_speaker_is_refused(tmp_path):
    voices(tmp_path, "validated", old("", "a.mp3"), header=OLD)
    with pytest.raises(HeldoutError, match=r"a\.mp3: expected a client_id"):
        recordings("common_voice", tmp_path)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_characters="\t\n\r", exclude_categories=["Cs"])),
             min_size=3, max_size=3)
)  # fmt: skip
def test_every_row_survives_whatever_its_quotes(fields):
    # Unquoted, any text without a tab stands for itself, or for its inside where it is quoted.
    found = common_voice._fields("\t".join(fields), 3)
    assert found is not None
    for field, read_back in zip(fields, found, strict=True):
        assert read_back in (field, field[1:-1].replace('""', '"'))
    quoted = ['"' + field.replace('"', '""') + '"' for field in fields]
    assert common_voice._fields("\t".join(quoted), 3) == fields


def test_a_clip_of_no_bytes_is_listed_for_who_asks(tmp_path):
    rows = [old(name * 40, f"{name}.mp3", accent="andino") for name in "cd"]
    voices(tmp_path, "validated", *rows, header=OLD)
    (tmp_path / "cv-corpus-6.1-2020-12-11/es/clips/d.mp3").write_bytes(b"")
    with pytest.raises(HeldoutError, match=r"d\.mp3: expected a recording, got an empty file"):
        recordings("common_voice", tmp_path)
    table = DATASETS["common_voice"].recordings(tmp_path, undecodable=True)
    assert list(table["label"]) == ["andino", "andino"]
    assert "fault" not in table
    assert table["duration"].isna().tolist() == [False, True]
    assert table["channels"].tolist() == [1, 0]
