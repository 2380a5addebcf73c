"""What a person typed is read as meant, or refused with advice that fits."""

from __future__ import annotations

import codecs
import csv
import io
import unicodedata
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import HeldoutError
from lib.typed import clean, read_typed_table, typed_name, typed_numbers, typed_path

BLANKS = " \t\u00a0\u2003\u202f\u3000\u200b\ufeff"
NAMES = ["path", "label", "group"]
ROWS = [["a/1.wav", "ä, b; c|d", "007"], ["b/2.wav", "NA", ""]]

blanks = st.text(st.sampled_from(BLANKS), max_size=3)
cells = st.text(st.sampled_from('abÄ1 ,;|"\n.'), max_size=6).map(clean)


def written(rows: list[list[str]], separator: str = ",", ends: str = "\n", **options: Any) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=ends, **options).writerows(rows)
    return text.getvalue()


@given(
    rows=st.lists(st.lists(cells, min_size=3, max_size=3).filter(any), max_size=4),
    around=st.lists(blanks, min_size=8, max_size=8),
    separator=st.sampled_from(",;\t|"),
    ends=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_blanks_separators_and_marks_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[str]],
    around: list[str],
    separator: str,
    ends: str,
    encoding: str,
) -> None:
    wide = [
        [around[n] + cell + around[n + 4] for n, cell in enumerate(row)]
        for row in [[name.upper() for name in NAMES], *rows]
    ]
    file = tmp_path_factory.getbasetemp() / "any.name"
    text = written(wide, separator, ends, quoting=csv.QUOTE_ALL)
    file.write_bytes(text.encode(encoding))
    table = read_typed_table(file)
    assert list(table.columns) == NAMES
    assert table.to_numpy().tolist() == rows


def test_a_table_is_read_however_it_was_saved(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    for content in (
        'path, label, group\na/1.wav, "ä, b; c|d", 007\nb/2.wav, NA,\n',
        'sep=;\nPath;Label;Group;;\n\na/1.wav;"ä, b; c|d";007;;\n;;;;\nb/2.wav;NA\n',
        ',path,label,group\n0,a/1.wav,"ä, b; c|d",007\n1,b/2.wav,NA,\n',
        "path\tlabel\tgroup\ra/1.wav\tä, b; c|d\t007\rb/2.wav\tNA\t\r",
    ):
        file.write_text(content, encoding="utf-8", newline="")
        table = read_typed_table(file)
        assert list(table.columns) == NAMES
        assert table.to_numpy().tolist() == ROWS
    parquet = tmp_path / "t.parquet"
    frame = pd.DataFrame({" Path": ["a\u00a0", "b"], "start": [0.5, None], "Fold": [1, 2]})
    frame.to_parquet(parquet)
    assert read_typed_table(parquet).to_dict("list") == {
        "path": ["a", "b"],
        "start": ["0.5", ""],
        "fold": ["1", "2"],
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "path,label\nä.wav,a\nGeräusch.wav,b\n".encode("cp1252"),
            r"t.csv: expected a table in UTF-8, got line 2 in another encoding; in Windows-1252 "
            r"\(cp1252\) it is 'ä.wav,a'. Save it as UTF-8: .* iconv -f CP1252 -t UTF-8 't.csv'",
        ),
        (codecs.BOM_UTF8 + b"path\na\n\xe4\n", "line 3 in another encoding"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8", "got UTF-16 that is damaged"),
        ("path,label\n".encode("utf-16-le"), "got bytes of 0: UTF-16 without its mark"),
        (b"PK\x03\x04" + bytes(9), "got a workbook or an archive. Save it as UTF-8"),
        (b"", "the names of its columns in the first row, each once, got none"),
        (b"path,Label,label \n", r"got label twice \(capitals do not matter\). Rename or remove"),
        (
            b"path,label\n\n1.wav,a, b\n",
            "t.csv, line 3: expected 2 cells, as there are names of columns, got 3. Put a cell "
            "that holds ',' between double quotes",
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_advice(
    tmp_path: Path, content: bytes, message: str
) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes(content)
    with pytest.raises(HeldoutError, match=message):
        read_typed_table(file)
    with pytest.raises(HeldoutError, match=r"none\.csv: expected a table, got .*Correct the path"):
        read_typed_table(tmp_path / "none.csv")
    with pytest.raises(HeldoutError, match=r"expected a \.parquet table"):
        read_typed_table(tmp_path / "none.parquet")


@given(text=st.text(), left=blanks, right=blanks)
def test_cleaning_is_done_once(text: str, left: str, right: str) -> None:
    for function in (clean, typed_name, typed_path):
        once = function(text)
        assert function(once) == once
        if text:
            assert function(left + once + right) == once
    assert typed_name(unicodedata.normalize("NFD", text)) == typed_name(text)


def test_paths_and_numbers() -> None:
    texts = ["a\\b.wav", "./a//b.wav ", "C:\\x\\1.wav", "/x/1.wav", "../a", ""]
    assert [*map(typed_path, texts)] == ["a/b.wav", "a/b.wav", "C:/x/1.wav", "/x/1.wav", "../a", ""]
    numbers = typed_numbers(["1.5", " 0,25 ", "-,5", "1,234.5", "1,2,3", "1e3", "", "old"])
    assert numbers.fillna(-9).tolist() == [1.5, 0.25, -0.5, -9, -9, 1000, -9, -9]


@pytest.mark.parametrize("name", ["❤️\u200d🔥 murmur", "می\u200cخواهم"])
def test_joiners_within_a_name_belong_to_it(name: str) -> None:
    assert typed_name(f" {name}\u00a0") == unicodedata.normalize("NFC", name)
