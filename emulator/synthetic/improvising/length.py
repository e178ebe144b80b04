"""How long an answer gets: what the prompt asks for, where `stop` ends it, what the token limit leaves of it."""

import re
from typing import Any, NamedTuple

from ..asked import Asked
from ..text import pieces

USUAL_TOKENS = 40
LONGEST_TOKENS = 4_000  # of all choices: while an answer is made, nobody else gets one
WORDS = re.compile(r"\b(\d{1,4})(?:[- ]\w+)?[- ](?:words?|tokens)\b", re.IGNORECASE)  # as in "about 200 words"
LOOKED_AT = 1_000  # characters at both ends of a prompt
LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
THOUGHT = {"none": 0, "minimal": 0, "low": 64, "medium": 128, "high": 256, "xhigh": 512}  # tokens, by effort


class Spoken(NamedTuple):
    """`spent` are its tokens; `cut`: the limit ended it."""

    text: str
    spent: int
    cut: bool


def wanted(prompt: str, choices: int) -> int:
    """About how many tokens the prompt asks for, in each of so many choices."""
    found = WORDS.findall(f"{prompt[:LOOKED_AT]}\n{prompt[-LOOKED_AT:]}")
    return min(int(found[-1]), LONGEST_TOKENS // choices) if found else USUAL_TOKENS


def limit(body: dict[str, Any]) -> int | None:
    return next((body[name] for name in LIMITS if name in body), None)


def thought(asked: Asked) -> int:
    """Tokens that a reasoning model thinks before it speaks, of those that the limit allows."""
    if not asked.reasons:
        return 0
    effort: Any = asked.body.get("reasoning_effort") or (asked.body.get("reasoning") or {}).get("effort")
    tokens, most = THOUGHT.get(effort, THOUGHT["medium"]), limit(asked.body)
    return tokens if most is None else min(tokens, most)


def spoken(text: str, most: int | None, stop: Any = None) -> Spoken:
    """The text up to the first of `stop`, or up to `most` tokens; the end of an answer is one, too."""
    for end in [stop] if isinstance(stop, str) else stop or ():
        text = text.partition(end)[0] if end else text
    said = pieces(text)
    if most is None or len(said) < most:
        return Spoken(text, len(said) + 1, False)
    return Spoken("".join(said[:most]), most, True)
