"""docs/module.md: the workflow that it shows plans a run, and comes to its end."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from lib.config.settings import merge
from lib.project import ROOT
from lib.retrieve import read_registry, retrieve
from tests.support.workflow import STUDY, Done, parse_plan, set_up, small
from tests.workflow.test_elsewhere import contents

PAGE = (ROOT / "docs" / "module.md").read_text(encoding="utf-8")
SNAKEFILE, CHANGED = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(SETTINGS,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return records as published, in a folder that nobody else knows."""
    folder = tmp_path_factory.mktemp("archive") / "mitdb"
    registry = read_registry(ROOT / "resources" / "registry" / "mitdb.yaml")
    simulation = {"seed": 0, "scale": 0.01}
    retrieve("mitdb", source="simulated", folder=folder, registry=registry, simulation=simulation)
    return folder.resolve()


def write(
    folder: Path, archive: Path, snakefile: str, *, project: Path = ROOT, **over: Any
) -> None:
    """Write the workflow of the page, with the paths of this machine."""
    for name in ("workflow", "config/studies"):
        (folder / name).mkdir(parents=True)
    (folder / "workflow" / "Snakefile").write_text(snakefile.replace("/opt/heldout", str(project)))
    settings = merge(yaml.safe_load(SETTINGS), {"archive": str(archive), "heldout": over})
    (folder / "config" / "config.yaml").write_text(yaml.safe_dump(settings))
    shutil.copy(STUDY, folder / "config" / "studies" / "tiny.yaml")


def snakemake(folder: Path, *arguments: str) -> Done:
    names = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
        cwd=folder,
        env=names,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )
    return Done(done.returncode, done.stdout)


@pytest.mark.parametrize("more", ["", CHANGED], ids=["as shown", "with a changed rule"])
def test_the_workflow_of_the_page_plans_a_run(more: str, archive: Path, tmp_path: Path) -> None:
    write(tmp_path, archive, f"{SNAKEFILE}\n\n{more}", shards=1)
    done = snakemake(tmp_path, "--dry-run")
    assert done.status == 0, done.output
    plan = parse_plan(done.output)
    assert plan.rules["archived"] == plan.rules["summary"] == 1
    assert plan.rules["heldout_compare"] == plan.rules["heldout_report"] == 1
    assert plan.values("study") == {"arrhythmia"}
    assert not {name for name in plan.rules if "retrieve" in name}
    threads = re.search(r"rule heldout_train:.*?(?=rule )", done.output, re.DOTALL)
    assert threads
    assert ("threads: 2" in threads[0]) == bool(more)


def test_foreign_keys_are_told(archive: Path, tmp_path: Path) -> None:
    write(tmp_path, archive, SNAKEFILE.replace('config["heldout"]', "config"))
    done = snakemake(tmp_path, "--dry-run")
    assert done.status != 0
    assert "unknown key 'archive'" in done.output


@pytest.mark.slow
def test_the_workflow_of_the_page_comes_to_its_end(archive: Path, tmp_path: Path) -> None:
    """Below a prefix, where each path that is written down somewhere would show.

    The project itself is only read: no other test has a whole run outside of it.
    """
    project = set_up(tmp_path / "heldout")
    before = contents(project.folder)
    work = tmp_path / "work"
    text, prefix = SNAKEFILE, "comparison/"
    for name in ("results/", "resources/"):
        text = text.replace(f'"{name}', f'"{prefix}{name}')
    text = text.replace(
        "    config:\n        config[",
        f'    prefix:\n        "{prefix}"\n    config:\n        config[',
    )
    write(work, archive, text, project=project.folder, **small())
    done = snakemake(work)
    assert done.status == 0, done.output
    assert contents(project.folder) == before
    made = {path.name for path in work.iterdir()} - {".snakemake", "workflow", "config"}
    assert made == {"comparison", "summary.csv"}
    summary = pd.read_csv(work / "summary.csv")
    assert {"simple_rnn", "majority"} <= set(summary["architecture"])
    page = (work / f"{prefix}results" / "report.html").read_text(encoding="utf-8")
    assert len(page) > 100_000
    assert "our archive" in page
    assert "for use within our institute" in page
    assert (work / ".snakemake" / "heldout.last").is_file()
    again = snakemake(work, "--dry-run")
    assert "Nothing to be done" in again.output


@pytest.mark.parametrize("chosen", [None, "4"])
def test_threads_of_a_job_share_one_heap_unless_a_person_chose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: str | None
) -> None:
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    if chosen:
        monkeypatch.setenv("MALLOC_ARENA_MAX", chosen)
    (tmp_path / "say.py").write_text(
        "import os\n"
        "with open(snakemake.output[0], 'w') as file:\n"
        "    file.write(os.environ['MALLOC_ARENA_MAX'])\n"
    )
    (tmp_path / "Snakefile").write_text(
        f"include: {str(ROOT / 'workflow' / 'rules' / 'library.smk')!r}\n"
        "rule:\n    output: 'heaps'\n    script: 'say.py'\n"
    )
    done = snakemake(tmp_path)
    assert done.status == 0, done.output
    assert (tmp_path / "heaps").read_text() == (chosen or "1")
