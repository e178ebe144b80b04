"""A server in a process of its own, so that the load does not share its interpreter."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def spawned(serve: Callable[..., None], *arguments: object) -> Iterator[Any]:
    """Yields what `serve(pipe, *arguments)` sends first, which then waits for a message to end. Raises EOFError where
    its process dies."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, *arguments))
    process.start()
    theirs.close()  # so that the end of the process is noticed here
    try:
        yield ours.recv()
        ours.send("end")
    finally:
        ours.close()
        process.join()
