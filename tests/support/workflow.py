"""A copy of the project in a folder of its own, and Snakemake run there as a person would."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml

from lib.compare import TIMED
from lib.config.settings import merge
from tests.support.planner import plan

ROOT = Path(__file__).parents[2]
STUDY = Path(__file__).with_name("tiny.yaml")
PARTS = (
    *("Snakefile", "environment.yml", "workflow", "lib", "config", "profiles", "slurm"),
    "resources/registry",
)
CONFIG: dict[str, Any] = {
    "studies": ["tiny"],
    "simulation": {"scale": 0.01},
    "resamples": 100,
    "seeds": [0, 1],
    "shards": 2,
}


def small(study: str = "tiny") -> dict[str, Any]:
    """Return settings with which every rule is at work, in as few jobs as that takes.

    For what is claimed of a whole run, whatever it finds.
    """
    alone = {"gru": None, "simple_rnn": {"space": {"learning_rate": [0.01]}}}
    one = {study: {"architectures": alone}}
    few = {"seeds": [0], "shards": 1, "baselines": ["majority"]}
    return {**CONFIG, **few, "studies": [study], "settings": one}


@dataclass(frozen=True)
class Done:
    """A finished command: its exit status and all that it said."""

    status: int
    output: str


@dataclass(frozen=True)
class Plan:
    """The jobs that a dry run names, each with its rule and wildcards; `all` is not among them."""

    jobs: list[tuple[str, dict[str, str]]]

    @property
    def rules(self) -> Counter[str]:
        return Counter(rule for rule, _ in self.jobs)

    def values(self, wildcard: str, *rules: str) -> set[str]:
        """Return the values that a wildcard has in the jobs, or in those of some rules."""
        return {
            wildcards[wildcard]
            for rule, wildcards in self.jobs
            if wildcard in wildcards and (not rules or rule in rules)
        }


@dataclass
class Workflow:
    """A copy of the project."""

    folder: Path
    config: dict[str, Any] = field(default_factory=lambda: dict(CONFIG))
    files: tuple[str, ...] = ()
    """Configuration files of the project that `config` is laid over."""

    def path(self, name: str) -> Path:
        return self.folder / name

    def configure(self, over: Mapping[str, Any]) -> None:
        """Lay keys over the configuration of this copy."""
        self.config = merge(self.config, over)

    def command(self, *arguments: str, cores: int | None = 2) -> tuple[list[str], dict[str, str]]:
        """Return the command line and the environment of a Snakemake of this copy."""
        file, text = self.path("test.yaml"), yaml.safe_dump(self.config)
        # Several processes may plan the finished run at the same time.
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
        # A path after `--configfile` would be read as one more of these.
        command = [sys.executable, "-m", "snakemake", "--configfile", *self.files, file.name]
        # A run ends no sooner than this after its last job began, 3 s in the default profile.
        command += ["--max-jobs-per-timespan", "1000/1s"]
        # A profile may say how many jobs there are: then there is no word of cores.
        command += [*(["--cores", str(cores)] if cores else []), *arguments]
        # `lib` is that of the copy; `-P` would not do, since jobs start Pythons of their own.
        return command, {**os.environ, "PYTHONPATH": str(self.folder)}

    def run(
        self,
        *arguments: str,
        cores: int | None = 2,
        timeout: float = 900,
        python: str = sys.executable,
        **environment: str,
    ) -> Done:
        """Run Snakemake to its end, perhaps with another Python and more in its environment."""
        command, of_command = self.command(*arguments, cores=cores)
        done = subprocess.run(
            [python, *command[1:]],
            cwd=self.folder,
            env=of_command | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )
        return Done(done.returncode, done.stdout)

    def start(self, *arguments: str, log: str = "started.log") -> Process:
        """Start Snakemake in a process group of its own and return at once."""
        command, environment = self.command(*arguments)
        with self.path(log).open("w") as stream:
            popen = subprocess.Popen(
                command,
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Process(popen, self.path(log))

    def plan(self, *arguments: str) -> Plan:
        """Say what a run would do."""
        command, environment = self.command(*arguments)
        # What follows `python -m snakemake`.
        status, output = plan(command[3:], folder=self.folder, environment=environment)
        assert status == 0, output
        return parse_plan(output)

    def edit(self, name: str, change: Callable[[str], str]) -> None:
        """Change the text of a file; the test fails where that changes nothing."""
        file = self.path(name)
        before = file.read_text(encoding="utf-8")
        after = change(before)
        assert after != before, f"{name} is as before"
        file.write_text(after, encoding="utf-8")

    def add_code(self, name: str) -> None:
        """Add a statement to a module, as an edit that matters does."""
        self.edit(name, lambda text: text + "\n_ADDED_BY_A_TEST = 1\n")

    def tables(self) -> dict[str, bytes]:
        """Return the bytes of every table that holds no duration."""
        files = sorted(self.path("results/tables").glob("*.csv"))
        return {file.name: file.read_bytes() for file in files if file.stem not in TIMED}

    def unfinished(self) -> list[str]:
        """List files that a job began under a temporary name and left behind."""
        found = [*self.path("results").rglob("*"), *self.path("resources").rglob("*")]
        return sorted(
            str(file.relative_to(self.folder)) for file in found if ".part" in file.suffixes
        )


@dataclass
class Process:
    """A Snakemake at work."""

    popen: subprocess.Popen[bytes]
    log: Path

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, condition: Callable[[], object], *, timeout: float = 300) -> None:
        """Wait until a condition holds; the test fails where the process ends before."""
        deadline = time.monotonic() + timeout
        while not condition():
            assert self.popen.poll() is None, f"it ended too early:\n{self.output()}"
            assert time.monotonic() < deadline, f"it took too long:\n{self.output()}"
            time.sleep(0.05)

    def wait(self, *, timeout: float = 600) -> Done:
        return Done(self.popen.wait(timeout), self.output())

    def jobs(self) -> list[psutil.Process]:
        """List the processes that it started."""
        try:
            return psutil.Process(self.popen.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def kill(self, *, orphans: bool = False) -> list[psutil.Process]:
        """Kill Snakemake without a warning, with its jobs or, as `orphans`, without them.

        Returns
        -------
        list of psutil.Process
            The jobs that it had.
        """
        jobs = self.jobs()
        self.popen.kill()
        if not orphans:
            for job in jobs:
                end(job)
        self.popen.wait()
        # A signal is sent at once and takes its time to arrive.
        while not orphans and any(map(alive, jobs)):
            time.sleep(0.05)
        return jobs


def alive(process: psutil.Process) -> bool:
    """Tell whether a process is at work; one that has ended may stay listed for a while."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end(process: psutil.Process) -> None:
    """Kill a process that may have ended by itself."""
    try:
        process.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        return


def parse_plan(output: str) -> Plan:
    """Read the jobs from what a dry run says."""
    jobs: list[tuple[str, dict[str, str]]] = []
    for line in output.splitlines():
        if found := re.fullmatch(r"(?:local)?(?:rule|checkpoint) (\w+):", line):
            jobs.append((found[1], {}))
        elif jobs and line.startswith("    wildcards: "):
            pairs = line.removeprefix("    wildcards: ").split(", ")
            jobs[-1][1].update(pair.split("=", 1) for pair in pairs)
    return Plan([job for job in jobs if job[0] != "all"])


def set_up(folder: Path) -> Workflow:
    """Copy the project into a folder, with a study for tests and without any result."""
    for part in PARTS:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            target.symlink_to(source.readlink())
        elif source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    for source in (ROOT / "resources").glob("*.*"):
        shutil.copy2(source, folder / "resources" / source.name)
    shutil.copy2(STUDY, folder / "config" / "studies")
    return Workflow(folder)
