"""The Responses API through the OpenAI SDK."""

from typing import Any

from openai import OpenAI

from emulator.synthetic import Scenario, calls, says

from . import sdk
from .chat import FAIR, MADRID, MODEL, OSLO, Event

TOOLS: list[Any] = [
    {
        "type": "function",
        "name": "get_temperature",
        "description": "The temperature in a city, in degrees Celsius.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "strict": True,
    }
]


def sky(client: OpenAI, **options: Any) -> Any:
    return client.responses.create(
        model=MODEL, instructions="Answer in one sentence.", input="Why is the sky blue?", **options
    )


def sky_streamed(client: OpenAI) -> Any:
    return sky(client, stream=True)


def weather(client: OpenAI) -> Any:
    return client.responses.create(model=MODEL, input="How warm is it in Oslo?", tools=TOOLS)


def weather_told(client: OpenAI, asked: Any) -> Any:
    """The second turn, which Azure joins to the first by its id."""
    told = {"type": "function_call_output", "call_id": asked.output[0].call_id, "output": "-3"}
    return client.responses.create(model=MODEL, input=[told], tools=TOOLS, previous_response_id=asked.id)


def two_cities_streamed(client: OpenAI) -> Any:
    return client.responses.create(
        model=MODEL, input="How warm is it in Oslo and in Madrid?", tools=TOOLS, stream=True, parallel_tool_calls=True
    )


def event(client: OpenAI) -> Any:
    text = "Extract the event: Ada and Grace meet for a science fair on Friday."
    return client.responses.parse(model=MODEL, input=text, text_format=Event)


def riddle(client: OpenAI, **options: Any) -> Any:
    reasoning: Any = {"effort": "low", "summary": "auto"}
    return client.responses.create(
        model="gpt-5-mini", input="How many r are in strawberry?", reasoning=reasoning, **options
    )


def riddle_streamed(client: OpenAI) -> Any:
    return riddle(client, stream=True)


def cut_short(client: OpenAI, **options: Any) -> Any:
    return client.responses.create(
        model=MODEL, input="List the planets, one per line.", max_output_tokens=16, **options
    )


def cut_short_streamed(client: OpenAI) -> Any:
    return cut_short(client, stream=True)


SKY = says("Air scatters blue light more than red, so blue reaches us from every side.")
COUNTED = says("There are three r in strawberry.", thought=64, summary="**Counting letters**\n\nst-r-awbe-r-r-y.")
PLANETS = says("Mercury\nVenus\nEarth\nMars\nJupiter\nSat", cut=True)

SCENARIOS = [
    Scenario("responses/text", "Instructions, an input and its answer.", [("", SKY)], sdk(sky)),
    Scenario("responses/stream", "The same, streamed.", [("", SKY)], sdk(sky_streamed)),
    Scenario(
        "responses/tools",
        "A function call, and the answer once its output is told with previous_response_id.",
        [("", calls(OSLO)), ("previous_response_id", says("It is -3 °C in Oslo. Dress warmly!"))],
        sdk(lambda client: weather_told(client, weather(client))),
    ),
    Scenario(
        "responses/stream_tools", "Two function calls, streamed.", [("", calls(OSLO, MADRID))], sdk(two_cities_streamed)
    ),
    Scenario("responses/json_schema", "An answer that fits a pydantic model.", [("", says(FAIR))], sdk(event)),
    Scenario("responses/reasoning", "A reasoning item with a summary.", [("", COUNTED)], sdk(riddle)),
    Scenario("responses/stream_reasoning", "The same, streamed.", [("", COUNTED)], sdk(riddle_streamed)),
    Scenario("responses/incomplete", "An answer that max_output_tokens cut.", [("", PLANETS)], sdk(cut_short)),
    Scenario("responses/stream_incomplete", "The same, streamed.", [("", PLANETS)], sdk(cut_short_streamed)),
]
