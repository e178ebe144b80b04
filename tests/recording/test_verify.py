"""`verify` sends recorded requests again. It ranks the drift, and writes nothing."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from emulator.recording.drift import drifts
from emulator.stack import CASSETTES, ROOT
from emulator.tape import cassette
from emulator.tape.cassette import Response
from tests.golden import assert_golden
from tests.recording.conftest import Live
from tests.recording.test_with_pytest import environment


def response(name: str) -> Response:
    return cassette.load(CASSETTES / f"{name}.yaml").interactions[0].response


QUESTION, STORY, SKY = response("chat/question"), response("chat/stream"), response("responses/stream")


def changed(recorded: Response, pattern: str, new: str, **more: object) -> Response:
    body = re.sub(pattern.encode(), new.encode(), recorded.body)
    assert body != recorded.body or more
    return replace(recorded, body=body, **more)  # type: ignore[arg-type]


TODAY = {
    "other ids and dates": (QUESTION, changed(QUESTION, r'"created":\d+', '"created":1')),
    "another status": (QUESTION, replace(QUESTION, status=404, body=b'{"error":{"code":"DeploymentNotFound"}}')),
    "no stream any more": (STORY, QUESTION),
    "another type": (QUESTION, changed(QUESTION, r'"prompt_tokens":\d+', '"prompt_tokens":"12"')),
    "a field is gone": (QUESTION, changed(QUESTION, r'"finish_reason":"stop",', "")),
    "a field is new": (QUESTION, changed(QUESTION, r'"index":0', '"index":0,"mood":"good"')),
    "another model": (QUESTION, changed(QUESTION, "gpt-4o-mini-2024-07-18", "gpt-4o-mini-2026-01-01")),
    "other words": (QUESTION, changed(QUESTION, "Paris", "The city of Paris")),
    "other words in a stream": (STORY, changed(STORY, '"content":" ', '"content":"  ')),
    "an event is gone": (SKY, changed(SKY, r"event: response.in_progress\ndata: .*\n\n", "")),
    "more tokens": (QUESTION, changed(QUESTION, r'"completion_tokens":\d+', '"completion_tokens":99')),
    "a header is gone": (QUESTION, replace(QUESTION, headers=QUESTION.headers[:-1])),
}


def test_drift_is_told_by_how_much_it_matters() -> None:
    told = [f"{name}\n" + "".join(f"  {drift}\n" for drift in drifts(*pair)) for name, pair in TODAY.items()]
    assert_golden("../recording/golden/drift.txt", "\n".join(told))


@pytest.mark.parametrize("name", ["chat/question", "chat/stream", "responses/stream", "embeddings/base64"])
def test_what_did_not_change_has_no_drift(name: str) -> None:
    assert drifts(response(name), response(name)) == []


def verify(live: Live, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "emulator", "record", "--verify", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment(live), capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_everything_in_a_folder_is_asked_again(live: Live, folder: Path) -> None:
    for name in ("chat/question", "chat/stream", "responses/background", "embeddings/base64"):
        cassette.save(
            folder / f"{name}.yaml", cassette.load(CASSETTES / f"{name}.yaml").interactions, {"origin": "recorded"}
        )
    before = {path: path.read_bytes() for path in folder.rglob("*.yaml")}
    asked = next(i for i in live.azure.library.interactions() if i.label == "chat/question #1")
    object.__setattr__(asked.response, "body", asked.response.body.replace(b'"finish_reason":"stop",', b""))
    status, told = verify(live, "--cassettes", str(folder))
    assert status == 1
    assert_golden("../recording/golden/verify.txt", told)
    assert {path: path.read_bytes() for path in folder.rglob("*.yaml")} == before


def test_what_is_in_order_ends_well(live: Live) -> None:
    assert verify(live, "chat/question") == (
        0,
        "chat/question #1: as recorded\n1 request, 19 tokens, about $0.0000\n",
    )


def test_a_budget_holds_for_asking_again_too(live: Live) -> None:
    status, told = verify(live, "--max-requests", "1", "chat/question", "chat/stream")
    assert (status, len(live.azure.journal.exchanges)) == (0, 1)
    assert "chat/stream #1: not asked again: The run has made its 1 requests" in told


def test_a_name_that_no_cassette_has_is_told(live: Live) -> None:
    status, told = verify(live, "chat/nothing")
    assert status == 2
    assert told.startswith("error: There is no cassette chat/nothing. There are: chat/choices, chat/conversation")
