"""Reads a request's messages, tool results and functions, from chat, Responses and embeddings alike.

Reading never fails, whatever a client sends.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...azure.journal import Exchange
from ...azure.question import Question

TOOL_ROLES = ("tool", "function")


@dataclass(frozen=True)
class Prompt:
    """`model` is the name that the proxy's callers use for the deployment."""

    exchange: Exchange
    question: Question
    body: dict[str, Any]
    model: str | None

    @property
    def operation(self) -> str:
        """Method and route, such as "POST chat/completions"; "" for an address that is none of Azure OpenAI's."""
        return f"{self.exchange.method} {self.question.route.operation}" if self.question.route else ""

    @cached_property
    def user(self) -> str | None:
        """The text of the last user message."""
        return next((text for role, text in reversed(self._said) if role == "user"), None)

    @cached_property
    def tool_results(self) -> list[str]:
        """The tool results after the model's last message."""
        results = []
        for role, text in reversed(self._said):
            if role == "assistant":
                break
            results += [text] if role in TOOL_ROLES else []
        return results[::-1]

    @cached_property
    def functions(self) -> list[str]:
        """The names of the functions that the model may call."""
        offered = [*_list(self.body.get("tools")), *_list(self.body.get("functions"))]
        inner = [tool.get("function") or tool.get("custom") or tool for tool in offered if isinstance(tool, dict)]
        names = [str(function["name"]) for function in inner if isinstance(function, dict) and function.get("name")]
        return [] if "none" in (self.body.get("tool_choice"), self.body.get("function_call")) else names

    @property
    def choices(self) -> int:
        asked = self.body.get("n")
        return asked if type(asked) is int else 1

    @property
    def inputs(self) -> int:
        """How many texts the request wants vectors of. An array of numbers is one text, in tokens."""
        given = self.body.get("input")
        is_many = isinstance(given, list) and not all(type(item) is int for item in given)
        return len(given) if is_many and isinstance(given, list) else 1

    @property
    def takes_parallel_calls(self) -> bool:
        return self.body.get("parallel_tool_calls") is not False and not _list(self.body.get("functions"))

    @cached_property
    def _said(self) -> list[tuple[str, str]]:
        """(role, text) of each message."""
        given = self.body.get("messages" if self.operation.endswith("chat/completions") else "input")
        if isinstance(given, str):
            return [("user", given)]
        if self.operation.endswith("embeddings"):
            return [("user", "\n".join(text for text in _list(given) if isinstance(text, str)))]
        return list(_messages(_list(given)))


def _messages(items: list[Any]) -> Iterator[tuple[str, str]]:
    """Yields (role, text). An item of Responses without a role is a tool's result or a step of the model."""
    for item in items:
        if not isinstance(item, dict):
            continue
        if role := item.get("role"):
            yield str(role), _text(item.get("content"))
        else:
            role = "tool" if str(item.get("type")).endswith("_output") else "assistant"
            yield role, _text(item.get("output"))


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = [part.get("text") for part in _list(content) if isinstance(part, dict)]
    return "\n".join(text for text in parts if isinstance(text, str))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
