"""Requests of real SDKs about the weather, which the tests answer with stubs."""

from typing import Any

from openai import OpenAI
from pydantic import BaseModel

from tests.e2e.scenarios.chat import user

MODEL, REASONING, EMBEDDING = "gpt-4o-mini", "gpt-5-mini", "text-embedding-3-small"
WEATHER = user("How is the weather in Oslo?")
ANSWERED = [{"role": "tool", "tool_call_id": "1", "content": "12"}, {"role": "assistant", "content": "12"}, *WEATHER]
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
FUNCTIONS: list[dict[str, Any]] = [{"name": name, "parameters": PARAMETERS} for name in ("get_temperature", "get_wind")]
TOOLS: Any = [{"type": "function", "function": function} for function in FUNCTIONS]
RESPONSES_TOOLS: Any = [{"type": "function", "strict": True, **function} for function in FUNCTIONS]


class Weather(BaseModel):
    degrees: int


def chat(client: OpenAI, **more: Any) -> Any:
    return client.chat.completions.create(**{"model": MODEL, "messages": WEATHER} | more)


def words(client: OpenAI, **more: Any) -> Any:
    return chat(client, **more).choices[0].message.content


def respond(client: OpenAI, **more: Any) -> Any:
    return client.responses.create(**{"model": MODEL, "input": "How is the weather in Oslo?"} | more)
