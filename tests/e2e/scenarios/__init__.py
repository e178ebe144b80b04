"""What the tests ask and what a scripted Azure answered: every prompt is written here, once.

Each module has functions that ask (the tests call them too) and a list SCENARIOS, from which
`python -m emulator.synthetic` writes the cassettes.
"""

from collections.abc import Callable
from typing import Any

from openai import OpenAI


def sdk(ask: Callable[[OpenAI], Any]) -> Callable[[str, str], Any]:
    """A scenario's `play` from a function that asks through the OpenAI SDK. A stream is read to its end."""

    def play(base_url: str, function_key: str) -> None:
        headers = {"x-functions-key": function_key}
        with OpenAI(base_url=base_url, api_key="unused", default_headers=headers, max_retries=0) as client:
            answer = ask(client)
            if hasattr(answer, "__next__"):
                list(answer)

    return play
