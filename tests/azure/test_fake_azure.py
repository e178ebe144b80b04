"""The fake Azure answers as Azure does where no recording is involved. Exact bytes, over real HTTP."""

import time
from collections.abc import Iterator

import httpx
import pytest
from openai import OpenAI

from emulator.azure import FakeAzure
from emulator.azure.app import IDENTITY_PATH
from emulator.azure.identity import AUDIENCE
from emulator.match.library import Library
from emulator.page.control import Control
from emulator.page.subject import Subject
from emulator.server import bind, serving
from tests.support import proxy, recording

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
    asked_by_an_sdk = b'{"messages":[],"model":"gpt-4o-mini"}'
    azure = FakeAzure(Library([recording(BODY, b'{"ok":1}'), recording(asked_by_an_sdk, b'{"ok":2}')]))
    with serving(azure, bind(0)) as base, Control(Subject(azure)):
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


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    "audience", ["https://cognitiveservices.azure.com", "https://ai.azure.com", "https://AI.azure.com"]
)
def test_a_token_for_azure_openai_or_for_foundry_opens_both_generations(
    running: Running, audience: str, slash: str
) -> None:
    minted = running.token(audience + slash).json()
    assert minted["resource"] == audience + slash
    for path in (CHAT, DATED + "2024-10-21"):
        assert running.post(path, authorization=f"Bearer {minted['access_token']}").content == b'{"ok":1}'


@pytest.mark.parametrize(
    "audience",
    [
        *("https://management.azure.com", "https://graph.microsoft.com", "https://azure.com", "https://x.ai.azure.com"),
        *("http://ai.azure.com", "https://ai.azure.com/openai", "https://ai.azure.com.example", "ai.azure.com", "/"),
    ],
)
def test_a_token_for_anything_else_opens_neither(running: Running, audience: str) -> None:
    token = running.token(audience).json()["access_token"]
    for path in (CHAT, DATED + "2024-10-21"):
        answer = running.post(path, authorization=f"Bearer {token}")
        assert (answer.status_code, answer.content) == (401, BAD_TOKEN)


def test_the_proxy_may_ask_for_foundrys_scope() -> None:
    settings = {"AZURE_OPENAI_SCOPE": "https://ai.azure.com/.default"}
    with proxy(library=Library([recording(BODY, b'{"ok":1}')]), settings=settings) as started:
        answer = httpx.post(f"{started.base_url}/chat/completions", content=BODY, headers=started.headers)
    assert answer.content == b'{"ok":1}'


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer   "])
def test_v1_takes_the_key_as_a_bearer_token(running: Running, scheme: str) -> None:
    for path in (CHAT, "/" + CHAT, CHAT + "?api-version=preview"):
        assert running.post(path, authorization=scheme + running.azure.api_key).content == b'{"ok":1}'


def test_the_sdk_reaches_v1_with_nothing_but_the_key(running: Running) -> None:
    with OpenAI(base_url=f"{running.base}/openai/v1/", api_key=running.azure.api_key, max_retries=0) as client:
        raw = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=[])
    assert raw.http_response.content == b'{"ok":2}'


def test_a_dated_version_takes_the_key_in_its_own_header_only(running: Running) -> None:
    for version in ("2024-10-21", "2030-01-01-preview"):
        answer = running.post(DATED + version, authorization=f"Bearer {running.azure.api_key}")
        assert (answer.status_code, answer.content) == (401, BAD_TOKEN)


@pytest.mark.parametrize("said", ["Bearer {}x", "Bearer x{}", "Bearer{}", "Bearer", "{}", "Basic {}", "Bearer {} {}"])
def test_what_is_not_quite_the_key_is_azures_401(running: Running, said: str) -> None:
    answer = running.post(CHAT, authorization=said.replace("{}", running.azure.api_key))
    assert (answer.status_code, answer.content) == (401, BAD_TOKEN)
    answer = running.post(CHAT, authorization=f"Bearer {running.azure.api_key}", **{"api-key": "wrong"})
    assert (answer.status_code, len(answer.content)) == (401, 224), "its own header counts first"


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
