"""The doctor asks only models that can do what it asks. The others are no problem of the proxy."""

from typing import Any

import pytest

from emulator.doctor import examination
from emulator.doctor.troubleshooting import meaning_of
from emulator.doctor.wording import OPERATION
from tests.doctor_support import KEY, azure, error, examined, results
from tests.support import proxy

E = "text-embedding-3-small"


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switches the doctor's judgement of a stream's times off: a busy machine is late at times."""
    monkeypatch.setattr(examination, "AT_ONCE_SECONDS", 0.0)


OTHER_OPERATION = [
    (
        400,
        error("The chatCompletion operation does not work with the specified model, x.", code="OperationNotSupported"),
    ),
    (400, error("Chat is not possible with x; take another model.", code="OperationNotSupported")),
    (400, error("The requested operation is unsupported.", code="BadRequest")),
    (404, error("This is not a chat model and thus not supported in the v1/chat/completions endpoint.", code=None)),
    (404, error("This model is only supported in v1/responses and not in v1/chat/completions.", param="model")),
    (
        400,
        error("This model requires that either input content or output modality contain audio.", code="invalid_value"),
    ),
    (400, error("Streaming is not supported for this model.")),
    (400, error("Unsupported value: 'stream' does not support true with this model.", code="unsupported_value")),
    (400, error("dall-e-3 cannot be used for chat completions", code=None)),
    (404, "The model does not support the chat operation"),
    (400, error("Unsupported parameter: stream, with this model")),
    (400, error("sora-2 is not supported by this API")),
]


@pytest.mark.parametrize(("status", "text"), [*OTHER_OPERATION, (400, "no"), (422, '{"detail": "no"}'), (405, "null")])
def test_another_model_is_asked_where_the_first_does_not_chat(status: int, text: str) -> None:
    others = ("x", "dall-e-3", "whisper")

    def refuse(route: str, asked: dict[str, Any]) -> tuple[int, str] | None:
        return (status, text) if asked["model"] in others else None

    with azure(refuse, models=(*others, "gpt")) as (base, _):
        checks = examined(base)
    assert "problem" not in results(checks).values()
    assert all(checks[name].found.startswith("gpt, 12 tokens") for name in ("chat", "responses"))


@pytest.mark.parametrize(("status", "text"), OTHER_OPERATION)
def test_a_proxy_of_vectors_alone_is_well(status: int, text: str) -> None:
    with azure(lambda route, _: None if route == "embeddings" else (status, text), models=(E,)) as (base, _):
        checks = examined(base, embeddings=E)
    assert results(checks) == {"chat": "note", "stream": "note", "responses": "note", "vectors": "ok"}
    assert checks["chat"].meaning == meaning_of(OPERATION)


def test_a_model_of_responses_alone_is_well() -> None:
    status, text = OTHER_OPERATION[0]
    with azure(lambda route, _: None if route == "responses" else (status, text)) as (base, _):
        assert results(examined(base)) == {"chat": "note", "stream": "note", "responses": "ok"}


@pytest.mark.parametrize(
    "text",
    [
        error("Resource not found", code="404"),
        error(
            "Azure OpenAI Responses API is enabled only for api-version 2025-03-01-preview and later", code="BadRequest"
        ),
    ],
)
def test_a_resource_without_responses_is_well(text: str) -> None:
    status = 404 if "404" in text else 400
    with azure(lambda route, _: (status, text) if route == "responses" else None) as (base, _):
        assert results(examined(base)) == {"chat": "ok", "stream": "ok", "responses": "note"}


def test_a_model_that_is_asked_for_is_the_only_one_asked() -> None:
    with azure(models=("a", "b")) as (base, bodies):
        examined(base, model="b")
    assert {body["model"] for body in bodies} == {"b"}


def test_a_deployment_that_is_missing_is_a_problem_once() -> None:
    def refuse(route: str, asked: dict[str, Any]) -> tuple[int, str] | None:
        return (404, error("No such deployment.", code="DeploymentNotFound")) if asked["model"] == "a" else None

    with azure(refuse, models=("a", "b")) as (base, _):
        checks = examined(base)
    assert results(checks) == {"chat": "problem", "stream": "ok", "responses": "ok"}
    assert checks["chat"].found.startswith("a: 404")


CHAINS = {"AZURE_OPENAI_DEPLOYMENT": "gpt=one|two,vectors=small|large", "FUNCTION_HOST_KEY": KEY}


def test_each_deployment_of_a_model_with_spillover_is_asked_alone() -> None:
    def refuse(route: str, asked: dict[str, Any]) -> tuple[int, str] | None:
        chats = asked["model"] in ("one", "two")
        return None if chats == (route != "embeddings") else OTHER_OPERATION[0]

    with azure(refuse) as (base, bodies), proxy(base, CHAINS) as running:
        checks = examined(running.base_url.removesuffix("/api/v1"))
    assert (checks["spillover"].result, checks["spillover"].found) == ("ok", "one, two, small, large answer")
    assert [body["model"] for body in bodies[-6:]] == ["one", "two", "small", "small", "large", "large"]
    assert checks["spillover"].tokens == 34


def test_a_deployment_that_is_missing_behind_another_is_found() -> None:
    def refuse(route: str, asked: dict[str, Any]) -> tuple[int, str] | None:
        return (404, error("No such deployment.", code="DeploymentNotFound")) if asked["model"] == "two" else None

    with azure(refuse) as (base, _), proxy(base, CHAINS) as running:
        checks = examined(running.base_url.removesuffix("/api/v1"))
    assert [checks[name].result for name in ("chat", "spillover")] == ["ok", "problem"]
    assert checks["spillover"].found == "two: 404 DeploymentNotFound: No such deployment."


def test_without_calls_no_deployment_is_asked() -> None:
    with azure() as (base, bodies), proxy(base, CHAINS) as running:
        checks = examined(running.base_url.removesuffix("/api/v1"), calls=False)
    assert ("spillover" in checks, bodies) == (False, [])
