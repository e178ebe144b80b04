"""The cassette of a recorded test when no marker names one. No two tests share a cassette.

The name repeats the test's address in letters that every file system tells apart. When it cannot repeat all of it (a
class, a space, a capital, another script, too long), a digest of the address follows: `story/one-a-b.5f1c09d2e47a`.
"""

import hashlib
import os
import re
from pathlib import Path

import pytest

LONGEST = 120  # characters without the digest; file names may have 255 bytes, and the folder's path counts, too
DIGEST = 6  # bytes; two of a million tests share a digest in 1 of 500 projects
UNSAID = re.compile(r"[^A-Za-z0-9_]+")
PLAIN = re.compile(r"(?P<folders>(?:[a-z0-9_-]+/)*)(?P<file>[a-z0-9_]+)/(?P<test>[a-z0-9_]+)(?:-(?P<id>[a-z0-9_-]+))?")


def cassette_name(test: pytest.Item, folder: Path) -> str:
    """The name in the marker, or a name made from the test's address relative to the cassettes' folder.
    test_story.py::test_one[de] is story/one-de, wherever pytest was started."""
    if marker := test.get_closest_marker("cassette"):
        return str(marker.args[0])
    inside = test.nodeid.partition("::")[2] or test.name
    return name_of(f"{_path_from(folder.absolute().parent, test.path)}::{inside}")


def name_of(address: str) -> str:
    """`address` looks like unit/test_story.py::TestTelling::test_one[de]. Two addresses never share a name."""
    path, _, inside = address.partition("::")
    *folders, file = path.removesuffix(".py").split("/")
    head, _, case = inside.partition("[")
    *classes, test = head.split("::")
    last = "-".join(filter(None, map(_plain, [*classes, test.removeprefix("test_"), case])))
    name = "/".join(filter(None, [*map(_plain, folders), _plain(file.removeprefix("test_")), last]))
    if len(name) <= LONGEST and _address_of(name) == address:
        return name
    digest = hashlib.blake2b(address.encode(errors="surrogatepass"), digest_size=DIGEST).hexdigest()
    return f"{name[:LONGEST].strip('-/') or 'test'}.{digest}"


def _plain(part: str) -> str:
    return UNSAID.sub("-", part).strip("-")


def _address_of(name: str) -> str | None:
    """The only address that has this name without a digest."""
    if not (says := PLAIN.fullmatch(name)):
        return None
    case = f"[{says['id']}]" if says["id"] else ""
    return f"{says['folders']}test_{says['file']}.py::test_{says['test']}{case}"


def _path_from(folder: Path, path: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive of Windows
        return path.as_posix()
