"""The OpenAI SDK's types as schemas. No other module of this room imports the SDK, which takes most of a second."""

from functools import cache
from typing import Any

import openai
from openai.types import (
    CreateEmbeddingResponse,
    ImageEditStreamEvent,
    ImageGenStreamEvent,
    ImagesResponse,
    Model,
)
from openai.types.audio import (
    TranscriptionCreateResponse,
    TranscriptionStreamEvent,
    TranslationCreateResponse,
)
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import (
    CompactedResponse,
    InputTokenCountResponse,
    Response,
    ResponseStreamEvent,
)
from openai.types.responses.response_item_list import ResponseItemList
from pydantic import TypeAdapter

from .recording import Kind
from .schema import Schema

NAME = f"openai {openai.__version__}"
OURS = "Azure's known answers"  # where the SDK has no type

ANSWERS: dict[str, Any] = {  # in one piece
    "POST chat/completions": ChatCompletion,
    "POST responses": Response,
    "GET responses/{id}": Response,
    "POST responses/{id}/cancel": Response,
    "GET responses/{id}/input_items": ResponseItemList,
    "POST responses/compact": CompactedResponse,
    "POST responses/input_tokens": InputTokenCountResponse,
    "POST embeddings": CreateEmbeddingResponse,
    "POST audio/transcriptions": TranscriptionCreateResponse,
    "POST audio/translations": TranslationCreateResponse,
    "POST images/generations": ImagesResponse,
    "POST images/edits": ImagesResponse,
    "GET models/{id}": Model,
}
EVENTS: dict[str, Any] = {
    "POST chat/completions": ChatCompletionChunk,
    "POST responses": ResponseStreamEvent,
    "GET responses/{id}": ResponseStreamEvent,
    "POST audio/transcriptions": TranscriptionStreamEvent,
    "POST images/generations": ImageGenStreamEvent,
    "POST images/edits": ImageEditStreamEvent,
}
FILES = ("POST audio/speech", "GET containers/{id}/files/{id}/content")  # bytes, of which nothing is to be checked here

TEXT, ANYTHING = {"type": "string"}, dict[str, Any]()
# The SDK reads `message`, `code`, `type` and `param`, and insists on none of them; Azure always sends the first two.
ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {
        "message": TEXT,
        "code": {"type": ["string", "null"]},
        "type": {"type": ["string", "null"]},
        "param": {"type": ["string", "null"]},
        **dict.fromkeys(("content_filters", "details", "headers", "inner_error", "innererror", "status"), ANYTHING),
    },
}
REFUSAL: dict[str, Any] = {  # the front door's 401 has no `error`
    "anyOf": [
        {"type": "object", "required": ["error"], "properties": {"error": ERROR}},
        {
            "type": "object",
            "required": ["statusCode", "message"],
            "properties": {"statusCode": {"type": "integer"}, "message": TEXT},
        },
    ]
}
BROKEN: dict[str, Any] = {  # an event that the SDK raises, whatever else it holds
    "type": "object",
    "required": ["error"],
    "properties": {"error": ERROR, "type": {"const": "error"}, "sequence_number": {"type": "integer"}},
}
SPEECH = "POST audio/speech"  # streamed: OpenAI API reference, "speech.audio.delta" and "speech.audio.done"
SPOKEN: dict[str, Any] = {
    "anyOf": [
        {
            "type": "object",
            "required": ["type", "audio"],
            "properties": {"type": {"const": "speech.audio.delta"}, "audio": TEXT},
        },
        {
            "type": "object",
            "required": ["type", "usage"],
            "properties": {"type": {"const": "speech.audio.done"}, "usage": {"type": "object"}},
        },
    ]
}
PLAIN: dict[str, dict[str, Any]] = {  # answers that the SDK has no type for
    "DELETE responses/{id}": {
        "type": "object",
        "required": ["id", "object", "deleted"],
        "properties": {
            "id": TEXT,
            "object": {"enum": ["response", "response.deleted"]},
            "deleted": {"const": True},
        },
    },
    "GET models": {
        "type": "object",
        "required": ["object", "data"],
        "properties": {
            "object": {"const": "list"},
            "data": {"type": "array", "items": TypeAdapter(Model).json_schema()},
        },
    },
}


def knows(kind: Kind) -> bool:
    known = {*EVENTS, SPEECH} if kind.streamed else {*ANSWERS, *PLAIN, *FILES}
    return bool(kind.refused) or kind.operation in known


def knows_event(kind: Any) -> bool:
    """Whether the SDK has a type for this event of a Responses stream."""
    return isinstance(kind, str) and kind in _event_types()


@cache
def _event_types() -> frozenset[str]:
    return frozenset(_typed("POST responses", True).words("type"))


def schema_for(kind: Kind, value: Any) -> tuple[str, Schema] | None:
    """(name of the description, schema of an answer or of its event); None when the operation is unknown."""
    if kind.refused:
        return _plain("refusal")
    if kind.streamed and isinstance(value, dict) and value.get("error"):
        return _plain("broken")
    if kind.operation == SPEECH and kind.streamed:
        return _plain("spoken")
    if kind.operation in PLAIN and not kind.streamed:
        return _plain(kind.operation)
    is_typed = kind.operation in (EVENTS if kind.streamed else ANSWERS)
    return (NAME, _typed(kind.operation, kind.streamed)) if is_typed else None


@cache
def _plain(name: str) -> tuple[str, Schema]:
    node = {"refusal": REFUSAL, "broken": BROKEN, "spoken": SPOKEN, **PLAIN}[name]
    return OURS, Schema(node, node)


@cache
def _typed(operation: str, streamed: bool) -> Schema:
    node = TypeAdapter((EVENTS if streamed else ANSWERS)[operation]).json_schema()
    return Schema(node, node)
