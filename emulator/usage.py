"""Lines to copy that call a running stack, with a question that has a recording."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from . import deployment
from .match.library import Library
from .stack import LocalStack
from .tape.canonical import parse_body

SHORT = 200  # bytes of a body that still reads well on a command line
CHAT = ("POST", "chat/completions", ())


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
    models = deployment.models_of(stack.settings()["AZURE_OPENAI_DEPLOYMENT"])
    asked = example_of(stack.library, models)
    asked = asked or {"model": next(iter(models.values())), "messages": [{"role": "user", "content": "Hello"}]}
    model = json.dumps(asked["model"])
    return f"""\
curl {stack.base_url}/chat/completions -H 'x-functions-key: {stack.function_key}' \\
     -H 'content-type: application/json' -d '{json.dumps(asked, ensure_ascii=False)}'

from openai import OpenAI
client = OpenAI(base_url="{stack.base_url}", api_key="unused",
                default_headers={{"x-functions-key": "{stack.function_key}"}})
messages = {asked["messages"]!r}
print(client.chat.completions.create(model={model}, messages=messages).choices[0].message.content)"""
