"""The emulator reads files of other tools, or refuses them with file and line. It never loses an answer in silence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.match.library import Library
from emulator.tape import cassette
from emulator.tape.cassette import CassetteError, Interaction
from tests.tape.test_unreadable import entry

ASKED = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Größe, 1e3 or 2026-11-23? \u2028"}]}
SAID = {"choices": [{"message": {"content": "no", "refusal": None}, "index": 0, "logprobs": 0.5}]}

Entry = dict[str, Any]


def made(part: str = "response", /, *without: str, **more: Any) -> Entry:
    """A valid entry, with other fields in its request or answer."""
    sound = entry(request_body=json.dumps(ASKED), response_body={"string": json.dumps(SAID)})
    fields = {name: value for name, value in sound[part].items() if name not in without}
    return {**sound, part: fields | more}


def written(folder: Path, made: Entry, name: str = "x.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump({"version": 1, "interactions": [made]}, sort_keys=False))
    return path


def only(path: Path) -> Interaction:
    (interaction,) = cassette.load(path).interactions
    return interaction


def test_a_body_that_was_written_as_yaml_is_the_json_it_means(tmp_path: Path) -> None:
    both = {
        **made("request", "body", parsed_body=ASKED),
        "response": made("response", "body", parsed_body=SAID)["response"],
    }
    read, usual = only(written(tmp_path, both)), only(written(tmp_path, made(), "usual.yaml"))
    assert json.loads(read.response.body) == SAID
    assert read.request.meaning is not None
    assert read.request.meaning == usual.request.meaning


def test_an_empty_body_that_says_so_is_empty(tmp_path: Path) -> None:
    for body in (None, "", {}, {"string": ""}, {"string": None}):
        assert only(written(tmp_path, made(body=body))).response.body == b""
        assert only(written(tmp_path, made("request", body=body))).request.body == b""


def test_what_has_no_body_needs_none(tmp_path: Path) -> None:
    no_content = made("response", "body", status={"code": 204, "message": "No Content"})
    assert only(written(tmp_path, no_content)).response.body == b""
    for method in ("GET", "DELETE", "HEAD"):
        assert only(written(tmp_path, made("request", "body", method=method))).request.body == b""
    head = {**made("request", "body", method="HEAD"), "response": made("response", "body")["response"]}
    assert only(written(tmp_path, head)).response.body == b""


LOST: dict[str, tuple[Entry, str, str]] = {  # name → (entry, the line of the key, the message)
    "no body": (made("response", "body"), "  response:", "but it is missing"),
    "no body of a POST": (made("request", "body"), "- request:", "but it is missing"),
    "no content": (made("response", "body", "status", status_code=200), "  response:", "but it is missing"),
    "bodie": (made("response", "body", bodie={"string": "x"}), "    bodie:", "'body' was expected"),
    "bodie of a GET": (made("request", "body", method="GET", bodie="x"), "    bodie: x", "'body' was expected"),
    "Body": (made("response", "body", Body={"string": "x"}), "    Body:", "'body' was expected"),
    "contents": (
        made("response", "body", "status", status_code=200, contents="x"),
        "    contents: x",
        "'content' was expected",
    ),
    "header": (made("response", "headers", header={"a": ["b"]}), "    header:", "'headers' was expected"),
    "text": (made(body={"text": "x"}), "    body:", "not a mapping of text"),
    "strings": (made(body={"strings": "x", "encoding": "utf-8"}), "    body:", "not a mapping of strings, encoding"),
    "an object as body": (made("request", body=ASKED), "    body:", "not a mapping of model, messages"),
    "bytes in JSON": (made("response", "body", parsed_body={"a": b"\xff"}), "    parsed_body:", "JSON was expected"),
    "no number": (made("response", "body", parsed_body=[float("nan")]), "    parsed_body:", "JSON was expected"),
}  # fmt: skip


@pytest.mark.parametrize("name", LOST)
def test_a_body_that_would_be_lost_is_refused_with_file_and_line(name: str, tmp_path: Path) -> None:
    lost, line, told = LOST[name]
    path = written(tmp_path, lost)
    (problem,) = Library.from_folders([tmp_path]).problems
    number = path.read_text().splitlines().index(line) + 1 + line.endswith(":")  # the line of the value
    assert problem.startswith(f"{path}:{number}: interaction 1: ")
    assert told in problem


def test_keys_of_other_tools_beside_the_known_ones_disturb_nobody(tmp_path: Path) -> None:
    others = {"url": "https://x", "protocol": "HTTP/1.1", "http_version": "1.1", "duration": 5, "cookies": {}}
    assert only(written(tmp_path, made(**others))).response == only(written(tmp_path, made())).response
    assert only(written(tmp_path, made("request", **others))).request == only(written(tmp_path, made())).request


NAMED = {  # file → the cassette's name
    "a.yaml": "a",
    "b.YAML": "b",
    "c.yml": "c",
    "d.Yml": "d",
    "e.json": "e",
    "f.JSON": "f",
    "no suffix": "no suffix",
    "deep/er": "deep/er",
    "test_story[gpt-4.1]": "test_story[gpt-4.1]",
    "gpt-4.1.yaml": "gpt-4.1",
    "JSON without suffix": "JSON without suffix",
}


def test_a_cassette_is_found_by_any_spelling_of_its_suffix_and_without_one(tmp_path: Path) -> None:
    for name in NAMED:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        dump: Callable[[Any], str] = json.dumps if "json" in name.lower() else yaml.safe_dump
        path.write_text(dump({"version": 1, "interactions": [made()]}))
    others = ("LICENSE", "README.md", "a.yaml.orig", "a.yaml~", ".gitkeep", ".DS_Store")
    for name in others:
        (tmp_path / name).write_text(
            "interactions:\n" if "a.yaml" in name or "." in name[:1] else "About interactions: \n"
        )
    found = {str(path.relative_to(tmp_path)): name for path, name in cassette.find([tmp_path])}
    assert found == NAMED
    library = Library.from_folders([tmp_path])
    assert (len(library.interactions()), library.problems) == (len(NAMED), [])


def test_a_broken_cassette_without_a_suffix_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("interactions:\n- request: {\n")
    (problem,) = Library.from_folders([tmp_path]).problems
    assert problem.startswith(f"{tmp_path / 'broken'}:3: it is not YAML")
    with pytest.raises(CassetteError):
        cassette.load(tmp_path / "broken")
