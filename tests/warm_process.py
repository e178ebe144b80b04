"""The process from which the tests' hosts fork: `python -m tests.warm_process FD` loads what every host loads. For each
order on the socket FD it forks into one more `python -m emulator.host`."""

import gc
import json
import os
import runpy
import select
import signal
import socket
import struct
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module

LOADED = (  # not the proxy, which reads settings, nor Microsoft's worker library, whose presence changes the proxy
    "aiohttp",
    "azure.identity.aio",
    "azurefunctions.extensions.http.fastapi",
    "emulator.host.command",
    "httpx",
    "itsdangerous",
    "msgspec.json",
    "opentelemetry.trace.propagation.tracecontext",
)
NUMBER = struct.Struct("i")  # a host's process id, and later its exit status
LONGEST = 200_000  # bytes of an order; Linux takes few more in one piece


def load() -> None:
    for name in LOADED:
        import_module(name)
    gc.collect()
    gc.freeze()  # a fork that collects garbage would copy each page of these


def serve(orders: socket.socket) -> list[str]:
    """Returns in each fork: the module to run, and its arguments. Ends this process when nobody can order any more."""
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the tests and the hosts
    running = dict[int, tuple[int, int]]()  # its end, as a descriptor: its process id, the pipe that tells of it
    ready = select.poll()
    ready.register(orders, select.POLLIN)
    while True:
        for fd, _ in ready.poll():
            if fd in running:
                pid, told = running.pop(fd)
                ready.unregister(fd)
                tell(told, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
                os.close(told)
                os.close(fd)
                continue
            order, given, _, _ = socket.recv_fds(orders, LONGEST, 4)
            if not order:
                sys.exit()
            *streams, told = given
            if not (pid := os.fork()):
                orders.detach()
                signal.signal(signal.SIGINT, interrupted)
                return become(streams, **json.loads(order))
            tell(told, pid)
            for stream in streams:
                os.close(stream)
            running[end := os.pidfd_open(pid)] = pid, told
            ready.register(end, select.POLLIN)


def become(streams: list[int], command: list[str], environment: Mapping[str, str]) -> list[str]:
    """Keeps nothing of this process but what it has loaded."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(environment)
    return command


def tell(pipe: int, number: int) -> None:
    with suppress(BrokenPipeError):  # who started the host has gone
        os.write(pipe, NUMBER.pack(number))


if __name__ == "__main__":
    load()
    module, *sys.argv[1:] = serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module(module, run_name="__main__", alter_sys=True)
