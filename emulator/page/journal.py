"""`/_emulator/journal`: every call whole, in one answer. This route is older than `calls`; old tests use it."""

from typing import Any

from ..azure.journal import Exchange
from .asked import Asked
from .hidden import headers_shown, target_shown
from .subject import Subject

AS_IT_IS = ("method", "status", "recording", "origin", "miss", "outcome", "started_at", "ended_at", "sent_at", "fault")


def read(subject: Subject, _: Asked) -> dict[str, Any]:
    return {"exchanges": [_as_json(exchange) for exchange in subject.azure.journal.exchanges]}


def clear(subject: Subject, asked: Asked) -> dict[str, Any]:
    """Starts afresh, as FakeAzure.reset does."""
    subject.azure.reset()
    return read(subject, asked)


def _as_json(exchange: Exchange) -> dict[str, Any]:
    return {
        **{name: getattr(exchange, name) for name in AS_IT_IS},
        "target": target_shown(exchange.target),
        "headers": headers_shown(exchange.headers),
        "body": exchange.body.decode(errors="replace"),
    }
