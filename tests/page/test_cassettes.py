"""The control API shows the cassettes that the emulator plays."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from emulator.bundle import CASSETTES
from tests.page.conftest import Running


@pytest.fixture
def folder(running: Running, tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "chat").mkdir()
    shutil.copy(CASSETTES / "chat" / "question.yaml", tmp_path / "chat")
    (tmp_path / "broken.yaml").write_text("interactions: 5\n")
    served, running.subject.folders = running.subject.folders, [tmp_path]
    yield tmp_path
    running.subject.folders = served


def test_all_are_listed_with_what_is_wrong_with_them(running: Running, folder: Path) -> None:
    broken, question = running.get("cassettes")["cassettes"]
    assert (broken["name"], broken["recordings"], len(broken["problems"])) == ("broken", 0, 1)
    assert (question["name"], question["problems"], question["played"]) == ("chat/question", [], 0)
    assert question["recordings"] >= 1
    assert question["origin"]


def test_one_reads_as_a_conversation(running: Running, folder: Path) -> None:
    tape = running.get("cassettes/chat/question")
    first = tape["recordings"][0]
    assert (first["number"], first["status"], first["outcome"]) == (1, 200, "complete")
    assert [saying["who"] for saying in first["said"]][-1] == "assistant"
    assert first["request"]["uri"].endswith("chat/completions")


@pytest.mark.parametrize(
    "name", ["..", "../broken", "../../etc/passwd", "/etc/passwd", "broken.yaml", "chat", "broken\0", "a" * 5_000]
)
def test_a_name_is_never_taken_for_a_path(running: Running, folder: Path, name: str) -> None:
    (folder.parent / "outside.yaml").write_text("interactions: []\nversion: 1\n")
    for spelled in (name, f"../{folder.name}/chat/question", "../outside", str(folder / "chat" / "question")):
        answer = running.api("GET", f"cassettes/{quote(spelled, safe='')}")
        assert answer.status_code in (404, 307), spelled  # 307: a client that shortens the path is led to the page
        assert "root:" not in answer.text


def test_one_that_cannot_be_read_says_why(running: Running, folder: Path) -> None:
    answer = running.api("GET", "cassettes/broken")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_such_cassette")
    assert "broken.yaml" in answer.json()["error"]["message"]
