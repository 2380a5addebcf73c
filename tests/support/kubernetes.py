"""A stand-in for the API of Kubernetes: a Job is a process in an empty folder, as in a pod."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

WORKDIR = "/workdir"


class Cluster:
    """What was asked of the stand-in, and the processes that it started.

    Parameters
    ----------
    folder : Path
        Empty. Working directories of pods, their output and claims are made in it.
    path : str
        PATH of the pods: what an image has.
    """

    def __init__(self, folder: Path, *, path: str) -> None:
        self.folder = folder
        self.jobs: dict[str, dict[str, Any]] = {}
        self.secrets: dict[str, dict[str, str]] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._path = path

    @property
    def kubeconfig(self) -> Path:
        """The file that KUBECONFIG names."""
        return self.folder / "kubeconfig.yaml"

    def create(self, body: dict[str, Any]) -> None:
        """Start the one container of a Job."""
        name, spec = body["metadata"]["name"], body["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        workdir = self.folder / name
        workdir.mkdir()
        claims = {
            volume["name"]: volume["persistentVolumeClaim"]["claimName"]
            for volume in spec["volumes"]
            if "persistentVolumeClaim" in volume
        }
        for mount in container["volumeMounts"]:
            if mount["name"] in claims:
                claim = self.folder / "claims" / claims[mount["name"]]
                claim.mkdir(parents=True, exist_ok=True)
                inside = workdir / Path(mount["mountPath"]).relative_to(WORKDIR)
                inside.parent.mkdir(parents=True, exist_ok=True)
                inside.symlink_to(claim)
        self.jobs[name] = body
        environment = {"PATH": self._path, "HOME": os.fspath(workdir)}
        for variable in container.get("env", []):
            secret = variable["valueFrom"]["secretKeyRef"]
            value = base64.b64decode(self.secrets[secret["name"]][secret["key"]])
            environment[variable["name"]] = value.decode()
        with (self.folder / f"{name}.log").open("wb") as log:
            self._processes[name] = subprocess.Popen(
                [*container["command"], *container["args"]],
                cwd=workdir,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def status(self, name: str) -> dict[str, int]:
        """Return the status of a Job."""
        status = self._processes[name].poll()
        if status is None:
            return {"active": 1}
        return {"failed": 1} if status else {"succeeded": 1}

    def logs(self) -> str:
        """Return what the pods said."""
        return "\n".join(file.read_text() for file in sorted(self.folder.glob("*.log")))

    def stop(self) -> None:
        """End what is still at work."""
        for process in self._processes.values():
            process.terminate()
            process.wait()


@contextmanager
def cluster(folder: Path, *, path: str) -> Iterator[Cluster]:
    """Serve the part of the API that the executor plugin uses."""
    made = Cluster(folder, path=path)

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, body: Mapping[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path.startswith("/apis/batch/v1/"):
                made.create(body)
            else:
                made.secrets[body["metadata"]["name"]] = body["data"]
            self._answer(body)

        def do_GET(self) -> None:
            if self.path.startswith("/apis/batch/v1/"):
                self._answer({"status": made.status(self.path.split("/")[-2])})
            else:
                self._answer({"items": []})

        def do_DELETE(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._answer({})

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        context = {"name": "here", "context": {"cluster": "here", "user": "here"}}
        address = {"name": "here", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "clusters": [address],
            "contexts": [context],
            "users": [{"name": "here", "user": {}}],
        }
        made.kubeconfig.write_text(yaml.safe_dump(config))
        try:
            yield made
        finally:
            server.shutdown()
            made.stop()
