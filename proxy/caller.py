"""Work that ends when its caller leaves. Nothing else cancels a handler that only waits."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

UNWATCHED_SECONDS = 0.02  # most recorded answers take less, and a watch costs as much as a tenth of their call

T = TypeVar("T")


async def unless_caller_leaves(receive: Receive, work: Awaitable[T]) -> T:
    """The result of `work`. When the caller leaves first, `work` is cancelled. Raises ClientDisconnect.

    The request must have been read to its end. After that, `receive` reports only that the caller left. Nobody asks it
    in the first UNWATCHED_SECONDS.
    """
    working, left = asyncio.current_task(), False
    watching: asyncio.Task[None] | None = None
    assert working is not None

    async def watch() -> None:
        nonlocal left
        while (await receive())["type"] != "http.disconnect":
            pass
        left = working.cancel()

    def begin() -> None:
        nonlocal watching
        watching = asyncio.create_task(watch())

    beginning = asyncio.get_running_loop().call_later(UNWATCHED_SECONDS, begin)
    try:
        return await work
    except asyncio.CancelledError:
        if left and not working.uncancel():
            raise ClientDisconnect from None
        raise
    finally:
        beginning.cancel()
        if watching:
            watching.cancel()
