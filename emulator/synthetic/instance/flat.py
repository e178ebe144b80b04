"""Flattens a schema: follows its references, and merges the schemas that it is composed of into one."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from .unsatisfiable import Unsatisfiable

Node = Mapping[str, Any]
Schema = Node | bool

UNIONS = ("anyOf", "oneOf")
JUDGED = {  # no value can be built from these; a Judge checks a finished value
    *("oneOf", "not", "if", "contains", "propertyNames", "patternProperties", "dependentRequired", "dependentSchemas"),
    *("dependencies", "unevaluatedItems", "unevaluatedProperties"),
}
DETOURS = JUDGED | {"$ref", "$dynamicRef", "allOf", "anyOf", "const", "nullable"}
TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")


@dataclass
class Flat:
    """`plain` is a schema without DETOURS. `unions` are those of which the maker still chooses a member each.
    `references` were followed. Each of `judges` is a schema that the finished value must fit."""

    plain: Node = field(default_factory=dict)
    unions: list[list[Schema]] = field(default_factory=list)
    references: set[str] = field(default_factory=set)
    judges: list[Node] = field(default_factory=list)

    def chosen(self, member: Schema, document: Schema) -> "Flat":
        """This schema merged with `member` of its first union. `references` and `judges` of the result are those of
        the member alone."""
        return flatten(member, document, Flat(self.plain, self.unions[1:]))


def flatten(schema: Schema, document: Schema, into: Flat | None = None) -> Flat:
    """The schema, flattened and merged into `into`. Its references lead into `document`. Raises Unsatisfiable."""
    flat = into or Flat()
    _add(flat, schema, document, ())
    return flat


def either(first: Schema, second: Schema) -> Schema:
    """A schema for values that fit both schemas."""
    if first is True or first == {} or first == second:
        return second
    if second is True or second == {}:
        return first
    return {"allOf": [first, second]} if first and second else False


def of_field(node: Node, name: str) -> Schema:
    """The schema of an object's field."""
    matching = [schema for pattern, schema in node.get("patternProperties", {}).items() if re.search(pattern, name)]
    named = node.get("properties", {}).get(name)
    if named is not None:
        matching.append(named)
    found: Schema = matching[0] if matching else node.get("additionalProperties", True)
    for schema in matching[1:]:
        found = either(found, schema)
    return found


def of_item(node: Node, index: int) -> Schema:
    """The schema of an array's item."""
    first: list[Schema] = node.get("prefixItems", [])
    return first[index] if index < len(first) else node.get("items", True)


def _add(flat: Flat, schema: Schema, document: Schema, following: tuple[str, ...]) -> None:
    if isinstance(schema, bool):
        if not schema:
            raise Unsatisfiable("the schema allows no value there")
        return
    plain = _plain(schema)
    flat.plain = _merge(flat.plain, plain) if flat.plain else plain
    if DETOURS.isdisjoint(schema):
        return
    if not JUDGED.isdisjoint(schema):
        flat.judges.append(schema)
    if "$dynamicRef" in schema:
        raise Unsatisfiable("the emulator does not follow `$dynamicRef`; use `$ref`")
    if (reference := schema.get("$ref")) is not None:
        if reference in following:
            raise Unsatisfiable(f"`{reference}` refers to itself alone")
        flat.references.add(reference)
        _add(flat, _target(reference, document), document, (*following, reference))
    for member in schema.get("allOf", ()):
        _add(flat, member, document, following)
    flat.unions += [list(schema[union]) for union in UNIONS if union in schema]
    if "if" in schema:
        flat.unions.append([{"allOf": [schema["if"], schema.get("then", True)]}, schema.get("else", True)])


def _plain(node: Node) -> Node:
    """The node without DETOURS, in the keywords of 2020-12. Older drafts and OpenAPI 3.0 have others."""
    if DETOURS.isdisjoint(node) and _EXCLUSIVE.keys().isdisjoint(node) and not isinstance(node.get("items"), list):
        return node
    plain = {name: value for name, value in node.items() if name not in _COMPOSED}
    if "const" in node:
        plain["enum"] = [node["const"]]
    if node.get("nullable") and "type" in node:
        plain["type"] = [*_types(node["type"]), "null"]
    if isinstance(node.get("items"), list):
        plain |= {"prefixItems": node["items"], "items": node.get("additionalItems", True)}
    for exclusive, inclusive in _EXCLUSIVE.items():
        if isinstance(node.get(exclusive), bool) and plain.pop(exclusive) and inclusive in plain:
            plain[exclusive] = plain.pop(inclusive)
    return plain


def _target(reference: str, document: Schema) -> Schema:
    target: Any = document
    pointer = reference.removeprefix("#")
    if pointer == reference or (pointer and not pointer.startswith("/")):
        raise Unsatisfiable(f"`{reference}` leads out of the schema; use a path inside it, such as `#/$defs/name`")
    for part in pointer.split("/")[1:]:
        step = part.replace("~1", "/").replace("~0", "~")
        try:
            target = target[int(step) if isinstance(target, list) else step]
        except (LookupError, TypeError, ValueError):
            raise Unsatisfiable(f"`{reference}` leads nowhere; the schema has no {step!r} at that place") from None
    return target  # type: ignore[no-any-return]


def _merge(one: Node, other: Node) -> Node:
    merged = {**one, **other}
    for name in one.keys() & other.keys() & _MERGES.keys():
        merged[name] = _MERGES[name](one[name], other[name])
    if "properties" in merged:
        names = dict.fromkeys([*one.get("properties", ()), *other.get("properties", ())])
        merged["properties"] = {name: either(of_field(one, name), of_field(other, name)) for name in names}
    if "prefixItems" in merged:
        longest = range(max(len(node.get("prefixItems", ())) for node in (one, other)))
        merged["prefixItems"] = [either(of_item(one, index), of_item(other, index)) for index in longest]
    return merged


def _types(declared: str | list[str]) -> list[str]:
    return [declared] if isinstance(declared, str) else declared


def _common_types(one: str | list[str], other: str | list[str]) -> list[str]:
    """The types that both allow. An integer is a number, too."""
    pairs = [(left, right) for left in _types(one) for right in _types(other)]
    common = [
        left if left != "number" else right for left, right in pairs if left == right or _are_numbers(left, right)
    ]
    if not common:
        raise Unsatisfiable(f"no value is of both types, {one} and {other}")
    return list(dict.fromkeys(common))


def _are_numbers(*types: str) -> bool:
    return set(types) <= {"integer", "number"}


def _common_values(one: Iterable[Any], other: Iterable[Any]) -> list[Any]:
    return [value for value in one if any(value == same and type(value) is type(same) for same in other)]


def _common_multiple(one: float, other: float) -> float:
    left, right = Fraction(str(one)), Fraction(str(other))
    common = Fraction(math.lcm(left.numerator, right.numerator), math.gcd(left.denominator, right.denominator))
    return common.numerator if common.denominator == 1 else float(common)


_EXCLUSIVE = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
_COMPOSED = {"$ref", "allOf", "const", "nullable", "if", "then", "else", "not", *UNIONS}
_MERGES: dict[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min),
    **dict.fromkeys(("items", "additionalProperties", "contains", "propertyNames"), either),
    "required": lambda one, other: list(dict.fromkeys([*one, *other])),
    "patternProperties": lambda one, other: {
        pattern: either(one.get(pattern, True), other.get(pattern, True)) for pattern in {**one, **other}
    },
    "dependentRequired": lambda one, other: {
        name: [*one.get(name, ()), *other.get(name, ())] for name in {**one, **other}
    },
    "uniqueItems": lambda one, other: one or other,
    "type": _common_types,
    "enum": _common_values,
    "multipleOf": _common_multiple,
    "pattern": lambda one, other: one if one == other else rf"(?=[\s\S]*(?:{one}))[\s\S]*(?:{other})",
}
