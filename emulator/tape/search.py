"""Finds secrets in a text, however they are encoded in it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .secret import GUID, NO_ID, PLACEHOLDER, RULES, Rule
from .view import READABLE, View, encoded, is_text, views

SHORTEST = 8  # characters of a string that is known to be secret; "test" as a key would be found in every other text
NESTING = 3  # base64 in base64 in base64
HOST = PLACEHOLDER.partition("://")[2]

_NOTHING = re.compile("(?P<secret>)")
KNOWN = Rule("known secret", "the recorder was told so", "", _NOTHING, "scrubbed-secret")
KNOWN_ID = KNOWN._replace(instead=NO_ID)
KNOWN_HOST = Rule("host of the resource", "says where it is, and often whose", "", _NOTHING, HOST)


@dataclass(frozen=True)
class Hit:
    """text[start:end] says `secret`. `plainly`: something else can be written there instead."""

    start: int
    end: int
    secret: str
    rule: Rule
    plainly: bool = True


@dataclass(frozen=True)
class Search:
    """What is looked for: what the rules describe, `known` strings before that, and `found` ones after it, each with
    the rule that it stands for."""

    known: Mapping[str, Rule] = field(default_factory=dict)
    found: Mapping[str, Rule] = field(default_factory=dict)

    @classmethod
    def of(cls, host: str, secrets: Iterable[str]) -> "Search":
        known = {secret: KNOWN_ID if re.fullmatch(GUID, secret) else KNOWN for secret in secrets}
        known |= {host: KNOWN_HOST} if host != HOST else {}
        return cls({secret: rule for secret, rule in known.items() if len(secret) >= SHORTEST})

    def hits(self, text: str, nesting: int = NESTING) -> list[Hit]:
        """In their order; no two overlap. Where they would, what is deeper in encodings counts: it begins and ends
        where the secret does."""
        hits, seen, covered = list[Hit](), set[str](), bytearray(len(text))
        for view in views(text):
            for start, end, secret, rule, plainly in self._in(view, nesting, seen):
                hit = Hit(view.position(start), view.position(end), secret, rule, plainly)
                if not any(covered[hit.start : hit.end]):
                    covered[hit.start : hit.end] = b"1" * (hit.end - hit.start)
                    hits.append(hit)
        return sorted(hits, key=lambda hit: hit.start)

    def _in(self, view: View, nesting: int, seen: set[str]) -> Iterator[tuple[int, int, str, Rule, bool]]:
        text, small = view.text, view.text.lower()
        yield from _exactly(self.known, text, small)
        for rule in RULES:
            for match in rule.pattern.finditer(text) if rule.needle in small else ():
                if rule.really(match["secret"]):
                    yield *match.span("secret"), match["secret"], rule, True
        yield from _exactly(self.found, text, small)
        if nesting:
            for start, end, meaning in encoded(text, seen):
                for part in [meaning] if is_text(meaning) else READABLE.findall(meaning):
                    for hit in self.hits(part.decode("latin-1"), nesting - 1):
                        yield start, end, hit.secret, hit.rule, False


def _exactly(secrets: Mapping[str, Rule], text: str, small: str) -> Iterator[tuple[int, int, str, Rule, bool]]:
    for secret, rule in secrets.items():
        if secret.lower() in small:
            for match in re.finditer(re.escape(secret), text, re.IGNORECASE):
                yield *match.span(), secret, rule, True
