"""Lines to copy that call a running stack, with a question that has a recording."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from .match.library import Library
from .model import models_of
from .stack import LocalStack
from .tape.canonical import parse_body

SHORT = 200  # bytes of a body that still reads well on a command line
CHAT = ("POST", "chat/completions", ())
KEY = "FUNCTION_HOST_KEY"


def example_of(library: Library, models: Mapping[str, str]) -> dict[str, Any] | None:
    """The model and the messages of a short recorded chat call without a stream, or None. `models` has the names of the
    served deployments."""
    for interaction in library.interactions():
        meaning, body = interaction.request.meaning, interaction.request.body
        if meaning and meaning.key[:3] == CHAT and len(body) < SHORT and interaction.response.status == 200:
            asked, model = parse_body(body), models.get(meaning.key.deployment or "")
            if model and is_plain(asked):
                return {"model": model, "messages": asked["messages"]}
    return None


def is_plain(asked: Any) -> bool:
    """Whether the body has messages only, and reads well on a command line."""
    if not isinstance(asked, dict) or {*asked, "model"} != {"model", "messages"}:
        return False
    if not isinstance(asked.get("model", ""), str) or not isinstance(asked["messages"], list):
        return False
    text = json.dumps(asked, ensure_ascii=False)
    if "'" in text or not text.isprintable():
        return False
    encoding = sys.stdout.encoding or "ascii"
    return text == text.encode(encoding, "replace").decode(encoding)


def how_to_call(stack: LocalStack) -> str:
    """As a command and as a program, with the key in them."""
    asked = _asked(stack.library, models_of(stack.settings()["AZURE_OPENAI_DEPLOYMENT"]))
    header, key = f"'x-functions-key: {stack.function_key}'", json.dumps(stack.function_key)
    return f"{_curl(stack.base_url, header, asked)}\n\n{_python(stack.base_url, key, asked)}"


def ways_to_call(library: Library, base_url: str, models: Mapping[str, str]) -> dict[str, str]:
    """The same by name, and as variables that the OpenAI SDK reads. The key is a variable itself."""
    asked, key = _asked(library, models), f'os.environ["{KEY}"]'
    variables = {"BASE_URL": base_url, "API_KEY": "unused", "CUSTOM_HEADERS": f"x-functions-key: ${KEY}"}
    return {
        "curl": _curl(base_url, f'"x-functions-key: ${KEY}"', asked),
        "Python": f"import os\n{_python(base_url, key, asked)}",
        "Variables": "\n".join(f'export OPENAI_{name}="{value}"' for name, value in variables.items()),
    }


def _asked(library: Library, models: Mapping[str, str]) -> dict[str, Any]:
    hello = {"model": next(iter(models.values()), "gpt-4o-mini"), "messages": [{"role": "user", "content": "Hello"}]}
    return example_of(library, models) or hello


def _curl(base_url: str, header: str, asked: dict[str, Any]) -> str:
    body = json.dumps(asked, ensure_ascii=False)
    return f"""\
curl {base_url}/chat/completions -H {header} \\
     -H 'content-type: application/json' -d '{body}'"""


def _python(base_url: str, key: str, asked: dict[str, Any]) -> str:
    """`key` is an expression."""
    model = json.dumps(asked["model"])
    return f"""\
from openai import OpenAI
client = OpenAI(base_url="{base_url}", api_key="unused",
                default_headers={{"x-functions-key": {key}}})
messages = {asked["messages"]!r}
print(client.chat.completions.create(model={model}, messages=messages).choices[0].message.content)"""
