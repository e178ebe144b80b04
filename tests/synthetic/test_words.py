"""An improvised text quotes its prompt, and has about the wanted length."""

import pytest

from emulator.synthetic.seed import Seed
from emulator.synthetic.text import pieces
from emulator.synthetic.words import QUOTED, phrase, quoted, said

PROMPT = "Tell me about the harbour,\n  and then:\twhat is the weather in Oslo?"


def test_an_answer_quotes_the_prompt_in_one_line() -> None:
    assert said(PROMPT, Seed("a"), 1) == (
        "You said: “Tell me about the harbour, and then: what is the weather in Oslo?”."
    )


def test_of_a_long_prompt_the_end_is_quoted_from_a_word_on() -> None:
    end = quoted(f"{'a long story ' * 100}{PROMPT}")
    assert end.startswith("…")
    assert end.endswith("the weather in Oslo?")
    assert len(end) <= QUOTED + 1
    assert end[1:].split()[0] in ("a", "long", "story")


@pytest.mark.parametrize(("prompt", "expected"), [("", "You said nothing."), (" \n ", "You said nothing.")])
def test_an_empty_prompt_is_no_quotation(prompt: str, expected: str) -> None:
    assert said(prompt, Seed("a"), 1) == expected


def test_a_word_without_an_end_is_quoted_by_its_end() -> None:
    assert quoted("x" * 5_000) == "…" + "x" * QUOTED


@pytest.mark.parametrize("tokens", [40, 200, 1_000])
def test_an_answer_has_about_as_many_tokens_as_asked(tokens: int) -> None:
    assert tokens - 15 <= len(pieces(said(PROMPT, Seed("a"), tokens))) <= tokens


def test_more_tokens_only_add_words() -> None:
    assert said(PROMPT, Seed("a"), 200).startswith(said(PROMPT, Seed("a"), 60))


def test_other_seeds_say_other_words() -> None:
    assert len({phrase(Seed(str(number)), 5) for number in range(30)}) == 30
