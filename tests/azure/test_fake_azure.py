"""The fake Azure answers as Azure does where no recording is involved. Exact bytes, over real HTTP."""

import time
from collections.abc import Iterator

import httpx
import pytest

from emulator.azure import FakeAzure
from emulator.azure.app import IDENTITY_PATH
from emulator.azure.identity import AUDIENCE
from emulator.server import bind, serving
from emulator.tape.library import Library
from tests.support import recording

BODY = b'{"model":"gpt-4o-mini"}'
CHAT = "/openai/v1/chat/completions"
DATED = "/openai/deployments/gpt-4o-mini/chat/completions?api-version="
BAD_TOKEN = (
    b'{"statusCode":401,"message":"Unauthorized. Access token is missing, invalid, audience is incorrect '
    b'(https://cognitiveservices.azure.com), or have expired."}'
)
NOT_FOUND = b'{"error":{"code":"404","message": "Resource not found"}}'


class Running:
    def __init__(self, azure: FakeAzure, base: str) -> None:
        self.azure, self.base = azure, base

    def post(self, path: str, **headers: str) -> httpx.Response:
        return httpx.post(self.base + path, content=BODY, headers=headers)

    def token(self, resource: str = AUDIENCE) -> httpx.Response:
        query = f"?api-version=2019-08-01&resource={resource}"
        return httpx.get(
            f"{self.base}{IDENTITY_PATH}{query}", headers={"X-IDENTITY-HEADER": self.azure.identity.header}
        )


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    azure = FakeAzure(Library([recording(BODY, b'{"ok":1}')]))
    with serving(azure, bind(0)) as base:
        yield Running(azure, base)


@pytest.fixture(autouse=True)
def clean(running: Running) -> None:
    running.azure.reset()


def test_a_key_or_a_token_opens_every_generation(running: Running) -> None:
    bearer = {"authorization": f"Bearer {running.token().json()['access_token']}"}
    for path in (CHAT, "/" + CHAT, DATED + "2024-05-01-preview", DATED + "2030-01-01"):
        assert running.post(path, **bearer).content == b'{"ok":1}'
        assert running.post(path, **{"api-key": running.azure.api_key}).content == b'{"ok":1}'


def test_a_wrong_key_is_azures_401_of_224_bytes(running: Running) -> None:
    answer = running.post(CHAT, **{"api-key": "wrong"})
    assert answer.status_code == 401
    assert len(answer.content) == 224
    assert answer.json()["error"]["code"] == "401"


@pytest.mark.parametrize("token", ["-", "x", "a.b.c", "é.é.é"])
def test_a_token_of_somebody_else_is_azures_401_without_an_envelope(running: Running, token: str) -> None:
    answer = httpx.post(running.base + CHAT, content=BODY, headers={"authorization": f"Bearer {token}".encode()})
    assert (answer.status_code, answer.content) == (401, BAD_TOKEN)


def test_an_expired_token_or_one_for_another_audience_is_refused(running: Running) -> None:
    identity = running.azure.identity
    soon = int(time.time()) + 60
    good = identity.mint(AUDIENCE, soon)
    assert running.post(CHAT, authorization=f"Bearer {good}").status_code == 200
    for token in (identity.mint(AUDIENCE, soon - 120), identity.mint("https://vault.azure.net", soon), good[:-2]):
        assert running.post(CHAT, authorization=f"Bearer {token}").content == BAD_TOKEN


@pytest.mark.parametrize("path", ["/chat/completions", "/", DATED[: DATED.index("?")], "/openai/responses"])
def test_a_wrong_path_or_no_api_version_is_azures_404(running: Running, path: str) -> None:
    answer = running.post(path, **{"api-key": running.azure.api_key})
    assert (answer.status_code, answer.content) == (404, NOT_FOUND)


def test_responses_on_a_version_without_them_is_azures_400(running: Running) -> None:
    answer = running.post("/openai/responses?api-version=2024-05-01-preview", **{"api-key": running.azure.api_key})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].endswith("2025-03-01-preview and later")
    answer = running.post(f"{CHAT}?api-version=2025-04-01-preview", **{"api-key": running.azure.api_key})
    assert answer.content == b'{"error":{"code":"BadRequest","message":"API version not supported"}}'


def test_the_identity_endpoint_speaks_app_services_protocol(running: Running) -> None:
    answer = running.token("https://cognitiveservices.azure.com")
    minted = answer.json()
    assert set(minted) == {"access_token", "expires_on", "resource", "token_type", "client_id"}
    assert minted["resource"] == "https://cognitiveservices.azure.com", "or azure-identity caches nothing"
    assert isinstance(minted["expires_on"], str)
    assert int(minted["expires_on"]) > time.time()


def test_the_identity_endpoint_wants_its_header(running: Running) -> None:
    query = f"?api-version=2019-08-01&resource={AUDIENCE}"
    assert httpx.get(f"{running.base}{IDENTITY_PATH}{query}").status_code == 401


def test_the_journal_can_be_read_from_another_process_without_credentials(running: Running) -> None:
    running.post(CHAT, **{"api-key": running.azure.api_key})
    read = httpx.get(f"{running.base}/_emulator/journal")
    (exchange,) = read.json()["exchanges"]
    assert (exchange["target"], exchange["recording"], exchange["status"]) == (CHAT, "made up #1", 200)
    assert running.azure.api_key not in read.text
    assert httpx.delete(f"{running.base}/_emulator/journal").json() == {"exchanges": []}


def test_a_miss_is_a_424_that_no_client_retries(running: Running) -> None:
    answer = httpx.post(
        running.base + CHAT, content=b'{"model":"gpt-4o-mini","n":9}', headers={"api-key": running.azure.api_key}
    )
    assert (answer.status_code, answer.headers["x-should-retry"]) == (424, "false")
    assert answer.json()["error"]["code"] == "no_recorded_interaction"
