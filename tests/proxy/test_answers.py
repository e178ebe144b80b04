"""A record says the same of an answer, however the excerpt holds it."""

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.match.library import Library
from proxy.answer import decode
from proxy.excerpt import Excerpt
from proxy.fields import Fields
from proxy.record import lines_of
from proxy.usage import read, search
from tests.support import told

CASSETTES = Path(__file__).parents[2] / "cassettes"


def kept(answer: bytes) -> Excerpt:
    excerpt = Excerpt()
    excerpt.add(answer)
    return excerpt


def test_decoding_and_searching_find_the_same_in_every_recorded_answer() -> None:
    bodies = [take.response.body for take in Library.from_folders([CASSETTES]).interactions()]
    answers = [body for body in bodies if body.startswith(b"{")]
    assert len(answers) > 50
    for answer in answers:
        decoded, searched = Fields("POST", ""), Fields("POST", "")
        assert read(decode(answer), decoded) == search(kept(answer), searched)
        assert decoded == searched, answer


USAGE = {"usage": {"prompt_tokens": 4, "total_tokens": 4}}
ODD: dict[str, tuple[bytes, dict[str, Any]]] = {
    "broken off": (json.dumps({**USAGE, "choices": []}).encode()[:-2], {"total_tokens": 4}),
    "an error without a code": (b'{"error":{"code":null,"message":"m"}}', {"error": None}),
    "an error with a number": (b'{"error":{"code":404,"message":"m"}}', {"error": "404"}),
    "an error that is a text": (b'{"error":"no","model":"m-1"}', {"error": None, "model_served": "m-1"}),
    "an error that broke off": (b'{"error":{"code":null,"message":"m', {"error": None}),
    "no UTF-8": (b'{"status":"\xff","usage":{"total_tokens":4}}', {"total_tokens": 4}),
    "nested without end": (b'{"usage":{"total_tokens":4},"a":' + b"[" * 9_000, {"total_tokens": 4}),
    "a number that is no whole one": (b'{"usage":{"total_tokens":4.5},"model":"m-1"}', {"model_served": "m-1"}),
    "null wherever it can be": (b'{"choices":null,"error":null,"id":null,"model":null,"usage":null}', {"error": None}),
    "no object": (b"[]", {"model_served": None}),
    "three choices": (
        b'{"choices":[{"finish_reason":"stop"},{"finish_reason":null},{"finish_reason":"length"}]}',
        {"finish_reason": "length,stop"},
    ),
}


@pytest.mark.parametrize("case", ODD)
def test_of_an_odd_answer_is_told_what_it_tells(case: str) -> None:
    answer, expected = ODD[case]
    fields = told(kept(answer))
    assert {name: getattr(fields, name) for name in expected} == expected


def test_what_the_proxy_itself_noted_stays() -> None:
    fields = Fields("POST", "", model_served="of the header", error="of the proxy")
    read(decode(b'{"model":"of the answer","error":{"code":"x"}}'), fields)
    assert (fields.model_served, fields.error) == ("of the header", "of the proxy")


@pytest.mark.parametrize("model", ["ascii", "ümläut", "\u2028\n\r", "\ud800 is half of a character"])
def test_a_record_is_one_line_of_ascii_whatever_the_caller_named(model: str) -> None:
    lines = lines_of([Fields("POST", "responses", model=model), Fields("GET", "models")])
    assert lines.isascii()
    nothing, first, rest = lines.split("call {")
    assert not nothing
    assert lines.count("\n") == 2
    assert [json.loads("{" + line) for line in (first, rest)] == [
        {**dict.fromkeys(Fields.__struct_fields__), **named, "upstream_ms": 0.0}
        for named in ({"method": "POST", "route": "responses", "model": model}, {"method": "GET", "route": "models"})
    ]
