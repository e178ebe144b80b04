"""Responses that Azure keeps: looked at, resumed, cancelled, deleted. Nobody published a recording of these routes, so
this is inferred: the documents of the API's description, written as Azure writes those of the recorded routes."""

from collections.abc import Iterator
from typing import Any

from ..tape.cassette import Response
from . import headers, responses
from .asked import Asked, Reply
from .text import pretty, schedule

ENCRYPTED = "reasoning.encrypted_content"
PAGE = 20  # items, unless the request says how many


def state(asked: Asked, reply: Reply | None, status: str) -> Response:
    """The response with the id in the path, or the one that is asked for, in some status."""
    if asked.operation == "responses":
        body = pretty(responses.whole(asked, reply, status))
        head = headers.responses(asked.seed, asked.deployment, asked.model, body)
        return Response(200, "OK", head, body)
    original = _original(asked)
    kept = responses.whole(original, reply, status)
    if ("include[]", ENCRYPTED) in asked.query:
        kept["output"] = [_encrypted(original, item) for item in kept["output"]]
    return _answer(asked, kept)


def rest_of_stream(asked: Asked, reply: Reply) -> Response:
    """The events after `starting_after`, numbered as they were."""
    seen = int(dict(asked.query)["starting_after"]) + 1
    sent = responses.frames(responses.events(_original(asked), reply))[seen:]
    body = "".join(sent).encode()
    return Response(200, "OK", headers.stored(asked.seed, body, headers.SSE), body, schedule(len(sent)))


def deleted(asked: Asked) -> Response:
    response_id = _original(asked).seed.response_id("resp")
    return _answer(asked, {"id": response_id, "object": "response.deleted", "deleted": True})


def input_items(asked: Asked) -> Response:
    """A page of the messages that were asked with, the newest first unless the request says otherwise."""
    query = dict(asked.query)
    items = list(_messages(_original(asked)))
    if query.get("order") != "asc":
        items.reverse()
    after = [item["id"] for item in items].index(query["after"]) + 1 if "after" in query else 0
    page = items[after : after + int(query.get("limit", PAGE))]
    ends = {"first_id": page[0]["id"], "has_more": page[-1] is not items[-1], "last_id": page[-1]["id"]}
    return _answer(asked, {"object": "list", "data": page} | ends)


def _answer(asked: Asked, document: dict[str, Any]) -> Response:
    body = pretty(document)
    return Response(200, "OK", headers.stored(asked.seed, body), body)


def _original(asked: Asked) -> Asked:
    """The request that made the response with the id in the path. Raises LookupError."""
    wanted = asked.operation.split("/")[1]
    for earlier in asked.earlier:
        if earlier.operation == "responses" and earlier.seed.response_id("resp") == wanted:
            return earlier
    raise LookupError(f"nothing asked before made {wanted}")


def _messages(asked: Asked) -> Iterator[dict[str, Any]]:
    given = asked.body["input"]
    for at, message in enumerate([{"role": "user", "content": given}] if isinstance(given, str) else given):
        role, text = message["role"], message["content"]
        part = responses.text_part(text) if role == "assistant" else {"type": "input_text", "text": text}
        item = {"id": asked.seed.response_id("msg", f"input {at}"), "type": "message", "status": "completed"}
        yield item | {"content": [part], "role": role}


def _encrypted(asked: Asked, item: dict[str, Any]) -> dict[str, Any]:
    if item["type"] != "reasoning":
        return item
    secret = "gAAAAA" + "".join(asked.seed.letters(f"encrypted {at}", 40) for at in range(8))
    return {"id": item["id"], "type": item["type"], "encrypted_content": secret, "summary": item["summary"]}
