"""The answers that a scenario can let Azure give."""

from typing import Any

from . import chat, embeddings, errors, images, responses, speech, stored, transcripts
from .asked import Answer, Reply

FORMATS = {"chat/completions": chat.response, "responses": responses.response}


def says(*texts: str, thought: int = 0, summary: str = "", cut: bool = False) -> Answer:
    """Text. Several texts are the choices of n > 1. `thought`, `summary` and `cut` are as in Reply."""
    reply = Reply(texts, (), thought, summary, cut)
    return lambda asked: FORMATS[asked.operation](asked, reply)


def calls(*functions: tuple[str, dict[str, Any]], thought: int = 0) -> Answer:
    """Function calls: (name, arguments). Several are parallel calls."""
    reply = Reply((), functions, thought)
    return lambda asked: FORMATS[asked.operation](asked, reply)


def embeds() -> Answer:
    """Vectors that depend on their texts alone."""
    return embeddings.response


def speaks() -> Answer:
    """Beeps, one for each word."""
    return speech.response


def hears(text: str) -> Answer:
    """What is said in a sound, transcribed or translated."""
    return lambda asked: transcripts.response(asked, text)


def draws() -> Answer:
    """Pictures that show the words of the prompt."""
    return images.response


def filtered(category: str) -> Answer:
    """The content filter stopped the prompt. `category` is hate, jailbreak, self_harm, sexual or violence."""
    return lambda asked: errors.filtered(asked, category)


def judged_later(text: str) -> Answer:
    """A chat stream of a deployment whose content filter is asynchronous: the verdicts come in chunks of their own."""
    return lambda asked: chat.stream(asked, chat.chunks_judged_later(asked, Reply((text,))))


def keeps(status: str, *texts: str, thought: int = 0) -> Answer:
    """A response that Azure keeps, in its state at that time. It has texts once it is completed. For requests with
    background=True, and for requests that read or cancel a response."""
    reply = Reply(texts, (), thought) if texts else None
    return lambda asked: stored.state(asked, reply, status)


def resumes(text: str, thought: int = 0) -> Answer:
    """The rest of a stream. `text` is the stream's whole text."""
    return lambda asked: stored.rest_of_stream(asked, Reply((text,), (), thought))


def lists_input() -> Answer:
    """A page of a response's input."""
    return stored.input_items


def deletes() -> Answer:
    return stored.deleted


def not_found() -> Answer:
    """No response has this id."""
    return errors.not_found


def rate_limited(retry_after_ms: int) -> Answer:
    return lambda asked: errors.rate_limited(asked, retry_after_ms)


def rate_limited_in_stream(retry_after_ms: int) -> Answer:
    """Azure notices the rate limit after the stream has begun."""
    return lambda asked: errors.rate_limited_in_stream(asked, retry_after_ms)
