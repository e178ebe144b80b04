"""Our cassettes are stock VCR.py files: vcrpy plays what we write, and we play what vcrpy writes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import requests
import vcr
import yaml

from emulator.azure import FakeAzure
from emulator.azure.asgi import Receive, Scope, Send, read_body
from emulator.match.library import Library
from emulator.server import bind, serving
from emulator.stack import CASSETTES
from emulator.tape import cassette
from emulator.tape.canonical import key_of, parse_body
from emulator.tape.route import parse

NAMES = [name for path, name in cassette.find([CASSETTES]) if path.suffix == ".yaml"]
MATCH_ON = ["method", "scheme", "host", "port", "path", "query", "body"]
SSE = b'data: {"choices":[]}\n\ndata: {"text":"h\xc3\xa9 \xf0\x9f\x8e\x89"}\n\ndata: [DONE]\n\n'
ANSWERS: dict[str, tuple[int, bytes, bytes]] = {  # path: (status, content type, body)
    "/openai/v1/chat/completions": (200, b"application/json", '{"text": "Grüße 🎉"}\n'.encode()),
    "/openai/deployments/gpt-4o-mini/chat/completions": (200, b"text/event-stream; charset=utf-8", SSE),
    "/openai/v1/responses": (429, b"application/json", b'{"error":{"code":"RateLimitReached"}}'),
    "/openai/v1/embeddings": (200, b"application/octet-stream", bytes(range(256))),
}


def test_there_are_cassettes() -> None:
    assert len(NAMES) > 30


@pytest.mark.parametrize("name", NAMES)
def test_vcrpy_plays_our_cassette_with_equal_bytes(name: str) -> None:
    path = CASSETTES / f"{name}.yaml"
    with vcr.use_cassette(str(path), record_mode="none", match_on=MATCH_ON) as played, httpx.Client() as client:
        for interaction in cassette.load(path, name).interactions:
            asked, recorded = interaction.request, interaction.response
            answer = client.request(asked.method, asked.uri, content=asked.body, headers=list(asked.headers))
            assert (answer.status_code, answer.content) == (recorded.status, recorded.body)
            assert sorted(answer.headers.multi_items()) == sorted((k.lower(), v) for k, v in recorded.headers)
        assert played.all_played


@pytest.mark.parametrize("name", NAMES)
def test_a_cassette_says_where_it_comes_from_and_what_it_shows(name: str) -> None:
    notes = cassette.load(CASSETTES / f"{name}.yaml", name).notes
    assert notes["origin"] in ("synthetic", "recorded")
    assert notes["about"].endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_writing_a_cassette_again_changes_nothing(name: str, tmp_path: Path) -> None:
    path = CASSETTES / f"{name}.yaml"
    loaded = cassette.load(path, name)
    cassette.save(tmp_path / "again.yaml", loaded.interactions, loaded.notes)
    assert yaml.safe_load((tmp_path / "again.yaml").read_text()) == yaml.safe_load(path.read_text())


def test_no_cassette_holds_a_credential() -> None:
    for name in NAMES:
        text = (CASSETTES / f"{name}.yaml").read_text().lower()
        assert not [word for word in ("authorization", "api-key", "functions-key", "bearer", "cookie") if word in text]


def test_no_two_cassettes_answer_the_same_request() -> None:
    """Two such cassettes would take turns, and each test would get the other's answer."""
    files: dict[Any, set[str]] = {}
    for name in NAMES:
        for interaction in cassette.load(CASSETTES / f"{name}.yaml", name).interactions:
            route = parse(interaction.request.uri)
            assert route is not None
            key = key_of(interaction.request.method, route, parse_body(interaction.request.body))
            files.setdefault(key, set()).add(name)
    assert [sorted(names) for names in files.values() if len(names) > 1] == []


class Talked(NamedTuple):
    """A request of the client, and the answer that it got."""

    target: str
    sent: bytes
    status: int
    got: bytes


def with_httpx(url: str, asked: dict[str, Any]) -> Talked:
    with httpx.Client() as client:
        answer = client.post(url, json=asked)
    return Talked(answer.request.url.raw_path.decode(), answer.request.content, answer.status_code, answer.content)


def with_requests(url: str, asked: dict[str, Any]) -> Talked:
    with requests.Session() as session:
        answer = session.post(url, json=asked, timeout=10)
    assert isinstance(answer.request.body, bytes)
    return Talked(answer.request.path_url, answer.request.body, answer.status_code, answer.content)


@pytest.fixture(params=[with_httpx, with_requests], ids=["httpx", "requests"])
def recorded_by_vcrpy(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, list[Talked]]:
    """A cassette that vcrpy recorded from a local server, with its client's requests and answers."""

    async def server(scope: Scope, receive: Receive, send: Send) -> None:
        await read_body(receive)
        status, kind, body = ANSWERS[scope["path"]]
        headers = [(b"content-type", kind), (b"x-request-id", b"1"), (b"x-twice", b"a"), (b"x-twice", b"b")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for at in range(0, len(body), 20):
            await send({"type": "http.response.body", "body": body[at : at + 20], "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    path = tmp_path / "recorded.yaml"
    with serving(server, bind(0)) as base, vcr.use_cassette(str(path), record_mode="all"):
        talked = []
        for number, route in enumerate(ANSWERS):
            asked = {"model": "gpt-4o-mini", "input": f"Grüße {number}", "stream": route.startswith("/openai/dep")}
            query = "?api-version=2024-10-21" if "deployments" in route else ""
            talked.append(request.param(base + route + query, asked))
    return path, talked


def test_the_emulator_plays_what_vcrpy_recorded(recorded_by_vcrpy: Any) -> None:
    path, talked = recorded_by_vcrpy
    library = Library.from_folders([path.parent])
    assert library.problems == []
    assert len(library.interactions()) == len(ANSWERS)
    azure = FakeAzure(library)
    with serving(azure, bind(0)) as base, httpx.Client(base_url=base, headers={"api-key": azure.api_key}) as client:
        for target, sent, status, got in talked:
            again = client.post(target, content=sent)
            assert (again.status_code, again.content) == (status, got)
            assert again.headers["x-request-id"] == "1"
            assert again.headers.get_list("x-twice") == ["a", "b"]
    assert [exchange.miss for exchange in azure.journal.exchanges] == [None] * len(ANSWERS)


WITH_PYTEST_RECORDING = """
import httpx
import pytest
import yaml

def test_it_plays(cassette):
    with open(cassette) as file:
        recorded = yaml.safe_load(file)["interactions"]
    with httpx.Client() as client:
        for interaction in recorded:
            asked, answer = interaction["request"], interaction["response"]
            got = client.request(asked["method"], asked["uri"], content=asked["body"] or "")
            body = answer["body"]["string"]
            assert got.status_code == answer["status"]["code"]
            assert got.content == (body if isinstance(body, bytes) else body.encode())

def pytest_generate_tests(metafunc):
    paths = [pytest.param(path, marks=pytest.mark.vcr(path)) for path in PATHS]
    metafunc.parametrize("cassette", paths)

@pytest.fixture(scope="module")
def vcr_config():
    return {"match_on": MATCH_ON}
"""


def test_pytest_recording_plays_our_cassettes(tmp_path: Path) -> None:
    """The test blocks the network, so only the cassette can answer."""
    paths = [str(CASSETTES / f"{name}.yaml") for name in NAMES]
    constants = f"PATHS = {paths!r}\nMATCH_ON = {MATCH_ON!r}\n"
    (tmp_path / "test_others.py").write_text(constants + WITH_PYTEST_RECORDING)
    command = [sys.executable, "-m", "pytest", "-q", "--record-mode=none", "--block-network", "test_others.py"]
    alone = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "pytest_recording.plugin"}
    done = subprocess.run(command, cwd=tmp_path, env=alone, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout
    assert f"{len(NAMES)} passed" in done.stdout
