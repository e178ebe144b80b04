"""Traffic that nobody here wrote: recordings that other projects made of live Azure OpenAI, through the whole chain.

The recordings are not part of this project; AZURE_RECORDINGS names their folder (default: ../shared/azure-recordings).
"""

import asyncio
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from emulator.azure.journal import Exchange
from emulator.azure.plan import NOT_REPLAYED
from emulator.match.library import Library
from emulator.stack import LocalStack
from emulator.tape import cassette
from emulator.tape.canonical import deployment_of, parse_body
from emulator.tape.cassette import Interaction
from emulator.tape.route import Route, parse
from emulator.tape.stream import pieces
from proxy.headers import RESPONSE_HEADERS_DROPPED

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("AZURE_RECORDINGS", ROOT.parent / "shared" / "azure-recordings"))
FILES = cassette.find([FOLDER]) if FOLDER.is_dir() else []

pytestmark = pytest.mark.skipif(not FILES, reason="set AZURE_RECORDINGS to a folder of recordings")

RECORDINGS = [item for path, name in FILES for item in cassette.load(path, name).interactions]


def route_of(interaction: Interaction) -> Route:
    route = parse(interaction.request.uri)
    assert route is not None
    return route


def group_of(interaction: Interaction) -> str:
    """The api-version under which it was recorded; "" is v1."""
    return route_of(interaction).api_version or "v1"


GROUPS = sorted({group_of(item) for item in RECORDINGS})


class Pace:
    """Holds every frame back until the client has all of the ones before it, so that no two can arrive as one."""

    def __init__(self) -> None:
        self.more = asyncio.Event()

    async def __call__(self, exchange: Exchange, piece: int) -> None:
        self.loop = asyncio.get_running_loop()
        while self.received < self.wanted[piece]:
            self.more.clear()
            if self.received < self.wanted[piece]:  # the client's thread counts, and may have counted meanwhile
                await self.more.wait()

    def begin(self, interaction: Interaction) -> None:
        sizes = [len(piece.data) for piece in pieces(interaction.response)]
        self.wanted, self.received = list(itertools.accumulate(sizes, initial=0)), 0

    def take(self, part: bytes) -> None:
        self.received += len(part)
        self.loop.call_soon_threadsafe(self.more.set)


@pytest.fixture(scope="module", params=GROUPS)
def chain(request: pytest.FixtureRequest) -> Iterator[tuple[LocalStack, list[Interaction]]]:
    """The stack on one api-version, with the recordings of that version."""
    recordings = [item for item in RECORDINGS if group_of(item) == request.param]
    pairs = set()
    for item in recordings:
        parsed = parse_body(item.request.body)
        deployment = deployment_of(route_of(item), parsed)
        pairs.add(f"{parsed.get('model', deployment)}={deployment}")
    settings = {"AZURE_OPENAI_API_VERSION": request.param, "AZURE_OPENAI_DEPLOYMENT": ",".join(sorted(pairs))}
    with LocalStack(library=Library(recordings), settings=settings) as stack:
        assert not stack.library.problems
        yield stack, recordings


def expected_headers(interaction: Interaction) -> list[tuple[str, str]]:
    dropped = {name.decode() for name in RESPONSE_HEADERS_DROPPED} | set(NOT_REPLAYED)
    return sorted((name.lower(), value) for name, value in interaction.response.headers if name.lower() not in dropped)


def test_every_recording_comes_back_with_equal_bytes(chain: tuple[LocalStack, list[Interaction]]) -> None:
    stack, recordings = chain
    stack.azure.reset()
    pace = stack.azure.hold = Pace()
    for interaction in recordings:
        route, recorded = route_of(interaction), interaction.response
        pace.begin(interaction)
        parts = []
        url = f"{stack.base_url}/{route.operation}"
        headers = {"x-functions-key": stack.function_key, "content-type": "application/json"}
        with httpx.stream("POST", url, content=interaction.request.body, headers=headers) as answer:
            for part in answer.iter_raw():
                parts.append(part)
                pace.take(part)
        reached = stack.azure.journal.exchanges[-1]
        assert reached.recording == interaction.label
        assert reached.body == interaction.request.body
        if recorded.status in (401, 403):
            assert answer.status_code == 502, interaction.label
            continue
        assert answer.status_code == recorded.status
        assert b"".join(parts) == recorded.body, interaction.label
        if recorded.is_stream:
            assert parts == [piece.data for piece in pieces(recorded)], f"frame boundaries of {interaction.label}"
        own = ("content-length", "transfer-encoding", "server", "date", "server-timing")  # of whom the client speaks to
        kept = sorted((name, value) for name, value in answer.headers.items() if name not in own)
        assert kept == expected_headers(interaction), interaction.label


ERRORS = {400: openai.BadRequestError, 404: openai.NotFoundError, 401: openai.InternalServerError}


def test_the_sdk_reads_every_recording(chain: tuple[LocalStack, list[Interaction]]) -> None:
    """What the SDK makes of the answer is what is in the recording; an error is of the class that its status means."""
    stack, recordings = chain
    stack.azure.reset()
    options: dict[str, Any] = {"base_url": stack.base_url, "api_key": "unused", "max_retries": 0}
    with openai.OpenAI(**options, default_headers={"x-functions-key": stack.function_key}) as client:
        for interaction in recordings:
            call = {
                "chat/completions": client.chat.completions.create,
                "responses": client.responses.create,
                "embeddings": client.embeddings.create,
            }[route_of(interaction).operation]
            arguments = json.loads(interaction.request.body)
            if interaction.response.status >= 400:
                with pytest.raises(ERRORS[interaction.response.status]):
                    call(**arguments)
                continue
            answer = call(**arguments)
            if interaction.response.is_stream:
                events = list(answer)
                recorded = [line for line in interaction.response.body.split(b"\n") if line.startswith(b"data: {")]
                assert len(events) == len(recorded), interaction.label
            else:
                assert answer.id if hasattr(answer, "id") else answer.data, interaction.label
            assert stack.azure.journal.exchanges[-1].recording == interaction.label


def test_every_file_loads() -> None:
    library = Library.from_folders([FOLDER])
    assert library.problems == []
    assert len(library.interactions()) == len(RECORDINGS)
