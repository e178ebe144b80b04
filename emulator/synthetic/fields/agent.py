"""The steps of DSPy's ReAct. Its instructions name the tools, and its user message lists the calls so far."""

import ast
import re
from collections.abc import Mapping
from typing import Any

from ..instance import Unsatisfiable, instance
from ..seed import Seed

NAME, ARGUMENTS = "next_tool_name", "next_tool_args"
END = "finish"
TOOL = re.compile(
    r"^\s*\(\d+\) (\w+)(?:, whose description is <desc>.*</desc>)?\. It takes arguments (\{.*\})\.$", re.M
)
CALLED = re.compile(r"\btool_name_\d+(?: ## \]\]|>)\s*(\w+)")


def step(instructions: str, told: str, seed: Seed) -> dict[str, Any]:
    """The name and arguments of the first tool without a call so far; after the last tool, the end."""
    called = set(CALLED.findall(told))
    tools = {name: arguments for name, arguments in TOOL.findall(instructions) if name not in {*called, END}}
    for name, arguments in tools.items():
        return {NAME: name, ARGUMENTS: _values(arguments, seed)}
    return {NAME: END, ARGUMENTS: {}}


def _values(arguments: str, seed: Seed) -> Any:
    """Arguments for schemas that the prompt writes as a Python literal."""
    try:
        schemas: Mapping[str, Any] = ast.literal_eval(arguments)
        return instance({"type": "object", "properties": schemas, "required": list(schemas)}, seed)
    except (SyntaxError, Unsatisfiable, ValueError):  # such as a default that is not a literal
        return {}
