"""A real client gets Azure's errors through the proxy: Azure's bytes, and the exception that they mean.

Azure's 401 and 403 are about the proxy's own identity; the caller gets the proxy's 502 instead.
"""

import re
from collections.abc import Iterator

import httpx
import openai
import pytest

from emulator.azure.errors import ERRORS
from emulator.match.library import Library
from tests.support import Proxy, proxy, recording

BODY = b'{"messages":[],"model":"gpt-4o-mini"}'
EXCEPTIONS = {
    400: openai.BadRequestError,
    404: openai.NotFoundError,
    408: openai.APIStatusError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    502: openai.InternalServerError,
    503: openai.InternalServerError,
}
FACTS = {
    "seconds": "60",
    "model": "gpt-4o-mini",
    "deployment": "gpt-4o-mini",
    "operation": "ChatCompletions_Create",
    "api_version": "v1",
}
PASSED_ON = sorted(name for name, error in ERRORS.items() if error.status not in (401, 403))
ABOUT_THE_PROXY = {
    "bad_key": "upstream_token_refused",
    "bad_token": "upstream_token_refused",
    "key_disabled": "upstream_token_refused",
    "network_denied": "upstream_network_denied",
    "permission_denied": "upstream_authentication_error",
}
assert set(ABOUT_THE_PROXY) == set(ERRORS) - set(PASSED_ON)


@pytest.fixture(scope="module")
def running() -> Iterator[Proxy]:
    settings = {"AZURE_OPENAI_DEPLOYMENT": "gpt-4o-mini,not-there"}
    with proxy(library=Library([recording(BODY, b"{}")]), settings=settings) as started:
        yield started


@pytest.fixture
def client(running: Proxy) -> Iterator[openai.OpenAI]:
    running.azure.reset()
    options = {"base_url": running.base_url, "api_key": "unused", "default_headers": running.headers}
    with openai.OpenAI(**options, max_retries=0) as made:  # type: ignore[arg-type]
        yield made


@pytest.mark.parametrize("name", PASSED_ON)
def test_azures_error_reaches_the_client_byte_for_byte(client: openai.OpenAI, name: str) -> None:
    error = ERRORS[name]
    with pytest.raises(EXCEPTIONS[error.status]) as caught:
        client.chat.completions.create(model="gpt-4o-mini", messages=[], extra_headers={"openai-emulator-fault": name})
    answer = caught.value.response
    assert answer.status_code == error.status
    assert answer.content == error.body_for(FACTS)
    assert not re.search(rb"<(model|deployment|operation|api_version)>", answer.content)
    for header, value in error.headers_for(FACTS):
        if header != "strict-transport-security":  # about Azure's host
            assert answer.headers[header] == value
    assert ("content-type" in answer.headers) == ("content-type" in dict(error.headers))


@pytest.mark.parametrize("name", ABOUT_THE_PROXY)
def test_azures_word_about_the_proxys_identity_is_a_502(client: openai.OpenAI, name: str) -> None:
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="gpt-4o-mini", messages=[], extra_headers={"openai-emulator-fault": name})
    assert caught.value.status_code == 502
    assert caught.value.code == ABOUT_THE_PROXY[name]


def test_a_deployment_that_does_not_exist_is_azures_error(running: Proxy, client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="not-there", messages=[])
    assert caught.value.response.content == ERRORS["unknown_model"].body_for({"model": "not-there"})
    settings = {"AZURE_OPENAI_DEPLOYMENT": "not-there", "AZURE_OPENAI_API_VERSION": "2024-10-21"}
    with proxy(library=Library([recording(BODY, b"{}")]), settings=settings) as dated:
        answer = httpx.post(f"{dated.base_url}/chat/completions", content=b"{}", headers=dated.headers)
    assert (answer.status_code, answer.content) == (404, ERRORS["deployment_not_found"].body.encode())
    assert "content-type" not in answer.headers


def test_a_rate_limit_is_waited_out_as_it_says(running: Proxy) -> None:
    """`retry-after-ms` reaches the SDK, which makes its three tries in a fraction of a second."""
    running.azure.reset()
    running.azure.misbehave("rate_limited_briefly")
    options = {"base_url": running.base_url, "api_key": "unused", "default_headers": running.headers}
    with openai.OpenAI(**options, max_retries=2) as patient, pytest.raises(openai.RateLimitError):  # type: ignore[arg-type]
        patient.chat.completions.create(model="gpt-4o-mini", messages=[])
    first, second, third = running.azure.journal.exchanges
    assert 0.04 < second.started_at - first.started_at < 0.5
    assert [e.header("x-stainless-retry-count") for e in (first, second, third)] == ["0", "1", "2"]


def test_the_lengths_that_were_recorded_are_kept() -> None:
    lengths = {"bad_key": 224, "permission_denied": 99, "deployment_not_found_2024": 198, "not_found": 56}
    assert {name: len(ERRORS[name].body) for name in lengths} == lengths


def test_every_error_says_how_it_is_known() -> None:
    assert {error.evidence.split()[0] for error in ERRORS.values()} == {"recorded", "reported", "inferred"}


def test_an_unknown_fault_names_the_known_ones(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model="gpt-4o-mini", messages=[], extra_headers={"openai-emulator-fault": "?"})
    assert caught.value.code == "unknown_fault"
    assert "rate_limited" in str(caught.value)
