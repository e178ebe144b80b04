"""The hosts under test: this project's own, one process for each backend that this Python has, or the host that
HOST_UNDER_TEST names (README.md)."""

import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.host.run_app import KEYS

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SAMPLE_APP = HERE / "sample_app"
UNDER_TEST = os.environ.get("HOST_UNDER_TEST")
KEY, ANOTHER_KEY, MASTER_KEY = (
    (os.environ.get(variable) if UNDER_TEST else None) or KEYS[name]
    for variable, name in (
        ("FUNCTION_HOST_KEY", "default"),
        ("FUNCTION_ANOTHER_KEY", "named"),
        ("FUNCTION_MASTER_KEY", "_master"),
    )
)
AUTHORITY = urlsplit(UNDER_TEST).netloc if UNDER_TEST else "x"  # the header Host of a request
HEAD = f"HTTP/1.1\r\nhost: {AUTHORITY}\r\nx-functions-key: {KEY}\r\n"
PATIENCE_S = 20
TOLD = "in Azure this call would "  # as emulator/host/unanswered.py begins

BACKENDS = ["public"]
if sys.version_info >= (3, 13) and find_spec("azure_functions_runtime"):
    BACKENDS.append("runtime")


class Reply(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Host:
    """A host that serves the sample app, local or remote. Each request has a connection of its own."""

    def __init__(self, url: str) -> None:
        split = urlsplit(url)
        self.name, self.is_https = split.hostname or "", split.scheme == "https"
        self.port = split.port or (443 if self.is_https else 80)

    def connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self.is_https else http.client.HTTPConnection
        return kind(self.name, self.port, timeout=PATIENCE_S)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        key: str | None = KEY,
        headers: Iterable[tuple[str, str]] = (),
    ) -> Reply:
        """Sends the path unchanged."""
        connection = self.connect()
        try:
            return Reply(*receive(start(connection, method, path, body, key, headers)))
        finally:
            connection.close()

    def raw(self, request: bytes) -> socket.socket:
        """A socket, after sending these bytes on it."""
        sock = socket.create_connection((self.name, self.port), timeout=PATIENCE_S)
        if self.is_https:
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=self.name)
        sock.sendall(request)
        return sock


class LocalHost(Host):
    """This project's host, in a process of its own. `meant` counts the calls that tests expect Azure not to answer."""

    def __init__(self, process: "subprocess.Popen[str]", log: IO[str], port: int, routes: list[str]) -> None:
        super().__init__(f"http://127.0.0.1:{port}")
        self.process, self.log, self.routes = process, log, routes
        self.meant: list[int] = []

    def written(self) -> str:
        """The text on its standard error."""
        return written(self.log)

    @contextmanager
    def unanswered(self, count: int) -> Iterator[None]:
        """Expects so many calls in the block that Azure would never answer, or leave open. Others fail the test run."""
        before = self.written().count(TOLD)
        yield
        wait_until(lambda: self.written().count(TOLD) - before == count)
        self.meant.append(count)


def start(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] | None = None,
    key: str | None = KEY,
    headers: Iterable[tuple[str, str]] = (),
) -> http.client.HTTPResponse:
    """Sends a request and reads the head of the answer. Sends a body that is not bytes in chunks."""
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in [*headers, *([("x-functions-key", key)] if key is not None else [])]:
        connection.putheader(name, value)
    if isinstance(body, bytes):
        connection.putheader("content-length", str(len(body)))
    elif body is not None:
        connection.putheader("transfer-encoding", "chunked")
    connection.endheaders(body, encode_chunked=body is not None and not isinstance(body, bytes))
    return connection.getresponse()


def receive(response: http.client.HTTPResponse) -> tuple[int, list[tuple[str, str]], bytes]:
    return response.status, [(name.lower(), value) for name, value in response.getheaders()], response.read()


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def written(log: IO[str]) -> str:
    log.seek(0)
    return log.read()


@contextmanager
def running(backend: str, *options: str, app: Path = SAMPLE_APP, **environment: str) -> Iterator[LocalHost]:
    """A host that is ready. The end of the block stops it; it must stop without an error."""
    with tempfile.TemporaryFile("a+") as log:
        process = subprocess.Popen(
            [sys.executable, str(HERE / "run_app.py"), str(app), "--backend", backend, *options],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default::ResourceWarning", **environment},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            assert process.stdout
            lines = [process.stdout.readline() for _ in ("port", "routes")]
            if not lines[0]:
                pytest.fail(f"the host did not start: {written(log)}")
            host = LocalHost(process, log, int(lines[0]), json.loads(lines[1]))
            yield host
            process.terminate()
            process.communicate(timeout=PATIENCE_S)
            told = [line for line in written(log).splitlines() if TOLD in line]
            assert len(told) == sum(host.meant), "\n".join(told)
        finally:
            process.kill()
            process.communicate()
    assert process.returncode == 0
