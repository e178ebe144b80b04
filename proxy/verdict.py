"""Judges an answer from upstream. Closes one that is not for the caller, and raises an error that says what it was."""

import asyncio
from contextlib import suppress

import httpx

from .coding import Bad, Decoder, codings_of, is_readable
from .errors import ProxyError
from .failure import unreachable
from .headers import Headers, lower
from .refusal import refusal
from .upstream import FAILURES

REFUSAL_SECONDS = 10.0  # to read a refusal's words
REFUSAL_BYTES = 16_384  # of a refusal; Azure's have up to 500
PAGES = (b"text/html", b"application/xhtml")


async def judged(answer: httpx.Response, scope: str, may_be_empty: bool) -> httpx.Response:
    """The answer itself, if it is for the caller. `scope` is the scope of the function's token. Raises ProxyError."""
    status = answer.status_code
    if status < 300:
        error = no_answer(answer.headers.raw, may_be_empty or status != 200)
    elif status < 400:
        error = ProxyError("upstream_redirect", status, cause="redirect", detail=str(status))
    elif status in (401, 403):
        words = await beginning(answer) or answer.headers.get("www-authenticate", "").encode()
        error = refusal(status, words, scope)
    else:
        return answer
    if error:
        await answer.aclose()
        raise error
    return answer


def no_answer(headers: Headers, may_be_empty: bool) -> ProxyError | None:
    """The error for a page or an empty answer: a client that expects a stream would see an empty one, and no error."""
    for name, value in headers:
        known = lower(name)
        if known == b"content-type" and value.lower().startswith(PAGES):
            return ProxyError("upstream_web_page", cause="web_page", detail=value.decode("latin-1"))
        if known == b"content-length" and value == b"0" and not may_be_empty:
            return unreachable("malformed", "an empty answer")
    return None


async def beginning(answer: httpx.Response) -> bytes:
    """The decoded start of the body: as much as comes in time."""
    codings = codings_of(answer.headers.get("content-encoding", ""))
    decoder, read = Decoder(codings) if is_readable(codings) else None, b""
    with suppress(*FAILURES, Bad):
        async with asyncio.timeout(REFUSAL_SECONDS):
            async for raw in answer.stream:  # type: ignore[union-attr]
                for piece in decoder.pieces(raw) if decoder else ():
                    read += piece
                if len(read) >= REFUSAL_BYTES:
                    break
    return read[:REFUSAL_BYTES]
