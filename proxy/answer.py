"""The members of an answer that its record needs. The decoder skips all others, prompts and answers among them.

Azure's and OpenAI's specifications give the names: of a chat completion, a Response, embeddings, images, a transcript
and an error.
"""

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

UNREADABLE = (DecodeError, UnicodeError, RecursionError)


class Part(Struct, gc=False):  # parts live for a moment, and none refers to itself
    pass


class Details(Part):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class Usage(Part):
    """Chat and embeddings have prompt and completion tokens, the others input and output tokens, or `seconds`."""

    total_tokens: int | None = None
    prompt_tokens: int | None = None
    input_tokens: int | None = None
    completion_tokens: int | None = None
    output_tokens: int | None = None
    prompt_tokens_details: Details | None = None
    input_tokens_details: Details | None = None
    completion_tokens_details: Details | None = None
    output_tokens_details: Details | None = None
    seconds: float | None = None


class Choice(Part):
    finish_reason: str | None = None


class Incomplete(Part):
    reason: str | None = None


class Error(Part):
    code: str | int | None = None


class Answer(Part):
    id: str | None = None
    model: str | None = None
    status: str | None = None
    incomplete_details: Incomplete | None = None
    choices: list[Choice] | None = None
    usage: Usage | None = None
    duration: float | None = None
    error: Error | None = None


decode = Decoder(Answer).decode  # raises one of UNREADABLE for other JSON, and for no JSON
