"""Responses that Azure stores, and the routes that read, resume, cancel and delete them. No recording of these routes
is public. So the documents follow the API's description, in the layout of Azure's recorded routes."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..tape.cassette import Response
from . import headers, responses
from .asked import Asked, Reply
from .text import pretty, schedule

PAGE = 20  # items on a page where the request has no `limit`
PREFIXES = {"function_call": "fc", "function_call_output": "fco", "reasoning": "rs"}  # an item's type: its id's prefix


def state(asked: Asked, reply: Reply | None, status: str) -> Response:
    """The response in this status: the stored one whose id the path has, or the new one."""
    if asked.operation == "responses":
        body = pretty(responses.whole(asked, reply, status))
        head = headers.responses(asked.seed, asked.deployment, asked.model, body)
        return Response(200, "OK", head, body)
    original = _original(asked)
    if included := [value for name, value in asked.query if name in ("include", "include[]")]:
        original = replace(original, body=original.body | {"include": included})
    return answer(asked, responses.whole(original, reply, status))


def rest_of_stream(asked: Asked, reply: Reply) -> Response:
    """The events after `starting_after`, with their old numbers."""
    seen, original = int(dict(asked.query)["starting_after"]) + 1, _original(asked)
    sent = responses.frames(original, responses.events(original, reply))[seen:]
    body = "".join(sent).encode()
    return Response(200, "OK", headers.stored(asked.seed, body, headers.SSE), body, schedule(len(sent)))


def deleted(asked: Asked) -> Response:
    response_id = _original(asked).seed.response_id("resp")
    return answer(asked, {"id": response_id, "object": "response.deleted", "deleted": True})


def input_items(asked: Asked) -> Response:
    """A page of the response's input items. The newest comes first unless the request has `order=asc`. Raises
    LookupError where `after` names no item."""
    query = dict(asked.query)
    found = list(items(_original(asked)))
    if query.get("order") != "asc":
        found.reverse()
    after = _place(query["after"], found) + 1 if "after" in query else 0
    page = found[after : after + int(query.get("limit", PAGE))]
    ids = [item["id"] for item in page] or [None]
    ends = {"first_id": ids[0], "has_more": after + len(page) < len(found), "last_id": ids[-1]}
    return answer(asked, {"object": "list", "data": page} | ends)


def _place(wanted: str, items: list[dict[str, Any]]) -> int:
    for at, item in enumerate(items):
        if item["id"] == wanted:
            return at
    raise LookupError(f"no item of the input is called {wanted}")


def answer(asked: Asked, document: dict[str, Any]) -> Response:
    """In the layout and with the headers of these routes."""
    body = pretty(document)
    return Response(200, "OK", headers.stored(asked.seed, body), body)


def _original(asked: Asked) -> Asked:
    """The request that made the response whose id the path has. Raises LookupError where none did."""
    wanted = asked.operation.split("/")[1]
    for earlier in asked.earlier:
        if earlier.operation == "responses" and earlier.seed.response_id("resp") == wanted:
            return earlier
    raise LookupError(f"nothing asked before made {wanted}")


def items(asked: Asked) -> Iterator[dict[str, Any]]:
    """The input of a request, as it is kept."""
    given = asked.body.get("input") or []
    for at, item in enumerate([{"role": "user", "content": given}] if isinstance(given, str) else given):
        kind, name = item.get("type", "message"), f"input {at}"
        if kind == "message":
            kept = {"id": asked.seed.response_id("msg", name), "type": kind, "status": "completed"}
            yield kept | {"content": [*_parts(item["role"], item["content"])], "role": item["role"]}
        elif kind != "item_reference":
            own = item.get("id") or asked.seed.response_id(PREFIXES.get(kind, "item"), name)
            yield {"id": own, "type": kind, "status": "completed"} | {
                field: value for field, value in item.items() if field not in ("id", "type")
            }


def _parts(role: str, content: Any) -> Iterator[dict[str, Any]]:
    for part in [{"text": content}] if isinstance(content, str) else content:
        if "text" not in part:
            yield {"detail": "auto"} | part if part.get("type") == "input_image" else part
        elif role == "assistant":
            yield responses.text_part(part["text"])
        else:
            yield {"type": "input_text", "text": part["text"]}
