"""What a test does inside the host's process, by way of PYTHONPATH: Python imports `sitecustomize` when it starts.

TEST_COUNTS_FILE   SIGUSR1 writes there, as JSON, how many tasks and objects are alive
TEST_CLOCK_FACTOR  every clock and every time-out of the event loop runs this many times faster
"""

import asyncio
import gc
import json
import os
import selectors
import signal
import sys
import time
from pathlib import Path
from typing import Any


def count(*_: object) -> None:
    gc.collect()
    counts = {"tasks": len(asyncio.all_tasks()), "objects": len(gc.get_objects())}
    file = Path(os.environ["TEST_COUNTS_FILE"])
    unfinished = file.with_suffix(".tmp")
    unfinished.write_text(json.dumps(counts))
    unfinished.replace(file)


def hasten(factor: float) -> None:
    sys.modules["uvloop"] = None  # type: ignore[assignment]  # its clock cannot be reached; asyncio takes its place
    for name in ("time", "monotonic"):
        setattr(time, name, faster(getattr(time, name), factor))
    select = selectors.DefaultSelector.select

    def sooner(self: Any, timeout: float | None = None) -> Any:
        return select(self, timeout / factor if timeout else timeout)

    selectors.DefaultSelector.select = sooner  # type: ignore[method-assign]


def faster(clock: Any, factor: float) -> Any:
    started = clock()
    return lambda: started + (clock() - started) * factor


if "TEST_COUNTS_FILE" in os.environ:
    signal.signal(signal.SIGUSR1, count)
if factor := float(os.environ.get("TEST_CLOCK_FACTOR", 0)):
    hasten(factor)
