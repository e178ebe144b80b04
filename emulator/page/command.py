"""Where the control API of a command listens, and what the command prints about it.

The control API is at the fake Azure's own address, which only this machine reaches. That port is another at each start,
so `serve` gives the control API a fixed port as well. The proxy's address does not have the control API: the proxy is
what runs in Azure, and no call through it may reach the emulator's own routes (CVE-2025-23217 in mitmweb was such a
way).
"""

import argparse
import secrets
import socket
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..azure import FakeAzure
from ..azure.app import CONTROL_PATH
from ..azure.journal import Exchange
from ..azure.question import Question
from ..server import LOOPBACK, PortError, bind, is_open, serving, warn_if_open
from ..stack import LocalStack
from .access import Access
from .arguments import DEFAULT_PORT
from .control import Control
from .routes import API, ROUTES, Route
from .subject import Subject

OPEN = "the control API. Everybody who has its token can read all requests"
Told = dict[str, str]


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
def listening(subject: Subject, sock: socket.socket, arguments: argparse.Namespace) -> Iterator[Told]:
    """Serves the control API at the fake Azure's address and at `sock`. Yields what the command prints about it."""
    warn_if_open(sock, OPEN)
    access, routes = access_at(sock, arguments), routes_for(arguments)
    own = Control(subject, Access(arguments.page_host), routes)
    with serving(Control(subject, access, routes), sock) as base, own, linked(subject.azure, base, routes):
        yield told_of(base, access, routes)


@contextmanager
def beside(subject: Subject, sock: socket.socket, arguments: argparse.Namespace) -> Iterator[Told]:
    """Serves the control API at `sock`, the fake Azure's address, alone. Where other machines reach `sock`, it serves
    nothing unless `--page-host` opens it."""
    if is_open(sock) and not arguments.page_host:
        yield {}
        return
    warn_if_open(sock, OPEN)
    access, routes = access_at(sock, arguments), routes_for(arguments)
    assert subject.azure_base is not None
    with Control(subject, access, routes), linked(subject.azure, subject.azure_base, routes):
        yield told_of(subject.azure_base, access, routes)


@contextmanager
def inside(stack: LocalStack, folders: list[Path], is_page: bool) -> Iterator[Told]:
    """Serves the control API for a running stack, at its fake Azure's address on loopback."""
    subject, access, routes = Subject.of(stack, folders), Access(), ROUTES if is_page else API
    with Control(subject, access, routes), linked(stack.azure, stack.azure_base, routes):
        yield told_of(stack.azure_base, access, routes)


def routes_for(arguments: argparse.Namespace) -> tuple[Route, ...]:
    return API if arguments.no_page else ROUTES


@contextmanager
def linked(azure: FakeAzure, base: str, routes: tuple[Route, ...]) -> Iterator[None]:
    """Inside the context each miss names its address on the page, where there is a page."""

    def remark(exchange: Exchange, _: Question) -> str:
        return f"Look at it: {base}{CONTROL_PATH}/#/{exchange.number}/miss"

    if routes is API:
        yield
        return
    azure.remarks.append(remark)
    try:
        yield
    finally:
        azure.remarks.remove(remark)


def open_page(told: Told) -> None:
    """Opens the page in a browser of this machine, where it has one."""
    if "page" in told:
        webbrowser.open(told["page"])


def access_at(sock: socket.socket, arguments: argparse.Namespace) -> Access:
    """The rules of access to `sock`, with a new token where other machines reach it."""
    return Access(arguments.page_host, secrets.token_urlsafe(24) if is_open(sock) else None)


def told_of(base: str, access: Access, routes: tuple[Route, ...]) -> Told:
    """The addresses to print. The page's address has the token in its fragment, which no browser sends and no server
    logs."""
    url, told = f"{base}{CONTROL_PATH}/", dict[str, str]()
    if routes is not API:
        told["page"] = url + (f"#token={access.token}" if access.token else "")
    told["control_url"] = url
    return told | ({"control_token": access.token} if access.token else {})
