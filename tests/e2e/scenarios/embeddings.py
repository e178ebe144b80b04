"""Embeddings through the OpenAI SDK, which asks for base64 and decodes it, unless floats are wanted."""

from typing import Any

from openai import OpenAI

from emulator.synthetic import Scenario, embeds

from . import sdk

MODEL = "text-embedding-3-small"
DIMENSIONS = 16  # enough for a test, and a cassette that can be read


def two_texts(client: OpenAI) -> Any:
    return client.embeddings.create(model=MODEL, input=["a lighthouse", "a ship"], dimensions=DIMENSIONS)


def floats(client: OpenAI) -> Any:
    return client.embeddings.create(model=MODEL, input="a lighthouse", dimensions=DIMENSIONS, encoding_format="float")


SCENARIOS = [
    Scenario("embeddings/base64", "Two vectors in base64, the SDK's default.", [("", embeds())], sdk(two_texts)),
    Scenario("embeddings/float", "One vector as a list of numbers.", [("", embeds())], sdk(floats)),
]
