"""Chat completions through the OpenAI SDK."""

from typing import Any

from openai import OpenAI
from pydantic import BaseModel

from emulator.synthetic import Scenario, calls, says

from . import sdk

MODEL = "gpt-4o-mini"
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "get_temperature",
            "description": "The temperature in a city, in degrees Celsius.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
                "additionalProperties": False,
            },
            "strict": True,
        },
    }
]
RED_PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
)


class Event(BaseModel):
    name: str
    date: str
    participants: list[str]


def user(content: Any) -> list[Any]:
    return [{"role": "user", "content": content}]


def question(client: OpenAI) -> Any:
    return client.chat.completions.create(model=MODEL, messages=user("What is the capital of France?"))


def story(client: OpenAI, **options: Any) -> Any:
    messages = user("Tell a story about a lighthouse in two sentences.")
    return client.chat.completions.create(model=MODEL, messages=messages, stream=True, **options)


def story_with_usage(client: OpenAI) -> Any:
    return story(client, stream_options={"include_usage": True})


def conversation(client: OpenAI) -> Any:
    messages: list[Any] = [
        {"role": "system", "content": "You are a patient teacher."},
        {"role": "user", "content": "My name is Ada and I like prime numbers."},
        {"role": "assistant", "content": "Hello Ada! Shall we talk about primes?"},
        {"role": "user", "content": "Yes. Do you remember my name?"},
    ]
    return client.chat.completions.create(model=MODEL, messages=messages, temperature=0.2, seed=7)


def weather(client: OpenAI) -> Any:
    return client.chat.completions.create(model=MODEL, messages=user("How warm is it in Oslo?"), tools=TOOLS)


def weather_told(client: OpenAI, asked: Any) -> Any:
    """The second turn: what the tool found out goes back."""
    call = asked.choices[0].message.tool_calls[0]
    messages = [
        *user("How warm is it in Oslo?"),
        {"role": "assistant", "content": None, "tool_calls": [call.to_dict()]},
        {"role": "tool", "tool_call_id": call.id, "content": "-3"},
    ]
    return client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS)


def two_cities(client: OpenAI, **options: Any) -> Any:
    messages = user("How warm is it in Oslo and in Madrid?")
    return client.chat.completions.create(
        model=MODEL, messages=messages, tools=TOOLS, parallel_tool_calls=True, **options
    )


def two_cities_streamed(client: OpenAI) -> Any:
    return two_cities(client, stream=True)


def event(client: OpenAI) -> Any:
    messages = user("Extract the event: Ada and Grace meet for a science fair on Friday.")
    return client.chat.completions.parse(model=MODEL, messages=messages, response_format=Event)


def json_object(client: OpenAI) -> Any:
    return client.chat.completions.create(
        model=MODEL,
        messages=user("Name three primary colours as JSON with the key colours."),
        response_format={"type": "json_object"},
    )


def picture(client: OpenAI) -> Any:
    content = [
        {"type": "text", "text": "Which colour is this pixel? One word."},
        {"type": "image_url", "image_url": {"url": RED_PIXEL, "detail": "low"}},
    ]
    return client.chat.completions.create(model=MODEL, messages=user(content), max_completion_tokens=10)


def three_names(client: OpenAI) -> Any:
    return client.chat.completions.create(
        model=MODEL, messages=user("A name for a cat. Only the name."), n=3, temperature=1.2
    )


def likely_word(client: OpenAI, **options: Any) -> Any:
    messages = user("Is the sky blue? Answer yes or no.")
    return client.chat.completions.create(model=MODEL, messages=messages, logprobs=True, top_logprobs=2, **options)


def likely_word_streamed(client: OpenAI) -> Any:
    return likely_word(client, stream=True)


def emoji(client: OpenAI) -> Any:
    return client.chat.completions.create(model=MODEL, messages=user("Grüße auf 日本語, mit Emoji 🎉 — bitte!"))


def riddle(client: OpenAI) -> Any:
    messages = user("How many r are in strawberry?")
    return client.chat.completions.create(
        model="gpt-5-mini", messages=messages, reasoning_effort="low", max_completion_tokens=500
    )


def cut_short(client: OpenAI) -> Any:
    messages = user("List the planets, one per line.")
    return client.chat.completions.create(model=MODEL, messages=messages, max_tokens=8)


STORY = says("Every night the old lighthouse counted the ships. One evening it counted one more, and smiled.")
OSLO, MADRID = ("get_temperature", {"city": "Oslo"}), ("get_temperature", {"city": "Madrid"})
FAIR = '{"name":"Science fair","date":"Friday","participants":["Ada","Grace"]}'

SCENARIOS = [
    Scenario(
        "chat/question", "A question and its answer.", [("", says("The capital of France is Paris."))], sdk(question)
    ),
    Scenario("chat/stream", "A streamed answer.", [("", STORY)], sdk(story)),
    Scenario(
        "chat/stream_usage", "A streamed answer with usage in its last chunk.", [("", STORY)], sdk(story_with_usage)
    ),
    Scenario(
        "chat/conversation",
        "Four messages, a temperature and a seed.",
        [("", says("Of course, Ada! Which prime number do you like best?"))],
        sdk(conversation),
    ),
    Scenario(
        "chat/tools",
        "A tool call, and the answer once the tool's result is told.",
        [("", calls(OSLO)), ("tool_call_id", says("It is -3 °C in Oslo. Dress warmly!"))],
        sdk(lambda client: weather_told(client, weather(client))),
    ),
    Scenario("chat/parallel_tools", "Two tool calls in one answer.", [("", calls(OSLO, MADRID))], sdk(two_cities)),
    Scenario(
        "chat/stream_tools",
        "Two tool calls, streamed in pieces.",
        [("", calls(OSLO, MADRID))],
        sdk(two_cities_streamed),
    ),
    Scenario("chat/json_schema", "An answer that fits a pydantic model.", [("", says(FAIR))], sdk(event)),
    Scenario(
        "chat/json_object",
        "An answer in JSON.",
        [("", says('{"colours": ["red", "yellow", "blue"]}'))],
        sdk(json_object),
    ),
    Scenario("chat/vision", "A picture in a data URI.", [("", says("Red."))], sdk(picture)),
    Scenario("chat/choices", "Three choices (n=3).", [("", says("Pixel", "Miso", "Nimbus"))], sdk(three_names)),
    Scenario("chat/logprobs", "Log probabilities of the tokens.", [("", says("Yes."))], sdk(likely_word)),
    Scenario(
        "chat/stream_logprobs", "Log probabilities, chunk by chunk.", [("", says("Yes."))], sdk(likely_word_streamed)
    ),
    Scenario(
        "chat/unicode",
        "Umlauts, Japanese and emoji, in both directions.",
        [("", says("こんにちは、世界! Schöne Grüße 🎉👩🏽‍🔬"))],
        sdk(emoji),
    ),
    Scenario(
        "chat/reasoning",
        "A reasoning model, which counts the tokens it thought.",
        [("", says("Three.", thought=64))],
        sdk(riddle),
    ),
    Scenario(
        "chat/max_tokens",
        "An answer that its token limit cut.",
        [("", says("Mercury\nVenus\nEarth\nMa", cut=True))],
        sdk(cut_short),
    ),
]
