"""What folders above and below the classes mean: parts of a split, folds, sites, persons."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import soundfile
import yaml

from lib.errors import HeldoutError
from lib.own.study import study_text
from lib.own.table import Contents, examine
from tests.support.folders import RATE, tone
from tests.support.wild import wild

PERSONS = [f"p{number:02}" for number in range(1, 7)]
CLASSES = ["bell", "hum"]


def made(folder: Path, *levels: Iterable[str], files: int = 2) -> Path:
    """Make every folder that the names of its levels give, with files that nobody has to read."""
    for names in product(*levels):
        place = folder.joinpath(*names)
        place.mkdir(parents=True, exist_ok=True)
        for number in range(files):
            (place / f"{number}.wav").touch()
    return folder


def columns(contents: Contents) -> dict[str, list[str]]:
    return {name: sorted(set(contents.table[name])) for name in ("label", "group", "split")}


@wild(
    "layouts",
    like="huggingface/datasets#7880, fastai/fastai#1552",
    holds="`train/`, `test/` and perhaps `valid/` above the classes, in any spelling",
    right="the folders are the published split, the classes lie below",
)
@pytest.mark.parametrize(
    "parts", [("train", "test", "valid"), ("Training", "_test"), ("TEST", "dev", "train")]
)
def test_parts_above_the_classes(tmp_path: Path, parts: tuple[str, ...]) -> None:
    contents = examine(made(tmp_path, parts, CLASSES))
    found = columns(contents)
    assert found["label"] == CLASSES
    assert found["group"] == [""]
    expected = {"train", "test", "validation"} if len(parts) == 3 else {"train", "test"}
    assert set(found["split"]) == expected
    assert "are taken for the parts of a split" in contents.notes[0]


@wild(
    "layouts",
    like="NVIDIA/DIGITS#212",
    holds="`train/` and `test/` below the classes, or persons below both",
    right="the same split; the persons are groups, so that the page knows whether the split leaks",
)
def test_parts_below_the_classes(tmp_path: Path) -> None:
    contents = examine(made(tmp_path / "a", CLASSES, ["train", "test"]))
    assert columns(contents) == {"label": CLASSES, "group": [""], "split": ["test", "train"]}
    contents = examine(made(tmp_path / "b", ["train", "test"], CLASSES, PERSONS))
    assert columns(contents) == {"label": CLASSES, "group": PERSONS, "split": ["test", "train"]}
    assert "taken for groups" in contents.cautions[0]


@wild(
    "layouts",
    like="huggingface/datasets#7880, huggingface/datasets#7529",
    holds="`train/`, `test/`, `valid/` with the files straight in them",
    right="an error: these are parts of a split, and no class lies below",
)
def test_parts_without_classes(tmp_path: Path) -> None:
    with pytest.raises(
        HeldoutError, match="which are the parts of a split, and no folder of a class"
    ):
        examine(made(tmp_path, ["train", "test", "valid"]))


@wild(
    "layouts",
    like="fastai/fastai#1552",
    holds="two classes, and beside them `test/`, `validation/` or `unlabelled/`",
    right="an error that says how to exclude it; not a third class",
)
@pytest.mark.parametrize("odd", ["test", "Validation", "unlabelled", "val"])
def test_a_part_beside_the_classes(tmp_path: Path, odd: str) -> None:
    folder = made(tmp_path, [*CLASSES, odd])
    with pytest.raises(
        HeldoutError, match=rf"{odd} beside bell, hum.*`--exclude {odd}` for new-study"
    ):
        examine(folder)
    assert columns(examine(folder, exclude=[odd]))["label"] == CLASSES


@wild(
    "layouts",
    like="ESC-50 (its class `train`), studies with a test and a control group",
    holds="classes named `train` and `plane`, `valid` and `invalid`, `test` and `control`",
    right="classes: a name alone is no split",
)
@pytest.mark.parametrize(
    "names", [("bus", "plane", "train"), ("invalid", "valid"), ("control", "test")]
)
def test_classes_that_are_named_like_parts(tmp_path: Path, names: tuple[str, ...]) -> None:
    assert columns(examine(made(tmp_path, names)))["label"] == [*names]


@wild(
    "layouts",
    like="aqibsaeed/Urban-Sound-Classification#26, karolpiczak/ESC-50#9",
    holds="`fold1/` to `fold10/` above the classes",
    right="the published folds: each is one group, and as many folds are dealt",
)
@pytest.mark.parametrize("count", [5, 10])
def test_published_folds(tmp_path: Path, count: int) -> None:
    names = [f"fold{number}" for number in range(1, count + 1)]
    for (fold, (label, pitch)), copy in product(
        product(names, [("bell", 700), ("hum", 120)]), "ab"
    ):
        (tmp_path / fold / label).mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / fold / label / f"{copy}.wav", tone(0, pitch, seconds=0.2), RATE)
    contents = examine(tmp_path)
    assert columns(contents)["group"] == sorted(names)
    assert "are taken for folds" in contents.cautions[0]
    assert yaml.safe_load(study_text(tmp_path))["protocols"]["grouped"]["folds"] == count
    # Whoever knows the persons says so: then folds are dealt anew.
    stated = examine(tmp_path, groups="(.*)")
    assert (stated.folds, len(set(stated.table["group"]))) == (0, len(stated.table))


@wild(
    "layouts",
    like="yeyupiaoling/AudioClassification-PaddlePaddle#6, the PASCAL heart sounds",
    holds="`fold1/` to `fold3/`, `set_a/` and `set_b/`, `training-a/` to `-f/`, no class below",
    right="an error that says so, and names the table that lies there",
)
@pytest.mark.parametrize(
    "names", [("fold1", "fold2", "fold3"), ("set_a", "set_b"), ("training-a", "training-b")]
)
def test_sets_without_classes(tmp_path: Path, names: tuple[str, ...]) -> None:
    folder = made(tmp_path, names)
    (folder / names[0] / "REFERENCE.csv").touch()
    with pytest.raises(
        HeldoutError, match=rf"no folder of a class.*What {names[0]}/REFERENCE.csv says"
    ):
        examine(folder)


@wild(
    "layouts",
    like="conservationtechlab/whoot#107, the heart sounds of CinC 2016",
    holds="`training-a/` to `training-f/`, or `site1/` to `site3/`, above the classes",
    right="sites: each is one group",
)
@pytest.mark.parametrize(
    "names",
    [
        [f"training-{one}" for one in "abcdef"],
        ["site1", "site2", "site3"],
        ["hospital_A", "hospital_B"],
    ],
)
def test_sites_above_the_classes(tmp_path: Path, names: list[str]) -> None:
    contents = examine(made(tmp_path, names, ["normal", "abnormal"]))
    assert columns(contents) == {
        "label": ["abnormal", "normal"],
        "group": sorted(names),
        "split": [""],
    }
    assert "taken for sites" in contents.cautions[0]


@wild(
    "layouts",
    like="NVIDIA/DIGITS#212",
    holds="a folder of each person below each class",
    right="the persons are groups, and the page says that they were taken for such",
)
@pytest.mark.parametrize("persons", [PERSONS, ["anna", "ben", "carla"], ["Patient 1", "Patient 2"]])
def test_persons_below_the_classes(tmp_path: Path, persons: list[str]) -> None:
    contents = examine(made(tmp_path, CLASSES, persons))
    assert columns(contents) == {"label": CLASSES, "group": persons, "split": [""]}
    (caution,) = contents.cautions
    assert caution.startswith("The folders below the classes (")
    assert columns(examine(tmp_path, groups="([0-9]).wav"))["group"] == ["0", "1"]
    assert examine(tmp_path, groups="([0-9]).wav").cautions == []


@wild(
    "layouts",
    like="speech commands that volunteers recorded",
    holds="a folder of each person (`p01/`, `speaker 1/`), and below it one of each class",
    right="the classes lie below, the persons are groups",
)
@pytest.mark.parametrize(
    "persons", [PERSONS, ["speaker 1", "speaker 2", "speaker 3"], ["2024-01-01", "2024-01-02"]]
)
def test_persons_above_the_classes(tmp_path: Path, persons: list[str]) -> None:
    contents = examine(made(tmp_path, persons, CLASSES))
    assert columns(contents) == {"label": CLASSES, "group": persons, "split": [""]}
    assert "for the classes" in contents.cautions[0]


@wild(
    "layouts",
    like="recordings sorted by first names",
    holds="`anna/`, `ben/`, `carla/`, and in each the same folders",
    right="an error: either level could be the classes; it says how to state which is",
)
def test_two_levels_that_could_both_be_the_classes(tmp_path: Path) -> None:
    folder = made(tmp_path, ["anna", "ben", "carla"], CLASSES)
    with pytest.raises(HeldoutError, match="folders that tell classes from persons") as caught:
        examine(folder)
    assert "--groups '^([^/]+)/'" in caught.value.advice
    stated = examine(folder, groups="^([^/]+)/")
    assert columns(stated) == {"label": CLASSES, "group": ["anna", "ben", "carla"], "split": [""]}
    assert stated.cautions == []
    other = examine(folder, groups="^[^/]+/([^/]+)/")
    assert columns(other) == {"label": ["anna", "ben", "carla"], "group": CLASSES, "split": [""]}


@wild(
    "layouts",
    like="the actors of RAVDESS, whose emotion is in the names of files",
    holds="`Actor_01/` to `Actor_06/`, no class below",
    right="a study of who it is, and a caution beside the verdict that says so",
)
def test_persons_alone(tmp_path: Path) -> None:
    contents = examine(made(tmp_path, [f"Actor_{number:02}" for number in range(1, 7)]))
    assert "the question is who it is" in contents.cautions[0]
    assert examine(made(tmp_path / "x", CLASSES)).cautions == []


@wild(
    "layouts",
    like="archives that unpack into a folder of their own",
    holds="one folder that holds those of the classes; or `wav/` below each class",
    right="an error that names the folder to take; a level that says nothing is passed over",
)
def test_levels_that_say_nothing(tmp_path: Path) -> None:
    folder = made(tmp_path / "a", ["recordings"], CLASSES)
    with pytest.raises(
        HeldoutError, match=r"got recordings\..* Or name the folder .*a/recordings\."
    ):
        examine(folder)
    assert columns(examine(made(tmp_path / "b", CLASSES, ["wav"]))) == {
        "label": CLASSES, "group": [""], "split": [""],
    }  # fmt: skip
    # Each recording in a folder of its own names nobody.
    single = made(tmp_path / "c", ["bell"], ["r1", "r2", "r3"], files=1)
    contents = examine(made(single, ["hum"], ["r4", "r5", "r6"], files=1))
    assert columns(contents)["group"] == [""]
    # Persons of one class only do not tell groups: the caution says why.
    uneven = made(tmp_path / "d", ["bell"], PERSONS)
    contents = examine(made(uneven, ["hum"], ["home"]))
    assert "hum has one only" in contents.cautions[0]


def test_the_study_of_a_split_by_folders(tmp_path: Path) -> None:
    for (part, label), number in product(product(["train", "test"], CLASSES), range(3)):
        place = tmp_path / part / label
        place.mkdir(parents=True, exist_ok=True)
        soundfile.write(place / f"{number}.wav", tone(0, 300, seconds=0.2), RATE)
    study: dict[str, Any] = yaml.safe_load(text := study_text(tmp_path))
    assert study["classes"] == {"bell": ["bell"], "hum": ["hum"]}
    assert study["protocols"]["published"]["title"] == "as in the folders"
    assert study["protocols"]["published"]["parts"] == {"train": ["train"], "test": ["test"]}
    assert "# The folders test, train are taken for the parts of a split." in text
