"""The Responses API as Azure's v1 sends it (reported April to June 2026): JSON with two spaces of indent, or SSE events
whose keys are `type` and then alphabetical, without [DONE]."""

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..tape.cassette import Response
from . import headers
from .asked import Asked, Reply
from .chat import PROMPT_VERDICT, TEXT_VERDICT, token
from .seed import CREATED
from .text import compact, pieces, plain, pretty, schedule

THINKING_SECONDS = 2
ENCRYPTED, LOGPROBS = "reasoning.encrypted_content", "message.output_text.logprobs"  # what a request may include
Event = dict[str, Any]


def response(asked: Asked, reply: Reply) -> Response:
    kind = headers.SSE if asked.streams else headers.JSON
    sent = frames(asked, events(asked, reply)) if asked.streams else []
    body = "".join(sent).encode() if asked.streams else pretty(whole(asked, reply), asked.is_plain)
    head = headers.responses(asked.seed, asked.deployment, asked.model, body, kind)
    return Response(200, "OK", head, body, schedule(len(sent)))


def whole(asked: Asked, reply: Reply | None, status: str = "") -> dict[str, Any]:
    """The response object; without a reply, as its stream's first events hold it. `status` replaces the reply's own."""
    body = asked.body
    status = status or ("in_progress" if reply is None else "incomplete" if reply.is_cut() else "completed")
    effort = "medium" if asked.reasons else None
    output = list(items(asked, reply)) if reply else []
    return {
        "id": asked.seed.response_id("resp"),
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "background": body.get("background", False),
        "completed_at": CREATED + THINKING_SECONDS if status == "completed" else None,
        "content_filters": _verdicts(asked, sum(len(text) for _, text in output)) if reply else None,
        "error": None,
        "frequency_penalty": 0.0,
        "incomplete_details": {"reason": "max_output_tokens"} if reply and reply.is_cut() else None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": body.get("max_tool_calls"),
        "model": asked.deployment,
        "output": [item for item, _ in output],
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "presence_penalty": 0.0,
        "previous_response_id": body.get("previous_response_id"),
        "prompt_cache_key": body.get("prompt_cache_key"),
        "prompt_cache_retention": body.get("prompt_cache_retention"),
        "reasoning": {"effort": effort, "summary": None} | (body.get("reasoning") or {}),
        "safety_identifier": body.get("safety_identifier"),
        "service_tier": "default" if reply else "auto",
        "store": body.get("store", True),
        "temperature": body.get("temperature", 1.0),
        "text": {"format": _format(body), "verbosity": (body.get("text") or {}).get("verbosity") or "medium"},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": [_tool(tool) for tool in body.get("tools", [])],
        "top_logprobs": body.get("top_logprobs", 0),
        "top_p": body.get("top_p", 1.0),
        "truncation": body.get("truncation", "disabled"),
        "usage": usage(asked, reply) if reply else None,
        "user": body.get("user"),
        "metadata": body.get("metadata", {}),
    }


def items(asked: Asked, reply: Reply) -> Iterator[tuple[dict[str, Any], str]]:
    """Yields (output item, its text) for reasoning, message and calls."""
    status = "incomplete" if reply.is_cut() else "completed"
    if asked.reasons:
        summary = [{"type": "summary_text", "text": reply.summary}] if reply.summary else []
        secret = {"encrypted_content": _encrypted(asked)} if _includes(asked, ENCRYPTED) else {}
        item = {"id": asked.seed.response_id("rs"), "type": "reasoning", **secret, "summary": summary}
        yield item, reply.summary
    for text in reply.texts:
        item = {"id": asked.seed.response_id("msg"), "type": "message", "status": status}
        yield item | {"content": [text_part(text, _logprobs(asked, text))], "role": "assistant"}, text
    for at, (name, values) in enumerate(reply.calls):
        item = {"id": asked.seed.response_id("fc", str(at)), "type": "function_call", "status": status}
        call_id = f"call_{asked.seed.letters(f'call {at}', 24)}"
        yield item | {"arguments": compact(values), "call_id": call_id, "name": name}, compact(values)


def events(asked: Asked, reply: Reply) -> Iterator[Event]:
    queued = "queued" if asked.body.get("background") else ""
    yield {"type": "response.created", "response": whole(asked, None, queued)}
    if queued:
        yield {"type": "response.queued", "response": whole(asked, None, queued)}
    yield {"type": "response.in_progress", "response": whole(asked, None)}
    for index, (item, text) in enumerate(items(asked, reply)):
        begun, item_events = ITEMS[item["type"]]
        yield {"type": "response.output_item.added", "item": item | begun, "output_index": index}
        for event in item_events(asked, text):
            yield event | {"item_id": item["id"], "output_index": index}
        yield {"type": "response.output_item.done", "item": item, "output_index": index}
    yield {"type": "response.incomplete" if reply.is_cut() else "response.completed", "response": whole(asked, reply)}


def _message_events(asked: Asked, text: str) -> Iterator[Event]:
    yield {"type": "response.content_part.added", "content_index": 0, "part": text_part("")}
    for event in _deltas(asked, "response.output_text", "text", text):
        said = str(event["delta"] if "delta" in event else event["text"])
        yield event | {"content_index": 0, "logprobs": [_without_bytes(entry) for entry in _logprobs(asked, said)]}
    yield {"type": "response.content_part.done", "content_index": 0, "part": text_part(text, _logprobs(asked, text))}


def _call_events(asked: Asked, text: str) -> Iterator[Event]:
    yield from _deltas(asked, "response.function_call_arguments", "arguments", text)


def _reasoning_events(asked: Asked, text: str) -> Iterator[Event]:
    if not text:  # the request did not ask for a summary
        return
    part = {"type": "summary_text", "text": ""}
    yield {"type": "response.reasoning_summary_part.added", "part": part, "summary_index": 0}
    for event in _deltas(asked, "response.reasoning_summary_text", "text", text):
        yield event | {"summary_index": 0}
    yield {"type": "response.reasoning_summary_part.done", "part": part | {"text": text}, "summary_index": 0}


ITEMS: dict[str, tuple[dict[str, Any], Callable[[Asked, str], Iterator[Event]]]] = {  # type: (as it begins, its events)
    "message": ({"status": "in_progress", "content": []}, _message_events),
    "function_call": ({"status": "in_progress", "arguments": ""}, _call_events),
    "reasoning": ({"summary": []}, _reasoning_events),
}


def _deltas(asked: Asked, kind: str, name: str, text: str) -> Iterator[Event]:
    for at, piece in enumerate(pieces(text)):
        event = {"type": f"{kind}.delta", "delta": piece}
        padding = (16 - len(piece)) % 16
        yield event | {"obfuscation": asked.seed.letters(f"{kind} {at} {piece}", padding)} if asked.pads else event
    yield {"type": f"{kind}.done", name: text}


def frames(asked: Asked, told: Iterable[Event]) -> list[str]:
    """The frames of a stream that has these events."""
    repeats = plain if asked.is_plain else compact  # the numbers of the request
    return [_frame(number, event, repeats if "response" in event else plain) for number, event in enumerate(told)]


def _frame(number: int, event: Event, write: Callable[[Any], str]) -> str:
    event["sequence_number"] = number
    ordered = {name: event[name] for name in _order(tuple(event))}
    return f"event: {ordered['type']}\ndata: {write(ordered)}\n\n"


@functools.lru_cache
def _order(names: tuple[str, ...]) -> list[str]:
    return sorted(names, key=lambda name: (name != "type", name))


def text_part(text: str, logprobs: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"type": "output_text", "annotations": [], "logprobs": logprobs or [], "text": text}


def _logprobs(asked: Asked, text: str) -> list[dict[str, Any]]:
    if not _includes(asked, LOGPROBS):
        return []
    return [token(asked, piece, asked.body.get("top_logprobs", 0)) for piece in pieces(text)]


def _without_bytes(entry: dict[str, Any]) -> dict[str, Any]:
    """A log probability as events hold it: without the bytes of the token."""
    likely = [{"logprob": other["logprob"], "token": other["token"]} for other in entry["top_logprobs"]]
    return {"logprob": entry["logprob"], "token": entry["token"], "top_logprobs": likely}


def _includes(asked: Asked, what: str) -> bool:
    return what in (asked.body.get("include") or ())


def _encrypted(asked: Asked) -> str:
    return "gAAAAA" + "".join(asked.seed.letters(f"encrypted {at}", 40) for at in range(8))


def _verdicts(asked: Asked, spoken: int) -> list[dict[str, Any]]:
    return [
        {
            "blocked": False,
            "source_type": source,
            "content_filter_raw": [],
            "content_filter_results": verdict,
            "content_filter_offsets": {"start_offset": 0, "end_offset": end, "check_offset": 0},
        }
        for source, verdict, end in (("prompt", PROMPT_VERDICT, asked.tokens * 4), ("completion", TEXT_VERDICT, spoken))
    ]


def _format(body: dict[str, Any]) -> dict[str, Any]:
    asked = (body.get("text") or {}).get("format") or {"type": "text"}
    if asked["type"] != "json_schema":
        return dict(asked)
    order = ("type", "description", "name", "schema", "strict")
    return {name: asked.get(name) for name in order}


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    if tool.get("type") != "function":
        return tool
    order = ("type", "description", "name", "parameters", "strict")
    return {name: tool.get(name, True if name == "strict" else None) for name in order}


def usage(asked: Asked, reply: Reply) -> dict[str, Any]:
    return {
        "input_tokens": asked.tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": reply.tokens,
        "output_tokens_details": {"reasoning_tokens": reply.thought},
        "total_tokens": asked.tokens + reply.tokens,
    }
