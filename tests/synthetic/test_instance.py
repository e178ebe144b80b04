"""Values for JSON schemas are valid and readable. They are the same in every process."""

import base64
import ipaddress
import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, reject, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from emulator.synthetic.instance import Unsatisfiable, instance
from emulator.synthetic.seed import Seed
from tests.golden import assert_golden
from tests.synthetic import schemas
from tests.synthetic.examples import MANY

ROOT = Path(__file__).resolve().parents[2]
SEEDS = [Seed(str(number)) for number in range(12)]
CHECKER = Draft202012Validator.FORMAT_CHECKER
USUAL = settings(max_examples=200, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
LONG = settings(USUAL, max_examples=MANY)


def is_valid(schema: Any, value: Any) -> bool:
    return bool(Draft202012Validator(schema, format_checker=CHECKER).is_valid(value))


@pytest.mark.parametrize("name", schemas.HARD)
def test_a_value_fits_its_schema(name: str) -> None:
    schema = schemas.HARD[name]
    assert [value for seed in SEEDS if not is_valid(schema, value := instance(schema, seed))] == []


def fits_always(schema: Any, seed: str) -> None:
    value = instance(schema, Seed(seed))
    assert is_valid(schema, value), value
    assert json.loads(json.dumps(value)) == value


def is_judged_valid(schema: Any, value: Any) -> bool:
    try:
        return bool(Draft202012Validator(schema).is_valid(value))
    except BaseException as error:
        if isinstance(error, RecursionError) or type(error).__name__ == "PanicException":
            reject()  # the maker makes a value for a union of a schema with itself, but no validator can check one
        raise


def fits_or_says_why_not(schema: Any, seed: str) -> None:
    try:
        value = instance(schema, Seed(seed))
    except Unsatisfiable as error:
        assert error.reason  # noqa: PT017  a value and this error are both fine
    else:
        assert is_judged_valid(schema, value), value


@USUAL
@given(schemas.strict, st.text(max_size=4))
def test_a_value_fits_every_strict_schema(schema: Any, seed: str) -> None:
    fits_always(schema, seed)


@pytest.mark.long
@pytest.mark.timeout(1_200)
@LONG
@given(schemas.strict, st.text(max_size=4))
def test_a_value_fits_many_strict_schemas(schema: Any, seed: str) -> None:
    fits_always(schema, seed)


@USUAL
@given(schemas.wild, st.text(max_size=4))
def test_a_value_fits_every_other_schema_or_the_error_is_named(schema: Any, seed: str) -> None:
    fits_or_says_why_not(schema, seed)


@pytest.mark.long
@pytest.mark.timeout(1_200)
@LONG
@given(schemas.wild, st.text(max_size=4))
def test_a_value_fits_many_other_schemas_or_the_error_is_named(schema: Any, seed: str) -> None:
    fits_or_says_why_not(schema, seed)


@USUAL
@example({"not": {"type": ""}})
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "type",
                        "properties",
                        "items",
                        "required",
                        "anyOf",
                        "allOf",
                        "$ref",
                        "enum",
                        "minimum",
                        "pattern",
                        "not",
                        "minLength",
                        "multipleOf",
                        "additionalProperties",
                        "if",
                        "dependentRequired",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    )
)
def test_what_is_no_schema_is_a_named_error(schema: Any) -> None:
    try:
        instance(schema, SEEDS[0])
    except Unsatisfiable as error:
        assert error.reason  # noqa: PT017


def test_every_process_makes_the_same() -> None:
    command = [sys.executable, "-m", "tests.synthetic.made"]
    made = [
        subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": hashes}, capture_output=True, check=True)
        for hashes in ("1", "2")
    ]
    assert made[0].stdout == made[1].stdout != b""


def test_other_seeds_give_other_values() -> None:
    assert len({json.dumps(instance(schemas.TREE, seed)) for seed in SEEDS}) == len(SEEDS)


def test_a_value_reads_well() -> None:
    fields = ("city", "home_country", "email", "startDate", "note", "count", "price", "is_open", "id", "tags")
    kinds = {"count": "integer", "price": "number", "is_open": "boolean"}
    field: dict[str, Any] = {name: {"type": kinds.get(name, "string")} for name in fields}
    field["tags"] = {"type": "array", "items": {"type": "string"}}
    schema = {"type": "object", "properties": field, "required": list(fields)}
    assert_golden("synthetic/instance.txt", "".join(json.dumps(instance(schema, seed)) + "\n" for seed in SEEDS[:5]))


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("date-time", datetime.fromisoformat),
        ("date", date.fromisoformat),
        ("time", time.fromisoformat),
        ("uuid", uuid.UUID),
        ("ipv4", ipaddress.IPv4Address),
        ("ipv6", ipaddress.IPv6Address),
        ("email", re.compile(r"[a-z]+@example\.com").fullmatch),
        ("hostname", re.compile(r"[a-z]+\.example\.com").fullmatch),
        ("uri", re.compile(r"https://example\.com/[a-z]+").fullmatch),
        ("duration", re.compile(r"P\d+D").fullmatch),
        ("byte", base64.b64decode),
        ("regex", re.compile),
    ],
)
def test_a_format_is_kept(name: str, read: Callable[[str], Any]) -> None:
    values = [instance({"type": "string", "format": name}, seed) for seed in SEEDS]
    assert all(read(value) for value in values)
    assert len(set(values)) > 3


def test_optional_fields_are_there_and_null_is_not() -> None:
    schema = {
        "properties": {"a": {"type": ["null", "integer"]}, "b": {"anyOf": [{"type": "null"}, {"type": "string"}]}}
    }
    for seed in SEEDS:
        value = instance(schema, seed)
        assert isinstance(value["a"], int)
        assert isinstance(value["b"], str)


def test_a_schema_inside_itself_ends_after_one_round() -> None:
    values = [instance(schemas.LIST, seed) for seed in SEEDS]
    assert {value["next"]["next"] for value in values} == {None}


ENDLESS = {
    "$defs": {"A": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "required": ["a"]}},
    "$ref": "#/$defs/A",
}
BOMB = {
    "$defs": {
        **{
            f"d{n}": {"properties": {name: {"$ref": f"#/$defs/d{n + 1}"} for name in "abcd"}, "required": [*"abcd"]}
            for n in range(30)
        },
        "d30": {},
    },
    "$ref": "#/$defs/d0",
}
DEEP: Any = {"type": "string"}
for _ in range(80):
    DEEP = {"properties": {"a": DEEP}, "required": ["a"]}
LAYERED: Any = {"type": "string"}
for _ in range(2_000):
    LAYERED = {"allOf": [LAYERED]}
NOTHING_FITS: dict[str, Any] = {
    "false": False,
    "crossed bounds, deep inside": {
        "properties": {
            "rows": {
                "type": "array",
                "minItems": 1,
                "items": {"properties": {"age": {"type": "integer", "minimum": 5, "maximum": 3}}, "required": ["age"]},
            }
        },
        "required": ["rows"],
    },
    "crossed lengths": {"type": "string", "minLength": 5, "maxLength": 3},
    "crossed counts": {"type": "array", "minItems": 3, "maxItems": 2},
    "no such number": {"type": "number", "exclusiveMinimum": 1, "maximum": 1},
    "no such multiple": {"type": "number", "multipleOf": 0.3, "minimum": 0.4, "maximum": 0.5},
    "two types": {"allOf": [{"type": "string"}, {"type": "integer"}]},
    "an empty enum": {"enum": []},
    "an enum of another type": {"type": "integer", "enum": ["a"]},
    "not anything": {"not": {}},
    "always both": {"oneOf": [{}, {}]},
    "too few booleans": {"type": "array", "items": {"type": "boolean"}, "uniqueItems": True, "minItems": 3},
    "a field that is required and forbidden": {"required": ["a"], "additionalProperties": False, "type": "object"},
    "an endless schema": ENDLESS,
    "a loop": {"$ref": "#"},
    "a reference to nowhere": {"$ref": "#/$defs/Missing"},
    "a reference to elsewhere": {"$ref": "https://example.com/schema.json"},
    "a reference to a file": {"$ref": "file:///etc/passwd"},
    "more values than anybody reads": {"type": "array", "minItems": 1_000_000_000},
    "a longer text than anybody reads": {"type": "string", "minLength": 1_000_000_000},
    "a doubling schema": BOMB,
    "a deep schema": DEEP,
    "a layered schema": LAYERED,
    "a schema composed of itself": {"type": "string", "not": {"allOf": [{"$ref": "#"}]}},
    "a pattern and a length": {"type": "string", "pattern": "^[a-z]{5}$", "maxLength": 4},
    "a pattern that no text has": {"type": "string", "pattern": "^(?!x)x$"},
}


def test_the_error_says_which_part_has_no_value() -> None:
    told = []
    for name, schema in NOTHING_FITS.items():
        with pytest.raises(Unsatisfiable) as caught:
            instance(schema, SEEDS[0])
        told.append(f"{name}: {caught.value}\n")
    assert_golden("synthetic/unsatisfiable.txt", "".join(told))


@pytest.mark.parametrize(
    "schema", [{"type": "text"}, {"properties": 3}, {"required": 5}, {"minimum": "1"}, {"$ref": 1}]
)
def test_what_is_not_valid_in_a_schema_is_named(schema: Any) -> None:
    with pytest.raises(Unsatisfiable, match=rf"`#/{next(iter(schema)).replace('$', '.')}` of the schema is not valid"):
        instance(schema, SEEDS[0])
