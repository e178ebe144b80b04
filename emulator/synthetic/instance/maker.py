"""Makes a value that fits a schema: first the whole, then its parts."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..seed import Seed
from ..words import phrase
from . import number, string
from .document import Document, document_of
from .flat import JUDGED, TYPES, Flat, Node, Schema, either, of_field, of_item
from .judge import complain
from .pattern import text
from .place import Place
from .type import IS, cost, types_of
from .unsatisfiable import Unsatisfiable

VALUES = 10_000  # that the maker makes for one schema, rejected ones among them
JUDGING = 10  # one check by a judge takes as long as so many values
TRIES = 24  # values that the judges may reject before the maker gives up
ENTRIES = 2  # of an object whose schema leaves the names free
SAYS_NOTHING = {"type", "enum", "title", "description", "default", "examples", "$defs", "definitions", "$schema"}


def instance(schema: Schema, seed: Seed) -> Any:
    """A value that is valid by the JSON schema. The same seed gives the same value, in every process.

    The value keeps every keyword of OpenAI's strict subset, those of 2020-12 (`oneOf`, `allOf`, `not`, `if`,
    `contains` …), `definitions`, tuples as `items` and OpenAPI's `nullable`. It has the optional fields, too. A schema
    inside itself ends after one round. A string has its `format` where lengths and pattern allow that. References into
    other documents are errors. Raises Unsatisfiable where no value fits, where TRIES find none, and where the schema is
    not valid.
    """
    own = Seed(seed.uuid("instance"))  # shorter: a request's seed is as long as the request
    try:
        document = document_of(schema)
        return _Maker(document).made(document.schema, Place(own, entered={"#": 1}))
    except Unsatisfiable:
        raise
    except re.error as error:
        raise Unsatisfiable(f"Python cannot read the pattern {error.pattern!r}: {error}") from None
    except RecursionError:
        raise Unsatisfiable("the schema contains itself, or has too many layers") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):  # a value of the wrong type
        complain(schema)
        raise


class _Maker:
    def __init__(self, document: Document) -> None:
        self.document, self.left = document, VALUES

    def made(self, schema: Schema, place: Place) -> Any:
        self.spend(1, place)
        try:
            flat = self.document.flat(schema)
        except Unsatisfiable as error:
            raise place.unsatisfiable(error.reason) from None
        return self.judged(flat, place.entering(flat.references) if flat.references else place)

    def spend(self, cost: int, place: Place) -> None:
        self.left -= cost
        if self.left < 0:
            raise place.unsatisfiable(f"the schema takes more than {VALUES} values")

    def judged(self, flat: Flat, place: Place) -> Any:
        """The first value that all judges accept."""
        if not flat.judges:
            return self.chosen(flat, place)
        refused = None
        for attempt in range(TRIES):
            self.spend(JUDGING, place)
            try:
                value = self.chosen(flat, place.again(attempt))
            except Unsatisfiable as error:
                refused = error
                continue
            if all(self.document.judge.fits(judge, value) for judge in flat.judges):
                return value
        raise refused or place.unsatisfiable(f"none of {TRIES} values fits {_named(flat.judges)}")

    def chosen(self, flat: Flat, place: Place) -> Any:
        """A value for the first member of each union that has one."""
        if not flat.unions:
            return self.built(flat.plain, place)
        refused = None
        for member in self.members(flat.unions[0], place):
            self.spend(1, place)
            try:
                joined = flat.chosen(member, self.document.schema)
                return self.judged(joined, place.entering(joined.references) if joined.references else place)
            except Unsatisfiable as error:
                refused = error if error.path else place.unsatisfiable(error.reason)
        raise refused or place.unsatisfiable("a union has no members")

    def members(self, union: list[Schema], place: Place) -> list[Schema]:
        """The union's members in the order to try them: null last, or the smallest first where the value is brief."""
        start = place.pick(len(union)) if len(union) > 1 else 0
        members = union[start:] + union[:start]
        if place.brief:
            return sorted(members, key=cost)
        return sorted(members, key=lambda member: cost(member) == 0) if not place.attempt else members

    def built(self, node: Node, place: Place) -> Any:
        if "enum" in node:
            return self.listed(node, place)
        refused = None
        for name in types_of(node, place):
            try:
                return BUILD[name](self, node, place)
            except Unsatisfiable as error:
                refused = error
        raise refused or place.unsatisfiable("its `type` is empty")

    def listed(self, node: Node, place: Place) -> Any:
        allowed: list[Any] = node["enum"]
        start = place.pick(len(allowed)) if len(allowed) > 1 else 0
        types = [node["type"]] if isinstance(node.get("type"), str) else node.get("type", TYPES)
        rest = {name: value for name, value in node.items() if name != "enum"}
        bound = not rest.keys() <= SAYS_NOTHING
        for value in allowed[start:] + allowed[:start]:
            if any(IS[name](value) for name in types) and not (bound and not self.document.judge.fits(rest, value)):
                return value
        raise place.unsatisfiable(
            "its `enum` has no value that fits the rest of the schema" if allowed else "its `enum` is empty"
        )

    def object(self, node: Node, place: Place) -> dict[str, Any]:
        fields, required = node.get("properties", {}), self.required(node)
        least, most = node.get("minProperties", 0), node.get("maxProperties")
        optional = len(fields) if most is None else max(0, most - len(required))
        made = dict[str, Any]()
        for name in [*fields, *(name for name in required if name not in fields)]:
            if name not in required:
                is_enough = place.brief and len(made) >= least
                if is_enough or optional < 1 or (place.attempt % 2 and place.flip(name)):
                    continue
                optional -= 1
            try:
                made[name] = self.made(of_field(node, name), place.below(name))
            except Unsatisfiable:
                if name in required:
                    raise
        for name, schema in self.entries(node, place, made):
            try:
                made[name] = self.made(schema, place.below(name))
            except Unsatisfiable:
                if len(made) < least:
                    raise
        if len(made) < least or (most is not None and len(made) > most):
            wanted = f"fewer than {least}" if len(made) < least else f"more than {most}"
            raise place.unsatisfiable(f"the schema gives an object {wanted} fields")
        return made

    def required(self, node: Node) -> list[str]:
        """The names of the required fields, with those that other fields require."""
        names = list(dict.fromkeys(node.get("required", ())))
        asking = {**node.get("dependentRequired", {}), **node.get("dependencies", {})}
        for name in names:
            names += [more for more in _names(asking.get(name)) if more not in names]
        return names

    def entries(self, node: Node, place: Place, made: Mapping[str, Any]) -> Iterator[tuple[str, Schema]]:
        """Yields (name, schema) of fields whose names the schema leaves free: as many as `minProperties` misses, and
        up to ENTRIES where all names are free."""
        others, patterns = node.get("additionalProperties", True), node.get("patternProperties", {})
        wanted = max(node.get("minProperties", 0) - len(made), 0)
        is_mapping = not node.get("properties") and (patterns or (isinstance(others, Mapping) and others))
        if is_mapping and not place.brief:
            wanted = max(wanted, min(ENTRIES, node.get("maxProperties", ENTRIES)) - len(made))
        names = set(made) | set(node.get("properties", ()))
        for nth in range(wanted * TRIES):
            own = Seed(f"{place.seed.text} {place.path} {place.attempt} {nth}")
            if others is False:
                if not patterns:
                    return
                name = text(list(patterns)[nth % len(patterns)], own, 3 + nth)  # the growing length makes names differ
            elif "propertyNames" in node:
                name = str(self.made(either({"type": "string"}, node["propertyNames"]), place.below("").again(nth)))
            else:
                name = phrase(own, 1 + nth // 10).lower().replace(" ", "_")
            if name not in names:
                names.add(name)
                yield name, of_field(node, name)
                wanted -= 1
            if not wanted:
                return

    def array(self, node: Node, place: Place) -> list[Any]:
        least, most = node.get("minItems", 0), node.get("maxItems")
        first, contained = len(node.get("prefixItems", ())), node.get("contains")
        if node.get("items") is False:
            most = first if most is None else min(most, first)
        if contained is not None:
            least = max(least, node.get("minContains", 1))
        if most is not None and most < least:
            raise place.unsatisfiable(f"the array needs at least {least} items and may have at most {most}")
        usual = least if place.brief else max(least, first, 1 + place.pick(3, "items"))
        items = list[Any]()
        for index in range(usual if most is None else min(usual, most)):
            schema = of_item(node, index)
            if contained is not None and index >= first and index - first < node.get("minContains", 1):
                schema = either(schema, contained)
            try:
                items.append(self.item(schema, place.below(index), items if node.get("uniqueItems") else []))
            except Unsatisfiable:
                if len(items) < least:
                    raise
                break
        return items

    def item(self, schema: Schema, place: Place, others: list[Any]) -> Any:
        """An item that differs from all others."""
        known = {json.dumps(other, sort_keys=True) for other in others}
        for attempt in range(len(others) + TRIES):
            item = self.made(schema, place.again(attempt))
            if json.dumps(item, sort_keys=True) not in known:
                return item
        raise place.unsatisfiable(f"its schema gives no more than {len(others)} different items")


def _names(asked: Any) -> list[str]:
    return asked if isinstance(asked, list) else []


def _named(judges: list[Node]) -> str:
    return " and ".join(
        f"`{keyword}`" for keyword in dict.fromkeys(name for judge in judges for name in judge) if keyword in JUDGED
    )


BUILD: Mapping[str, Callable[[_Maker, Node, Place], Any]] = {
    "object": _Maker.object,
    "array": _Maker.array,
    "string": lambda maker, node, place: string.string(node, place),
    "number": lambda maker, node, place: number.number(node, place),
    "integer": lambda maker, node, place: number.integer(node, place),
    "boolean": lambda maker, node, place: place.pick(2) == 1,
    "null": lambda maker, node, place: None,
}
