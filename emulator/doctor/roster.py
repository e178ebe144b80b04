"""Tries every key of a class before the lesson. Each key lists the models, which costs no tokens."""

import csv
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .check import Check
from .examination import Doctor

AT_ONCE = 8  # an instance of the function has room for 100


def keys_of(sheet: Path) -> dict[str, str]:
    """Name → key, from the keys.csv that `python -m proxy.keys make --roster` writes. Raises ValueError."""
    try:
        rows = list(csv.DictReader(sheet.read_text(encoding="utf-8-sig").splitlines()))
    except OSError as error:
        raise ValueError(f"{sheet} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, csv.Error):
        rows = []
    found = {row["name"]: row["key"] for row in rows if row.get("name") and (row.get("key") or "").startswith("sk-")}
    if not rows or len(found) < len(rows):
        raise ValueError(f"{sheet} is incomplete: it needs the columns name, id and key, and a key for each person.")
    return found


def try_all(base_url: str, keys: Mapping[str, str]) -> Iterator[Check]:
    """Checks the way to the proxy once. Then yields a check for each person, under the person's name."""
    first = Doctor(base_url, next(iter(keys.values())), calls=False)
    for check in first.before():
        yield check
        if check.result == "problem":
            return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(lambda person: try_one(base_url, *person), keys.items())


def try_one(base_url: str, name: str, key: str) -> Check:
    doctor = Doctor(base_url, key, calls=False)
    (*_, last) = doctor.examine(only=[doctor.health])
    return Check(name, last.result, last.found, last.meaning)
