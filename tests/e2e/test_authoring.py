"""Scenarios make cassettes, and so does a real resource, by hand, as docs/recording.md says."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from emulator.stack import CASSETTES
from emulator.synthetic import Author, AuthoringError, Scenario, calls, embeds, says
from emulator.tape import cassette
from emulator.tape.canonical import key_of, parse_body
from emulator.tape.route import parse
from tests.e2e.scenarios import chat, doctor, embeddings, errors, media, responses, sdk, stored, streams
from tests.pages import SPAN, text_of

MODULES = [chat, doctor, responses, embeddings, errors, stored, streams, media]


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Author]:
    with Author(tmp_path_factory.mktemp("cassettes")) as author:
        yield author


def meaning(path: Path) -> list[Any]:
    """A cassette's content, whatever the release of the recorded client: requests by key, answers by their bytes."""
    told = []
    for interaction in cassette.load(path).interactions:
        request = interaction.request
        route = parse(request.uri)
        assert route is not None
        told.append((key_of(request.method, route, parse_body(request.body)), interaction.response))
    return told


@pytest.mark.parametrize("scenario", [entry for module in MODULES for entry in module.SCENARIOS], ids=lambda s: s.name)
def test_the_cassettes_are_what_the_scenarios_write(scenario: Scenario, author: Author) -> None:
    written = author.write(scenario)
    assert written is not None
    assert meaning(written) == meaning(CASSETTES / f"{scenario.name}.yaml")


def test_the_cassettes_are_what_the_dspy_programs_write(author: Author) -> None:
    pytest.importorskip("dspy")
    for scenario in importlib.import_module("tests.e2e.scenarios.dspy_programs").SCENARIOS:
        written = author.write(scenario)
        assert written is not None
        assert meaning(written) == meaning(CASSETTES / f"{scenario.name}.yaml")


def test_every_synthetic_cassette_has_a_scenario() -> None:
    from emulator.synthetic.__main__ import load

    pytest.importorskip("dspy")
    written = {scenario.name for scenario in load("tests.e2e.scenarios")}
    found = {name for path, name in cassette.find([CASSETTES]) if path.suffix == ".yaml"}
    assert found == written


def test_calls_at_once_are_written_in_the_order_of_their_answers(author: Author) -> None:
    def ask(client: OpenAI) -> None:  # calls at once arrive in any order, so the test fixes one
        for word in ("second", "first"):
            client.responses.create(model=chat.MODEL, input=word)

    written = author.write(Scenario("x", "Two calls.", [("first", says("1")), ("second", says("2"))], sdk(ask)))
    assert written is not None
    bodies = [interaction.request.body for interaction in cassette.load(written).interactions]
    assert [b"first" in body for body in bodies] == [True, False]
    written.unlink()


def test_a_request_that_no_answer_is_left_for_is_an_error(author: Author) -> None:
    with pytest.raises(AuthoringError, match="no answer for POST /openai/v1/chat/completions"):
        author.write(Scenario("x", "Nothing.", [("something else", says("No."))], sdk(chat.question)))
    assert not (author.folder / "x.yaml").exists()


def test_an_answer_that_nothing_asked_for_is_an_error(author: Author) -> None:
    with pytest.raises(AuthoringError, match="no request for the answer to 'never'"):
        author.write(Scenario("x", "Nothing.", [("", says("Yes.")), ("never", says("No."))], sdk(chat.question)))
    assert not (author.folder / "x.yaml").exists()


def test_a_scenario_that_fails_is_an_error(author: Author) -> None:
    def fail(base_url: str, function_key: str) -> None:
        raise ZeroDivisionError

    with pytest.raises(AuthoringError, match="ZeroDivisionError"):
        author.write(Scenario("x", "Nothing.", [], fail))


def test_a_real_recording_is_never_overwritten(author: Author) -> None:
    path = author.folder / "real.yaml"
    cassette.save(path, cassette.load(CASSETTES / "chat/question.yaml").interactions, {"origin": "recorded"})
    before = path.read_bytes()
    assert author.write(Scenario("real", "Nothing.", [("", says("Other."))], sdk(chat.question))) is None
    assert path.read_bytes() == before


def test_the_answers_that_the_docs_name_exist() -> None:
    named = SPAN.findall(text_of("docs/recording.md"))
    assert {says.__name__, calls.__name__, embeds.__name__, "filtered", "rate_limited"} <= set(named)
