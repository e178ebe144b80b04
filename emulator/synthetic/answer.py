"""What a scenario can have Azure answer."""

from typing import Any

from . import chat, embeddings, errors, responses
from .asked import Answer, Reply

FORMATS = {"chat/completions": chat.response, "responses": responses.response}


def says(*texts: str, thought: int = 0, summary: str = "", cut: bool = False) -> Answer:
    """Text; several are the choices of n > 1. `thought`, `summary` and `cut` as in Reply."""
    reply = Reply(texts, (), thought, summary, cut)
    return lambda asked: FORMATS[asked.operation](asked, reply)


def calls(*functions: tuple[str, dict[str, Any]], thought: int = 0) -> Answer:
    """Function calls: (name, arguments), several in parallel."""
    reply = Reply((), functions, thought)
    return lambda asked: FORMATS[asked.operation](asked, reply)


def embeds() -> Answer:
    """Vectors that depend on their texts alone."""
    return embeddings.response


def filtered(category: str) -> Answer:
    """The content filter stopped the prompt; `category` is hate, jailbreak, self_harm, sexual or violence."""
    return lambda asked: errors.filtered(asked, category)


def rate_limited(retry_after_ms: int) -> Answer:
    return lambda asked: errors.rate_limited(asked, retry_after_ms)
