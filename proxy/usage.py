"""What an answer says about itself: tokens, model, why it ended. One that was kept whole is decoded; of a longer one,
and of a stream, the two ends that were kept are searched."""

import re
from typing import Any

from .answer import UNREADABLE, Answer, Details, Usage, decode
from .excerpt import HEAD_BYTES, Excerpt

# A quote inside a JSON string is escaped, so that none of these can be found in what a model wrote. They are looked for
# as plain text, which is many times faster than a pattern.
MODEL, FINISH_REASON, STATUS, ID, USAGE, ERROR, INCOMPLETE = (
    b'"%s":' % name
    for name in (b"model", b"finish_reason", b"status", b"id", b"usage", b"error", b"incomplete_details")
)
WORD = re.compile(rb'\s*"([\w.:/@ -]+)"')
RESPONSE_ID = re.compile(rb'\s*"(resp_[\w.:/@ -]+)"')
CODE = re.compile(rb'\s*{[^{}\0]*?"code"\s*:\s*"?(\w+)')
REASON = re.compile(rb'\s*{\s*"reason"\s*:\s*"(\w+)"')
SEAM = b"\0"  # between head and tail: none of these may begin in one and end in the other
LAST_BYTES = 8_192  # an asynchronous filter's verdicts may come after the reason
LONGEST_USAGE = 4_096  # bytes; real ones have up to 600

TOKENS = {  # as the APIs call them: as the record does
    b"input_tokens": "input_tokens",
    b"prompt_tokens": "input_tokens",
    b"output_tokens": "output_tokens",
    b"completion_tokens": "output_tokens",
    b"total_tokens": "total_tokens",
    b"cached_tokens": "cached_tokens",
    b"reasoning_tokens": "reasoning_tokens",
}
COUNT = re.compile(rb'"(%s)"\s*:\s*(\d+)' % b"|".join(TOKENS))


def told(excerpt: Excerpt) -> dict[str, Any]:
    """The record's fields that an answer tells; what it does not tell is None or left out."""
    if not excerpt.head and excerpt.tail.startswith(b"{"):
        try:
            return read(decode(excerpt.tail))
        except UNREADABLE:
            pass  # it broke off
    return searched(excerpt)


def read(answer: Answer) -> dict[str, Any]:
    response_id = answer.id if answer.id and answer.id.startswith("resp_") else None
    if response_id:
        reason = (answer.incomplete_details and answer.incomplete_details.reason) or answer.status
    else:
        reason = ",".join(sorted({choice.finish_reason for choice in answer.choices or () if choice.finish_reason}))
    return {
        "model_served": answer.model,
        "finish_reason": reason or None,
        "error": answer.error and answer.error.code,
        "response_id": response_id,
        **(counted(answer.usage) if answer.usage else {}),
    }


NO_DETAILS = Details()


def counted(usage: Usage) -> dict[str, int | None]:
    return {
        "input_tokens": usage.prompt_tokens if usage.input_tokens is None else usage.input_tokens,
        "output_tokens": usage.completion_tokens if usage.output_tokens is None else usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "cached_tokens": (usage.prompt_tokens_details or usage.input_tokens_details or NO_DETAILS).cached_tokens,
        "reasoning_tokens": (
            usage.completion_tokens_details or usage.output_tokens_details or NO_DETAILS
        ).reasoning_tokens,
    }


def searched(excerpt: Excerpt) -> dict[str, Any]:
    head: bytes | bytearray = excerpt.tail
    ends = tail = excerpt.tail
    if len(tail) > LAST_BYTES or excerpt.head:
        head = excerpt.head or tail[:HEAD_BYTES]
        ends = tail[:0] + head + SEAM + tail[-LAST_BYTES:]
    response_id = first(ID, RESPONSE_ID, head)
    if response_id:
        reason = first(INCOMPLETE, REASON, head) or first(STATUS, WORD, head)
    else:
        reason = ",".join(sorted({*found(FINISH_REASON, WORD, ends)})) or None
    return {
        "model_served": first(MODEL, WORD, ends),
        "finish_reason": reason,
        "error": first(ERROR, CODE, ends),
        "response_id": response_id,
        **tokens(tail),
    }


def first(lead: bytes, value: re.Pattern[bytes], text: bytes | bytearray) -> str | None:
    values = found(lead, value, text, most=1)
    return values[0] if values else None


def found(lead: bytes, value: re.Pattern[bytes], text: bytes | bytearray, most: int = 1_000) -> list[str]:
    """The values that stand directly behind the lead."""
    values: list[str] = []
    at = text.find(lead)
    while at >= 0 and len(values) < most:
        at += len(lead)
        if match := value.match(text, at):
            values.append(match[1].decode("utf-8", "replace"))
        at = text.find(lead, at)
    return values


def tokens(tail: bytearray) -> dict[str, int]:
    """Those of the last usage in it; a JSON schema that the answer repeats may have a property of that name."""
    at = len(tail)
    while (at := tail.rfind(USAGE, 0, at)) >= 0:
        counts = {TOKENS[name]: int(number) for name, number in COUNT.findall(tail, at, at + LONGEST_USAGE)}
        if "total_tokens" in counts:
            return counts
    return {}
