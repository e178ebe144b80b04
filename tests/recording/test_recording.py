"""A recording holds what the live service sent, and plays it back unchanged."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openai import APIStatusError

from emulator.azure.plan import NOT_REPLAYED
from emulator.match.library import Library
from emulator.recording.stack import Wish
from emulator.scrub.secret import PLACEHOLDER
from emulator.server import bind, serving
from emulator.stack import CASSETTES
from emulator.synthetic import Scenario
from emulator.tape import cassette
from emulator.tape.cassette import Interaction
from emulator.tape.form import fields_of
from tests.e2e.scenarios import chat, embeddings, errors, media, responses, stored
from tests.recording.conftest import Live

MODULES = (chat, responses, embeddings, errors, stored, media)
SCENARIOS = {scenario.name: scenario for module in MODULES for scenario in module.SCENARIOS}


def told(interactions: tuple[Interaction, ...]) -> list[tuple[object, ...]]:
    """Each request, and its answer without times and without the server's own headers."""
    asked = [(i.request.method, i.request.uri, fields_of(i.request.body) or i.request.body) for i in interactions]
    answers = [(headers_of(i), replace(i.response, headers=(), frame_at_ms=())) for i in interactions]
    return list(zip(asked, answers, strict=True))


def headers_of(interaction: Interaction) -> list[tuple[str, str]]:
    pairs = ((name.lower(), value) for name, value in interaction.response.headers)
    return sorted(pair for pair in pairs if pair[0] not in NOT_REPLAYED)


def of(folder: Path, name: str) -> tuple[Interaction, ...]:
    return cassette.load(folder / f"{name}.yaml").interactions


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All requests of the scenarios, recorded from a live service that plays their cassettes."""
    folder = tmp_path_factory.mktemp("recorded")
    with Live.started() as live, live.stack(folder, Wish("rewrite", errors=True), folder / "run") as stack:
        for scenario in SCENARIOS.values():
            stack.begin(scenario.name)
            scenario.play(stack.base_url, stack.function_key)
            stack.finish()
    return folder


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_a_recording_is_what_the_live_service_sent(scenario: Scenario, recorded: Path) -> None:
    assert told(of(recorded, scenario.name)) == told(of(CASSETTES, scenario.name))


def test_each_frame_arrives_while_it_is_recorded(live: Live, folder: Path) -> None:
    """The live service sends a frame only when the client has the frame before it."""
    read = 0

    async def hold(exchange: object, number: int) -> None:
        while number > read:
            await asyncio.sleep(0.001)

    live.azure.hold = hold
    with live.recording(folder, "chat/stream", "once") as client:
        for _ in chat.story(client):
            read += 1
        assert read == len(of(CASSETTES, "chat/stream")[0].response.frames()) - 1, "all but [DONE], one by one"
        read += 1_000


def test_a_stream_is_recorded_with_the_times_of_its_frames(folder: Path) -> None:
    with Live.started(time_scale=10.0) as live, live.recording(folder, "chat/stream", "once") as client:
        list(chat.story(client))
    original, copied = (of(where, "chat/stream")[0].response for where in (CASSETTES, folder))
    assert len(copied.frame_at_ms) == len(original.frame_at_ms)
    assert copied.frame_at_ms[0] > 10, "the first frame left 30 ms after the headers; the clocks are two"
    assert list(copied.frame_at_ms) == sorted(copied.frame_at_ms)


def test_pieces_that_are_no_frames_are_kept_as_they_came(folder: Path, tmp_path: Path) -> None:
    """One frame in two pieces, then two frames in one piece."""
    source = of(CASSETTES, "chat/stream")[0]
    size = len(source.response.body)
    cut = replace(source.response, frame_at_ms=(), frame_bytes=(10, 400, size - 410))
    cassette.save(tmp_path / "live" / "odd.yaml", [replace(source, response=cut)], {"origin": "synthetic"})
    with Live.started([tmp_path / "live"]) as live, live.recording(folder, "odd", "once") as client:
        list(chat.story(client))
    assert of(folder, "odd")[0].response.frame_bytes == (10, 400, size - 410)


def test_a_recording_of_a_replay_is_the_same_file(folder: Path, tmp_path: Path) -> None:
    """The file stays the same byte for byte, with the schedules of its streams."""
    record(CASSETTES, folder, time_scale=10.0)
    before = (folder / "chat/some.yaml").read_bytes()
    shutil.copytree(folder, tmp_path / "live")
    record(tmp_path / "live", folder, time_scale=1.0)
    assert (folder / "chat/some.yaml").read_bytes() == before


def record(live: Path, folder: Path, time_scale: float) -> None:
    with (
        Live.started([live], time_scale=time_scale) as service,
        service.recording(folder, "chat/some", "rewrite") as client,
    ):
        chat.question(client)
        list(chat.story(client))
        list(responses.sky_streamed(client))


def test_two_runs_on_one_answer_change_only_what_changed(live: Live, folder: Path) -> None:
    for _ in range(2):
        with live.recording(folder, "chat/some", "all") as client:
            chat.question(client)
            list(chat.story(client))
    before = (folder / "chat/some.yaml").read_text()
    live.azure.library = Library(
        replace(old, response=replace(old.response, body=old.response.body.replace(b"Paris", b"Lyons")))
        for old in live.azure.library.interactions()
    )
    with live.recording(folder, "chat/some", "all") as client:
        chat.question(client)
    assert (folder / "chat/some.yaml").read_text() == before.replace("Paris", "Lyons")


@pytest.mark.parametrize("path", ["/class-ai", "/apis/class-ai/v2", "/openai", "/class-ai/"])
def test_what_is_recorded_behind_a_base_with_a_path_plays_without_it(path: str, live: Live, folder: Path) -> None:
    """API Management has such a path: https://contoso.azure-api.net/class-ai/openai/v1/…"""

    async def management(scope: Any, receive: Any, send: Any) -> None:
        assert scope["path"].startswith(path.rstrip("/") + "/openai/v1/")
        below = {name: scope[name][len(path.rstrip("/")) :] for name in ("path", "raw_path")}
        await live.azure({**scope, **below}, receive, send)

    with serving(management, bind(0)) as base:
        live.env["AZURE_OPENAI_BASE"] = base + path
        with live.recording(folder, "x") as client:
            chat.question(client)
    (written,) = cassette.load(folder / "x.yaml").interactions
    assert written.request.uri == f"{PLACEHOLDER}/openai/v1/chat/completions"
    (synthetic,) = cassette.load(CASSETTES / "chat/question.yaml").interactions
    assert written.request.meaning == synthetic.request.meaning


def test_a_refusal_names_the_place_also_where_only_the_call_gives_the_secret_away(live: Live, folder: Path) -> None:
    with live.recording(folder, "x") as client:
        key = str(client.default_headers["api-key"])
        with pytest.raises(APIStatusError) as refused:
            client.responses.create(model=chat.MODEL, input=f"My key is {key}.")
    told = str(refused.value.body)
    assert "request body: it says what is secret elsewhere in this call" in told
    assert key not in told
    assert not live.azure.journal.exchanges
