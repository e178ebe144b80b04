"""The TCP connection under an ASGI request, for an application that must break it. uvicorn itself hides it.

connection = scope["extensions"][EXTENSION]
"""

import asyncio
import os
import socket
import struct
from contextlib import suppress

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from .upgrade import WithoutUpgrade

EXTENSION = "emulator.connection"


class Connection:
    """Each method that breaks the connection returns at once. The application then waits until it is cancelled
    (`watch`). `is_whole` tells whether a request has arrived to its end, if the server notes that.

    Answers are written through it. The application sets `joins` before it sends a head whose first piece follows at
    once: the two then leave in one write, because a write costs as much as all the work for a recorded answer."""

    is_whole = joins = False

    def __init__(self, transport: asyncio.Transport, flow: FlowControl) -> None:
        self._transport, self._flow = transport, flow
        self._answering: asyncio.Task[None] | None = None
        self._is_watched = self._is_lost = False
        self._kept = b""  # a head that waits

    def begin(self, answering: asyncio.Task[None]) -> None:
        self._answering, self._is_watched = answering, False

    def watch(self) -> None:
        """From now on, the answering task is cancelled when the client leaves. This saves a task for each request that
        would wait in `receive`."""
        self._is_watched = True
        if self._flow.read_paused:  # a large body paused it, and nobody would notice
            self._flow.resume_reading()

    def lost(self) -> None:
        self._is_lost = True
        if self._is_watched and self._answering:
            self._answering.cancel()

    def has_cancelled(self) -> bool:
        """Whether the answering task was cancelled only because the client left."""
        return self._is_lost and self._answering is not None and not self._answering.uncancel()

    def write(self, data: bytes) -> None:
        """Writes bytes as they are. So it can also break HTTP's framing."""
        if self.joins:
            self._kept, self.joins = data, False
        elif self._kept:
            self._kept, data = b"", self._kept + data
            self._transport.write(data)
        else:
            self._transport.write(data)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def flush(self) -> None:
        if self._kept:
            self.write(b"")

    def close(self) -> None:
        """Sends FIN after the written bytes, even when the answer is not complete and lacks its last chunk."""
        self.flush()
        self._transport.close()

    def reset(self) -> None:
        """Sends RST. The peer gets the bytes that the kernel has sent already, then a reset connection."""
        self.flush()
        with socket.socket(fileno=os.dup(self._transport.get_extra_info("socket").fileno())) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    async def reset_when_sent(self) -> None:
        """Sends RST after the written bytes have gone to the kernel."""
        self.flush()
        for _ in range(100):
            await asyncio.sleep(0.001)
            if self._is_lost:
                return
            if not self._transport.get_write_buffer_size():
                break
        with suppress(OSError):  # the peer has gone meanwhile
            self.reset()


class Connected(WithoutUpgrade):
    """uvicorn's protocol, with the connection in the scope and under its answers."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.connection = Connection(transport, self.flow)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.connection.lost()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: self.connection}  # type: ignore[dict-item]

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        cycle.transport = self.connection  # type: ignore[assignment]
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        self.connection.flush()  # the answer to a HEAD has no body that the head could wait for
        super().on_response_complete()


class Protocol(Connected):
    """Also tells the connection of the task that answers."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Starts the task as uvicorn does, and tells the connection of it."""
        cycle.transport = self.connection  # type: ignore[assignment]
        task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)
        self.connection.begin(task)
