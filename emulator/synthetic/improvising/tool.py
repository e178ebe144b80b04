"""The functions that a request offers, and which of them the model calls."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..instance import instance
from ..seed import Seed

Calls = tuple[tuple[str, dict[str, Any]], ...]
NONE, AUTO, REQUIRED = "none", "auto", "required"  # what a request says of tools in general


class Tool(NamedTuple):
    """`schema` is that of its arguments."""

    name: str
    schema: dict[str, Any]


class Choice(NamedTuple):
    """What the request's tool_choice means: a mode, and the names it is about; None: all."""

    mode: str
    names: frozenset[str] | None = None


def calls(body: dict[str, Any], called: frozenset[str], seed: Seed) -> Calls:
    """`auto` calls what was not called in this conversation, all at once where the request allows that. `required` goes
    through the tools one by one, for the last of them often ends an agent's work, and stays with the last; what is
    named is called whatever happened. Raises Unsatisfiable."""
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
    """Functions of any form; what Azure would call itself, such as web_search, is accepted and not called."""
    for tool in [*(body.get("tools") or ()), *(body.get("functions") or ())]:
        function = tool.get("function") or tool
        if tool.get("type", "function") == "function" and isinstance(function.get("name"), str):
            schema = function.get("parameters")
            yield Tool(function["name"], {"type": "object"} | schema if isinstance(schema, dict) else {})


def choice(body: dict[str, Any]) -> Choice:
    """tool_choice is a mode, a function as chat or Responses names it, or a list of allowed tools; function_call is its
    older form."""
    said = body.get("tool_choice") or body.get("function_call") or AUTO
    if isinstance(said, str):
        return Choice(said)
    if said.get("type") == "allowed_tools":
        allowed = said.get("allowed_tools") or said
        return Choice(allowed.get("mode", AUTO), frozenset(map(_name, allowed.get("tools") or ())))
    return Choice(REQUIRED, frozenset({_name(said)})) if _name(said) else Choice(AUTO)


def _name(tool: dict[str, Any]) -> str:
    return str((tool.get("function") or tool).get("name") or "")
