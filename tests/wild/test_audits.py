"""Tables of splits as people type them, and folds: what is there leaks, and nothing hides it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib.audit.files import audit_files
from lib.audit.tables import read_split
from lib.cli.main import main
from lib.errors import HeldoutError
from lib.own.table import examine
from tests.support.wild import wild

ROWS = [
    ("path", "part", "label", "group"),
    ("a/1.wav", "train", "bell", "g1"),
    ("a/2.wav", "train", "hum", "g2"),
    ("a/3.wav", "test", "bell", "g1"),
    ("a/4.wav", "test", "hum", "g3"),
]


def lines(separator: str = ",", *, rows: list[tuple[str, ...]] = ROWS) -> str:
    return "".join(separator.join(row) + "\n" for row in rows)


def audited(file: Path, **options: Any) -> dict[str, Any]:
    return audit_files(read_split(file, **options), root=file if file.is_dir() else file.parent)


def leaking(audit: dict[str, Any]) -> dict[str, list[Any]]:
    """List what leaks, with the parts of each case."""
    return {
        finding["kind"]: [case["parts"] for case in finding["cases"]]
        for finding in audit["findings"]
        if finding["level"] == "leak"
    }


@wild(
    "tables",
    like="CDCgov/MicrobeTrace#803, label-sleuth/label-sleuth#315",
    holds="a table of a split with blanks, also non-breaking ones, around groups, parts, headers",
    right="they never matter: g1 and g1␣ are one group, which leaks",
)
@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0", "\u3000", "\ufeff", "\u200b"])
def test_a_blank_hides_no_leak(tmp_path: Path, blank: str) -> None:
    rows = [tuple(name.title() + blank for name in ROWS[0])]
    rows += [
        (path, part + blank, label, group + blank * (part == "test"))
        for path, part, label, group in ROWS[1:]
    ]
    file = tmp_path / "split.csv"
    file.write_text(lines(rows=rows), encoding="utf-8")
    assert leaking(audited(file)) == {"groups_on_two_sides": [["test", "train"]]}
    assert main(["audit", str(file)]) == 1


@wild(
    "tables",
    like="asafdav/ng-csv#28, opensupplyhub/open-apparel-registry#473, HKUDS/Vibe-Trading#862",
    holds="a table of a split with semicolons or tabs in a .csv, a byte order mark, or UTF-16",
    right="read as meant",
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t", ", "])
def test_a_spreadsheet_of_any_country(tmp_path: Path, separator: str, encoding: str) -> None:
    file = tmp_path / "split.csv"
    file.write_bytes(lines(separator).replace("\n", "\r\n").encode(encoding))
    table = read_split(file)
    assert table[list(ROWS[0])].to_numpy().tolist() == [list(row) for row in ROWS[1:]]


@wild(
    "tables",
    like="oc-courses/perfectionnez_vous_en_python#5",
    holds="a table of a split, or a list of a part, in Windows-1252",
    right="refused: the line as it reads in that encoding, and how to save it as UTF-8",
)
@pytest.mark.parametrize("name", ["split.csv", "train.txt"])
def test_another_encoding_is_refused(tmp_path: Path, name: str) -> None:
    text = "path,part\nCôté.wav,train\n" if name.endswith("csv") else "a.wav\nCôté.wav\n"
    (tmp_path / name).write_bytes(text.encode("cp1252"))
    with pytest.raises(HeldoutError) as caught:
        read_split(tmp_path / name if name.endswith("csv") else tmp_path)
    assert caught.value.place.endswith(name)
    assert "line 2" in caught.value.got
    assert "Côté.wav" in caught.value.got
    assert f"iconv -f CP1252 -t UTF-8 '{name}'" in caught.value.advice


@wild(
    "tables",
    like="fooyin/fooyin#289, theUpsider/ComfyUI-Styles_CSV_Loader#3",
    holds="paths of Windows, ./ in front, // within, in a table and in lists of parts",
    right="one file is one file: in train and in test, it leaks",
)
@pytest.mark.parametrize("other", ["a\\1.wav", "./a/1.wav", "a//1.wav", ".\\a\\1.wav\u00a0"])
@pytest.mark.parametrize("lists", [False, True])
def test_a_path_is_what_it_means(tmp_path: Path, other: str, lists: bool) -> None:
    if lists:
        (tmp_path / "train.txt").write_text(f"{other}\na/2.wav\n", encoding="utf-8")
        (tmp_path / "test.txt").write_text("a/1.wav\na/3.wav\n")
    else:
        text = f"path,part\n{other},train\na/2.wav,train\na/1.wav,test\na/3.wav,test\n"
        (tmp_path / "split.csv").write_text(text, encoding="utf-8")
    audit = audited(tmp_path if lists else tmp_path / "split.csv")
    assert leaking(audit) == {"files_on_two_sides": [["test", "train"]]}


@wild(
    "tables",
    like="asafdav/ng-csv#28",
    holds="windows of a recording with decimal commas in start and end",
    right="read as numbers, so that windows that overlap leak; what is no number is refused",
)
def test_decimal_commas_hide_no_overlap(tmp_path: Path) -> None:
    file = tmp_path / "split.csv"
    head = "path;part;start;end\n"
    file.write_text(f"{head}a.wav;train;0,0;1,5\na.wav;test;1,25;2,5\n")
    assert "overlapping_windows" in leaking(audited(file))
    file.write_text(f"{head}a.wav;train;0,0;1,5\na.wav;test;0:01.25;2,5\n")
    with pytest.raises(
        HeldoutError, match=r"column start: expected seconds.*'0:01\.25' \(1 of 2\)"
    ):
        read_split(file)


@wild(
    "tables",
    like="frictionlessdata/frictionless-py#1172",
    holds="labels or groups that differ in capitals alone, or in how an accent is composed",
    right="accents are one; capitals are a warning that names both",
)
def test_names_that_look_alike(tmp_path: Path) -> None:
    file = tmp_path / "split.csv"
    file.write_text(
        "path,part,label,group\n1.wav,train,Bell,José\n2.wav,train,hum,P1\n"
        "3.wav,test,bell,Jose\u0301\n4.wav,test,hum,p1\n",
        encoding="utf-8",
    )
    audit = audited(file)
    assert leaking(audit) == {"groups_on_two_sides": [["test", "train"]]}
    texts = {f["kind"]: f["text"] for f in audit["findings"] if f["level"] == "warning"}
    assert texts["labels_alike"].endswith("Bell and bell")
    assert texts["groups_alike"].endswith("P1 and p1")


FOLDS = [("1", "g1"), ("2", "g2"), ("3", "g3"), ("10", "g1"), ("10", "g4")]


@wild(
    "folds",
    like="ksanjeevan/crnn-audio-classification#6, conservationtechlab/whoot#107",
    holds="a table with a column fold, 1 to 10, and where each clip was cut from (as ESC-50)",
    right="each fold is audited against the rest: the leak names the folds, status 1",
)
@pytest.mark.parametrize("form", ["{}", "fold{}", "Fold_{:0>2}", "{}.0"])
def test_a_table_with_folds(tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "esc50.csv"
    rows = [f"{n}.wav,{form.format(fold)},dog,{group}\n" for n, (fold, group) in enumerate(FOLDS)]
    file.write_text("filename,fold,category,src_file\n" + "".join(rows))
    page = tmp_path / "audit.html"
    assert main(["audit", str(file), "--json", "--html", str(page)]) == 1
    audit = json.loads(capsys.readouterr().out)
    assert leaking(audit) == {"groups_on_two_sides": [["fold 1", "fold 10"]]}
    leaks = {name: part["leaks"] for name, part in audit["parts"].items()}
    assert leaks == {"fold 1": 1, "fold 2": 0, "fold 3": 0, "fold 10": 1}
    assert main(["audit", str(file)]) == 1
    text = capsys.readouterr().out
    assert "1 of 4 groups appear in two folds" in text
    assert "fold 1 | fold 10" in text
    assert ">fold 10</th>" in page.read_text()
    # Without the leak it is clean, and no part is missed.
    file.write_text(file.read_text().replace(",g1\n", ",g9\n", 1))
    assert main(["audit", str(file)]) == 0
    assert "there is no" not in capsys.readouterr().out


@wild(
    "folds",
    like="aqibsaeed/Urban-Sound-Classification#26",
    holds="folders fold1, fold2, … or lists fold1.txt, …, or a table that names files in them",
    right="folds; a folder of a fold is no class",
)
def test_folders_and_lists_of_folds(tmp_path: Path) -> None:
    folders, lists = tmp_path / "audio", tmp_path / "lists"
    lists.mkdir()
    for fold in (1, 2, 10):
        (folders / f"fold{fold}").mkdir(parents=True)
        (folders / f"fold{fold}" / f"p{fold % 9}_{fold}.wav").touch()
        (lists / f"fold{fold}.txt").write_text(f"fold{fold}/p{fold % 9}_{fold}.wav\n")
    for source in (folders, lists):
        audit = audit_files(read_split(source, group_pattern=r"(p\d)_"), root=folders)
        assert list(audit["parts"]) == ["fold 1", "fold 2", "fold 10"]
        assert all(part["classes"] == {} for part in audit["parts"].values())
        assert leaking(audit) == {"groups_on_two_sides": [["fold 1", "fold 10"]]}
    table = tmp_path / "UrbanSound8K.csv"
    table.write_text("slice_file_name,fsID,fold\np1_1.wav,7,1\np2_2.wav,8,2\np1_10.wav,7,10\n")
    audit = audit_files(read_split(table), root=folders)
    assert leaking(audit) == {"groups_on_two_sides": [["fold 1", "fold 10"]]}
    assert "files_missing" not in {finding["kind"] for finding in audit["findings"]}


@wild(
    "folds",
    like="the PTB-XL and DCASE tables, which have both",
    holds="a table with parts and folds",
    right="parts decide; one part in several folds is folds; parts in every fold are refused",
)
def test_parts_and_folds(tmp_path: Path) -> None:
    file = tmp_path / "split.csv"
    file.write_text("path,split,fold\n1.wav,train,1\n2.wav,train,2\n3.wav,test,3\n")
    assert read_split(file)["part"].tolist() == ["train", "train", "test"]
    file.write_text("path,split,strat_fold\n1.wav,dev,1\n2.wav,dev,2\n")
    assert read_split(file)["part"].tolist() == ["fold 1", "fold 2"]
    file.write_text("path,split,fold\n1.wav,train,1\n2.wav,test,1\n1.wav,test,2\n2.wav,train,2\n")
    with pytest.raises(
        HeldoutError, match=r"each of several folds, such as 1\.wav\. Write a table"
    ):
        read_split(file)
    file.write_text("path,split\n1.wav,1\n2.wav,2\n")
    with pytest.raises(HeldoutError, match="Numbers are folds in a column fold"):
        read_split(file)


@wild(
    "tables",
    like="biolab/orange3-prototypes#177, pandas-dev/pandas#24681",
    holds="groups `nan`, `NA`, `unknown` or `?` in a table of a split, or of a folder",
    right="not known, as an empty cell: no leak of a person called nan",
)
@pytest.mark.parametrize("nothing", ["nan", "NA", "unknown", "?", "None", ""])
def test_groups_that_say_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], nothing: str
) -> None:
    rows = [f"{at}.wav,{('train', 'test')[at % 2]},{nothing}" for at in range(6)]
    (tmp_path / "split.csv").write_text("path,part,group\n" + "\n".join([*rows, "x.wav,train,p1"]))
    assert main(["audit", str(tmp_path / "split.csv")]) == 0
    assert "of 6 of 7 rows is not known" in capsys.readouterr().out
    (tmp_path / "metadata.csv").write_text(f"path,label,group\na.wav,x,{nothing}\nb.wav,y,p1\n")
    with pytest.raises(HeldoutError, match=r"expected a group for every path, got a\.wav"):
        examine(tmp_path)


@wild(
    "tables",
    like="unmade/shelf-back#50, lists that Windows wrote",
    holds="`train.txt` beside `TEST.TXT`, and one path with an accent composed, then decomposed",
    right="both lists are read; one file in both is a leak",
)
def test_lists_in_capitals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train.txt").write_text("a.wav\ne\u0301.wav\n")
    (tmp_path / "TEST.TXT").write_text("\u00e9.wav\r\nb.wav\r\n")
    assert main(["audit", str(tmp_path)]) == 1
    assert "1 file in two parts" in capsys.readouterr().out
