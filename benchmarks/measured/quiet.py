"""Checks that no other program disturbs a sample."""

import os
import resource
import time
from collections.abc import Callable, Iterable

import psutil

from ..bench import Sample

MOST = 0.05  # of the machine's processors, for other programs


def quiet(sample: Callable[[], Sample], processes: Iterable[psutil.Process], tries: int) -> Sample:
    """The first sample that other programs left alone, or the quietest of all tries; `others_share` is their part of
    the processors. `processes` belong to the sample, as does every process that it starts and waits for."""
    taken = []
    for _ in range(tries):
        before = busy_seconds() - own_seconds(processes)
        began = time.monotonic()
        values = sample()
        others = busy_seconds() - own_seconds(processes) - before
        taken.append({**values, "others_share": max(0.0, others) / (time.monotonic() - began) / (os.cpu_count() or 1)})
        if taken[-1]["others_share"] <= MOST:
            break
    return min(taken, key=lambda values: values["others_share"])


def busy_seconds() -> float:
    """Busy seconds of all processors since the machine started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)


def own_seconds(processes: Iterable[psutil.Process]) -> float:
    """CPU seconds of these processes, of this process, and of its ended children."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime + sum(sum(p.cpu_times()[:2]) for p in processes)
