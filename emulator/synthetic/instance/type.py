"""The types of JSON, and the ones that a value of a schema may have."""

from collections.abc import Callable, Mapping
from typing import Any

from .flat import TYPES, Node, Schema
from .place import Place

INFERRED = {  # keyword: the type of a schema that has it and no `type`
    **dict.fromkeys(("properties", "required", "additionalProperties", "patternProperties", "minProperties"), "object"),
    **dict.fromkeys(("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"), "array"),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), "number"),
}
CHEAPEST = {name: cost for cost, name in enumerate(reversed(TYPES))}
IS: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int | float) and not isinstance(value, bool) and value == int(value),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


def cost(member: Schema) -> int:
    """About how large the member's smallest value is; 0 for null."""
    if isinstance(member, bool) or "enum" in member or "const" in member:
        return 0 if isinstance(member, Mapping) and member.get("const", 0) is None else 1
    named = member.get("type", "object")
    return min(CHEAPEST.get(name, 0) for name in ([named] if isinstance(named, str) else named))


def types_of(node: Node, place: Place) -> list[str]:
    """The types that the schema allows, in the order to try them."""
    declared = node.get("type")
    if isinstance(declared, str):
        return [declared]
    if declared is None and not place.attempt:
        return [next((INFERRED[keyword] for keyword in node if keyword in INFERRED), "string")]
    names = list(declared or TYPES)
    start = place.pick(len(names), "type")
    names = names[start:] + names[:start]
    return sorted(names, key=CHEAPEST.__getitem__ if place.brief else lambda name: name == "null")
