"""Two requests match exactly when they mean the same."""

import pytest

from emulator.tape.canonical import Key, key_of, parse_body
from emulator.tape.route import Route, parse

V1 = "https://any.openai.azure.com/openai/v1/chat/completions"
DATED = "https://other.openai.azure.com//openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"


def key(uri: str, body: bytes, method: str = "POST") -> Key:
    route = parse(uri)
    assert route is not None
    return key_of(method, route, parse_body(body))


SAME = [
    (b'{"model":"gpt-4o","messages":[]}', b'{ "messages": [ ], "model": "gpt-4o" }'),
    (b'{"model":"gpt-4o","stream":false}', b'{"model":"gpt-4o"}'),
    ('{"model":"gpt-4o","a":"ü"}'.encode(), b'{"model":"gpt-4o","a":"\\u00fc"}'),
    (b'{"a":"\\ud83d\\ude86"}', '{"a":"🚆"}'.encode()),
    (b'{"a":1e2,"b":0.10,"c":-0}', b'{"c":0,"a":100.0,"b":0.1}'),
]
DIFFERENT = [
    (b'{"model":"gpt-4o"}', b'{"model":"gpt-4o-mini"}'),
    (b'{"model":"gpt-4o"}', b'{"model":"gpt-4o","stream":true}'),
    (b'{"model":"gpt-4o","a":[1,2]}', b'{"model":"gpt-4o","a":[2,1]}'),
    (b'{"model":"gpt-4o","a":"1"}', b'{"model":"gpt-4o","a":1}'),
    (b'{"model":"gpt-4o","a":true}', b'{"model":"gpt-4o","a":1}'),
    (b'{"model":"gpt-4o","a":null}', b'{"model":"gpt-4o"}'),
    (b'{"model":"gpt-4o","a":{"stream":false}}', b'{"model":"gpt-4o","a":{}}'),
    (b'{"model":"gpt-4o","a":{"model":"x"}}', b'{"model":"gpt-4o","a":{"model":"y"}}'),
    (b"no json", b"no json either"),
    (b'{"model":"gpt-4o","a":1}', b'{"model":"gpt-4o","a":1.0}'),
    (b'{"model":"gpt-4o","a":0.0}', b'{"model":"gpt-4o","a":-0.0}'),
    (b'{"a":9007199254740993}', b'{"a":9007199254740992}'),
    (b'{"a":1}', b'{"a":1,"a":1}'),
    (b'{"a":2}', b'{"a":1,"a":2}'),
    (b'{"a":NaN}', b'{"a": NaN}'),
    (b'{"a":"\\ud800"}', b'{"a":"\xed\xa0\x80"}'),
    (b'{"a":"\\ud800"}', b'{"a":"?"}'),
    ('{"a":"é"}'.encode(), '{"a":"e\u0301"}'.encode()),
    ('{"a":"é"}'.encode(), '{"a":"é"}'.encode("latin-1")),
    (b'{"a":1}', '{"a":1}'.encode("utf-16")),
    (b'{"a":1}', b'\xef\xbb\xbf{"a":1}'),
    (b'{"model":1}', b'{"model":2}'),
    (b'{"model":null}', b"{}"),
    (b'"a"', b"a"),
    (b"", b"{}"),
    (b"[" * 200 + b"]" * 200, b" " + b"[" * 200 + b"]" * 200),
    (b'{"stream":0}', b"{}"),
    (b'{"stream":null}', b"{}"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_call_in_other_bytes_matches(one: bytes, other: bytes) -> None:
    assert key(V1, one) == key(V1, other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_another_call_never_matches(one: bytes, other: bytes) -> None:
    assert key(V1, one) != key(V1, other)


@pytest.mark.parametrize("depth", [99, 100, 101, 900, 100_000])
def test_depth_is_the_same_however_deep_the_stack_is(depth: int) -> None:
    """json fails at a depth that depends on its caller's stack. A recorded request must match from any stack."""
    bodies = [b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth]

    def deeper(calls: int) -> list[Key]:
        return deeper(calls - 1) if calls else [key(V1, body) for body in bodies]

    assert deeper(0) == deeper(300)


def test_both_generations_of_the_api_are_the_same_call() -> None:
    assert key(V1, b'{"model":"gpt-4o","a":1}') == key(DATED, b'{"a":1}') == key(DATED, b'{"model":"ignored","a":1}')


def test_method_and_query_count() -> None:
    items = "https://any/openai/v1/responses/resp_1/input_items"
    assert key(items, b"", "GET") != key(items, b"", "DELETE")
    assert key(f"{items}?limit=1", b"", "GET") != key(items, b"", "GET")
    assert key(f"{items}?a=%FF", b"", "GET") != key(f"{items}?a=%FE", b"", "GET"), "neither is UTF-8"
    assert key(f"{items}?a=1&b=2", b"", "GET") == key(f"{items}?b=2&a=1&api-version=preview", b"", "GET")


@pytest.mark.parametrize(
    ("target", "route"),
    [
        ("/openai/v1/responses/resp_1/cancel", Route("v1", "responses/resp_1/cancel", None, None, ())),
        ("//openai/v1/models/", Route("v1", "models", None, None, ())),
        (
            "/openai/deployments/my%2Ddep/embeddings?api-version=2024-10-21",
            Route("dated", "embeddings", "my-dep", "2024-10-21", ()),
        ),
        (
            "/openai/responses?api-version=2025-04-01-preview&include%5B%5D=a",
            Route("dated", "responses", None, "2025-04-01-preview", (("include[]", "a"),)),
        ),
        ("/chat/completions", None),
        ("/models/chat/completions?api-version=2024-05-01-preview", None),
        ("/openai", None),
        ("http://[/openai/v1/models", None),
        ("models", None),
        ("//openai/v1/models?url=https://[", Route("v1", "models", None, None, (("url", "https://["),))),
    ],
)
def test_a_target_tells_generation_operation_and_deployment(target: str, route: Route | None) -> None:
    assert parse(target) == route
