"""Mozilla Common Voice: read sentences with the accent that the speaker gave."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from lib.datasets.audio import read_audio, read_header
from lib.datasets.dataset import Dataset, row
from lib.datasets.text import read_text
from lib.errors import HeldoutError

# Releases up to 6.1 give the code of an accent, later ones its long name: the code stands for both,
# so that one study fits every release. Long names go on with a list, «Chileno: Chile, Cuyo».
_SPANISH = {
    "España: Norte peninsular": "nortepeninsular",
    "España: Centro-Sur peninsular": "centrosurpeninsular",
    "España: Sur peninsular": "surpeninsular",
    "España: Islas Canarias": "canario",
    "México": "mexicano",
    "América central": "americacentral",
    "Caribe": "caribe",
    "Andino-Pacífico": "andino",
    "Rioplatense": "rioplatense",
    "Chileno": "chileno",
    "Español de Filipinas": "filipinas",
}

# No sentence goes on for more lines. A damaged table of a million lines would be read a million
# times over.
_LINES = 20

_LISTS = ("validated", "other")
_SPLITS = {"train": "train", "dev": "validation", "test": "test"}


def recordings(folder: str | Path, exclude: Collection[str] = ()) -> pd.DataFrame:
    """List the clips that are on disk, from the tables of every release in the folder.

    Parameters
    ----------
    folder : str or Path
        The folder of the releases (`cv-corpus-…/es/validated.tsv`).
    exclude : collection of str
        Recordings, by name, of which nothing is read.

    Returns
    -------
    pd.DataFrame
        The columns of `lib.datasets`, and `age`, `sex`, `locale`; a row for each clip that
        `validated.tsv` or `other.tsv` names, once if several do. `label` is the accent: its code
        where known, several joined by `|`, empty where the speaker gave none. `group` is the
        start of `client_id`; `split` the release's own, where it has `train.tsv`, `dev.tsv` or
        `test.tsv`.

    Raises
    ------
    HeldoutError
        A table lacks a column, a row has another number of fields, or a clip has two speakers.
    """
    rows: dict[str, dict[str, Any]] = {}
    for corpus in sorted(Path(folder).glob("cv-corpus-*/*")):
        if not (corpus / "clips").is_dir():
            continue
        clips = {path.name for path in (corpus / "clips").iterdir() if path.stem not in exclude}
        splits = {
            fields["path"]: part
            for name, part in _SPLITS.items()
            for fields in _rows(corpus / f"{name}.tsv")
        }
        speakers: dict[str, str] = {}
        for table in _LISTS:
            for fields in _rows(corpus / f"{table}.tsv"):
                if speakers.setdefault(fields["path"], fields["client_id"]) != fields["client_id"]:
                    raise HeldoutError(
                        f"{corpus / table}.tsv",
                        f"one speaker of {fields['path']}",
                        "two: they could be in both train and test",
                        "Replace the tables by the published ones.",
                    )
                # The name is only ever compared, so one that leads out of the folder finds nothing.
                clip = fields["path"]
                if clip in clips and Path(clip).stem not in rows:
                    rows[Path(clip).stem] = _describe(corpus, fields, splits.get(clip, ""))
    return pd.DataFrame(rows.values())


def _describe(corpus: Path, fields: dict[str, str], split: str) -> dict[str, Any]:
    path = corpus / "clips" / fields["path"]
    if not fields["client_id"]:
        raise HeldoutError(
            path,
            "a client_id in its row",
            "none, so its speaker is not known",
            "Replace the table by the published one, or exclude the clip.",
        )
    return row(
        path,
        read_header,
        label=_accents(fields.get("accents", fields.get("accent", "")), corpus.name),
        # 64 bits of a hash: as good as all of it to tell the speakers of a release apart.
        group=fields["client_id"][:16],
        split=split,
        age=fields.get("age", ""),
        sex=fields.get("gender", ""),
        locale=corpus.name,
    )


def _accents(text: str, locale: str) -> str:
    # A comma within a name («Chile, Cuyo») has a blank after it; one between names has none.
    names = [name.strip() for name in re.split(r"\||,(?=\S)(?![^(]*\))", text)]
    if locale == "es":
        names = [_code(name) for name in names]
    return "|".join(dict.fromkeys(filter(None, names)))


def _code(name: str) -> str:
    for head in (name.partition(" (")[0], name.partition(":")[0]):
        if head in _SPANISH:
            return _SPANISH[head]
    return name


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """Go through the rows of a table, by column; none where there is no table."""
    if not path.is_file():
        return
    # Split at \n alone: sentences hold other characters that Python takes for line ends.
    lines = read_text(path).split("\n")
    names = lines[0].rstrip("\r").split("\t")
    if not {"client_id", "path"} <= set(names):
        raise HeldoutError(
            path,
            "the columns client_id and path",
            f"{', '.join(names)[:200]}",
            "Replace the table by the published one.",
        )
    number = 1
    while number < len(lines):
        line = lines[number].rstrip("\r")
        number += 1
        if not line:
            continue
        fields = _fields(line, len(names))
        first = number
        while (
            fields is None
            and number < min(first + _LINES, len(lines))
            and line.count("\t") < len(names) - 1
        ):
            line += "\n" + lines[number].rstrip("\r")  # a quoted field with a line end in it
            number += 1
            fields = _fields(line, len(names))
        if fields is None:
            raise HeldoutError(
                f"{path}, line {number}",
                f"{len(names)} fields",
                f"{line.count(chr(9)) + 1}: {line[:80]!r}",
                "Replace the table by the published one.",
            )
        yield dict(zip(names, fields, strict=True))


def _fields(line: str, count: int) -> list[str] | None:
    """Split a row into `count` fields, quoted (as to release 6.1) or not; None when it cannot."""
    # By tabs first: in later releases a quote is a letter, and a csv reader would swallow rows.
    fields = line.split("\t")
    if len(fields) != count:
        try:
            fields = next(csv.reader([line], delimiter="\t"), [])
        except csv.Error:  # a lone carriage return, or a field of more than 128 kB
            return None
        return fields if len(fields) == count else None
    return [_unquoted(field) for field in fields]


def _unquoted(field: str) -> str:
    inner = field[1:-1]
    quoted = len(field) > 1 and field[0] == field[-1] == '"' and '"' not in inner.replace('""', "")
    return inner.replace('""', '"') if quoted else field


COMMON_VOICE = Dataset("common_voice", recordings, read_audio)
