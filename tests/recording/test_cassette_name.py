"""Every recorded test has a cassette of its own, even on a file system that ignores case."""

import re
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.recording.cassette_name import name_of
from emulator.tape.cassette import is_name
from tests.recording.conftest import Live
from tests.recording.test_with_pytest import cassettes, project, run

__all__ = ["project"]  # a fixture

NAMES = {  # address → the cassette's name, or the part of the name before its digest
    "test_story.py::test_one": "story/one",
    "test_story.py::test_one[de]": "story/one-de",
    "test_story.py::test_one[gpt-4o-mini]": "story/one-gpt-4o-mini",
    "tests/unit/test_story.py::test_one": "tests/unit/story/one",
    "test_story.py::test_one[a b]": "story/one-a-b.*",
    "test_story.py::test_one[DE]": "story/one-DE.*",
    "test_story.py::test_one[]": "story/one.*",
    "test_story.py::test_one[\u65e5\u672c]": "story/one.*",
    "test_story.py::test_\u65e5": "story.*",
    "test_story.py::story": "story/story.*",
    "story_test.py::test_one": "story_test/one.*",
    "test_story.py::TestA::test_one": "story/TestA-one.*",
    "../elsewhere/test_story.py::test_one": "elsewhere/story/one.*",
    "\u65e5/test_\u672c.py::test_\u65e5": "test.*",
}


@pytest.mark.parametrize("address", NAMES)
def test_a_name_says_what_the_address_says(address: str) -> None:
    readable, digested, _ = NAMES[address].partition(".*")
    name = name_of(address)
    assert is_name(name)
    assert re.fullmatch(re.escape(readable) + (r"\.[0-9a-f]{12}" if digested else ""), name), name


ALIKE = st.sampled_from(
    ("a", "b", "A", "-", "_", "/", "::", "[", "]", "test_", "Test", "\u00e4", "a\u0308", " ", ".", ".py")
)
ADDRESS = st.one_of(
    st.lists(ALIKE, max_size=12).map("".join),
    st.builds(
        "{}test_{}.py::{}test_{}{}".format,
        st.sampled_from(("", "a/", "A/", "tests/", "a/b/", "a-b/")),
        st.sampled_from(("a", "A", "a_b", "b")),
        st.sampled_from(("", "TestA::", "Testa::", "TestB::", "TestA::TestB::")),
        st.sampled_from(("a", "A", "a_b", "b")),
        st.lists(ALIKE, max_size=3).map(lambda parts: f"[{''.join(parts)}]" if parts else ""),
    ),
    st.text(string.printable + "\u00e4\u65e5\udcff", max_size=400),
)


@settings(deadline=None, database=None)
@given(ADDRESS, ADDRESS)
def test_two_addresses_never_share_a_name(one: str, other: str) -> None:
    assert (name_of(one).lower() == name_of(other).lower()) == (one == other)


@settings(deadline=None, database=None)
@given(ADDRESS)
def test_every_address_has_a_name_that_a_cassette_may_have(address: str) -> None:
    name = name_of(address)
    assert is_name(name), name
    assert max(len(part.encode()) for part in name.split("/")) < 200


@settings(deadline=None, database=None)
@given(st.lists(ADDRESS, unique=True, min_size=20, max_size=60))
def test_many_addresses_have_as_many_names(addresses: list[str]) -> None:
    assert len({name_of(address).lower() for address in addresses}) == len(addresses)


ASK = """
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    assert openai_client.chat.completions.create(model="gpt-4o-mini", messages=messages).choices
"""
FILES = {
    "test_ids.py": "@pytest.mark.parametrize('q', ['a b', 'a-b', 'A-b', 'i' * 250])\ndef test_q(openai_client, q):"
    + ASK,
    "one/test_f.py": "def test_q(openai_client):" + ASK,
    "two/test_f.py": "def test_q(openai_client):" + ASK,
    "test_f.py": "class TestA:\n  def test_q(self, openai_client):" + ASK + "class Testa(TestA):\n  pass\n",
}


@pytest.mark.long
def test_tests_that_are_named_alike_are_recorded_apart_wherever_pytest_is_started(live: Live, project: Path) -> None:
    (project / "test_new.py").unlink()
    (project / "pytest.ini").unlink()
    for name, text in FILES.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(f"import pytest\n{text}")
    status, told = run(project, live, "--record-mode=all", "--import-mode=importlib", "test_ids.py", "test_f.py")
    assert status == 0, told
    assert len(cassettes(project)) == 6, list(cassettes(project))
    for folder in ("one", "two"):
        status, told = run(project, live, "--record-mode=rewrite", folder)
        assert status == 0, told
    names = [name.lower() for name in cassettes(project)]
    assert len(set(names)) == 8, names
    assert {"one/f/q", "two/f/q", "ids/q-a-b"} <= set(names)
