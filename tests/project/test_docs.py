"""What README and docs say can be typed, opened and found."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from lib.cli import main, parser
from lib.compare import TABLES
from lib.config.settings import merge, resolve
from lib.files import read_yaml
from lib.metrics.registry import METRICS
from lib.own.study import study_text
from pages import configuration
from tests.support.folders import own_folder, own_records
from tests.support.planner import plan

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES += sorted((ROOT / "config").glob("*.md"))
# Programs that are no part of an environment of Heldout, beside `make` and `conda`.
OTHERS = {"mkdir", "cp", "sinfo", "squeue", "tensorboard", "optuna-dashboard", "wandb", "mlflow"}
OTHERS |= {"tail", "snkmt"}
FOLDERS = ["workflow", "config", "lib", "resources", "profiles", "tests", "docs", ".ci", ".github"]
FOLDERS += ["benchmarks", "pages"]
# What only a run, a person or a new study puts there.
MADE = ("resources/data", "results", "config/studies/ventricular.yaml")


def commands() -> list[list[str]]:
    """Return every command of every page, once, as the shell splits it."""
    found: dict[tuple[str, ...], None] = {}
    for page in PAGES:
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for line in block.splitlines():
                if words := shlex.split(line, comments=True):
                    found[tuple(words)] = None
    return [list(words) for words in found]


# They need a plugin: tests/workflow/test_plugins.py runs each, and test_pods.py plans with it.
LOGGERS = [words for words in commands() if words[0] == "snakemake" and "--logger" in words]
PODS = [words for words in commands() if "profiles/kubernetes" in words]
# They ask conda, even for a plan: tests/workflow/test_conda.py runs each with a stand-in.
CONDA = [words for words in commands() if {"--sdm", "--containerize"} & set(words)]
SNAKEMAKE = [
    words
    for words in commands()
    if words[0] == "snakemake" and words not in [*LOGGERS, *PODS, *CONDA]
]
LIBRARY = [words for words in commands() if words[:3] == ["python", "-m", "lib"]]
INSTALLED = [words for words in commands() if words[0] == "heldout"]


def new_study() -> str:
    """Return the study that docs/tutorials/new-study.md has one write."""
    page = ROOT / "docs" / "tutorials" / "new-study.md"
    (text,) = re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    assert isinstance(text, str)
    return text


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what a workflow is made of, without results, and with the new study of the docs."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("config", "lib", "profiles", "workflow"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "resources" / "registry", folder / "resources" / "registry")
    shutil.copy(ROOT / "resources" / "claims.csv", folder / "resources")
    shutil.copy(ROOT / "Snakefile", folder)
    (folder / "slurm").symlink_to(Path("profiles") / "slurm")
    (folder / "config" / "studies" / "ventricular.yaml").write_text(new_study())
    for number, file in enumerate(sorted(own_folder(folder / "my_recordings").rglob("*.*"))):
        file.rename(file.with_name(f"p{number % 4}_{file.name}"))
    (folder / "config" / "studies" / "mine.yaml").write_text(study_text(folder / "my_recordings"))
    own_records(folder / "my_ecg")
    (folder / "mirror").mkdir()
    return folder


def test_configuration_page_describes_every_key() -> None:
    for name in ("config", "study"):
        schema = read_yaml(ROOT / "workflow" / "schemas" / f"{name}.schema.yaml")
        names = [key for key, _ in configuration.keys(schema)]
        assert len(names) > 10
        page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
        assert [key for key in names if f"| `{key}` |" not in page] == []


def test_tables_page_describes_every_column_of_every_table() -> None:
    page = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE))
    assert list(sections) == list(TABLES)
    for name, text in sections.items():
        # The first table of a section lists columns; the leaderboard's second lists metrics.
        rows = text.split("|---|---|")[1].split("\n\n")[0]
        cells = [line.split("|")[1] for line in rows.splitlines() if line.startswith("|")]
        described = [column for cell in cells for column in re.findall(r"`(\w+)`", cell)]
        assert sorted(described) == sorted(TABLES[name]), name


def test_tables_page_describes_every_metric() -> None:
    page = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    (rows,) = re.findall(r"\| metric \| meaning \|\n(.*?)\n\n", page, re.DOTALL)
    cells = [row.split("|")[1:3] for row in rows.splitlines()[1:]]
    described = {name: text for names, text in cells for name in re.findall(r"`(\w+)`", names)}
    assert list(described) == list(METRICS)
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "lib/metrics").glob("*.py"))
    for name, text in described.items():
        sources = re.findall(r"[A-Z]\w+(?: and [A-Z]\w+| et al\.)? \d{4}", text)
        assert len(sources) == (name not in ("accuracy", "mse", "mae")), name
        assert all(source in code for source in sources), name


def test_commands_stand_in_blocks_that_are_collected() -> None:
    """A command in a block of another language would be run by nobody."""
    programs = ("snakemake", "python", "make", "pip", "conda", "tensorboard", "wandb", "mlflow")
    for page in PAGES:
        blocks = re.findall(r"```(\w*)\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        for language, block in blocks:
            if language != "sh":
                lines = [line for line in block.splitlines() if line.split(" ")[0] in programs]
                assert lines == [], (page.name, language)


def test_pages_have_commands() -> None:
    assert len(SNAKEMAKE) >= 10
    assert ["make", "run"] in commands()
    assert ["make", "test"] in commands()


@pytest.mark.parametrize("words", SNAKEMAKE, ids=" ".join)
def test_options_and_configuration_of_commands_are_accepted(
    words: list[str], checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from snakemake.cli import parse_args, parse_config

    monkeypatch.chdir(checkout)
    try:
        _, arguments = parse_args(words[1:])
    except SystemExit:
        pytest.fail(f"Snakemake refuses: {shlex.join(words)}")
    config = read_yaml("config/config.yaml")
    for path in arguments.configfile or []:
        config = merge(config, read_yaml(path))
    config = merge(config, parse_config(arguments.config) if arguments.config else {})
    assert resolve(config, root=checkout)["studies"]
    for profile in arguments.profile or []:
        assert Path(profile, "profile.yaml").is_file()


# A store must answer before a run is planned: tests/workflow/test_storage.py has one.
@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [words for words in SNAKEMAKE if "s3://" not in " ".join(words)], ids=" ".join
)
def test_commands_plan_a_run(words: list[str], checkout: Path) -> None:
    # Where the pages suppose the project to be, and recordings.
    for supposed, place in (("/opt/heldout", checkout), ("/data/recordings", checkout / "mirror")):
        words = [word.replace(supposed, str(place)) for word in words]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    status, output = plan(words[1:], folder=checkout, environment=environment)
    assert status == 0, output


@pytest.mark.parametrize("words", [*LIBRARY, *INSTALLED], ids=" ".join)
def test_commands_of_the_library_are_accepted(words: list[str]) -> None:
    try:
        given = words[1:] if words[0] == "heldout" else words[3:]
        assert callable(parser().parse_args(given).command)
    except SystemExit:
        pytest.fail(f"refused: {shlex.join(words)}")


def test_the_new_studies_of_the_docs_are_written(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout)
    Path("config/studies/mine.yaml").unlink()
    for words in LIBRARY:
        assert words[3] != "new-study" or main(words[3:]) == 0
    config = merge(read_yaml("config/config.yaml"), {"studies": ["mine", "beats"]})
    studies = resolve(config, root=checkout)["studies"]
    assert {name: study["features"]["kind"] for name, study in studies.items()} == {
        "mine": "mfcc",
        "beats": "beats",
    }


def test_other_commands_are_known() -> None:
    text = (ROOT / "Makefile").read_text()
    (targets,) = re.findall(r"^\.PHONY: (.+)$", text, flags=re.MULTILINE)
    for words in commands():
        # HELDOUT_DATA=… before a command
        words = [word for word in words if not re.match(r"[A-Z_]+=", word)]
        if words[0] == "make":
            assert words[1] in targets.split()
        elif words[0] == "conda":
            assert words in (
                ["conda", "env", "create", "-f", "environment.yml"],
                ["conda", "activate", "heldout"],
            )
        else:
            known = words[0] in {"snakemake", "python", "heldout"} | OTHERS
            assert known or words == ["source", ".venv/bin/activate"], words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_and_links_of_a_page_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text)]
    lost = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    tokens = re.findall(r"`([^`\s]+)`", text)
    tokens += [word.strip("'\"") for words in commands() for word in words if "/" in word]
    for token in tokens:
        is_path = token.split("/")[0] in FOLDERS and "/" in token
        # A name in braces, in capitals or with a star stands for many.
        stands_for = re.search(r"[{*…=]|[A-Z]{3,}\.", token)
        if is_path and not stands_for and not token.startswith(MADE):
            lost += [] if (ROOT / token).exists() else [token]
    assert lost == []


def test_new_study_is_accepted(checkout: Path) -> None:
    config = merge(read_yaml(ROOT / "config" / "config.yaml"), {"studies": "ventricular"})
    study = resolve(config, root=checkout)["studies"]["ventricular"]
    assert study["classes"] == yaml.safe_load(new_study())["classes"]
    assert {name: len(trials) for name, trials in study["trials"].items()} == {"cnn": 2, "gru": 1}


def test_picture_of_the_report_is_small() -> None:
    picture = ROOT / "docs" / "report.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 300_000
