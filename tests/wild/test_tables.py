"""Tables as programs and spreadsheets write them: names, paths, rows and numbers of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.cli.main import main
from lib.errors import HeldoutError
from lib.own.table import Contents, examine
from tests.support.wild import wild

PATHS = [f"{name}/{number}.wav" for name in ("bell", "hum") for number in range(4)]


def table(folder: Path, header: str, *cells: str, paths: list[str] = PATHS) -> Path:
    """Write a table with a path, a label and further cells in each row, beside its files."""
    for path in PATHS:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    more = cells or ("",) * len(paths)
    rows = [f"{path},{PATHS[at].split('/')[0]}{more[at]}" for at, path in enumerate(paths)]
    (folder / "metadata.csv").write_text("\n".join([header, *rows]) + "\n")
    return folder


def read(folder: Path, header: str, *cells: str, paths: list[str] = PATHS) -> Contents:
    return examine(table(folder, header, *cells, paths=paths))


@wild(
    "tables",
    like="huggingface/datasets#5918, ksasso1028/audio-reverb-removal#2, nilomr/pykanto#12",
    holds="paths of another computer (`C:\\Users\\…`, `/home/…`), or from the folder above",
    right="each is the file that its end names",
)
@pytest.mark.parametrize("before", ["C:\\Users\\me\\My Sounds\\", "/home/me/sounds/", "{home}/"])
def test_paths_of_another_computer(tmp_path: Path, before: str) -> None:
    before = before.format(home=tmp_path.name)
    slash = "\\" if "\\" in before else "/"
    contents = read(
        tmp_path, "path,label", paths=[before + path.replace("/", slash) for path in PATHS]
    )
    assert contents.table["path"].tolist() == PATHS
    with pytest.raises(HeldoutError, match="expected paths within the folder, got /etc/passwd"):
        read(tmp_path, "path,label", paths=["/etc/passwd", *PATHS[1:]])


@wild(
    "tables",
    like="ESC-50 (its table lies beside the folder of the files), huggingface/datasets#5046",
    holds="names of files without their folders",
    right="the file of that name; where two folders have one, an error that names both",
)
def test_names_without_folders(tmp_path: Path) -> None:
    contents = read(tmp_path, "path,label", paths=["0.wav", *PATHS[1:]][1:])
    assert len(contents.table) == 7
    with pytest.raises(HeldoutError, match=r"0\.wav, which may be bell/0\.wav, hum/0\.wav"):
        read(tmp_path, "path,label", paths=["0.wav", *PATHS[1:]])
    (tmp_path / "hum" / "0.wav").unlink()
    (tmp_path / "metadata.csv").write_text("path,label\n0.wav,a\nhum/1.wav,b\n")
    assert examine(tmp_path).table["path"].tolist() == ["bell/0.wav", "hum/1.wav"]


@wild(
    "tables",
    like="huggingface/datasets#5046, UrbanSound8K and ESC-50 as published",
    holds="columns that are called `patient_id` or `part`; `file_name`, `class`",
    right="taken for group and split, with a note; an error that says what to rename them to",
)
def test_columns_of_other_names(tmp_path: Path) -> None:
    cells = [f",p{at % 4},{('train', 'TEST')[at % 2]},{at}" for at in range(8)]
    contents = read(tmp_path, "path,label,patient_id,part,note", *cells)
    assert set(contents.table["group"]) == {"p0", "p1", "p2", "p3"}
    assert set(contents.table["split"]) == {"train", "test"}
    assert contents.notes == [
        "Of metadata.csv patient_id is taken for group.",
        "Of metadata.csv part is taken for split.",
        "Not used of metadata.csv: note.",
    ]
    with pytest.raises(HeldoutError, match="rename file_name to path and class to label"):
        read(tmp_path, "File_Name,Class,patient_id,part,note", *cells)
    # Ours, where there are both.
    contents = read(tmp_path, "path,label,file,class", *[",x,y"] * 8)
    assert set(contents.table["label"]) == {"bell", "hum"}
    (note,) = read(tmp_path, "path,label,fold", *[f",{at % 4}" for at in range(8)]).notes
    assert note.endswith("Where fold deals published folds, name it group.")


@wild(
    "tables",
    like="Samsung/CredData#11, biocore/songbird#86",
    holds="rows that stand there twice, alike or with another label",
    right="taken once, with a note; or an error that names the path and both labels",
)
def test_rows_that_repeat(tmp_path: Path) -> None:
    contents = read(tmp_path, "path,label", *[""] * 10, paths=[*PATHS[:4], *PATHS[4:]])
    folder = tmp_path / "metadata.csv"
    rows = folder.read_text()
    folder.write_text(rows + "bell/0.wav, bell\n./hum/1.wav,hum\n")
    again = examine(tmp_path)
    assert again.table.equals(contents.table)
    assert again.notes == ["Rows of metadata.csv that repeat another one: 2."]
    folder.write_text(rows + "bell/0.wav,hum\n")
    with pytest.raises(
        HeldoutError, match=r"each path once, got bell/0\.wav, labelled bell and hum"
    ):
        examine(tmp_path)


@wild(
    "tables",
    like="mahmoodlab/CLAM#228, tensorflow/tfx#819",
    holds="persons `1`, `1.0` and `01`, as after a cell was missing in their column",
    right="one group, with a note; as labels, an error that names both",
)
def test_numbers_that_are_written_in_two_ways(tmp_path: Path) -> None:
    people = ["1", "1.0", "01", "1", "2", "2.0", "2", "3"]
    contents = read(tmp_path, "path,label,group", *[f",{person}" for person in people])
    assert contents.table["group"].nunique() == 3
    assert contents.notes == [
        "The groups 01 and 1 and 1.0 differ by how a number is written alone: they count as one.",
        "The groups 2 and 2.0 differ by how a number is written alone: they count as one.",
    ]
    (tmp_path / "metadata.csv").write_text("path,label\nbell/0.wav,1\nbell/1.wav,1.0\n")
    with pytest.raises(HeldoutError, match=r"how a number is written, got '1' and '1\.0'"):
        examine(tmp_path)


@wild(
    "tables",
    like="mahmoodlab/CLAM#228",
    holds="a table of a split in which one person is `1` in train and `1.0` in test",
    right="a warning that names both",
)
def test_numbers_that_hide_a_person(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{at}.wav,{('train', 'test')[at % 2]},{('1', '1.0')[at % 2]}" for at in range(4)]
    (tmp_path / "split.csv").write_text("path,part,group\n" + "\n".join(rows))
    assert main(["audit", str(tmp_path / "split.csv"), "--strict"]) == 1
    assert "zeros or separators alone count as different: 1 and 1.0" in (capsys.readouterr().out)


@wild(
    "tables",
    like="hhurz/tableExport.jquery.plugin#137, the-creators-galaxy/hts-distribution-tool#48",
    holds="numbers with thousands divided by commas: `1,234`",
    right="refused: nobody knows whether that is 1.234 or 1234",
)
def test_thousands(tmp_path: Path) -> None:
    folder = table(tmp_path, "path,label,age", *[f',"{at + 1},{100 + at}"' for at in range(8)])
    with pytest.raises(HeldoutError, match=r"got '1,100' for bell/0\.wav.* \(8 of 8\)"):
        examine(folder, context=["age"])
    folder = table(tmp_path, "path,label,age", *[f',"{at + 1},{10 + at}"' for at in range(8)])
    assert examine(folder, context=["age"]).table["age"][0] == 1.1


@wild(
    "tables",
    like="tables that a script wrote without a header",
    holds="rows of paths and labels, and no names of columns",
    right="an error that says what to write above them",
)
def test_a_table_without_names(tmp_path: Path) -> None:
    table(tmp_path, "bell/0.wav,bell")
    with pytest.raises(HeldoutError, match="Name the columns in a row above: path,label"):
        examine(tmp_path)


@wild(
    "tables",
    like="gershwin-desktop/gershwin-workspace#73, tables that were saved as a workbook",
    holds="`metadata.xlsx`, `metadata.csv.txt`, `labels.csv` or archives beside the recordings",
    right="named, with what to do, beside the verdict or in the error",
)
def test_what_holds_more_but_is_not_opened(tmp_path: Path) -> None:
    table(tmp_path, "path,label")
    (tmp_path / "metadata.csv").rename(tmp_path / "metadata.xlsx")
    (tmp_path / "more.zip").touch()
    (tmp_path / "hum" / "old.tar.gz").touch()
    assert examine(tmp_path).cautions == [
        "hum/old.tar.gz, more.zip: archives are not looked into. Unpack what is in them.",
        "metadata.xlsx is not read, but metadata.csv is: save it as CSV (UTF-8) under that name.",
    ]
    flat = tmp_path / "flat"
    flat.mkdir()
    for name in ("0.wav", "1.wav", "labels.csv", "metadata.csv.txt", "bell.zip"):
        (flat / name).touch()
    with pytest.raises(HeldoutError, match=r"bell\.zip: archives.* metadata\.csv\.txt is not read"):
        examine(flat)
    with pytest.raises(HeldoutError, match=r"What labels\.csv says of them may belong there"):
        examine(flat)
    with pytest.raises(HeldoutError, match=r"got a file\. bell\.zip: archives are not looked"):
        examine(flat / "bell.zip")
