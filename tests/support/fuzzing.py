"""Mutated files for every reader, read in a process whose memory, time and reach are limited.

python -m tests.support.fuzzing --inputs 10000 --seed 1 wav zip     # no names: every reader

Each input ends in a reading or in the project's error. Anything else is a failure: another
exception, a process that dies, memory or time beyond the limit, a file written or opened outside
of the folder, a process started, a connection made, an object unpickled. The first input of each
kind of failure is kept (--keep), to become part of the corpus when it is mended.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import strategies as st

from lib.errors import HeldoutError
from tests.support.readers import READERS

MEMORY = 3 << 30  # bytes of address space that reading may add
SECONDS = 10.0  # of a processor for one input: a busy machine makes nothing fail
WAITING = 120.0  # s for one input in all, for one that waits and does nothing
WRITTEN = 64 << 20  # bytes of the largest file that may be written
# What reading a recording never does; the interpreter says before each that it is about to.
FORBIDDEN = (
    *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork"),
    *("socket.connect", "socket.getaddrinfo", "pickle.find_class"),
)

# Numbers at which sizes, lengths and signs turn over, as words of four bytes and as text.
WORDS = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7F800000)
TEXTS = (
    *(b"0", b"-1", b"1e308", b"1e-308", b"nan", b"inf", b"99999999999", b"4294967296", b"0.001"),
    *(b"\t", b"\n", b'"', b",", b"\xff\xfe", b"\x00", b"../", b"/etc/passwd", b"http://127.0.0.1/"),
    *(b": ", b"- ", b"&a ", b"*a", b"!!python/object/apply:os.system ['true']", b"{", b"[", b"|"),
)


class Late(BaseException):
    """An input took too long; no reader catches this."""


class Forbidden(BaseException):
    """Something was done that no recording may cause."""


@dataclass
class Result:
    """What became of the inputs of one reader."""

    reader: str
    inputs: int = 0
    readings: int = 0
    refused: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    failures: dict[str, str] = field(default_factory=dict)


def changes() -> st.SearchStrategy[list[tuple[str, int, int, bytes]]]:
    """Draw what is done to the bytes of a file: kind, place, count, bytes."""
    # Most of what can go wrong stands in the head of a file.
    place = st.one_of(st.integers(0, 160), st.integers(0, 1 << 16))
    content = st.one_of(
        st.sampled_from(TEXTS),
        st.sampled_from(WORDS).map(lambda word: word.to_bytes(4, "little")),
        st.sampled_from(WORDS).map(lambda word: word.to_bytes(4, "big")),
        st.binary(min_size=1, max_size=6),
    )
    kinds = st.sampled_from(
        ["put", "put", "put", "insert", "delete", "cut", "repeat", "number", "many"]
    )
    return st.lists(st.tuples(kinds, place, st.integers(0, 40), content), min_size=1, max_size=5)


def mutate(body: bytes, done: Sequence[tuple[str, int, int, bytes]]) -> bytes:
    """Apply drawn changes to the bytes of a file."""
    for kind, place, count, content in done:
        at = place % (len(body) + 1)
        if kind == "put":
            body = body[:at] + content + body[at + len(content) :]
        elif kind == "insert":
            body = body[:at] + content + body[at:]
        elif kind == "delete":
            body = body[:at] + body[at + count :]
        elif kind == "cut":
            body = body[:at]
        elif kind == "repeat":
            body = body[:at] + body[at : at + count] * 3 + body[at:]
        elif kind == "many":
            body = body[:at] + content * (count * 50) + body[at:]
        else:  # a number in a text becomes another
            digits = [i for i in range(at, min(len(body), at + 60)) if body[i : i + 1].isdigit()]
            if digits:
                first = last = digits[0]
                while body[last : last + 1].isdigit():
                    last += 1
                body = body[:first] + content + body[last:]
    return body


def limit() -> None:
    """Bound what this process may take from here on, and what it may do."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (WRITTEN, WRITTEN))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def late(*_: object) -> None:
        raise Late(f"more than {SECONDS:g} s of a processor, or {WAITING:g} s in all")

    signal.signal(signal.SIGALRM, late)
    signal.signal(signal.SIGPROF, late)


class Watch:
    """Refuses what reading has no business to do, while it is on."""

    def __init__(self, folder: Path) -> None:
        self.on = False
        self.mine = [
            str(folder),
            *map(str, (sys.prefix, sys.base_prefix, Path(__file__).parents[2])),
        ]
        self.mine += [
            "/proc/",
            "/sys/",
            "/dev/null",
            "/dev/urandom",
            "/usr/",
            "/etc/ld",
            "/etc/mime",
        ]
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event in FORBIDDEN:
            self.on = False
            raise Forbidden(event)
        if event == "open" and isinstance(arguments[0], str | bytes):
            name = arguments[0] if isinstance(arguments[0], str) else arguments[0].decode("latin-1")
            path = str(Path(name).absolute())
            if not any(path.startswith(root) for root in self.mine) or "/../" in path:
                self.on = False
                raise Forbidden(f"open {path}")

    @contextlib.contextmanager
    def over(self) -> Iterator[None]:
        self.on = True
        try:
            yield
        finally:
            self.on = False


def fuzz(
    name: str, *, inputs: int, seed: int, folder: Path, watch: Watch, keep: Path | None
) -> Result:
    """Read mutated files with one reader and count what becomes of them."""
    reader, result = READERS[name], Result(name)
    target, bodies = reader.make(folder)
    target.write_bytes(bodies[0])
    reader.read(folder)  # what is valid is read, or the fuzzing would show nothing

    def one(which: int, done: list[tuple[str, int, int, bytes]]) -> None:
        body = mutate(bodies[which % len(bodies)], done)
        with contextlib.suppress(FileNotFoundError):
            target.unlink()
        target.write_bytes(body)
        result.inputs += 1
        # Every full collection goes through what Hypothesis keeps of all inputs: in a long run
        # that takes seconds, in which no limit is heeded, and would count as the reader's.
        gc.disable()
        began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        signal.setitimer(signal.ITIMER_REAL, WAITING)
        try:
            with watch.over():
                reader.read(folder)
            result.readings += 1
        except HeldoutError as error:
            # An error that names nothing helps nobody.
            if target.stem in str(error) or folder.name in str(error):
                result.refused += 1
            else:
                _note(result, error, body, target, keep)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            _note(result, error, body, target, keep)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
        result.slowest = max(result.slowest, time.process_time() - began)
        gc.enable()

    began = time.perf_counter()
    settings = hypothesis.settings(
        max_examples=inputs,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.seed(seed)(settings(hypothesis.given(st.integers(0, 30), changes())(one)))()
    result.seconds = round(time.perf_counter() - began, 1)
    result.slowest = round(result.slowest, 2)
    return result


def _note(
    result: Result, error: BaseException, body: bytes, target: Path, keep: Path | None
) -> None:
    """Remember a failure by its kind and where it arose."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/tests/" not in f.filename]
    where = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in frames[::-1][:4])
    kind = f"{type(error).__name__} at {where}"
    if kind in result.failures:
        return
    result.failures[kind] = str(error)[:300]
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        number = len(result.failures)
        (keep / f"{result.reader}-{number}{target.suffix}").write_bytes(body)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz some readers; one line of JSON for each, the last of them the peak of the memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("readers", nargs="*", choices=[[], *READERS])
    parser.add_argument("--inputs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="fuzz") as scratch:
        # Records are decoded through a cleaned header in a temporary folder: it lies here, too.
        tempfile.tempdir = scratch
        watch = Watch(Path(scratch))
        limited, failed = False, False
        for name in given.readers or READERS:
            folder = Path(scratch) / name
            folder.mkdir()
            if not limited:
                READERS[name].warm_up()
                limit()
                limited = True
            # Where the process dies, this tells which reader it was in.
            print(json.dumps({"begun": name}), flush=True)
            result = fuzz(
                name,
                inputs=given.inputs,
                seed=given.seed,
                folder=folder,
                watch=watch,
                keep=given.keep,
            )
            failed |= bool(result.failures)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(json.dumps({**asdict(result), "peak_mb": peak}), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
