"""Counts what the proxy's process holds: file descriptors, memory, tasks and objects. Linux only: it reads /proc."""

import json
import os
import resource
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import Proxy, proxy

INSIDE = Path(__file__).with_name("inside")  # sitecustomize.py there counts in the host's process
needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="it counts in /proc, which Linux has")
PATIENCE_SECONDS = 20.0  # the proxy keeps an idle connection to Azure for four seconds


@dataclass(frozen=True)
class Footprint:
    fds: int
    rss_mb: float
    tasks: int
    objects: int

    def __str__(self) -> str:
        return f"{self.fds} fds, {self.rss_mb:.1f} MB, {self.tasks} tasks, {self.objects:,} objects"


@dataclass(frozen=True)
class Counted:
    """A running proxy whose process counts what it holds."""

    running: Proxy
    file: Path
    clock_start: float
    clock_factor: float

    def now(self) -> float:
        """The Unix time by the clock of the proxy's process."""
        return self.clock_start + (time.time() - self.clock_start) * self.clock_factor

    def footprint(self) -> Footprint:
        """Of now, once the proxy has loaded what it loads in the background."""
        deadline, counts = time.monotonic() + PATIENCE_SECONDS, self.counts()
        while counts.pop("loads"):
            assert time.monotonic() < deadline, "the proxy loads for ever"
            counts = self.counts()
        pid = self.running.process.pid
        status = Path(f"/proc/{pid}/status").read_text()
        rss_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        return Footprint(len(os.listdir(f"/proc/{pid}/fd")), rss_kb / 1024, **counts)

    def counts(self) -> dict[str, int]:
        self.file.unlink(missing_ok=True)
        os.kill(self.running.process.pid, signal.SIGUSR1)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.file.exists():
            assert time.monotonic() < deadline, "the proxy's event loop hangs"
            time.sleep(0.01)
        counts: dict[str, int] = json.loads(self.file.read_text())
        return counts

    def warmed_up(self, idle: Footprint) -> Footprint:
        """The footprint to which any further load may return: memory of now, descriptors and tasks of `idle`."""
        return replace(self.footprint(), fds=idle.fds, tasks=idle.tasks)

    def settled(self, before: Footprint) -> Footprint:
        """The footprint once descriptors and tasks are at their numbers of `before`, or after PATIENCE_SECONDS."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            now = self.footprint()
            if (now.fds <= before.fds and now.tasks <= before.tasks) or time.monotonic() > deadline:
                return now
            time.sleep(0.2)


@contextmanager
def counted_proxy(
    azure_base: str = "",
    settings: Mapping[str, str] | None = None,
    clock_factor: float = 1.0,
    loop_factor: float = 1.0,
    **options: Any,
) -> Iterator[Counted]:
    """support.proxy with counts. In its process the clock runs `clock_factor` times as fast, and the event loop's time
    `loop_factor` times as fast."""
    start = time.time()
    inside = {"PYTHONPATH": str(INSIDE), "TEST_CLOCK_START": str(start)}
    inside |= {"TEST_CLOCK_FACTOR": str(clock_factor)} if clock_factor != 1.0 else {}
    inside |= {"TEST_LOOP_FACTOR": str(loop_factor)} if loop_factor != 1.0 else {}
    with tempfile.TemporaryDirectory() as folder:
        inside["TEST_COUNTS_FILE"] = f"{folder}/counts.json"
        with proxy(azure_base, settings={**(settings or {}), **inside}, **options) as running:
            yield Counted(running, Path(inside["TEST_COUNTS_FILE"]), start, clock_factor)


def assert_no_leak(before: Footprint, after: Footprint, memory: float = 0.10) -> None:
    """Passes if there are no more descriptors and tasks, and at most a share of `memory` more resident memory."""
    assert after.fds <= before.fds, f"descriptors leaked: {before} → {after}"
    assert after.tasks <= before.tasks, f"tasks leaked: {before} → {after}"
    assert after.rss_mb <= before.rss_mb * (1 + memory), f"memory leaked: {before} → {after}"


def allow_open_files(wanted: int) -> None:
    """Raises the limit of this process and its children. Skips the test where the system forbids that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"{wanted:,} open files are needed, `ulimit -Hn` allows {hard:,}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
