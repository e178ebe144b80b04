"""Starts what a verb serves."""

from collections.abc import Iterator
from contextlib import contextmanager

from ..failure import Failure
from ..stack import HostFailed


@contextmanager
def starting_host() -> Iterator[None]:
    """Raises a Failure without a message when the Functions host does not start: the host has written the reason."""
    try:
        yield
    except HostFailed as failed:
        raise Failure from failed
