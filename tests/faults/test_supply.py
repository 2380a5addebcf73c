"""What is installed, and what the workflow says to the network afterwards: nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from tests.support.workflow import set_up, small

ROOT = Path(__file__).parents[2]
# In the environment of a run: programs that would tell somebody of it if they could.
TALKATIVE = {
    "WANDB_MODE": "online",
    "WANDB_API_KEY": "0" * 40,
    "MLFLOW_TRACKING_URI": "http://192.0.2.1:5000",
    "SENTRY_DSN": "http://key@192.0.2.1/1",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://192.0.2.1:4318",
}


def test_every_exception_from_the_advisories_is_explained() -> None:
    text = (ROOT / ".ci" / "advisories.yaml").read_text(encoding="utf-8")
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = {
        Requirement(line.split(";")[0].rstrip(" \\")).name
        for line in lock.splitlines()
        if re.match(r"[A-Za-z0-9]", line)
    }
    assert "tensorflow" in locked
    entries = yaml.safe_load(text)
    assert isinstance(entries, list)
    for entry in entries:
        assert set(entry) == {"id", "package", "checked", "reason"}, entry
        assert re.fullmatch(r"(GHSA(-[0-9a-z]{4}){3}|(PYSEC|CVE)-\d{4}-\d+)", entry["id"]), entry
        assert entry["package"] in locked, f"{entry['package']} is not locked any more"
        assert isinstance(entry["checked"], date), entry
        assert len(entry["reason"].split()) >= 8, f"{entry['id']}: why does it do no harm here?"


def test_the_advisories_are_asked_for_and_none_is_skipped() -> None:
    said = subprocess.run(
        ["make", "--dry-run", "--assume-old=.venv/.ready", "advisories"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "pip-audit --strict --disable-pip -r requirements.lock" in said
    flow = yaml.safe_load((ROOT / ".github" / "workflows" / "advisories.yml").read_text())
    assert {"run": "make advisories"} in flow["jobs"]["advisories"]["steps"]
    # YAML reads the key `on` as true.
    assert "schedule" in flow[True]


GUARD = '''
"""Keep a process from the network, and write down what it asked for."""
import os, socket, sys

def _near(address):
    loopback = ("127.", "::1", "localhost")
    return not isinstance(address, tuple) or str(address[0]).startswith(loopback)

def _guard(event, arguments):
    if event == "socket.connect":
        asked = arguments[1]
    elif event == "socket.sendto":
        asked = arguments[1]
    elif event == "socket.getaddrinfo":
        asked = (arguments[0],)
        if asked[0] in (None, "", socket.gethostname()):
            return
    else:
        return
    if not _near(asked):
        with open(os.environ["GUARD_LOG"], "a") as log:
            print(event, asked, sys.argv[:3], file=log)
        raise OSError(101, "the network is not to be used")

sys.addaudithook(_guard)
'''


@pytest.fixture
def guard(tmp_path: Path) -> dict[str, str]:
    """Return the environment in which every Python, jobs too, is kept from the network."""
    folder = tmp_path / "guard"
    folder.mkdir()
    # Python imports a module of this name before anything else.
    (folder / "sitecustomize.py").write_text(GUARD, encoding="utf-8")
    log = tmp_path / "asked.log"
    log.touch()
    return {"PYTHONPATH": str(folder), "GUARD_LOG": str(log)}


def test_the_guard_would_see_a_request(guard: dict[str, str]) -> None:
    code = "import urllib.request; urllib.request.urlopen('http://192.0.2.1/', timeout=1)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **guard}, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "192.0.2.1" in Path(guard["GUARD_LOG"]).read_text()


def test_libraries_tell_nobody_that_they_are_used(guard: dict[str, str]) -> None:
    """Import and use what a run uses, with the environment that would make tools talk."""
    code = (
        "import optuna, keras, snakemake.cli, tensorflow, tensorboardX, wfdb, librosa, pyarrow\n"
        "optuna.logging.set_verbosity(optuna.logging.ERROR)\n"
        "optuna.create_study().optimize(lambda trial: trial.suggest_float('x', 0, 1), n_trials=2)\n"
    )
    environment = {**os.environ, **TALKATIVE, **guard}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert Path(guard["GUARD_LOG"]).read_text() == ""


@pytest.mark.slow
def test_a_whole_run_asks_the_network_for_nothing(
    tmp_path: Path, guard: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From recordings to the page, in a network of its own that leads nowhere."""
    workflow = set_up(tmp_path / "copy")
    workflow.config = small()
    for name, value in {**TALKATIVE, "GUARD_LOG": guard["GUARD_LOG"]}.items():
        monkeypatch.setenv(name, value)
    command, environment = workflow.command()
    environment["PYTHONPATH"] += os.pathsep + guard["PYTHONPATH"]
    unshare = shutil.which("unshare")
    apart = [unshare, "--net", "--map-root-user"] if unshare else []
    if not apart or subprocess.run([*apart, "true"], capture_output=True).returncode:
        pytest.skip("no network of its own can be made here (unshare --net): nothing is cut")
    # A network without a route: the loopback is up, and that is all.
    script = ["sh", "-c", 'ip link set lo up 2>/dev/null; exec "$@"', "sh"]
    done = subprocess.run(
        [*apart, *script, *command], cwd=workflow.folder, env=environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=1500,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert workflow.path("results/report.html").is_file()
    assert Path(guard["GUARD_LOG"]).read_text() == ""
