"""How to call a running stack oneself: lines to copy, with a question that has a recording."""

import json
from typing import Any

from .stack import LocalStack
from .tape.library import Library
from .tape.route import parse

SHORT = 200  # bytes of a body that still reads well on a command line


def example_of(library: Library) -> dict[str, Any] | None:
    """The body of a short recorded chat call that is not streamed, or None."""
    for interaction in library.interactions():
        route, body = parse(interaction.request.uri), interaction.request.body
        if route and route.operation == "chat/completions" and len(body) < SHORT and interaction.response.status == 200:
            asked: dict[str, Any] = json.loads(body)
            if set(asked) == {"model", "messages"} and "'" not in json.dumps(asked):
                return asked
    return None


def how_to_call(stack: LocalStack) -> str:
    asked = example_of(stack.library) or {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}
    return f"""\
curl {stack.base_url}/chat/completions -H 'x-functions-key: {stack.function_key}' \\
     -H 'content-type: application/json' -d '{json.dumps(asked, ensure_ascii=False)}'

from openai import OpenAI
client = OpenAI(base_url="{stack.base_url}", api_key="unused",
                default_headers={{"x-functions-key": "{stack.function_key}"}})
messages = {asked["messages"]!r}
print(client.chat.completions.create(model="{asked["model"]}", messages=messages).choices[0].message.content)"""
