"""Makes strings that a person can read. The format decides what a string says; without a format, the field's name; and
without a known name, it has plain words."""

import base64
import functools
import re
from collections.abc import Callable, Mapping

from ..seed import Seed
from ..words import phrase
from . import pattern as patterns
from .flat import Node
from .place import Place
from .unsatisfiable import Unsatisfiable

LONGEST = 100_000  # characters; a schema may require no more
WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")

Text = Callable[[Place], str]


def string(node: Node, place: Place) -> str:
    least, most = node.get("minLength", 0), node.get("maxLength")
    if least > LONGEST:
        raise place.unsatisfiable(f"minLength {least} is more than {LONGEST} characters")
    if most is not None and most < least:
        raise place.unsatisfiable(f"minLength {least} is above maxLength {most}")
    pattern = node.get("pattern")
    for write in (FORMATS.get(node.get("format", "")), _of_name(place.name)):
        text = write(place) if write else ""
        if text and least <= len(text) and (most is None or len(text) <= most) and (not pattern or _has(text, pattern)):
            return text
    own = Seed(f"{place.seed.text} {place.path} {place.attempt}")
    if pattern:
        try:
            return patterns.text(pattern, own, least, most)
        except Unsatisfiable as error:
            raise place.unsatisfiable(error.reason) from None
    return _of_length(own, least, most)


def _has(text: str, pattern: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False  # pattern.text raises the error


def _of_length(seed: Seed, least: int, most: int | None) -> str:
    """Plain words, from `least` to `most` characters."""
    count = 2 + seed.number("words", 3)
    text = phrase(seed, max(count, least // 3 + 1) if least else count)
    if (most is not None and len(text) > most) or least:
        text = text[: max(least, min(len(text), most if most is not None else least + 20))]
        text = text[:-1] + "e" if text.endswith(" ") else text
    return text


def _one_of(*texts: str) -> Text:
    return lambda place: texts[place.pick(len(texts))]


@functools.lru_cache(1_024)
def _of_name(name: str) -> Text | None:
    """The writer for the last known word in a field's name: homeCity, home_city and city have the same one."""
    words = map(str.lower, reversed(WORDS.findall(name)))
    return next((NAMES[word] for word in words if word in NAMES), None)


def _day(place: Place) -> str:
    return f"2026-{1 + place.pick(12, 'month'):02}-{1 + place.pick(28, 'day'):02}"


def _hour(place: Place) -> str:
    return f"{place.pick(24, 'hour'):02}:{place.pick(60, 'minute'):02}:00Z"


def _word(place: Place) -> str:
    return phrase(Seed(f"{place.seed.text} {place.path} {place.attempt}"), 1).lower()


def _link(place: Place) -> str:
    return f"https://example.com/{_word(place)}"


def _hexes(place: Place) -> str:
    return f"{place.pick(65_536):x}"


FORMATS: Mapping[str, Text] = {
    "date-time": lambda place: f"{_day(place)}T{_hour(place)}",
    "date": _day,
    "time": _hour,
    "duration": lambda place: f"P{1 + place.pick(30)}D",
    "email": lambda place: f"{_word(place)}@example.com",
    "idn-email": lambda place: f"{_word(place)}@example.com",
    "hostname": lambda place: f"{_word(place)}.example.com",
    "idn-hostname": lambda place: f"{_word(place)}.example.com",
    "ipv4": lambda place: f"192.0.2.{1 + place.pick(254)}",  # reserved for documentation, RFC 5737
    "ipv6": lambda place: f"2001:db8::{1 + place.pick(65_535):x}",  # likewise, RFC 3849
    "uri": _link,
    "url": _link,
    "iri": _link,
    "uri-reference": _link,
    "iri-reference": _link,
    "uri-template": _link,
    "uuid": lambda place: place.seed.uuid(f"{place.path} {place.attempt}"),
    "json-pointer": lambda place: f"/{_word(place)}",
    "relative-json-pointer": lambda place: f"0/{_word(place)}",
    "regex": lambda place: f"^{_word(place)}$",
    "byte": lambda place: base64.b64encode(_word(place).encode()).decode(),
    "binary": lambda place: base64.b64encode(_word(place).encode()).decode(),
}
NAMES: Mapping[str, Text] = {
    "city": _one_of("Oslo", "Lisbon", "Nairobi", "Lima", "Kyoto"),
    "location": _one_of("Oslo", "Lisbon", "Nairobi", "Lima", "Kyoto"),
    "country": _one_of("Norway", "Portugal", "Kenya", "Peru", "Japan"),
    "language": _one_of("English", "Norwegian", "Portuguese", "Swahili", "Japanese"),
    "currency": _one_of("EUR", "NOK", "KES", "PEN", "JPY"),
    "colour": _one_of("red", "green", "blue", "yellow", "violet"),
    "color": _one_of("red", "green", "blue", "yellow", "violet"),
    "day": _one_of("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
    "phone": lambda place: f"+1 555 01{place.pick(100):02}",  # a range reserved for fiction
    "date": _day,
    "email": FORMATS["email"],
    "url": _link,
    "link": _link,
    "id": lambda place: place.seed.letters(f"{place.path} {place.attempt}", 8),
}
