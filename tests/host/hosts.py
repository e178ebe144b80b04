"""Real hosts in processes of their own, one for each backend that this Python has."""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SAMPLE_APP = HERE / "sample_app"
KEY = "right+key/=="
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


class Host(NamedTuple):
    process: subprocess.Popen[str]
    log: IO[str]
    backend: str
    port: int
    routes: list[str]
    meant: list[int]

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        key: str | None = KEY,
        headers: Iterable[tuple[str, str]] = (),
    ) -> Reply:
        """One request on a connection of its own; the path goes out as it is."""
        connection = self.connect()
        try:
            return Reply(*receive(start(connection, method, path, body, key, headers)))
        finally:
            connection.close()

    @contextmanager
    def unanswered(self, count: int) -> Iterator[None]:
        """The block has so many calls that Azure would never answer, or leave open; others fail the test run."""
        before = written(self.log).count(TOLD)
        yield
        wait_until(lambda: written(self.log).count(TOLD) - before == count)
        self.meant.append(count)

    def raw(self, request: bytes) -> socket.socket:
        """A socket on which these bytes have been sent."""
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        sock.sendall(request)
        return sock


def start(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] | None = None,
    key: str | None = KEY,
    headers: Iterable[tuple[str, str]] = (),
) -> http.client.HTTPResponse:
    """Sends a request and reads the head of its answer. A body that is not bytes goes out in chunks."""
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
def running(backend: str, *options: str, app: Path = SAMPLE_APP, **environment: str) -> Iterator[Host]:
    """A host that is ready; it is stopped at the end, and must have stopped without an error."""
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
            host = Host(process, log, backend, int(lines[0]), json.loads(lines[1]), [])
            yield host
            process.terminate()
            process.communicate(timeout=PATIENCE_S)
            told = [line for line in written(log).splitlines() if TOLD in line]
            assert len(told) == sum(host.meant), "\n".join(told)
        finally:
            process.kill()
            process.communicate()
    assert process.returncode == 0
