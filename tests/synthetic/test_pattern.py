"""A text for a regular expression matches it, and has the wanted length."""

import re

import pytest

from emulator.synthetic.instance import Unsatisfiable
from emulator.synthetic.instance.pattern import text
from emulator.synthetic.seed import Seed

PATTERNS = {
    r"^\d{3}-\d{4}$": (0, None),
    r"^[a-z]+$": (12, 14),
    r"^[A-Z]{2}-\d{3,}$": (7, 8),
    r"^(red|green|blue)?$": (0, None),
    r"^(a|bc)*d+$": (5, 5),
    r"^[^a-z\d\s]+$": (0, 9),
    r"^[^\W_]{4}$": (0, None),
    r"^\S+@\S+\.\w{2,}$": (0, 20),
    r"^(?=.*\d)(?=.*[a-z])(?=.*[A-Z]).{8,12}$": (0, None),
    r"^(?!admin)\w{4,}$": (0, None),
    r"^(\w)\1-(?P<x>[ab])(?P=x)$": (0, None),
    r"^(a)?(?(1)b|c)$": (0, None),
    r"^\$\d+(\.\d\d)?$": (0, None),
    r"^a{2,3}?b*?.$": (0, None),
    r"^\/path\/\w+$": (0, None),
    r"(?i)^HELLO$": (0, None),
    r"[aeiou]{2}": (10, None),
    r"^.$": (0, None),
    r"^[\u00e0-\u00ff]+$": (3, 3),
    r"\bword\b": (0, None),
    "": (4, 6),
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_pattern_is_found_in_its_text(pattern: str) -> None:
    least, most = PATTERNS[pattern]
    for number in range(40):
        found = text(pattern, Seed(str(number)), least, most)
        assert re.search(pattern, found)
        assert least <= len(found) <= (most or len(found))


def test_named_groups_may_be_written_as_in_javascript() -> None:
    assert re.fullmatch(r"[a-z]+@\w+", text(r"^(?<user>[a-z]+)@(?<host>\w+)$", Seed("a")))


def test_other_seeds_give_other_texts() -> None:
    assert len({text(r"^[a-z]{8}$", Seed(str(number))) for number in range(20)}) == 20


@pytest.mark.parametrize("pattern", ["(a", r"\p{Letter}", "a{3,2}", "[z-a]", "^a$b"])
def test_what_has_no_text_is_a_named_error(pattern: str) -> None:
    with pytest.raises(Unsatisfiable, match="pattern"):
        text(pattern, Seed("a"))


def test_endless_repetition_stays_short() -> None:
    assert len(text(r"^((\w+ )+\n)+$", Seed("a"))) < 500
