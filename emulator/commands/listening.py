"""What the verbs that listen have in common."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from ..failure import Failure
from ..host.command import add_host
from ..stack import HostFailed


def add_arguments(parser: argparse.ArgumentParser, port: int) -> None:
    """`port` is the default."""
    parser.add_argument("--port", type=int, default=port, help=f"0 for a free one (default: {port})")
    add_host(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object, then nothing else")


@contextmanager
def starting_host() -> Iterator[None]:
    """Raises a Failure without a message when the Functions host does not start: the host has written the reason."""
    try:
        yield
    except HostFailed as failed:
        raise Failure from failed
