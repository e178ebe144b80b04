"""A journal as a file: a line of JSON for each call, which `python -m emulator page FILE` shows.

pytest writes it with `--emulator-journal=FILE`. A CI keeps such a file for others to see, so no key gets into it.
"""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..azure.asgi import headers_of
from ..azure.journal import Exchange, Journal
from ..azure.plan import Plan
from ..azure.question import question_of
from ..failure import UsageError
from ..scrub.scrub import Known
from ..scrub.search import Search
from ..tape.interaction import Response
from .hidden import HIDDEN, headers_shown, target_shown

QUOTED = "Nothing answered. The message is not kept: it quotes a text of which something is hidden here."
AS_IT_IS = ("method", "status", "recording", "origin", "outcome", "fault", "time_scale")


def append(path: Path, test: str, journal: Journal, secrets: Iterable[str]) -> None:
    """The calls of a test. The processes of a run share the file: each test is one write."""
    search = Known("", tuple(secrets)).search()
    lines = [json.dumps(_line(test, exchange, journal, search)) + "\n" for exchange in journal.exchanges]
    with path.open("ab", buffering=0) as file:
        file.write("".join(lines).encode())


def _line(test: str, exchange: Exchange, journal: Journal, search: Search) -> dict[str, Any]:
    """Times are seconds since 1970; `sent_at` and `head_at` since the call began."""
    began, plan = exchange.started_at, exchange.plan
    body, as_it_came = _text(exchange.body, search), exchange.body.decode(errors="surrogateescape")
    miss, pieces = exchange.miss, [*exchange.sending[: len(exchange.sent_at)]]
    if miss and body != as_it_came:
        miss, pieces = QUOTED, []
    whole = plan and (plan.whole or plan.response)
    return {
        "test": test,
        **{name: getattr(exchange, name) for name in AS_IT_IS},
        "target": _masked(target_shown(exchange.target), search),
        "headers": [[name, _masked(value, search)] for name, value in headers_shown(exchange.headers)],
        "body": body,
        "miss": miss and _masked(miss, search),
        "began": journal.epoch + began,
        "ended": (exchange.ended_at or time.monotonic()) - began,
        "head_at": exchange.head_at and exchange.head_at - began,
        "sent_at": [at - began for at in exchange.sent_at[: len(pieces)]],
        "sent_headers": [[name, _masked(value, search)] for name, value in headers_shown(exchange.sent_headers)],
        "frames": [_text(piece, search) for piece in pieces],
        "recorded_ms": plan.response.frame_at_ms if plan else [],
        "whole_ms": whole.frame_at_ms if whole else [],
        "planned": len(whole.frames()) if whole else None,
        "pause": plan.pause if plan else 0.0,
    }


def _text(content: bytes, search: Search) -> str:
    """Bytes that are no text are kept as half surrogate pairs, which JSON spells."""
    return _masked(content.decode(errors="surrogateescape"), search)


def _masked(text: str, search: Search) -> str:
    for hit in reversed(search.hits(text)):
        text = f"{text[: hit.start]}{HIDDEN}{text[hit.end :]}"
    return text


def read(path: Path) -> Journal:
    """The calls in the order in which they began. Raises UsageError."""
    journal, told = Journal(), list[tuple[float, Exchange]]()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from error
    for number, line in enumerate(lines, 1):
        try:
            exchange = _exchange(json.loads(line))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise UsageError(f"{path}, line {number} is none that pytest --emulator-journal={path} writes.") from error
        told.append((exchange.started_at, exchange))
    journal.epoch = 0.0
    for _, exchange in sorted(told, key=lambda pair: pair[0]):
        journal.add(exchange)
        ended = exchange.ended_at
        journal.ended(exchange, exchange.outcome)
        exchange.ended_at = ended
    return journal


def _exchange(told: dict[str, Any]) -> Exchange:
    began, body = float(told["began"]), _bytes(told["body"])
    made = Exchange(
        str(told["method"]),
        str(told["target"]),
        headers_of(tuple((_bytes(name), _bytes(value)) for name, value in told["headers"])),
        body,
        **{name: told[name] for name in AS_IT_IS[1:]},
        miss=told["miss"],
        started_at=began,
        ended_at=began + told["ended"],
        sent_at=[began + at for at in told["sent_at"]],
        sent_headers=tuple((str(name), str(value)) for name, value in told["sent_headers"]),
        sending=[_bytes(frame) for frame in told["frames"]],
        head_at=told["head_at"] and began + told["head_at"],
        test=str(told["test"]),
    )
    made.question = question_of(made.method, made.target, body)
    made.plan = _plan(made, told) if told["planned"] is not None else None
    return made


def _plan(exchange: Exchange, told: dict[str, Any]) -> Plan:
    """As much of it as the page shows: how many frames there would have been, and when."""
    pieces, planned = [*exchange.sending], int(told["planned"])
    left = Response(
        exchange.status or 0,
        "",
        exchange.sent_headers,
        b"".join(pieces),
        tuple(map(float, told["recorded_ms"])),
        tuple(map(len, pieces)),
    )
    whole = Response(left.status, "", (), b" " * planned, tuple(map(float, told["whole_ms"])), (1,) * planned)
    return Plan(left, pause=float(told["pause"]), whole=whole)


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
