"""Mirror, simulator, changes of source, and what a person put there."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from lib.errors import HeldoutError
from lib.files import sha256
from lib.retrieve import Network, read_registry, retrieve
from lib.retrieve.state import MARKER, files_in, listing
from lib.simulate.simulator import NOTE
from tests.support.registries import tiny_registry

REGISTRY = Path(__file__).parents[3] / "resources" / "registry"
A, B = b"signal a", b"signal b, longer"


def registry(**changes: Any) -> dict[str, Any]:
    return tiny_registry({"a.dat": A, "sub/b.dat": B}, "http://127.0.0.1:9/") | changes


CONSENT = {
    "files": [],
    "base_url": None,
    "consent": "Accept the terms at https://example.org and unpack it into {folder}.",
    "adopt": "corpus-*/*/validated.tsv",
}


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for path, body in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body)
    return folder


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    write(tmp_path / "mirror" / "tiny", {"a.dat": A, "sub/b.dat": B, "extra.csv": b"1"})
    return tmp_path / "mirror"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data" / "tiny"


def run(data: Path, source: str, **options: Any) -> dict[str, Any]:
    options = {"registry": registry(), **options}
    return retrieve("tiny", source=source, folder=data, **options)


def visible(folder: Path) -> list[str]:
    paths = (p for p in folder.rglob("*") if p.is_file() and p.name not in (MARKER, NOTE))
    return sorted(p.relative_to(folder).as_posix() for p in paths)


def paths(manifest: dict[str, Any]) -> list[str]:
    return [row["path"] for row in manifest["files"]]


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Stand in for the simulator; the list holds the calls that it got."""
    calls: list[dict[str, Any]] = []

    def simulate(dataset: str, folder: Path, *, seed: int = 0, scale: float = 1.0) -> None:
        calls.append({"dataset": dataset, "seed": seed, "scale": scale})
        made = {"a.dat": f"simulated {seed} {scale}".encode(), "c.dat": b"c", NOTE: b""}
        write(Path(folder), made)

    monkeypatch.setattr("lib.retrieve.simulated.simulate", simulate)
    return calls


# --- mirror ---


def test_a_mirror_is_linked_to_and_verified(data: Path, mirror: Path) -> None:
    manifest = run(data, "mirror", mirror=mirror)
    assert visible(data) == ["a.dat", "extra.csv", "sub/b.dat"] == paths(manifest)
    assert manifest["files"][0] == {
        "path": "a.dat",
        "bytes": len(A),
        "sha256": sha256(data / "a.dat"),
    }
    assert manifest["missing"] == 0
    assert data.resolve() == (mirror / "tiny").resolve()
    assert manifest == {
        **manifest,
        "dataset": "tiny",
        "title": "Tiny",
        "source": "mirror",
        "simulated": False,
        "version": "1",
        "licence": "CC0-1.0",
        "landing_page": "https://example.org/tiny",
        "citation": ["Nobody"],
    }


def test_a_mirror_is_never_written_to(
    data: Path, mirror: Path, simulator: list[dict[str, Any]]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in mirror.rglob("*")}
    for source in ("mirror", "simulated", "mirror"):
        run(data, source, mirror=mirror)
    with pytest.raises(HeldoutError, match="expected the file"):
        run(data, "download", network=Network(attempts=1))
    assert {path: path.stat().st_mtime_ns for path in mirror.rglob("*")} == before
    assert visible(data) == []


def test_another_mirror_is_read_anew(data: Path, mirror: Path, tmp_path: Path) -> None:
    run(data, "mirror", mirror=mirror)
    other = tmp_path / "other"
    (tmp_path / "mirror").rename(other)
    write(mirror / "tiny", {"a.dat": b"Signal a"})
    status = (other / "tiny/a.dat").stat()
    os.utime(mirror / "tiny/a.dat", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert run(data, "mirror", mirror=other)["missing"] == 0
    with pytest.raises(HeldoutError, match="expected SHA-256"):
        run(data, "mirror", mirror=mirror)
    assert data.resolve() == (other / "tiny").resolve(), "only what was verified is linked to"


def test_a_mirror_by_a_relative_path(
    data: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(mirror.parent)
    run(data, "mirror", mirror="mirror")
    assert (data / "a.dat").read_bytes() == A


def test_a_wrong_byte_in_the_mirror_is_an_error(data: Path, mirror: Path) -> None:
    (mirror / "tiny/a.dat").write_bytes(b"Signal a")
    expected = hashlib.sha256(A).hexdigest()
    got = hashlib.sha256(b"Signal a").hexdigest()
    with pytest.raises(HeldoutError, match=rf"tiny/a\.dat: expected SHA-256 {expected}, got {got}"):
        run(data, "mirror", mirror=mirror)
    assert not (data / "a.dat").exists()


def test_a_wrong_size_in_the_mirror_is_an_error(data: Path, mirror: Path) -> None:
    (mirror / "tiny/a.dat").write_bytes(b"Signal")
    with pytest.raises(HeldoutError, match=r"tiny/a\.dat: expected 8 bytes, got 6"):
        run(data, "mirror", mirror=mirror)
    assert not (data / "a.dat").exists()


def test_a_file_that_was_damaged_in_the_mirror_is_found(data: Path, mirror: Path) -> None:
    run(data, "mirror", mirror=mirror)
    (mirror / "tiny/a.dat").write_bytes(b"Signal a")
    with pytest.raises(HeldoutError, match="expected SHA-256"):
        run(data, "mirror", mirror=mirror)


def test_a_partial_mirror_counts_what_is_missing(data: Path, mirror: Path) -> None:
    (mirror / "tiny/sub/b.dat").unlink()
    manifest = run(data, "mirror", mirror=mirror)
    assert manifest["missing"] == 1
    assert paths(manifest) == ["a.dat", "extra.csv"]


def test_no_mirror(data: Path, tmp_path: Path) -> None:
    with pytest.raises(HeldoutError, match="Set `mirror` to it"):
        run(data, "mirror")
    with pytest.raises(HeldoutError, match=r"nowhere/tiny: expected a folder with Tiny, got none"):
        run(data, "mirror", mirror=tmp_path / "nowhere")


def test_a_mirror_without_a_usable_file(data: Path, tmp_path: Path) -> None:
    write(tmp_path / "mirror/tiny", {"readme.txt": b"", ".a.dat": A})
    with pytest.raises(
        HeldoutError, match=r"expected files of Tiny \(such as a\.dat\), got 1 other"
    ):
        run(data, "mirror", mirror=tmp_path / "mirror")


def test_a_link_out_of_the_mirror_is_refused(data: Path, mirror: Path, tmp_path: Path) -> None:
    secret = write(tmp_path / "elsewhere", {"secret": b"s"}) / "secret"
    (mirror / "tiny/link.dat").symlink_to(secret)
    with pytest.raises(HeldoutError, match=r"link\.dat: expected a file inside .*, got a link to"):
        run(data, "mirror", mirror=mirror)
    (mirror / "tiny/link.dat").unlink()
    (mirror / "tiny/folder").symlink_to(secret.parent)
    with pytest.raises(HeldoutError, match=r"tiny/folder: expected a file inside"):
        run(data, "mirror", mirror=mirror)


def test_a_link_inside_the_mirror_is_taken_as_a_file(data: Path, mirror: Path) -> None:
    (mirror / "tiny/a.dat").rename(mirror / "tiny/real.bin")
    (mirror / "tiny/a.dat").symlink_to("real.bin")
    run(data, "mirror", mirror=mirror)
    assert (data / "a.dat").read_bytes() == A


def test_a_pipe_in_the_mirror_is_refused(data: Path, mirror: Path) -> None:
    os.mkfifo(mirror / "tiny/pipe")
    with pytest.raises(HeldoutError, match="pipe: expected an ordinary file"):
        run(data, "mirror", mirror=mirror)


def test_the_folder_is_no_mirror_of_itself(data: Path) -> None:
    write(data, {"a.dat": A})
    with pytest.raises(HeldoutError, match="the dataset's own folder"):
        run(data, "mirror", mirror=data.parent)
    assert visible(data) == ["a.dat"]


def test_a_link_of_ours_is_no_mirror_of_itself(data: Path, mirror: Path) -> None:
    manifest = run(data, "mirror", mirror=mirror)
    # The link leads to the mirror, and the mirror not to the link.
    assert run(data, "mirror", mirror=data.parent) == manifest
    assert data.resolve() == (mirror / "tiny").resolve()
    with pytest.raises(HeldoutError, match="expected the file"):
        run(data, "download", network=Network(attempts=1))
    with pytest.raises(HeldoutError, match="the dataset's own folder"):
        run(data, "mirror", mirror=data.parent)


def test_a_mirror_of_simulated_data_is_refused(
    data: Path, tmp_path: Path, simulator: list[dict[str, Any]]
) -> None:
    run(tmp_path / "other/tiny", "simulated")
    with pytest.raises(HeldoutError, match="expected recordings, got simulated data"):
        run(data, "mirror", mirror=tmp_path / "other")


def test_a_changed_mirror_is_followed(data: Path, mirror: Path) -> None:
    run(data, "mirror", mirror=mirror)
    (mirror / "tiny/sub/b.dat").unlink()
    write(mirror / "tiny", {"extra.csv": b"22", "new.csv": b"3"})
    manifest = run(data, "mirror", mirror=mirror)
    assert paths(manifest) == ["a.dat", "extra.csv", "new.csv"]
    assert manifest["files"][1]["bytes"] == 2
    assert manifest["missing"] == 1


def test_a_mirror_run_again_reads_and_writes_nothing(
    data: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(data, "mirror", mirror=mirror)
    before = {path: path.stat() for path in data.parent.rglob("*") if path.name != "lock"}

    def refuse(path: Path) -> str:
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr("lib.retrieve.state.sha256", refuse)
    assert run(data, "mirror", mirror=mirror) == first
    after = {path: path.stat() for path in data.parent.rglob("*") if path.name != "lock"}
    assert {p: s.st_mtime_ns for p, s in after.items() if p.is_file()} == {
        p: s.st_mtime_ns for p, s in before.items() if p.is_file()
    }


@pytest.mark.parametrize("source", ["mirror", "simulated"])
def test_files_of_a_person_are_in_the_way_and_stay(
    data: Path, mirror: Path, simulator: list[dict[str, Any]], source: str
) -> None:
    write(data, {"a.dat": A, "mine.txt": b"m"})
    with pytest.raises(HeldoutError, match=r"data/tiny: expected a link .* put there by hand"):
        run(data, source, mirror=mirror)
    assert visible(data) == ["a.dat", "mine.txt"]
    # What the error says to do.
    data.rename(data.with_name(".tiny") / "download")
    run(data, source, mirror=mirror)
    with pytest.raises(HeldoutError, match=r"sub/b\.dat: expected the file"):
        run(data, "download", network=Network(attempts=1))
    assert visible(data) == ["a.dat", "mine.txt"]


# --- the simulator, and changes of source ---


def test_simulated_data_say_so(data: Path, simulator: list[dict[str, Any]]) -> None:
    manifest = run(data, "simulated", simulation={"seed": 3, "scale": 2.0})
    assert simulator == [{"dataset": "tiny", "seed": 3, "scale": 2.0}]
    assert (manifest["source"], manifest["simulated"]) == ("simulated", True)
    assert paths(manifest) == ["a.dat", "c.dat"]
    assert run(data, "simulated", simulation={"seed": 3, "scale": 2.0}) == manifest
    assert len(simulator) == 1


@pytest.mark.parametrize("how", ["settings", "loss"])
def test_simulated_data_are_made_anew_when_they_differ(
    data: Path, simulator: list[dict[str, Any]], how: str
) -> None:
    run(data, "simulated")
    if how == "loss":
        (data / "c.dat").unlink()
    seed = 1 if how == "settings" else 0
    run(data, "simulated", simulation={"seed": seed})
    assert (data / "a.dat").read_bytes() == f"simulated {seed} 1.0".encode()
    assert (data / "c.dat").read_bytes() == b"c"
    assert len(simulator) == 2


def test_simulated_data_are_made_anew_by_other_code(
    data: Path, simulator: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(data, "simulated")
    asked: list[Any] = []

    def other(*modules: str, **options: Any) -> str:
        asked.append((modules, options))
        return "other code"

    monkeypatch.setattr("lib.retrieve.simulated.code_hash", other)
    run(data, "simulated")
    run(data, "simulated")
    assert len(simulator) == 2
    assert asked == [(("lib.simulate",), {"chosen": {"lib.simulate": "tiny"}})] * 2


def test_unknown_simulation_setting(data: Path, simulator: list[dict[str, Any]]) -> None:
    with pytest.raises(HeldoutError, match="expected seed and scale, got sead"):
        run(data, "simulated", simulation={"sead": 1})


def test_a_simulator_that_fails_leaves_nothing(
    data: Path, monkeypatch: pytest.MonkeyPatch, simulator: list[dict[str, Any]]
) -> None:
    def fail(dataset: str, folder: Path, **_: Any) -> None:
        write(folder, {"half": b""})
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("lib.retrieve.simulated.simulate", fail)
        with pytest.raises(KeyboardInterrupt):
            run(data, "simulated")
    assert not data.exists()
    assert paths(run(data, "simulated")) == ["a.dat", "c.dat"]


def test_a_change_of_source_moves_and_makes_nothing(
    data: Path, mirror: Path, simulator: list[dict[str, Any]]
) -> None:
    made = run(data, "simulated")
    linked = run(data, "mirror", mirror=mirror)
    assert visible(data) == ["a.dat", "extra.csv", "sub/b.dat"]
    files = {path: path.stat().st_ino for path in data.parent.rglob("*") if path.is_file()}
    assert run(data, "simulated") == made
    assert run(data, "mirror", mirror=mirror) == linked
    assert len(simulator) == 1
    assert {p: p.stat().st_ino for p in data.parent.rglob("*") if p.is_file()} == files


def test_a_link_is_short_and_relative(data: Path, simulator: list[dict[str, Any]]) -> None:
    run(data, "simulated")
    assert data.readlink() == Path(".tiny/simulated")
    data.parent.rename(data.parent.with_name("moved"))
    assert run(data.parent.with_name("moved") / "tiny", "simulated")
    assert len(simulator) == 1


def test_a_disk_without_links_is_named(
    data: Path, simulator: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "symlink", refuse)
    with pytest.raises(HeldoutError, match="data/tiny: expected a file system with symbolic links"):
        run(data, "simulated")


@pytest.mark.parametrize("source", ["simulated", "mirror", "download"])
@pytest.mark.parametrize("name", ["mine.wav", "c.dat"])
def test_recordings_put_among_simulated_data_are_named(
    data: Path, mirror: Path, simulator: list[dict[str, Any]], source: str, name: str
) -> None:
    run(data, "simulated")
    write(data, {name: b"m"})  # through the link
    with pytest.raises(HeldoutError, match=rf"got other files among them \(first: {name}\)"):
        run(data, source, mirror=mirror, simulation={"seed": 1})
    assert (data / name).read_bytes() == b"m"
    (data.parent / ".tiny/simulated" / name).unlink()
    run(data, "simulated")
    assert visible(data) == ["a.dat", "c.dat"]


def test_simulated_data_are_never_taken_for_recordings(
    data: Path, simulator: list[dict[str, Any]]
) -> None:
    run(data, "simulated")
    with pytest.raises(HeldoutError, match="expected Tiny"):
        run(data, "download", registry=registry(**CONSENT))
    assert visible(data) == []
    # Nor where somebody made a folder of them, or a link to one.
    data.unlink()
    (data.parent / ".tiny/simulated").rename(data)
    for source in ("download", "simulated"):
        with pytest.raises(HeldoutError, match="got simulated data"):
            run(data, source, registry=registry(**CONSENT))
    data.rename(data.with_name("elsewhere"))
    data.symlink_to("elsewhere")
    with pytest.raises(HeldoutError, match="got simulated data"):
        run(data, "download", registry=registry(**CONSENT))


@pytest.mark.parametrize("name", [MARKER, NOTE])
@pytest.mark.parametrize("where", ["tiny", ".tiny/download"])
def test_either_file_tells_simulated_data(data: Path, mirror: Path, name: str, where: str) -> None:
    write(mirror / "tiny", {name: b""})
    with pytest.raises(HeldoutError, match="expected recordings, got simulated data"):
        run(data, "mirror", mirror=mirror)
    write(data.parent / where, {"a.dat": A, "sub/b.dat": B, name: b""})
    with pytest.raises(HeldoutError, match="expected recordings, got simulated data"):
        run(data, "download")
    (data.parent / where / name).unlink()
    assert paths(run(data, "download")) == ["a.dat", "sub/b.dat"]


# --- consent ---


def test_consent_says_what_to_fetch_and_where_to_put_it(data: Path) -> None:
    with pytest.raises(HeldoutError, match=r"Accept the terms at .* unpack it into .*/data/tiny\."):
        run(data, "download", registry=registry(**CONSENT))


@pytest.mark.parametrize("by_hand", [True, False])
def test_consent_given_by_hand_is_adopted(data: Path, by_hand: bool) -> None:
    entry = registry(**CONSENT)
    if not by_hand:
        with pytest.raises(HeldoutError, match="Accept the terms"):
            run(data, "download", registry=entry)
    write(data, {"elsewhere/validated.tsv": b"t"})
    with pytest.raises(HeldoutError, match="Accept the terms"):
        run(data, "download", registry=entry)
    write(data, {"corpus-7.0/es/validated.tsv": b"t", "corpus-7.0/es/clips/1.mp3": b"m"})
    manifest = run(data, "download", registry=entry)
    assert manifest["version"] == "7.0"
    assert len(manifest["files"]) == 3
    assert run(data, "download", registry=entry) == manifest


def test_common_voice_asks_for_consent(tmp_path: Path) -> None:
    entry = read_registry(REGISTRY / "common_voice.yaml")
    folder = tmp_path / "common_voice"
    with pytest.raises(HeldoutError, match=r"commonvoice\.mozilla\.org.*common_voice/cv-corpus-"):
        retrieve("common_voice", source="download", folder=folder, registry=entry)


# --- the rest ---


def test_a_persons_link_to_another_disk_is_followed(data: Path, tmp_path: Path) -> None:
    write(tmp_path / "big", {"a.dat": A, "sub/b.dat": B})
    data.parent.mkdir()
    data.symlink_to(tmp_path / "big")
    assert paths(run(data, "download")) == ["a.dat", "sub/b.dat"]
    assert data.readlink() == tmp_path / "big"


def test_an_empty_folder_makes_way(data: Path, mirror: Path) -> None:
    data.mkdir(parents=True)
    run(data, "mirror", mirror=mirror)
    assert data.is_symlink()


def test_a_broken_link_is_named(data: Path, mirror: Path, tmp_path: Path) -> None:
    data.parent.mkdir()
    data.symlink_to(tmp_path / "nowhere")
    with pytest.raises(HeldoutError, match="data/tiny: expected a folder, got a link to"):
        run(data, "mirror", mirror=mirror)


def test_a_file_in_the_place_of_the_folder_is_named(data: Path, mirror: Path) -> None:
    write(data.parent, {"tiny": b""})
    with pytest.raises(HeldoutError, match="expected a folder, got a file"):
        run(data, "mirror", mirror=mirror)


def test_unknown_source(data: Path) -> None:
    with pytest.raises(HeldoutError, match="simulated, download or mirror, got 'web'"):
        run(data, "web")


def test_a_registry_of_another_dataset(data: Path) -> None:
    with pytest.raises(HeldoutError, match="got that of other"):
        run(data, "mirror", registry=registry(dataset="other"))


def test_a_link_that_goes_round_ends(tmp_path: Path) -> None:
    folder = write(tmp_path / "f", {"a/b.dat": b"1"})
    (folder / "a/round").symlink_to(folder)
    assert files_in(folder) == ["a/b.dat"]


def test_a_listing_reads_only_what_changed(tmp_path: Path) -> None:
    folder = write(tmp_path / "f", {"a": b"1", "b": b"2"})
    first = listing(folder, ["a", "b"], known={})
    stale = {**first, "b": {**first["b"], "mtime_ns": 0, "sha256": "old"}}
    assert listing(folder, ["a", "b"], known=stale) == first
    trusted = {**first, "a": {**first["a"], "sha256": "trusted"}}
    assert listing(folder, ["a"], known=trusted)["a"]["sha256"] == "trusted"


# --- real recordings ---

REAL = {  # files in the mirror, published files that it lacks, version
    "mitdb": (147, 0, "1.0.0"),
    "ephnogram": (9, 66, "1.0.0"),
    "heartbeat_sounds": (835, 0, "2011"),
    "five_voices": (110, 0, "08f0d9c"),
    "common_voice": (101, 0, "6.1-2020-12-11"),
}


@pytest.mark.real
@pytest.mark.parametrize("dataset", REAL)
def test_real_mirror(dataset: str, tmp_path: Path) -> None:
    folder = os.environ.get("HELDOUT_DATA")
    if not folder or not (Path(folder) / dataset).is_dir():
        pytest.skip(f"HELDOUT_DATA names no folder with {dataset}")
    entry = read_registry(REGISTRY / f"{dataset}.yaml")
    manifest = retrieve(
        dataset, source="mirror", folder=tmp_path / dataset, registry=entry, mirror=folder
    )
    found = (len(manifest["files"]), manifest["missing"], manifest["version"])
    assert found == REAL[dataset]
    again = retrieve(
        dataset, source="mirror", folder=tmp_path / dataset, registry=entry, mirror=folder
    )
    assert again == manifest
