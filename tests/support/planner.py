"""Dry runs by processes that have Snakemake imported already: half of their time is importing."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

# Each line names a command; a fork of this process runs it, as a process of its own would: `lib` is
# imported from where that command finds it.
SERVER = """
import json, os, sys, traceback
import snakemake.cli

def run(arguments, folder, environment, output):
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[1:1] = environment.get("PYTHONPATH", "").split(os.pathsep)
    sys.argv = [snakemake.cli.__file__, *arguments]
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, file), (2, file)):
        os.dup2(source, stream)
    try:
        snakemake.cli.main(arguments)
    except SystemExit as ended:
        return ended.code or 0
    except BaseException:
        traceback.print_exc()
        return 1

for line in sys.stdin:
    child = os.fork()
    if not child:
        status = run(**json.loads(line))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status or 0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@cache
def _server() -> subprocess.Popen[str]:
    # What the tests have on their path is not what a copy of the project has.
    names = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = subprocess.Popen([sys.executable, "-c", SERVER], cwd="/", env=names, **pipes)
    atexit.register(_end, started)
    return started


def _end(server: subprocess.Popen[str]) -> None:
    assert server.stdin
    server.stdin.close()
    server.wait()


def plan(
    arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str]
) -> tuple[int, str]:
    """Do a dry run in a folder; give its exit status, and all that it said."""
    server = _server()
    assert server.stdin
    assert server.stdout
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as output:
        asked = {"arguments": [*arguments, "--dry-run"], "folder": os.fspath(folder)}
        asked |= {"environment": dict(environment), "output": output.name}
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        return int(server.stdout.readline()), output.read()
