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
    (`watch`). `is_whole` tells whether a request has arrived to its end, if the server notes that."""

    is_whole = False

    def __init__(self, transport: asyncio.Transport, flow: FlowControl) -> None:
        self._transport, self._flow = transport, flow
        self._answering: asyncio.Task[None] | None = None
        self._is_watched = self._is_lost = False

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

    def reset(self) -> None:
        """Sends RST. The peer gets the bytes that the kernel has sent already, then a reset connection."""
        with socket.socket(fileno=os.dup(self._transport.get_extra_info("socket").fileno())) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def finish(self) -> None:
        """Sends FIN after the written bytes, even when the answer is not complete and lacks its last chunk."""
        self._transport.close()

    async def reset_when_sent(self) -> None:
        """Sends RST after the written bytes have gone to the kernel."""
        for _ in range(100):
            await asyncio.sleep(0.001)
            if self._is_lost:
                return
            if not self._transport.get_write_buffer_size():
                break
        with suppress(OSError):  # the peer has gone meanwhile
            self.reset()

    def raw(self, data: bytes) -> None:
        """Writes bytes past HTTP, such as broken chunk framing."""
        self._transport.write(data)


class Protocol(WithoutUpgrade):
    """uvicorn's protocol, with the connection in the scope."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.connection = Connection(transport, self.flow)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.connection.lost()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Starts the task as uvicorn does, and tells the connection of it."""
        task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)
        self.connection.begin(task)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: self.connection}  # type: ignore[dict-item]
