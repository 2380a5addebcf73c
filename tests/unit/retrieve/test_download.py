"""Downloads from a server that misbehaves."""

from __future__ import annotations

import hashlib
import io
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lib.datasets.registry import DATASETS
from lib.errors import HeldoutError
from lib.retrieve import Network, retrieve
from tests.support import broken_server as bad
from tests.support.broken_server import Server, serving
from tests.support.registries import tiny_registry

QUICK = Network(attempts=4, backoff=0.01, backoff_max=1.5, timeout=5, threads=3)
BODY = random.Random(0).randbytes(300_000)
OTHER = random.Random(1).randbytes(300_000)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving({}) as made:
        yield made


def registry(server: Server, files: dict[str, bytes | None], **changes: Any) -> dict[str, Any]:
    return tiny_registry(files, server.url, **changes)


def run(tmp_path: Path, entry: dict[str, Any], **options: Any) -> dict[str, Any]:
    options = {"network": QUICK, **options}
    folder = tmp_path / "data" / entry["dataset"]
    return retrieve(entry["dataset"], source="download", folder=folder, registry=entry, **options)


def visible(tmp_path: Path) -> list[str]:
    folder = tmp_path / "data" / "tiny"
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def parts(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "data" / ".tiny").rglob("*.part"))


def test_files_come_whole_and_the_manifest_lists_them(server: Server, tmp_path: Path) -> None:
    files = {"b/a file.bin": BODY, "a.bin": OTHER}
    server.content = {"b/a%20file.bin": BODY, "a.bin": OTHER}
    seen: list[tuple[str, int, int | None]] = []
    manifest = run(tmp_path, registry(server, files), progress=lambda *row: seen.append(row))
    assert visible(tmp_path) == ["a.bin", "b/a file.bin"]
    assert (tmp_path / "data/tiny/b/a file.bin").read_bytes() == BODY
    assert [row["path"] for row in manifest["files"]] == ["a.bin", "b/a file.bin"]
    assert manifest["files"][0] == {
        "path": "a.bin",
        "bytes": len(OTHER),
        "sha256": hashlib.sha256(OTHER).hexdigest(),
    }
    assert (manifest["source"], manifest["simulated"], manifest["missing"]) == (
        "download",
        False,
        0,
    )
    assert ("a.bin", len(OTHER), len(OTHER)) in seen
    assert parts(tmp_path) == []


def test_a_second_run_fetches_nothing(server: Server, tmp_path: Path) -> None:
    server.content = {"a": BODY}
    entry = registry(server, {"a": BODY})
    first = run(tmp_path, entry)
    assert run(tmp_path, entry) == first
    assert len(server.requests) == 1


def test_a_second_run_reads_nothing(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.content = {"a": BODY}
    entry = registry(server, {"a": BODY})
    first = run(tmp_path, entry)

    def refuse(path: Path) -> str:
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr("lib.retrieve.state.sha256", refuse)
    assert run(tmp_path, entry) == first


@pytest.mark.parametrize("where", [0.1, 0.5, 0.9])
def test_a_cut_connection_is_resumed(server: Server, tmp_path: Path, where: float) -> None:
    server.content = {"a": BODY}
    server.faults = {"a": [bad.cut(where)]}
    run(tmp_path, registry(server, {"a": BODY}))
    assert (tmp_path / "data/tiny/a").read_bytes() == BODY
    assert server.asked("a") == [None, f"bytes={int(len(BODY) * where)}-"]


@pytest.mark.parametrize("tags", ["etag", ""])
def test_a_server_that_ignores_range_is_asked_from_the_start(
    server: Server, tmp_path: Path, tags: str
) -> None:
    server.content = {"a": BODY}
    server.faults = {"a": [bad.cut(0.5, tags=tags)]}
    server.last = lambda at: at.well(ranges=False, tags=tags)
    run(tmp_path, registry(server, {"a": BODY}))
    assert (tmp_path / "data/tiny/a").read_bytes() == BODY


def test_a_server_that_always_cuts_is_given_up(server: Server, tmp_path: Path) -> None:
    server.content = {"a": BODY}
    server.last = bad.cut(0.5, ranges=False)
    with pytest.raises(HeldoutError, match=r"/a: expected the file, got .* after 4 tries"):
        run(tmp_path, registry(server, {"a": BODY}))
    assert visible(tmp_path) == []
    # The next run, with a better line, needs no more than the rest.
    server.last = bad.Exchange.well
    server.requests.clear()
    run(tmp_path, registry(server, {"a": BODY}))
    assert server.asked("a") == ["bytes=150000-"]
    assert (tmp_path / "data/tiny/a").read_bytes() == BODY


def test_many_cuts_are_no_failure_while_bytes_come(server: Server, tmp_path: Path) -> None:
    server.content = {"a": BODY}
    server.faults = {"a": [bad.cut(k / 12) for k in range(1, 12)]}  # far more cuts than attempts
    run(tmp_path, registry(server, {"a": BODY}))
    assert (tmp_path / "data/tiny/a").read_bytes() == BODY


def test_another_range_than_asked_for_is_not_used(server: Server, tmp_path: Path) -> None:
    server.content = {"a": BODY}
    another = bad.partial(lambda a, n: {"Content-Range": f"bytes {a - 7}-{n - 1}/{n}"})
    server.faults = {"a": [bad.cut(0.5), another]}
    run(tmp_path, registry(server, {"a": BODY}))
    assert (tmp_path / "data/tiny/a").read_bytes() == BODY
    assert server.asked("a")[-1] is None


@pytest.mark.parametrize("tags", ["etag", ""])
@pytest.mark.parametrize("known", [True, False])
def test_a_file_that_changes_between_tries_is_never_mixed(
    server: Server, tmp_path: Path, tags: str, known: bool
) -> None:
    server.content = {"a": OTHER}
    entry = registry(server, {"a": OTHER if known else None})
    server.content = {"a": BODY}
    server.last = bad.cut(0.5, ranges=False, tags=tags)
    with pytest.raises(HeldoutError, match="tries"):
        run(tmp_path, entry)
    server.content, server.last = {"a": OTHER}, lambda at: at.well(tags=tags)
    server.requests.clear()
    run(tmp_path, entry)
    # With a tag the server tells by itself that the file is another one (If-Range).
    assert len(server.requests) == (1 if tags or not known else 2)
    assert (tmp_path / "data/tiny/a").read_bytes() == OTHER


def test_a_part_that_is_whole_is_only_verified(server: Server, tmp_path: Path) -> None:
    server.content = {"a": BODY}
    server.last = bad.cut(0.5, ranges=False)
    with pytest.raises(HeldoutError):
        run(tmp_path, registry(server, {"a": BODY}))
    (part,) = parts(tmp_path)
    part.write_bytes(BODY)
    server.requests.clear()
    run(tmp_path, registry(server, {"a": BODY}))
    assert server.requests == []
    assert visible(tmp_path) == ["a"]


@pytest.mark.parametrize("damage", ["longer", "bytes", "info"])
def test_a_damaged_part_is_not_used(server: Server, tmp_path: Path, damage: str) -> None:
    server.content = {"a": BODY}
    server.last = bad.cut(0.5, ranges=False)
    with pytest.raises(HeldoutError):
        run(tmp_path, registry(server, {"a": BODY}))
    server.last = bad.Exchange.well
    (part,) = parts(tmp_path)
    if damage == "longer":
        part.write_bytes(BODY + b"more")
    elif damage == "bytes":
        part.write_bytes(OTHER[:1000])
    else:
        part.with_name("a.part.json").write_text("{")
    run(tmp_path, registry(server, {"a": BODY}))
    assert (tmp_path / "data/tiny/a").read_bytes() == BODY


def test_wrong_bytes_are_refused_and_not_left(server: Server, tmp_path: Path) -> None:
    server.content = {"a": OTHER}
    digest = hashlib.sha256(BODY).hexdigest()
    with pytest.raises(HeldoutError, match=f"/a: expected SHA-256 {digest}, got "):
        run(tmp_path, registry(server, {"a": BODY}))
    assert visible(tmp_path) == []
    assert parts(tmp_path) == []


def test_wrong_bytes_once_are_fetched_again(server: Server, tmp_path: Path) -> None:
    server.content = {"a": BODY}
    server.faults = {"a": [bad.body(lambda _: OTHER)]}
    run(tmp_path, registry(server, {"a": BODY}))
    assert (tmp_path / "data/tiny/a").read_bytes() == BODY


@pytest.mark.parametrize("body", [BODY[:-1], BODY + b"x", b""])
def test_wrong_length_is_refused(server: Server, tmp_path: Path, body: bytes) -> None:
    server.content = {"a": body}
    with pytest.raises(HeldoutError, match=rf"expected 300,000 bytes, got {len(body):,}\b"):
        run(tmp_path, registry(server, {"a": BODY}))
    assert visible(tmp_path) == []


def test_a_file_of_unknown_size_has_a_limit(server: Server, tmp_path: Path) -> None:
    server.content = {"a": BODY}
    network = Network(attempts=2, backoff=0.01, largest=1000)
    with pytest.raises(HeldoutError, match="expected at most 1,000 bytes"):
        run(tmp_path, registry(server, {"a": None}), network=network)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_not_repeated(server: Server, tmp_path: Path, status: int) -> None:
    server.content = {"a": BODY}
    server.last = bad.status(status)
    with pytest.raises(HeldoutError, match=rf"{server.url}a: .* HTTP {status}.*mirror"):
        run(tmp_path, registry(server, {"a": BODY}))
    assert len(server.requests) == 1


def test_missing_file_is_named(server: Server, tmp_path: Path) -> None:
    with pytest.raises(HeldoutError, match=rf"{server.url}a: expected the file, got HTTP 404"):
        run(tmp_path, registry(server, {"a": BODY}))


@pytest.mark.parametrize(
    ("faults", "least"),
    [
        ([bad.status(429, Retry_After=0)], 0.0),
        ([bad.status(429, Retry_After=1)], 1.0),
        ([bad.status(503)] * 2, 0.0),
        ([bad.status(503, Retry_After="nonsense")], 0.0),
    ],
)
def test_a_busy_server_is_waited_for(
    server: Server, tmp_path: Path, faults: list[Any], least: float
) -> None:
    server.content = {"a": BODY}
    server.faults = {"a": list(faults)}
    before = time.monotonic()
    run(tmp_path, registry(server, {"a": BODY}))
    assert time.monotonic() - before >= least
    assert len(server.requests) == len(faults) + 1
    assert (tmp_path / "data/tiny/a").read_bytes() == BODY


def test_a_server_that_stays_busy_is_given_up(server: Server, tmp_path: Path) -> None:
    server.content = {"a": BODY}
    server.last = bad.status(503)
    with pytest.raises(HeldoutError, match=r"HTTP 503 .* after 4 tries"):
        run(tmp_path, registry(server, {"a": BODY}))
    assert len(server.requests) == 4


def test_a_server_that_is_not_there_is_named(server: Server, tmp_path: Path) -> None:
    entry = registry(server, {"a": BODY}, base_url="http://127.0.0.1:9/")
    with pytest.raises(HeldoutError, match=r"http://127\.0\.0\.1:9/a: expected the file, got "):
        run(tmp_path, entry)


def test_one_failure_keeps_what_others_brought(server: Server, tmp_path: Path) -> None:
    server.content = {"a": BODY}
    entry = registry(server, {"a": BODY, "b": OTHER})
    with pytest.raises(HeldoutError, match="/b: "):
        run(tmp_path, entry, network=Network(threads=1, backoff=0.01))
    server.content["b"] = OTHER
    run(tmp_path, entry)
    assert len(server.asked("a")) == 1
    assert visible(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("through_link", [True, False])
def test_files_of_a_person_are_adopted_and_the_wrong_ones_named(
    server: Server, tmp_path: Path, through_link: bool
) -> None:
    folder = tmp_path / "data" / "tiny"
    entry = registry(server, {"a": BODY, "b": OTHER})
    if through_link:
        with pytest.raises(HeldoutError, match="expected the file, got HTTP 404"):
            run(tmp_path, entry)
    else:
        folder.mkdir(parents=True)
    server.content = {"b": OTHER}
    server.requests.clear()
    (folder / "a").write_bytes(BODY)
    (folder / "b").write_bytes(b"not what was published")
    (folder / "notes.txt").write_bytes(b"mine")
    for _ in range(2):
        with pytest.raises(HeldoutError, match=r"tiny/b: expected .* put there by hand") as caught:
            run(tmp_path, entry)
        assert caught.value.place == str(folder / "b")
        assert (folder / "b").read_bytes() == b"not what was published"
    (folder / "b").unlink()
    manifest = run(tmp_path, entry)
    assert [name for name, _ in server.requests] == ["b"]
    assert (folder / "b").read_bytes() == OTHER
    assert [row["path"] for row in manifest["files"]] == ["a", "b", "notes.txt"]
    assert folder.is_symlink() == through_link


def test_only_what_is_as_it_was_fetched_is_fetched_again(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "tiny"
    folder.mkdir(parents=True)
    (folder / "a").write_bytes(BODY)
    server.content = {"a": BODY, "b": OTHER}
    run(tmp_path, registry(server, {"a": BODY, "b": OTHER}))
    # The publisher has another version of both: `b` was fetched, `a` is a person's.
    server.content["b"] = b"version 2"
    entry = registry(server, {"a": BODY, "b": b"version 2"})
    run(tmp_path, entry)
    assert (folder / "b").read_bytes() == b"version 2"
    with pytest.raises(HeldoutError, match="tiny/a: expected 9 bytes, got 300,000"):
        run(tmp_path, registry(server, {"a": b"version 2", "b": b"version 2"}))
    assert (folder / "a").read_bytes() == BODY


@pytest.mark.parametrize("by_hand", ["a folder", "a link"])
@pytest.mark.parametrize("mine", [OTHER, BODY[:-1], b"mine"])
def test_a_folder_of_a_person_is_safe_after_a_download(
    server: Server, tmp_path: Path, mine: bytes, by_hand: str
) -> None:
    """What is known of files that were fetched is not said of those of another folder."""
    server.content = {"a": BODY}
    entry = registry(server, {"a": BODY})
    run(tmp_path, entry)
    folder = tmp_path / "data" / "tiny"
    folder.unlink()
    if by_hand == "a link":
        (tmp_path / "big").mkdir()
        folder.symlink_to(tmp_path / "big")
    else:
        folder.mkdir()
    (folder / "a").write_bytes(mine)
    for _ in range(2):
        with pytest.raises(HeldoutError, match=r"tiny/a: expected .* put there by hand"):
            run(tmp_path, entry)
        assert (folder / "a").read_bytes() == mine


def test_a_file_of_a_person_is_safe_where_size_and_time_deceive(
    server: Server, tmp_path: Path
) -> None:
    server.content = {"a": BODY}
    run(tmp_path, registry(server, {"a": BODY}))
    file = tmp_path / "data/tiny/a"
    status = file.stat()
    file.write_bytes(OTHER)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(HeldoutError, match="tiny/a: expected 9 bytes"):
        run(tmp_path, registry(server, {"a": b"version 2"}))
    assert file.read_bytes() == OTHER


def test_a_file_that_appears_during_a_download_is_safe(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "data/tiny/a"
    server.content = {"a": BODY}
    entry = registry(server, {"a": BODY})

    def appear(*_: Any) -> None:
        file.write_bytes(b"mine")

    with pytest.raises(HeldoutError, match="tiny/a: expected nothing there yet"):
        run(tmp_path, entry, progress=appear)
    assert file.read_bytes() == b"mine"
    with pytest.raises(HeldoutError, match=r"tiny/a: expected .* put there by hand"):
        run(tmp_path, entry)
    file.unlink()
    run(tmp_path, entry)
    assert len(server.asked("a")) == 1, "what came the first time is used"


def test_files_move_into_place_across_disks(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace

    def refuse(source: Any, target: Any) -> None:
        if Path(source).parent != Path(target).parent:
            raise OSError(18, "another disk")
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    server.content = {"sub/a": BODY}
    run(tmp_path, registry(server, {"sub/a": BODY}))
    assert visible(tmp_path) == ["sub/a"]
    assert (tmp_path / "data/tiny/sub/a").read_bytes() == BODY


@pytest.mark.parametrize("changed", [OTHER, BODY[:-1]])
def test_a_file_that_changed_is_named_and_fetched_again_without_it(
    server: Server, tmp_path: Path, changed: bytes
) -> None:
    """Nobody can say whether it was damaged or replaced through the link, so it is not touched."""
    server.content = {"a": BODY}
    entry = registry(server, {"a": BODY})
    first = run(tmp_path, entry)
    path = tmp_path / "data/tiny/a"
    path.write_bytes(changed)
    for _ in range(2):
        with pytest.raises(HeldoutError, match=r"tiny/a: expected .* changed since it was fetched"):
            run(tmp_path, entry)
        assert path.read_bytes() == changed
    path.unlink()
    assert run(tmp_path, entry) == first
    assert path.read_bytes() == BODY


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_killed_in_the_middle_and_called_again(
    server: Server, tmp_path: Path, share: float
) -> None:
    entry = kill_after_b(server, tmp_path, share)
    assert visible(tmp_path) == ["b"]
    manifest = run(tmp_path, entry)
    clean = run(tmp_path / "clean", entry)
    assert manifest == clean
    assert visible(tmp_path) == ["a", "b"]
    assert (server.asked("a")[1] or "").startswith("bytes=")  # it went on where it was killed
    assert len(server.asked("b")) == 2  # once before the kill, once for the clean folder


def test_what_a_killed_run_fetched_is_known_as_fetched(server: Server, tmp_path: Path) -> None:
    kill_after_b(server, tmp_path, 0.5)
    server.content["b"] = b"version 2"
    run(tmp_path, registry(server, {"a": BODY, "b": b"version 2"}))
    assert (tmp_path / "data/tiny/b").read_bytes() == b"version 2"


def kill_after_b(server: Server, tmp_path: Path, share: float) -> dict[str, Any]:
    """Kill a download when `b` is in place and a share of `a` has come; return the registry."""
    server.content = {"a": BODY, "b": OTHER}
    server.faults = {"a": [bad.stall(share)]}
    entry = registry(server, {"a": BODY, "b": OTHER})
    (tmp_path / "r.yaml").write_text(yaml.safe_dump(entry))
    code = (
        "import sys; from lib.retrieve import read_registry, retrieve;"
        "retrieve('tiny', source='download', folder=sys.argv[1],"
        " registry=read_registry(sys.argv[2]))"
    )
    folder = tmp_path / "data" / "tiny"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(tmp_path / "r.yaml")],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    part = tmp_path / "data" / ".tiny" / "parts" / "a.part"
    # Written bytes reach the file in blocks: wait for the first of them and for the other file.
    wait_for(lambda: part.exists() and part.stat().st_size > 0 and (folder / "b").exists(), process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return entry


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)


# --- archives ---


def packed(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, body in members.items():
            opened.writestr(name, body)
    return buffer.getvalue()


NORMAL = {
    "Training B Normal/103_1305031931979_B.wav": b"one",
    "Training B Normal/Btraining_noisynormal/101_1305030823364_D2.wav": b"two",
    "Training B Normal/.DS_Store": b"junk",
    "__MACOSX/Training B Normal/._103_1305031931979_B.wav": b"junk",
}
PLACES = [
    "set_b/normal__103_1305031931979_B.wav",
    "set_b/normal_noisynormal_101_1305030823364_D2.wav",
]


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let members be named as those of the heart sounds are."""
    known = {"tiny": DATASETS["heartbeat_sounds"]}
    monkeypatch.setattr("lib.retrieve.publisher.DATASETS", known)


def test_members_keep_their_paths_where_a_corpus_says_nothing(
    server: Server, tmp_path: Path
) -> None:
    server.content = {"Btraining_normal.zip": packed({PLACES[0]: b"one", PLACES[1]: b"two"})}
    run(tmp_path, archive_registry(server))
    assert visible(tmp_path) == PLACES


def archive_registry(server: Server, recordings: int = 2, **changes: Any) -> dict[str, Any]:
    row = {
        "path": "Btraining_normal.zip",
        "bytes": None,
        "sha256": None,
        "holds": "set_b/normal_*.wav",
        "recordings": recordings,
    }
    return registry(server, {}, archives=[row], **changes)


@pytest.mark.usefixtures("named")
def test_an_archive_is_unpacked_into_the_published_layout(server: Server, tmp_path: Path) -> None:
    body = packed(NORMAL)
    server.content = {"Btraining_normal.zip": body}
    server.faults = {"Btraining_normal.zip": [bad.cut(0.5)]}
    entry = archive_registry(server)
    manifest = run(tmp_path, entry)
    assert visible(tmp_path) == PLACES
    assert (tmp_path / "data/tiny" / PLACES[0]).read_bytes() == b"one"
    assert manifest["archives"] == [
        {
            "path": "Btraining_normal.zip",
            "bytes": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
        }
    ]
    server.requests.clear()
    assert run(tmp_path, entry) == manifest
    # A recording that is lost comes from the archive that is kept; one that changed is named.
    (tmp_path / "data/tiny" / PLACES[0]).unlink()
    (tmp_path / "data/tiny" / PLACES[1]).write_bytes(b"TWO")
    with pytest.raises(HeldoutError, match=f"{PLACES[1]}: expected .* changed since"):
        run(tmp_path, entry)
    assert (tmp_path / "data/tiny" / PLACES[1]).read_bytes() == b"TWO"
    (tmp_path / "data/tiny" / PLACES[1]).unlink()
    assert run(tmp_path, entry) == manifest
    assert server.requests == []
    assert (tmp_path / "data/tiny" / PLACES[1]).read_bytes() == b"two"


@pytest.mark.usefixtures("named")
def test_recordings_of_a_person_are_adopted_after_an_archive_was_unpacked(
    server: Server, tmp_path: Path
) -> None:
    server.content = {"Btraining_normal.zip": packed(NORMAL)}
    run(tmp_path, archive_registry(server))
    folder = tmp_path / "data/tiny"
    folder.unlink()
    for path in PLACES:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"mine")
    manifest = run(tmp_path, archive_registry(server))
    assert "archives" not in manifest
    assert [(folder / path).read_bytes() for path in PLACES] == [b"mine", b"mine"]


@pytest.mark.usefixtures("named")
def test_a_recording_of_a_person_is_not_overwritten(server: Server, tmp_path: Path) -> None:
    mine = tmp_path / "data/tiny" / PLACES[1]
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    server.content = {"Btraining_normal.zip": packed(NORMAL)}
    for _ in range(2):
        with pytest.raises(HeldoutError, match=f"{PLACES[1]}: expected .* put there by hand"):
            run(tmp_path, archive_registry(server))
        assert mine.read_bytes() == b"mine"
    mine.unlink()
    run(tmp_path, archive_registry(server))
    assert mine.read_bytes() == b"two"
    assert len(server.requests) == 1


@pytest.mark.usefixtures("named")
def test_an_excluded_recording_of_an_archive_is_nobodys_concern(
    server: Server, tmp_path: Path
) -> None:
    """It is neither verified nor unpacked, and the archive is not fetched for it."""
    entry, name = archive_registry(server), Path(PLACES[1]).stem
    server.content = {"Btraining_normal.zip": packed(NORMAL)}
    assert len(run(tmp_path, entry, exclude=[name])["files"]) == 1
    assert visible(tmp_path) == PLACES[:1]
    assert run(tmp_path, entry)["files"][1]["path"] == PLACES[1]
    (tmp_path / "data/tiny" / PLACES[1]).write_bytes(b"damaged")
    server.requests.clear()
    assert len(run(tmp_path, entry, exclude=[name])["files"]) == 1
    assert server.requests == []
    with pytest.raises(HeldoutError, match="put there by hand, or changed"):
        run(tmp_path, entry)
    # What was fetched stays known as such: no person put it there.
    assert run(tmp_path, entry, exclude=[Path(PLACES[0]).stem, name])["files"] == []
    (tmp_path / "data/tiny" / PLACES[1]).unlink()
    assert len(run(tmp_path, entry)["files"]) == 2


def test_an_excluded_file_is_not_fetched(server: Server, tmp_path: Path) -> None:
    server.content = {"a.dat": b"a", "b.dat": b"b"}
    entry = registry(server, dict(server.content))
    assert len(run(tmp_path, entry, exclude=["b"])["files"]) == 1
    assert not any("b.dat" in str(request) for request in server.requests)
    assert len(run(tmp_path, entry)["files"]) == 2


@pytest.mark.usefixtures("named")
def test_recordings_that_a_person_put_there_are_adopted(server: Server, tmp_path: Path) -> None:
    for path in PLACES:
        target = tmp_path / "data/tiny" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"x")
    manifest = run(tmp_path, archive_registry(server))
    assert server.requests == []
    assert [row["path"] for row in manifest["files"]] == PLACES


@pytest.mark.usefixtures("named")
def test_an_archive_with_too_few_recordings_is_refused(server: Server, tmp_path: Path) -> None:
    server.content = {"Btraining_normal.zip": packed(NORMAL)}
    with pytest.raises(HeldoutError, match="expected 3 recordings, got 2"):
        run(tmp_path, archive_registry(server, 3))


@pytest.mark.usefixtures("named")
def test_an_archive_that_is_a_web_page_is_refused(server: Server, tmp_path: Path) -> None:
    server.content = {"Btraining_normal.zip": b"<html>moved</html>"}
    entry = archive_registry(server, consent="Or fetch it into {folder}.")
    with pytest.raises(HeldoutError, match=r"a zip file .* Or fetch it into .*data/tiny\."):
        run(tmp_path, entry)
    # It is fetched anew, not remembered.
    server.content = {"Btraining_normal.zip": packed(NORMAL)}
    run(tmp_path, entry)
    assert visible(tmp_path) == PLACES
