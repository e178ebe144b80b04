"""Reads the conversation so far, from chat's messages and from the items of Responses alike."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..asked import Reply
from .seal import opened

COMPACTION = "compaction"  # an item that stands for others
CALLS = ("function_call", "custom_tool_call")  # the types of items of Responses that name a function


@dataclass(frozen=True)
class Conversation:
    """Each of `messages` has a `role` and its text as `content`. A part that is not text stands there as its type, as
    in (image_url). `called` has the names of the functions that the model has called."""

    messages: tuple[dict[str, str], ...] = ()
    called: frozenset[str] = frozenset()

    def __add__(self, later: "Conversation") -> "Conversation":
        return Conversation(self.messages + later.messages, self.called | later.called)

    @property
    def prompt(self) -> str:
        """The text of the last user message, or of the last message where no user message exists."""
        texts = [message["content"] for message in self.messages if message["role"] == "user"]
        texts = texts or [message["content"] for message in self.messages]
        return texts[-1] if texts else ""


def of_chat(messages: Iterable[dict[str, Any]]) -> Conversation:
    said = list(messages)
    called = [
        call.get("function") or call.get("custom") for message in said for call in message.get("tool_calls") or ()
    ]
    called += [message.get("function_call") for message in said]
    return _conversation(said, called)


def of_responses(given: str | Iterable[dict[str, Any]]) -> Conversation:
    """`given` is the input or the output of a response."""
    items = [{"role": "user", "content": given}] if isinstance(given, str) else list(given)
    sealed = (item.get("encrypted_content") for item in items if item.get("type") == COMPACTION)
    called = Conversation(called=frozenset(name for content in sealed for name in opened(content)))
    return called + _conversation(
        [item for item in items if item.get("role")], [item for item in items if item.get("type") in CALLS]
    )


def of_reply(reply: Reply) -> Conversation:
    messages = ({"role": "assistant", "content": text} for text in reply.texts)
    return Conversation(tuple(messages), frozenset(name for name, _ in reply.calls))


def _conversation(said: list[dict[str, Any]], called: list[Any]) -> Conversation:
    names = {str(function["name"]) for function in called if isinstance(function, dict) and function.get("name")}
    messages = ({"role": str(message["role"]), "content": _text(message.get("content"))} for message in said)
    return Conversation(tuple(messages), frozenset(names))


def _text(content: Any) -> str:
    if not isinstance(content, list):
        return content or ""
    return "\n".join(str(part.get("text") or part.get("refusal") or f"({part.get('type')})") for part in content)
