"""Where a result comes from: the code it used, the versions of the packages, the commit."""

from __future__ import annotations

import ast
import csv
import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from lib import __version__
from lib.project import cache_folder

LIBRARY = Path(__file__).parent
# Modules that only tell people something: no result depends on them.
TOLD = frozenset({"lib.errors", "lib.progress"})
# What trains, compares and reports. What made the features is kept with them: `packages_of`.
PACKAGES = ("keras", "tensorflow", "jax", "numpy", "scikit-learn", "snakemake")


def versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """List the versions of Python and of packages, such as those that results depend on."""
    known = {"python": platform.python_version()}
    for name in packages:
        with suppress(importlib.metadata.PackageNotFoundError):
            known[name] = importlib.metadata.version(name)
    return known


def hardware() -> dict[str, str]:
    """Describe the computer that writes the page: system, processor, cores, memory (GB).

    The device of each training is in its `run.json`; on a cluster the two differ.
    """
    computer = {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
    }
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    computer["processor"] = names[0] if names else platform.processor() or "unknown"
    computer["cores"] = str(os.cpu_count() or "unknown")
    try:
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        computer["memory"] = f"{pages / 1e9:.0f} GB"
    except (ValueError, OSError, AttributeError):
        computer["memory"] = "unknown"
    return computer


def commit(folder: Path) -> str:
    """Name the commit of a checkout, with `+` where files differ from it; `unknown` outside git."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty=+", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip()


def revision(folder: Path) -> str:
    """Name the commit of a checkout; of what was installed, the version.

    Around an installed library there may be a repository of somebody else.
    """
    return commit(folder) if (folder / ".git").exists() else f"version {__version__}"


def durations(folder: Path) -> dict[str, float]:
    """Add up the seconds that the jobs of each stage took, from Snakemake's benchmarks of them.

    Parameters
    ----------
    folder : Path
        Holds a folder of benchmarks for each stage, or the one benchmark of a stage.

    Returns
    -------
    dict
        Stage to seconds, summed over jobs.
    """
    stages: dict[str, float] = {}
    for path, seconds in _benchmarks(folder):
        stage = path.stem if path.parent == folder else path.parent.name
        stages[stage] = stages.get(stage, 0.0) + seconds
    return {stage: round(seconds, 1) for stage, seconds in stages.items()}


def span(folder: Path) -> tuple[datetime, datetime]:
    """Tell when the first of the jobs began whose results are here, and when the last one ended.

    Parameters
    ----------
    folder : Path
        As for `durations`. Snakemake writes a benchmark when its job ends.

    Returns
    -------
    tuple of datetime
        Both now where there is no benchmark.
    """
    begun, ended = [], []
    for path, seconds in _benchmarks(folder):
        ended.append(path.stat().st_mtime)
        begun.append(ended[-1] - seconds)
    now = datetime.now(UTC)
    if not ended:
        return now, now
    return datetime.fromtimestamp(min(begun), UTC), datetime.fromtimestamp(max(ended), UTC)


def _benchmarks(folder: Path) -> Iterator[tuple[Path, float]]:
    """List Snakemake's benchmarks of all jobs, each with the seconds that it took."""
    for path in sorted([*folder.glob("*.tsv"), *folder.glob("*/*.tsv")]):
        with path.open(encoding="utf-8", newline="") as file:
            yield path, sum(float(row["s"]) for row in csv.DictReader(file, delimiter="\t"))


def _folder(module: str) -> Path:
    """Return the path of a dotted name inside `lib`, without a suffix: of a package its folder."""
    return LIBRARY.joinpath(*module.split(".")[1:])


@cache
def _module_file(module: str) -> Path | None:
    """Find the file of a dotted name inside `lib`; None for a name that is not a module."""
    path = _folder(module)
    for candidate in (path / "__init__.py", path.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None


# Called by these names, wherever they are raised.
_ERRORS = frozenset({"HeldoutError", "DamagedError", "UndecodableError"})


class _WithoutWords(ast.NodeTransformer):
    """Drops what is there for people: docstrings, and what errors and logs say."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return ast.Pass()
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        told = isinstance(node.func, ast.Name) and node.func.id in _ERRORS
        if isinstance(node.func, ast.Attribute):
            of = node.func.value
            told |= isinstance(of, ast.Name) and of.id in ("logger", "warnings")
            told |= node.func.attr == "within"
        if told:
            node.args, node.keywords = [], []
        return self.generic_visit(node)


@dataclass(frozen=True)
class _Syntax:
    """What a file says to the interpreter: its digest, without words and layout, and its imports.

    `imported` are dotted names, inside functions too; `by_name` what stands before the last dot of
    names that it puts together, as `import_module(f"lib.simulate.{dataset}")` does.
    """

    digest: str
    imported: list[str]
    by_name: list[str]


def _parsed(text: str) -> _Syntax:
    tree = ast.parse(text)
    _WithoutWords().visit(tree)
    imported, by_name = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            package, dot, rest = str(node.values[0].value).rpartition(".")
            if package.startswith("lib.") and dot and not rest:
                by_name.add(package)
    digest = hashlib.sha256(ast.dump(tree).encode()).hexdigest()
    return _Syntax(digest, sorted(imported), sorted(by_name))


@cache
def _reading() -> str:
    """Say what reads a file: another Python, or another version of this one, may say otherwise."""
    return sys.version + Path(__file__).read_text(encoding="utf-8")


@cache
def _syntax(file: Path) -> _Syntax:
    """Parse a file, or look up what the same bytes said: each start of Snakemake asks for all."""
    text = file.read_text(encoding="utf-8")
    key = hashlib.sha256("\0".join([_reading(), text]).encode()).hexdigest()
    kept = cache_folder() / "code" / f"{key}.json"
    try:
        return _Syntax(**json.loads(kept.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        pass
    syntax = _parsed(text)
    # Where nothing can be kept, it is parsed each time.
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_name(f"{key}.{os.getpid()}.part")
        part.write_text(json.dumps(asdict(syntax)), encoding="utf-8")
        part.replace(kept)
    return syntax


def _imports(file: Path) -> frozenset[str]:
    """List the modules of `lib` that a file imports."""
    names = _syntax(file).imported
    return frozenset(name for name in names if name.startswith("lib.") and _module_file(name))


def modules_of(
    *modules: str, without: Sequence[str] = (), chosen: Mapping[str, str] | None = None
) -> list[str]:
    """List modules of `lib` and all that they import, directly or not; see `code_hash`."""
    waiting: list[str] = list(modules)
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen or name in without:
            continue
        seen.add(name)
        file = _module_file(name)
        if file is None:
            raise ValueError(f"no module {name!r} in lib")
        waiting += _imports(file) - TOLD
        for package in _syntax(file).by_name:
            there = {f"{package}.{path.stem}" for path in _folder(package).glob("[!_]*.py")}
            asked = (chosen or {}).get(package)
            waiting += there if asked is None else there & {f"{package}.{asked}"}
    return sorted(seen)


def code_hash(
    *modules: str, without: Sequence[str] = (), chosen: Mapping[str, str] | None = None
) -> str:
    """Hash the code of modules of `lib` and of all that they import.

    Snakemake sees a change in a script, not in what the script imports. A rule that has this
    hash among its params is rerun when the code that it uses changes, and only then: comments,
    docstrings, layout, and what errors and logs say do not count.

    Parameters
    ----------
    *modules : str
        Dotted names, such as `lib.features`.
    without : sequence of str
        Modules that are left out, with what only they import.
    chosen : mapping, optional
        For a package of which modules are imported by name, as `lib.simulate` imports the simulator
        of a dataset, the one name that will be asked for. All of its modules count without.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name in modules_of(*modules, without=without, chosen=chosen):
        file = _module_file(name)
        assert file is not None
        digest.update(f"{name}\0{_syntax(file).digest}\0".encode())
    return digest.hexdigest()[:16]


def packages_of(*modules: str, without: Sequence[str] = ()) -> dict[str, str]:
    """List the packages that modules of `lib`, and all that they import, take from elsewhere.

    A rule that has them among its params is rerun when another version of one is installed.

    Parameters
    ----------
    *modules : str
        Dotted names, such as `lib.features`.
    without : sequence of str
        Modules that are left out, with what only they import.

    Returns
    -------
    dict
        Name of each package to its version, sorted; what is not installed is not among them.
    """
    files = filter(None, map(_module_file, modules_of(*modules, without=without)))
    roots = {name.partition(".")[0] for file in files for name in _syntax(file).imported}
    known: dict[str, str] = {}
    for root in roots - sys.stdlib_module_names - {LIBRARY.name}:
        known |= _versions(root)
    return dict(sorted(known.items()))


def _versions(root: str) -> dict[str, str]:
    """Look up what a name that is imported belongs to: most packages are called as they import."""
    try:
        return {root: importlib.metadata.version(root)}
    except importlib.metadata.PackageNotFoundError:
        # Reads the files of every package that is installed: half a second.
        names = importlib.metadata.packages_distributions().get(root, [])
        return {name: importlib.metadata.version(name) for name in names}
