"""A recording as the checks see it: the kind of its answer, and the JSON in it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from ..match.slack import NONE, Slack
from ..tape.canonical import Key, parse_body
from ..tape.cassette import Interaction, Request, Response
from ..tape.frame import Frame, frames
from ..tape.route import Route

TEMPLATES = {  # path: template; any other path is a kind of its own
    r"responses/(?!compact$|input_tokens$)[^/]+": "responses/{id}",
    r"responses/[^/]+/cancel": "responses/{id}/cancel",
    r"responses/[^/]+/input_items": "responses/{id}/input_items",
    r"models/.+": "models/{id}",
    r"containers/[^/]+/files/[^/]+/content": "containers/{id}/files/{id}/content",
}
REFUSED = 400  # the first status of a refusal


class Kind(NamedTuple):
    """Answers of one kind are comparable. `operation` looks like `POST chat/completions` or `GET responses/{id}`.
    `refused` is the status of a refusal, or 0."""

    operation: str
    generation: str
    streamed: bool
    refused: int

    def __str__(self) -> str:
        how = f"status {self.refused}" if self.refused else "streamed" if self.streamed else "in one piece"
        return f"{self.operation} on {self.generation}, {how}"


class Document(NamedTuple):
    """A JSON value of an answer: the whole body, or the data of the stream's event with this number (from 1)."""

    event: int | None
    text: str
    value: Any


@dataclass(frozen=True)
class Recording:
    """An interaction, and where it is: the file and the interaction's number in it, from 1. `slack` is what may
    vary in a request for it."""

    file: str
    number: int
    interaction: Interaction
    route: Route
    synthetic: bool
    slack: Slack = NONE

    @property
    def response(self) -> Response:
        return self.interaction.response

    @cached_property
    def kind(self) -> Kind:
        path = next((t for p, t in TEMPLATES.items() if re.fullmatch(p, self.route.operation)), self.route.operation)
        operation = f"{self.interaction.request.method} {path}"
        refused = self.response.status if self.response.status >= REFUSED else 0
        return Kind(operation, self.route.generation, self.response.is_stream and not refused, refused)

    @cached_property
    def asked(self) -> dict[str, Any]:
        """The JSON object in the request, or what stands for its form; empty when there is neither."""
        parsed = parse_body(self.interaction.request.body)
        return parsed if isinstance(parsed, dict) else {}

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """The frames of a stream. An answer in one piece has none."""
        return tuple(frames(self.response)) if self.kind.streamed else ()

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        """All valid JSON of the answer. `framing` reports the rest."""
        texts = dict[int | None, str]({frame.number: frame.data for frame in self.frames})
        texts = texts or {None: self.response.body.decode(errors="replace")}
        return tuple(Document(number, text, value) for number, text in texts.items() for value in _readable(text))

    @cached_property
    def key(self) -> Key | None:
        """By which the recording is found."""
        return key_of(self.interaction.request, self.slack)

    def place(self, event: int | None = None, path: str = "") -> str:
        parts = (f"{self.file} #{self.number}", f"event {event}" if event else "", path)
        return " ".join(part for part in parts if part)


def key_of(request: Request, slack: Slack) -> Key | None:
    """None when the address is none of Azure OpenAI's."""
    if not (meaning := request.meaning) or not slack:
        return meaning and meaning.key
    return slack.key_of(meaning.key, parse_body(request.body)) or meaning.key


def _readable(text: str) -> Iterator[Any]:
    try:
        yield json.loads(text)
    except (ValueError, RecursionError):
        return


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects in a list, without its other items; none when the value is not a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
