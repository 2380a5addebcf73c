"""`metadata.csv` as people type it, and the names of files as their machines write them."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
import yaml

from lib.cli.main import main
from lib.config.own import as_meant
from lib.config.settings import merge, resolve
from lib.errors import HeldoutError
from lib.files import read_yaml
from lib.own.study import study_text
from lib.own.survey import listing
from lib.own.table import examine, list_folder
from tests.support.folders import own_folder
from tests.support.wild import wild

ROOT = Path(__file__).parents[2]
BLANKS = [" ", "\u00a0", "\u202f", "\u200b"]
PATHS = [f"{name}/{number}.wav" for name in "ab" for number in range(2)]


def described(folder: Path, text: str | bytes, *names: str) -> Path:
    for name in names or PATHS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    content = text if isinstance(text, bytes) else text.encode()
    (folder / "metadata.csv").write_bytes(content)
    return folder


def table(separator: str = ",", *, blank: str = "", end: str = "\n") -> str:
    rows = [["path", "label", "group", "split"]]
    rows += [
        [
            path,
            "bell" if path[0] == "a" else "hum",
            f"g{path[2]}",
            "train" if path[2] == "0" else "test",
        ]
        for path in PATHS
    ]
    return "".join(separator.join(blank + cell + blank for cell in row) + end for row in rows)


MEANT = [
    ["a/0.wav", "bell", "g0", "train"],
    ["a/1.wav", "bell", "g1", "test"],
    ["b/0.wav", "hum", "g0", "train"],
    ["b/1.wav", "hum", "g1", "test"],
]


@wild(
    "tables",
    like="biocore/qurro#101, pandas-dev/pandas#11839, frictionlessdata/frictionless-py#1172",
    holds="`metadata.csv` with blanks of any width around cells and headers",
    right="read as if they were not there: no third class, no second group of one person",
)
@pytest.mark.parametrize("blank", BLANKS)
def test_blanks_around_cells(tmp_path: Path, blank: str) -> None:
    folder = described(tmp_path, table(";", blank=blank))
    assert list_folder(folder).to_numpy().tolist() == MEANT


@wild(
    "tables",
    like="tidyverse/readr#749, cschlaffner/PROTzilla#450",
    holds="semicolons, tabs, Windows line ends, a byte order mark, UTF-16",
    right="read",
)
@pytest.mark.parametrize(
    "content",
    [
        table(";").encode(),
        table("\t", end="\r\n").encode(),
        table().encode("utf-8-sig"),
        table("\t").encode("utf-16"),
        table().replace("path,label,group", "PATH, Label ,GROUP").encode(),
        ("sep=;\n" + table(";")).encode(),
    ],
)
def test_separators_marks_and_capitals(tmp_path: Path, content: bytes) -> None:
    assert list_folder(described(tmp_path, content)).to_numpy().tolist() == MEANT


@wild(
    "tables",
    like="abbyy/barcode_detection_benchmark#2, nl8590687/ASRT_SpeechRecognition#15",
    holds="paths as Windows writes them, with `./`, in other capitals, without suffix, whole",
    right="each is the file that it can only mean",
)
def test_paths_of_other_machines(tmp_path: Path) -> None:
    folder = described(tmp_path, "")
    ways = ["a\\0.wav", "./a/1.WAV", "B/0", f"{folder}/b/1.wav"]
    text = "".join(f"{path},{label}\n" for path, label in zip(ways, "xxyy", strict=True))
    assert list_folder(described(folder, "path,label\n" + text))["path"].tolist() == PATHS
    # Two files that it could mean: neither is taken.
    described(folder, "path,label\nA/0.wav,x\nb/0.wav,y\n", "a/0.wav", "a/0.WAV", "b/0.wav")
    assert list_folder(folder)["path"].tolist() == ["A/0.wav", "b/0.wav"]


@wild(
    "tables",
    like="tables that several people filled in",
    holds="labels `Normal` and `normal`, in a table or as folders",
    right="an error that names both; never two classes",
)
def test_labels_that_differ_by_capitals(tmp_path: Path) -> None:
    text = table().replace("b/1.wav,hum", "b/1.wav,Hum")
    with pytest.raises(HeldoutError, match=r"metadata\.csv: .*letter case, got 'Hum' and 'hum'"):
        list_folder(described(tmp_path / "a", text))
    folder = described(tmp_path / "b", "", "Normal/0.wav", "normal/1.wav", "ill/2.wav")
    (folder / "metadata.csv").unlink()
    with pytest.raises(
        HeldoutError, match=r"got 'Normal' and 'normal'\. Write the label in one way"
    ):
        list_folder(folder)
    # A blank at the end of a folder's name is none that a person saw.
    (folder / "Normal").rename(folder / "normal ")
    assert list_folder(folder)["label"].tolist() == ["ill", "normal", "normal"]


@wild(
    "tables",
    like="tables that several people filled in",
    holds="groups `P1` and `p1`",
    right="one group, so that nobody is in both train and test by a capital; a note says so",
)
def test_groups_that_differ_by_capitals(tmp_path: Path) -> None:
    contents = examine(described(tmp_path, table().replace("b/0.wav,hum,g0", "b/0.wav,hum,G0")))
    assert set(contents.table["group"]) == {"G0", "g1"}
    assert "The groups G0 and g0 differ by letter case alone: they count as one." in contents.notes


@wild(
    "tables",
    like="incf-nidash/PyNIDM#84, sdv-dev/SDV#2780",
    holds="groups `g01`, `1`, `1.5`, `1e0` and labels `007`, `8`, `NA`, `nan`, `true`",
    right="text, as it stands: four groups, five labels; those for nothing known are a caution",
)
def test_names_that_read_as_numbers(tmp_path: Path) -> None:
    groups, labels = ["1", "1.5", "1e0", "g01"], ["007", "8", "NA", "nan", "true"]
    rows = [(f"{number}.wav", labels[number % 5], groups[number % 4]) for number in range(20)]
    text = "path,label,group\n" + "".join(",".join(row) + "\n" for row in rows)
    read = list_folder(described(tmp_path, text, *(row[0] for row in rows)))
    assert sorted(set(read["group"])) == groups
    assert sorted(set(read["label"])) == sorted(labels)
    told = examine(tmp_path).cautions
    assert [line.partition(" is ")[0] for line in told] == [
        f"The label {label} (4 of 20 recordings)" for label in ("NA", "nan")
    ]


@wild(
    "tables",
    like="tidyverse/readr#1445, JuliaData/DataFrames.jl#291",
    holds="a context with decimal commas, its name in capitals or between blanks",
    right="the numbers",
)
def test_decimal_commas(tmp_path: Path) -> None:
    lines = table(";").splitlines()
    lines = [f"{lines[0]};Age", *(f"{line};{n},5" for n, line in enumerate(lines[1:], 60))]
    folder = described(tmp_path, "\n".join(lines))
    context = as_meant({"context": [" age\u00a0"]})["context"]
    assert list_folder(folder, context=context)["age"].tolist() == [60.5, 61.5, 62.5, 63.5]
    assert list_folder(folder, context=["Age"])["Age"].tolist() == [60.5, 61.5, 62.5, 63.5]


@wild(
    "tables",
    like="tables that a spreadsheet saved under Windows",
    holds="Windows-1252, an .xlsx named .csv, a cell too many, folds in the column split",
    right="errors that say how to save it, which line it is, or which column folds belong in",
)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (table().replace("bell", "glöckchen").encode("cp1252"), "line 2 .*'a/0.wav,glöckchen,g0"),
        (b"PK\x03\x04" + bytes(30), "got a workbook or an archive. Save it as UTF-8"),
        (table().replace("hum,g1", "hum, loud,g1").encode(), "line 5: expected 4 cells"),
        (
            table().replace("train", "1").encode(),
            "in the column split, got 1.*name the column group",
        ),
    ],
)
def test_tables_that_cannot_be_read(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(HeldoutError, match=message):
        list_folder(described(tmp_path, content))


@wild(
    "names",
    like="unmade/shelf-back#50, beancount/fava#983",
    holds="accents composed in `metadata.csv` and decomposed in the names of files, or the reverse",
    right="the same file, label and group",
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents(tmp_path: Path, form: str) -> None:
    other = "NFD" if form == "NFC" else "NFC"
    names = [unicodedata.normalize(form, name) for name in ("café/é.wav", "über/ü.wav")]
    typed = [unicodedata.normalize(other, name) for name in names]
    rows = [f"{typed[0]},café,José", f"{typed[1]},{unicodedata.normalize('NFD', 'über')},José"]
    folder = described(tmp_path, "\n".join(["path,label,group", *rows]), *names)
    read = list_folder(folder)
    assert set(read["path"]) == set(names)
    assert sorted(read["label"]) == ["café", "über"]
    assert read["group"].nunique() == 1
    (folder / "metadata.csv").unlink()
    assert sorted(list_folder(folder)["label"]) == ["café", "über"]


@wild(
    "names",
    like="hooram/ownphotos#112, grobidOrg/grobid-client-python#18",
    holds="names of files or of a class in Latin-1, as old discs and archives have them",
    right="files are left out by name, with a command that renames; a class so lost is an error",
)
def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    folder = described(tmp_path, "")
    (folder / "metadata.csv").unlink()
    os.makedirs(os.fsencode(folder) + b"/a", exist_ok=True)  # noqa: PTH103
    Path(os.fsdecode(os.fsencode(folder) + b"/a/caf\xe9.wav")).touch()
    contents = examine(folder)
    ((name, reason),) = contents.left_out.items()
    assert name == "a/caf\\xe9.wav"
    assert "is not in UTF-8; rename it: convmv -r -f cp1252 -t utf8 --notest" in reason
    assert listing(folder) == listing(folder)
    Path(os.fsdecode(os.fsencode(folder) + b"/\xfcber")).mkdir()
    Path(os.fsdecode(os.fsencode(folder) + b"/\xfcber/1.wav")).touch()
    with pytest.raises(HeldoutError, match=r"\\xfcber/1\.wav.* not in UTF-8; rename it") as caught:
        examine(folder)
    str(caught.value).encode()


@wild(
    "names",
    like="birdnet-team/BirdNET-Analyzer#635, pytorch/vision#109",
    holds="`._0.wav`, `.cache/x.wav` and `.git/` at every depth, below a hidden folder, too",
    right="passed over, and not even counted",
)
def test_hidden_files_at_every_depth(tmp_path: Path) -> None:
    hidden = ["a/._0.wav", ".cache/b/1.wav", "a/.old/1.wav", "a/x/.y/z/1.wav", ".hidden.wav"]
    folder = described(tmp_path / ".home" / "mine", "", *PATHS, *hidden, "__MACOSX/a/._0.wav")
    (folder / "metadata.csv").unlink()
    contents = examine(folder)
    assert contents.table["path"].tolist() == PATHS
    assert not contents.left_out
    assert not contents.notes


@wild(
    "names",
    like="tomasz-c/nft-blackhole#4, getkirby/kirby#1024",
    holds="classes and a folder named `no`, `yes`, `1e3`, `007`, `2024-01-01`, `null`, `0x1F`",
    right="text in the study; a name that the command line reads as a number is told to be ./007",
)
def test_names_that_yaml_would_misread(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["no", "yes", "1e3", "007", "2024-01-01", "null", "~", "0x1F", "1_000", "12:30", "-"]
    folder = own_folder(tmp_path / "007")
    for name in names:
        (folder / name).mkdir()
        (folder / name / "1.flac").write_bytes((folder / "bell" / "06.flac").read_bytes())
    study = yaml.safe_load(study_text(folder))
    assert set(names) < set(study["classes"])
    assert study["title"] == "007"
    assert all(study["classes"][name] == [name] for name in names)
    config = read_yaml(ROOT / "config" / "config.yaml")
    for number in (7, 1000.0, True):
        with pytest.raises(HeldoutError, match=r"a path with \./ before it: folder=\./007"):
            resolve(merge(config, {"folder": number}))
    assert main(["new-study", str(folder), "--studies", str(tmp_path)]) == 0
    assert "--config studies=study_007" in capsys.readouterr().out
    assert main(["new-study", str(folder), "--studies", str(tmp_path), "--name", "1e3"]) == 1
    assert "reads as a number" in capsys.readouterr().err


@wild(
    "tables",
    like="tables whose rows were deleted in a spreadsheet",
    holds="`metadata.csv` with a header and no row, beside recordings",
    right="an error that says how to name the classes",
)
def test_a_table_without_a_row(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text("path,label\n")
    (tmp_path / "a.wav").touch()
    with pytest.raises(HeldoutError, match="of at least 2 classes, got none"):
        list_folder(tmp_path)
