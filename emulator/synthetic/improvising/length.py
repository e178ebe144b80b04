"""The length of an answer: the prompt asks for one, `stop` ends the text, and the token limit cuts it."""

import re
from typing import Any, NamedTuple

from ..asked import Asked
from ..text import pieces

USUAL_TOKENS = 40
LONGEST_TOKENS = 4_000  # of all choices together: while the emulator makes an answer, all other requests wait
WORDS = re.compile(r"\b(\d{1,4})(?:[- ]\w+)?[- ](?:words?|tokens)\b", re.IGNORECASE)  # as in "about 200 words"
LOOKED_AT = 1_000  # characters at each end of a prompt
LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
THOUGHT = {"none": 0, "minimal": 0, "low": 64, "medium": 128, "high": 256, "xhigh": 512}  # effort: reasoning tokens


class Spoken(NamedTuple):
    """`spent` counts the text's tokens. `cut` says that the token limit ended the text."""

    text: str
    spent: int
    cut: bool


def wanted(prompt: str, choices: int) -> int:
    """About how many tokens the prompt asks for in each choice, such as 200 for "about 200 words"."""
    found = WORDS.findall(f"{prompt[:LOOKED_AT]}\n{prompt[-LOOKED_AT:]}")
    return min(int(found[-1]), LONGEST_TOKENS // choices) if found else USUAL_TOKENS


def limit(body: dict[str, Any]) -> int | None:
    return next((body[name] for name in LIMITS if name in body), None)


def thought(asked: Asked) -> int:
    """The reasoning tokens that the model uses before it answers, within the request's token limit."""
    if not asked.reasons:
        return 0
    effort: Any = asked.body.get("reasoning_effort") or (asked.body.get("reasoning") or {}).get("effort")
    tokens, most = THOUGHT.get(effort, THOUGHT["medium"]), limit(asked.body)
    return tokens if most is None else min(tokens, most)


def spoken(text: str, most: int | None, stop: Any = None) -> Spoken:
    """The text up to the first of `stop`, and up to `most` tokens. The end of an answer counts as a token."""
    for end in [stop] if isinstance(stop, str) else stop or ():
        text = text.partition(end)[0] if end else text
    said = pieces(text)
    if most is None or len(said) < most:
        return Spoken(text, len(said) + 1, False)
    return Spoken("".join(said[:most]), most, True)
