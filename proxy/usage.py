"""What an answer says about itself: tokens, model, why it ended. Read from the two ends of it that were kept."""

import json
import re
from contextlib import suppress
from typing import Any

from .excerpt import HEAD_BYTES, Excerpt

# A quote inside a JSON string is escaped, so that none of these can be found in what a model wrote.
MODEL = re.compile(rb'"model"\s*:\s*"([^"]+)"')
FINISH_REASON = re.compile(rb'"finish_reason"\s*:\s*"([^"]+)"')
RESPONSE = re.compile(rb'"id"\s*:\s*"(resp_[^"]+)"')
STATUS = re.compile(rb'"status"\s*:\s*"([^"]+)"')
INCOMPLETE = re.compile(rb'"incomplete_details"\s*:\s*\{\s*"reason"\s*:\s*"([^"]+)"')
ERROR = re.compile(rb'"error"\s*:\s*\{[^{}]*?"code"\s*:\s*"?(\w+)')
USAGES = (b'"usage":{', b'"usage": {')  # never the null of a stream's other events
LAST_BYTES = 8_192  # an asynchronous filter's verdicts may come after the reason
LONGEST_USAGE = 4_096  # bytes; real ones have up to 600

FIELDS = ("input_tokens", "output_tokens", "total_tokens", "cached_tokens", "reasoning_tokens")
RENAMED = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens"}  # of chat and embeddings
DECODER = json.JSONDecoder()


def told(excerpt: Excerpt) -> dict[str, Any]:
    """The record's fields that an answer tells, None where it does not."""
    tail = excerpt.tail
    head = excerpt.head or tail[:HEAD_BYTES]
    ends = tail if len(tail) <= LAST_BYTES and not excerpt.head else head + tail[-LAST_BYTES:]
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
    while (at := max(tail.rfind(usage, 0, at) for usage in USAGES)) >= 0:
        with suppress(ValueError):  # cut off
            usage, _ = DECODER.raw_decode(tail[tail.index(b"{", at) : at + LONGEST_USAGE].decode("utf-8", "replace"))
            if "total_tokens" in usage:
                return counts(usage)
    return dict.fromkeys(FIELDS)


def counts(usage: dict[str, Any]) -> dict[str, int | None]:
    """Its numbers and those of its details, by the record's names."""
    parts = (part for part in (usage, *usage.values()) if isinstance(part, dict))
    named = {RENAMED.get(name, name): value for part in parts for name, value in part.items()}
    return {field: value if isinstance(value := named.get(field), int) else None for field in FIELDS}
