"""Passes one request on to an HTTP server on loopback, and its answer back, byte for byte and piece by piece.

It uses h11, because h11 changes nothing: path, query and headers go out as they came in.
"""

import asyncio
from contextlib import suppress

import h11
from starlette.types import Receive, Scope, Send

READ_SIZE = 65_536

HEADERS_LIMIT_BYTES = 1_048_576
"""For the answer's headers. h11's own limit, 16 KB, is lower than the Functions host's."""


async def forward(port: int, scope: Scope, receive: Receive, send: Send) -> None:
    """Relays the request of `scope` to the server on `port`, and its answer to `send`.

    Each request has its own connection, so the server can't close one that is about to be used again. When the client
    goes away, the connection is cut, so that the server notices, and nothing is raised. Raises OSError or
    h11.RemoteProtocolError when the server can't be reached or breaks off.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    wire = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEADERS_LIMIT_BYTES)
    upload = asyncio.create_task(_upload(wire, writer, scope, receive))
    upload.add_done_callback(lambda _: writer.transport.abort())
    try:
        await _download(wire, reader, send)
    except (OSError, h11.RemoteProtocolError):
        if not upload.done():
            raise
        upload.result()
    finally:
        upload.cancel()


async def _upload(wire: h11.Connection, writer: asyncio.StreamWriter, scope: Scope, receive: Receive) -> None:
    """Sends the request, and returns when the client has gone."""
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    _write(wire, writer, h11.Request(method=scope["method"], target=target, headers=scope["headers"]))
    while (message := await receive())["type"] != "http.disconnect":
        if body := message.get("body"):
            _write(wire, writer, h11.Data(data=body))
        if not message.get("more_body"):
            _write(wire, writer, h11.EndOfMessage())
        with suppress(OSError):  # a server that stopped reading may still have answered
            await writer.drain()


async def _download(wire: h11.Connection, reader: asyncio.StreamReader, send: Send) -> None:
    while True:
        match wire.next_event():
            case h11.NEED_DATA:
                wire.receive_data(await reader.read(READ_SIZE))
            case h11.Response(status_code=status, headers=headers):
                await send({"type": "http.response.start", "status": status, "headers": headers.raw_items()})
            case h11.Data(data=data):
                await send({"type": "http.response.body", "body": bytes(data), "more_body": True})
            case h11.EndOfMessage():
                await send({"type": "http.response.body"})
                return
            case h11.ConnectionClosed():
                raise h11.RemoteProtocolError("closed without an answer")


def _write(wire: h11.Connection, writer: asyncio.StreamWriter, event: h11.Event) -> None:
    writer.write(wire.send(event) or b"")
