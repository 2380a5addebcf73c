"""The files of the project are found from any working directory."""

import os

import pytest

from lib.project import ROOT, path_of


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
