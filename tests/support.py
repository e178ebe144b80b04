"""Helpers of several tests: an upstream that sends exactly the bytes of a test, and the proxy in front of it."""

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from emulator.azure import FakeAzure
from emulator.azure.app import IDENTITY_PATH
from emulator.match.library import Library
from emulator.server import bind, serving
from emulator.stack import NOT_INHERITED, HostProcess
from emulator.tape.cassette import Interaction, Request, Response
from proxy.excerpt import Excerpt
from proxy.fields import Fields
from proxy.usage import tell

AZURE = "https://example-resource.openai.azure.com/openai/v1/"


@dataclass
class Arrived:
    """A request as the raw upstream saw it."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int
    head: bytes = b""


@dataclass
class RawUpstream:
    """A server of raw bytes. `answer` gets the request and its socket, and may do anything with them."""

    answer: Callable[[Arrived, socket.socket], None]
    arrived: list[Arrived] = field(default_factory=list)
    port: int = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def read_request(sock: socket.socket, number: int) -> Arrived | None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (part := sock.recv(65536)):
            return None
        data += part
    head, _, begun = data.partition(b"\r\n\r\n")
    body = bytearray(begun)
    line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (item.partition(":") for item in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        if not (part := sock.recv(65536)):
            return None
        body += part
    return Arrived(line, headers, bytes(body), number, head)


@contextmanager
def raw_upstream() -> Iterator[RawUpstream]:
    listener = bind(0)
    upstream = RawUpstream(lambda _, sock: None, port=listener.getsockname()[1])

    def converse(sock: socket.socket, number: int) -> None:
        with sock:
            try:
                while request := read_request(sock, number):
                    upstream.arrived.append(request)
                    upstream.answer(request, sock)
            except OSError:
                pass  # the proxy closed the connection

    def accept() -> None:
        number = 0
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            number += 1
            threading.Thread(target=converse, args=(sock, number), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield upstream
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@dataclass
class Proxy:
    """The real proxy in its host, and the fake identity that gives it tokens."""

    base_url: str
    azure: FakeAzure
    headers: dict[str, str]
    host: HostProcess

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        return self.host.process


class Log:
    """What the function's process writes to standard error."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def text(self) -> str:
        return self.path.read_text(encoding="utf-8", errors="replace")

    def last(self, count: int) -> dict[str, Any]:
        """The record of the `count`-th call."""
        deadline = time.monotonic() + 5
        while len(records := self.records()) < count and time.monotonic() < deadline:
            time.sleep(0.005)
        assert len(records) == count
        return records[-1]

    def of(self, name: str) -> dict[str, Any]:
        """The newest record of a call with this x-client-request-id."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if found := [record for record in self.records() if record["client_request_id"] == name]:
                return found[-1]
            time.sleep(0.005)
        raise AssertionError(f"no record of {name}")

    def records(self) -> list[dict[str, Any]]:
        lines = self.text().split("\n")[:-1]
        return [json.loads(line.split(" ", 1)[1]) for line in lines if line.startswith("call ")]


def closed_port() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def proxy(
    azure_base: str = "",
    settings: Mapping[str, str] | None = None,
    library: Library | None = None,
    verbose: bool = False,
    log: IO[bytes] | None = None,
    backend: str | None = None,
) -> Iterator[Proxy]:
    """The proxy in front of `azure_base`, or of a fake Azure with the library's recordings."""
    azure = FakeAzure(library or Library())
    with serving(azure, bind(0)) as base:
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(NOT_INHERITED) and not name.lower().endswith("_proxy")
        }
        environment |= {
            "AZURE_OPENAI_BASE": azure_base or base,
            "AZURE_OPENAI_DEPLOYMENT": "gpt-4o-mini,gpt-4o=my-4o-deployment",
            "IDENTITY_ENDPOINT": base + IDENTITY_PATH,
            "IDENTITY_HEADER": azure.identity.header,
            "FUNCTION_HOST_KEY": "test-key",
        }
        environment |= settings or {}
        with HostProcess(environment, port=0, backend=backend, verbose=verbose, log=log) as host:
            yield Proxy(host.base_url, azure, {"x-functions-key": environment["FUNCTION_HOST_KEY"]}, host)
            assert not host.unanswered()


def recording(body: bytes, answer: bytes, path: str = "chat/completions", sse: bool = False) -> Interaction:
    """A recording that a test makes up."""
    kind = "text/event-stream; charset=utf-8" if sse else "application/json"
    headers = (("content-type", kind), *((("transfer-encoding", "chunked"),) if sse else ()))
    return Interaction(Request("POST", AZURE + path, (), body), Response(200, "OK", headers, answer), "made up #1")


def sending(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> Callable[[Arrived, socket.socket], None]:
    """An upstream that gives this answer."""
    head = b"\r\n".join((b"HTTP/1.1 " + status, b"content-length: %d" % len(body), *headers))
    return lambda _, sock: sock.sendall(head + b"\r\n\r\n" + body)


def told(excerpt: Excerpt) -> Fields:
    """The fields of a record about an answer."""
    fields = Fields("POST", "chat/completions")
    tell(excerpt, fields)
    return fields
