"""Checks JSON against a JSON Schema, as pydantic and OpenAPI 3 write it: which fields are missing, mistyped or unknown.

No validator from a package does this. For a union (an item of an answer, an event of a stream), a person wants to read
the errors of the one member that was meant, and the fields that no member knows. The check ignores ranges of numbers
and formats of strings. A test compares its verdicts with pydantic's strict ones.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Node = Mapping[str, Any]
Flaw = Literal["missing", "mistyped", "unknown", "new"]  # unknown: a field; new: a value that a newer API may have

TYPES: dict[str, Callable[[Any], bool]] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}
NEWER: tuple[Flaw, ...] = ("unknown", "new")  # worth knowing, and no defect
SHOWN = 60  # characters of a value in a message


class Violation(NamedTuple):
    """`path` is the JSON path below the root, such as `choices[0].delta`; "" is the root itself."""

    path: str
    kind: Flaw
    message: str
    value: Any = None


@dataclass(frozen=True)
class Schema:
    """A schema, and the document that its `$ref`s point into."""

    node: Node
    document: Node

    def violations(self, value: Any) -> list[Violation]:
        return list(self._violations(self.node, value, ""))

    def words(self, name: str) -> list[Any]:
        """All values of the field that distinguishes the members of a union."""
        return self._words(list(self._leaves([self.node])), name)

    def _violations(self, node: Node, value: Any, path: str) -> Iterator[Violation]:
        node = self._flat(node)
        if value is None and node.get("nullable"):
            return
        if members := _members(node):
            yield from self._best(members, value, path)
            return
        if mapping := node.get("discriminator", {}).get("mapping"):
            yield from self._named(node, mapping, value, path)
            return
        allowed = _allowed(node)
        if allowed is not None and value not in allowed:
            yield _not_among(allowed, value, path)
            return
        types = [node["type"]] if isinstance(node.get("type"), str) else node.get("type", [])
        if types and not any(TYPES[name](value) for name in types):
            yield Violation(path, "mistyped", f"{' or '.join(types)} was expected, not {short(value)}", value)
        elif isinstance(value, dict):
            yield from self._fields(node, value, path)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from self._violations(node.get("items", {}), item, f"{path}[{index}]")

    def _fields(self, node: Node, value: dict[str, Any], path: str) -> Iterator[Violation]:
        fields, others = node.get("properties", {}), node.get("additionalProperties")
        for name in node.get("required", ()):
            if name not in value:
                yield Violation(_join(path, name), "missing", "missing")
        for name, item in value.items():
            if name in fields:
                yield from self._violations(fields[name], item, _join(path, name))
            elif isinstance(others, Mapping):
                yield from self._violations(others, item, _join(path, name))
            elif fields:
                yield Violation(_join(path, name), "unknown", "unknown", item)

    def _flat(self, node: Node) -> Node:
        """The node with its `$ref` followed and its `allOf` merged into it."""
        if reference := node.get("$ref"):
            target: Any = self.document
            for part in reference.removeprefix("#/").split("/"):
                target = target[part]
            return {**self._flat(target), **{name: node[name] for name in node if name != "$ref"}}
        flat = {name: node[name] for name in node if name != "allOf"}
        for parent in map(self._flat, node.get("allOf", ())):
            merged = {
                "properties": {**parent.get("properties", {}), **flat.get("properties", {})},
                "required": [*parent.get("required", ()), *flat.get("required", ())],
            }
            flat = {**parent, **flat, **merged}
        return flat

    def _named(self, base: Node, mapping: Mapping[str, str], value: Any, path: str) -> Iterator[Violation]:
        """The violations of a value by the schema that a base's discriminator names."""
        tag = base["discriminator"]["propertyName"]
        named = value.get(tag) if isinstance(value, dict) else None
        target = mapping.get(named) if isinstance(named, str) else None
        node = self._flat({"$ref": target}) if target else base
        if isinstance(named, str) and not target:
            yield Violation(_join(path, tag), "unknown", f"{tag} {named!r} is unknown", named)
        elif node.get("discriminator") == base["discriminator"]:  # inherited, or nothing to choose by
            yield from self._violations({name: node[name] for name in node if name != "discriminator"}, value, path)
        else:
            yield from self._violations(node, value, path)

    def _best(self, members: list[Node], value: Any, path: str) -> Iterator[Violation]:
        """The violations of a value by the member of a union that it was meant to be."""
        meant = [member for member in members if self._is_meant(member, value)]
        if not meant:
            yield self._new(members, value, path) or _of_no_form(list(map(self._flat, members)), value, path)
            return
        tried = (list(self._violations(member, value, path)) for member in meant)
        yield from min(tried, key=lambda found: (sum(one.kind not in NEWER for one in found), len(found)))

    def _new(self, members: list[Node], value: Any, path: str) -> Violation | None:
        """The violation of a value that no member allows, such as an event, item, part or word of a newer API."""
        leaves = list(self._leaves(members))
        if isinstance(value, str):
            known = [one for leaf in leaves for one in _allowed(leaf) or ()]
            return _not_among(known, value, path) if known else None
        for name in value if isinstance(value, dict) else ():
            known = self._words(leaves, name)
            new = _not_among(known, value[name], _join(path, name))
            if known and value[name] not in known and new.kind == "new":
                return new
        return None

    def _words(self, leaves: list[Node], name: str) -> list[Any]:
        fields = (self._flat(leaf.get("properties", {}).get(name, {})) for leaf in leaves)
        return [one for field in fields for one in _allowed(field) or ()]

    def _leaves(self, members: list[Node]) -> Iterator[Node]:
        for flat in map(self._flat, members):
            inner = _members(flat)
            yield from self._leaves(inner) if inner else (flat,)

    def _is_meant(self, member: Node, value: Any) -> bool:
        """Whether the type fits, and every field with one possible value, such as `type: message`."""
        flat = self._flat(member)
        if members := _members(flat):
            return any(self._is_meant(one, value) for one in members)
        if not isinstance(value, dict) or "properties" not in flat:
            return all(one.path for one in self._violations(member, value, ""))
        tags = {name: self._flat(field) for name, field in flat["properties"].items() if name in value}
        return all(value[name] == field["const"] for name, field in tags.items() if "const" in field) and all(
            value[name] in field["enum"] for name, field in tags.items() if len(field.get("enum", ())) == 1
        )


def _members(node: Node) -> list[Node]:
    return list(node.get("anyOf") or node.get("oneOf") or ())


def _allowed(node: Node) -> list[Any] | None:
    return [node["const"]] if "const" in node else node.get("enum")


def _not_among(allowed: list[Any], value: Any, path: str) -> Violation:
    """An unknown word may be new. In `object`, which names the kind of an answer, it is an error."""
    words = isinstance(value, str) and all(isinstance(one, str) for one in allowed)
    if words and path.rpartition(".")[2] != "object":
        known = ", ".join(dict.fromkeys(map(short, allowed)))
        return Violation(path, "new", f"{short(value)} is unknown; known: {cut(known)}", value)
    choice = " or ".join(map(short, allowed))
    return Violation(path, "mistyped", f"{choice} was expected, not {short(value)}", value)


def _of_no_form(members: list[Node], value: Any, path: str) -> Violation:
    types = [str(member.get("type", "another")) for member in members]
    wanted = f"one of {len(types)} forms" if "object" in types else " or ".join(types)
    return Violation(path, "mistyped", f"{wanted} was expected, not {short(value)}", value)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def short(value: Any) -> str:
    if isinstance(value, dict) and isinstance(value.get("type"), str):
        return f"an object of type {value['type']!r}"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    return cut(repr(value))


def cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
