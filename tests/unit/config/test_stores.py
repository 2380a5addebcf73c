"""Where the files of a mirror lie, before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib.config.settings import resolve
from lib.config.stores import require_consent, require_mirror, stored
from lib.errors import HeldoutError


def settings(mirror: Path) -> dict[str, Any]:
    return resolve({"studies": ["voices"], "mirror": str(mirror)})


def test_a_mirror_in_a_folder(tmp_path: Path) -> None:
    require_mirror(settings(tmp_path))
    assert stored(settings(tmp_path)) == ("", {})


def test_no_mirror_and_one_in_a_store_are_no_folders() -> None:
    require_mirror(resolve({"studies": ["voices"]}))
    require_mirror(resolve({"mirror": "s3://bucket/recordings"}))


@pytest.mark.parametrize(("name", "words"), [("nowhere", "not there"), ("file", "a file")])
def test_a_mirror_that_is_no_folder_is_refused(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HeldoutError, match=rf"mirror: expected a folder, or .* which is {words}"):
        require_mirror(settings(tmp_path / name))


def test_recordings_that_need_consent_are_asked_for_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    chosen = resolve({"studies": ["voices", "accents", "arrhythmia"], "source": "download"})
    with pytest.raises(
        HeldoutError, match=r"common_voice: expected Mozilla Common Voice"
    ) as caught:
        require_consent(chosen, ["common_voice", "mitdb"])
    assert "--config studies=voices,arrhythmia" in str(caught.value)
    there = tmp_path / "resources/data/common_voice/cv-corpus-6.1/es"
    there.mkdir(parents=True)
    (there / "validated.tsv").touch()
    require_consent(chosen, ["common_voice", "mitdb"])
