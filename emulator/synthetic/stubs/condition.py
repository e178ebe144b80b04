"""The conditions of a stub: which requests it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from ...azure.journal import Exchange
from ...tape.canonical import canonical_json
from .error import StubError
from .path import steps_of, values_at
from .prompt import Prompt
from .wording import listed, shown

ROUTES = {"chat": "POST chat/completions", "responses": "POST responses", "embeddings": "POST embeddings"}
Predicate = Callable[[Exchange], object]


@dataclass(frozen=True)
class Condition:
    """A request must meet every condition that is not None (docs/stubs.md, "What a stub waits for"). Raises StubError
    for a condition that no request can meet."""

    contains: str | None = None
    model: str | None = None
    route: str | None = None
    tool_result: str | Literal[True] | None = None
    path: Mapping[str, Any] | None = None
    where: Predicate | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        for name, wanted in self.named.items():
            REQUIRED[name](wanted)
        if self.route == "embeddings" and self.tool_result is not None:
            raise StubError("No request for embeddings has a tool_result. Leave out route or tool_result.")

    @property
    def named(self) -> dict[str, Any]:
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: wanted for name, wanted in named.items() if wanted is not None}

    @property
    def operation(self) -> str | None:
        return ROUTES[self.route] if self.route else None

    def why_not(self, prompt: Prompt) -> list[str]:
        """One reason for each condition that the request does not meet."""
        reasons = (REASONS[name](wanted, prompt) for name, wanted in self.named.items())
        return [reason for reason in reasons if reason]

    def __str__(self) -> str:
        return listed(self.named)


def _require_text(name: str) -> Callable[[Any], None]:
    def require(wanted: Any) -> None:
        if not isinstance(wanted, str) or not wanted:
            raise StubError(f"{name} must be a text that is not empty, not {wanted!r}. Without {name}, any will do.")

    return require


def _require_route(wanted: Any) -> None:
    if not isinstance(wanted, str) or wanted not in ROUTES:
        raise StubError(f"route must be one of {', '.join(ROUTES)}, not {wanted!r}.")


def _require_tool_result(wanted: Any) -> None:
    if wanted is not True:
        _require_text("tool_result")(wanted)


def _require_path(wanted: Any) -> None:
    if not isinstance(wanted, Mapping) or not wanted or not all(isinstance(path, str) for path in wanted):
        raise StubError(f'path must map paths to values, as in {{"messages[0].role": "system"}}, not {wanted!r}.')
    for path, value in wanted.items():
        steps_of(path)
        try:
            canonical_json(value)
        except (TypeError, ValueError) as error:
            raise StubError(f"path: no request has {value!r} at {path}, because it is not JSON.") from error


def _require_callable(wanted: Any) -> None:
    if not callable(wanted):
        raise StubError(f"where must be a function, as in lambda request: request.json['n'], not {wanted!r}.")


REQUIRED: dict[str, Callable[[Any], None]] = {  # checks each condition's value; raises StubError
    "contains": _require_text("contains"),
    "model": _require_text("model"),
    "route": _require_route,
    "tool_result": _require_tool_result,
    "path": _require_path,
    "where": _require_callable,
}


def _not_contained(wanted: str, prompt: Prompt) -> str | None:
    if prompt.user is None:
        return "the request has no user message"
    return None if wanted in prompt.user else f"the last user message is {shown(prompt.user)}"


def _other_model(wanted: str, prompt: Prompt) -> str | None:
    return None if wanted in (prompt.model, prompt.question.deployment) else f"the model is {shown(prompt.model)}"


def _other_route(wanted: str, prompt: Prompt) -> str | None:
    return None if ROUTES[wanted] == prompt.operation else f"the request is {prompt.operation}"


def _no_tool_result(wanted: str | Literal[True], prompt: Prompt) -> str | None:
    results = prompt.tool_results
    if not results:
        return "no tool result comes after the model's last message"
    is_there = wanted is True or any(wanted in text for text in results)
    return None if is_there else f"the last tool result is {shown(results[-1])}"


def _other_value(wanted: Mapping[str, Any], prompt: Prompt) -> str | None:
    for path, value in wanted.items():
        found = values_at(steps_of(path), prompt.body)
        if canonical_json(value) not in map(canonical_json, found):
            return f"{path} is {shown(found[0])}" if found else f"the request has no {path}"
    return None


def _not_where(wanted: Predicate, prompt: Prompt) -> str | None:
    try:
        return None if wanted(prompt.exchange) else "the function in where= returns false"
    except Exception as error:  # the request gets an answer, and the test this reason, whatever the test's code raises
        return f"the function in where= raised {type(error).__name__}: {shown(str(error))}"


REASONS: dict[str, Callable[[Any, Prompt], str | None]] = {  # why the request does not meet it; None where it does
    "route": _other_route,
    "contains": _not_contained,
    "model": _other_model,
    "tool_result": _no_tool_result,
    "path": _other_value,
    "where": _not_where,
}
