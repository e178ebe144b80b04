"""The recorder honours declared slack, and proposes slack to declare."""

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.match import declared, slack
from emulator.recording.recorder import Recorder
from emulator.recording.run import Run
from emulator.scrub.scrub import Known
from emulator.tape import cassette
from emulator.tape.cassette import Interaction, Request, Response
from tests.golden import assert_golden
from tests.recording.conftest import Live

BASE = "https://live.example.com"
DAY, OTHER_DAY = "Today is 2026-11-28. What day is it?", "Today is 2027-01-02. What day is it?"
ID, OTHER_ID = "0b6c6a52-2d4c-4c7a-9d7c-1f2e3a4b5c6d", "5d1c6a52-9d4c-4c7a-9d7c-1f2e3a4b5c6e"


def asked(text: str = "Hello", **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}]} | more


def record(folder: Path, *bodies: dict[str, Any], mode: str = "new_episodes") -> list[str]:
    """The recorder's messages about a run with these requests."""
    said: list[str] = []
    run = folder.parent / f"run-{len(list(folder.parent.iterdir()))}"
    recorder = Recorder(folder, mode, Known(BASE), Run(run), say=said.append)
    recorder.begin("day", "A day.")
    for body in bodies:
        request = Request("POST", f"{BASE}/openai/v1/chat/completions", (), json.dumps(body).encode())
        answer = Response(200, "OK", (("content-type", "application/json"),), json.dumps(body["messages"]).encode())
        recorder.end(recorder.start(request), request, answer)
    recorder.finish()
    return [line for line in said if not line.startswith("recorded")]


PROPOSED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a date": (asked(DAY), asked(OTHER_DAY)),
    "a date in a part": (asked([{"type": "text", "text": DAY}]), asked([{"type": "text", "text": OTHER_DAY}])),  # type: ignore[arg-type]
    "a date and an id": (asked(f"{DAY} {ID}"), asked(f"{OTHER_DAY} {OTHER_ID}")),
    "an id in two places": (asked(DAY, metadata={"run": "r-17"}), asked(OTHER_DAY, metadata={"run": "r-18"})),
    "a name with a dot": (asked(metadata={"run.id": "r17"}), asked(metadata={"run.id": "r18"})),
    "a timestamp": (asked("At 2026-11-28T10:15:00Z"), asked("At 2026-11-29T11:15:00Z")),
}
NOT_PROPOSED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "another question": (asked(DAY), asked(OTHER_DAY.replace("What", "Which"))),
    "what is asked is one word": (asked("a1"), asked("a2")),
    "a number": (asked(n=1), asked(n=2)),
    "another model": (asked(DAY), asked(OTHER_DAY, model="m2")),
    "one more member": (asked(DAY), asked(OTHER_DAY, n=1)),
    "the same": (asked(DAY), asked(DAY)),
}


def test_two_recordings_that_differ_in_a_date_or_an_id_alone_propose_the_line(tmp_path: Path) -> None:
    texts = []
    for number, (name, (old, new)) in enumerate(PROPOSED.items()):
        folder = tmp_path / str(number) / "tapes"
        folder.mkdir(parents=True)
        assert record(folder, old) == []
        (told,) = record(folder, new)
        texts.append(f"--- {name}\n{told}\n")
        line = told.partition("slack: ")[2]
        path = folder / "day.yaml"
        path.write_text(path.read_text().replace("  origin:", f"  slack: {line}\n  origin:", 1))
        rules = declared.of_cassette(cassette.load(path))
        old_one, new_one = cassette.load(path).interactions
        assert key(rules, old_one) == key(rules, new_one) is not None, "the line does what it says"
    assert_golden("../recording/golden/proposals.txt", "\n".join(texts))


def key(rules: slack.Slack, interaction: Interaction) -> Any:
    meaning = interaction.request.meaning
    assert meaning
    return rules.key_of(meaning.key, json.loads(interaction.request.body))


@pytest.mark.parametrize("name", NOT_PROPOSED)
def test_nothing_is_proposed_for_other_differences(name: str, tmp_path: Path) -> None:
    (tmp_path / "tapes").mkdir()
    assert [line for body in NOT_PROPOSED[name] for line in record(tmp_path / "tapes", body)] == []


def test_a_new_answer_replaces_the_one_to_the_same_request_on_another_day(tmp_path: Path) -> None:
    tapes = tmp_path / "tapes"
    tapes.mkdir()
    record(tapes, asked(DAY))
    there = cassette.load(tapes / "day.yaml")
    cassette.save(there.path, there.interactions, {**there.notes, "slack": {"messages[*].content": "date"}})
    assert record(tapes, asked(OTHER_DAY), mode="all") == []
    after = cassette.load(tapes / "day.yaml")
    (one,) = after.interactions
    assert OTHER_DAY in one.request.body.decode()
    assert after.notes["slack"] == {"messages[*].content": "date"}


def test_what_may_vary_is_not_recorded_again(live: Live, folder: Path) -> None:
    recorded = cassette.load(Path("cassettes/chat/question.yaml"))
    (one,) = recorded.interactions
    body = json.loads(one.request.body)
    dated = Request("POST", one.request.uri, (), json.dumps(body | {"metadata": {"run": "1"}}).encode())
    notes = {"origin": "recorded", "slack": {"metadata.run": "any"}}
    cassette.save(folder / "x.yaml", [Interaction(dated, one.response)], notes)
    before = (folder / "x.yaml").read_bytes()
    with live.recording(folder, "x", "new_episodes") as client:
        client.chat.completions.create(**body, metadata={"run": "2"})
    assert live.azure.journal.exchanges == []
    assert (folder / "x.yaml").read_bytes() == before
