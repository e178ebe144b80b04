"""Identical requests form a sequence. An answer that did not play to its end plays again."""

from pathlib import Path

from emulator.match.library import Library, Take
from emulator.tape.canonical import key_of, parse_body
from emulator.tape.cassette import Interaction, Request, Response
from emulator.tape.route import parse

V1 = "https://any/openai/v1/chat/completions"
DATED = "https://any/openai/deployments/m/chat/completions?api-version=2024-10-21"
BODY = b'{"model":"m"}'


def recorded(answer: str, uri: str = V1, body: bytes = BODY) -> Interaction:
    return Interaction(Request("POST", uri, (), body), Response(200, "OK", (), answer.encode()), answer)


def take(library: Library, uri: str = V1, body: bytes = BODY) -> Take:
    route = parse(uri)
    assert route is not None
    found = library.take(key_of("POST", route, parse_body(body)), route.generation, body)
    assert found is not None
    return found


def play(library: Library, uri: str = V1) -> str:
    taken = take(library, uri)
    library.played(taken)
    return taken.interaction.label


def test_identical_requests_are_played_in_order_and_the_last_repeats() -> None:
    library = Library([recorded("429"), recorded("200")])
    assert [play(library) for _ in range(4)] == ["429", "200", "200", "200"]
    library.rewind()
    assert play(library) == "429"


def test_a_take_that_was_given_back_is_played_again() -> None:
    library = Library([recorded("first"), recorded("second")])
    library.give_back(take(library))
    assert play(library) == "first"


def test_two_calls_at_once_get_two_recordings() -> None:
    library = Library([recorded("first"), recorded("second")])
    assert [take(library).interaction.label, take(library).interaction.label] == ["first", "second"]


def test_giving_back_after_the_end_changes_nothing() -> None:
    library = Library([recorded("first"), recorded("second")])
    taken = take(library)
    library.played(taken)
    library.give_back(taken)
    assert play(library) == "second"


def test_a_recording_of_the_same_generation_is_preferred() -> None:
    library = Library([recorded("v1", V1), recorded("dated", DATED)])
    assert play(library, DATED) == "dated"
    assert play(library, V1) == "v1"
    assert play(Library([recorded("v1", V1)]), DATED) == "v1", "any generation is better than none"


def test_one_unreadable_file_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("interactions:\n- request: {\n")
    (tmp_path / "other.yaml").write_text("some: thing\n")
    (tmp_path / "half.yaml").write_text("interactions:\n- request: {method: GET}\n")
    (tmp_path / "foreign.yaml").write_text(
        "interactions:\n- request: {method: GET, uri: 'https://x/y'}\n  response: {status: {code: 200}, body: {}}\n"
    )
    (tmp_path / "good.json").write_text(
        '{"interactions":[{"request":{"method":"POST","uri":"https://x/openai/v1/responses","body":"{}"},'
        '"response":{"status":{"code":200,"message":"OK"},"headers":{},"body":{"string":"x"}}}],"version":1}'
    )
    library = Library.from_folders([tmp_path])
    assert [interaction.label for interaction in library.interactions()] == ["good #1"]
    assert len(library.problems) == 4
    for name in ("broken.yaml:3", "other.yaml:1", "half.yaml:2: interaction 1", "https://x/y"):
        assert any(name in problem for problem in library.problems), name
