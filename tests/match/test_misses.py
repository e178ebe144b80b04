"""A miss explains itself: the nearest recording, where it differs, and what to do."""

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.match import diagnose
from emulator.match.library import Library
from emulator.tape.canonical import key_of, parse_body
from emulator.tape.interaction import Interaction, Request, Response
from emulator.tape.route import parse
from tests.golden import assert_golden

V1 = "https://any/openai/v1"
CHAT, DATED = f"{V1}/chat/completions", "https://any/openai/deployments/m/chat/completions?api-version=2024-10-21"
ITEMS = f"{V1}/responses/resp_1/input_items"


def request(body: Any, uri: str = CHAT, method: str = "POST") -> Request:
    return Request(method, uri, (), body if isinstance(body, bytes) else json.dumps(body).encode())


def asked(*texts: str, **changes: Any) -> Request:
    return request({"model": "m", "messages": [{"role": "user", "content": text} for text in texts]} | changes)


def get(uri: str) -> Request:
    return request(b"", uri, "GET")


def library(*requests: Request) -> Library:
    recorded = enumerate(requests, 1)
    return Library(
        Interaction(request, Response(200, "OK", (), b""), f"tape #{number}") for number, request in recorded
    )


def explain(recordings: Library, sent: Request) -> str:
    route = parse(sent.uri)
    assert route is not None
    key = key_of(sent.method, route, parse_body(sent.body))
    assert recordings.take(key, route.generation, sent.body) is None, "it is no miss"
    return diagnose.explain(key, sent.body, recordings)


LONG = "The planets of our solar system, as a list, each with its distance from the sun and its largest moon, "
SCHEMA = {"type": "json_schema", "json_schema": {"schema": {"type": "object", "required": ["a", "b"]}}}
MISSES: dict[str, tuple[list[Request], Request]] = {
    # (recordings, the request that was sent)
    "no recordings": ([], asked("Hello")),
    "another operation": ([asked("Hello"), get(ITEMS)], request({"model": "m", "input": "Hello"}, f"{V1}/responses")),
    "another id": ([get(ITEMS), get(f"{V1}/responses/resp_1")], get(f"{V1}/responses/resp_2/input_items")),
    "another method": ([get(f"{V1}/responses/resp_1")], request(b"", f"{V1}/responses/resp_1", "DELETE")),
    "only stream": ([asked("Hello", stream=True), asked("Hullo")], asked("Hello")),
    "only stream, the other way": ([asked("Hello", stream=False)], asked("Hello", stream=True)),
    "only the model": ([asked("Hello"), asked("Hullo", model="gpt")], asked("Hello", model="gpt")),
    "only the model, on another generation": ([request({"a": 1}, DATED)], request({"a": 1, "model": "n"})),
    "no model": ([asked("Hello")], request({"messages": json.loads(asked("Hello").body)["messages"]})),
    "a model that is none": ([asked("Hello")], asked("Hello", model=["m"])),
    "a text": ([asked("Hello"), asked("Something else")], asked("Hullo")),
    "the end of a long text": ([asked(LONG + "nearest first.")], asked(LONG + "farthest first.")),
    "the start of a long text": ([asked("1. " + LONG)], asked("2. " + LONG)),
    "a longer text": ([asked(LONG)], asked(LONG + LONG)),
    "a text with line breaks": ([asked("a\nb\u2028c\x1b[2J")], asked("a\r\nb\u2028c\x1b[2J")),
    "a text that looks the same": ([asked("Caf\u00e9")], asked("Cafe\u0301")),
    "half of a surrogate pair": (
        [asked("a")],
        request(b'{"model":"m","messages":[{"role":"user","content":"\\ud800"}]}'),
    ),
    "a deep value": (
        [asked("Hello", response_format=SCHEMA)],
        asked("Hello", response_format=json.loads(json.dumps(SCHEMA).replace('"b"', '"c"'))),
    ),
    "a member more": ([asked("Hello")], asked("Hello", seed=1)),
    "a member less": ([asked("Hello", seed=1)], asked("Hello")),
    "a large member more": (
        [asked("Hello")],
        asked("Hello", tools=[{"type": "function", "function": {"name": "a" * 99}}]),
    ),
    "null for a member": ([asked("Hello", seed=1)], asked("Hello", seed=None)),
    "null for nothing": ([asked("Hello")], asked("Hello", seed=None)),
    "a number as text": ([asked("Hello", n=1)], asked("Hello", n="1")),
    "a whole number as fraction": ([asked("Hello", n=1)], asked("Hello", n=1.0)),
    "true for one": ([asked("Hello", n=1)], asked("Hello", n=True)),
    "a list for a text": ([asked("Hello", stop="a")], asked("Hello", stop=["a"])),
    "one message more at the end": ([asked("Hello")], asked("Hello", "Again")),
    "one message more at the start": ([asked("Hello")], asked("Before", "Hello")),
    "one message less": ([asked("Hello", "Between", "Again")], asked("Hello", "Again")),
    "another order": ([asked("Hello", "Again")], asked("Again", "Hello")),
    "many members": ([asked("Hello", a=1, b=2)], asked("Hello", c=3, d=4, e=5)),
    "the query": ([get(f"{ITEMS}?limit=1&order=asc")], get(f"{ITEMS}?limit=2&order=asc")),
    "no query": ([get(f"{ITEMS}?include[]=a&include[]=b")], get(ITEMS)),
    "query and body": ([request({"a": 1}, f"{CHAT}?a=1")], request({"a": 2}, f"{CHAT}?a=%FF")),
    "no json": ([asked("Hello")], request(b"model=m&prompt=Hello")),
    "no json, but nearly": ([asked("Hello")], request(asked("Hello").body[:-1] + b',"n":NaN}')),
    "a key twice": ([asked("Hello")], request(asked("Hello").body[:-1] + b',"model":"n"}')),
    "nested too deep": ([asked("Hello")], request(b'{"a":' + b"[" * 200 + b"]" * 200 + b"}")),
    "other text than json": ([request(b"a=1&b=2&" + b"c" * 99 + b"&d=3")], request(b"a=1&b=2&" + b"c" * 99 + b"&d=4")),
    "binary": ([request(b"\xff\x00" * 50 + b"\x01\x02")], request(b"\xff\x00" * 50 + b"\x01\x03")),
    "binary for json": ([asked("Hello")], request(b"\x1f\x8b\x08\x00")),
    "no body": ([asked("Hello")], request(b"")),
    "json that is no object": ([request([1, 2, 3])], request([1, 3])),
    "a sequence": ([asked("Hello"), asked("Hello"), asked("Hello")], asked("Hallo")),
    "one of many": (
        [*(asked(f"Question {n}?", temperature=0.5) for n in range(100)), asked("Question 42?", n=2)],
        asked("Question 42?", temperature=0.7),
    ),
    "another operation's long name": ([asked("Hello")], get(f"{V1}/{'x' * 500}\x1b[2J%0a")),
}


def test_every_kind_of_miss_explains_itself() -> None:
    texts = [f"--- {name}\n{explain(library(*recorded), sent)}\n" for name, (recorded, sent) in MISSES.items()]
    assert_golden("misses.txt", "\n".join(texts))


def test_every_line_of_a_miss_can_be_read_on_a_terminal() -> None:
    for line in (Path(__file__).parent.parent / "golden/misses.txt").read_text(encoding="utf-8").splitlines():
        assert line.isprintable(), line
        assert len(line) <= 320, line


def test_the_nearest_of_five_thousand_is_found() -> None:
    words = ["lighthouse", "harbour", "Fresnel lens", "keeper", "storm", "lamp oil", "fog horn"]
    texts = [f"What has the {words[n % 7]} to do with the {words[n // 7 % 7]}? Question {n}." for n in range(5_000)]
    recordings = library(*map(asked, texts))
    for number in (17, 2_500, 4_999):
        told = explain(recordings, asked(texts[number].replace("What", "Which"), stream=True))
        assert f"The nearest is tape #{number + 1}, which differs at\n" in told
        assert f"tape #{number + 1}; only stream differs: recorded nothing, sent true" in explain(
            recordings, asked(texts[number], stream=True)
        )


@pytest.mark.parametrize(("recorded", "sent"), [(5, 6), ([1, 2], [1, 2, 3]), ({"a": -0.0}, {"a": 0.0}), ("a", None)])
def test_whatever_makes_the_key_another_is_told(recorded: Any, sent: Any) -> None:
    assert "differs: " in explain(library(request(recorded)), request(sent))
