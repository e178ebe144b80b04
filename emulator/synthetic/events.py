"""A stream whose events have no number: those of audio and images (OpenAI API reference; of Azure none is recorded)."""

from collections.abc import Iterable, Mapping
from typing import Any

from ..tape.cassette import Response
from . import headers
from .asked import Asked
from .text import compact, schedule


def response(asked: Asked, events: Iterable[Mapping[str, Any]]) -> Response:
    """Each event has its type first."""
    frames = [f"event: {event['type']}\ndata: {compact(event)}\n\n" for event in events]
    body = "".join(frames).encode()
    head = headers.chat(asked.seed, asked.deployment, body, headers.SSE)
    return Response(200, "OK", head, body, schedule(len(frames)))
