"""Where the files of a mirror lie, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.config.settings import resolve
from lib.config.stores import stored
from lib.errors import HeldoutError


def test_a_folder_needs_no_plugin(tmp_path: Path) -> None:
    assert stored(resolve({"studies": ["voices"]})) == ("", {})
    assert stored(resolve({"studies": ["voices"], "mirror": str(tmp_path)})) == ("", {})


def test_a_mirror_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HeldoutError, match=r"mirror: expected a folder, or .* which is not there"):
        stored(resolve({"studies": ["voices"], "mirror": str(tmp_path / "nowhere")}))
    with pytest.raises(HeldoutError, match=r"mirror: expected a folder, or .* which is a file"):
        stored(resolve({"studies": ["voices"], "mirror": __file__}))
