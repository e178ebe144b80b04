"""Answers requests that no recording answers. The same request gets the same bytes, in every process."""

from collections.abc import Callable, Iterable, Mapping

from ...azure.answerer import Made
from ...azure.journal import Exchange
from ...azure.question import Question
from ...tape.interaction import Response
from ...tape.route import Route
from .. import chat, embeddings
from ..asked import Asked
from ..instance import Unsatisfiable
from ..seed import Seed
from ..upload import told
from . import image, refusal, speech, transcript
from .conversation import of_chat
from .decision import reply
from .memory import Memory
from .models import Models
from .pace import Pace
from .refusal import Refused
from .responses import Responses

ORIGIN = "improvised"
Maker = Callable[[Asked], Response]  # raises Refused, or Unsatisfiable


class Improviser:
    """An answerer of the fake Azure. `GET models` lists `models`. Stored responses live as long as the improviser."""

    def __init__(self, pace: Pace | None = None, models: Iterable[str] = ()) -> None:
        self.pace, self.memory = pace or Pace(), Memory()
        self._alike: Mapping[str, Maker] = {
            "POST chat/completions": _chat,
            "POST embeddings": _embeddings,
            "POST audio/speech": speech.make,
            "POST audio/transcriptions": transcript.make,
            "POST audio/translations": transcript.make,
            "POST images/generations": image.make,
            "POST images/edits": image.make,
        }
        self._changing: Mapping[str, Maker] = {**Models(tuple(models)).makers(), **Responses().makers()}

    def __call__(self, exchange: Exchange, question: Question) -> Made | None:
        """The answer; None for a route that the improviser does not know."""
        if known := self.memory.get(question):
            return known
        if (route := question.route) is None:
            return None
        name = f"{exchange.method} {_template(route.operation)}"
        if make := self._changing.get(name):
            return self._made(make, question, route)
        if make := self._alike.get(name):
            made = self._made(make, question, route)
            self.memory.keep(question, made)
            return made
        return None

    def _made(self, make: Maker, question: Question, route: Route) -> Made:
        body = told(question.body) if question.body else {}
        is_object = isinstance(body, dict)
        said = {name: value for name, value in body.items() if value is not None} if is_object else {}
        said |= {"model": question.deployment} if question.deployment else {}
        asked = Asked(route.operation, said, Seed(repr(question.key)), route.query)
        try:
            if not is_object:
                raise Refused("We could not parse the JSON body of your request.", None, None)
            refusal.check(asked)
            answer = refusal.unsupported(asked) or make(asked)
        except Refused as refused:
            answer = refused.response(asked)
        except Unsatisfiable as none:
            answer = Refused(f"Invalid schema: {none}.", None, "invalid_json_schema").response(asked)
        return Made(self.pace.of(answer), ORIGIN)


def _chat(asked: Asked) -> Response:
    return chat.response(asked, reply(asked, of_chat(asked.body["messages"])))


def _embeddings(asked: Asked) -> Response:
    try:
        return embeddings.response(asked)
    except TypeError as error:
        raise Refused(f"Invalid type for 'input': {error}.", "input", "invalid_type") from error


def _template(operation: str) -> str:
    room, *rest = operation.split("/")
    return "/".join([room, "{id}", *rest[1:]]) if rest and room in ("responses", "models") else operation
