"""Retrieval from servers and mirrors that misbehave: the right bytes, or an error, in the end."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.errors import HeldoutError
from lib.retrieve import Network, retrieve
from tests.support import broken_server as bad
from tests.support.broken_server import Answer, Server, serving
from tests.support.registries import tiny_registry

BODY = random.Random(0).randbytes(200_000)
OTHER = random.Random(1).randbytes(200_000)
# The second is where a redirect leads.
CONTENT = {"file": BODY, "elsewhere": BODY}
QUICK = Network(attempts=3, backoff=0.001, backoff_max=0.05, timeout=0.4, threads=2)

# Each script answers the first requests; what comes after them is answered well.
MENDED: dict[str, list[Answer]] = {
    **{f"cut at {tenth * 10} %": [bad.cut(tenth / 10)] for tenth in range(10)},
    "cut at every tenth, one after the other": [bad.cut(tenth / 10) for tenth in range(1, 10)],
    "cut, no validator": [bad.cut(0.5, tags="")],
    "cut, a weak validator": [bad.cut(0.5, tags="weak")],
    "cut, a date as validator": [bad.cut(0.5, tags="date"), lambda at: at.well(tags="date")],
    "cut, then a server without ranges": [bad.cut(0.5), bad.without_ranges],
    "wrong bytes once": [bad.body(lambda b: OTHER)],
    "a page of a proxy once": [bad.body(lambda b: b"<html>Sign in</html>")],
    "too short once, its length stated": [bad.body(lambda b: b[:-7])],
    "too long once, its length stated": [bad.body(lambda b: b + b"more")],
    "too short, no length stated": [bad.body(lambda b: b[:-7], length=lambda b: None)],
    "more promised than sent": [bad.body(lambda b: b, length=lambda b: len(b) + 10)],
    "less promised than sent": [bad.body(lambda b: b, length=lambda b: len(b) - 10)],
    "a length that is no number": [bad.body(lambda b: b[:100], length=lambda b: "many")],
    "a length of other digits": [bad.body(lambda b: b[:100], length=lambda b: "\xb2\xb9")],
    "a length of 5,000 digits": [bad.body(lambda b: b[:100], length=lambda b: "9" * 5000)],
    "a negative length": [bad.body(lambda b: b[:100], length=lambda b: -5)],
    "nothing": [bad.body(lambda b: b"")],
    "429 with Retry-After in s": [bad.status(429, Retry_After=1)],
    "429 with Retry-After as a date": [
        bad.status(429, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT")
    ],
    "429 with Retry-After of a year": [bad.status(429, Retry_After=31_536_000)],
    "429 with Retry-After that is no time": [bad.status(429, Retry_After="soon")],
    "429 with a date beyond the calendar": [
        bad.status(429, Retry_After="Fri, 31 Dec 99999999 23:59:59 GMT")
    ],
    "503 twice": [bad.status(503), bad.status(503)],
    "500, then a cut": [bad.status(500), bad.cut(0.3)],
    "stalled before the headers": [bad.stall(0)],
    "stalled in the body": [bad.stall(0.5)],
    "no answer of HTTP": [bad.raw(b"\x00\x01nonsense\r\n\r\n")],
    "a head without end": [bad.raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000)],
    "300 heads": [bad.raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n")],
    "an empty answer": [bad.raw(b"")],
    "compressed, unasked": [bad.packed(lambda b: b)],
    "compressed, other bytes": [bad.packed(lambda b: OTHER)],
    "a bomb, compressed": [bad.packed(lambda b: bytes(20_000_000))],
    "without end": [bad.endless],
    "redirected to the file": [bad.status(302, Location="/elsewhere")],
    "a range from the wrong place": [
        bad.cut(0.5),
        bad.partial(lambda a, n: {"Content-Range": f"bytes {a - 9}-{n - 1}/{n}"}),
    ],
    "a range of another size": [
        bad.cut(0.5),
        bad.partial(lambda a, n: {"Content-Range": f"bytes {a}-{n}/{n + 1}"}),
    ],
    "a range that cannot be read": [
        bad.cut(0.5),
        bad.partial(lambda a, n: {"Content-Range": "lines 1-2/3"}),
    ],
    "a range without its range": [bad.cut(0.5), bad.partial(lambda a, n: {})],
    "a range of another version": [
        bad.cut(0.5),
        bad.partial(lambda a, n: {"Content-Range": f"bytes {a}-{n - 1}/{n}", "ETag": '"another"'}),
    ],
    "a range shorter than it says": [
        bad.cut(0.5),
        bad.partial(
            lambda a, n: {"Content-Range": f"bytes {a}-{n - 1}/{n}", "Content-Length": n - a + 9}
        ),
    ],
    "206 where all was asked for": [
        lambda at: at.head(206, {"Content-Range": "bytes 0-1/2", "Content-Length": 0})
    ],
    "416 for a part": [bad.cut(0.5), bad.status(416)],
    "404 for a part": [bad.cut(0.5), bad.status(503)],
    "wrong bytes in the second half": [
        bad.cut(0.5),
        bad.replaced(BODY[:100_000] + OTHER[100_000:], lambda at: at.well(tags="")),
        bad.replaced(BODY, lambda at: at.well(tags="")),
    ],
    "changed, and changed back": [
        bad.replaced(OTHER, bad.cut(0.5)),
        bad.replaced(BODY, lambda at: at.well()),
    ],
    "changed, the condition not heeded": [
        bad.replaced(OTHER, bad.cut(0.5)),
        bad.replaced(
            BODY,
            bad.partial(lambda a, n: {"Content-Range": f"bytes {a}-{n - 1}/{n}", "ETag": None}),
        ),
    ],
}
# What is answered every time, and what the error says.
REFUSED: dict[str, tuple[Answer, str]] = {
    "wrong bytes": (bad.body(lambda b: OTHER), "expected SHA-256"),
    "too short": (bad.body(lambda b: b[:-1]), "expected 200,000 bytes, got 199,999"),
    "too long": (bad.body(lambda b: b + b"x"), "expected 200,000 bytes, got 200,001"),
    "a page": (bad.body(lambda b: b"<html>Sign in</html>"), "expected 200,000 bytes, got 20"),
    "nothing": (bad.body(lambda b: b""), "expected 200,000 bytes, got 0"),
    "401": (bad.status(401), "got HTTP 401"),
    "403": (bad.status(403), "got HTTP 403"),
    "404": (bad.status(404), "got HTTP 404.*correct the registry"),
    "410": (bad.status(410), "got HTTP 410"),
    "204": (bad.status(204), "got HTTP 204"),
    "429": (bad.status(429, Retry_After=0), "got HTTP 429.* after 3 tries"),
    "503": (bad.status(503), "got HTTP 503.* after 3 tries"),
    "a redirect to itself": (bad.status(302, Location="/file"), "leads nowhere"),
    "a redirect to a file": (bad.status(302, Location="file:///etc/passwd"), "leads nowhere"),
    "a redirect to nowhere": (bad.status(302, Location="http://"), "leads nowhere"),
    "a redirect to a closed port": (
        bad.status(302, Location="http://127.0.0.1:1/"),
        "after 3 tries",
    ),
    "cut before the first byte": (bad.cut(0), "after 3 tries that brought nothing new"),
    "stalled": (bad.stall(0), "after 3 tries"),
    "no answer of HTTP": (bad.raw(b"nonsense\r\n\r\n"), "after 3 tries"),
    "an empty answer": (bad.raw(b""), "after 3 tries"),
    "without end": (bad.endless, "expected at most 200,000 bytes, got more"),
    "a bomb, compressed": (bad.packed(lambda b: bytes(9_000_000)), "expected at most 200,000"),
}


def registry(url: str, **known: Any) -> dict[str, Any]:
    made = tiny_registry({"file": BODY}, url)
    made["files"][0] |= known
    return made


def fetch(folder: Path, entry: dict[str, Any], *, network: Network = QUICK) -> None:
    retrieve("tiny", source="download", folder=folder / "tiny", registry=entry, network=network)


def in_place(folder: Path) -> list[str]:
    """List what lies in the dataset's folder; whatever it is must be the right bytes."""
    found = [path for path in (folder / "tiny").rglob("*") if path.is_file()]
    assert all(path.read_bytes() == BODY for path in found), "a wrong file is in place"
    return [path.name for path in found]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(CONTENT) as made:
        yield made


@pytest.mark.parametrize("name", MENDED)
def test_what_may_pass_ends_in_the_right_bytes(server: Server, tmp_path: Path, name: str) -> None:
    server.faults["file"] = list(MENDED[name])
    fetch(tmp_path, registry(server.url))
    assert in_place(tmp_path) == ["file"]
    assert server.faults["file"] == [], "not all of the fault was met"


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_pass_is_an_error_and_a_later_run_mends_it(
    server: Server, tmp_path: Path, name: str
) -> None:
    server.last, words = REFUSED[name]
    with pytest.raises(HeldoutError, match=words) as caught:
        fetch(tmp_path, registry(server.url))
    assert server.url in str(caught.value)
    assert in_place(tmp_path) == []
    server.last = bad.Exchange.well
    fetch(tmp_path, registry(server.url))
    assert in_place(tmp_path) == ["file"]


@pytest.mark.parametrize("tags", ["etag", "date", ""])
@pytest.mark.parametrize("tenth", range(1, 10))
def test_a_resumed_download_fetches_nothing_twice(
    server: Server, tmp_path: Path, tenth: int, tags: str
) -> None:
    """Given up in one run, gone on with in the next: each byte is served once."""
    server.faults["file"] = [bad.cut(tenth / 10, tags=tags)]
    server.last = bad.status(503)
    with pytest.raises(HeldoutError, match="it goes on where it stopped"):
        fetch(tmp_path, registry(server.url))
    assert in_place(tmp_path) == []
    server.last = lambda at: at.well(tags=tags)
    fetch(tmp_path, registry(server.url))
    assert in_place(tmp_path) == ["file"]
    assert server.served == len(BODY)


@pytest.mark.parametrize("tags", ["etag", "date", ""])
@pytest.mark.parametrize("heeds", [True, False])
def test_a_file_that_changed_upstream_is_refused_not_mixed(
    server: Server, tmp_path: Path, heeds: bool, tags: str
) -> None:
    server.faults["file"] = [bad.cut(0.5, tags=tags)]
    server.last = bad.replaced(OTHER, lambda at: at.well(ranges=not heeds, tags=tags))
    with pytest.raises(HeldoutError, match="expected SHA-256"):
        fetch(tmp_path, registry(server.url))
    assert in_place(tmp_path) == []


@pytest.mark.parametrize("tags", ["etag", "date", "weak", ""])
def test_a_file_without_checksum_is_never_of_two_versions(
    server: Server, tmp_path: Path, tags: str
) -> None:
    """Nobody published a checksum: then all of it is of one version, the later one."""
    server.faults["file"] = [bad.cut(0.5, tags=tags)]
    server.last = bad.replaced(OTHER, lambda at: at.well(tags=tags))
    fetch(tmp_path, registry(server.url, bytes=None, sha256=None))
    assert (tmp_path / "tiny" / "file").read_bytes() == OTHER


ANSWERS = [answer for script in MENDED.values() for answer in script if answer is not bad.endless]
ANSWERS = [a for a in ANSWERS if a not in MENDED["stalled in the body"]]
ANSWERS += [answer for answer, _ in REFUSED.values() if answer is not bad.endless]
SEQUENCES = 60


@settings(max_examples=SEQUENCES)
@given(script=st.lists(st.sampled_from(ANSWERS), max_size=6))
def test_any_sequence_of_faults_ends_well_or_in_an_error(
    tmp_path_factory: pytest.TempPathFactory, script: list[Answer]
) -> None:
    folder = tmp_path_factory.mktemp("data")
    network = Network(attempts=3, backoff=0.001, backoff_max=0.01, timeout=0.1)
    with serving(CONTENT) as server:
        server.faults["file"] = list(script)
        for _ in range(len(script) + 1):
            try:
                fetch(folder, registry(server.url), network=network)
            except HeldoutError as error:
                assert server.url in str(error)
                assert in_place(folder) == []
                server.content = dict(CONTENT)
            else:
                break
        assert in_place(folder) == ["file"]


def _short(file: Path) -> None:
    file.write_bytes(BODY[:-1])


def _link(target: str) -> Callable[[Path], None]:
    def make(file: Path) -> None:
        file.unlink()
        file.symlink_to(target)

    return make


def _pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


MIRRORS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "other bytes of the same length": (lambda file: file.write_bytes(OTHER), "expected SHA-256"),
    "too short": (_short, "expected 200,000 bytes, got 199,999"),
    "too long": (lambda file: file.write_bytes(BODY + b"x"), "got 200,001"),
    "empty": (lambda file: file.write_bytes(b""), "expected 200,000 bytes, got 0"),
    "a link out of it": (_link("/etc/passwd"), "got a link to /etc/passwd"),
    "a link upwards": (_link("../../outside"), "got a link to"),
    "a link to nothing": (_link("nothing"), "got a broken link"),
    "a link to itself": (_link("file"), "file: expected"),
    "a pipe": (_pipe, "expected an ordinary file, got something else"),
    "a folder": (_folder, "expected files of Tiny"),
}


@pytest.mark.parametrize("name", MIRRORS)
def test_a_mirror_that_lies_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside").write_bytes(BODY)
    file = tmp_path / "mirror" / "tiny" / "file"
    file.parent.mkdir(parents=True)
    file.write_bytes(BODY)
    lie, words = MIRRORS[name]
    lie(file)
    options: dict[str, Any] = {"mirror": tmp_path / "mirror", "registry": registry("http://x/")}
    with pytest.raises(HeldoutError, match=words):
        retrieve("tiny", source="mirror", folder=tmp_path / "tiny", **options)
    assert in_place(tmp_path) == []
    if file.is_dir():
        file.rmdir()
    file.unlink(missing_ok=True)
    file.write_bytes(BODY)
    retrieve("tiny", source="mirror", folder=tmp_path / "tiny", **options)
    assert in_place(tmp_path) == ["file"]


def test_a_mirror_that_changes_while_it_is_read(tmp_path: Path) -> None:
    """A mirror linked into place must not change what is there when it is written anew."""
    file = tmp_path / "mirror" / "tiny" / "file"
    file.parent.mkdir(parents=True)
    file.write_bytes(BODY)
    options: dict[str, Any] = {"mirror": tmp_path / "mirror", "registry": registry("http://x/")}
    retrieve("tiny", source="mirror", folder=tmp_path / "tiny", **options)
    file.write_bytes(OTHER)  # in place: where it was linked, the copy changes with it
    with pytest.raises(HeldoutError, match="expected SHA-256"):
        retrieve("tiny", source="mirror", folder=tmp_path / "tiny", **options)


def test_two_runs_at_once_fetch_a_file_once(server: Server, tmp_path: Path) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            fetch(tmp_path, registry(server.url))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert in_place(tmp_path) == ["file"]
    assert server.served == len(BODY)
