"""The control API's options on the command line, where it listens, and what the command prints about it.

The control API is at the fake Azure's own address, which only this machine reaches. That port is another at each start,
so `serve` gives the control API a fixed port as well. The proxy's address does not have the control API: the proxy is
what runs in Azure, and no call through it may reach the emulator's own routes (CVE-2025-23217 in mitmweb was such a
way).
"""

import argparse
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from ..azure.app import CONTROL_PATH
from ..host.command import add_any_key, warn_if_open
from ..server import LOOPBACK, PortError, bind, is_open, serving
from .access import Access
from .control import Control
from .subject import Subject

DEFAULT_PORT = 7072
OPEN = "the control API. Everybody who has its token can read all requests"


def add_access(parser: argparse.ArgumentParser) -> None:
    """The options that say who may call."""
    told = "with --host: open the control API to callers who have its token and call this machine NAME; may be repeated"
    parser.add_argument("--page-host", metavar="NAME", action="append", default=[], help=told)
    add_any_key(parser)


def add_port(parser: argparse.ArgumentParser) -> None:
    told = f"port of the control API (default: {DEFAULT_PORT}, or a free one where that is taken)"
    parser.add_argument("--page-port", type=int, metavar="PORT", help=told)


def bound(arguments: argparse.Namespace) -> socket.socket:
    """A socket at `--page-port`; without it at DEFAULT_PORT, or at a free port. Raises PortError."""
    host = arguments.host if arguments.page_host else LOOPBACK
    if arguments.page_port is not None:
        return bind(arguments.page_port, host)
    try:
        return bind(DEFAULT_PORT, host)
    except PortError:
        return bind(0, host)


@contextmanager
def listening(subject: Subject, sock: socket.socket, arguments: argparse.Namespace) -> Iterator[dict[str, str]]:
    """Serves the control API at the fake Azure's address and at `sock`. Yields what the command prints about it."""
    warn_if_open(sock, OPEN)
    access = access_at(sock, arguments)
    with serving(Control(subject, access), sock) as base, Control(subject, Access(arguments.page_host)):
        yield told_of(base, access)


@contextmanager
def beside(subject: Subject, sock: socket.socket, arguments: argparse.Namespace) -> Iterator[dict[str, str]]:
    """Serves the control API at `sock`, the fake Azure's address, alone. Where other machines reach `sock`, it serves
    nothing unless `--page-host` opens it."""
    if is_open(sock) and not arguments.page_host:
        yield {}
        return
    warn_if_open(sock, OPEN)
    access = access_at(sock, arguments)
    assert subject.azure_base is not None
    with Control(subject, access):
        yield told_of(subject.azure_base, access)


def access_at(sock: socket.socket, arguments: argparse.Namespace) -> Access:
    """The rules of access to `sock`, with a new token where other machines reach it."""
    return Access(arguments.page_host, secrets.token_urlsafe(24) if is_open(sock) else None)


def told_of(base: str, access: Access) -> dict[str, str]:
    told = {"control_url": f"{base}{CONTROL_PATH}/"}
    return told | ({"control_token": access.token} if access.token else {})
