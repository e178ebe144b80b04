"""The TCP connection under an ASGI request, for an application that must break it: uvicorn alone hides it.

connection = scope["extensions"][EXTENSION]
"""

import asyncio
import os
import socket
import struct

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

EXTENSION = "emulator.connection"


class Connection:
    """Each way to break it returns at once; the application then waits until it is told of the disconnect."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

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

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: Connection(self.transport)}  # type: ignore[dict-item]
