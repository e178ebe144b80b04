"""The named patterns match their examples alone, in time in proportion to the text. A path survives writing."""

import time

import pytest

from emulator.match import path as paths
from emulator.match.pattern import NAMED, PatternError
from emulator.match.pattern import parse as pattern_of


@pytest.mark.parametrize("name", NAMED)
def test_a_named_pattern_matches_its_example_and_not_a_part_of_something_longer(name: str) -> None:
    pattern = pattern_of(name)
    assert pattern.example
    assert pattern.split(f"a {pattern.example}.", 0) == ["a ", "."]
    assert pattern.split(f"1{pattern.example}9", 0) != ["1", "9"] or name == "seconds"


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("unit", ["0", "a", "0-", "0:", "00:", "0.0", " s", "0000-", "2026-11-28T", "12345678-1234-"])
def test_a_named_pattern_takes_time_in_proportion_to_the_text(name: str, unit: str) -> None:
    began = time.process_time()
    pattern_of(name).split(unit * 200_000 + "----::s", 0)
    assert time.process_time() - began < 2, "a square of this length takes minutes"


@pytest.mark.parametrize("text", ["a", "a.b[*].c", "a[0][-1]", 'a["b.c"]', 'a["\\"]"].d', "ключ[*]", '["a b"]'])
def test_a_path_is_written_as_it_is_read(text: str) -> None:
    assert paths.written(paths.parse(text)) == text


def test_an_expression_that_is_refused_is_no_pattern() -> None:
    with pytest.raises(PatternError, match="between slashes"):
        pattern_of("//")
