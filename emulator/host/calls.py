"""Numbers for the calls of this host, and a word about each that ends with an error.

The fake Azure notes the number of a call that reaches it. So its page can show the calls that did not: most first calls
fail at the host or in the function.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = b"openai-emulator-call"  # the function passes openai-* on, and a recording does not keep it
LONGEST_BODY = 64 * 2**10  # of an error
Tell = Callable[[dict[str, Any]], None]


class NumberedCalls:
    """An ASGI application around the host. It tells of an error before the last of it leaves: `{call, method, path,
    status, code, message, ms}`, where code and message are null unless the answer is an error in OpenAI's form."""

    def __init__(self, app: ASGIApp, tell: Tell) -> None:
        self._app, self._tell = app, tell
        self._last = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._last += 1
        number, began = self._last, time.monotonic()
        status, body = 0, bytearray()

        async def pass_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif status >= 400:
                body.extend(message.get("body", b"")[: LONGEST_BODY - len(body)])
                if not message.get("more_body"):
                    seconds = time.monotonic() - began
                    self._tell(told(number, scope, status, bytes(body), seconds))
            await send(message)

        own = (HEADER, b"%d" % number)
        headers = [*(pair for pair in scope["headers"] if pair[0] != HEADER), own]
        await self._app({**scope, "headers": headers}, receive, pass_on)


def told(number: int, scope: Scope, status: int, body: bytes, seconds: float) -> dict[str, Any]:
    """Without the query, which may hold a key."""
    error = _error_in(body)
    return {
        "call": number,
        "method": scope["method"],
        "path": scope["raw_path"].decode("latin-1").partition("?")[0],
        "status": status,
        "code": error.get("code"),
        "message": error.get("message"),
        "ms": round(1000 * seconds, 3),
    }


def _error_in(body: bytes) -> dict[str, str]:
    try:
        error = json.loads(body)["error"]
        return {name: value for name, value in error.items() if isinstance(value, str)}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}
