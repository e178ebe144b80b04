"""What may vary in requests, told apart from what may not without asking the matcher: the audit's second opinion."""

import re
import time
from collections.abc import Iterator
from typing import Any

from ..match import path as paths
from ..match.pattern import MATCH_SECONDS, Pattern
from ..match.slack import Rule, Slack
from ..tape.canonical import canonical_body, parse_body
from ..tape.form import is_form
from ..tape.interaction import Request
from .mutation import Change, put, with_body

OTHER_VALUE = {"x-audit": ["another value"]}

Place = tuple[str | int, ...]
Steps = tuple[Place, tuple[int, ...]]  # a place, and the length of what each of its steps is taken in


def is_declared(slack: Slack, old: Request, new: Request) -> bool:
    """Whether two requests to the same address differ, and in nothing but what may vary."""
    if (old.method, old.uri) != (new.method, new.uri):
        return False
    one, other = (parse_body(request.body) for request in (old, new))
    if type(one) is not dict or type(other) is not dict:
        return False
    found = list(_differences(canonical_body(one), canonical_body(other), ((), ())))
    same_model = one.get("model") == other.get("model")
    return bool(found) and same_model and all(_may_differ(slack, *difference) for difference in found)


def varied(slack: Slack, request: Request) -> Iterator[Change]:
    """The request with another value wherever one may vary, one at a time."""
    parsed = parse_body(request.body)
    if type(parsed) is not dict or is_form(parsed):  # files cannot be made again
        return
    for steps, value in _values(parsed, ((), ())):
        for rule in slack.rules:
            if rule.patterns:
                new = _varied_text(rule, value) if type(value) is str and paths.covers(rule.path, *steps) else value
            else:
                new = OTHER_VALUE if len(rule.path) == len(steps[0]) and paths.covers(rule.path, *steps) else value
            if new is not value and new != value:
                yield Change(f"{rule}: another value", with_body(request, put(parsed, steps[0], new)))


def nearby(slack: Slack, request: Request) -> Iterator[Change]:
    """The request with each word changed, one at a time, in the texts of which a part may vary."""
    parsed = parse_body(request.body)
    if type(parsed) is not dict or is_form(parsed):  # files cannot be made again
        return
    for steps, value in _values(parsed, ((), ())):
        if type(value) is str and any(rule.patterns and paths.covers(rule.path, *steps) for rule in slack.rules):
            for word in re.finditer(r"\S+", value):
                for new in sorted({word[0].swapcase(), f"x{word[0]}", f"{word[0]}0"} - {word[0]}):
                    text = value[: word.start()] + new + value[word.end() :]
                    what = f"{paths.written(steps[0])}: {word[0]!r:.40} → {new!r:.40}"
                    yield Change(what, with_body(request, put(parsed, steps[0], text)))


def _differences(old: Any, new: Any, steps: Steps) -> Iterator[tuple[Steps, Any, Any]]:
    """The smallest values that differ; a member or an item that only one has makes its whole collection differ."""
    if type(old) is dict and type(new) is dict and old.keys() == new.keys():
        for name in old:
            yield from _differences(old[name], new[name], _below(steps, name, old))
    elif type(old) is list and type(new) is list and len(old) == len(new):
        for number, pair in enumerate(zip(old, new, strict=True)):
            yield from _differences(*pair, _below(steps, number, old))
    elif repr(old) != repr(new):
        yield steps, old, new


def _values(value: Any, steps: Steps) -> Iterator[tuple[Steps, Any]]:
    yield steps, value
    inner: Any = value.items() if type(value) is dict else enumerate(value) if type(value) is list else ()
    for step, below in inner:
        yield from _values(below, _below(steps, step, value))


def _below(steps: Steps, step: str | int, inside: Any) -> Steps:
    return (*steps[0], step), (*steps[1], len(inside))


def _may_differ(slack: Slack, steps: Steps, old: Any, new: Any) -> bool:
    rules = [rule for rule in slack.rules if paths.covers(rule.path, *steps)]
    if not all(rule.patterns for rule in rules):
        return True
    if type(old) is not str or type(new) is not str:
        return False
    these = [pattern for rule in rules for pattern in rule.patterns]
    return bool(these) and _without(old, these) == _without(new, these)


def _without(text: str, these: list[Pattern]) -> list[str]:
    """The pieces of a text between what the patterns meet, and what met it."""
    pieces = [text]
    for pattern in these:
        pieces = [part for piece in pieces for part in ([piece] if piece.startswith("\0") else _split(pattern, piece))]
    return pieces


def _split(pattern: Pattern, text: str) -> list[str]:
    first, *rest = pattern.split(text, time.monotonic() + MATCH_SECONDS)
    return [first, *(part for piece in rest for part in (f"\0{pattern.name}", piece))]


def _varied_text(rule: Rule, text: str) -> str:
    for pattern in rule.patterns:
        parts = pattern.split(text, time.monotonic() + MATCH_SECONDS)
        if len(parts) > 1 and pattern.example:
            return pattern.example.join(parts)
    return text


def unmet(slack: Slack, requests: list[Request]) -> list[Rule]:
    """The rules that let nothing vary in any of these requests."""
    met = {rule for request in requests for rule in slack.meets(parse_body(request.body))}
    return [rule for rule in slack.rules if rule not in met]
