"""Chat completions through the OpenAI SDK. A function that makes one call takes an AsyncOpenAI as well."""

from typing import Any

from openai import OpenAI

from emulator.synthetic import Scenario, says

from . import sdk

MODEL = "gpt-4o-mini"


def question(client: OpenAI) -> Any:
    return client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "What is the capital of France?"}]
    )


def story(client: OpenAI) -> Any:
    messages = [{"role": "user", "content": "Tell a story about a lighthouse in two sentences."}]
    return client.chat.completions.create(
        model=MODEL, messages=messages, stream=True, stream_options={"include_usage": True}
    )


SCENARIOS = [
    Scenario(
        "chat/question", "A question and its answer.", [("", says("The capital of France is Paris."))], sdk(question)
    ),
    Scenario(
        "chat/stream",
        "A streamed answer with usage in its last chunk.",
        [("", says("Every night the old lighthouse counted the ships. One evening it counted one more, and smiled."))],
        sdk(story),
    ),
]
