"""Two requests side by side."""

from typing import Any

import pytest

from emulator.match.diagnose import json_differences
from emulator.page.compared import SHOWN_CONTEXT, marked, rows, summary, text


def compared(recorded: Any, sent: Any) -> list[tuple[str, str, str | None]]:
    told = rows(json_differences(recorded, sent, with_same=True))
    return [(row["path"], row["kind"], row["folded"]) for row in told]


def test_what_is_equal_is_folded_and_what_differs_stands_where_it_is_in_the_request() -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
    other = [messages[0], {"role": "user", "content": "Hullo"}, {"role": "user", "content": "Again"}]
    recorded = {"model": "gpt-4o-mini", "messages": messages, "seed": 1, "top_p": 1}
    sent = {"model": "gpt-4o-mini", "messages": other, "top_p": 1, "n": 2}
    assert compared(recorded, sent) == [
        ("model", "same", "6 equal lines"),
        ("messages[1].content", "changed", None),
        ("messages[2]", "only_sent", None),
        ("seed", "only_recorded", None),
        ("top_p", "same", "1 equal line"),
        ("n", "only_sent", None),
    ]


@pytest.mark.parametrize(
    ("recorded", "sent"),
    [
        ({"a": [1, 2, 3, 4]}, {"a": [1, 3, 4]}),
        ({"a": {"b": {"c": 1, "d": [True, None]}}}, {"a": {"b": {"c": 2, "d": [True, 0]}}}),
        ({"a": 1}, [1]),
        ({"a": 1}, {"a": True}),
        ({}, {"a": 1}),
        ([1, 2], [1, 2]),
        ("x", "y"),
    ],
)
def test_the_differences_are_those_that_decide(recorded: Any, sent: Any) -> None:
    found = [one for one in json_differences(recorded, sent, with_same=True) if not one.is_same]
    assert found == list(json_differences(recorded, sent))


def test_whole_words_are_marked() -> None:
    assert marked("Say hello to a new class today.", "Say hello to a new clas today.") == [
        ["Say hello to a new ", "class", " today."],
        ["Say hello to a new ", "clas", " today."],
    ]
    assert marked("one two", "one two three") == [["one ", "two", ""], ["one ", "two three", ""]]
    assert marked("", "new") == [["", "", ""], ["", "new", ""]]


@pytest.mark.parametrize(
    ("recorded", "sent", "spelled"),
    [
        ("caf\u00e9", "cafe\u0301", ["caf\\u00e9", "cafe\\u0301"]),
        ("a b", "a\u00a0b", ["a b", "a\\u00a0b"]),
        ("ab", "a\u200bb", ["ab", "a\\u200bb"]),
        ("ab", "a\u202eb", ["ab", "a\\u202eb"]),
        ("ab", "a\x1bb", ["ab", "a\\u001bb"]),
        ("ab\ud800", "ab", ["ab\\ud800", "ab"]),
    ],
    ids=ascii,
)
def test_what_looks_alike_is_spelled(recorded: str, sent: str, spelled: list[str]) -> None:
    assert ["".join(parts) for parts in marked(recorded, sent)] == spelled


def test_a_long_text_shows_what_is_around_the_difference() -> None:
    before, middle, after = marked(
        "word " * 100_000 + "old" + " word" * 100_000, "word " * 100_000 + "new" + " word" * 100_000
    )[1]
    assert (middle, len(before), len(after)) == ("new", SHOWN_CONTEXT + 1, SHOWN_CONTEXT + 1)


def test_the_sentence_says_how_much_differs() -> None:
    def said(recorded: Any, sent: Any) -> str:
        return summary(json_differences(recorded, sent, with_same=True))

    assert said({"a": 1, "b": 1}, {"a": 1, "b": 2}) == "only b differs"
    assert said({"a": 1, "b": 1}, {"a": 2, "b": 2}) == "2 differences"
    assert said({"a": 1}, {"a": 1}) == "nothing differs"


def test_both_are_shown_to_be_compared_elsewhere() -> None:
    assert text(b'{"b":1,"a":"\xc3\xa9"}') == '{\n  "b": 1,\n  "a": "é"\n}'
    assert text(b"no JSON \xff") == "no JSON \ufffd"
    assert text(b'"' + b"a" * 70_000 + b'"') is None
