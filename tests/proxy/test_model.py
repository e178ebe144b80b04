"""Only the value of `model` is ever rewritten; every other byte of the body stays."""

import json
import sys
from typing import Any

import pytest

from proxy.errors import ProxyError
from proxy.model import choose_deployment

DEPLOYMENTS = {"gpt-4o-mini": "gpt-4o-mini", "gpt-4o": "dep-4o"}


def chosen(body: bytes, required: bool = True, in_path: bool = False) -> tuple[str | None, str | None, bytes]:
    return choose_deployment(body, DEPLOYMENTS, required, in_path)[:3]


BODIES = [  # (sent, received)
    (b'{"model":"gpt-4o-mini"}', b'{"model":"gpt-4o-mini"}'),
    (b'{"model":"gpt-4o"}', b'{"model":"dep-4o"}'),
    (b' {"a" : 1.0 , "model" :\t"gpt-4o" , "b":[ ]} \n', b' {"a" : 1.0 , "model" :\t"dep-4o" , "b":[ ]} \n'),
    (b"{}", b'{"model":"gpt-4o-mini"}'),
    (b'{ "a":1}', b'{"model":"gpt-4o-mini", "a":1}'),
    (b'{"model":null,"a":1}', b'{"model":"gpt-4o-mini","a":1}'),
    (b'{"m\\u006fdel":"gpt-4o"}', b'{"m\\u006fdel":"dep-4o"}'),
    (
        b'{"x":{"model":"gpt-4o"},"y":["model",{"model":"z"}],"s":"\\"model\\":\\"q\\"}{","model":"gpt-4o"}',
        b'{"x":{"model":"gpt-4o"},"y":["model",{"model":"z"}],"s":"\\"model\\":\\"q\\"}{","model":"dep-4o"}',
    ),
    ('{"model":"gpt-4o","a":"ü 🚆 \\ud83d"}'.encode(), '{"model":"dep-4o","a":"ü 🚆 \\ud83d"}'.encode()),
    (b'{"seed":' + b"9" * 5000 + b',"model":"gpt-4o"}', b'{"seed":' + b"9" * 5000 + b',"model":"dep-4o"}'),
    (b'{"a":"model","model":"gpt-4o"}', b'{"a":"model","model":"dep-4o"}'),
]


@pytest.mark.parametrize(("sent", "received"), BODIES)
def test_only_the_models_value_changes(sent: bytes, received: bytes) -> None:
    assert chosen(sent)[2] == received


@pytest.mark.parametrize("sent", [sent for sent, _ in BODIES])
def test_nothing_changes_where_the_deployment_is_in_the_path(sent: bytes) -> None:
    model, deployment, body = chosen(sent, in_path=True)
    assert body == sent
    assert deployment == {"gpt-4o": "dep-4o", "gpt-4o-mini": "gpt-4o-mini"}[str(model)]


@pytest.mark.parametrize("body", [b"", b'{"input":"x"}'])
def test_a_route_without_a_model_needs_none(body: bytes) -> None:
    assert chosen(body, required=False) == (None, None, body)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"[]", "invalid_json"),
        (b"null", "invalid_json"),
        (b'"text"', "invalid_json"),
        (b'{"model":"gpt-4o"} {}', "invalid_json"),
        (b'{"model":"gpt-4o",}', "invalid_json"),
        (b'{"a":"\xff"}', "invalid_json"),
        ('{"model":"gpt-4o"}'.encode("utf-16"), "invalid_json"),
        (b'{"a":' + b"[" * 200_000, "invalid_json"),
        (b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}", "invalid_json"),
        (b'{"model":7}', "invalid_model"),
        (b'{"model":{"a":1}}', "invalid_model"),
        (b'{"model":"gpt-4o-mini","model":"gpt-4o"}', "invalid_model"),
        (b'{"model":"gpt-4o-mini","Model":"gpt-4o"}', "invalid_model"),
        (b'{"MODEL":"gpt-4o-mini"}', "invalid_model"),
        (b'{"model":"gpt-5"}', "model_not_found"),
        (b'{"model":"GPT-4O"}', "model_not_found"),
        (b'{"model":"gpt-4o-mini","extra_query":{"code":"KEY"}}', "invalid_extra_query"),
    ],
)
def test_a_body_that_cannot_be_served_is_explained(body: bytes, code: str) -> None:
    with pytest.raises(ProxyError) as caught:
        chosen(body)
    error: dict[str, Any] = json.loads(caught.value.body)["error"]
    assert error["code"] == code
    assert set(error) == {"message", "type", "param", "code"}
    assert len(error["message"]) < 300


def test_an_unknown_model_is_told_which_are_served() -> None:
    with pytest.raises(ProxyError) as caught:
        chosen(b'{"model":"gpt-5"}')
    assert json.loads(caught.value.body)["error"]["message"].endswith("gpt-4o-mini, gpt-4o.")


def test_the_work_does_not_grow_with_what_is_inside_of_values() -> None:
    """The process serves nobody else while it parses a body."""
    events = []
    body = b'{"input":[%s[]],"model":"gpt-4o"}' % (b"[]," * 10_000)
    sys.setprofile(lambda _, event, __: events.append(event))
    try:
        choose_deployment(body, {"gpt-4o": "my-4o-deployment"}, required=True, in_path=False)
    finally:
        sys.setprofile(None)
    assert len(events) < 500
