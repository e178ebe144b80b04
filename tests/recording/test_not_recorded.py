"""The recorder leaves out rate limits, errors, and requests that the budget does not allow."""

from pathlib import Path

import pytest
from openai import APIStatusError, BadRequestError, RateLimitError

from emulator.recording.budget import Budget
from emulator.recording.stack import RecordingStack, Wish
from emulator.tape import cassette
from emulator.tape.cassette import Request
from emulator.tape.estimate import expected_tokens
from tests.e2e.scenarios import chat, errors
from tests.golden import assert_golden
from tests.recording.conftest import Live, client_of


def recorded(folder: Path, name: str = "x") -> list[int]:
    path = folder / f"{name}.yaml"
    return [i.response.status for i in cassette.load(path).interactions] if path.exists() else []


def test_a_rate_limit_is_waited_out_and_not_recorded(live: Live, folder: Path) -> None:
    told = []

    def over(line: str) -> None:
        told.append(line)
        live.azure.fault = None

    live.azure.misbehave("rate_limited_briefly")
    stack = RecordingStack([folder], Wish("once"), folder / "run", env=live.env, say=over)
    with client_of(stack) as client:
        stack.begin("x")
        assert chat.question(client).choices
        stack.finish()
    assert told[0] == "rate limit: waiting 0.05 s, then asking again for x"
    assert [exchange.status for exchange in live.azure.journal.exchanges] == [429, 200]
    assert recorded(folder) == [200]


def test_a_rate_limit_that_lasts_reaches_the_client(live: Live, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.recording.relay.LONGEST_PAUSE_SECONDS", 0.1)
    live.azure.misbehave("rate_limited_briefly")
    with live.recording(folder, "x") as client, pytest.raises(RateLimitError):
        chat.question(client)
    assert recorded(folder) == []


@pytest.mark.parametrize(("errors_too", "kept"), [(False, []), (True, [400])])
def test_errors_are_recorded_only_when_asked_for(live: Live, folder: Path, errors_too: bool, kept: list[int]) -> None:
    with live.recording(folder, "x", errors=errors_too) as client, pytest.raises(BadRequestError):
        errors.filtered_chat(client)
    assert recorded(folder) == kept
    if not errors_too:
        assert_golden("../recording/golden/error_not_recorded.txt", "".join(f"{line}\n" for line in live.told))


def test_a_rate_limit_is_recorded_when_asked_for(live: Live, folder: Path) -> None:
    live.azure.misbehave("rate_limited_briefly")
    with live.recording(folder, "x", errors=True) as client, pytest.raises(RateLimitError):
        chat.question(client)
    assert recorded(folder) == [429]


@pytest.mark.parametrize(
    ("name", "budget"),
    [("requests", Budget(requests=1)), ("tokens", Budget(tokens=1_100))],
)
def test_the_call_beyond_the_budget_is_not_made(live: Live, folder: Path, name: str, budget: Budget) -> None:
    with live.recording(folder, "x", budget=budget) as client:
        chat.question(client)
        with pytest.raises(APIStatusError) as refused:
            chat.conversation(client)
    assert_golden(f"../recording/golden/budget_{name}.txt", f"{refused.value.status_code} {refused.value.body}\n")
    assert len(live.azure.journal.exchanges) == 1
    assert recorded(folder) == [200], "what was made within the budget is kept"


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        (b'{"max_tokens":50}', 5 + 50),
        (b'{"max_completion_tokens":50,"n":3}', 11 + 150),
        (b'{"max_output_tokens":50}', 8 + 50),
        (b'{"max_tokens":null}', 6 + 1_000),
        (b"{}", 1_000),
        (b"not JSON", 2 + 1_000),
    ],
)
def test_what_a_call_may_use_is_counted_before_it_is_made(body: bytes, tokens: int) -> None:
    assert expected_tokens(Request("POST", "https://x/openai/v1/responses", (), body)) == tokens


def test_a_live_service_that_is_not_there_is_named(live: Live, folder: Path) -> None:
    live.env["AZURE_OPENAI_BASE"] = "http://127.0.0.1:1"
    with live.recording(folder, "x") as client, pytest.raises(APIStatusError) as refused:
        chat.question(client)
    assert "The live service could not be asked: All connection attempts failed" in str(refused.value)
    assert recorded(folder) == []


def test_a_request_with_something_private_is_not_even_sent(live: Live, folder: Path) -> None:
    with live.recording(folder, "x") as client, pytest.raises(APIStatusError) as refused:
        client.responses.create(model=chat.MODEL, input="Write to jane.roe@contoso.com.")
    assert_golden("../recording/golden/private_request.txt", f"{refused.value.status_code} {refused.value.body}\n")
    assert not live.azure.journal.exchanges
