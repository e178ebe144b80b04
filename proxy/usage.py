"""Reads what an answer says about itself: tokens, model, why it ended. It decodes an answer that the excerpt holds
whole, and searches the two ends of a longer answer and of a stream."""

import re

from .answer import UNREADABLE, Answer, decode
from .excerpt import HEAD_BYTES, Excerpt
from .fields import Fields
from .media import MEDIA

# JSON escapes a quote inside a string, so a search never finds these in a model's text. A search for plain text is many
# times faster than a pattern.
MODEL, FINISH_REASON, STATUS, ID, USAGE, ERROR, INCOMPLETE, DURATION, SECONDS = (
    b'"%s":' % name
    for name in (
        *(b"model", b"finish_reason", b"status", b"id", b"usage", b"error", b"incomplete_details"),
        *(b"duration", b"seconds"),
    )
)
WORD = re.compile(rb'\s*"([\w.:/@ -]+)"')
RESPONSE_ID = re.compile(rb'\s*"(resp_[\w.:/@ -]+)"')
CODE = re.compile(rb'\s*{[^{}\0]*?"code"\s*:\s*"?((?!null\b)\w+)')
REASON = re.compile(rb'\s*{\s*"reason"\s*:\s*"(\w+)"')
NUMBER = re.compile(rb"\s*(\d{1,9}(?:\.\d{1,9})?)")
SEAM = b"\0"  # between head and tail: no match may begin in one and end in the other
LAST_BYTES = 8_192  # verdicts of an asynchronous filter may follow the reason
LONGEST_USAGE = 4_096  # bytes; real ones have up to 600

TOKENS = {  # the APIs' name: the record's name
    b"input_tokens": "input_tokens",
    b"prompt_tokens": "input_tokens",
    b"output_tokens": "output_tokens",
    b"completion_tokens": "output_tokens",
    b"total_tokens": "total_tokens",
    b"cached_tokens": "cached_tokens",
    b"reasoning_tokens": "reasoning_tokens",
}
COUNT = re.compile(rb'"(%s)"\s*:\s*(\d+)' % b"|".join(TOKENS))


def tell(excerpt: Excerpt, fields: Fields) -> str | None:
    """Fills in the fields from an answer. Returns the id of a Response, which is enough to read it: keep it secret."""
    if excerpt.tail.startswith(b"{"):
        try:
            return read(decode(excerpt.tail), fields)
        except UNREADABLE:
            pass  # the excerpt is not whole
    return search(excerpt, fields)


def read(answer: Answer, fields: Fields) -> str | None:
    fields.model_served = fields.model_served or answer.model
    if answer.error and answer.error.code is not None:
        fields.error = fields.error or str(answer.error.code)
    if usage := answer.usage:
        inputs = usage.prompt_tokens_details or usage.input_tokens_details
        outputs = usage.completion_tokens_details or usage.output_tokens_details
        fields.input_tokens = usage.prompt_tokens if usage.input_tokens is None else usage.input_tokens
        fields.output_tokens = usage.completion_tokens if usage.output_tokens is None else usage.output_tokens
        fields.total_tokens = usage.total_tokens
        fields.cached_tokens = inputs.cached_tokens if inputs else None
        fields.reasoning_tokens = outputs.reasoning_tokens if outputs else None
        fields.audio_seconds = usage.seconds
    if fields.audio_seconds is None:
        fields.audio_seconds = answer.duration
    if answer.id and answer.id.startswith("resp_"):
        fields.finish_reason = (answer.incomplete_details and answer.incomplete_details.reason) or answer.status
        return answer.id
    fields.finish_reason = joined({choice.finish_reason for choice in answer.choices or () if choice.finish_reason})
    return None


def search(excerpt: Excerpt, fields: Fields) -> str | None:
    head = ends = tail = excerpt.tail
    if len(tail) > LAST_BYTES or excerpt.head:
        head = excerpt.head or tail[:HEAD_BYTES]
        ends = head + SEAM + tail[-LAST_BYTES:]
    fields.model_served = fields.model_served or first(MODEL, WORD, ends)
    fields.error = fields.error or first(ERROR, CODE, ends)
    is_media = fields.route in MEDIA
    for name, count in (tokens(tail) or (tokens(head) if is_media else {})).items():
        setattr(fields, name, count)
    if is_media and (seconds := first(DURATION, NUMBER, head) or first(SECONDS, NUMBER, ends)):
        fields.audio_seconds = float(seconds)
    response_id = first(ID, RESPONSE_ID, head)
    if response_id:
        fields.finish_reason = first(INCOMPLETE, REASON, head) or first(STATUS, WORD, head)
    else:
        fields.finish_reason = joined({*found(FINISH_REASON, WORD, ends)})
    return response_id


def joined(reasons: set[str]) -> str | None:
    """The reasons of several answers to one request."""
    return ",".join(sorted(reasons)) if len(reasons) > 1 else reasons.pop() if reasons else None


def first(lead: bytes, value: re.Pattern[bytes], text: bytes) -> str | None:
    values = found(lead, value, text, most=1)
    return values[0] if values else None


def found(lead: bytes, value: re.Pattern[bytes], text: bytes, most: int = 1_000) -> list[str]:
    """The values directly after each `lead`."""
    values: list[str] = []
    at = text.find(lead)
    while at >= 0 and len(values) < most:
        at += len(lead)
        if match := value.match(text, at):
            values.append(match[1].decode("utf-8", "replace"))
        at = text.find(lead, at)
    return values


def tokens(tail: bytes) -> dict[str, int]:
    """The counts of the last usage. A JSON schema that the answer repeats may have a property of this name."""
    at = len(tail)
    while (at := tail.rfind(USAGE, 0, at)) >= 0:
        counts = {TOKENS[name]: int(number) for name, number in COUNT.findall(tail, at, at + LONGEST_USAGE)}
        if "total_tokens" in counts:
            return counts
    return {}
