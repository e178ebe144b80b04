"""Secrets in a recording, and their places."""

import itertools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from ..tape.interaction import Interaction
from .header import ANSWERING_HEADERS, ASKING_HEADERS, hides_its_body
from .place import documents, place_in, spelled
from .rewrite import texts
from .search import Search
from .secret import Rule, other_rule

COMPRESSED = other_rule("compressed", "nobody can see what it holds; ask without accept-encoding")
OTHER_HEADERS = other_rule("not on the list of headers that are kept", "other headers tell who asked, or from where")


@dataclass(frozen=True)
class Leak:
    """A place such as `request body messages[0].content`, and the rule that found a secret there. `how` is "" when the
    secret is in plain text. A leak never holds the secret itself."""

    place: str
    rule: Rule
    how: str = ""

    @property
    def what(self) -> str:
        return " ".join(filter(None, (self.rule.name, self.how))) + f" ({self.rule.reason})"

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


def leaks_of(interaction: Interaction, search: Search) -> Iterator[Leak]:
    for part, text, is_file in texts(interaction):
        for hit in search.in_file(text) if is_file else search.hits(text):
            place = part if is_file else _place(interaction, part, text, hit.start)
            yield Leak(masked(place, search), hit.rule, "" if hit.plainly else "in an encoding")
    yield from _bit_by_bit(interaction, search)
    for part, headers, kept in (
        ("request", interaction.request.headers, ASKING_HEADERS),
        ("response", interaction.response.headers, ANSWERING_HEADERS),
    ):
        if any(hides_its_body(*pair) for pair in headers):
            yield Leak(f"{part} body", COMPRESSED)
        if others := [name.lower() for name, _ in headers if not kept.fullmatch(name.lower())]:
            yield Leak(masked(f"{part} headers {', '.join(others)}", search), OTHER_HEADERS)


def _bit_by_bit(interaction: Interaction, search: Search) -> Iterator[Leak]:
    """Secrets that a stream spells over several events."""
    for path, bits in spelled(documents(interaction.response.body)).items():
        ends = list(itertools.accumulate(len(text) for _, text in bits))
        for hit in search.hits("".join(text for _, text in bits)):
            first, last = bisect_right(ends, hit.start), bisect_left(ends, hit.end)
            if first < last or hit.secret not in {alone.secret for alone in search.hits(bits[first][1])}:
                events = f"events {bits[first][0]} to {bits[last][0]} " if bits[first][0] else ""
                yield Leak(masked(f"response body {events}{path}", search), hit.rule, "bit by bit")


def _place(interaction: Interaction, part: str, text: str, position: int) -> str:
    if part == "request address":
        name = re.search(r"[?&]([^?&=]+)=[^?&]*$", text[: position + 1])
        detail = f"query {name[1]}" if name else "path" if "/" in text[:position].partition("://")[2] else "host"
    elif part.endswith(" body"):
        streamed = part.startswith("response") and interaction.response.is_stream
        detail = place_in(text.encode("latin-1"), position, streamed)
    else:
        detail = ""
    return f"{part} {detail}".strip()


def masked(place: str, search: Search) -> str:
    """The place without secrets, because a JSON key or a header's name can be a secret itself."""
    for hit in reversed(search.hits(place)):
        place = f"{place[: hit.start]}…{place[hit.end :]}"
    return place
