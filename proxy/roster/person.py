"""Turns the words about a person, from a command line or a line of a sheet, into the claims of a key."""

import datetime
import re
import secrets
import unicodedata
from collections.abc import Mapping

from ..keys import Key

LIMITS = ("requests_a_day", "tokens_a_day", "requests_a_minute", "tokens_a_minute")
FIELDS = ("name", "ends", "models", *LIMITS)
LONGEST_NAME = 64
LONGEST_MODELS = 1_000  # characters of all names together; a header has room for 8,000


class Mistake(Exception):
    """A mistake that the person at the keyboard can correct. The message is one line."""


def key_of(written: Mapping[str, str], today: datetime.date) -> Key:
    """`written` has texts for some of FIELDS; an empty text counts as none. Raises Mistake."""
    limits = {name: limit(name, written[name]) for name in LIMITS if written.get(name)}
    models = tuple(re.findall(r"[^\s,;]+", written.get("models", "")))
    if len("".join(models)) > LONGEST_MODELS:
        raise Mistake(f"The models of a key may have {LONGEST_MODELS:,} characters, all together.")
    name = name_of(written.get("name", ""))
    return Key(secrets.token_hex(4), name, end(written.get("ends", ""), today), models, **limits)


def name_of(text: str) -> str:
    """A name as records show it, without a comma: PROXY_REVOKED_KEYS lists names with commas. Raises Mistake."""
    name = unicodedata.normalize("NFC", text.strip())
    if not name.isprintable() or "," in name or not name[:1].isalnum() or len(name) > LONGEST_NAME:
        rule = f"A name begins with a letter or a digit, has no comma, and {LONGEST_NAME} characters at most"
        raise Mistake(f"{rule}; {text!r} does not.")
    return name


def end(text: str, today: datetime.date) -> datetime.date | None:
    """The last good day; None for `never`. Raises Mistake."""
    if text.strip().lower() == "never":
        return None
    try:
        day = datetime.date.fromisoformat(text.strip())
    except ValueError:
        raise Mistake(f"`ends` says when a key ends: a day like 2027-02-28, or never; {text!r} is neither.") from None
    if day < today:
        raise Mistake(f"{day} is over: this key would never work.")
    return day


def limit(name: str, text: str) -> int:
    """Raises Mistake."""
    if not re.fullmatch(r"[1-9][0-9]{0,11}", text.strip(), re.ASCII):
        raise Mistake(f"{name} is a whole number above 0, without points or commas: {text!r} is none.")
    return int(text)


def terms(key: Key) -> dict[str, str]:
    """What a key says, for people to read, without limits that it does not set."""
    last = f"{key.ends:%d %B %Y} (UTC)" if key.ends else "has no end"
    limits = {name.replace("_", " "): f"{value:,}" for name in LIMITS if (value := getattr(key, name))}
    return {"last day": last, "models": ", ".join(key.models) or "all that are served", **limits}
