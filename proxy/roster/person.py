"""What somebody wrote of a person, on a command line or in a line of a sheet, made a key's claims."""

import datetime
import re
import secrets
import unicodedata
from collections.abc import Mapping

from ..keys import Key

LIMITS = ("requests_a_day", "tokens_a_day", "requests_a_minute", "tokens_a_minute")
FIELDS = ("name", "ends", "models", *LIMITS)
LONGEST_NAME = 64
LONGEST_MODELS = 1_000  # characters, all names together; a header has room for 8,000


class Mistake(Exception):
    """Something that the person at the keyboard can mend; the message is one line."""


def key_of(written: Mapping[str, str], today: datetime.date) -> Key:
    """`written` has texts under some of FIELDS; an empty one counts as none. Raises Mistake."""
    limits = {name: limit(name, written[name]) for name in LIMITS if written.get(name)}
    models = tuple(re.findall(r"[^\s,;]+", written.get("models", "")))
    if len("".join(models)) > LONGEST_MODELS:
        raise Mistake(f"The models of a key have {LONGEST_MODELS:,} characters at most, all together.")
    name = name_of(written.get("name", ""))
    return Key(secrets.token_hex(4), name, end(written.get("ends", ""), today), models, **limits)


def name_of(text: str) -> str:
    """As records show it and PROXY_REVOKED_KEYS names it, with commas between names. Raises Mistake."""
    name = unicodedata.normalize("NFC", text.strip())
    if not name.isprintable() or "," in name or not name[:1].isalnum() or len(name) > LONGEST_NAME:
        rule = f"A name begins with a letter or a digit, has no comma, and {LONGEST_NAME} characters at most"
        raise Mistake(f"{rule}; {text!r} is none.")
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
    """What a key says, for people to read; what it does not limit is left out."""
    last = f"{key.ends:%d %B %Y} (UTC)" if key.ends else "has no end"
    limits = {name.replace("_", " "): f"{value:,}" for name in LIMITS if (value := getattr(key, name))}
    return {"last day": last, "models": ", ".join(key.models) or "all that are served", **limits}
