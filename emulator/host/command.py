"""The verb `host` of the command line. `python -m emulator.host` does the same and loads no other verb."""

import argparse
import json
import logging
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..bundle import ROOT
from ..failure import Failure
from ..server import LOOPBACK, bind, is_open, run, url_of
from . import SUMMARY
from .key import ANY, MASTER
from .server import serve
from .settings import local_settings
from .unanswered import Unanswered

DEFAULT_PORT = 7071  # where `func start` listens
INDEXING = "PYTHON_ENABLE_INIT_INDEXING"
DEPLOYED = {INDEXING: "1", "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "220200960"}  # as infra/ has it, for this project's app
NEEDS_INDEXING = f"warning: on Python 3.12 and older no call is answered in Azure, unless {INDEXING} is 1"


def main(argv: list[str] | None = None) -> int:
    """Returns 0 when stopped, 1 when it failed, 2 for wrong usage. An error is one line on standard error."""
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=SUMMARY)
    add_arguments(parser)
    for stop in (signal.SIGINT, signal.SIGTERM):  # a shell starts background jobs with SIGINT ignored
        signal.signal(stop, signal.default_int_handler)
    try:
        host(parser.parse_args(argv))
    except KeyboardInterrupt:
        pass
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return failure.status
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--app",
        metavar="DIR",
        type=Path,
        help="the folder of another function_app.py, whose local.settings.json counts as well",
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"0 for a free one (default: {DEFAULT_PORT})")
    add_host(parser)
    add_any_key(parser)
    told = "print one JSON object, then one for each call that Azure would never answer"
    parser.add_argument("--json", action="store_true", help=told)
    parser.add_argument("--backend", choices=("public", "runtime"), help="how functions are called (default: best)")
    parser.add_argument("--verbose", action="store_true", help="show the function's log on standard error")
    parser.add_argument("--until-stdin-closes", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--tell-of-calls", action="store_true", help=argparse.SUPPRESS)  # with --json


def host(arguments: argparse.Namespace) -> None:
    keys = {"default": os.environ.get("FUNCTION_HOST_KEY") or secrets.token_urlsafe(24)}
    if master := os.environ.get("FUNCTION_MASTER_KEY"):
        keys[MASTER] = master
    if arguments.any_key:
        keys[ANY] = ""
    os.environ.update((local_settings(arguments.app) if arguments.app else DEPLOYED) | os.environ)
    sock = bind(arguments.port, arguments.host)
    url = url_of(sock)
    warn_if_open(sock, f"the proxy. Everybody{'' if arguments.any_key else ' with its key'} uses what is behind it")
    warn_of_any_key(arguments.any_key)
    if arguments.verbose:
        logging.basicConfig(level=logging.INFO)
    if arguments.until_stdin_closes:
        threading.Thread(target=end_with_parent, daemon=True).start()

    def ready(routes: list[str]) -> None:
        base_url = url if arguments.app else f"{url}/api/v1"
        described: dict[str, object] = {"base_url": base_url, "function_key": keys["default"], "pid": os.getpid()}
        text = f"The proxy is at {base_url}, with key {keys['default']}\nCtrl-C stops it."
        if arguments.app:
            described |= {"routes": routes}
            text = "\n".join(["Functions:", *(f"  {url}{route}" for route in routes), f"Key: {keys['default']}"])
            if sys.version_info < (3, 13) and os.environ.get(INDEXING) != "1":
                print(NEEDS_INDEXING, file=sys.stderr, flush=True)
        print(json.dumps(described) if arguments.json else text, flush=True)
        if arguments.json or not arguments.app:
            sys.stdout = sys.stderr if arguments.verbose else open(os.devnull, "w")  # noqa: SIM115  the function prints

    tell = to_parent(os.dup(sys.stdout.fileno())) if arguments.json else None
    unanswered = Unanswered(lambda line: tell({"unanswered": line})) if tell else None
    calls = tell if arguments.tell_of_calls else None
    run(serve(arguments.app or ROOT, keys, sock, ready, arguments.backend, unanswered, calls))
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # a function has no hook to close its client at the end


def add_host(parser: argparse.ArgumentParser) -> None:
    told = f"where to listen; 0.0.0.0 is open to other machines, too (default: {LOOPBACK})"
    parser.add_argument("--host", default=LOOPBACK, metavar="ADDRESS", help=told)


def warn_if_open(sock: socket.socket, what: str) -> None:
    if is_open(sock):
        address, port = sock.getsockname()[:2]
        print(f"warning: open to other machines on {address}, port {port}: {what}.", file=sys.stderr)


def add_any_key(parser: argparse.ArgumentParser) -> None:
    told = "let in whoever shows a key, whatever it is, for clients that bring their own; Azure does not"
    parser.add_argument("--any-key", action="store_true", help=told)


def warn_of_any_key(is_so: bool) -> None:
    if is_so:
        print("warning: every key is accepted, because of --any-key. Azure accepts its own.", file=sys.stderr)


def to_parent(pipe: int) -> Callable[[Mapping[str, Any]], None]:
    """Writes lines of JSON for the parent process. A parent that does not read loses lines once the pipe is full."""
    if hasattr(os, "set_blocking"):  # on Windows since Python 3.12
        os.set_blocking(pipe, False)

    def tell(told: Mapping[str, Any]) -> None:
        with suppress(OSError):
            os.write(pipe, json.dumps(told).encode() + b"\n")

    return tell


def end_with_parent() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)
