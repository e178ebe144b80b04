"""Turns a Python type, as a prompt spells it, into a JSON schema."""

import ast
from collections.abc import Callable
from typing import Any

Node = dict[str, Any]

NAMED: dict[str, Node] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "list": {"type": "array", "items": {"type": "string"}},
    "dict": {"type": "object"},
    "NoneType": {"type": "null"},
    "None": {"type": "null"},
    "Any": {"type": "string"},
    "datetime": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "format": "time"},
    "UUID": {"type": "string", "format": "uuid"},
}


def schema(annotation: str) -> Node | None:
    """The type's schema. None where the type has a name of its own, such as a model's, which hides its fields."""
    try:
        return _schema(ast.parse(annotation.strip(), mode="eval").body)
    except (LookupError, RecursionError, SyntaxError, ValueError):
        return None


def _schema(node: ast.expr) -> Node:
    if isinstance(node, ast.Constant) and node.value is None:
        return NAMED["None"]
    if isinstance(node, ast.Name | ast.Attribute):
        return NAMED[node.id if isinstance(node, ast.Name) else node.attr]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return {"anyOf": [_schema(node.left), _schema(node.right)]}
    if isinstance(node, ast.Subscript):
        name = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return GENERIC[name](parts)
    raise LookupError(ast.dump(node))


def _tuple(parts: list[ast.expr]) -> Node:
    if isinstance(parts[-1], ast.Constant):  # tuple[int, ...]
        return {"type": "array", "items": _schema(parts[0])}
    return {"type": "array", "prefixItems": list(map(_schema, parts)), "minItems": len(parts), "items": False}


GENERIC: dict[str, Callable[[list[ast.expr]], Node]] = {
    "list": lambda parts: {"type": "array", "items": _schema(parts[0])},
    "List": lambda parts: {"type": "array", "items": _schema(parts[0])},
    "set": lambda parts: {"type": "array", "items": _schema(parts[0]), "uniqueItems": True},
    "tuple": _tuple,
    "dict": lambda parts: {"type": "object", "additionalProperties": _schema(parts[1])},
    "Dict": lambda parts: {"type": "object", "additionalProperties": _schema(parts[1])},
    "Union": lambda parts: {"anyOf": list(map(_schema, parts))},
    "Optional": lambda parts: {"anyOf": [_schema(parts[0]), NAMED["None"]]},
    "Literal": lambda parts: {"enum": [ast.literal_eval(part) for part in parts]},
}
