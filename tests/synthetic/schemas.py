"""JSON schemas: hand-made ones, each with one difficulty, and hypothesis strategies that make more."""

from typing import Any

from hypothesis import strategies as st

Schema = Any

TREE = {
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {
                "value": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
            },
            "required": ["value", "children"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/Node",
}
LIST = {
    "type": "object",
    "properties": {"value": {"type": "number"}, "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
    "required": ["value", "next"],
    "additionalProperties": False,
}
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0, "maximum": 120}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
BY_KIND = {
    "oneOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}],
    "discriminator": {"propertyName": "kind"},
    "$defs": {
        name: {
            "type": "object",
            "properties": {"kind": {"const": name}, "legs": {"type": "integer"}},
            "required": ["kind"],
        }
        for name in ("Cat", "Dog")
    },
}
HARD: dict[str, Schema] = {
    "anything": {},
    "true": True,
    "a person": PERSON,
    "a tree": TREE,
    "a list inside itself": LIST,
    "mutual": {
        "$defs": {
            "A": {"type": "object", "properties": {"b": {"$ref": "#/$defs/B"}}, "required": ["b"]},
            "B": {"type": "object", "properties": {"a": {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]}}},
        },
        "$ref": "#/$defs/A",
    },
    "a way out that comes last": {
        "$defs": {
            "E": {
                "anyOf": [
                    {
                        "type": "object",
                        "properties": {"l": {"$ref": "#/$defs/E"}, "r": {"$ref": "#/$defs/E"}},
                        "required": ["l", "r"],
                    },
                    {"type": "array", "items": {"$ref": "#/$defs/E"}, "minItems": 2},
                    {"type": "string", "minLength": 3},
                ]
            }
        },
        "$ref": "#/$defs/E",
    },
    "definitions": {"definitions": {"a/b": {"type": "integer"}}, "$ref": "#/definitions/a~1b"},
    "keywords beside a reference": {"$defs": {"N": {"type": "integer"}}, "$ref": "#/$defs/N", "minimum": 1000},
    "a diamond": {
        "$defs": {
            "Base": {"properties": {"id": {"type": "string"}}, "required": ["id"]},
            "L": {"allOf": [{"$ref": "#/$defs/Base"}], "properties": {"l": {"type": "integer"}}, "required": ["l"]},
            "R": {"allOf": [{"$ref": "#/$defs/Base"}], "properties": {"r": {"type": "integer"}}, "required": ["r"]},
        },
        "allOf": [{"$ref": "#/$defs/L"}, {"$ref": "#/$defs/R"}],
    },
    "bounds from all sides": {
        "allOf": [
            {"type": "number", "minimum": 0.5},
            {"type": "integer", "maximum": 9},
            {"multipleOf": 2},
            {"multipleOf": 3},
        ]
    },
    "fields that allOf closes": {
        "allOf": [
            {"properties": {"a": {"type": "integer"}, "b": {"type": "string"}}},
            {"properties": {"a": {"minimum": 7}}, "required": ["a"], "additionalProperties": False},
        ],
        "type": "object",
    },
    "anyOf over what is required": {**PERSON, "required": [], "anyOf": [{"required": ["name"]}, {"required": ["age"]}]},
    "two unions": {
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "oneOf": [{"type": "string", "maxLength": 5}, {"type": "array"}],
    },
    "oneOf that overlaps": {"oneOf": [{"type": "integer", "multipleOf": 3}, {"type": "integer", "multipleOf": 5}]},
    "by kind": BY_KIND,
    "not a string": {"not": {"type": "string"}},
    "not a field": {"type": "object", "properties": {"a": {}, "b": {}}, "not": {"required": ["a"]}},
    "if": {
        "type": "object",
        "properties": {"kind": {"enum": ["card", "cash"]}, "number": {"type": "string"}, "coins": {"type": "integer"}},
        "required": ["kind"],
        "additionalProperties": False,
        "if": {"properties": {"kind": {"const": "card"}}},
        "then": {"required": ["number"]},
        "else": {"required": ["coins"], "not": {"required": ["number"]}},
    },
    "dependent": {
        "properties": {"a": {}, "b": {}},
        "required": ["a"],
        "dependentRequired": {"a": ["b"], "b": ["c"]},
        "type": "object",
    },
    "a mapping": {"type": "object", "additionalProperties": {"type": "integer"}},
    "names by pattern": {
        "type": "object",
        "patternProperties": {"^x-": {"type": "integer"}},
        "additionalProperties": False,
        "minProperties": 3,
    },
    "names of a kind": {"type": "object", "propertyNames": {"pattern": "^[A-Z]{3}$"}, "minProperties": 4},
    "few fields": {
        "type": "object",
        "properties": {name: {} for name in "abcd"},
        "required": ["c"],
        "maxProperties": 2,
    },
    "a tuple": {
        "type": "array",
        "prefixItems": [{"type": "integer"}, {"type": "string"}],
        "items": False,
        "minItems": 2,
    },
    "unique": {"type": "array", "items": {"enum": [1, 2, 3, 4, 5]}, "uniqueItems": True, "minItems": 5},
    "contains": {"type": "array", "items": {"type": "integer"}, "contains": {"const": 7}, "minContains": 2},
    "an enum among bounds": {"type": "integer", "enum": ["a", 1, 12, 99], "minimum": 10, "maximum": 50},
    "an enum of everything": {"enum": [None, True, 1, 1.5, "a", [], {"a": 1}]},
    "const null": {"const": None},
    "types": {"type": ["integer", "null"]},
    "between": {"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5},
    "between close numbers": {"type": "number", "exclusiveMinimum": 0.1, "exclusiveMaximum": 0.1000001},
    "far out": {"type": "number", "minimum": 1e300},
    "cents": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 1},
    "negative": {"type": "integer", "maximum": -5},
    "a long text": {"type": "string", "minLength": 300},
    "a short text": {"type": "string", "maxLength": 1},
    "no text": {"type": "string", "maxLength": 0},
    "a short email": {"type": "string", "format": "email", "maxLength": 40, "minLength": 6},
    "a password": {"type": "string", "pattern": r"^(?=.*\d)(?=.*[a-z])(?=.*[A-Z]).{8,12}$"},
    "a plate": {"type": "string", "pattern": r"^[A-Z]{2}-\d{3,}$", "maxLength": 8, "minLength": 7},
    "two patterns": {"allOf": [{"type": "string", "pattern": "^a"}, {"pattern": "z$"}]},
}
JAVASCRIPT = {"type": "string", "pattern": r"^(?<user>[^@\s]+)@(?<host>\w+\.)+(?:com|org)$"}
FORMATS = ["date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri"]
PATTERNS = [
    r"^\d{3}$",
    r"^[a-z]+$",
    r"^@[a-zA-Z0-9_]+$",
    r"^(red|green|blue)-\d+$",
    r"[aeiou]{2}",
    r"^#[0-9a-f]{6}$",
    r"^\S+ \S+$",
]
names = st.sampled_from(["name", "city", "id", "value", "a b", "ünï", "kind", "items", "count"])


def bounds(
    low: st.SearchStrategy[Any], names: tuple[str, str], width: st.SearchStrategy[Any]
) -> st.SearchStrategy[Schema]:
    """No bound, one of the two, or both."""
    both = st.tuples(low, width).map(lambda pair: {names[0]: pair[0], names[1]: pair[0] + pair[1]})
    return st.tuples(both, st.sampled_from([(), (names[0],), (names[1],), names])).map(
        lambda drawn: {name: value for name, value in drawn[0].items() if name in drawn[1]}
    )


def joined(*parts: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    return st.tuples(*parts).map(lambda drawn: {name: value for part in drawn for name, value in part.items()})


scalars = st.one_of(
    st.sampled_from([{"type": name} for name in ("string", "integer", "number", "boolean")]),
    joined(st.just({"type": "integer"}), bounds(st.integers(-50, 50), ("minimum", "maximum"), st.integers(0, 40))),
    joined(st.just({"type": "number"}), bounds(st.floats(-5, 5), ("minimum", "maximum"), st.floats(0, 9))),
    joined(
        st.just({"type": "number"}),
        bounds(st.integers(-9, 9), ("exclusiveMinimum", "exclusiveMaximum"), st.integers(1, 9)),
    ),
    st.sampled_from([2, 5, 0.5, 0.1, 0.25]).map(lambda step: {"type": "number", "multipleOf": step}),
    joined(st.just({"type": "string"}), bounds(st.integers(0, 30), ("minLength", "maxLength"), st.integers(0, 30))),
    st.sampled_from(FORMATS).map(lambda name: {"type": "string", "format": name}),
    st.sampled_from(PATTERNS).map(lambda pattern: {"type": "string", "pattern": pattern}),
    st.lists(st.one_of(st.text(max_size=9), st.integers(), st.none()), min_size=1, max_size=4).map(
        lambda values: {"enum": values}
    ),
    st.one_of(st.text(max_size=9), st.booleans(), st.integers()).map(lambda value: {"const": value}),
    st.sampled_from(["string", "integer", "boolean"]).map(lambda name: {"type": [name, "null"]}),
)


def strict_objects(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    """An object in OpenAI's strict form: every field is required, and no other is allowed."""
    return st.dictionaries(names, inner, max_size=4).map(
        lambda fields: {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}
    )


def composed(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    array = st.tuples(inner, bounds(st.integers(0, 3), ("minItems", "maxItems"), st.integers(0, 3)))
    return st.one_of(
        strict_objects(inner),
        array.map(lambda drawn: {"type": "array", "items": drawn[0], **drawn[1]}),
        st.lists(inner, min_size=1, max_size=3).map(lambda members: {"anyOf": members}),
        inner.map(lambda member: {"anyOf": [member, {"type": "null"}]}),
    )


REFERENCES = st.sampled_from([{"anyOf": [{"$ref": ref}, {"type": "null"}]} for ref in ("#", "#/$defs/A", "#/$defs/B")])
strict_parts = st.recursive(st.one_of(scalars, scalars, REFERENCES), composed, max_leaves=8)
strict = st.tuples(*[strict_objects(strict_parts)] * 3).map(
    lambda drawn: {**drawn[0], "$defs": {"A": drawn[1], "B": drawn[2]}}
)
"""Schemas of OpenAI's strict subset. All have values. None contains itself, because validators cannot check that."""


def wilder(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    """Keywords of a tool's schema, which may contradict each other."""
    fields = st.fixed_dictionaries(
        {"properties": st.dictionaries(names, inner, max_size=4)},
        optional={
            "type": st.just("object"),
            "required": st.lists(names, max_size=3, unique=True),
            "additionalProperties": st.one_of(st.booleans(), inner),
            "minProperties": st.integers(0, 5),
            "maxProperties": st.integers(0, 5),
            "patternProperties": st.dictionaries(st.sampled_from(["^x-", "e$", "^[A-Z]"]), inner, max_size=2),
            "dependentRequired": st.dictionaries(names, st.lists(names, max_size=2), max_size=2),
            "propertyNames": inner,
        },
    )
    items = st.fixed_dictionaries(
        {"type": st.just("array")},
        optional={
            "items": st.one_of(st.booleans(), inner),
            "prefixItems": st.lists(inner, min_size=1, max_size=3),
            "minItems": st.integers(0, 4),
            "maxItems": st.integers(0, 4),
            "uniqueItems": st.booleans(),
            "contains": inner,
        },
    )
    unions = st.sampled_from(["anyOf", "oneOf", "allOf"])
    return st.one_of(
        fields,
        items,
        st.tuples(unions, st.lists(inner, min_size=1, max_size=3), inner).map(
            lambda drawn: {**drawn[2], drawn[0]: drawn[1]}
        ),
        st.tuples(inner, inner).map(lambda drawn: {**drawn[0], "not": drawn[1]}),
        st.tuples(inner, inner, inner).map(lambda drawn: {"if": drawn[0], "then": drawn[1], "else": drawn[2]}),
        st.sampled_from(["#", "#/$defs/A"]).map(lambda reference: {"$ref": reference}),
    )


wild = st.tuples(st.recursive(scalars, wilder, max_leaves=8), st.recursive(scalars, wilder, max_leaves=4)).map(
    lambda drawn: {**drawn[0], "$defs": {"A": drawn[1]}}
)
