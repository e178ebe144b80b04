"""One call that reached the fake Azure, in the JSON of the control API."""

import functools
from datetime import UTC, datetime
from typing import Any

from ..azure.journal import Exchange, Journal
from ..azure.stopped import call_of
from ..doctor.troubleshooting import advice
from ..saying import asked, said
from ..tape.canonical import parse_body
from ..tape.interaction import COMPLETE, OUTCOMES, Interaction, Request, Response
from ..tape.media import media_of
from ..tape.route import parse
from ..tape.usage import cost, tokens_of
from .hidden import headers_shown, target_shown

SHOWN_BODY_BYTES = 64 * 2**10  # of a request, an answer, a frame; /request and /answer give larger ones whole
ASKED_WIDTH = 120


def row(exchange: Exchange, journal: Journal) -> dict[str, Any]:
    """The call as one row of a list. A value that is not known is null."""
    question, route = exchange.question, parse(exchange.target)
    begun, ended, sent_at = exchange.started_at, exchange.ended_at, exchange.sent_at
    text, is_stream = summary(exchange.method, exchange.target, exchange.body)
    return {
        "number": exchange.number,
        "at": moment(journal, begun),
        "method": exchange.method,
        "target": target_shown(exchange.target),
        "route": route and route.operation,
        "generation": route and route.generation,
        "api_version": route and route.api_version,
        "model": (question and question.deployment) or (route and route.deployment),
        "stream": is_stream,
        "asked": text,
        "status": exchange.status,
        "outcome": exchange.outcome,
        "recording": exchange.recording,
        "origin": exchange.origin,
        "missed": exchange.miss is not None,
        "fault": exchange.fault,
        "call": call_of(exchange),
        "stopped": _stopped(exchange),
        "test": exchange.test,
        "frames": len(sent_at),
        "planned": planned(exchange),
        "bytes_in": exchange.dropped or len(exchange.body),
        "body_dropped": bool(exchange.dropped),
        "bytes_out": None if ended is None else sum(map(len, exchange.sent)),
        "first_ms": ms(sent_at[0] - begun) if sent_at else None,
        "ms": None if ended is None else ms(ended - begun),
    }


def _stopped(exchange: Exchange) -> dict[str, str | None] | None:
    """What the proxy said of a call that it did not pass on, and what docs/troubleshooting.md says of that."""
    told = exchange.stopped
    if told is None:
        return None
    return {"code": told["code"], "message": told["message"], "advice": advice(told["status"], told["code"])}


def detail(exchange: Exchange, journal: Journal) -> dict[str, Any]:
    """The row, with headers, bodies, messages and usage. A body above SHOWN_BODY_BYTES is null."""
    interaction = as_interaction(exchange)
    response, used = interaction.response, tokens_of(interaction.response)
    usage = {"input": used.input, "output": used.output, "cached": used.cached, "reasoning": used.reasoning}
    model = exchange.question and exchange.question.deployment
    return row(exchange, journal) | {
        "headers": headers_shown(exchange.headers),
        "body": shown(exchange.body) if not exchange.dropped else None,
        "answer": {
            "status": exchange.status,
            "headers": headers_shown(exchange.sent_headers),
            "body": shown(response.body),
            "body_bytes": len(response.body),
        },
        "miss": exchange.miss,
        "said": [{"who": who, "text": text} for who, text in said(interaction)],
        "usage": usage | {"dollars": cost(model or "", used)} if used.total else None,
    }


def planned(exchange: Exchange) -> int | None:
    """How many frames the answer has where no fault cuts it; None while a live service answers."""
    if exchange.plan:
        return len((exchange.plan.whole or exchange.plan.response).frames())
    return None if exchange.outcome == "open" else len(exchange.sending)


def as_interaction(exchange: Exchange) -> Interaction:
    """The call and the part of its answer that was sent, in the form of a recording."""
    outcome = exchange.broken if exchange.broken in OUTCOMES else COMPLETE
    answer = Response(exchange.status or 0, "", exchange.sent_headers, b"".join(exchange.sent), outcome=outcome)
    request = Request(exchange.method, exchange.target, exchange.headers, exchange.body)
    return Interaction(request, answer, exchange.recording or "")


def is_stream(exchange: Exchange) -> bool:
    return any(
        name.lower() == "content-type" and value.startswith("text/event-stream")
        for name, value in exchange.sent_headers
    )


@functools.lru_cache(1024)  # clients ask for the same list again and again
def summary(method: str, target: str, body: bytes) -> tuple[str | None, bool | None]:
    """The last text of the request, cut to ASKED_WIDTH, and whether the request asks for a stream. Both are None for a
    body above SHOWN_BODY_BYTES."""
    if len(body) > SHOWN_BODY_BYTES:
        return None, None
    parsed = parse_body(body)
    text = " ".join(last_text(method, target, body).split())
    cut = text if len(text) <= ASKED_WIDTH else f"{text[: ASKED_WIDTH - 1]}…"
    return cut or None, parsed.get("stream") in (True, "true") if isinstance(parsed, dict) else False


def last_text(method: str, target: str, body: bytes) -> str:
    """The last text of the request, tools and options aside; empty where there is none."""
    sayings = asked(Request(method, target, (), body))
    return next((one.text for one in reversed([*sayings]) if one.who not in ("tools", "options")), "")


def shown(body: bytes) -> str | None:
    """None for sound, a picture and whatever else nobody reads, as for a body that is too large."""
    is_shown = len(body) <= SHOWN_BODY_BYTES and b"\0" not in body and not media_of(body).kind
    return body.decode(errors="replace") if is_shown else None


def moment(journal: Journal, monotonic: float) -> str:
    return datetime.fromtimestamp(journal.epoch + monotonic, UTC).isoformat(timespec="milliseconds")


def ms(seconds: float) -> float:
    return round(1000 * seconds, 3)
