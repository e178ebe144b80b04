"""A server process on a core of its own, and its cost."""

import contextlib
import http.client
import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import psutil

from ..bench import Failed

SERVER_CORE, LOAD_CORE = 0, 1
START_SECONDS = 90.0
NOT_YET = (OSError, http.client.HTTPException, ValueError)  # ValueError: the output is not complete yet


def on_core(core: int, command: Sequence[str | Path]) -> list[str]:
    """A command that runs on this core only, with the highest priority that the user may set."""
    ahead = ["nice", "-n", "-20"] if os.geteuid() == 0 else []
    return ["taskset", "-c", str(core), *ahead, *map(str, command)]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Server:
    """A context manager around a command that serves `port`. Its output goes to the file `log`."""

    def __init__(
        self,
        command: Sequence[str | Path],
        port: int,
        log: Path,
        environment: Mapping[str, str] | None = None,
        core: int = SERVER_CORE,
    ) -> None:
        self.port, self.log = port, log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                on_core(core, command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **(environment or {})},
            )
        self.started = time.monotonic()

    def answered(self, path: str, headers: Callable[[], dict[str, str]], body: bytes) -> float:
        """Seconds from the process's start to its first 200 after a POST. Raises Failed."""
        while time.monotonic() < self.started + START_SECONDS and self.process.poll() is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS)
            with contextlib.closing(connection), contextlib.suppress(*NOT_YET):
                connection.connect()
                connection.request("POST", path, body, headers())
                answer = connection.getresponse()
                if answer.read() and answer.status == 200:
                    return time.monotonic() - self.started
            time.sleep(0.002)
        raise Failed(f"it did not start: {self.log.read_text(errors='replace')[-600:]}")

    def family(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def cpu_seconds(self) -> float:
        return sum(sum(process.cpu_times()[:2]) for process in self.family())

    def rss_mb(self) -> float:
        return sum(process.memory_info().rss for process in self.family()) / 1e6

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            family = self.family()
            self.process.terminate()
            _, left = psutil.wait_procs(family, timeout=5)
            for process in left:
                process.kill()
        self.process.wait()
