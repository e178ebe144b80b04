"""Hosts that start in a fifth of the time, as forks of a process that has loaded the libraries (warm_process.py).

COLD_HOSTS=1, in the environment of all tests or of one host, makes them start as anybody's do. So does whatever may
count before the fork: any other variable than READ_LATER, another command, another system than Linux.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from multiprocessing import connection
from pathlib import Path
from typing import IO, Any

from emulator.stack import ROOT, HostProcess
from tests import warm_process
from tests.warm_process import LONGEST, NUMBER

COLD = "COLD_HOSTS"
CAN_FORK = hasattr(os, "pidfd_open")
HOST = [sys.executable, "-m", "emulator.host"]
READ_LATER = (
    *("AZURE_", "CORS_", "FUNCTION_", "FUNCTIONS_", "IDENTITY_", "MSI_", "OPENAI_", "PROXY_"),
    *("DSPY_", "LITELLM_", "PYTEST_", "TIKTOKEN_"),  # of the tests themselves
)
"""Variables that begin so are read by no module that the warm process loads; a test looks."""


class WarmHosts:
    """Starts hosts as subprocess.Popen does. The warm process starts with the first, in the environment of now."""

    def __init__(self) -> None:
        self.environment = dict(os.environ)

    def __call__(
        self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], stderr: IO[bytes] | None, **pipes: Any
    ) -> "subprocess.Popen[bytes] | WarmHost":
        order = json.dumps({"command": command[2:], "environment": env}).encode()
        if command[:3] == HOST and cwd == ROOT and self.suits(env) and len(order) < LONGEST:
            return WarmHost(self.orders, order, stderr)
        return subprocess.Popen(command, cwd=cwd, env=env, stderr=stderr, **pipes)

    def suits(self, environment: Mapping[str, str]) -> bool:
        """Whether a host with this environment may fork from a process with the tests' own."""
        different = {name for name, _ in environment.items() ^ self.environment.items()}
        return CAN_FORK and COLD not in environment and all(name.startswith(READ_LATER) for name in different)

    @cached_property
    def orders(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", warm_process.__name__, str(theirs.fileno())],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        return ours

    def end(self) -> None:
        if "orders" in vars(self):
            self.orders.close()
            self.process.wait(10)


class WarmHost:
    """What HostProcess and the tests use of subprocess.Popen."""

    def __init__(self, orders: socket.socket, order: bytes, stderr: IO[bytes] | None) -> None:
        (stdin, write), (read, stdout), (self._told, told) = os.pipe(), os.pipe(), os.pipe()
        self.stdin, self.stdout = os.fdopen(write, "wb", 0), os.fdopen(read, "rb", 0)
        socket.send_fds(orders, [order], [stdin, stdout, stderr.fileno() if stderr else 2, told])
        for theirs in (stdin, stdout, told):
            os.close(theirs)
        self.returncode: int | None = None
        self.pid = self._number()

    def _number(self) -> int:
        if not (told := os.read(self._told, NUMBER.size)):
            raise RuntimeError(f"the warm process has ended; {COLD}=1 does without it")
        return int(NUMBER.unpack(told)[0])

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not connection.wait([self._told], timeout):
                raise subprocess.TimeoutExpired(HOST, timeout or 0)
            self.returncode = self._number()
            os.close(self._told)
        return self.returncode

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@contextmanager
def warm_hosts() -> Iterator[WarmHosts]:
    """While the block lasts, each HostProcess of this process starts so."""
    before, hosts = HostProcess.launch, WarmHosts()
    HostProcess.launch = hosts
    try:
        yield hosts
    finally:
        HostProcess.launch = before
        hosts.end()
