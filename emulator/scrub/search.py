"""Finds secrets in a text, in plain form and in encodings."""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ..tape.coding import is_text
from .key_form import GUID
from .secret import NO_ID, PLACEHOLDER, RULES, Rule, other_rule
from .view import READABLE, encoded, views

SHORTEST = 8  # characters of a known secret; a key like "test" would be found in every other text
NESTING = 3  # base64 in base64 in base64
HOST = PLACEHOLDER.partition("://")[2]

KNOWN = other_rule("known secret", "the recorder knows that it is one", "scrubbed-secret")
KNOWN_ID = other_rule("known id", "the recorder knows that it is secret", NO_ID)
KNOWN_HOST = other_rule("host of the resource", "tells where the resource is, and often whose it is", HOST)


@dataclass(frozen=True)
class Hit:
    """text[start:end] means `secret`. `plainly` means that a replacement can be written there."""

    start: int
    end: int
    secret: str
    rule: Rule
    plainly: bool = True


@dataclass(frozen=True)
class Search:
    """Searches for `known` strings first, then for the patterns of the rules, then for `found` strings. Each string has
    a rule."""

    known: Mapping[str, Rule] = field(default_factory=dict)
    found: Mapping[str, Rule] = field(default_factory=dict)
    _remembered: dict[str, list[Hit]] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, host: str, secrets: Iterable[str]) -> "Search":
        known = {secret: KNOWN_ID if re.fullmatch(GUID, secret) else KNOWN for secret in secrets}
        known |= {host: KNOWN_HOST} if host != HOST else {}
        return cls({secret: rule for secret, rule in known.items() if len(secret) >= SHORTEST})

    def hits(self, text: str, nesting: int = NESTING) -> list[Hit]:
        """The hits in order, without overlap. Of hits that overlap, the one deeper in encodings counts, because it
        begins and ends where the secret does. Remembers the hits of each text."""
        if text not in self._remembered:
            self._remembered[text] = sorted(self._look(text, nesting), key=lambda hit: hit.start)
        return self._remembered[text]

    def in_file(self, text: str) -> list[Hit]:
        """The hits in sound or in a picture: in what a person can read there, in UTF-16 as well, and strings anywhere.
        None can be replaced, and its place is the file."""
        whole = functools.partial(Hit, 0, len(text), plainly=False)
        found = [
            whole(secret, rule) for _, _, secret, rule in _exactly({**self.known, **self.found}, text, text.lower())
        ]
        data = text.encode("latin-1")
        for letters in (data, data.replace(b"\0", b"")):
            for run in READABLE.findall(letters):
                found += [whole(hit.secret, hit.rule) for hit in self.hits(run.decode("latin-1"))]
        return found

    def _look(self, text: str, nesting: int) -> Iterator[Hit]:
        encodings_seen, covered = set[str](), bytearray(len(text))
        harmless = dict[str, bytearray]()  # by rule: where a deeper view shows that it is no secret
        for view in views(text):
            for start, end, secret, rule in self._matches(view.text):
                start, end = view.position(start), view.position(end)
                if not rule.really(secret) or secret.lower() == rule.instead:
                    harmless.setdefault(rule.name, bytearray(len(text)))[start:end] = b"1" * (end - start)
                elif not any(covered[start:end]) and not any(harmless.get(rule.name, b"")[start:end]):
                    covered[start:end] = b"1" * (end - start)
                    yield Hit(start, end, secret, rule)
            for start, end, meaning in encoded(view.text, encodings_seen) if nesting else ():
                start, end = view.position(start), view.position(end)
                parts = [meaning] if is_text(meaning) else READABLE.findall(meaning)
                inside = [hit for part in parts for hit in self.hits(part.decode("latin-1"), nesting - 1)]
                if inside and not any(covered[start:end]):
                    covered[start:end] = b"1" * (end - start)
                    yield Hit(start, end, inside[0].secret, inside[0].rule, plainly=False)

    def _matches(self, text: str) -> Iterator[tuple[int, int, str, Rule]]:
        small = text.lower()
        yield from _exactly(self.known, text, small)
        for rule in RULES:
            for match in rule.pattern.finditer(text) if rule.needle in small else ():
                yield *match.span("secret"), match["secret"], rule
        yield from _exactly(self.found, text, small)


def _exactly(secrets: Mapping[str, Rule], text: str, small: str) -> Iterator[tuple[int, int, str, Rule]]:
    for secret, rule in secrets.items():
        if secret.lower() in small:
            for match in re.finditer(re.escape(secret), text, re.IGNORECASE):
                yield *match.span(), secret, rule
