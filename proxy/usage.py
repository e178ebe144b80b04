"""What an answer says about itself: tokens, model, why it ended. Read from the two ends of it that were kept."""

import re
from typing import Any

from .excerpt import HEAD_BYTES, Excerpt

# A quote inside a JSON string is escaped, so that none of these can be found in what a model wrote.
MODEL = re.compile(rb'"model"\s*:\s*"([\w.:/@ -]+)"')
FINISH_REASON = re.compile(rb'"finish_reason"\s*:\s*"(\w+)"')
RESPONSE = re.compile(rb'"id"\s*:\s*"(resp_[\w-]+)"')
STATUS = re.compile(rb'"status"\s*:\s*"(\w+)"')
INCOMPLETE = re.compile(rb'"incomplete_details"\s*:\s*\{\s*"reason"\s*:\s*"(\w+)"')
ERROR = re.compile(rb'"error"\s*:\s*\{[^{}\0]*?"code"\s*:\s*"?(\w+)')
SEAM = b"\0"  # between head and tail: none of these may begin in one and end in the other
USAGES = (b'"usage":{', b'"usage": {')  # never the null of a stream's other events
COUNT = re.compile(rb'"(\w+)"\s*:\s*(\d+)')
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
UNKNOWN = dict.fromkeys(TOKENS.values())


def told(excerpt: Excerpt) -> dict[str, Any]:
    """The record's fields that an answer tells, None where it does not."""
    tail = excerpt.tail
    head = excerpt.head or tail[:HEAD_BYTES]
    ends = tail if len(tail) <= LAST_BYTES and not excerpt.head else head + SEAM + tail[-LAST_BYTES:]
    response_id = first(RESPONSE, head)
    if response_id:
        reason = first(INCOMPLETE, head) or first(STATUS, head)
    else:
        reason = ",".join(sorted({found.decode() for found in FINISH_REASON.findall(ends)})) or None
    return {
        "model_served": first(MODEL, ends),
        "finish_reason": reason,
        "error": first(ERROR, ends),
        "response_id": response_id,
        **tokens(tail),
    }


def first(pattern: re.Pattern[bytes], text: bytes) -> str | None:
    found = pattern.search(text)
    return found[1].decode("utf-8", "replace") if found else None


def tokens(tail: bytes) -> dict[str, int | None]:
    """Those of the last usage in it; a JSON schema that the answer repeats may have a property of that name."""
    at = len(tail)
    while (at := max(tail.rfind(USAGES[0], 0, at), tail.rfind(USAGES[1], 0, at))) >= 0:
        found = COUNT.findall(tail, at, at + LONGEST_USAGE)
        counts = {TOKENS[name]: int(number) for name, number in found if name in TOKENS}
        if "total_tokens" in counts:
            return UNKNOWN | counts
    return UNKNOWN
