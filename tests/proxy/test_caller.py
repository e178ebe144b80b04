"""A caller who leaves ends their own work, and hides no other reason to end it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from proxy.caller import UNWATCHED_SECONDS, unless_caller_leaves


async def left() -> dict[str, Any]:
    return {"type": "http.disconnect"}


async def stays() -> dict[str, Any]:
    return await asyncio.Event().wait() or {}


async def outcome(receive: Callable[[], Awaitable[dict[str, Any]]], stopped: bool) -> tuple[str, int]:
    """How the work ends, and how many cancellations of its task are left. Who stops it does so while the watch on the
    caller asks."""
    ended: list[tuple[str, int]] = []

    async def working() -> None:
        task = asyncio.current_task()
        assert task
        try:
            await unless_caller_leaves(heard, asyncio.sleep(60))
        except (ClientDisconnect, asyncio.CancelledError) as error:
            ended.append((type(error).__name__, task.cancelling()))

    async def heard() -> dict[str, Any]:
        if stopped:
            task.cancel()
        return await receive()

    task = asyncio.create_task(working())
    await asyncio.wait([task], timeout=5)
    return ended[0]


@pytest.mark.parametrize(
    ("receive", "stopped", "told"),
    [
        (left, False, ("ClientDisconnect", 0)),
        (stays, True, ("CancelledError", 1)),
        (left, True, ("CancelledError", 1)),
    ],
    ids=["the caller leaves", "the host stops it", "both at once"],
)
def test_why_the_work_ended_is_told(
    receive: Callable[[], Awaitable[dict[str, Any]]], stopped: bool, told: tuple[str, int]
) -> None:
    assert asyncio.run(outcome(receive, stopped)) == told


def test_what_watched_the_caller_ends_with_the_work() -> None:
    async def work() -> int:
        result = await unless_caller_leaves(stays, asyncio.sleep(2 * UNWATCHED_SECONDS, 7))
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1
        return result

    assert asyncio.run(work()) == 7
