"""Estimates the tokens that a call may take, before the call; and those that it took, where Azure does not tell."""

import operator
import re
from collections.abc import Callable
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from .excerpt import Excerpt
from .fields import Fields
from .limits import OUTPUT_LIMITS
from .media import FORMS, HEARD_TOKENS_A_WRITTEN_ONE, MEDIA, WRITTEN_DOWN, heard_tokens, made_tokens
from .model import Members

BYTES_A_TOKEN = 4  # OpenAI's rule of thumb for English
TOKENS_A_SECOND = 50  # of output; Microsoft's target for gpt-5 to gpt-5.4 (Learn, "Provisioned throughput": latency)
NAME = operator.itemgetter(0)  # of a member
ABOUT_OUTPUT = frozenset(("n", "background", *(name for names in OUTPUT_LIMITS.values() for name in names)))
UNNAMED_OUTPUT = 1_000  # tokens for an answer that the caller does not limit
MOST = 1_000_000.0  # tokens: a larger wish counts as this; no model of 2026 answers with more
DATA_TOKENS = 1_000  # for each image, sound or file in the body; its bytes say little about its tokens

# JSON escapes a quote inside a string, so a search never finds these members in a text for the model.
DATA = re.compile(
    rb'"(?:url|image_url|file_data|data)"\s*:\s*"(?:data:[\w./\\;=+-]{0,100};base64,)?[A-Za-z0-9+/=_\\-]{256,}'
)

FRAME_END, DONE = b"\n\n", b"data: [DONE]\n\n"
SEQUENCE = re.compile(rb'"sequence_number"\s*:\s*(\d{1,9})')


class Estimate(Struct, frozen=True, gc=False):
    """In tokens. Azure produces a response in the `background` even when its caller has left. `by_size`: the size of
    the answer tells more than this estimate does."""

    input_tokens: int
    output_tokens: int
    background: bool = False
    by_size: bool = True

    def with_input(self, more: int) -> "Estimate":
        return replace(self, input_tokens=self.input_tokens + more) if more else self


def estimated(route: str, body: bytes, members: Members, usual_output: int) -> Estimate | None:
    """What to reserve for a call; None where the route asks no model. `usual_output` is the average output of the key's
    calls."""
    if route == "embeddings":  # whose input may be numbers of tokens: `[7,7,7]`
        return Estimate(max(input_tokens(body), body.count(b",")), 0)
    if route in MEDIA:
        return estimated_media(route, body, members)
    if (limits := OUTPUT_LIMITS.get(route)) is None:
        return None
    usual = max(UNNAMED_OUTPUT, usual_output)
    if ABOUT_OUTPUT.isdisjoint(map(NAME, members)):  # as in most calls
        return Estimate(input_tokens(body), usual)
    output, copies, background = -1.0, 1.0, False
    for name, value in members:
        if name in limits:
            output = max(output, number(value))
        elif name == "n":
            copies = max(copies, number(value))
        elif name == "background":
            background = background or value not in (None, False)
    wanted = (usual if output < 0 else output) * copies
    return Estimate(input_tokens(body), int(min(MOST, wanted)), background)


def estimated_media(route: str, body: bytes, members: Members) -> Estimate:
    if route in WRITTEN_DOWN:
        heard = heard_tokens(None, len(body))
        return Estimate(heard, heard // HEARD_TOKENS_A_WRITTEN_ONE)
    texts = sum(len(value) for _, value in members if isinstance(value, str))
    files = sum(value is None for _, value in members) if route in FORMS else 0
    inputs = texts // BYTES_A_TOKEN + files * DATA_TOKENS
    return Estimate(inputs, made_tokens(route, members), by_size=False)


def number(value: object) -> float:
    """The value, from 1 to MOST; -1 for a value that Azure refuses."""
    return min(value, MOST) if isinstance(value, float) and value >= 1 else -1.0


def input_tokens(body: bytes) -> int:
    """Looks for data only where it would count for less than its bytes."""
    size, data = len(body), 0
    if size > BYTES_A_TOKEN * DATA_TOKENS and (b";base64," in body or b'"input_audio"' in body):
        for found in DATA.finditer(body):
            size -= found.end() - found.start()
            data += DATA_TOKENS
    return size // BYTES_A_TOKEN + data


def frames_of(excerpt: Excerpt, size: int) -> int:
    """How many events a stream of `size` bytes had; 0 for another answer. Responses numbers its events. The events of a
    chat are taken to be as long as the last ones."""
    if numbers := SEQUENCE.findall(excerpt.tail):
        return int(numbers[-1]) + 1
    events = excerpt.tail.removesuffix(DONE)
    return round(size * events.count(FRAME_END) / len(events)) if events else 0


class Taken(NamedTuple):
    """What a call took; `estimated` is 1 where Azure did not tell."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    estimated: int = 0


def guessed(fields: Fields, asked: Estimate, frames: Callable[[], int]) -> Taken:
    """What a call took of which Azure did not tell all: an estimate by size. `fields` gets the estimate, and is marked
    as estimated. `frames` counts a stream's events: a model sends about one token in each."""
    status = fields.status or 500
    unanswered = fields.upstream_ms > 0 and (status == 499 or fields.error == "upstream_timeout")  # Azure had begun
    if status >= 400 and not unanswered:
        return Taken()  # Azure counts no tokens for an error
    if not asked.by_size:
        produced = asked.output_tokens
    elif unanswered:
        produced = min(asked.output_tokens, int(TOKENS_A_SECOND * fields.upstream_ms / 1000))
    elif not (produced := frames()) and fields.route != "embeddings":
        produced = (fields.bytes_out or 0) // BYTES_A_TOKEN
        # The usage of a complete answer is out of sight, and may be large: metadata can hide it.
        if fields.outcome == "complete" and not fields.audio_seconds:
            produced = max(produced, asked.output_tokens)
    output = max(produced, fields.output_tokens or 0, asked.output_tokens if asked.background else 0)
    inputs = fields.input_tokens or heard_tokens(fields.audio_seconds, 0) or asked.input_tokens
    fields.input_tokens, fields.output_tokens = inputs, output
    fields.total_tokens, fields.estimated = fields.input_tokens + output, True
    return Taken(1, fields.input_tokens, output, fields.total_tokens, estimated=1)
