"""Chooses which of the request's functions the model calls."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..instance import instance
from ..seed import Seed

Calls = tuple[tuple[str, dict[str, Any]], ...]
NONE, AUTO, REQUIRED = "none", "auto", "required"  # the modes of tool_choice


class Tool(NamedTuple):
    """`schema` describes the function's arguments."""

    name: str
    schema: dict[str, Any]


class Choice(NamedTuple):
    """The meaning of tool_choice: a mode, and the names of the tools to which it applies; None for all tools."""

    mode: str
    names: frozenset[str] | None = None


def calls(body: dict[str, Any], called: frozenset[str], seed: Seed) -> Calls:
    """The calls that the model makes. Raises Unsatisfiable.

    `auto` calls each function that this conversation has not called yet, all at once where the request allows parallel
    calls. `required` calls one function at a time, in the request's order, and then the last one again and again: the
    last one often ends an agent's work. A function that tool_choice names is called every time."""
    mode, names = choice(body)
    tools = [tool for tool in offered(body) if names is None or tool.name in names]
    if mode == NONE or not tools:
        return ()
    left = [tool for tool in tools if tool.name not in called]
    if mode == REQUIRED:
        chosen = (left or tools[-1:])[: None if body.get("parallel_tool_calls") else 1]
    else:
        chosen = left[: 1 if body.get("parallel_tool_calls") is False or "tools" not in body else None]
    return tuple((tool.name, arguments(tool, seed)) for tool in chosen)


def arguments(tool: Tool, seed: Seed) -> dict[str, Any]:
    made = instance(tool.schema, Seed(f"{seed.text}\n{tool.name}"))
    return made if isinstance(made, dict) else {}


def offered(body: dict[str, Any]) -> Iterator[Tool]:
    """Yields the request's functions, of any form. It skips tools that Azure runs itself, such as web_search."""
    for tool in [*(body.get("tools") or ()), *(body.get("functions") or ())]:
        function = tool.get("function") or tool
        if tool.get("type", "function") == "function" and isinstance(function.get("name"), str):
            schema = function.get("parameters")
            yield Tool(function["name"], {"type": "object"} | schema if isinstance(schema, dict) else {})


def choice(body: dict[str, Any]) -> Choice:
    """Reads tool_choice, or function_call, its older form. It holds a mode, a function in the form of chat or
    Responses, or a list of allowed tools."""
    said = body.get("tool_choice") or body.get("function_call") or AUTO
    if isinstance(said, str):
        return Choice(said)
    if said.get("type") == "allowed_tools":
        allowed = said.get("allowed_tools") or said
        return Choice(allowed.get("mode", AUTO), frozenset(map(_name, allowed.get("tools") or ())))
    return Choice(REQUIRED, frozenset({_name(said)})) if _name(said) else Choice(AUTO)


def _name(tool: dict[str, Any]) -> str:
    return str((tool.get("function") or tool).get("name") or "")
