"""Each fault does to an answer what its name says, the same every time, and leaves the recording unplayed."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from emulator.azure import FakeAzure, errors, faults, identity
from emulator.azure.faults import FAULTS, FaultError
from emulator.emulation import Emulator
from emulator.match.library import Library
from emulator.server import bind, serving
from emulator.stack import CASSETTES, ROOT
from emulator.tape import cassette
from emulator.tape.interaction import Interaction
from tests.e2e.scenarios import chat
from tests.golden import assert_golden

STORY = cassette.load(CASSETTES / "chat/stream.yaml").interactions[0]
QUESTION = cassette.load(CASSETTES / "chat/question.yaml").interactions[0]
FRAMES, WHOLE = STORY.response.frames(), STORY.response.body
JSON = QUESTION.response.body


@pytest.fixture(scope="module")
def azure() -> Iterator[FakeAzure]:
    fake = FakeAzure(Library([STORY, QUESTION]))
    with serving(fake, bind(0)) as base:
        fake.base = base  # type: ignore[attr-defined]
        yield fake


@pytest.fixture(autouse=True)
def afresh(azure: FakeAzure) -> None:
    azure.reset()


def ask(
    azure: FakeAzure, wish: str | None, asked: Interaction = STORY, timeout: float = 10.0
) -> tuple[int, bytes, str]:
    """(status, bytes that came, how the answer ended)"""
    status, got, headers = 0, b"", {"api-key": azure.api_key} | ({"openai-emulator-fault": wish} if wish else {})
    path = httpx.URL(asked.request.uri).raw_path.decode()
    try:
        with httpx.stream(
            "POST",
            azure.base + path,
            content=asked.request.body,
            headers=headers,
            timeout=timeout,  # type: ignore[attr-defined]
        ) as answer:
            status = answer.status_code
            for piece in answer.iter_raw():
                got += piece
    except httpx.HTTPError as error:
        return status, got, type(error).__name__
    return status, got, "complete"


CUT = "RemoteProtocolError"
EXPECTED = {  # wish: (status, bytes that come, how the answer ends)
    "slow_first_byte; seconds=0.05": (200, WHOLE, "complete"),
    "slow_frames; seconds=0.001": (200, WHOLE, "complete"),
    "stall; at_frame=2": (200, b"".join(FRAMES[:2]), "ReadTimeout"),
    "reset": (0, b"", "ReadError"),
    "reset; at_frame=2": (200, b"".join(FRAMES[:2]), "ReadError"),
    "reset; at_byte=100": (200, WHOLE[:100], "ReadError"),
    "close; at_frame=3": (200, b"".join(FRAMES[:3]), CUT),
    "close; at_byte=1000": (200, WHOLE[:1000], CUT),
    "malformed_chunk; at_frame=2": (200, b"".join(FRAMES[:2]), CUT),
    "malformed_json; at_frame=2": (
        200,
        b"".join([*FRAMES[:2], b'data: {"choices":[{\n\n', *FRAMES[2:]]),
        "complete",
    ),
    "half_character; at_frame=1": (200, FRAMES[0] + b'data: {"choices":[{"delta":{"content":"\xe2\x82', CUT),
    "no_end": (200, b"".join(FRAMES[:-1]), "complete"),
    "silent_truncation; at_frame=4": (200, b"".join(FRAMES[:4]), "complete"),
    "one_byte_chunks": (200, WHOLE, "complete"),
    "wrong_content_type": (200, faults.HTML, "complete"),
}


@pytest.mark.parametrize("wish", EXPECTED)
def test_a_fault_does_what_its_name_says(azure: FakeAzure, wish: str) -> None:
    status, came, ended = EXPECTED[wish]
    got = ask(azure, wish, timeout=0.3 if "stall" in wish else 10)
    if "reset" in wish:  # a reset may overtake bytes that are under way
        assert (got[0] in (0, status), came.startswith(got[1]), got[2]) == (True, True, ended)
    else:
        assert got == (status, came, ended)


@pytest.mark.parametrize("wish", [wish for wish in EXPECTED if EXPECTED[wish][1] != WHOLE])
def test_an_attempt_that_failed_does_not_consume_the_recording(azure: FakeAzure, wish: str) -> None:
    ask(azure, wish, timeout=0.3 if "stall" in wish else 10)
    azure.journal.wait_for(lambda exchanges: all(exchange.outcome != "open" for exchange in exchanges))
    assert not any(sequence.played or sequence.taken for sequence in azure.library._sequences.values())


@pytest.mark.parametrize("name", ["error_event", "content_filter_event"])
def test_a_stream_that_is_ended_says_why(azure: FakeAzure, name: str) -> None:
    _, came, ended = ask(azure, f"{name}; at_frame=2")
    assert came.startswith(b"".join(FRAMES[:2]))
    assert ended == "complete"
    last = json.loads(came.split(b"data: ")[3].split(b"\n\n")[0])
    said = last["error"]["type"] if name == "error_event" else last["choices"][0]["finish_reason"]
    assert said == ("server_error" if name == "error_event" else "content_filter")


@pytest.mark.parametrize("wish", ["close", "malformed_json", "silent_truncation", "reset; at_byte=10"])
def test_an_answer_in_one_piece_breaks_in_the_middle(azure: FakeAzure, wish: str) -> None:
    _, came, _ = ask(azure, wish, QUESTION)
    assert came != JSON
    with pytest.raises(json.JSONDecodeError):
        json.loads(came)


@pytest.mark.parametrize("wish", [name for name, kind in FAULTS.items() if kind.streams_only])
def test_what_only_streams_can_have_leaves_other_answers_whole(azure: FakeAzure, wish: str) -> None:
    assert ask(azure, wish, QUESTION) == (200, JSON, "complete")


def test_where_a_fault_happens_is_the_seeds_business(azure: FakeAzure) -> None:
    lengths = []
    for seed in (1, 1, 2, 3):
        azure.reset()
        lengths.append(len(ask(azure, f"close; seed={seed}")[1]))
    assert lengths[0] == lengths[1]
    assert len(set(lengths)) > 1


def test_a_fault_happens_as_often_as_it_is_told_to(azure: FakeAzure) -> None:
    azure.misbehave("server_error; times=2")
    assert [ask(azure, None)[0] for _ in range(4)] == [500, 500, 200, 200]


def test_a_request_that_is_tried_again_counts_on(azure: FakeAzure) -> None:
    assert [ask(azure, "server_error; times=1")[0] for _ in range(2)] == [500, 200]
    assert ask(azure, "server_error; times=1", QUESTION)[0] == 500, "another request counts for itself"


@pytest.mark.parametrize("retry", faults.RETRY)
def test_a_rate_limit_says_how_long_to_wait_in_each_spelling(azure: FakeAzure, retry: str) -> None:
    azure.misbehave(f"rate_limited; retry={retry}")
    headers = {"api-key": azure.api_key}
    answer = httpx.post(f"{azure.base}/openai/v1/responses", content=b"{}", headers=headers)  # type: ignore[attr-defined]
    said = {name: value for name, value in answer.headers.items() if name in errors.WAITING}
    assert (answer.status_code, sorted(said)) == (429, sorted(faults.RETRY[retry]()))


@pytest.mark.parametrize(
    "wish",
    ["nothing", "reset; at_frame=x", "reset; at_frame=-1", "slow_frames; at_frame=1", "rate_limited; retry=soon", ""],
)
def test_a_fault_that_cannot_be_is_explained(azure: FakeAzure, wish: str) -> None:
    with pytest.raises(FaultError) as error:
        faults.parse(wish)
    if wish:
        status, came, _ = ask(azure, wish)
        assert (status, json.loads(came)["error"]["message"]) == (424, str(error.value))
    name = "".join(character if character.isalnum() else "-" for character in wish) or "empty"
    assert_golden(f"faults/{name}.txt", f"{error.value}\n")


@pytest.mark.parametrize("name", identity.FAULTS)
def test_the_identity_endpoint_misbehaves_by_name(azure: FakeAzure, name: str) -> None:
    azure.misbehave(name)
    started = time.monotonic()
    url = f"{azure.base}/msi/token?api-version=2019-08-01&resource={identity.AUDIENCE}"  # type: ignore[attr-defined]
    answer = httpx.get(url, headers={"x-identity-header": azure.identity.header})
    assert answer.status_code == (azure.identity.failure or 200)
    assert time.monotonic() - started >= azure.identity.delay
    if name in ("identity_expired", "identity_wrong_audience"):
        assert not azure.identity.accepts(answer.json()["access_token"])
    azure.identity.behave()
    assert azure.identity.failure is None


@pytest.mark.aoai_fault("server_error; times=1")
def test_a_test_asks_for_a_fault_with_a_marker(aoai_emulator: Emulator, proxy_base_url: str, function_key: str) -> None:
    from openai import OpenAI

    with OpenAI(
        base_url=proxy_base_url, api_key="unused", default_headers={"x-functions-key": function_key}, max_retries=1
    ) as client:
        assert chat.question(client).choices
    assert [exchange.status for exchange in aoai_emulator.requests] == [500, 200]


def test_the_command_line_refuses_a_fault_that_cannot_be() -> None:
    command = [sys.executable, "-m", "emulator", "azure", "--fault", "reset; at_frame=x"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith(
        "error: reset: 'at_frame=x' is not possible. It takes at_frame, at_byte, times, seed."
    )
