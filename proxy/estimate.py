"""How many tokens a call may take, before it is made; and what it took, where Azure does not tell."""

import math
import re
from typing import NamedTuple

from .fields import Fields
from .limits import OUTPUT_LIMITS, values
from .model import Members
from .tally import Counts

COUNTED = ("chat/completions", "embeddings", "responses", "responses/compact")  # the routes that ask a model
BYTES_A_TOKEN = 4  # OpenAI's rule of thumb for English
UNNAMED_OUTPUT = 1_000  # tokens of an answer whose length the caller does not limit
MOST = 1_000_000  # tokens that a call is believed to ask for; no model of 2026 answers with more
DATA_TOKENS = 1_000  # of an image, a sound or a file within the body, whose bytes say little
DATA_MARKS = (b";base64,", b'"input_audio"')
DATA = re.compile(rb'(?:;base64,|"data"\s*:\s*")[A-Za-z0-9+/=_\\-]{256,}')


class Estimate(NamedTuple):
    """In tokens. A response in the `background` is produced whether or not somebody stays to read it."""

    input_tokens: int
    output_tokens: int
    background: bool = False

    @property
    def total(self) -> int:
        return self.input_tokens + self.output_tokens


def estimated(route: str, body: bytes, members: Members, usual_output: int) -> Estimate | None:
    """What to reserve for a call, None where the route asks no model. `usual_output` is what the key's calls have had
    on average."""
    if route not in COUNTED:
        return None
    named = numbers(members, *OUTPUT_LIMITS.get(route, ()))
    output = max(named) if named else 0 if route == "embeddings" else max(UNNAMED_OUTPUT, usual_output)
    copies = max(numbers(members, "n"), default=1.0)
    background = any(value is not False for value in values(members, "background"))
    return Estimate(input_tokens(body), int(min(MOST, output * max(1.0, copies))), background)


def numbers(members: Members, *names: str) -> list[float]:
    """Those that Azure might take: it refuses the others."""
    found = [value for value in values(members, *names) if isinstance(value, float) and not math.isnan(value)]
    return [min(max(0.0, value), float(MOST)) for value in found]


def input_tokens(body: bytes) -> int:
    size, data = len(body), 0
    if any(mark in body for mark in DATA_MARKS):
        for found in DATA.finditer(body):
            size -= found.end() - found.start()
            data += DATA_TOKENS
    return size // BYTES_A_TOKEN + data


def used(fields: Fields, asked: Estimate, frames: int) -> Counts:
    """What a call took, once it is over: as Azure told it, else as its size tells, and then `fields` gets that and says
    so. `frames` are a stream's events: a model sends about a token in each."""
    left_early = fields.status == 499 and fields.upstream_ms > 0  # Azure had begun
    if (fields.status or 500) >= 400 and not left_early:
        return Counts()  # Azure counts no tokens for an error
    if fields.outcome != "complete" or fields.total_tokens is None:
        produced = frames or (
            0 if left_early or fields.route == "embeddings" else (fields.bytes_out or 0) // BYTES_A_TOKEN
        )
        output = max(produced, fields.output_tokens or 0, asked.output_tokens if asked.background else 0)
        fields.input_tokens, fields.output_tokens = fields.input_tokens or asked.input_tokens, output
        fields.total_tokens, fields.estimated = fields.input_tokens + output, True
    return Counts(
        requests=1,
        input_tokens=fields.input_tokens or 0,
        output_tokens=fields.output_tokens or 0,
        total_tokens=fields.total_tokens,
        estimated=int(fields.estimated or False),
    )
