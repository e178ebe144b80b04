"""What the tests ask and what a scripted Azure answered: every prompt is written here, once.

Each module has functions that ask (the tests call them too) and a list SCENARIOS, from which
`python -m emulator.synthetic` writes the cassettes. A function that makes one call takes an AsyncOpenAI as well; its
result must then be awaited.
"""

from collections.abc import Callable
from typing import Any

from openai import APIStatusError, OpenAI

Ask = Callable[[Callable[[Any], Any]], Any]  # runs a function that asks with some client, and gives what it got


def client_options(base_url: str, function_key: str, retries: int = 0) -> dict[str, Any]:
    """For OpenAI and AsyncOpenAI."""
    headers = {"x-functions-key": function_key}
    return {"base_url": base_url, "api_key": "unused", "default_headers": headers, "max_retries": retries}


def sdk(ask: Callable[[OpenAI], Any], retries: int = 0) -> Callable[[str, str], None]:
    """A scenario's `play` from a function that asks through the OpenAI SDK. A stream is read to its end; an error that
    Azure was to answer is no failure."""

    def play(base_url: str, function_key: str) -> None:
        with OpenAI(**client_options(base_url, function_key, retries)) as client:
            try:
                answer = ask(client)
            except APIStatusError as error:
                if error.code == "no_recorded_interaction":
                    raise
            else:
                if hasattr(answer, "__next__"):
                    list(answer)

    return play
