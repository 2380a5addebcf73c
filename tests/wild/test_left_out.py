"""What lies in a folder and is not used is told, with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from lib.cli.main import main
from lib.errors import HeldoutError
from lib.files import write_json
from lib.own.survey import link, survey
from lib.own.table import examine
from lib.recordings.table import recordings_table
from tests.support.folders import RATE, tone
from tests.support.wild import wild


def touched(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def two_classes(folder: Path) -> Path:
    return touched(
        folder, *(f"{name}/{number}.wav" for name in ("bell", "hum") for number in "0123")
    )


@wild(
    "left out",
    like="birdnet-team/BirdNET-Analyzer#667, bastibe/python-soundfile#431",
    holds="m4a, wma or amr files beside wav files of the same class",
    right="each is listed as left out, with the one command that converts them",
)
@pytest.mark.parametrize(
    "suffix", [".m4a", ".WMA", ".aac", ".amr", ".webm", ".3gp", ".mp4", ".mka"]
)
def test_formats_that_are_not_read(tmp_path: Path, suffix: str) -> None:
    contents = examine(touched(two_classes(tmp_path), f"hum/a{suffix}", f"hum/b c{suffix}"))
    reason = f"recordings of the format {suffix.lower()} are not read"
    assert contents.left_out == {f"hum/a{suffix}": reason, f"hum/b c{suffix}": reason}
    assert len(contents.table) == 8
    assert contents.notes == [
        f"Convert them: find {tmp_path} -iname '*{suffix.lower()}' -exec sh -c "
        """'ffmpeg -n -i "$1" "${1%.*}.wav"' _ {} \\;"""
    ]
    # What was converted is used, and its source is no matter of concern.
    contents = examine(touched(tmp_path, "hum/a.wav", "hum/b c.wav"))
    assert not contents.left_out
    assert len(contents.table) == 10


@wild(
    "left out",
    like="ircam-ismm/catart-mubu#69, birdnet-team/BirdNET-Analyzer#667",
    holds="a class of which all files are m4a, beside one or two that can be read",
    right="an error that names the class, the command that converts it, and how to go on without",
)
@pytest.mark.parametrize("others", [("bell",), ("bell", "hum")])
def test_a_class_of_another_format(tmp_path: Path, others: tuple[str, ...]) -> None:
    folder = touched(tmp_path, *(f"{name}/{n}.wav" for name in others for n in "01"))
    touched(folder, "whistle/0.m4a", "whistle/1.m4a")
    with pytest.raises(
        HeldoutError, match=r"got none in whistle, but 2 of the format \.m4a"
    ) as caught:
        examine(folder)
    assert "ffmpeg" in caught.value.advice
    assert "--exclude whistle" in caught.value.advice
    # By a table as well.
    rows = [f"{path.relative_to(folder)},{path.parent.name}" for path in folder.glob("*/*")]
    (folder / "metadata.csv").write_text("\n".join(["path,label", *rows]))
    with pytest.raises(HeldoutError, match="got none in whistle"):
        examine(folder)


def test_new_study_says_what_it_leaves_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    for name, number in (("bell", 0), ("bell", 1), ("hum", 0), ("hum", 1)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name / f"{number}.wav", tone(number, 300, seconds=0.2), RATE)
    touched(folder, "whistle/0.m4a", "top.wav", "readme.txt")
    command = ["new-study", str(folder), "--studies", str(tmp_path / "studies")]
    assert main(command) == 1
    assert "got none in whistle" in capsys.readouterr().err
    assert main([*command, "--exclude", "whistle"]) == 0
    shown = capsys.readouterr().out
    assert "Left out: top.wav: it lies at the top, in no folder of a class." in shown
    assert "Passed over, since they are no recordings: 1 .txt." in shown
    assert 'exclude: ["whistle"]' in (tmp_path / "studies" / "mine.yaml").read_text()


@wild(
    "left out",
    like="fastai/fastai#1552 (files beside the folders of the classes)",
    holds="wav files at the top, or straight in `train/`, beside folders of classes",
    right="left out by name: they lie in no folder of a class",
)
def test_files_in_no_class(tmp_path: Path) -> None:
    contents = examine(touched(two_classes(tmp_path / "a"), "new0.wav", "new1.wav"))
    reason = "it lies at the top, in no folder of a class"
    assert contents.left_out == {"new0.wav": reason, "new1.wav": reason}
    folder = tmp_path / "b"
    for part in ("train", "test"):
        two_classes(folder / part)
    contents = examine(touched(folder, "test/x.wav"))
    assert contents.left_out == {"test/x.wav": "it lies in test, in no folder of a class"}


@wild(
    "left out",
    like="datasets that git or a failed download left without files",
    holds="an empty folder, or one of files that are no recordings, beside the classes",
    right="the first caution beside the verdict: it is no class",
)
def test_folders_without_recordings(tmp_path: Path) -> None:
    folder = touched(
        two_classes(tmp_path), "chirp/0.npy", "chirp/1.npy", "docs/a.pdf", "docs/b.txt"
    )
    (folder / "whistle").mkdir()
    assert examine(folder).cautions == [
        "The folder chirp holds no recording that can be read, but 2 .npy: it is no class here.",
        "The folder whistle is empty: it is no class here.",
    ]
    assert examine(folder, exclude=["chirp", "whistle"]).cautions == []


@wild(
    "left out",
    like="pytorch/vision#109, fastai/fastai#488",
    holds="README, licences, pictures, Thumbs.db, .DS_Store and lists in every folder",
    right="one line with a count for each suffix; hidden files are not even counted",
)
def test_what_everybody_has(tmp_path: Path) -> None:
    folder = touched(two_classes(tmp_path), "README", "LICENSE", "bell/.DS_Store", "hum/Thumbs.db")
    touched(folder, *(f"bell/{n}.png" for n in range(30)), *(f"x.{n}" for n in range(20)))
    contents = examine(folder)
    assert not contents.left_out
    (line,) = contents.notes
    assert line.startswith(
        "Passed over, since they are no recordings: 30 .png, 2 no suffix, 1 .0, "
    )
    assert line.endswith(" others.")
    assert len(line) < 120


@wild(
    "left out",
    like="audio that was renamed to .wav without being converted (bastibe/python-soundfile#431)",
    holds="a class of which no file can be decoded",
    right="the run stops: the error names the class and the first of its files, and why",
)
def test_a_class_that_is_lost_by_damage(tmp_path: Path) -> None:
    for name, number in (("bell", 0), ("bell", 1), ("hum", 0), ("hum", 1)):
        (tmp_path / "mine" / name).mkdir(parents=True, exist_ok=True)
        file = tmp_path / "mine" / name / f"{number}.wav"
        soundfile.write(file, tone(number, 300, seconds=0.2), RATE)
        if name == "hum":
            file.write_bytes(b"\0\0\0\x18ftypM4A ")
    surveyed = survey(tmp_path / "mine", dataset="folder-x")
    link(tmp_path / "mine", tmp_path / "folder-x")
    write_json(tmp_path / "folder-x.json", surveyed)
    with pytest.raises(
        HeldoutError, match=r"class hum: .*2 were left out, the first: hum/0\.wav: "
    ):
        recordings_table(
            "folder-x", tmp_path / "folder-x",
            classes={"bell": ["bell"], "hum": ["hum"]}, manifest=surveyed,
        )  # fmt: skip


@wild(
    "left out",
    like="tables that were written before the last recordings came",
    holds="recordings that `metadata.csv` does not name",
    right="counted in a note, with the first of them",
)
def test_recordings_beside_a_table(tmp_path: Path) -> None:
    folder = two_classes(tmp_path)
    (folder / "metadata.csv").write_text("path,label\nbell/0.wav,a\nhum/0.wav,b\n")
    (note,) = examine(folder).notes
    assert note.startswith("6 recordings are not in metadata.csv, and not used: bell/1.wav, ")


def test_the_survey_lists_what_is_left_out(tmp_path: Path) -> None:
    folder = tmp_path
    for name in ("bell", "hum"):
        for number in range(2):
            (folder / name).mkdir(exist_ok=True)
            file = folder / name / f"{number}.wav"
            soundfile.write(file, tone(ord(name[0]) + number, 300), RATE)
    touched(folder, "hum/0.m4a", "hum/2.m4a", "hum/3.m4a", "top.wav")
    surveyed = survey(folder, dataset="folder-x", groups="([^/]*)$")
    assert [item["path"] for item in surveyed["left_out"]] == ["top.wav", "hum/2.m4a", "hum/3.m4a"]
    assert surveyed["version"] == "4 of 7 recordings"
    assert surveyed["missing"] == 3
    assert surveyed["cautions"][-1].startswith("3 of 7 recordings were left out")
    notes = [note for note in surveyed["notes"] if note.startswith("Left out")]
    assert (
        notes[1]
        == "Left out: hum/2.m4a, hum/3.m4a (2 files): recordings of the format .m4a are not read."
    )
    with pytest.raises(HeldoutError, match="3 that cannot"):
        survey(folder, dataset="folder-x", groups="([^/]*)$", faulty="stop")


@wild(
    "left out",
    like="datasets that git or a failed download left without files",
    holds="empty folders below the classes, below sites or parts, or links to folders there",
    right="told beside the verdict, all of one kind in one sentence",
)
def test_folders_without_recordings_below_the_top(tmp_path: Path) -> None:
    folder = two_classes(tmp_path / "a")
    for number in range(7):
        (folder / "hum" / f"day {number}").mkdir()
    touched(folder, "bell/raw/0.npy", "bell/notes/0.txt")
    (folder / "bell" / "more").symlink_to(tmp_path)
    (folder / "hum" / ".cache").mkdir()
    told = examine(folder).cautions
    rest = "nothing of it is used."
    link = "is a link, and links to folders are followed at the top only"
    assert told[-3:] == [
        f"The folder bell/more {link}: {rest}",
        f"The folder bell/raw holds no recording that can be read, but 1 .npy: {rest}",
        "Each of the folders hum/day 0, hum/day 1, hum/day 2, hum/day 3 and 3 more is empty: "
        "nothing of them is used.",
    ]
    assert (
        examine(folder, exclude=["hum/day 0", "bell/raw", "bell/more"])
        .cautions[-1]
        .startswith("Each of the folders hum/day 1, ")
    )


@wild(
    "left out",
    like="datasets that git or a failed download left without files",
    holds="sites or parts with the folders of the classes below, one of which is empty or missing",
    right="the site and the class it lost are named beside the verdict",
)
@pytest.mark.parametrize(
    "tops", [("site_a", "site_b", "site_c"), ("train", "test"), ("fold1", "fold2", "fold3")]
)
@pytest.mark.parametrize("there", [True, False])
def test_a_class_that_one_site_lost(tmp_path: Path, tops: tuple[str, ...], there: bool) -> None:
    for top in tops:
        for name in ("murmur", "normal", "other")[: 2 if top == tops[0] else 3]:
            touched(tmp_path, *(f"{top}/{name}/{number}.wav" for number in "01"))
    if there:
        (tmp_path / tops[0] / "other").mkdir()
    told = examine(tmp_path).cautions
    assert f"There is no recording of other in {tops[0]}." in told
    empty = f"The folder {tops[0]}/other is empty: nothing of it is used."
    assert (empty in told) == there
