"""The files of the project are found from any working directory."""

import os

import pytest

from lib.project import ROOT, cache_folder, path_of


def test_the_project_has_what_the_workflow_needs():
    for name in ("workflow/Snakefile", "config/config.yaml", "resources/registry/mitdb.yaml"):
        assert (ROOT / name).is_file()


def test_paths_are_relative_in_the_checkout_alone(tmp_path, monkeypatch: pytest.MonkeyPatch):
    name = "resources/claims.csv"
    monkeypatch.chdir(ROOT)
    assert path_of(name) == name
    monkeypatch.chdir(tmp_path)
    assert path_of(name) == os.fspath(ROOT / name)
    (tmp_path / "link").symlink_to(ROOT)
    monkeypatch.chdir(tmp_path / "link")
    assert path_of(name) == name


def test_what_may_be_deleted_is_kept_where_the_user_says(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "heldout"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "heldout"

    def homeless(_):
        raise RuntimeError

    monkeypatch.setattr("pathlib.Path.expanduser", homeless)
    with pytest.raises(OSError):
        cache_folder().mkdir(parents=True)
