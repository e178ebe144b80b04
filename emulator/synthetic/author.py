"""Runs real client code through the real proxy against a scripted Azure, and keeps its calls as a cassette."""

import json
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..azure import FakeAzure, errors
from ..azure.app import IDENTITY_PATH
from ..azure.asgi import Send, respond
from ..azure.journal import Exchange
from ..bundle import CASSETTES
from ..match.library import Library
from ..scrub.header import KEPT_HEADERS
from ..scrub.secret import PLACEHOLDER
from ..server import bind, serving
from ..stack import NOT_INHERITED, HostProcess
from ..tape import cassette
from ..tape.canonical import canonical_body, parse_body
from ..tape.cassette import Interaction, Request
from ..tape.form import is_form
from ..tape.route import parse
from .asked import Answer, Asked
from .seed import WRITTEN, Seed
from .upload import told

DEPLOYMENTS = "gpt-4o-mini,gpt-5-mini,text-embedding-3-small,gpt-4o-mini-tts,gpt-4o-mini-transcribe,whisper,gpt-image-1"


class AuthoringError(Exception):
    """The error for a scenario whose requests and answers do not fit. The message names the scenario and the reason."""


@dataclass(frozen=True)
class Scenario:
    """Client code and Azure's answers. `name` is the cassette's path without suffix. `about` is one sentence on what it
    shows. A request gets the first unused of `answers` whose text occurs in "METHOD target body" ("" occurs in any).
    `play(base_url, function_key)` makes the requests."""

    name: str
    about: str
    answers: Sequence[tuple[str, Answer]]
    play: Callable[[str, str], Any]


class ScriptedAzure(FakeAzure):
    """A fake Azure that gives the answers of a scenario."""

    def __init__(self) -> None:
        super().__init__(Library())
        self.start(())

    def start(self, answers: Iterable[tuple[str, Answer]]) -> None:
        self.unused, self.unanswered = dict(enumerate(answers)), list[str]()
        self.interactions = dict[int, Interaction]()  # by the answer's index, as concurrent calls arrive in any order
        self.asked = list[Asked]()

    async def answer(self, exchange: Exchange, send: Send) -> None:
        route = parse(exchange.target)
        text = f"{exchange.method} {exchange.target} {exchange.body.decode(errors='replace')}"
        found = next((at for at, (needle, _) in self.unused.items() if needle in text), None)
        if self.unauthorized(exchange) or route is None or found is None:
            await self.give_up(text, "no answer is left for this", send)
            return
        body = parse_body(exchange.body) if exchange.body else {}  # requests that read or cancel a response have none
        same = sum(entry.request.body == exchange.body for entry in self.interactions.values())
        meaning = json.dumps([exchange.target, body.get("model"), canonical_body(body), same], sort_keys=True)
        _, answer = self.unused.pop(found)
        asked = Asked(
            route.operation, told(exchange.body) if body else body, Seed(meaning), route.query, tuple(self.asked)
        )
        try:
            answered = answer(asked)
        except LookupError as error:
            await self.give_up(text, str(error), send)
            return
        self.asked.append(asked)
        headers = tuple(sorted(pair for pair in exchange.headers if pair[0] in KEPT_HEADERS))
        request = Request(exchange.method, PLACEHOLDER + exchange.target, headers, exchange.body)
        self.interactions[found] = Interaction(request, answered)
        await self.send_recorded(answered, exchange, send)

    async def give_up(self, text: str, reason: str, send: Send) -> None:
        self.unanswered.append(f"{text} ({reason})")
        await respond(send, 424, errors.NO_RECORDING_HEADERS, errors.no_recording(reason))


class Author:
    """A context manager that holds the scripted Azure and the proxy in front of it."""

    def __init__(self, folder: Path = CASSETTES, settings: Mapping[str, str] | None = None) -> None:
        self.folder, self.settings = folder, dict(settings or {})
        self.azure, self.function_key, self.base_url = ScriptedAzure(), secrets.token_urlsafe(24), ""
        self._exit = ExitStack()

    def __enter__(self) -> "Author":
        with ExitStack() as starting:
            base = starting.enter_context(serving(self.azure, bind(0)))
            environment = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
            environment |= {
                "AZURE_OPENAI_BASE": base,
                "AZURE_OPENAI_DEPLOYMENT": DEPLOYMENTS,
                "IDENTITY_ENDPOINT": base + IDENTITY_PATH,
                "IDENTITY_HEADER": self.azure.identity.header,
                "FUNCTION_HOST_KEY": self.function_key,
            }
            host = starting.enter_context(HostProcess(environment | self.settings, 0))
            self.base_url = host.base_url
            self._exit = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def write(self, scenario: Scenario) -> Path | None:
        """Plays the scenario and writes its cassette. Returns None where the file holds a real recording, which stays.
        Raises AuthoringError unless every request got an answer and every answer its request."""
        path = self.folder / f"{scenario.name}.yaml"
        if path.exists() and cassette.load(path).notes.get("origin") != "synthetic":
            return None
        self.azure.start(scenario.answers)
        failure: Exception | None = None
        try:
            scenario.play(self.base_url, self.function_key)
        except Exception as error:
            failure = error
        problems = [f"no answer for {request}" for request in self.azure.unanswered]
        problems += [f"no request for the answer to {needle!r}" for needle, _ in self.azure.unused.values()]
        if failure or problems:
            raise AuthoringError(
                f"{scenario.name}: " + "\n  ".join([repr(failure)] * bool(failure) + problems)
            ) from failure
        notes = {"origin": "synthetic", "written": WRITTEN.date().isoformat(), "about": scenario.about}
        written = [entry for _, entry in sorted(self.azure.interactions.items())]
        there = cassette.load(path) if path.exists() else None
        if (
            there is None
            or there.notes != notes
            or list(map(_content, there.interactions)) != list(map(_content, written))
        ):
            cassette.save(path, written, notes)
        return path


def _content(interaction: Interaction) -> Any:
    """What makes it another: not the boundary of a form, which a client makes anew each time."""
    request = interaction.request
    if not is_form(parse_body(request.body)):
        return request, interaction.response
    headers = [pair for pair in request.headers if pair[0] != "content-type"]
    return request.method, request.uri, headers, request.meaning, interaction.response
