"""An ASGI application that reads a request and answers 1.5 KB, on the server that the emulator uses."""

import sys
import threading
from typing import Any

from emulator.server import bind, serving

ANSWER = b"x" * 1_500
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"1500")]


async def empty(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})


if __name__ == "__main__":
    with serving(empty, bind(int(sys.argv[1]))):
        threading.Event().wait()
