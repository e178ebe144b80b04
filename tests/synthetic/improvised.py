"""Asks an Improviser as the fake Azure does, and runs all rules of `check` over its answers."""

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from pydantic import BaseModel

from emulator import lint
from emulator.azure.asgi import Fields
from emulator.azure.journal import Exchange
from emulator.azure.question import question_of
from emulator.lint import chunk_order, conformity, event_order, framing, shape
from emulator.lint.context import Context
from emulator.lint.recording import Recording
from emulator.lint.tapes import Tapes
from emulator.synthetic.improvising import Improviser
from emulator.tape.interaction import Interaction, Request, Response
from emulator.tape.route import parse
from tests.support import AZURE

MODEL, REASONING = "gpt-4o-mini", "gpt-5-mini"
QUESTION = "What did nobody ever record, on 28 November?"
USER: Any = [{"role": "user", "content": QUESTION}]
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": name,
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
    for name in ("get_temperature", "get_wind")
]
FLAT: Any = [{"type": "function", **tool["function"], "strict": False} for tool in TOOLS]
Body = dict[str, Any]
QUICK = (framing.check, conformity.against_sdk, event_order.check, chunk_order.check)


class City(BaseModel):
    name: str
    districts: list[str]
    coastal: bool


def asked(operation: str, body: Any = None, method: str = "POST", improviser: Improviser | None = None) -> Interaction:
    """The request and its improvised answer."""
    sent = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    uri = AZURE + operation
    target = uri[uri.index("/openai") :]
    made = (improviser or Improviser())(Exchange(method, target, Fields(), sent), question_of(method, target, sent))
    assert made, f"nothing is improvised for {method} {operation}"
    return Interaction(Request(method, uri, (("content-type", "application/json"),), sent), made.response)


def answer(operation: str, body: Any = None, method: str = "POST", improviser: Improviser | None = None) -> Any:
    """The JSON documents of the answer: one, or that of each frame of a stream."""
    response = asked(operation, body, method, improviser).response
    return told(response) if response.is_stream else json.loads(response.body)


def told(response: Response) -> list[Any]:
    lines = response.body.decode().split("\n")
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]


def wrong(interactions: Iterable[Interaction], thoroughly: bool = False) -> list[str]:
    """The errors that `check` finds. `thoroughly` also compares with real recordings and Azure's descriptions, where
    the machine has them."""
    recordings = [
        Recording("improvised", number, interaction, route, True)
        for number, interaction in enumerate(interactions, 1)
        if (route := parse(interaction.request.uri))
    ]
    checks = (*QUICK, conformity.against_openapi, shape.check) if thoroughly else QUICK
    context = everything() if thoroughly else Context()
    found = [finding for check in checks for finding in check(Tapes(tuple(recordings)), context)]
    return [str(finding) for finding in found if finding.severity == "error"]


@cache
def everything() -> Context:
    return lint.context_of(None, None, None)
