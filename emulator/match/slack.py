"""Slack: the parts of a request that may vary. A cassette or a project declares them by path; all other parts count.

    metadata.run: any                      may have any value, but must be there
    messages[*].content: [date, /run-\\d+/]   these parts may vary in the texts at the path, and inside it

Requests that differ only in such parts have the same key, so one look-up finds their recording. `Slack.key_of` hashes
the canonical JSON without these parts. NaN stands in the place of each part, because JSON that is compared as JSON has
no NaN (canonical.py).
"""

import hashlib
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec

from ..failure import UsageError
from ..tape.canonical import Key, canonical_body, canonical_json
from . import path as paths
from . import pattern as patterns
from .path import EACH, Path, PathError, Step
from .pattern import MATCH_SECONDS, Pattern, PatternError, TooSlow

ANY = "any"
MOST_RULES, MOST_EXPRESSIONS = 100, 20  # to try out one expression takes up to 0.25 s
ELSEWHERE = ("model", "stream")  # members that decide who answers, and in what form
ASKED = {  # members that hold the prompt, in any item of a list
    *(("messages",), ("messages", "content"), ("messages", "content", "text")),
    *(("input",), ("input", "content"), ("input", "content", "text")),
    *(("prompt",), ("instructions",)),
}
FILES = (("file",), ("image",), ("image[]",), ("mask",))  # fields of forms (OpenAI API reference, audio and images)
MAY_VARY_IN_FILES = ("filename", "content-type")
CUT = math.nan
_pack = msgspec.msgpack.Encoder(order="deterministic").encode


class SlackError(UsageError, ValueError):
    """The error for a wrong declaration. `rule` is the declared path, and the message says what to write."""

    def __init__(self, reason: str, rule: str = "") -> None:
        super().__init__(f"{rule}: {reason}" if rule else reason)
        self.rule = rule


@dataclass(frozen=True)
class Rule:
    """The parts of the texts at `path` that match a pattern may vary. Without patterns the whole value may vary."""

    path: Path
    patterns: tuple[Pattern, ...] = ()

    def __str__(self) -> str:
        return f"{paths.written(self.path)} ({', '.join(pattern.name for pattern in self.patterns) or ANY})"


@dataclass
class _Node:
    """The rules' paths as a tree."""

    members: dict[str, "_Node"] = field(default_factory=dict)
    items: dict[int | None, "_Node"] = field(default_factory=dict)
    is_any: bool = False
    patterns: tuple[Pattern, ...] = ()

    def below(self, step: Step) -> "_Node":
        if isinstance(step, str):
            return self.members.setdefault(step, _Node())
        return self.items.setdefault(step, _Node())


Cut = Callable[[str, tuple[Pattern, ...]], Any]


@dataclass(frozen=True)
class Slack:
    """The rules that apply to a request together. `+` drops equal rules."""

    rules: tuple[Rule, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rules)

    def __add__(self, other: "Slack") -> "Slack":
        return Slack(tuple(dict.fromkeys(self.rules + other.rules))) if other else self

    def key_of(self, key: Key, parsed: Any) -> Key | None:
        """The key that this request shares with all requests that differ from it only in parts that may vary. None
        where no part may vary, and where the search is too slow: the request's own key counts then."""
        if type(parsed) is not dict:
            return None
        compared, until = canonical_body(parsed), time.monotonic() + MATCH_SECONDS
        try:
            cut = _cut(compared, [self._tree], (), lambda text, these: _pieces(text, these, until), CUT)
        except TooSlow:  # diagnose.py tells the user
            return None
        if cut is compared:
            return None
        return key._replace(body=hashlib.blake2b(_packed(cut), digest_size=16, key=self._digest).digest())

    def masked(self, parsed: Any) -> Any:
        """The request for people to read. `<date>` stands for a date that may vary, `<any>` for a value that may be
        anything. Raises TooSlow."""
        until = time.monotonic() + MATCH_SECONDS
        return _cut(parsed, [self._tree], (), lambda text, these: _masked(text, these, until), f"<{ANY}>")

    def meets(self, parsed: Any) -> list[Rule]:
        """The rules that let a part of this request vary. Raises TooSlow."""
        compared = canonical_body(parsed)
        return [rule for rule in self.rules if Slack((rule,)).masked(compared) is not compared]

    @cached_property
    def _tree(self) -> _Node:
        root = _Node()
        for rule in self.rules:
            node = root
            for step in rule.path:
                node = node.below(step)
            node.is_any |= not rule.patterns
            node.patterns += rule.patterns
        return root

    @cached_property
    def _digest(self) -> bytes:
        """A digest of the rules. Different rules give different keys."""
        return hashlib.blake2b("\n".join(map(str, self.rules)).encode(errors="surrogatepass"), digest_size=16).digest()


NONE = Slack()


def parse(declared: Any) -> Slack:
    """The rules that `declared` has: a mapping of paths to `any`, a pattern, or a list of patterns. Raises
    SlackError."""
    if not isinstance(declared, Mapping):
        raise SlackError('slack must map paths to what may vary, as in {"metadata.run": any}')
    if len(declared) > MOST_RULES:
        raise SlackError(f"slack has {len(declared):,} rules; at most {MOST_RULES} are allowed")
    named = [name for what in declared.values() for name in (what if isinstance(what, list) else [what])]
    if (own := sum(str(name) not in patterns.NAMED for name in named) - named.count(ANY)) > MOST_EXPRESSIONS:
        raise SlackError(f"slack has {own:,} expressions; at most {MOST_EXPRESSIONS} are allowed")
    rules = tuple(_rule(str(where), what) for where, what in declared.items())
    used = dict.fromkeys(pattern for rule in rules for pattern in rule.patterns)
    if patterns.take_most(used):
        raise SlackError(f"slack: together these rules would ignore most of any text: {', '.join(map(str, rules))}")
    return Slack(rules)


def _rule(where: str, what: Any) -> Rule:
    names = what if isinstance(what, list) else [what]
    try:
        path = paths.parse(where)
        if not names or not all(isinstance(name, str) for name in names) or (ANY in names and len(names) > 1):
            raise PatternError(f"write {ANY}, a pattern, or a list of patterns")
        ordered = [name for name in patterns.NAMED if name in names]
        ordered += [name for name in dict.fromkeys(names) if name not in ordered]
        rule = Rule(path, () if names == [ANY] else tuple(map(patterns.parse, ordered)))
    except (PathError, PatternError) as error:
        raise SlackError(str(error), where[: paths.LONGEST]) from error
    if refused := _refusal(rule):
        raise SlackError(refused, where)
    return rule


def _refusal(rule: Rule) -> str | None:
    members = tuple(step for step in rule.path if isinstance(step, str))
    if rule.path[0] in ELSEWHERE:
        return f"{rule.path[0]} decides the answer, and must not vary"
    if members[:1] in FILES and members[-1] not in MAY_VARY_IN_FILES:
        return (
            "the bytes of a file must not vary; its filename and its content type may, as in "
            'file.filename and ["image[]"][*].filename'
        )
    if not rule.patterns and members in ASKED:
        return (
            f"{ANY} would ignore the whole prompt, so one recording would answer every question; name the part that "
            f"varies: {', '.join(patterns.NAMED)}, or an expression such as /run-\\d+/"
        )
    return None


def _packed(value: Any) -> bytes:
    """Bytes that are equal for equal values alone. msgpack takes a tenth of JSON's time."""
    try:
        return _pack(value)
    except (OverflowError, UnicodeEncodeError):  # an integer above 64 bits, or half of a surrogate pair
        return canonical_json(value).encode()


def _cut(value: Any, nodes: list[_Node], inside: tuple[Pattern, ...], cut: Cut, anything: Any) -> Any:
    """The value without the parts that may vary; the same object where nothing may. `nodes` are those of the value's
    own path. `inside` are the patterns that apply to all texts in it."""
    for node in nodes:
        if node.is_any:
            return anything
        inside += node.patterns
    if type(value) is str:
        return cut(value, inside) if inside else value
    if type(value) is dict:
        return _cut_members(value, nodes, inside, cut, anything)
    if type(value) is list and (inside or any(node.items for node in nodes)):
        return _cut_items(value, nodes, inside, cut, anything)
    return value


def _cut_members(
    members: dict[str, Any], nodes: list[_Node], inside: tuple[Pattern, ...], cut: Cut, anything: Any
) -> Any:
    names: Iterable[str] = members if inside else {name: None for node in nodes for name in node.members}
    changed = {}
    for name in names:
        if name in members:
            below = [node.members[name] for node in nodes if name in node.members]
            value = members[name]
            if (new := _cut(value, below, inside, cut, anything)) is not value:
                changed[name] = new
    return members | changed if changed else members


def _cut_items(values: list[Any], nodes: list[_Node], inside: tuple[Pattern, ...], cut: Cut, anything: Any) -> Any:
    each = [node.items[EACH] for node in nodes if EACH in node.items]
    numbered: dict[int, list[_Node]] = {}
    for node in nodes:
        for number, below in node.items.items():
            if number is not EACH and -len(values) <= number < len(values):
                numbered.setdefault(number % len(values), []).append(below)
    new = [_cut(value, each + numbered.get(at, []), inside, cut, anything) for at, value in enumerate(values)]
    return new if any(map(_is_other, new, values)) else values


def _is_other(one: Any, other: Any) -> bool:
    return one is not other


def _pieces(text: str, these: tuple[Pattern, ...], until: float) -> Any:
    """[NaN, "Today is ", the number of the matching pattern, "."], or the text itself where no pattern matches."""
    pieces: list[Any] = [text]
    for number, pattern in enumerate(these):
        if not pattern.may_match(text):
            continue
        for at in range(len(pieces) - 1, -1, -2):  # every second piece is a text, the others are numbers
            if len(parts := pattern.split(pieces[at], until)) > 1:
                between = [number] * (2 * len(parts) - 1)
                between[::2] = parts  # type: ignore[assignment]
                pieces[at : at + 1] = between
    return text if len(pieces) == 1 else [CUT, *pieces]


def _masked(text: str, these: tuple[Pattern, ...], until: float) -> str:
    pieces = _pieces(text, these, until)
    if type(pieces) is str:
        return text
    return "".join(f"<{these[piece].name}>" if type(piece) is int else str(piece) for piece in pieces[1:])
