"""Token counts are the service's own, in every form that it sends. Costs follow list prices."""

import importlib.util
import json
from pathlib import Path

import pytest

from emulator.stack import CASSETTES
from emulator.tape import cassette
from emulator.tape.cassette import Response
from emulator.tape.usage import PRICES, Tokens, cost, tokens_of


def whole(answer: object) -> Response:
    return Response(200, "OK", (("content-type", "application/json"),), json.dumps(answer).encode())


def streamed(*events: object, more: str = "") -> Response:
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + more
    return Response(200, "OK", (("content-type", "text/event-stream; charset=utf-8"),), body.encode())


CHAT = {
    "prompt_tokens": 20,
    "prompt_tokens_details": {"cached_tokens": 8},
    "completion_tokens": 7,
    "completion_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 27,
}
RESPONSE = {
    "input_tokens": 20,
    "input_tokens_details": {"cached_tokens": 8},
    "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 27,
}
EARLY = RESPONSE | {"output_tokens": 1}
COUNTED = Tokens(20, 7, cached=8, reasoning=5)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (whole({"choices": [], "usage": CHAT}), COUNTED),
        (streamed({"choices": [], "usage": None}, {"choices": [], "usage": CHAT}, more="data: [DONE]\n\n"), COUNTED),
        (whole({"object": "response", "usage": RESPONSE}), COUNTED),
        (
            streamed({"response": {"usage": None}}, {"type": "response.completed", "response": {"usage": RESPONSE}}),
            COUNTED,
        ),
        (streamed({"response": {"usage": EARLY}}, {"response": {"usage": RESPONSE}}, {"type": "x"}), COUNTED),
        (streamed({"choices": [], "usage": CHAT}, more='data: {"usage": {"prompt_to'), COUNTED),
        (whole({"data": [], "usage": {"prompt_tokens": 4, "total_tokens": 4}}), Tokens(4, 0)),
        (whole({"usage": {"prompt_tokens": "4", "completion_tokens": None}}), Tokens()),
        (whole({"usage": [], "response": "usage"}), Tokens()),
        (whole({"choices": [{"text": 'is "usage": {} told?'}]}), Tokens()),
        (whole({"object": "response.input_tokens", "input_tokens": 9}), Tokens()),
        (Response(200, "OK", (), b'\xff"usage": {'), Tokens()),
        (Response(204, "No Content", (), b""), Tokens()),
    ],
)
def test_tokens_are_those_that_the_answer_told_last(response: Response, expected: Tokens) -> None:
    assert tokens_of(response) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("chat/question", [Tokens(11, 8)]),
        ("chat/stream", [Tokens()]),
        ("chat/reasoning", [Tokens(12, 67, reasoning=64)]),
        ("embeddings/base64", [Tokens(5, 0)]),
        ("errors/rate_limited_in_stream", [Tokens()]),
    ],
)
def test_tokens_of_our_cassettes(name: str, expected: list[Tokens]) -> None:
    played = cassette.load(CASSETTES / f"{name}.yaml").interactions
    assert [tokens_of(interaction.response) for interaction in played] == expected


def test_tokens_add_up() -> None:
    assert sum([COUNTED, Tokens(1, 2), Tokens()], Tokens()) == Tokens(21, 9, 8, 5)
    assert COUNTED.total == 27


def test_a_cost_counts_cached_tokens_once_and_knows_versions() -> None:
    million = 1_000_000
    assert cost("gpt-4o-mini-2024-07-18", Tokens(3 * million, million, cached=2 * million)) == pytest.approx(0.90)
    assert cost("gpt-4o-2024-05-13", Tokens(million)) == pytest.approx(5)
    assert cost("gpt-4o-2024-11-20", Tokens(million)) == pytest.approx(2.5)
    assert cost("gpt-4o-mini", Tokens()) == 0
    assert cost("our-own-deployment", Tokens(5, 5)) is None


def test_the_prices_are_those_of_the_source() -> None:
    if not (found := importlib.util.find_spec("litellm")):
        pytest.skip("litellm is not installed")
    table = Path(str(found.origin)).with_name("model_prices_and_context_window_backup.json")
    listed = json.loads(table.read_text(encoding="utf-8"))
    for model, price in PRICES.items():
        entry = listed[f"azure/{model}"]
        names = ("input_cost_per_token", "cache_read_input_token_cost", "output_cost_per_token")
        fresh, cached, output = (entry.get(name, 0) * 1_000_000 for name in names)
        assert price == pytest.approx((fresh, cached or fresh, output)), model
