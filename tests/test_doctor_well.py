"""The doctor finds no problem in a good proxy, whatever its api-version and limits. Azure words a refusal in many ways;
most of the words here come from public issues."""

from typing import Any

import pytest

from emulator.doctor import examination
from emulator.doctor.refusal import TOO_MANY
from emulator.doctor.troubleshooting import meaning_of
from emulator.doctor.wording import TOO_FEW
from tests.doctor_support import ANSWERS, DONE, KEY, azure, error, examined, results
from tests.support import closed_port, proxy


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switches the doctor's judgement of a stream's times off: a busy machine is late at times."""
    monkeypatch.setattr(examination, "AT_ONCE_SECONDS", 0.0)


UNSUPPORTED = [
    error("Unrecognized request argument supplied: {}", type="invalid_request_error", param=None, code=None),
    error("Unrecognized request arguments supplied: {}", type="invalid_request_error"),
    error("Unsupported parameter: '{}' is not supported with this model.", param="{}", code="unsupported_parameter"),
    error("Unsupported value: '{}' does not support 16 with this model.", param="{}", code="unsupported_value"),
    error("unknown parameter '{}.include_usage'", code="BadRequest"),
    error("Additional properties are not allowed ('{}' was unexpected) - '{}'"),
    error("Bad request", param="{}"),
    error("The request is not valid."),
    error("'{}' is not supported by the chat completions operation in this version"),
    '{"detail":[{"type":"extra_forbidden","loc":["body","{}"],"msg":"Extra inputs are not permitted"}]}',
    '{"error":"{} is unknown"}',
    '{"message":"Unknown field {}","statusCode":400}',
    "Unknown field: {}",
    "Bad Request",
    "<html>{} is not allowed</html>",
]


@pytest.mark.parametrize("wording", UNSUPPORTED)
@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    "unknown", [["max_completion_tokens", "stream_options"], ["stream_options"], ["max_completion_tokens"]]
)
def test_a_version_without_newer_parameters_is_well(wording: str, status: int, unknown: list[str]) -> None:
    def refuse(route: str, asked: dict[str, Any]) -> tuple[int, str] | None:
        found = next((name for name in unknown if name in asked), None)
        return (status, wording.replace("{}", found)) if found else None

    with azure(refuse) as (base, bodies):
        checks = examined(base)
    assert results(checks) == {"chat": "ok", "stream": "ok", "responses": "ok"}
    chats = [body for body in bodies if "messages" in body]
    assert all(body.keys() & {"max_tokens", "max_completion_tokens"} for body in chats), "never without a limit"


def test_what_is_refused_without_a_name_is_found_by_trying() -> None:
    def refuse(route: str, asked: dict[str, Any]) -> tuple[int, str] | None:
        return (400, error("Bad request")) if asked.keys() & {"stream_options", "max_tokens"} else None

    with azure(refuse) as (base, _):
        assert results(examined(base)) == {"chat": "ok", "stream": "ok", "responses": "ok"}


def test_a_version_that_refuses_all_that_is_asked_is_a_problem() -> None:
    with azure(lambda route, asked: (400, error("API version not supported", code="BadRequest"))) as (base, _):
        checks = examined(base)
    assert results(checks) == {"chat": "problem", "stream": "problem", "responses": "problem"}
    assert "API version not supported" in checks["chat"].found


def test_of_two_refusals_the_one_that_matters_is_told() -> None:
    def refuse(route: str, asked: dict[str, Any]) -> tuple[int, str]:
        if "max_tokens" in asked:
            return 400, error("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        return 400, error("Region blocked")

    with azure(refuse) as (base, _):
        assert "Region blocked" in examined(base)["chat"].found


TOO_FEW_TOKENS = [
    "Could not finish the message because max_tokens or model output limit was reached. Please try again with higher "
    "max_tokens.",
    "The model ran out of output tokens (max_tokens) before it could say anything; allow it more.",
    "max_completion_tokens is too small for this model",
    "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 500, but got 16 instead.",
    "max_completion_tokens must be at least 500",
    "The model hit its output limit and could not finish.",
    "Invalid value for 'max_tokens': 16",
    "Please raise the reasoning budget",
    "Reasoning used up all output tokens: insufficient budget",
]


def limit_of(asked: dict[str, Any]) -> int:
    return next(
        int(asked[name]) for name in ("max_completion_tokens", "max_tokens", "max_output_tokens") if name in asked
    )


@pytest.mark.parametrize("wording", TOO_FEW_TOKENS)
def test_a_model_that_needs_more_tokens_is_well(wording: str) -> None:
    with azure(lambda route, asked: (400, error(wording)) if limit_of(asked) < 500 else None) as (base, _):
        assert results(examined(base)) == {"chat": "ok", "stream": "ok", "responses": "ok"}


@pytest.mark.parametrize("wording", TOO_FEW_TOKENS)
def test_a_model_that_needs_more_tokens_than_the_doctor_allows_is_well(wording: str) -> None:
    with azure(lambda route, asked: (400, error(wording, code=None))) as (base, _):
        checks = examined(base)
    assert results(checks) == {"chat": "note", "stream": "note", "responses": "note"}
    assert checks["chat"].found == f"400: {wording}"
    assert checks["chat"].meaning == meaning_of(TOO_FEW)


@pytest.mark.parametrize("limit", [1, pytest.param(15, marks=pytest.mark.long), 100])
def test_a_limit_of_the_administrator_is_kept(limit: int) -> None:
    def refuse(route: str, asked: dict[str, Any]) -> tuple[int, str] | None:
        assert limit_of(asked) <= limit, "the proxy lets no more through"
        below = f"Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got {limit}."
        return (400, error(below, code="integer_below_min_value")) if route == "responses" and limit < 16 else None

    settings = {"PROXY_MAX_OUTPUT_TOKENS": str(limit), "PROXY_ALLOW_STORE": "false", "FUNCTION_HOST_KEY": KEY}
    with azure(refuse) as (base, _), proxy(base, settings) as running:
        checks = examined(running.base_url.removesuffix("/api/v1"))
    assert results(checks) == {"chat": "ok", "stream": "ok", "responses": "ok" if limit >= 16 else "note"}


def test_a_limit_that_names_no_number_is_no_problem() -> None:
    with azure(lambda route, asked: (400, error("Too many.", code="too_many_output_tokens"))) as (base, _):
        checks = examined(base)
    assert (checks["chat"].result, checks["chat"].meaning) == ("note", meaning_of(TOO_MANY))


def test_an_older_api_version_behind_the_proxy_is_well() -> None:
    def refuse(route: str, asked: dict[str, Any]) -> tuple[int, str] | None:
        newer = [name for name in ("max_completion_tokens", "stream_options") if name in asked]
        return (400, error(f"Unrecognized request argument supplied: {newer[0]}", code=None)) if newer else None

    settings = {"AZURE_OPENAI_API_VERSION": "2024-05-01-preview", "FUNCTION_HOST_KEY": KEY}
    with azure(refuse) as (base, _), proxy(base, settings) as running:
        checks = examined(running.base_url.removesuffix("/api/v1"))
    assert results(checks) == {"chat": "ok", "stream": "ok", "responses": "ok"}


def test_a_response_that_ends_at_its_limit_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "output": [], "error": None}
    monkeypatch.setitem(ANSWERS, "responses", cut)
    with azure() as (base, _):
        assert results(examined(base)) == {"chat": "ok", "stream": "ok", "responses": "ok"}


def test_a_model_that_thinks_is_given_room_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "AT_ONCE_SECONDS", 9.0)
    ends = b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":120}}\n\n' + DONE
    with azure(streamed=[(ends, 0.0)]) as (base, bodies):
        checks = examined(base)
    assert [body["max_completion_tokens"] for body in bodies if body.get("stream")] == [120, 2_000]
    assert checks["stream"].tokens == 258, "those of both are told"


def test_behind_a_proxy_of_the_environment_it_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    with azure() as (base, _):
        monkeypatch.setenv("HTTP_PROXY", base)
        monkeypatch.setenv("NO_PROXY", "")
        checks = examined(closed_port())
    assert [checks[name].result for name in ("dns", "connection")] == ["note", "note"]
    assert results(checks) == {"chat": "ok", "stream": "ok", "responses": "ok"}
