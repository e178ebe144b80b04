"""Improvised embeddings: a search finds the document that shares its words."""

import base64
import math
import struct
from typing import Any

import pytest

from emulator.synthetic import embeddings
from emulator.synthetic.asked import Asked
from emulator.synthetic.seed import Seed
from emulator.synthetic.text import compact
from emulator.synthetic.vectors import size_of, vector
from emulator.tape.canonical import parse_body

DOCUMENTS = {  # a document: a question that it answers
    "Boil an egg for seven minutes, then put it into cold water.": "How long do I boil eggs?",
    "A bicycle chain needs oil every two hundred kilometres.": "How often should I oil the chain of my bike?",
    "Employees have twenty-five days of paid leave a year.": "How many days of paid leave do employees have?",
    "To connect to the wireless network, enter the password on the wall.": "What is the wireless password?",
    "We refund the price when you send the goods back unused.": "Can I send goods back and get a refund?",
    "The Moon moves the tides: the sea rises twice a day.": "Why are there tides in the sea?",
    "The printer jams when the paper is damp; open tray two.": "My printer has jammed, what do I do?",
    "Bread rises because yeast makes gas; let the dough rest.": "Why does dough rise?",
    "Companies file the tax declaration by the end of May.": "When is the tax declaration due?",
    "A cat sleeps sixteen hours a day and hunts at dusk.": "How much does my cat sleep?",
}


def nearness(one: list[float], other: list[float]) -> float:
    return sum(left * right for left, right in zip(one, other, strict=True))


@pytest.mark.parametrize("dimensions", [256, 1_536, 3_072])
def test_each_question_finds_its_document(dimensions: int) -> None:
    vectors = {document: vector(document, dimensions) for document in DOCUMENTS}
    for document, question in DOCUMENTS.items():
        asked = vector(question, dimensions)
        assert max(vectors, key=lambda found: nearness(vectors[found], asked)) == document


@pytest.mark.parametrize(
    "text", ["", " ", "?!", "the", "a lighthouse", "Ein Leuchtturm in Öl", "灯台", "🙂", "x" * 9_000]
)
@pytest.mark.parametrize("dimensions", [1, 8, 1_536])
def test_every_text_has_a_unit_vector(text: str, dimensions: int) -> None:
    assert math.hypot(*vector(text, dimensions)) == pytest.approx(1, abs=1e-6)


def test_texts_of_the_same_words_in_another_order_differ() -> None:
    assert 0.7 < nearness(vector("dog bites man", 1_536), vector("man bites dog", 1_536)) < 0.99


def test_case_and_punctuation_do_not_count() -> None:
    assert vector("A Lighthouse!", 1_536) == vector("a lighthouse", 1_536)


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("text-embedding-3-small", 1_536),
        ("text-embedding-3-large", 3_072),
        ("text-embedding-ada-002", 1_536),
        ("team-text-embedding-3-large", 3_072),
        ("vectors", 1_536),
    ],
)
def test_a_model_has_its_size(model: str, size: int) -> None:
    assert size_of(model) == size
    assert len(answered({"model": model, "input": "a"})["data"][0]["embedding"]) == size


def answered(body: dict[str, Any]) -> Any:
    return parse_body(embeddings.response(Asked("embeddings", body, Seed(compact(body)))).body)


def test_dimensions_are_respected_and_base64_is_the_same_vector() -> None:
    asked = {"model": "text-embedding-3-large", "input": ["a ship", "a lighthouse"], "dimensions": 256}
    floats = answered(asked)["data"]
    packed = answered(asked | {"encoding_format": "base64"})["data"]
    assert [len(item["embedding"]) for item in floats] == [256, 256]
    for plain, coded in zip(floats, packed, strict=True):
        assert list(struct.unpack("<256f", base64.b64decode(coded["embedding"]))) == pytest.approx(plain["embedding"])


@pytest.mark.parametrize(("given", "vectors", "tokens"), [([1, 2, 3], 1, 3), ([[1, 2], [3]], 2, 3), (["a", [7]], 2, 2)])
def test_tokens_are_taken_for_texts(given: list[Any], vectors: int, tokens: int) -> None:
    answer = answered({"model": "text-embedding-3-small", "input": given})
    assert (len(answer["data"]), answer["usage"]["prompt_tokens"]) == (vectors, tokens)


@pytest.mark.parametrize("given", [None, 5, [], {}, [None], [[]], [1, "a"], [True], [1.5], [["a"]]])
def test_an_input_that_is_no_text_is_a_named_error(given: Any) -> None:
    with pytest.raises(TypeError, match="`input` is a string or an array"):
        answered({"model": "text-embedding-3-small", "input": given})
