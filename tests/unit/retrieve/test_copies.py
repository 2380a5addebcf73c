"""A mirror in a store: which addresses its files have, and what becomes of their copies."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from lib.errors import HeldoutError
from lib.retrieve import addresses, in_store, provider, read_registry, retrieve
from tests.support.registries import tiny_registry

REGISTRY = Path(__file__).parents[3] / "resources" / "registry"
FILES = {"a 1.dat": b"signal a", "sub/b.dat": b"signal b, longer"}


def registry(**changes: Any) -> dict[str, Any]:
    return tiny_registry(FILES, "http://127.0.0.1:9/") | changes


@pytest.fixture
def copies(tmp_path: Path) -> list[Path]:
    """Write copies under names that say nothing, as a plugin may choose them."""
    paths = []
    for number, body in enumerate(FILES.values()):
        paths.append(tmp_path / f"copy{number}")
        paths[-1].write_bytes(body)
    return paths


def stored(folder: Path, copies: list[Path], **options: Any) -> dict[str, Any]:
    taken = {"registry": registry(), "mirror": "s3://lab/x", "copies": copies, **options}
    return retrieve("tiny", source="mirror", folder=folder, **taken)


def test_copies_are_verified_and_become_the_dataset(tmp_path: Path, copies: list[Path]) -> None:
    manifest = stored(tmp_path / "data" / "tiny", copies)
    assert manifest["source"] == "mirror"
    assert manifest["missing"] == 0
    assert [row["path"] for row in manifest["files"]] == sorted(FILES)
    for copy in copies:
        copy.unlink()
    # They may go, and what was fetched from the publisher would be the same.
    for path, body in FILES.items():
        assert (tmp_path / "data" / "tiny" / path).read_bytes() == body
    fetched = retrieve(
        "tiny", source="download", folder=tmp_path / "data" / "tiny", registry=registry()
    )
    assert fetched == manifest | {"source": "download"}


def test_a_copy_with_other_bytes_is_named_and_not_kept(tmp_path: Path, copies: list[Path]) -> None:
    copies[1].write_bytes(b"signal b, langer")
    with pytest.raises(HeldoutError, match=r"copy1: expected SHA-256 .* replace it there"):
        stored(tmp_path / "tiny", copies)
    assert not (tmp_path / "tiny" / "sub" / "b.dat").exists()
    copies[1].write_bytes(FILES["sub/b.dat"])
    assert stored(tmp_path / "tiny", copies)["missing"] == 0


def test_what_is_excluded_has_no_address(tmp_path: Path, copies: list[Path]) -> None:
    assert addresses("s3://lab/x/", registry(), exclude=["b"]) == ["s3://lab/x/tiny/a 1.dat"]
    manifest = stored(tmp_path / "tiny", copies[:1], exclude=["b"])
    assert [row["path"] for row in manifest["files"]] == ["a 1.dat"]


@pytest.mark.parametrize(
    ("mirror", "first"),
    [
        ("s3://lab/x", "s3://lab/x/tiny/a 1.dat"),
        ("https://lab.org/x", "https://lab.org/x/tiny/a%201.dat"),
        ("fs:///net/x", "/net/x/tiny/a 1.dat"),
    ],
)
def test_addresses_are_written_as_the_plugin_takes_them(mirror: str, first: str) -> None:
    assert addresses(mirror, registry(), exclude=[])[0] == first


def test_an_archive_is_a_file_of_the_store(tmp_path: Path) -> None:
    content = read_registry(REGISTRY / "heartbeat_sounds.yaml")
    found = addresses("s3://lab", content, exclude=[])
    assert "s3://lab/heartbeat_sounds/Atraining_murmur.zip" in found
    (archive,) = (row for row in content["archives"] if row["path"] == "Atraining_murmur.zip")
    with zipfile.ZipFile(tmp_path / "copy", "w") as packed:
        for number in range(3):
            packed.writestr(f"Atraining_murmur/20110101000{number}.wav", b"RIFF" + bytes([number]))
    archive |= {"bytes": None, "sha256": None, "recordings": 3}
    manifest = retrieve(
        "heartbeat_sounds",
        source="mirror",
        folder=tmp_path / "data" / "heartbeat_sounds",
        registry=content | {"archives": [archive], "files": []},
        mirror="s3://lab",
        copies=[tmp_path / "copy"],
    )
    assert manifest["missing"] == 0
    assert [row["path"] for row in manifest["files"]] == [
        f"set_a/murmur__20110101000{number}.wav" for number in range(3)
    ]


def test_a_dataset_without_a_list_of_files_needs_a_folder() -> None:
    content = read_registry(REGISTRY / "common_voice.yaml")
    with pytest.raises(HeldoutError, match=r"Copy common_voice/ into a folder"):
        addresses("s3://lab", content, exclude=[])


@pytest.mark.parametrize(
    ("mirror", "package"),
    [("gs://lab", "gcs"), ("sftp://lab", "sftp"), ("https://lab", "http"), ("a b://x", "a b")],
)
def test_a_plugin_that_is_not_there_is_named(
    mirror: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.retrieve.copies.find_spec", lambda _: None)
    with pytest.raises(
        HeldoutError, match=f"expected the package snakemake-storage-plugin-{package}"
    ):
        provider(mirror)


def test_a_folder_is_no_store() -> None:
    assert not in_store(None)
    assert not in_store("/data/recordings")
    assert in_store("s3://bucket/recordings")
