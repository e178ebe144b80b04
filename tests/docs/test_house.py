"""The picture in docs/how-it-works.md is the house as it is."""

import re
from collections.abc import Iterator

from tests.pages import ROOT, text_of

PAGE = "docs/how-it-works.md"
ROOMS = ("emulator", "proxy")
LINE = re.compile(r"^((?:  )*)((?:[\w.]+/? )*[\w.]+/?)(?= {2,}|$)")


def drawn() -> Iterator[str]:
    """The paths in the picture, from the repository's root; folders end with a slash."""
    picture = text_of(PAGE).split("## The house", 1)[1].split("```")[1]
    inside: list[str] = []
    for line in picture.strip().splitlines():
        found = LINE.match(line)
        assert found, line
        depth, names = len(found[1]) // 2, found[2].split()
        inside = inside[:depth]
        yield from ("".join(inside) + name for name in names)
        inside.append(names[0] if names[0].endswith("/") else "")


def test_everything_in_the_picture_is_there() -> None:
    assert [path for path in drawn() if not (ROOT / path).exists()] == []


def test_every_room_is_in_the_picture_and_no_other() -> None:
    packages = {path.parent for room in ROOMS for path in (ROOT / room).rglob("__init__.py")}
    there = {f"{path.relative_to(ROOT).as_posix()}/" for path in packages}
    assert {path for path in drawn() if path.startswith(ROOMS) and path.endswith("/")} == there


def test_the_way_of_a_request_names_files_of_the_function_and_the_emulator() -> None:
    named = re.findall(r"`((?:proxy|emulator)/[\w/]+\.py)`", text_of(PAGE))
    assert {name.split("/")[0] for name in named} == set(ROOMS)
    assert [name for name in named if not (ROOT / name).exists()] == []
