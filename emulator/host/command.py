"""The verb `host` of the command line. `python -m emulator.host` does the same and loads no other verb."""

import argparse
import json
import logging
import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ..bundle import ROOT
from ..failure import Failure
from ..option import warn_of_any_key
from ..server import bind, run, url_of, warn_if_open
from .arguments import SUMMARY, add_arguments
from .key import ANY, MASTER
from .server import serve
from .settings import local_settings
from .unanswered import Unanswered

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
