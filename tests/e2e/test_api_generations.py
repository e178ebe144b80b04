"""A setting selects the Azure API, and a model name selects the deployment."""

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from openai import NotFoundError, OpenAI

from emulator.stack import LocalStack
from tests.e2e.scenarios import chat, client_options, embeddings, responses

V1 = "/openai/v1/{}"
PREVIEW = "/openai/v1/{}?api-version=preview"
OLD, NEW = "2024-05-01-preview", "2025-04-01-preview"
DEPLOYMENT = "/openai/deployments/{}/{}?api-version={}"
TARGETS = {  # api-version: (chat, embeddings, Responses) as they arrive at Azure
    "v1": tuple(V1.format(path) for path in ("chat/completions", "embeddings", "responses")),
    "preview": tuple(PREVIEW.format(path) for path in ("chat/completions", "embeddings", "responses")),
    OLD: (
        DEPLOYMENT.format("gpt-4o-mini", "chat/completions", OLD),
        DEPLOYMENT.format("text-embedding-3-small", "embeddings", OLD),
        V1.format("responses"),  # a version this old has no Responses API
    ),
    NEW: (
        DEPLOYMENT.format("gpt-4o-mini", "chat/completions", NEW),
        DEPLOYMENT.format("text-embedding-3-small", "embeddings", NEW),
        f"/openai/responses?api-version={NEW}",
    ),
}
DEPLOYMENTS = "gpt-4o-mini,gpt-4o=gpt-4o-mini,gpt-5-mini,text-embedding-3-small"


@pytest.fixture(scope="module", params=TARGETS)
def stack(request: pytest.FixtureRequest) -> Iterator[LocalStack]:
    settings = {"AZURE_OPENAI_API_VERSION": request.param, "AZURE_OPENAI_DEPLOYMENT": DEPLOYMENTS}
    with LocalStack(settings=settings) as started:
        yield started


@pytest.fixture
def client(stack: LocalStack) -> Iterator[OpenAI]:
    stack.azure.reset()
    with OpenAI(**client_options(stack.base_url, stack.function_key)) as client:
        yield client


@pytest.fixture
def targets(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return TARGETS[request.node.callspec.params["stack"]]


def post(stack: LocalStack, path: str, body: bytes) -> tuple[int, Any]:
    base = urlsplit(stack.base_url)
    connection = http.client.HTTPConnection(base.netloc, timeout=30)
    headers = {"x-functions-key": stack.function_key, "content-type": "application/json"}
    try:
        connection.request("POST", f"{base.path}/{path}", body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_chat_goes_where_the_version_has_it(stack: LocalStack, client: OpenAI, targets: tuple[str, ...]) -> None:
    assert "Paris" in chat.question(client).choices[0].message.content
    assert [request.target for request in stack.azure.journal.exchanges] == [targets[0]]


def test_a_stream_comes_from_there_as_well(stack: LocalStack, client: OpenAI, targets: tuple[str, ...]) -> None:
    assert len(list(chat.story(client))) > 15
    assert [request.target for request in stack.azure.journal.exchanges] == [targets[0]]


def test_embeddings_go_where_the_version_has_them(stack: LocalStack, client: OpenAI, targets: tuple[str, ...]) -> None:
    assert len(embeddings.two_texts(client).data) == 2
    assert [request.target for request in stack.azure.journal.exchanges] == [targets[1]]


def test_responses_go_where_the_version_has_them(stack: LocalStack, client: OpenAI, targets: tuple[str, ...]) -> None:
    assert responses.sky(client).status == "completed"
    assert [request.target for request in stack.azure.journal.exchanges] == [targets[2]]


def test_a_mapped_model_reaches_its_deployment_and_nothing_else_changes(
    stack: LocalStack, client: OpenAI, targets: tuple[str, ...]
) -> None:
    sent = b'{"messages" : [{"role":"user","content":"What is the capital of France?"}], "model": "gpt-4o" }'
    status, answer = post(stack, "chat/completions", sent)
    assert (status, answer["choices"][0]["message"]["content"]) == (200, "The capital of France is Paris.")
    (arrived,) = stack.azure.journal.exchanges
    in_path = "/deployments/" in targets[0]
    assert arrived.target == targets[0]
    assert arrived.body == (sent if in_path else sent.replace(b'"gpt-4o"', b'"gpt-4o-mini"'))


def test_without_a_model_the_first_deployment_answers(
    stack: LocalStack, client: OpenAI, targets: tuple[str, ...]
) -> None:
    sent = b'{"messages":[{"role":"user","content":"What is the capital of France?"}]}'
    status, answer = post(stack, "chat/completions", sent)
    assert (status, answer["model"]) == (200, "gpt-4o-mini-2024-07-18")
    (arrived,) = stack.azure.journal.exchanges
    in_path = "/deployments/" in targets[0]
    assert arrived.body == (sent if in_path else b'{"model":"gpt-4o-mini",' + sent[1:])


def test_a_model_that_is_not_listed_never_reaches_azure(stack: LocalStack, client: OpenAI) -> None:
    with pytest.raises(NotFoundError) as caught:
        client.chat.completions.create(model="gpt-4", messages=chat.user("What is the capital of France?"))
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert all(model.id in str(caught.value.body) for model in client.models.list())
    assert stack.azure.journal.exchanges == []


def test_the_models_are_the_names_that_callers_use(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [
        "gpt-4o-mini",
        "gpt-4o",
        "gpt-5-mini",
        "text-embedding-3-small",
    ]
