"""Only declared parts of a request may vary."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import vcr
import yaml

from emulator.azure import FakeAzure
from emulator.match import declared, diagnose, slack
from emulator.match.library import Library
from emulator.match.slack import SlackError
from emulator.server import bind, serving
from emulator.tape import cassette
from emulator.tape.canonical import key_of, parse_body
from emulator.tape.cassette import CassetteError
from emulator.tape.interaction import Interaction, Request, Response
from emulator.tape.route import parse
from tests.golden import assert_golden

URI = "https://any.openai.azure.com/openai/v1/chat/completions"
DATED = {"messages[*].content": ["date", "uuid"], "metadata.run": "any", "tools[*].function.description": "any"}
DAY, OTHER_DAY = "Today is 2026-11-28. What day is it?", "Today is 2027-01-02. What day is it?"


def body(content: Any = DAY, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": content}], **more}


def recorded(asked: Any, answer: str = "answer", label: str = "tape #1") -> Interaction:
    content = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    headers = (("content-type", "application/json"),)
    return Interaction(Request("POST", URI, (), content), Response(200, "OK", headers, answer.encode()), label)


def played(library: Library, asked: Any) -> str | None:
    content, route = asked if isinstance(asked, bytes) else json.dumps(asked).encode(), parse(URI)
    assert route
    key = key_of("POST", route, parse_body(content))
    take = library.take(key, route.generation, content)
    assert library.has(key, content) is (take is not None)
    if take is None:
        return None
    library.played(take)
    return take.interaction.response.body.decode()


def answers(rules: dict[str, Any], one: Any, other: Any) -> bool:
    """Whether a recording of one request answers the other. The answer is the same in both directions."""
    there, back = Library(), Library()
    there.add(recorded(one), slack.parse(rules))
    back.add(recorded(other), slack.parse(rules))
    assert None not in (played(there, one), played(back, other)), "a recording answers its own request"
    found = played(there, other) is not None
    assert found is (played(back, one) is not None)
    return found


TOOL = {"type": "function", "function": {"name": "f", "description": "old"}}
OTHER_TOOL = {"type": "function", "function": {"name": "f", "description": "new"}}
SAME = [
    (DATED, body(DAY), body(OTHER_DAY)),
    (DATED, body([{"type": "text", "text": DAY}]), body([{"type": "text", "text": OTHER_DAY}])),
    (DATED, body(metadata={"run": 1, "a": 1}), body(metadata={"run": ["x"], "a": 1})),
    (DATED, body(tools=[TOOL, TOOL]), body(tools=[OTHER_TOOL, TOOL])),
    ({"messages[-1].content": "date"}, body(DAY), body(OTHER_DAY)),
    ({'metadata["run.id"]': "any"}, body(metadata={"run.id": 1}), body(metadata={"run.id": 2})),
    ({'metadata["a\\"\'b"]': "any"}, body(metadata={"a\"'b": 1}), body(metadata={"a\"'b": 2})),
    ({"metadata.ключ": "any"}, body(metadata={"ключ": "a"}), body(metadata={"ключ": "b"})),
    ({"messages[*].content": "/run-\\d+/"}, body("run-1 ends"), body("run-23 ends")),
    ({"messages[*].content": ["date", "timestamp"]}, body("2026-11-28T10:00Z"), body("2026-11-29 11:30:01.5+01:00")),
    ({"messages[*].content": "seconds"}, body("It took 3 s, then 1.5 seconds"), body("It took 12 s, then 2 seconds")),
    ({"messages[*].content": "date"}, body("\ud800 2026-11-28"), body("\ud800 2026-11-29")),
    ({"metadata": "any"}, body(metadata=2**70), body(metadata=2**71)),
]  # fmt: skip
DIFFERENT = [
    ({}, body(DAY), body(OTHER_DAY)),
    (DATED, body(DAY), body(OTHER_DAY.replace("day", "date"))),
    (DATED, body(DAY), body(DAY.replace("2026-11-28", "tomorrow"))),
    (DATED, body(DAY), body(DAY.replace("2026-11-28", "2026-13-28"))),
    (DATED, body(DAY), body(DAY.replace("2026-11-28", "<date>"))),
    (DATED, body(DAY), body(DAY.replace("2026-11-28", ""))),
    (DATED, body(DAY), body(DAY.replace("2026-11-28", "0b6c6a52-2d4c-4c7a-9d7c-1f2e3a4b5c6d"))),
    (DATED, body("2026-11-28 a"), body("a 2026-11-28")),
    (DATED, body("2026-11-28"), body(["NaN", "", 0, ""])),
    (DATED, body(metadata={"run": 1}), body(metadata={})),
    (DATED, body(metadata={"run": 1}), body(metadata={"run": 1, "ran": 1})),
    (DATED, body(metadata={"run": 1}), body()),
    (DATED, body(metadata={"run": 1}), body(metadata={"run": 2}, model="n")),
    (DATED, body(metadata={"run": 1}), body(metadata={"run": 2}, stream=True)),
    (DATED, body(metadata={"run": 1}, n=1), body(metadata={"run": 2}, n=1.0)),
    (DATED, body(metadata={"run": 1}, n=1), body(metadata={"run": 2}, n=True)),
    (DATED, body(metadata={"run": 1}, n=0.0), body(metadata={"run": 2}, n=-0.0)),
    (DATED, body(tools=[TOOL]), body(tools=[OTHER_TOOL, OTHER_TOOL])),
    (DATED, body(metadata={"at": "2026-11-28"}), body(metadata={"at": "2026-11-29"})),
    ({"metadata": "any"}, body(metadata=2**70, n=2**70), body(metadata=1, n=2**71)),
    ({"messages[1].content": "date"}, body(DAY), body(OTHER_DAY)),
]


@pytest.mark.parametrize(("rules", "one", "other"), SAME)
def test_what_is_declared_may_vary(rules: dict[str, Any], one: Any, other: Any) -> None:
    assert answers(rules, one, other)
    assert not answers({}, one, other)


@pytest.mark.parametrize(("rules", "one", "other"), DIFFERENT)
def test_nothing_else_may_vary(rules: dict[str, Any], one: Any, other: Any) -> None:
    assert not answers(rules, one, other)


def test_requests_that_differ_in_what_may_vary_are_a_sequence() -> None:
    library, rules = Library(), slack.parse(DATED)
    for day, answer in ((DAY, "first"), (OTHER_DAY, "second")):
        library.add(recorded(body(day), answer), rules)
    days = [DAY.replace("2026-11-28", f"2030-01-0{n}") for n in (1, 2, 3)]
    assert [played(library, body(day)) for day in days] == ["first", "second", "second"]
    library.rewind()
    assert played(library, body(days[2])) == "first"


def test_an_equal_recording_comes_before_one_that_differs_in_what_may_vary() -> None:
    library = Library([recorded(body(OTHER_DAY), "exact")])
    library.add(recorded(body(DAY), "by slack"), slack.parse(DATED))
    assert (played(library, body(OTHER_DAY)), played(library, body(DAY))) == ("exact", "by slack")


def tape(path: Path, asked: Any, rules: Any = None, answer: str = "answer") -> None:
    cassette.save(path, [recorded(asked, answer)], {"origin": "synthetic"} | ({"slack": rules} if rules else {}))


def test_a_cassettes_slack_is_its_own_and_the_projects_is_for_all(tmp_path: Path) -> None:
    tapes = tmp_path / "tapes"
    tape(tapes / "one.yaml", body(DAY, n=1), {"messages[*].content": "date"})
    tape(tapes / "two.yaml", body(DAY, n=2))
    ours = body(OTHER_DAY, n=1), body(OTHER_DAY, n=2)
    library = Library.from_folders([tapes], declared.of_project(tmp_path))
    assert [played(library, asked) for asked in ours] == ["answer", None]
    (tmp_path / "pyproject.toml").write_text('[tool.azure-openai-emulator.slack]\n"messages[*].content" = "date"\n')
    library = Library.from_folders([tapes], declared.of_project(tmp_path))
    assert [played(library, asked) for asked in ours] == ["answer", "answer"]


def test_vcrpy_plays_a_cassette_that_declares_slack(tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    tape(path, body(DAY), DATED)
    assert yaml.safe_load(path.read_text())["x-emulator"]["slack"] == DATED
    with vcr.use_cassette(str(path), record_mode="none"):
        assert httpx.post(URI, content=json.dumps(body(DAY)).encode()).text == "answer"


def test_a_client_gets_the_recorded_bytes_and_a_miss_says_what_was_ignored() -> None:
    library = Library()
    library.add(recorded(body(DAY, metadata={"run": 1}), '{"ok": 1}'), slack.parse(DATED))
    azure = FakeAzure(library)
    with serving(azure, bind(0)) as base, httpx.Client(headers={"api-key": azure.api_key}) as client:
        url = f"{base}/openai/v1/chat/completions"
        assert client.post(url, json=body(OTHER_DAY, metadata={"run": 2})).text == '{"ok": 1}'
        missed = client.post(url, json=body(OTHER_DAY.replace("What", "Which"), metadata={"run": 2}))
    assert missed.status_code == 424
    assert "Ignored as declared: messages[*].content (date, uuid), metadata.run (any)." in missed.text


MISSES = {  # rules, recorded, sent
    "a text around a date": (DATED, body(DAY), body(OTHER_DAY.replace("What", "Which"))),
    "a date that is none": (DATED, body(DAY), body(DAY.replace("2026-11-28", "tomorrow"))),
    "the text that stands for a date": (DATED, body(DAY), body(DAY.replace("2026-11-28", "<date>"))),
    "a member that may be anything, and is missing": (DATED, body(metadata={"run": 1}), body(metadata={})),
    "several": (DATED, body(DAY, metadata={"run": 1}, n=1), body(OTHER_DAY, metadata={"run": 2}, n=2, seed=3)),
    "many rules": (
        {f"metadata.m{n}": "any" for n in range(9)},
        body(metadata={f"m{n}": n for n in range(9)}),
        body("Hello", metadata={f"m{n}": -n for n in range(9)}),
    ),
    "nothing ignored": (DATED, body("Hello"), body("Hullo")),
    "too slow": ({"messages[*].content": "/x(?:a|b|ab)*c/"}, body("xabc"), body("x" + "ab" * 2_000)),
}


def miss(rules: Any, asked: Any, sent: Any) -> str:
    library, content, route = Library(), json.dumps(sent).encode(), parse(URI)
    library.add(recorded(asked), slack.parse(rules))
    assert route
    assert played(library, sent) is None
    return diagnose.explain(key_of("POST", route, parse_body(content)), content, library)


def test_a_miss_tells_what_was_ignored() -> None:
    texts = [f"--- {name}\n{miss(*given)}\n" for name, given in MISSES.items()]
    assert_golden("slack_misses.txt", "\n".join(texts))


REFUSED: dict[str, Any] = {
    "no mapping": ["metadata.run"],
    "10,000 rules": {f"metadata.m{n}": "any" for n in range(10_000)},
    "10,000 expressions": {"metadata.run": [f"/run-{n}/" for n in range(10_000)]},
    "nothing": {"metadata.run": []},
    "a number": {"metadata.run": 1},
    "any and more": {"metadata.run": ["any", "date"]},
    "no pattern": {"metadata.run": "dates"},
    "everything": {"": "any"},
    "the root": {"$": "any"},
    "the root's member": {"$.metadata": "any"},
    "any member": {"metadata.*": "any"},
    "a dot too many": {"metadata..run": "any"},
    "a dot at the end": {"metadata.": "any"},
    "a quote too few": {'metadata["run]': "any"},
    "a bad escape": {'metadata["\\q"]': "any"},
    "a huge number": {"messages[99999999999].name": "any"},
    "a deep path": {"a" + ".a" * 50: "any"},
    "a long path": {"a" * 5_000: "any"},
    "the model": {"model": "any"},
    "a part of the model": {"model": "date"},
    "stream": {"stream": "any"},
    "all messages": {"messages": "any"},
    "each message": {"messages[*]": "any"},
    "each text": {"messages[*].content": "any"},
    "the last text": {"messages[-1].content": "any"},
    "each part's text": {"messages[*].content[*].text": "any"},
    "the input": {"input": "any"},
    "the instructions": {"instructions": "any"},
    "every text": {"messages[*].content": "/.+/"},
    "every word": {"messages[*].content": "/\\w+/"},
    "every word, otherwise": {"messages[*].content": "/(?:[^ ]+ ?)/"},
    "every word, together": {"messages[*].content": ["/[a-m]+/", "/[n-z]+/"]},
    "no regular expression": {"messages[*].content": "/(/"},
    "a long expression": {"messages[*].content": f"/{'a' * 500}/"},
    "exponential": {"messages[*].content": "/(?:a+)+b/"},
    "exponential in another way": {"messages[*].content": "/(?:a|a)*b/"},
    "cubic": {"messages[*].content": "/ *a*a*a*a*a*b/"},
}


def refusal(rules: Any) -> str:
    with pytest.raises(SlackError) as refused:
        slack.parse(rules)
    return str(refused.value)


def test_a_rule_that_cannot_be_kept_is_refused_with_what_to_write() -> None:
    began = time.monotonic()
    texts = [f"--- {name}\n{refusal(rules)}\n" for name, rules in REFUSED.items()]
    assert time.monotonic() - began < 10
    assert_golden("slack_refused.txt", "\n".join(texts))


def test_a_cassette_with_such_a_rule_is_not_played_and_its_line_is_named(tmp_path: Path) -> None:
    tape(tmp_path / "bad.yaml", body(DAY), {"metadata.run": "any", "model": "any"})
    tape(tmp_path / "good.yaml", body(OTHER_DAY))
    library = Library.from_folders([tmp_path])
    assert [played(library, body(day)) for day in (DAY, OTHER_DAY)] == [None, "answer"]
    (told,) = library.unreadable
    assert told == f"{tmp_path / 'bad.yaml'}:5: x-emulator: model: model decides the answer, and must not vary"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[tool.azure-openai-emulator]\nslak = {}\n", "slak: this is not read; slack was expected"),
        ('[tool.azure-openai-emulator]\nslack = "any"\n', "slack must map paths to what may vary"),
        ('[tool.azure-openai-emulator]\nslack = {model = "any"}\n', "model decides the answer"),
        ('[tool]\nazure-openai-emulator = "x"\n', "a table was expected"),
        ("[tool\n", "cannot be read"),
    ],
)
def test_a_project_that_declares_what_cannot_be_is_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(SlackError, match=told):
        declared.of_project(tmp_path)


@pytest.mark.parametrize("noted", [5, ["x"], {"a": {"b": 1}}, {"messages": None}, {"x": [["date"]]}])
def test_whatever_a_cassette_declares_it_is_read_or_refused_in_one_line(tmp_path: Path, noted: Any) -> None:
    tape(tmp_path / "one.yaml", body(DAY), noted)
    with pytest.raises(CassetteError) as refused:
        declared.of_cassette(cassette.load(tmp_path / "one.yaml"))
    assert str(refused.value).isprintable()


def test_a_request_cannot_hold_the_emulator_up() -> None:
    """A user's expression passed its trial, but is slow on this text."""
    library = Library()
    library.add(recorded(body("xabc")), slack.parse({"messages[*].content": "/x(?:a|b|ab)*c/"}))
    began = time.monotonic()
    assert played(library, body("x" + "ab" * 5_000)) is None
    assert time.monotonic() - began < 3
