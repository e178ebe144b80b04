"""The control API reads and changes the emulator's state. A change counts for the next call."""

from typing import Any

import httpx
import pytest

from emulator.azure import faults, identity
from emulator.azure.errors import ERRORS
from tests.page.conftest import STREAM, Running


def test_the_state_tells_how_the_emulator_stands(running: Running) -> None:
    running.ask()
    running.ask(b'{"model":"gpt-4o-mini"}')
    running.ask(**{"api-key": "wrong"})
    state = running.get("state")
    assert state["counts"] == {"calls": 3, "misses": 1, "errors": 2, "open": 0}
    assert (state["mode"], state["recording"], state["recordings"], state["problems"]) == ("replaying", None, 2, [])
    assert (state["fault"], state["limits"], state["time_scale"]) == (None, None, 0.0)
    assert (state["azure"], state["proxy"], state["deployments"]) == (running.base, None, ["gpt-4o-mini"])


def test_a_fault_hits_the_next_call_until_it_is_taken_back(running: Running) -> None:
    assert running.patch(fault="server_error").json()["fault"] == "server_error"
    assert [running.ask().status_code for _ in range(2)] == [500, 500]
    assert running.get("state")["happened"] == 2
    assert running.patch(fault=None).json()["fault"] is None
    assert running.ask().status_code == 200


def test_a_fault_that_is_asked_for_again_begins_anew(running: Running) -> None:
    for _ in range(2):
        running.patch(fault="server_error; times=1")
        assert [running.ask().status_code for _ in range(2)] == [500, 200]


def test_a_fault_of_the_identity_endpoint_takes_the_place_of_another(running: Running) -> None:
    running.patch(fault="server_error")
    assert running.patch(fault="identity_403").json()["fault"] == "identity_403"
    assert (running.ask().status_code, running.azure.identity.failure) == (200, 403)
    running.patch(fault="reset")
    assert running.azure.identity.failure is None


def test_rate_limits_hold_from_now_on(running: Running) -> None:
    assert running.patch(limits={"requests": 1}).json()["limits"] == {"requests": 1, "tokens": None}
    assert [running.ask().status_code for _ in range(2)] == [200, 429]
    assert running.patch(limits=None).json()["limits"] is None
    assert running.ask().status_code == 200


def test_streams_run_at_the_speed_that_was_set(running: Running) -> None:
    assert running.patch(time_scale=1).json()["time_scale"] == 1.0
    running.ask(STREAM)
    assert running.azure.journal.exchanges[-1].time_scale == 1.0
    assert running.get("calls")["calls"][-1]["ms"] > 35


def test_answers_are_improvised_from_now_on_and_no_longer(running: Running) -> None:
    body = b'{"model":"any-model","messages":[{"role":"user","content":"Nobody recorded this."}]}'
    assert running.ask(body).status_code == 400, "there is no such model"
    assert running.patch(improvise=True).json()["improvise"] is True
    assert running.patch(improvise=True).json()["improvise"] is True
    answer = running.ask(body)
    assert (answer.status_code, answer.headers["x-emulator-origin"]) == (200, "improvised")
    assert running.get("calls")["calls"][-1]["origin"] == "improvised"
    assert running.ask().headers.get("x-emulator-origin") is None, "what is recorded plays"
    assert running.patch(improvise=False).json()["improvise"] is False
    assert running.ask(body).status_code == 400


def test_improvised_streams_have_the_pace_that_was_set_last(running: Running) -> None:
    body = b'{"model":"any-model","stream":true,"messages":[{"role":"user","content":"Nobody recorded this."}]}'

    def gap() -> float:
        assert running.ask(body).status_code == 200
        plan = running.azure.journal.exchanges[-1].plan
        assert plan
        first, second, *_ = (at for at, _ in plan.messages)
        return round(second - first, 3)

    assert running.patch(improvise=True).json()["improvise"] is True
    assert gap() == 0.025
    for told, shown, expected in (
        ({"tokens_per_second": 100}, {"first_token_ms": 300, "tokens_per_second": 100}, 0.01),
        (True, {"first_token_ms": 300, "tokens_per_second": 100}, 0.01),
        ({"first_token_ms": 0}, {"first_token_ms": 0, "tokens_per_second": 40.0}, 0.025),
        ({"first_token_ms": 300, "tokens_per_second": 40}, True, 0.025),
    ):
        assert running.patch(improvise=told).json()["improvise"] == shown
        assert gap() == expected
    assert running.patch(improvise=False).json()["improvise"] is False
    assert running.patch(improvise={"tokens_per_second": 50}).json()["improvise"]["tokens_per_second"] == 50
    assert gap() == 0.02


def test_a_pace_keeps_the_responses_that_were_made(running: Running) -> None:
    running.patch(improvise=True)
    headers = {"api-key": running.azure.api_key}
    base = f"{running.base}/openai/v1/responses"
    made = httpx.post(base, json={"model": "gpt-4o", "input": "Hello"}, headers=headers).json()
    running.patch(improvise={"tokens_per_second": 50})
    assert httpx.get(f"{base}/{made['id']}", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "param", "code"),
    [
        ({"fault": "no_such_fault"}, "fault", "unknown_fault"),
        ({"fault": "reset; at_frame=x"}, "fault", "unknown_fault"),
        ({"fault": ""}, "fault", "unknown_fault"),
        ({"fault": 5}, "fault", "invalid_control"),
        ({"limits": {"requests": 0}}, "limits", "invalid_control"),
        ({"limits": {"requests": True}}, "limits", "invalid_control"),
        ({"limits": {"requests": 1.5}}, "limits", "invalid_control"),
        ({"limits": {"minutes": 1}}, "limits", "invalid_control"),
        ({"limits": []}, "limits", "invalid_control"),
        ({"limits": 0}, "limits", "invalid_control"),
        ({"time_scale": -1}, "time_scale", "invalid_control"),
        ({"time_scale": "1"}, "time_scale", "invalid_control"),
        ({"time_scale": True}, "time_scale", "invalid_control"),
        ({"time_scale": 10**400}, "time_scale", "invalid_control"),
        ({"time_scale": None}, "time_scale", "invalid_control"),
        ({"improvise": 1}, "improvise", "invalid_control"),
        ({"improvise": {}}, "improvise", "invalid_control"),
        ({"improvise": []}, "improvise", "invalid_control"),
        ({"improvise": {"pace": 40}}, "improvise", "invalid_control"),
        ({"improvise": {"tokens_per_second": 0}}, "improvise", "invalid_control"),
        ({"improvise": {"tokens_per_second": 10**400}}, "improvise", "invalid_control"),
        ({"improvise": {"first_token_ms": -1}}, "improvise", "invalid_control"),
        ({"improvise": {"first_token_ms": True}}, "improvise", "invalid_control"),
        ({"improvise": {"first_token_ms": "300"}}, "improvise", "invalid_control"),
        ({"mode": "recording"}, "mode", "invalid_control"),
    ],
    ids=str,
)
def test_a_wrong_wish_changes_nothing_and_says_what_is_right(
    running: Running, wrong: dict[str, Any], param: str, code: str
) -> None:
    right: dict[str, Any] = {"fault": "reset", "limits": {"requests": 5}, "time_scale": 20}
    before = {name: running.get("state")[name] for name in right}
    refused = running.patch(**right | wrong)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)
    assert refused.json()["error"]["param"] == param
    assert len(refused.json()["error"]["message"]) > 20
    assert {name: running.get("state")[name] for name in right} == before


def test_nothing_asked_changes_nothing(running: Running) -> None:
    running.patch(fault="reset; at_frame=1")
    assert running.patch().json()["fault"] == "reset; at_frame=1"


def test_a_reset_is_a_fresh_start_at_the_same_speed(running: Running) -> None:
    running.patch(fault="server_error", limits={"requests": 1}, time_scale=20)
    running.ask()
    state = running.api("POST", "reset", json={}).json()
    assert (state["fault"], state["limits"], state["counts"]["calls"]) == (None, None, 0)
    assert state["time_scale"] == 20
    assert running.api("POST", "reset", json={"hard": True}).status_code == 400


def test_every_fault_is_listed_and_can_be_asked_for_as_it_is_told(running: Running) -> None:
    listed = running.get("faults")["faults"]
    assert [fault["name"] for fault in listed] == [*faults.FAULTS, *ERRORS, *identity.FAULTS]
    values = {"int": "1", "float": "0.5"}
    for fault in listed:
        said = {one["name"]: (one["choices"] or [values.get(one["type"])])[0] for one in fault["arguments"]}
        wish = "; ".join([fault["name"], *(f"{name}={value}" for name, value in said.items())])
        assert running.patch(fault=wish).status_code == 200, wish
