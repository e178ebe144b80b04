"""The control API's side of the command line: where it listens, and what is printed of it.

It is at the fake Azure's own address, which only this machine reaches. `serve` gives it a port that stays the same as
well, because the fake Azure's is another at each start. The proxy's address does not have it: the proxy is what runs in
Azure, and a call through it must never reach the emulator's own routes (CVE-2025-23217 in mitmweb was such a way).
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
OPEN = "the control API. Everybody with its token reads what was asked"


def add_access(parser: argparse.ArgumentParser) -> None:
    """Who may use what listens."""
    told = "with --host: open the control API, too, to who has its token and calls this machine NAME; may be repeated"
    parser.add_argument("--page-host", metavar="NAME", action="append", default=[], help=told)
    add_any_key(parser)


def add_port(parser: argparse.ArgumentParser) -> None:
    told = f"of the control API (default: {DEFAULT_PORT}, or a free one where that is taken)"
    parser.add_argument("--page-port", type=int, metavar="PORT", help=told)


def bound(arguments: argparse.Namespace) -> socket.socket:
    """`--page-port`. Raises PortError."""
    host = arguments.host if arguments.page_host else LOOPBACK
    if arguments.page_port is not None:
        return bind(arguments.page_port, host)
    try:
        return bind(DEFAULT_PORT, host)
    except PortError:
        return bind(0, host)


@contextmanager
def listening(subject: Subject, sock: socket.socket, arguments: argparse.Namespace) -> Iterator[dict[str, str]]:
    """The control API at the fake Azure's address, and at `sock`. Gives what there is to tell of it."""
    warn_if_open(sock, OPEN)
    access = access_at(sock, arguments)
    with serving(Control(subject, access), sock) as base, Control(subject, Access(arguments.page_host)):
        yield told_of(base, access)


@contextmanager
def beside(subject: Subject, sock: socket.socket, arguments: argparse.Namespace) -> Iterator[dict[str, str]]:
    """The same at the fake Azure's address alone, which is `sock`. Where other machines reach that, there is nothing
    unless `--page-host` says so."""
    if is_open(sock) and not arguments.page_host:
        yield {}
        return
    warn_if_open(sock, OPEN)
    access = access_at(sock, arguments)
    assert subject.azure_base is not None
    with Control(subject, access):
        yield told_of(subject.azure_base, access)


def access_at(sock: socket.socket, arguments: argparse.Namespace) -> Access:
    """With a token of this run where other machines reach the port."""
    return Access(arguments.page_host, secrets.token_urlsafe(24) if is_open(sock) else None)


def told_of(base: str, access: Access) -> dict[str, str]:
    told = {"control_url": f"{base}{CONTROL_PATH}/"}
    return told | ({"control_token": access.token} if access.token else {})
