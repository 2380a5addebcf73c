"""The site that `make docs` makes: strict, whole, and without anything from other hosts."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.project.test_docs import ROOT

DOCS = ROOT / "docs"
PYTHON = ROOT / ".cache" / "docs" / "bin" / "python"
needs_sphinx = pytest.mark.skipif(
    not PYTHON.exists(), reason="no .cache/docs: `make docs` installs what makes the site"
)
# What a page would fetch by itself; a link that a reader may follow is none of it.
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source)[^>]+src=["'](?:https?:)?//"""
    r"""|<link[^>]+rel=["'](?:stylesheet|preload|preconnect|icon)[^>]+href=["'](?:https?:)?//"""
    r"""|<link[^>]+href=["'](?:https?:)?//[^>]+rel=["'](?:stylesheet|preload|preconnect|icon)"""
    r"""|url\(["']?(?:https?:)?//|@import\s+["'](?:https?:)?//"""
)


def kinds() -> dict[str, list[str]]:
    """Return the pages of each kind, as docs/site/conf.py has them."""
    tree = ast.parse((DOCS / "site" / "conf.py").read_text(encoding="utf-8"))
    (found,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "KINDS"
    )
    assert isinstance(found, dict)
    return found


def made(root: Path, *arguments: Any) -> subprocess.CompletedProcess[str]:
    """Make the site of a checkout as `make docs` does."""
    (line,) = re.findall(r"\$\(SITE\)/bin/python -m (sphinx .*)", (ROOT / "Makefile").read_text())
    command = [PYTHON, "-m", *line.split(), *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True)


def test_each_page_is_of_one_kind() -> None:
    found = kinds()
    assert list(found) == ["Tutorials", "How-to guides", "Reference", "Explanation"]
    listed = [page for pages in found.values() for page in pages]
    pages = [file.relative_to(DOCS).with_suffix("").as_posix() for file in DOCS.rglob("*.md")]
    assert sorted(page for page in listed if "<" not in page) == sorted({*pages} - {"index"})
    assert found["Tutorials"] == [page for page in listed if page.startswith("tutorials/")]


def test_the_first_page_names_every_page() -> None:
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    linked = re.findall(r"\]\(([\w/-]+)\.md\)", text)
    listed = [page for pages in kinds().values() for page in pages if "<" not in page]
    assert [page for page in listed if page not in linked] == []
    assert "](report.png)" in text


def copied(folder: Path, library: str) -> Path:
    """Copy what the site is made of, with a part of the library."""
    shutil.copytree(DOCS, folder / "docs", ignore=shutil.ignore_patterns("api"))
    (folder / "lib").mkdir()
    shutil.copy(ROOT / "lib" / "__init__.py", folder / "lib")
    for part in ("profiles", "resources/registry", *map(str, (ROOT / "lib").glob(library))):
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / source.relative_to(ROOT))
    for name in ("resources/claims.csv", ".importlinter", "config/config.yaml"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


@needs_sphinx
@pytest.mark.slow
def test_a_link_that_leads_nowhere_and_a_page_outside_the_navigation_fail(tmp_path: Path) -> None:
    root = copied(tmp_path / "checkout", "metrics")
    (root / "docs" / "stray.md").write_text("# Stray\n\n[a](nowhere.md) [b](design.md#nothing)\n")
    done = made(root)
    assert done.returncode != 0
    assert "'nowhere.md'" in done.stderr
    assert "'nothing'" in done.stderr
    assert "stray.md: WARNING: document isn't included in any toctree" in done.stderr
    assert done.stderr.count("WARNING: ") == 3, done.stderr


@needs_sphinx
@pytest.mark.slow
def test_the_site_is_whole_and_fetches_nothing(tmp_path: Path) -> None:
    root = copied(tmp_path / "checkout", "*")
    done = made(root)
    assert done.returncode == 0, done.stderr
    site = root / "site"
    for pages in kinds().values():
        for page in pages:
            assert (site / f"{page.split('<')[-1].rstrip('>')}.html").is_file(), page
    first = (site / "index.html").read_text(encoding="utf-8")
    assert "_images/report.png" in first
    assert "flowchart" in (site / "design.html").read_text(encoding="utf-8")
    assert "bootstrap" in (site / "searchindex.js").read_text(encoding="utf-8")
    api = (site / "api" / "lib" / "statistics" / "bootstrap" / "index.html").read_text()
    assert "draw_weights" in api
    assert "Parameters" in api
    fetched = {
        (file.name, found.group())
        for file in [*site.rglob("*.html"), *site.rglob("*.css")]
        for found in FETCHED.finditer(file.read_text(encoding="utf-8"))
    }
    assert fetched == set()
