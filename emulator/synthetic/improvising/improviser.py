"""Answers requests that no recording answers. The same request gets the same bytes, in every process."""

from collections.abc import Callable, Iterable, Mapping

from ...azure.answerer import Made
from ...azure.journal import Exchange
from ...azure.question import Question
from ...tape.interaction import Response
from .. import chat, embeddings
from ..asked import Asked, asked_of
from ..instance import Unsatisfiable
from . import image, speech, transcript
from .conversation import of_chat
from .decision import reply
from .memory import Memory, nothing
from .models import Models
from .pace import Pace
from .refusal import Refused, refusal
from .responses import Responses

ORIGIN = "improvised"
Maker = Callable[[Asked], Response]  # raises Refused, or Unsatisfiable


class Improviser:
    """An answerer of the fake Azure. `GET models` lists `models`. Stored responses live as long as the improviser."""

    def __init__(self, pace: Pace | None = None, models: Iterable[str] = ()) -> None:
        self.pace, self.memory = pace or Pace(), Memory()
        self._alike: Mapping[str, Maker] = {
            "POST chat/completions": _chat,
            "POST embeddings": embeddings.response,
            "POST audio/speech": speech.make,
            "POST audio/transcriptions": transcript.make,
            "POST audio/translations": transcript.make,
            "POST images/generations": image.make,
            "POST images/edits": image.make,
        }
        self._responses = Responses()
        self._changing: Mapping[str, Maker] = {**Models(tuple(models)).makers(), **self._responses.makers()}

    def __call__(self, exchange: Exchange, question: Question) -> Made | None:
        """The answer; None for a route that the improviser does not know."""
        if known := self.memory.get(question):
            return known
        if question.route is None:
            return None
        name = f"{exchange.method} {question.route.operation}"
        make = self._alike.get(name) or self._changing.get(name) or self._changing.get(_template(name))
        if make is None:
            return None
        asked = asked_of(question, repr(question.key))
        made = self._made(make, question, asked)
        if effect := nothing if name in self._alike else self._responses.effect(asked):
            self.memory.keep(question, made, effect)
        return made

    def set_pace(self, pace: Pace) -> None:
        """From the next answer on."""
        self.pace, self.memory = pace, Memory()

    def _made(self, make: Maker, question: Question, asked: Asked) -> Made:
        try:
            answer = refusal(question, asked) or make(asked)
        except Refused as refused:
            answer = refused.response(asked)
        except Unsatisfiable as none:
            answer = Refused(f"Invalid schema: {none}.", None, "invalid_json_schema").response(asked)
        return Made(self.pace.of(answer), ORIGIN)


def _chat(asked: Asked) -> Response:
    return chat.response(asked, reply(asked, of_chat(asked.body["messages"])))


def _template(name: str) -> str:
    room, *rest = name.split("/")
    return "/".join([room, "{id}", *rest[1:]]) if rest and room.endswith((" responses", " models")) else name
