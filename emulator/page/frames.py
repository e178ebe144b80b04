"""The times at which the pieces of an answer left, beside their recorded schedule."""

import itertools
import statistics
import time
from typing import Any

from ..azure.journal import Exchange
from ..tape.frame import frame_of
from ..tape.interaction import COMPLETE, OUTCOMES
from .call import SHOWN_BODY_BYTES, is_stream, ms, planned, shown

LONG_GAP_MS, LONG_GAP_MEDIANS = 250.0, 3.0  # a reader notices a gap that is longer than both
ENDS = OUTCOMES | {"client_left": "the client left"}


def told(exchange: Exchange, after: int, limit: int) -> dict[str, Any]:
    """The frames after number `after`, at most `limit` of them. Times are ms after the headers. `schedule` has the
    whole answer's times, at the speed of the replay; null where the answer has none, or was to leave at once."""
    left, due = _left(exchange), _due(exchange)
    now = ms(time.monotonic() - _began(exchange)) if exchange.ended_at is None and _began(exchange) else None
    return {
        "frames": _frames(exchange, left, due, after, limit),
        "planned": planned(exchange),
        "outcome": exchange.outcome,
        "schedule": _schedule(exchange) if not after else None,
        "time_scale": exchange.time_scale,
        "now_ms": now,
        "story": story(exchange, left, due, now) if left or now is not None else None,
    }


def _began(exchange: Exchange) -> float:
    """When the headers left. An answer without pauses sends its first frame with them."""
    if exchange.head_at is not None:
        return exchange.head_at
    return exchange.sent_at[0] if exchange.sent_at else 0.0


def _left(exchange: Exchange) -> list[float]:
    began = _began(exchange)
    return [ms(at - began) for at in [*exchange.sent_at]]


def _due(exchange: Exchange) -> list[float | None]:
    """When each frame was due, with a fault's pauses; None for each where the answer has no schedule."""
    plan, scale = exchange.plan, exchange.time_scale
    at = plan.response.frame_at_ms if plan else ()
    if not plan or not scale:
        return [None] * len(exchange.sending)
    paused = (1000 * plan.pause * number for number in itertools.count(1))
    return [round(recorded / scale + pause, 3) for recorded, pause in zip(at, paused, strict=False)]


def _schedule(exchange: Exchange) -> list[float] | None:
    plan, scale = exchange.plan, exchange.time_scale
    recorded = (plan.whole or plan.response).frame_at_ms if plan else ()
    return [round(at / scale, 3) for at in recorded] if recorded and scale else None


def _frames(
    exchange: Exchange, left: list[float], due: list[float | None], after: int, limit: int
) -> list[dict[str, Any]]:
    recorded: tuple[float, ...] = exchange.plan.response.frame_at_ms if exchange.plan else ()
    rows = itertools.zip_longest(exchange.sending[: len(left)], left, recorded[: len(left)], due[: len(left)])
    return [
        {
            "number": number,
            "recorded_ms": at,
            "due_ms": due_at,
            "left_ms": left_at,
            "bytes": len(piece),
            **_read(exchange, number, piece),
        }
        for number, (piece, left_at, at, due_at) in enumerate(rows, 1)
        if after < number <= after + limit
    ]


def _read(exchange: Exchange, number: int, piece: bytes) -> dict[str, str | None]:
    """The frame's fields as a client reads them; null for a frame above SHOWN_BODY_BYTES."""
    if len(piece) > SHOWN_BODY_BYTES:
        return {"event": None, "data": None}
    frame = frame_of(number, piece)
    return {"event": frame.event or None, "data": frame.data if is_stream(exchange) else shown(piece)}


def story(exchange: Exchange, left: list[float], due: list[float | None], now: float | None) -> dict[str, Any]:
    """In words, what a plot of the frames shows."""
    late = [at - due_at for at, due_at in zip(left, due, strict=False) if due_at is not None]
    gap, schedule = _gap(left, now), _schedule(exchange)
    told = [_progress(exchange, left, schedule)]
    if left:
        told.append(f"First after {_said(left[0])} ms")
    if now is not None:
        told.append(f"Nothing for {_said(now - (left[-1] if left else 0))} ms")
    if gap and gap["before"] <= len(left):
        told.append(f"Longest gap {_said(gap['ms'])} ms, before frame {gap['before']}")
    if late:
        told.append(f"Never more than {_said(max(0.0, *late))} ms late")
    elif exchange.plan and not exchange.time_scale and exchange.ended_at is not None and len(left) > 1:
        told.append("Sent at once")
    return {
        "sentence": ". ".join(told) + ".",
        "gap": gap,
        "first_ms": left[0] if left else None,
        "late_ms": round(max(0.0, *late), 3) if late else None,
    }


def _progress(exchange: Exchange, left: list[float], schedule: list[float] | None) -> str:
    whole = planned(exchange)
    count = f"{len(left):,}" + (f" of {whole:,}" if whole and whole != len(left) else "")
    noun = "frame" if (whole or len(left)) == 1 else "frames"
    if exchange.ended_at is None:
        return f"{count} {noun} so far"
    recorded = f" (recorded {_said(schedule[-1])})" if schedule and exchange.outcome == COMPLETE else ""
    how = ENDS.get(exchange.outcome, exchange.outcome)
    ended = "" if exchange.outcome == COMPLETE else f", then {how}"
    return f"{count} {noun} in {_said(left[-1])} ms{recorded}{ended}"


def _gap(left: list[float], now: float | None) -> dict[str, Any] | None:
    """The longest gap, and the number of the frame after it. The gap before a frame that is still to come counts. None
    where the answer has one frame and has ended."""
    ends = [*left, *([now] if now is not None else [])]
    gaps = [later - earlier for earlier, later in itertools.pairwise(ends)]
    if not gaps:
        return None
    at = max(range(len(gaps)), key=gaps.__getitem__)
    others = [gap for number, gap in enumerate(gaps) if number != at] or [0.0]
    is_long = gaps[at] > max(LONG_GAP_MS, LONG_GAP_MEDIANS * statistics.median(others))
    return {"before": at + 2, "from_ms": left[at], "ms": round(gaps[at], 3), "is_long": is_long}


def _said(milliseconds: float) -> str:
    return f"{milliseconds:,.0f}"
