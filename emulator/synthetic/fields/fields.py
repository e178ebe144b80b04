"""Reads which fields a prompt asks for, and writes an answer with them (DSPy 3.4: chat, JSON and XML adapter)."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from ..instance import instance
from ..seed import Seed
from ..text import compact
from ..words import said
from . import agent, annotation

Node = Mapping[str, Any]

SPOKEN = 24  # tokens of a text field, about
REQUESTS = {  # form: how the last sentence of the user message begins, and the pattern of a field's name in it
    "chat": ("Respond with the corresponding output fields, starting with the field", r"\[\[ ## (\w+) ## \]\]"),
    "json": ("Respond with a JSON object in the following order of fields", r"(?:: |then )`(\w+)`"),
    "xml": ("Respond with the corresponding output fields wrapped in XML tags", r"`<(\w+)>`"),
}
END = "completed"  # the chat adapter's last marker
NOTE = r"\{%s\} *# note: the value you produce (.*)"
TYPE = r"^\d+\. `%s` \((.*)\):"
MARKER = re.compile(r"\[\[ ## \w+ ## \]\]|</?\w+>")
HISTORY = re.compile(r"\[\[ ## trajectory ## \]\]|<trajectory>")  # an agent's history, mostly its own words
CHOICE = re.compile(r"must (?:exactly match \(no extra characters\) |be )one of: (.*)")
IN_STRING = re.compile(r'",?$')
SCHEMA = "must adhere to the JSON schema: "
TEXT: Node = {"type": "string"}


@dataclass(frozen=True)
class Fields:
    """`form` is "chat", "json" or "xml". `instructions` is the system's text. `told` is the last user message up to the
    request for fields, and `request` the rest of it."""

    form: str
    names: tuple[str, ...]
    instructions: str
    told: str
    request: str

    def answer(self, seed: Seed) -> str:
        """All fields, in the form and the order of the request. A text field quotes the user message. A typed field
        fits its type. An agent calls each tool once, and then finishes. Raises Unsatisfiable."""
        return WRITE[self.form](self, self.values(seed))

    def values(self, seed: Seed) -> dict[str, Any]:
        quoted = MARKER.sub(" ", HISTORY.split(self.told)[0])
        step = agent.step(self.instructions, self.told, seed) if agent.NAME in self.names else {}
        values = dict[str, Any]()
        for name in self.names:
            schema, own = self.schema(name), Seed(f"{seed.text}\nfield {name}")
            values[name] = said(quoted, own, SPOKEN) if schema == TEXT else instance(schema, own)
        return values | {name: value for name, value in step.items() if name in values}

    def schema(self, name: str) -> Node:
        """The schema in the note beside the field; without a readable note, the schema of the field's Python type."""
        typed = annotation.schema(_found(TYPE, name, self.instructions))
        if typed and "enum" in typed:  # a note leaves open whether 1 is "1", and where a value ends
            return typed
        note = _found(NOTE, name, self.instructions)
        if self.form == "json":  # the JSON adapter writes the note inside a JSON string
            note = _json(f'"{IN_STRING.sub("", note)}"', str) or ""
        if choice := CHOICE.match(note):
            return {"enum": choice[1].split("; ")}
        return _json(note.removeprefix(SCHEMA), dict) or typed or TEXT


def fields_of(messages: Iterable[Mapping[str, Any]]) -> Fields | None:
    """The fields that a prompt asks for; None where it asks for none. Each of `messages` has a `role` and a text as
    `content`. The system or developer message has the fields' types, the last user message their names."""
    texts = {"instructions": "", "user": ""}
    for message in messages:
        text = str(message.get("content") or "")
        if message.get("role") == "user":
            texts["user"] = text
        elif message.get("role") in ("system", "developer"):
            texts["instructions"] += text + "\n"
    form = max(REQUESTS, key=lambda form: texts["user"].rfind(REQUESTS[form][0]))  # a user may quote another form
    sentence, name = REQUESTS[form]
    told, found, request = texts["user"].rpartition(sentence)
    names = [one for one in re.findall(name, request) if one != END] if found else []
    return Fields(form, tuple(dict.fromkeys(names)), texts["instructions"], told, request) if names else None


def _found(pattern: str, name: str, text: str) -> str:
    found = re.search(pattern % name, text, re.MULTILINE)
    return found[1] if found else ""


def _json(text: str, kind: type[Any]) -> Any:
    """The JSON value in a text; None where the text is not JSON, and where the value is of another kind."""
    try:
        read = json.loads(text)
    except (RecursionError, ValueError):
        return None
    return read if isinstance(read, kind) else None


def _chat(fields: Fields, values: Mapping[str, Any]) -> str:
    told = [f"[[ ## {name} ## ]]\n{_shown(value)}" for name, value in values.items()]
    return "\n\n".join([*told, f"[[ ## {END} ## ]]"])


def _shown(value: Any) -> str:
    """The value as text: a boolean as Python writes it, because DSPy's types are Python's; other values as JSON."""
    return value if isinstance(value, str) else str(value) if isinstance(value, bool) else compact(value)


def _xml(fields: Fields, values: Mapping[str, Any]) -> str:
    return "\n\n".join(_element(fields, name, value) for name, value in values.items())


def _element(fields: Fields, name: str, value: Any) -> str:
    """The field as an XML element. A list or an object stands in it as JSON. For a model the request gives its XML
    without types. Each value in it is 1, which reads as a number and as a text."""
    structure = re.search(rf"<{name}><.*</{name}>", fields.request)
    if structure and isinstance(value, str):
        return structure[0].replace("...", "1")
    return f"<{name}>\n{escape(_shown(value))}\n</{name}>"


WRITE: dict[str, Callable[[Fields, Mapping[str, Any]], str]] = {
    "chat": _chat,
    "json": lambda fields, values: compact(values),
    "xml": _xml,
}
