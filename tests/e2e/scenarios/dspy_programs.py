"""DSPy programs, on both of its engines: LiteLLM, and the engine of its own that DSPy 3.4 calls lm15."""

import asyncio
from collections.abc import Callable
from typing import Any, Literal

import dspy
from dspy.lm15 import AccessPolicy, OpenAIChatCompat, ProviderDefinition

from emulator.synthetic import Scenario, embeds, says

from .embeddings import DIMENSIONS
from .embeddings import MODEL as EMBEDDING_MODEL

MODEL = "gpt-4o-mini"
OPTIONS: dict[str, Any] = {"cache": False, "num_retries": 0}


def litellm_lm(base_url: str, function_key: str, **options: Any) -> dspy.LM:
    """`headers` is what selects LiteLLM."""
    headers = {"x-functions-key": function_key}
    return dspy.LM(f"openai/{MODEL}", api_base=base_url, api_key="unused", headers=headers, **OPTIONS, **options)


def native_lm(base_url: str, function_key: str, **options: Any) -> dspy.LM:
    """DSPy's own engine sends a header only for a provider that is registered with it."""
    access = AccessPolicy(provider="azure-proxy", base_url=base_url, headers=(("x-functions-key", function_key),))
    dspy.lm15.register_provider(ProviderDefinition.chat(access, compat=OpenAIChatCompat()), replace=True)
    return dspy.LM(f"azure-proxy/{MODEL}", api_key="unused", **OPTIONS, **options)


class Sentiment(dspy.Signature):
    """Judge the mood of a review."""

    review: str = dspy.InputField()
    mood: Literal["happy", "sad"] = dspy.OutputField()
    stars: int = dspy.OutputField(desc="1 to 5")


def temperature(city: str) -> int:
    """The temperature in a city, in degrees Celsius."""
    return {"Oslo": -3, "Madrid": 14}[city]


def predict() -> Any:
    return dspy.Predict("question -> answer")(question="What is the capital of Norway?")


def chain_of_thought() -> Any:
    return dspy.ChainOfThought("question -> answer: int")(question="How many legs have three cats?")


def typed() -> Any:
    return dspy.Predict(Sentiment)(review="The soup was cold, and nobody smiled.")


def agent() -> Any:
    return dspy.ReAct("question -> answer", tools=[temperature])(question="How warm is it in Oslo?")


def as_json() -> Any:
    with dspy.context(adapter=dspy.JSONAdapter()):
        return dspy.Predict(Sentiment)(review="Best picnic ever!")


async def streamed() -> tuple[list[str], Any]:
    """The chunks of the answer as they came, and the prediction."""
    listener = dspy.streaming.StreamListener(signature_field_name="answer")
    program: Any = dspy.streamify(dspy.Predict("question -> answer"), stream_listeners=[listener])
    chunks, prediction = [], None
    async for value in program(question="What do lighthouses do?"):
        if isinstance(value, dspy.streaming.StreamResponse):
            chunks.append(value.chunk)
        elif isinstance(value, dspy.Prediction):
            prediction = value
    return chunks, prediction


def embedder(base_url: str, function_key: str) -> Any:
    embed = dspy.Embedder(
        f"openai/{EMBEDDING_MODEL}",
        api_base=base_url,
        api_key="unused",
        headers={"x-functions-key": function_key},
        caching=False,
        dimensions=DIMENSIONS,
    )
    return embed(["a harbour", "a storm"])


def with_lm(
    program: Callable[[], Any], make: Callable[..., dspy.LM] = litellm_lm, **options: Any
) -> Callable[[str, str], None]:
    def play(base_url: str, function_key: str) -> None:
        with dspy.context(lm=make(base_url, function_key, **options)):
            result = program()
            if asyncio.iscoroutine(result):
                asyncio.run(result)

    return play


def fields(**values: Any) -> str:
    """An answer in the form that DSPy's ChatAdapter asks for."""
    return "".join(f"[[ ## {name} ## ]]\n{value}\n\n" for name, value in values.items()) + "[[ ## completed ## ]]"


NORWAY = says(fields(answer="Oslo"))
LIGHT = says(fields(answer="They warn ships of rocks, all night long."))

SCENARIOS = [
    Scenario("dspy/predict", "dspy.Predict; both engines send the same.", [("", NORWAY)], with_lm(predict)),
    Scenario(
        "dspy/chain_of_thought",
        "dspy.ChainOfThought with an int.",
        [("", says(fields(reasoning="A cat has four legs, so three cats have 3 x 4 legs.", answer=12)))],
        with_lm(chain_of_thought),
    ),
    Scenario(
        "dspy/typed",
        "A signature with a Literal and an int.",
        [("", says(fields(mood="sad", stars=1)))],
        with_lm(typed),
    ),
    Scenario(
        "dspy/react",
        "dspy.ReAct with one tool: a call, the end, the answer.",
        [
            (
                "",
                says(
                    fields(
                        next_thought="I should look it up.",
                        next_tool_name="temperature",
                        next_tool_args='{"city": "Oslo"}',
                    )
                ),
            ),
            ("observation_0", says(fields(next_thought="Now I know.", next_tool_name="finish", next_tool_args="{}"))),
            ("observation_1", says(fields(reasoning="The tool says -3.", answer="It is -3 degrees Celsius."))),
        ],
        with_lm(agent),
    ),
    Scenario("dspy/json_adapter", "dspy.JSONAdapter.", [("", says('{"mood": "happy", "stars": 5}'))], with_lm(as_json)),
    Scenario("dspy/streamify", "dspy.streamify on LiteLLM.", [("", LIGHT)], with_lm(streamed)),
    Scenario(
        "dspy/streamify_native", "dspy.streamify on DSPy's own engine.", [("", LIGHT)], with_lm(streamed, native_lm)
    ),
    Scenario(
        "dspy/responses",
        'dspy.LM(model_type="responses") on LiteLLM.',
        [("", NORWAY)],
        with_lm(predict, model_type="responses"),
    ),
    Scenario("dspy/embedder", "dspy.Embedder.", [("", embeds())], embedder),
]
