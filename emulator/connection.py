"""The TCP connection under an ASGI request, for an application that must break it: uvicorn alone hides it.

connection = scope["extensions"][EXTENSION]
"""

import asyncio
import os
import socket
import struct
from collections.abc import Callable

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

EXTENSION = "emulator.connection"


class Connection:
    """Each way to break it returns at once; the application then waits until it is told that it `is_lost`."""

    def __init__(self, transport: asyncio.Transport, flow: FlowControl) -> None:
        self._transport, self._flow = transport, flow
        self._on_loss: Callable[[], object] | None = None
        self.is_lost = False

    def watch(self, on_loss: Callable[[], object] | None) -> None:
        """Have it called when the client leaves, or nothing any more. Cheaper than to wait in `receive`: a task."""
        self._on_loss = on_loss
        self._flow.resume_reading()  # a large body pauses it, and the end would not be seen

    def lost(self) -> None:
        self.is_lost = True
        if self._on_loss:
            self._on_loss()

    def reset(self) -> None:
        """RST: the peer gets what the kernel has sent already, then a reset connection."""
        with socket.socket(fileno=os.dup(self._transport.get_extra_info("socket").fileno())) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def finish(self) -> None:
        """FIN after what was written, whether or not the answer is complete: without its last chunk, for example."""
        self._transport.close()

    def raw(self, data: bytes) -> None:
        """Bytes as they are, past HTTP: chunk framing that is none, for example."""
        self._transport.write(data)


class Protocol(HttpToolsProtocol):
    """uvicorn's, with the connection in the scope."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.connection = Connection(transport, self.flow)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.connection.lost()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: self.connection}  # type: ignore[dict-item]
