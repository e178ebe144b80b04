"""The app's functions for the host. Without a signing key, all of them need a function key. A signing key adds a second
set, and only this set is anonymous."""

import json
import runpy
from collections.abc import Iterator

import pytest

from emulator.host.routing.definition import http_functions
from emulator.host.routing.function import HttpFunction
from emulator.stack import ROOT
from tests.golden import assert_golden
from tests.host.reached import unreached
from tests.keys.signing import SECRET

EVERY = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
BEFORE = {  # functions of releases without signed keys
    "chat_completions": ("v1/chat/completions", ["POST"]),
    "embeddings": ("v1/embeddings", ["POST"]),
    "model": ("v1/models/{model}", ["GET", "HEAD"]),
    "models": ("v1/models", ["GET", "HEAD"]),
    "response": ("v1/responses/{response_id}", ["GET", "HEAD", "DELETE"]),
    "response_cancel": ("v1/responses/{response_id}/cancel", ["POST"]),
    "response_input_items": ("v1/responses/{response_id}/input_items", ["GET", "HEAD"]),
    "responses": ("v1/responses", ["POST"]),
    "responses_compact": ("v1/responses/compact", ["POST"]),
    "responses_input_tokens": ("v1/responses/input_tokens", ["POST"]),
    "zz_not_found": ("{*path}", EVERY),
}


def declared(monkeypatch: pytest.MonkeyPatch, signing_key: str) -> dict[str, list[str]]:
    """The functions of the app with this setting, each with its bindings."""
    monkeypatch.setenv("PROXY_SIGNING_KEY", signing_key)
    functions = runpy.run_path(str(ROOT / "function_app.py"))["app"].get_functions()
    return {str(function.get_function_name()): function.get_raw_bindings() for function in functions}


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    return declared(monkeypatch, "")


@pytest.fixture
def with_keys(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    return declared(monkeypatch, SECRET)


def bindings(route: str, methods: list[str]) -> list[str]:
    trigger = {"direction": "IN", "type": "httpTrigger", "name": "req", "methods": methods}
    answer = '{"direction": "OUT", "type": "http", "name": "$return"}'
    return [json.dumps(trigger | {"authLevel": "FUNCTION", "route": route}), answer]


def test_the_routes_of_before_are_as_they_were(without: dict[str, list[str]], with_keys: dict[str, list[str]]) -> None:
    expected = {name: bindings(route, methods) for name, (route, methods) in BEFORE.items()}
    for found in without, with_keys:
        assert {name: found[name] for name in BEFORE} == expected


def test_without_a_signing_key_no_function_is_anonymous_and_only_these_are_new(
    without: dict[str, list[str]],
) -> None:
    assert "ANONYMOUS" not in json.dumps(without).upper()
    new = ("openai_", "audio_", "images_", "container_file")
    assert all(name.startswith(new) for name in without.keys() - BEFORE.keys())
    assert "keys" not in json.dumps(without)


def test_every_function_below_keys_is_anonymous_and_no_other(with_keys: dict[str, list[str]]) -> None:
    triggers = {name: json.loads(of_one[0]) for name, of_one in with_keys.items()}
    anonymous = {name for name, trigger in triggers.items() if trigger["authLevel"] == "ANONYMOUS"}
    assert anonymous == {name for name, trigger in triggers.items() if trigger["route"].startswith("keys/")}
    both = {name for name in anonymous if triggers[name]["route"].rpartition("/")[2] != "usage"}
    assert both == {f"keys_{name}" for name in triggers.keys() - anonymous}


def functions_of(found: dict[str, list[str]]) -> list[HttpFunction]:
    return http_functions((name, "", of_one) for name, of_one in found.items())


def test_every_route_reaches_its_own_function(with_keys: dict[str, list[str]]) -> None:
    functions = functions_of(with_keys)
    assert len(functions) == len(with_keys)
    assert unreached(functions) == {}


def test_the_functions_are_as_listed(with_keys: dict[str, list[str]]) -> None:
    """The list has the functions in the order in which the host tries them."""

    def lines() -> Iterator[str]:
        for name in sorted(with_keys, key=str.upper):
            trigger = json.loads(with_keys[name][0])
            yield f"{trigger['authLevel']:10} /api/{trigger['route']:60} {' '.join(trigger['methods'])}  ({name})\n"

    assert_golden("routes.txt", "".join(lines()))
