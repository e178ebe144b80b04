"""A schema and what was worked out of it, kept for the next request that has the same one, as an agent's all have."""

import functools
import json
from collections.abc import Iterator
from typing import Any

from ..text import compact
from .flat import Flat, Schema, flatten
from .judge import Judge

KEPT = 64  # schemas
LONGEST = 32_768  # characters of one


class Document:
    """Nobody may change `schema`, nor a value that was taken out of it."""

    def __init__(self, schema: Schema) -> None:
        self.schema, self.judge = schema, Judge(schema)
        self._flats: dict[int, Flat | None] = dict.fromkeys(map(id, _objects(schema)))

    def flat(self, part: Schema) -> Flat:
        """Raises Unsatisfiable."""
        if found := self._flats.get(id(part)):
            return found
        flat = flatten(part, self.schema)
        if id(part) in self._flats:  # another object's id may come again
            self._flats[id(part)] = flat
        return flat


def document_of(schema: Schema) -> Document:
    try:
        text = compact(schema)
    except (RecursionError, TypeError, ValueError):  # it is not quite JSON: it comes from a prompt
        return Document(schema)
    return (_kept if len(text) <= LONGEST else _read)(text)


def _read(text: str) -> Document:
    return Document(json.loads(text))


_kept = functools.lru_cache(KEPT)(_read)


def _objects(value: Any) -> Iterator[Any]:
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, dict):
            yield one
            rest += one.values()
        elif isinstance(one, list):
            rest += one
