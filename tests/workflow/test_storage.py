"""A mirror in a store, read by the storage plugins of Snakemake from servers on this machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from lib.files import read_json
from tests.support.registries import tiny_registry
from tests.support.tools import tool
from tests.support.workflow import Done, Workflow

pytestmark = pytest.mark.slow
KEYS = {"ACCESS_KEY": "user", "SECRET_KEY": "password"}
FILES: dict[str, bytes | None] = {
    # The publisher's own name has a blank.
    "gtzan/_train/James.01 .au": b"one",
    "audio/James.021.au": b"two, longer",
}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a folder with a small dataset, and with a name that says nothing."""
    for path, body in FILES.items():
        assert body is not None
        (tmp_path / "store" / "five_voices" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "store" / "five_voices" / path).write_bytes(body)
    return tmp_path / "store"


@pytest.fixture
def web(store: Path) -> Iterator[str]:
    """Serve the folder over HTTP."""
    handler = partial(SimpleHTTPRequestHandler, directory=os.fspath(store))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def bucket(store: Path) -> Iterator[str]:
    """Start an S3 server that has the folder as a bucket, and return its address."""
    program, python = tool("moto", "moto_server"), tool("plugins", "python")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [program, "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None
            time.sleep(0.1)
        upload = (
            "import sys, boto3, pathlib\n"
            "address, folder = sys.argv[1:]\n"
            "s3 = boto3.client('s3', endpoint_url=address, region_name='us-east-1',"
            " aws_access_key_id='user', aws_secret_access_key='password')\n"
            "s3.create_bucket(Bucket='lab')\n"
            "for path in pathlib.Path(folder).rglob('*'):\n"
            "    if path.is_file():\n"
            "        key = path.relative_to(folder).as_posix()\n"
            "        s3.upload_file(str(path), 'lab', f'recordings/{key}')\n"
        )
        address = f"http://127.0.0.1:{port}"
        subprocess.run([python, "-c", upload, address, os.fspath(store)], check=True)
        yield address
    finally:
        server.terminate()
        server.wait()


def retrieve(fresh: Workflow, mirror: str, *arguments: str) -> Done:
    """Run the rule `retrieve` alone, with the environment that has the plugins."""
    address = "https://example.org/"
    registry = tiny_registry(FILES, address, dataset="five_voices")
    fresh.path("resources/registry/five_voices.yaml").write_text(yaml.safe_dump(registry))
    fresh.configure({"studies": ["voices"], "mirror": mirror, "simulation": {"seed": 1}})
    keys = {f"SNAKEMAKE_STORAGE_S3_{key}": value for key, value in KEYS.items()}
    target = "resources/data/five_voices.json"
    return fresh.run(target, *arguments, python=tool("plugins", "python"), **keys)


def check(fresh: Workflow) -> None:
    """See that the dataset is there, whole, as from a folder, and nothing is left of the copies."""
    manifest = read_json(fresh.path("resources/data/five_voices.json"))
    assert (manifest["source"], manifest["missing"]) == ("mirror", 0)
    for path, body in FILES.items():
        assert (fresh.path("resources/data/five_voices") / path).read_bytes() == body
    left = fresh.path(".snakemake/storage").rglob("*")
    assert [path for path in left if path.is_file()] == []


def test_from_a_bucket(fresh: Workflow, store: Path, bucket: str) -> None:
    where = ("--storage-s3-endpoint-url", bucket)
    done = retrieve(fresh, "s3://lab/recordings", *where)
    assert done.status == 0, done.output
    check(fresh)
    again = retrieve(fresh, "s3://lab/recordings", *where)
    assert "Nothing to be done" in again.output


def test_from_a_web_server(fresh: Workflow, web: str) -> None:
    done = retrieve(fresh, web)
    assert done.status == 0, done.output
    check(fresh)


def test_from_a_file_system_of_the_network(fresh: Workflow, store: Path) -> None:
    if shutil.which("rsync") is None:
        pytest.skip("needs rsync, which the plugin copies with")
    done = retrieve(fresh, f"fs://{store}")
    assert done.status == 0, done.output
    check(fresh)


def test_a_damaged_copy_stops_the_run_and_is_named(fresh: Workflow, store: Path) -> None:
    if shutil.which("rsync") is None:
        pytest.skip("needs rsync, which the plugin copies with")
    (store / "five_voices" / "audio" / "James.021.au").write_bytes(b"two, langer")
    done = retrieve(fresh, f"fs://{store}")
    assert done.status != 0
    assert "James.021.au: expected SHA-256" in done.output
    assert "replace it there" in done.output


def test_a_file_that_is_missing_is_named_before_anything_runs(fresh: Workflow, store: Path) -> None:
    (store / "five_voices" / "audio" / "James.021.au").unlink()
    done = retrieve(fresh, f"fs://{store}")
    assert done.status != 0
    assert "Missing input files for rule retrieve" in done.output
    assert "five_voices/audio/James.021.au" in done.output


def test_a_plugin_that_is_missing_is_named_with_its_package(fresh: Workflow) -> None:
    fresh.configure({"studies": ["voices"], "mirror": "zenodo://1"})
    done = fresh.run("--dry-run")
    assert done.status != 0
    assert "expected the package snakemake-storage-plugin-zenodo, got not installed" in done.output
