"""What Azure refuses. The prompts are harmless; the answers are what Azure's filter sends to prompts that are not."""

from typing import Any

from openai import OpenAI

from emulator.synthetic import Scenario, filtered, rate_limited, says

from . import sdk
from .chat import MODEL, user

FORBIDDEN = "This prompt stands for one that the content filter refuses."


def filtered_chat(client: OpenAI, **options: Any) -> Any:
    return client.chat.completions.create(model=MODEL, messages=user(FORBIDDEN), **options)


def filtered_stream(client: OpenAI) -> Any:
    return filtered_chat(client, stream=True)


def filtered_response(client: OpenAI) -> Any:
    return client.responses.create(model=MODEL, input=FORBIDDEN)


def busy(client: OpenAI) -> Any:
    return client.chat.completions.create(model=MODEL, messages=user("Answer me, however busy you are."))


SCENARIOS = [
    Scenario(
        "errors/filtered_chat",
        "Chat: the content filter stops a prompt.",
        [("", filtered("violence"))],
        sdk(filtered_chat),
    ),
    Scenario(
        "errors/filtered_stream",
        "Chat: the same, when a stream was asked for.",
        [("", filtered("jailbreak"))],
        sdk(filtered_stream),
    ),
    Scenario(
        "errors/filtered_response",
        "Responses: the content filter stops a prompt.",
        [("", filtered("violence"))],
        sdk(filtered_response),
    ),
    Scenario(
        "errors/rate_limited",
        "Too many tokens in a minute; the second try, which the SDK makes on its own, is answered.",
        [("", rate_limited(retry_after_ms=50)), ("", says("Here I am."))],
        sdk(busy, retries=1),
    ),
]
