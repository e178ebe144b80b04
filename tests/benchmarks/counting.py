"""Counts the cost of work, instead of timing it: calls, memory, objects that are left over."""

import asyncio
import gc
import sys
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import Any

WARM_UP, COUNTED = 30, 50
PRINTED_SECONDS = 0.1  # until the last call's record is printed
LEFT_OVER_COUNTED = 400  # so many that timers which were cancelled, and are kept for a while, do not matter


async def calls(work: Callable[[], Awaitable[Any]]) -> float:
    """How many functions it calls, in Python and in C: the mean of COUNTED times. How often the event loop compares
    its timers depends on the clock, and does not count."""
    count, comparing = 0, asyncio.TimerHandle.__lt__.__code__

    def counting(frame: Any, event: str, _: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call") and frame.f_code is not comparing

    for _ in range(WARM_UP):
        await work()
    await asyncio.sleep(PRINTED_SECONDS)
    sys.setprofile(counting)
    try:
        for _ in range(COUNTED):
            await work()
        sys.modules["proxy.record"].print_closed()
    finally:
        sys.setprofile(None)
    return count / COUNTED


async def peak(work: Callable[[], Awaitable[Any]]) -> int:
    """The most memory it has at once, in bytes."""
    await work()
    tracemalloc.start()
    try:
        await work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def left_over(work: Callable[[], Awaitable[Any]]) -> float:
    """Objects that are still there when it is over, because they refer to each other: the mean of LEFT_OVER_COUNTED
    times. The collector would have to find them."""
    for _ in range(WARM_UP):
        await work()
    before = await tracked()
    for _ in range(LEFT_OVER_COUNTED):
        await work()
    after = await tracked(collect=False)
    gc.enable()
    return (after - before) / LEFT_OVER_COUNTED


async def tracked(collect: bool = True) -> int:
    """Objects that the collector looks after, which is off then."""
    await asyncio.sleep(PRINTED_SECONDS)
    if collect:
        gc.collect()
        gc.disable()
    return len(gc.get_objects())
