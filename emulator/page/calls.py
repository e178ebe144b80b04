"""The routes of the calls that reached the fake Azure: list them, wait for them, read one."""

import json
from collections.abc import Iterator
from typing import Any

from ..azure.journal import LONGEST, Exchange
from . import call
from . import frames as frames_of
from .answer import Answer, attachment
from .asked import Asked
from .refusal import Refusal, invalid_query
from .subject import Subject

LAST = 10**15 - 1
MOST_ROWS, ROWS = 1_000, 200
MOST_FRAMES, FRAMES = 1_000, 500
LONGEST_WAIT_SECONDS = 30
SEARCHED_BYTES = 64 * 2**20  # of bodies, in one search
QUERY = ("before", "after", "limit", "ended", "text", "wait", "count")


def listed(subject: Subject, asked: Asked) -> dict[str, Any]:
    """The newest calls, or the first ones after the number `after`; the oldest stands first."""
    limit = asked.number("limit", ROWS, MOST_ROWS, 1)
    kept = subject.azure.journal.exchanges
    chosen, searched_to = _holding(asked.query.get("text"), list(_chosen(kept, asked)))
    chosen = chosen[:limit] if "after" in asked.query else chosen[-limit:]
    after = asked.number("after", 0, LAST)
    return {
        "calls": [call.row(exchange, subject.azure.journal) for exchange in chosen],
        "first": kept[0].number if kept else None,
        "next": chosen[-1].number if chosen else after,
        "dropped": max(0, kept[0].number - 1 - after) if kept and "after" in asked.query else 0,
        "searched_to": searched_to,
    }


async def wait(subject: Subject, asked: Asked) -> None:
    """Waits until the list would have `count` calls, for at most `wait` seconds."""
    seconds, count = asked.number("wait", 0, LONGEST_WAIT_SECONDS), asked.number("count", 1, LONGEST, 1)
    if "count" in asked.query and "wait" not in asked.query:
        raise invalid_query("count is the number of calls to wait for; add the seconds, as in wait=10.", "count")
    if seconds and "text" in asked.query:
        raise invalid_query("wait counts calls and does not search them; leave text out.", "text")
    list(_chosen([], asked))  # refuses a wrong query before the wait

    def are_there() -> bool:
        return sum(1 for _ in _chosen(subject.azure.journal.exchanges, asked)) >= count

    await subject.waiting.until(are_there, seconds)


def _chosen(exchanges: list[Exchange], asked: Asked) -> Iterator[Exchange]:
    after, before = asked.number("after", 0, LAST), asked.number("before", LAST, LAST)
    only_ended = asked.choice("ended", ("true", "false"), "false") == "true"
    for exchange in exchanges:
        if after < exchange.number < before and (exchange.ended_at is not None or not only_ended):
            yield exchange


def _holding(text: str | None, exchanges: list[Exchange]) -> tuple[list[Exchange], int | None]:
    """The calls whose body has the text, searched from the newest on. The number is that of the last call searched, and
    None where the search reached all."""
    if not text:
        return exchanges, None
    spelled = {text.encode(errors="replace"), *(json.dumps(text, ensure_ascii=a)[1:-1].encode() for a in (True, False))}
    found, searched = list[Exchange](), 0
    for exchange in reversed(exchanges):
        searched += len(exchange.body)
        if searched > SEARCHED_BYTES:
            return found[::-1], exchange.number + 1
        if any(spelling in exchange.body for spelling in spelled):
            found.append(exchange)
    return found[::-1], None


def one(subject: Subject, asked: Asked) -> dict[str, Any]:
    return call.detail(find(subject, asked), subject.azure.journal)


def frames(subject: Subject, asked: Asked) -> dict[str, Any]:
    exchange = find(subject, asked)
    after, limit = asked.number("after", 0, LAST), asked.number("limit", FRAMES, MOST_FRAMES, 1)
    return frames_of.told(exchange, after, limit)


def request(subject: Subject, asked: Asked) -> Answer:
    exchange = find(subject, asked)
    if exchange.dropped:
        raise Refusal(404, "body_dropped", f"The journal keeps 256 MB of bodies; call {exchange.number}'s is gone.")
    return attachment(exchange.body, f"call-{exchange.number}-request")


def answer(subject: Subject, asked: Asked) -> Answer:
    exchange = find(subject, asked)
    return attachment(b"".join(exchange.sent), f"call-{exchange.number}-answer")


def find(subject: Subject, asked: Asked) -> Exchange:
    """The call whose number the path has. Raises Refusal."""
    number, kept = int(asked.parts["number"]), subject.azure.journal.exchanges
    for exchange in kept:
        if exchange.number == number:
            return exchange
    last = subject.azure.journal.last_number
    why = (
        f"Call {number} is gone: a reset cleared the journal, or more than {LONGEST:,} calls came after it."
        if number <= last
        else f"There is no call {number} yet; the last one is {last}."
    )
    raise Refusal(404, "no_such_call", why, "number")
