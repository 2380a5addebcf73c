"""An HTTP server on the loopback that does what servers do on their worst days."""

from __future__ import annotations

import contextlib
import functools
import gzip
import hashlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[["Exchange"], None]


class Exchange:
    """One request, and the means to answer it well or badly."""

    def __init__(self, server: Server, handler: BaseHTTPRequestHandler) -> None:
        self.server, self.handler = server, handler
        self.body = server.content.get(handler.path.removeprefix("/"), b"")
        match = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        self.start = int(match[1]) if match else None
        self.condition = handler.headers.get("If-Range")

    @property
    def tag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'

    def head(self, status: int, headers: dict[str, Any]) -> None:
        self.handler.send_response(status)
        for name, value in headers.items():
            self.handler.send_header(name, str(value))
        self.handler.end_headers()

    def send(self, content: bytes) -> None:
        """Send bytes of a body, and count those that went out."""
        # Before: whoever has the last byte may ask for the count at once.
        self.server.served += len(content)
        try:
            self.handler.wfile.write(content)
            self.handler.wfile.flush()
        except ConnectionError:
            self.server.served -= len(content)

    def close(self) -> None:
        self.handler.close_connection = True

    def well(self, *, until: int | None = None, ranges: bool = True, tags: str = "etag") -> None:
        """Answer as a good server does, perhaps cut off before the byte `until` of the file."""
        headers: dict[str, Any] = {}
        if tags == "etag":
            headers["ETag"] = self.tag
        elif tags == "weak":
            headers["ETag"] = f"W/{self.tag}"
        elif tags == "date":
            day = int(hashlib.sha256(self.body).hexdigest(), 16) % 27 + 1
            headers["Last-Modified"] = f"Mon, {day:02} Jan 2024 00:00:00 GMT"
        known = headers.get("ETag", headers.get("Last-Modified"))
        start = self.start if ranges and self.condition in (None, known) else None
        if start is not None and start >= len(self.body):
            self.head(416, {"Content-Range": f"bytes */{len(self.body)}", "Content-Length": 0})
            return
        first = start or 0
        headers["Content-Length"] = len(self.body) - first
        if start is None:
            self.head(200, headers)
        else:
            size = len(self.body)
            self.head(206, {**headers, "Content-Range": f"bytes {first}-{size - 1}/{size}"})
        self.send(self.body[first:until])
        if until is not None:
            self.close()


class Server:
    """Serves `content`, by path. `faults` answer the next requests of a path; then `last` answers.

    What is not among the content is missing: 404.
    """

    def __init__(self, content: Mapping[str, bytes]) -> None:
        self.content = dict(content)
        self.faults: dict[str, list[Answer]] = {}
        self.last: Answer = Exchange.well
        self.served = 0
        self.requests: list[tuple[str, str | None]] = []
        """Path and range of each."""
        self.ended = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                path = self.path.removeprefix("/")
                outer.requests.append((path, self.headers.get("Range")))
                faults = outer.faults.get(path)
                answer = faults.pop(0) if faults else outer.last
                if path not in outer.content:
                    answer = status(404)
                with contextlib.suppress(ConnectionError):
                    answer(Exchange(outer, self))

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        # Stalled answers end with the server; nobody waits for them.
        self._http.block_on_close = False
        self.url = f"http://127.0.0.1:{self._http.server_port}/"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def asked(self, path: str) -> list[str | None]:
        """Return the range of each request of a path, None where there was none."""
        return [wanted for name, wanted in self.requests if name == path]

    def close(self) -> None:
        self.ended.set()
        self._http.shutdown()
        self._http.server_close()


def cut(share: float, **options: Any) -> Answer:
    """Close the connection after a share of the file."""
    return lambda at: at.well(until=int(share * len(at.body)), **options)


def without_ranges(at: Exchange) -> None:
    at.well(ranges=False)


def status(code: int, **headers: Any) -> Answer:
    """Answer with a status and no body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda at: at.head(code, {**named, "Content-Length": 0})


def body(content: Callable[[bytes], bytes], *, length: Callable[[bytes], Any] = len) -> Answer:
    """Send other bytes, or another length than is sent (None for none), and close."""

    def answer(at: Exchange) -> None:
        sent = content(at.body)
        said = length(sent)
        at.head(200, {} if said is None else {"Content-Length": said})
        at.send(sent)
        at.close()

    return answer


def partial(headers: Callable[[int, int], dict[str, Any]], *, code: int = 206) -> Answer:
    """Answer a range with headers made from the asked start and the size; else answer well."""

    def answer(at: Exchange) -> None:
        if at.start is None:
            at.well()
            return
        sent = at.body[at.start :]
        made = {"ETag": at.tag, "Content-Length": len(sent), **headers(at.start, len(at.body))}
        at.head(code, {name: value for name, value in made.items() if value is not None})
        at.send(sent)
        at.close()

    return answer


def stall(share: float) -> Answer:
    """Send a share of the file, nothing at all for 0, and then wait."""

    def answer(at: Exchange) -> None:
        if share:
            at.head(200, {"Content-Length": len(at.body), "ETag": at.tag})
            at.send(at.body[: int(share * len(at.body))])
        at.server.ended.wait(20)
        at.close()

    return answer


def raw(content: bytes) -> Answer:
    """Send bytes that are no answer of HTTP."""

    def answer(at: Exchange) -> None:
        at.send(content)
        at.close()

    return answer


def replaced(by: bytes, answer: Answer) -> Answer:
    """Let the publisher change the file, then answer."""

    def changed(at: Exchange) -> None:
        at.server.content = dict.fromkeys(at.server.content, by)
        at.body = by
        answer(at)

    return changed


def packed(content: Callable[[bytes], bytes]) -> Answer:
    """Send a compressed body that nobody asked for."""

    # Once: on a busy machine packing a bomb takes longer than a client waits.
    @functools.cache
    def made(body: bytes) -> bytes:
        return gzip.compress(content(body))

    def answer(at: Exchange) -> None:
        sent = made(at.body)
        at.head(200, {"Content-Length": len(sent), "Content-Encoding": "gzip"})
        at.send(sent)
        at.close()

    return answer


def endless(at: Exchange) -> None:
    """Send more and more."""
    at.head(200, {})
    with contextlib.suppress(ConnectionError):
        while not at.server.ended.is_set():
            at.handler.wfile.write(b"x" * 65536)
    at.close()


@contextlib.contextmanager
def serving(content: Mapping[str, bytes]) -> Iterator[Server]:
    server = Server(content)
    try:
        yield server
    finally:
        server.close()
