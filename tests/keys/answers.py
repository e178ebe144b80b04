"""An upstream that answers every request with one word, plain or streamed, in the form of the request's route."""

import json
import socket
from typing import Any

from tests.support import Arrived

WORD = "ready"
USAGE = {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n"


def answer(request: Arrived, sock: socket.socket) -> None:
    asked = json.loads(request.body)
    route = request.line.split()[1]
    if "embeddings" in route:
        told: dict[str, Any] = {"object": "list", "data": [vector(0)], "model": "m", "usage": USAGE}
    elif "responses" in route:
        told = response()
    elif asked.get("stream"):
        events = (chunk({"role": "assistant", "content": WORD}), chunk({}, "stop"))
        body = b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in events) + b"data: [DONE]\n\n"
        sock.sendall(HEAD % (b"text/event-stream", len(body)) + body)
        return
    else:
        message = {"role": "assistant", "content": WORD, "refusal": None}
        choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": None}
        told = completion("chat.completion", [choice]) | {"usage": USAGE}
    body = json.dumps(told).encode()
    sock.sendall(HEAD % (b"application/json", len(body)) + body)


def completion(kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1_700_000_000, "model": "m-1", "choices": choices}


def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    return completion("chat.completion.chunk", [{"index": 0, "delta": delta, "finish_reason": reason}])


def vector(index: int) -> dict[str, Any]:
    return {"object": "embedding", "index": index, "embedding": [0.25, 0.5]}


def response() -> dict[str, Any]:
    text = {"type": "output_text", "text": WORD, "annotations": []}
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [text]}
    head = {"id": "resp_1", "object": "response", "created_at": 1_700_000_000, "status": "completed", "model": "m-1"}
    usage = {"input_tokens": 5, "output_tokens": 1, "total_tokens": 6}
    nothing = {"error": None, "incomplete_details": None, "instructions": None, "metadata": {}}
    rest = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "temperature": 1, "top_p": 1}
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    return {**head, "output": [message], "usage": usage | details, **nothing, **rest}
