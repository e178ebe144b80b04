"""Work that ends when its caller leaves. Nothing else cancels a handler that only waits."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

T = TypeVar("T")


async def unless_caller_leaves(receive: Receive, work: Awaitable[T]) -> T:
    """The result of `work`. When the caller leaves first, `work` is cancelled. Raises ClientDisconnect.

    The request must have been read to its end. After that, `receive` reports only that the caller left.
    """
    working, left = asyncio.current_task(), False
    assert working is not None

    async def watch() -> None:
        nonlocal left
        while (await receive())["type"] != "http.disconnect":
            pass
        left = working.cancel()

    watching = asyncio.create_task(watch())
    try:
        return await work
    except asyncio.CancelledError:
        if left and not working.uncancel():
            raise ClientDisconnect from None
        raise
    finally:
        watching.cancel()
