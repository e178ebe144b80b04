"""What a test does inside the host's process, by way of PYTHONPATH: Python imports `sitecustomize` when it starts.

TEST_COUNTS_FILE   SIGUSR1 writes there, as JSON, how many tasks and objects are alive, and whether
                   proxy.loading still loads
TEST_CLOCK_FACTOR  how many times faster the clock runs, for what looks at it: tokens
TEST_CLOCK_START   the moment from which it does, in Unix seconds
TEST_LOOP_FACTOR   how many times faster time passes for the event loop: time-outs
"""

import asyncio
import ctypes
import gc
import json
import os
import selectors
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# What is free is not leaked, but glibc keeps it: under load, up to a tenth of the process.
give_back: Callable[[int], int] = getattr(ctypes.CDLL(None), "malloc_trim", int)


def count(*_: object) -> None:
    gc.collect()
    give_back(0)
    loads = "proxy.loading" in [thread.name for thread in threading.enumerate()]
    counts = {"tasks": len(asyncio.all_tasks()), "objects": len(gc.get_objects()), "loads": loads}
    file = Path(os.environ["TEST_COUNTS_FILE"])
    unfinished = file.with_suffix(".tmp")
    unfinished.write_text(json.dumps(counts))
    unfinished.replace(file)


def hasten_loop(factor: float) -> None:
    sys.modules["uvloop"] = None  # type: ignore[assignment]  # its clock cannot be reached; asyncio takes its place
    time.monotonic = faster(time.monotonic, factor, time.monotonic())
    select, sleep = selectors.DefaultSelector.select, time.sleep
    time.sleep = lambda seconds: sleep(seconds / factor)  # between two attempts to get a token

    def sooner(self: Any, timeout: float | None = None) -> Any:
        return select(self, timeout / factor if timeout else timeout)

    selectors.DefaultSelector.select = sooner  # type: ignore[method-assign]


def faster(clock: Callable[[], float], factor: float, start: float) -> Callable[[], float]:
    return lambda: start + (clock() - start) * factor


if "TEST_COUNTS_FILE" in os.environ:
    signal.signal(signal.SIGUSR1, count)
if "TEST_CLOCK_FACTOR" in os.environ:
    time.time = faster(time.time, float(os.environ["TEST_CLOCK_FACTOR"]), float(os.environ["TEST_CLOCK_START"]))
if "TEST_LOOP_FACTOR" in os.environ:
    hasten_loop(float(os.environ["TEST_LOOP_FACTOR"]))
