"""Stubs that a client declares over HTTP answer the next calls."""

import json
from typing import Any

import httpx
import pytest
from openai import OpenAI

from emulator.emulation import Emulator
from emulator.page import declared
from tests.page.conftest import Running

WEATHER = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"How is the weather?"}]}'
STUB: dict[str, Any] = {"when": {"contains": "weather"}, "then": {"answers": "It rains."}}


def test_a_stub_answers_and_tells_what_it_answered(running: Running) -> None:
    assert running.ask(WEATHER).status_code == 424
    made = running.api("POST", "stubs", json=STUB).json()
    assert (made["number"], made["when"], made["then"], made["times"]) == (1, STUB["when"], STUB["then"], 1)
    answer = running.ask(WEATHER)
    assert answer.json()["choices"][0]["message"]["content"] == "It rains."
    row = running.get("calls")["calls"][-1]
    assert (row["origin"], row["missed"]) == ("stub", False)
    (stub,) = running.get("stubs")["stubs"]
    assert (stub["answered"], stub["used"], stub["calls"]) == (1, True, [row["number"]])
    missed = running.ask(WEATHER)
    assert missed.status_code == 424
    assert "weather" in missed.json()["error"]["message"], "it says which stub comes nearest"


@pytest.mark.parametrize("end", [("POST", "reset"), ("DELETE", "stubs"), ("DELETE", "journal")], ids=str)
def test_stubs_end_and_nothing_is_left_of_them(running: Running, end: tuple[str, str]) -> None:
    before = running.azure.deployments
    running.api("POST", "stubs", json=STUB | {"times": None, "when": {"model": "made-for-this"}})
    assert running.ask(WEATHER.replace(b"gpt-4o-mini", b"made-for-this")).status_code == 200
    running.api(*end, **({"json": {}} if end[0] == "POST" else {}))
    assert running.get("stubs")["stubs"] == []
    assert running.ask(WEATHER).status_code == 424
    assert (running.azure.before, running.azure.remarks, running.azure.deployments) == ([], [], before)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"when": {}},
        {"then": {}},
        {"when": {"contains": ""}, "then": {"answers": "x"}},
        {"when": {"where": "lambda request: 1"}, "then": {"answers": "x"}},
        {"when": {"route": "pictures"}, "then": {"answers": "x"}},
        {"then": {"fails": "no_such_fault"}},
        {"then": {"answers": "x"}, "times": 0},
        {"then": {"answers": "x"}, "surprise": 1},
        {"then": {"calls": [{"name": 5}]}},
        {"when": {"path": {"[" * 500: 1}}, "then": {"answers": "x"}},
        {"when": {"model": ["x"]}, "then": {"answers": "x"}},
    ],
    ids=lambda value: json.dumps(value)[:50],
)
def test_a_stub_that_cannot_be_says_why(running: Running, wrong: dict[str, Any]) -> None:
    refused = running.api("POST", "stubs", json=wrong)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_control")
    assert len(refused.json()["error"]["message"]) > 20
    assert running.get("stubs")["stubs"] == []


def test_there_is_an_end_to_them(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declared, "MOST", 2)
    assert [running.api("POST", "stubs", json=STUB).status_code for _ in range(3)] == [200, 200, 409]


def test_they_answer_through_the_proxy_and_end_with_the_test(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    control = f"{aoai_emulator.stack.azure_base}/_emulator/"
    unknown = STUB | {"when": {"model": "nobody-serves-this"}}
    assert "does not serve" in httpx.post(f"{control}stubs", json=unknown).json()["error"]["message"]
    assert httpx.post(f"{control}stubs", json=STUB).status_code == 200
    said = openai_client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "The weather, please."}]
    )
    assert said.choices[0].message.content == "It rains."
    aoai_emulator.azure.reset()
    assert httpx.get(f"{control}stubs").json() == {"stubs": []}
