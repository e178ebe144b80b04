"""Streams with something that not every client expects."""

from contextlib import suppress
from typing import Any

from openai import APIError, OpenAI

from emulator.synthetic import Scenario, judged_later, rate_limited_in_stream

from . import sdk
from .chat import MODEL, user

HAIKU = "Grey gulls on the pier, waiting for the morning boat; nobody comes home."


def haiku_judged_later(client: OpenAI) -> Any:
    return client.chat.completions.create(model=MODEL, messages=user("A haiku about gulls, please."), stream=True)


def limited_in_stream(client: OpenAI) -> Any:
    return client.responses.create(model=MODEL, input="Tell me all about limits.", stream=True)


def broken(client: OpenAI) -> None:
    with suppress(APIError):  # Azure was to send it
        list(limited_in_stream(client))


SCENARIOS = [
    Scenario(
        "chat/stream_judged_later",
        "A stream whose content filter is asynchronous: its verdicts are chunks whose choice has no delta.",
        [("", judged_later(HAIKU))],
        sdk(haiku_judged_later),
    ),
    Scenario(
        "errors/rate_limited_in_stream",
        "Status 200, a response that failed and does not say why, then the error: in the order that was reported.",
        [("", rate_limited_in_stream(retry_after_ms=4000))],
        sdk(broken),
    ),
]
