"""Helpers of the doctor's tests: a proxy, or an Azure behind one, that answers well until a test makes it refuse."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from emulator.doctor.check import Check
from emulator.doctor.examination import Doctor
from tests.support import Arrived, raw_upstream

KEY = "a-function-key"
Refuse = Callable[[str, dict[str, Any]], tuple[int, str] | None]  # (route, body): (status, body) of a refusal
USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
CHAT = {"choices": [{"message": {"content": "ready"}, "finish_reason": "stop"}], "usage": USAGE}
ANSWERS = {
    "chat/completions": CHAT,
    "responses": {"status": "completed", "error": None, "usage": {"input_tokens": 9, "output_tokens": 3}},
    "embeddings": {"data": [{"embedding": [0.1]}], "usage": {"prompt_tokens": 5, "total_tokens": 5}},
}


def event(**delta: object) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
COUNTED = [event(content=f"{number}, ") for number in range(1, 31)]
AT_ONCE = [(b"".join(COUNTED) + DONE, 0.0)]  # pieces, and the seconds to wait after each


def ok(kind: str, more: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{more}\r\n".encode()


def never(route: str, asked: dict[str, Any]) -> None:
    return None


@contextmanager
def azure(
    refuse: Refuse = never, models: tuple[str, ...] = ("m",), streamed: list[tuple[bytes, float]] = AT_ONCE
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """(its address, the bodies that arrived). It answers GET models as well, as the proxy does."""
    bodies = list[dict[str, Any]]()

    def answer(request: Arrived, sock: socket.socket) -> None:
        if request.line.startswith("GET"):
            told: object = {"data": [{"id": model} for model in models]}
        else:
            route = re.split(r"/v1/|/deployments/[^/]+/", request.line.split()[1].split("?")[0])[-1]
            bodies.append(asked := json.loads(request.body))
            if refused := refuse(route, asked):
                status, text = refused[0], refused[1].encode()
                sock.sendall(b"HTTP/1.1 %d No\r\ncontent-length: %d\r\n\r\n%s" % (status, len(text), text))
                return
            if asked.get("stream"):
                sock.sendall(ok("text/event-stream", "transfer-encoding: chunked\r\n"))
                for piece, pause in streamed:
                    sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                    time.sleep(pause)
                sock.sendall(b"0\r\n\r\n")
                return
            told = ANSWERS[route]
        body = json.dumps(told).encode()
        sock.sendall(ok("application/json", f"content-length: {len(body)}\r\n") + body)

    with raw_upstream() as upstream:
        upstream.answer = answer
        yield upstream.base, bodies


def examined(base: str, **options: Any) -> dict[str, Check]:
    return {check.name: check for check in Doctor(f"{base}/api/v1", KEY, **options).examine()}


def results(checks: dict[str, Check]) -> dict[str, str]:
    return {name: checks[name].result for name in ("chat", "stream", "responses", "vectors") if name in checks}


def error(message: str, **more: object) -> str:
    return json.dumps({"error": {"message": message, **more}})
