"""A caller's body, whole and unpacked."""

import asyncio

from starlette.requests import ClientDisconnect, Request

from .coding import Bad, TooLarge, codings_of, decoded, is_readable, readers
from .errors import ProxyError
from .record import Record


async def read_body(request: Request, record: Record, most: int) -> bytes:
    """At most `most` bytes, decoded. A body that is too large is read to its end as well: a client that still sends
    reads no answer. Raises ProxyError and ClientDisconnect."""
    chunks, size, more = [], 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk, more = message.get("body", b""), message.get("more_body", False)
        size += len(chunk)
        chunks.append(chunk if size <= most else b"")
    record.received(size)
    if size > most:
        raise ProxyError("request_too_large", f"{size:,}", most)
    body = b"".join(chunks)
    if body and b"content-encoding" in record.caller_headers:
        return await decompressed(body, ", ".join(request.headers.getlist("content-encoding")), most)
    return body


async def decompressed(body: bytes, header: str, most: int) -> bytes:
    """Decodes in a thread: a large body must not stop every stream. Raises ProxyError."""
    codings = codings_of(header)
    if not is_readable(codings):
        raise ProxyError("unsupported_encoding", header[:200], ", ".join(("identity", *readers())))
    try:
        return await asyncio.to_thread(decoded, body, codings, most)
    except TooLarge:
        raise ProxyError("request_too_large", f"decompressed more than {most:,}", most) from None
    except Bad as error:
        raise ProxyError("invalid_encoding", header[:200], error) from error
