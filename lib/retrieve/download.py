"""Fetching one published file over HTTP: resumed, retried, verified, and moved into place whole."""

from __future__ import annotations

import os
import random
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import urllib3
from urllib3.util import Retry

from lib.errors import HeldoutError
from lib.files import read_json, sha256, write_json
from lib.retrieve.registry import RegistryFile, fault_of

Report = Callable[[str, int, int | None], None]  # path, bytes so far, bytes in all
CHUNK = 1 << 16
# What a server may call a number: no other digits of Unicode, nor thousands of them.
_COUNT = "[0-9]{1,18}"
# Addresses that no further try will fix.
_HOPELESS = (
    requests.TooManyRedirects,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
)
_PASSING = (408, 425, 429, 500, 502, 503, 504)  # statuses that another try may fix

_OTHER_BYTES = (
    "The publisher or something between has other bytes than the registry says. Nothing was kept. "
    "Try another network; if it stays, compare with the publisher's checksums and correct the "
    "registry ({path})."
)
_UNREACHABLE = (
    "Check the network, or wait where the server is busy, and run again: it goes on where it "
    "stopped."
)
_UNWRITABLE = (
    "Make room on that disk, or let it be written to, and run again: it goes on where it stopped."
)


@dataclass(frozen=True)
class Network:
    """How patiently, and how much at a time, files are fetched.

    Attributes
    ----------
    attempts : int
        Tries in a row that bring nothing new before a file is given up. A try that brings bytes
        starts the count anew, so that a long file comes through a bad line.
    backoff, backoff_max : float
        First pause and longest pause between two tries, s. A server's own Retry-After is honoured
        up to `backoff_max`.
    timeout : float
        Longest wait for a connection, and for the next bytes, s.
    threads : int
        Files fetched at the same time.
    largest : int
        Bytes accepted of a file whose size is not published.
    """

    attempts: int = 6
    backoff: float = 1.0
    backoff_max: float = 120.0
    timeout: float = 60.0
    threads: int = 4
    largest: int = 4 << 30


class Stopped(Exception):
    """Another file failed, or a person interrupted: this one is left where it is."""


class _TryAgainError(Exception):
    """The connection or the server failed in a way that may pass."""

    def __init__(self, text: str, *, wait: float | None = None) -> None:
        super().__init__(text)
        self.wait = wait


class _WrongBytesError(Exception):
    """What came is not what the registry promises."""

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(expected, got)
        self.expected, self.got = expected, got


class Fetcher:
    """Fetches files over HTTP; safe to call from threads.

    Parameters
    ----------
    network : Network
        Patience.
    report : callable
        Called with a path, its bytes so far, and its bytes in all (None where unknown).

    Attributes
    ----------
    stop : threading.Event
        Ends every download when set.
    """

    def __init__(self, network: Network, report: Report) -> None:
        self.network, self.report = network, report
        self.stop, self._local = threading.Event(), threading.local()

    def _http(self) -> requests.Session:
        """Open a session for each thread, since none is made to be shared."""
        if not hasattr(self._local, "http"):
            self._local.http = requests.Session()
            # A compressed body would make sizes and ranges mean something else.
            headers = {"User-Agent": "heldout", "Accept-Encoding": "identity"}
            self._local.http.headers.update(headers)
        return self._local.http

    def fetch(self, file: RegistryFile, part: Path) -> str:
        """Fetch a file to `part`, going on from what an earlier run left there, and verify it.

        Parameters
        ----------
        file : RegistryFile
            What to fetch; size and checksum are verified where they are known.
        part : Path
            Where the bytes are gathered. It and `{part}.json` survive a crash.

        Returns
        -------
        str
            The SHA-256 of the whole file, which now lies at `part`. The caller moves it into place
            and then calls `forget`, in that order: a crash between the two fetches nothing twice.

        Raises
        ------
        HeldoutError
            The server refuses, cannot be reached, or sends other bytes than the registry says.
        Stopped
            `stop` was set.
        """
        if file.url is None:
            raise HeldoutError(
                file.path, "an address in the registry", "none", "Add base_url or url."
            )
        part.parent.mkdir(parents=True, exist_ok=True)
        failures, wrong, furthest = 0, 0, _size(part)
        while True:
            if self.stop.is_set():
                raise Stopped
            fresh = _size(part) == 0
            try:
                self._receive(file, part)
                return _verified(file, part)
            except _WrongBytesError as error:
                # Bytes of several tries may be of two versions of the file, and a proxy may have
                # answered once: all of it is asked for once more before it is called wrong.
                forget(part)
                wrong += fresh
                if wrong >= 2:
                    advice = _OTHER_BYTES.format(path=file.path)
                    raise HeldoutError(file.url, error.expected, error.got, advice) from error
            except _TryAgainError as error:
                size = _size(part)
                failures = 1 if size > furthest else failures + 1
                furthest = max(furthest, size)
                if failures >= self.network.attempts:
                    got = f"{error} after {failures} tries that brought nothing new"
                    raise HeldoutError(file.url, "the file", got, _UNREACHABLE) from error
                pause = error.wait
                if pause is None:
                    pause = self.network.backoff * 2 ** (failures - 1) * random.uniform(1.0, 1.5)
                self.stop.wait(min(pause, self.network.backoff_max))
            except OSError as error:
                raise HeldoutError(part, "to write it", f"{error}", _UNWRITABLE) from error

    def _receive(self, file: RegistryFile, part: Path) -> None:
        """Make one request, and gather what comes at the end of `part`."""
        assert file.url is not None
        have, known = _usable(file, part)
        if have and have == known["total"]:
            return
        headers = {"Range": f"bytes={have}-"} if have else {}
        if have and known["validator"]:
            headers["If-Range"] = known["validator"]
        try:
            with _passing():
                response = self._http().get(
                    file.url, headers=headers, stream=True, timeout=self.network.timeout
                )
        except _HOPELESS as error:
            raise _refused(file, f"an address that leads nowhere ({_brief(error)})") from error
        with response:
            start, total, validator = _answered(file, response, have, known)
            total = file.bytes if total is None else total
            if file.bytes not in (None, total):
                raise _WrongBytesError(f"{file.bytes:,} bytes", f"{total:,}")
            limit = self.network.largest if file.bytes is None else file.bytes
            if start == 0:
                # Before the first byte, so that of every part it is known what it is of.
                part.unlink(missing_ok=True)
                write_json(_info(part), {"url": file.url, "total": total, "validator": validator})
            size = start
            with part.open("ab") as stream:
                for chunk in _body(response):
                    if self.stop.is_set():
                        raise Stopped
                    size += len(chunk)
                    if size > limit:
                        raise _WrongBytesError(f"at most {limit:,} bytes", "more")
                    stream.write(chunk)
                    self.report(file.path, size, total)
                stream.flush()
                os.fsync(stream.fileno())
            if total is not None and size < total:
                raise _TryAgainError(
                    f"{size:,} of {total:,} bytes and then the end of the connection"
                )


def forget(part: Path) -> None:
    """Delete a part and what is known of it."""
    part.unlink(missing_ok=True)
    _info(part).unlink(missing_ok=True)


def _info(part: Path) -> Path:
    """Name the file beside `part` that says which version of which address it is of."""
    return part.with_name(part.name + ".json")


def _usable(file: RegistryFile, part: Path) -> tuple[int, dict[str, Any]]:
    """Count the bytes of `part` that can be built on, and say what is known of them."""
    have = _size(part)
    try:
        known = {key: read_json(_info(part))[key] for key in ("url", "total", "validator")}
    except (HeldoutError, KeyError, TypeError):
        have, known = 0, {}
    if (
        not have
        or known["url"] != file.url
        or (known["total"] is not None and have > known["total"])
        # With neither a validator nor a checksum nobody could tell a mixture of two versions.
        or not (known["validator"] or file.sha256)
    ):
        forget(part)
        return 0, {}
    return have, known


def _answered(
    file: RegistryFile, response: requests.Response, have: int, known: dict[str, Any]
) -> tuple[int, int | None, str | None]:
    """Read status and headers: where the body starts, the size of the whole, and its validator."""
    status, validator = response.status_code, _validator(response)
    if status == 200:
        length = response.headers.get("Content-Length", "")
        # Of a compressed body it is the size before unpacking.
        plain = response.headers.get("Content-Encoding", "identity") == "identity"
        return 0, int(length) if plain and re.fullmatch(_COUNT, length) else None, validator
    if status == 206 and have:
        stated = response.headers.get("Content-Range", "").strip()
        match = re.fullmatch(rf"bytes ({_COUNT})-{_COUNT}/({_COUNT}|\*)", stated)
        if match and int(match[1]) == have:
            total = known["total"] if match[2] == "*" else int(match[2])
            if total == (known["total"] or total) and (
                not known["validator"] or validator in (None, known["validator"])
            ):
                return have, total, validator
    if status in (206, 416):
        # Another range, another version, or nothing beyond what is here: the part is of no use.
        response.close()
        raise _WrongBytesError(f"the bytes from {have:,} on", "others")
    text = f"HTTP {status} {response.reason}"
    if status in _PASSING:
        raise _TryAgainError(text, wait=_retry_after(response))
    raise _refused(file, text)


def _refused(file: RegistryFile, got: str) -> HeldoutError:
    return HeldoutError(
        str(file.url),
        "the file",
        got,
        "Open the address in a browser: if the publisher moved the file, correct the registry "
        f"({file.path}); or set `source: mirror` and point `mirror` to a folder with a copy.",
    )


def _retry_after(response: requests.Response) -> float | None:
    """Read the pause that the server asks for, s, be it a number or a date."""
    try:
        return Retry().get_retry_after(response.raw)
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        return None  # not a number, or a year that no calendar has


def _validator(response: requests.Response) -> str | None:
    """Name what identifies this version in If-Range: a strong ETag, or the date of change."""
    tag = response.headers.get("ETag", "")
    if tag and not tag.startswith("W/"):
        return tag
    return response.headers.get("Last-Modified") or None


def _body(response: requests.Response) -> Iterator[bytes]:
    """Read the chunks of a body, with every way in which a line breaks as one exception."""
    while True:
        with _passing():
            # What has arrived, not a full chunk: when the line breaks, nothing that came is lost.
            chunk = response.raw.read1(CHUNK, decode_content=True)
        if not chunk:
            return
        yield chunk


@contextmanager
def _passing() -> Iterator[None]:
    try:
        yield
    except _HOPELESS:
        raise
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise _TryAgainError(_brief(error)) from error


def _brief(error: BaseException) -> str:
    """Say what went wrong without the nested representation of three libraries."""
    inner: BaseException = error
    while True:
        below = getattr(inner, "reason", None) or next(iter(inner.args), None)
        if not isinstance(below, BaseException):
            return f"{type(inner).__name__}: {inner}"
        inner = below


def _verified(file: RegistryFile, part: Path) -> str:
    """Compute the SHA-256 of a part that is whole, and compare it with what is published."""
    digest = sha256(part)
    if fault := fault_of(file, {"bytes": _size(part), "sha256": digest}):
        raise _WrongBytesError(*fault)
    return digest


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
