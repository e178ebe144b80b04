"""What an answer says about itself: tokens, model, why it ended. Read from the two ends of it that were kept."""

import json
import re
from contextlib import suppress
from typing import Any

from .excerpt import Excerpt

# A quote inside a JSON string is escaped, so that none of these can be found in what a model wrote.
USAGE = re.compile(rb'"usage"\s*:\s*(?=\{)')
MODEL = re.compile(rb'"model"\s*:\s*"([^"]+)"')
FINISH_REASON = re.compile(rb'"finish_reason"\s*:\s*"([^"]+)"')
RESPONSE = re.compile(rb'"id"\s*:\s*"(resp_[^"]+)"')
STATUS = re.compile(rb'"status"\s*:\s*"([^"]+)"')
INCOMPLETE = re.compile(rb'"incomplete_details"\s*:\s*\{\s*"reason"\s*:\s*"([^"]+)"')
ERROR = re.compile(rb'"error"\s*:\s*\{[^{}]*?"code"\s*:\s*"?(\w+)')
DECODER = json.JSONDecoder()
LONGEST_USAGE = 4_096  # characters; real ones have up to 600

TOKENS = {  # field: its names in the Responses API and in chat and embeddings
    "input_tokens": ("input_tokens", "prompt_tokens"),
    "output_tokens": ("output_tokens", "completion_tokens"),
    "total_tokens": ("total_tokens",),
    "cached_tokens": ("input_tokens_details.cached_tokens", "prompt_tokens_details.cached_tokens"),
    "reasoning_tokens": ("output_tokens_details.reasoning_tokens", "completion_tokens_details.reasoning_tokens"),
}


def told(excerpt: Excerpt) -> dict[str, Any]:
    """The record's fields that an answer tells, None where it does not."""
    tail = excerpt.tail
    text = tail if len(tail) == excerpt.size else excerpt.head + tail
    response_id = first(RESPONSE, text)
    if response_id:
        reason = first(INCOMPLETE, text) or first(STATUS, excerpt.head)
    else:
        reason = ",".join(sorted({found.decode() for found in FINISH_REASON.findall(text)})) or None
    return {
        "model_served": first(MODEL, text),
        "finish_reason": reason,
        "error": first(ERROR, text),
        "response_id": response_id,
        **tokens(tail),
    }


def first(pattern: re.Pattern[bytes], text: bytes) -> str | None:
    found = pattern.search(text)
    return found[1].decode("utf-8", "replace") if found else None


def tokens(tail: bytes) -> dict[str, int | None]:
    """The last usage in it that is one; a JSON schema that the answer repeats may have a property of that name."""
    for found in reversed([*USAGE.finditer(tail)]):
        text = tail[found.end() : found.end() + LONGEST_USAGE].decode("utf-8", "replace")
        with suppress(ValueError):  # cut off
            usage, _ = DECODER.raw_decode(text)
            if "total_tokens" in usage:
                return {field: count(usage, paths) for field, paths in TOKENS.items()}
    return dict.fromkeys(TOKENS)


def count(usage: dict[str, Any], paths: tuple[str, ...]) -> int | None:
    for path in paths:
        value: Any = usage
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, int):
            return value
    return None
