"""Every recording plays, even on a route that the emulator does not know: method, path, query and body match it."""

from collections.abc import Iterator

import httpx
import pytest

from emulator.azure import FakeAzure
from emulator.match.library import Library
from emulator.server import bind, serving
from emulator.tape.interaction import Interaction, Request, Response

UPLOAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\xff\xfe\r\n--b--\r\n'
X, DATED = "/openai/deployments/X", "?api-version=2024-10-21"
RECORDED = [
    ("POST", f"{X}/completions{DATED}", b'{"prompt":"a"}'),
    ("POST", f"{X}/extensions/chat/completions?api-version=2023-08-01-preview", b'{"messages":[]}'),
    ("POST", f"{X}/images/generations{DATED}", b'{"prompt":"a"}'),
    ("POST", f"{X}/images/edits{DATED}", UPLOAD),
    ("POST", f"{X}/audio/speech{DATED}", b'{"input":"a"}'),
    ("POST", f"{X}/audio/transcriptions{DATED}", UPLOAD),
    ("POST", f"/openai/deployments/X%2FY/completions{DATED}", b'{"prompt":"a"}'),
    ("POST", "/openai/v1/completions", b'{"model":"X","prompt":"b"}'),
    ("POST", "/openai/v1/images/generations?api-version=preview", b'{"model":"X","prompt":"b"}'),
    ("POST", "/openai/v1/files", UPLOAD),
    ("GET", "/openai/v1/files?purpose=batch&limit=3", b""),
    ("GET", "/openai/v1/files?purpose=batch&limit=4", b""),
    ("GET", f"/openai/files/file-1/content{DATED}", b""),
    ("DELETE", f"/openai/files/file-1{DATED}", b""),
    ("PATCH", "/openai/v1/things/1?x=1&x=2&y=", b'{"a":1}'),
    ("PUT", "/openai/v1/things/1?x=1&x=2&y=", b'{"a":1}'),
    ("PROPFIND", "/openai/v1/things/a%20b", b""),
    ("POST", "/openai/images/generations:submit?api-version=2023-06-01-preview", b'{"prompt":"a"}'),
    ("GET", "/openai/deployments?api-version=2022-12-01", b""),
    ("POST", "/openai/threads", b"{}"),  # our rules refuse no api-version, `latest`, a dated one on v1
    ("POST", "/openai/assistants?api-version=latest", b"{}"),
    ("POST", f"/openai/v1/evals{DATED}", b"{}"),
    ("POST", f"/openai/chat/completions{DATED}", b'{"messages":[]}'),
    ("POST", f"{X}/responses{DATED}", b'{"input":"a"}'),
]


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    library = Library(
        Interaction(
            Request(method, f"https://r.openai.azure.com{target}", (), body), Response(200, "OK", (), b"%d" % at)
        )
        for at, (method, target, body) in enumerate(RECORDED)
    )
    assert not library.problems
    azure = FakeAzure(library)
    with serving(azure, bind(0)) as base, httpx.Client(base_url=base, headers={"api-key": azure.api_key}) as made:
        yield made


@pytest.mark.parametrize("at", range(len(RECORDED)), ids=[f"{method} {target}" for method, target, _ in RECORDED])
def test_a_recorded_route_plays_though_nothing_is_known_of_it(client: httpx.Client, at: int) -> None:
    method, target, body = RECORDED[at]
    for _ in range(2):
        answer = client.request(method, target, content=body)
        assert (answer.status_code, answer.content) == (200, b"%d" % at)
    answer = client.request(method, target, content=body, headers={"api-key": "wrong"})
    assert (answer.status_code, len(answer.content)) == (401, 224)


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", f"{X}/completions{DATED}", b'{"prompt":"another"}'),
        ("GET", f"{X}/completions{DATED}", b'{"prompt":"a"}'),
        ("POST", f"{X}/completions{DATED}&x=1", b'{"prompt":"a"}'),
        ("POST", f"{X}/images/variations{DATED}", UPLOAD),
        ("POST", "/openai/v1/files", UPLOAD.replace(b"RIFF", b"WAVE")),
        ("GET", "/openai/v1/files?purpose=batch&limit=5", b""),
        ("PATCH", "/openai/v1/things/1?x=1&y=", b'{"a":1}'),
    ],
)
def test_what_differs_in_method_path_query_or_body_is_a_miss(
    client: httpx.Client, method: str, target: str, body: bytes
) -> None:
    answer = client.request(method, target, content=body)
    assert answer.status_code == 424
    assert answer.json()["error"]["code"] == "no_recorded_interaction"


def test_a_recorded_route_plays_on_every_api_version_and_on_v1(client: httpx.Client) -> None:
    for version in ("2023-05-15", "2030-01-01-preview"):
        assert client.post(f"{X}/completions?api-version={version}", content=b'{"prompt":"a"}').content == b"0"
    assert client.post("/openai/v1/completions", content=b'{"model":"X","prompt":"a"}').content == b"0"


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (f"{X}/completions", 404),
        ("/openai/assistants?api-version=newest", 404),
        ("/openai/v1/evals?api-version=2024-05-01-preview", 400),
        ("/openai/chat/completions?api-version=2023-05-15", 404),
        (f"{X}/responses?api-version=2025-04-01-preview", 404),
    ],
)
def test_a_recording_of_another_address_opens_no_route_that_azure_refuses(
    client: httpx.Client, target: str, status: int
) -> None:
    body = next(body for _, recorded, body in RECORDED if recorded.startswith(target.partition("?")[0]))
    assert client.post(target, content=body).status_code == status
