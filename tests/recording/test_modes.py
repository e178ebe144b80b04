"""Each record mode sends the right requests to the live service, and leaves the right cassette."""

from pathlib import Path

import pytest
from openai import APIStatusError

from emulator.recording.stack import Wish
from emulator.stack import CASSETTES
from emulator.tape import cassette
from tests.e2e.scenarios import chat
from tests.recording.conftest import Live, client_of

NAME = "chat/some"
OLD, NEW = chat.question, chat.conversation  # the old one is recorded already, the new one is not


@pytest.fixture
def begun(live: Live, folder: Path) -> Path:
    """A folder with a cassette that holds the old request."""
    with live.recording(folder, NAME, "once") as client:
        OLD(client)
    live.azure.reset()
    return folder


def ask_both(live: Live, folder: Path, mode: str) -> tuple[list[str], int, int]:
    """(the outcomes of the old and the new request, requests that reached the live service, recordings afterwards)"""
    came = []
    with live.recording(folder, NAME, mode) as client:
        for ask in (OLD, NEW):
            try:
                came.append(str(ask(client).object))
            except APIStatusError as error:
                came.append(str(error.code))
    return came, len(live.azure.journal.exchanges), len(cassette.load(folder / f"{NAME}.yaml").interactions)


ANSWER, MISS = "chat.completion", "no_recorded_interaction"


@pytest.mark.parametrize(
    ("mode", "came", "asked", "kept"),
    [
        ("none", [ANSWER, MISS], 0, 1),
        ("once", [ANSWER, MISS], 0, 1),
        ("new_episodes", [ANSWER, ANSWER], 1, 2),
        ("all", [ANSWER, ANSWER], 2, 2),
        ("rewrite", [ANSWER, ANSWER], 2, 2),
    ],
)
def test_modes_on_a_cassette_that_exists(
    live: Live, begun: Path, mode: str, came: list[str], asked: int, kept: int
) -> None:
    assert ask_both(live, begun, mode) == (came, asked, kept)


def test_rewrite_forgets_what_is_not_asked_again(live: Live, begun: Path) -> None:
    with live.recording(begun, NAME, "rewrite") as client:
        NEW(client)
    assert [b"patient teacher" in i.request.body for i in cassette.load(begun / f"{NAME}.yaml").interactions] == [True]


def test_all_keeps_what_is_not_asked_again(live: Live, begun: Path) -> None:
    with live.recording(begun, NAME, "all") as client:
        NEW(client)
    assert [b"patient teacher" in i.request.body for i in cassette.load(begun / f"{NAME}.yaml").interactions] == [
        False,
        True,
    ]


def test_the_same_request_twice_is_a_sequence(live: Live, folder: Path) -> None:
    with live.recording(folder, NAME, "new_episodes") as client:
        OLD(client)
        OLD(client)
    assert len(cassette.load(folder / f"{NAME}.yaml").interactions) == 2


def test_two_tests_may_share_a_new_cassette(live: Live, folder: Path) -> None:
    stack = live.stack(folder, Wish("once"), folder / "run")
    with client_of(stack) as client:
        for ask in (OLD, NEW):
            stack.begin(NAME)
            ask(client)
            stack.finish()
    assert len(cassette.load(folder / f"{NAME}.yaml").interactions) == 2


def test_what_was_recorded_plays_in_the_next_test(live: Live, folder: Path) -> None:
    stack = live.stack(folder, Wish("new_episodes"), folder / "run")
    with client_of(stack) as client:
        for _ in range(2):
            stack.begin(NAME)
            OLD(client)
            stack.finish()
    assert len(live.azure.journal.exchanges) == 1


def test_real_answers_never_join_synthetic_ones(live: Live, folder: Path) -> None:
    (folder / "chat").mkdir()
    (folder / f"{NAME}.yaml").write_bytes((CASSETTES / "chat/question.yaml").read_bytes())
    before = (folder / f"{NAME}.yaml").read_bytes()
    refused = pytest.raises(APIStatusError, match="chat/some is synthetic, and real answers must not hide")
    with live.recording(folder, NAME, "new_episodes") as client, refused:
        NEW(client)
    assert not live.azure.journal.exchanges, "refused before it cost anything"
    assert (folder / f"{NAME}.yaml").read_bytes() == before
    ask_both(live, folder, "rewrite")
    assert cassette.load(folder / f"{NAME}.yaml").notes["origin"] == "recorded"


@pytest.mark.parametrize("name", ["../outside", "/etc/x", "a//b", ".hidden", "a/../b", "", "x" * 300])
def test_a_name_that_leaves_the_folder_is_refused(live: Live, folder: Path, name: str) -> None:
    from emulator.recording.sendable import RecordingRefused

    with pytest.raises(RecordingRefused, match="no cassette's name"):
        live.stack(folder, Wish("once"), folder / "run").begin(name)
