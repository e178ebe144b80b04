"""The emulator reads a whole cassette, or refuses it in one line. The other files play."""

import errno
import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.match.library import Library
from emulator.stack import ROOT
from emulator.tape import cassette, document
from emulator.tape.cassette import CassetteError
from tests.golden import assert_golden

UNIX = pytest.mark.skipif(sys.platform != "linux", reason="pipes, devices and limits of memory as on Linux")
URI = "https://any/openai/v1/chat/completions"
PROLOGUE = "version: 1\n"  # puts every error below line 1


def entry(**changes: Any) -> dict[str, Any]:
    """A valid interaction with other fields: `request_headers=5` changes request.headers."""
    request = {"method": "POST", "uri": URI, "headers": {"accept": ["*/*"]}, "body": "{}"}
    response = {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": "x"}}
    for name, value in changes.items():
        part, _, member = name.partition("_")
        {"request": request, "response": response}[part][member.replace("_", "-")] = value
    return {"request": request, "response": response}


def tape(**changes: Any) -> str:
    return PROLOGUE + yaml.safe_dump({"interactions": [entry(), entry(**changes)]}, sort_keys=False)


def plain(interactions: str) -> str:
    return f"{PROLOGUE}interactions:\n{interactions}\n"


def bomb(levels: int) -> str:
    """A document of 10 ** levels values: each line has ten aliases of the line before."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return PROLOGUE + "\n".join(lines) + f"\ninteractions: *a{levels - 1}\n"


ZIPPED = gzip.compress(b"text " * 100)
FILES: dict[str, str | bytes] = {
    # no document
    "empty": "",
    "words": "just words\n",
    "broken": plain("- request: {"),
    "tab": plain("\t- request"),
    "unclosed": plain("- 'never closed"),
    "two documents": tape() + "---\nanother: 1\n",
    "nul": tape().replace("POST", "PO\0ST"),
    "utf-16": tape().encode("utf-16"),
    "not utf-8": PROLOGUE.encode() + b"# \xff\ninteractions: []\n",
    "undefined alias": plain("- *nowhere"),
    "alias inside itself": PROLOGUE + "interactions: &a [*a]\n",
    "a bomb of aliases": bomb(9),
    "a merge key": PROLOGUE + "a: &a {b: 1}\ninteractions:\n- <<: *a\n",
    "a key twice": tape().replace("  response:", "  request: {}\n  response:", 1),
    "a header twice": plain("- request: {method: POST, uri: x, headers: {a: '1', a: '2'}}"),
    "a mapping as key": plain("- {[a, b]: c}"),
    "python object": plain("- !!python/object/apply:os.system ['touch was-run']"),
    "python name": plain("- request: !!python/name:os.system ''"),
    "own tag": plain("- request: !recorded {}"),
    "tagged number": plain("- !!int many"),
    "tagged bytes": plain("- !!binary '%'"),
    "a long number": plain("- !!int " + "1:" * 200 + "1"),
    "deep lists": plain("- " + "[" * 100_000),
    "deep blocks": plain("- " * 100_000),
    "deep mappings": plain("- " + "{a: " * 100_000),
    "deep keys": plain("? " * 100_000),
    # no cassette
    "a list": "- a\n",
    "no interactions": PROLOGUE,
    "interactions are text": PROLOGUE + "interactions: many\n",
    "interactions are null": PROLOGUE + "interactions:\n",
    "notes are text": PROLOGUE + "interactions: []\nx-emulator: synthetic\n",
    # no interaction
    "null entry": plain("- null"),
    "text entry": plain("- a"),
    "no request": plain("- response: {}"),
    "no response": plain("- request: {method: POST, uri: x}"),
    "no method": tape(request_method=None),
    "uri is a list": tape(request_uri=[URI]),
    "headers are a number": tape(request_headers=5),
    "headers are a list": tape(response_headers=["a: b"]),
    "header is null": tape(response_headers={"a": None}),
    "header is a mapping": tape(response_headers={"a": {"b": "c"}}),
    "header list of lists": tape(response_headers={"a": [["b"]]}),
    "header with a line break": tape(response_headers={"a": "b\r\nset-cookie: c=d"}),
    "header with a euro sign": tape(response_headers={"a": "€"}),
    "header without a name": tape(response_headers={"a b": "c"}),
    "status is text": tape(response_status="200 OK"),
    "status is a list": tape(response_status=[200]),
    "status is a word": tape(response_status={"code": "OK"}),
    "status is true": tape(response_status={"code": True}),
    "status is 99": tape(response_status={"code": 99}),
    "status message is a list": tape(response_status={"code": 200, "message": []}),
    "body is a list": tape(response_body=["a"]),
    "body is a number": tape(request_body=5),
    "body string is a list": tape(response_body={"string": ["a"]}),
    "body is not base64": tape(response_body={"base64_string": "a"}),
    "gzip cut": tape(response_headers={"content-encoding": "gzip"}, response_body={"string": ZIPPED[:-9]}),
    "gzip broken": tape(response_headers={"content-encoding": "gzip"}, response_body={"string": ZIPPED[:9] + b"x" * 9}),
    "stream is a list": tape(response_x_stream=[1]),
    "times are a number": tape(response_x_stream={"frame_at_ms": 5}),
    "a time is text": tape(response_x_stream={"frame_at_ms": ["5"]}),
    "a time is endless": tape(response_x_stream={"frame_at_ms": [float("inf")]}),
    "a time is no number": tape(response_x_stream={"frame_at_ms": [float("nan")]}),
    "a time is before the start": tape(response_x_stream={"frame_at_ms": [-1]}),
    "a size is a fraction": tape(response_x_stream={"frame_bytes": [0.5, 0.5]}),
    "a size is zero": tape(response_x_stream={"frame_bytes": [0, 1]}),
    "an outcome is a list": tape(response_x_stream={"outcome": []}),
    "a long wrong value": tape(response_status={"code": "\x1b[2J\n" + "x" * 9_000}),
    # JSON
    "broken.json": '{\n"interactions": [\n',
    "deep.json": "[" * 200_000,
    "twice.json": '{"interactions": [], "interactions": []}',
    "half a pair.json": json.dumps({"interactions": [entry(request_body="\ud800")]}, indent=1),
    "number.json": '{"interactions": [' + "1" * 5_000 + "]}",
    "wrong.json": json.dumps({"interactions": [entry(), entry(response_status=5)]}, indent=1),
}


REFUSED_BY_EITHER = {"deep lists.yaml"}  # the limit of libyaml, since PyYAML 6.0.4, may apply first


def told(problems: list[str]) -> str:
    kept = [problem for problem in problems if problem.partition(":")[0] not in REFUSED_BY_EITHER]
    return "".join(f"{problem}\n" for problem in kept)


def put(folder: Path, name: str) -> Path:
    path = folder / (name if name.endswith(".json") else f"{name}.yaml")
    content = FILES[name]
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_every_broken_file_is_refused_in_one_printable_line_that_names_it_and_the_rest_plays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in FILES:
        put(tmp_path, name)
    (tmp_path / "sound.yaml").write_text(tape())
    library = Library.from_folders([Path()])
    assert [interaction.label for interaction in library.interactions()] == ["sound #1", "sound #2"]
    assert len(library.problems) == len(FILES)
    assert not (tmp_path / "was-run").exists()
    assert_golden("unreadable.txt", told(library.problems))
    for line in library.problems:
        assert line.isprintable(), line
        assert re.match(r"[\w .-]+\.(yaml|json):(\d+:)? .*[^ :]$", line), line
        assert len(line) < 300, line


OPENED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a pipe": (lambda path: os.mkfifo(path), "it is no regular file"),
    "a link to itself": (lambda path: path.symlink_to(path), os.strerror(errno.ELOOP)),
    "a link to nothing": (lambda path: path.symlink_to("nowhere"), os.strerror(errno.ENOENT)),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "it is no regular file"),
    "a large file": (
        lambda path: (path.touch(), os.truncate(path, 100 * 2**20)),
        "it has 100 MB, a cassette at most 64; spread its interactions over several files",
    ),
}


@UNIX
@pytest.mark.parametrize("name", OPENED)
def test_what_cannot_be_opened_is_said_and_never_waited_for(name: str, tmp_path: Path) -> None:
    make, told = OPENED[name]
    path = tmp_path / "c.yaml"
    make(path)
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path)
    assert Library.from_folders([tmp_path]).problems == [f"{path}: {told}"]


@UNIX
def test_a_file_name_cannot_break_a_message(tmp_path: Path) -> None:
    path = tmp_path / "a\nb\x1b[2J\udcff.yaml"
    path.write_text("")
    (problem,) = Library.from_folders([tmp_path]).problems
    assert problem.startswith(f"{tmp_path}/a\\nb\\x1b[2J\\udcff.yaml:1: it is no cassette")


def test_a_good_interaction_survives_unusual_forms(tmp_path: Path) -> None:
    """The emulator accepts aliases, numbers as header values, and other forms of keys and dates."""
    path = tmp_path / "c.yaml"
    path.write_text(
        "x-emulator: {recorded: 2026-11-23, 200: yes, no: ~}\n"
        "interactions:\n"
        f"- request: &r {{method: get, uri: '{URI}', headers: &h {{no: 1, on: [2, x]}}, body: !!binary aGVsbG8=}}\n"
        "  response: {status: {code: 200, message: null}, headers: *h, body: !!str 5}\n"
        "- {request: *r, response: {status_code: 404, content: gone}}\n"
    )
    read = cassette.load(path)
    assert read.notes == {"recorded": "2026-11-23", "200": True, "no": None}
    first, second = read.interactions
    assert first.request == second.request
    assert first.request.headers == first.response.headers == (("no", "1"), ("on", "2"), ("on", "x"))
    assert (first.request.method, first.request.body, first.response.body) == ("GET", b"hello", b"5")
    assert (second.response.status, second.response.body) == (404, b"gone")


def test_json_is_read_as_json(tmp_path: Path) -> None:
    """json.dumps writes an emoji as a surrogate pair, which YAML refuses."""
    path = tmp_path / "c.json"
    path.write_text("\ufeff" + json.dumps({"interactions": [entry(response_body={"string": "🎉"})]}), encoding="utf-8")
    assert cassette.load(path).interactions[0].response.body == "🎉".encode()


def read_alone(path: Path) -> "subprocess.CompletedProcess[str]":
    """Reads a file in a process of its own. An eighth of the limits applies there, with 1/8 GB above the start."""
    code = (
        "import resource, sys; from pathlib import Path; from emulator.tape import cassette, document, entry\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 2**27, used + 2**27))\n"
        "document.MAX_WEIGHT //= 8; document.MAX_BYTES //= 8; entry.MAX_BYTES //= 8\n"
        "try: print(len(cassette.load(Path(sys.argv[1])).interactions))\n"
        "except cassette.CassetteError as error: print(error.reason)\n"
    )
    return subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, timeout=60)


def zipped(size: int, count: int) -> str:
    body = gzip.compress(b"\0" * size)
    response = entry(response_headers={"content-encoding": "gzip"}, response_body={"string": body})["response"]
    sound = {"request": entry()["request"], "response": response}
    return PROLOGUE + yaml.dump({"interactions": [sound] * count}, Dumper=yaml.SafeDumper)


HUNGRY: dict[str, tuple[Callable[[], str], str]] = {
    "many values": (lambda: plain("- [" + "[]," * 1_000_000 + "]"), "larger than 128 MB"),
    "a long list of one alias": (
        lambda: plain("- &a {b: '" + "x" * 100_000 + "'}\n" + "- *a\n" * 1_000),
        "larger than 128 MB",
    ),
    "a large compressed body": (lambda: zipped(12 * 2**20, 1), "decompressed it is larger than"),
    "many compressed bodies": (lambda: zipped(2**17, 200), "the bodies are larger than"),
    "many values in JSON": (lambda: '{"interactions":[' + "[]," * 1_000_000 + "[]]}", "too many values"),
}


@UNIX
@pytest.mark.parametrize("name", HUNGRY)
def test_no_file_takes_all_memory(name: str, tmp_path: Path) -> None:
    make, told = HUNGRY[name]
    path = tmp_path / ("c.json" if "JSON" in name else "c.yaml")
    path.write_text(make())
    done = read_alone(path)
    assert (done.returncode, done.stderr) == (0, "")
    assert told in done.stdout


@UNIX
def test_a_large_body_is_read(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(tape(request_body="many").replace("many", "x" * 5_000_000))
    assert read_alone(path).stdout == "2\n"


def test_the_line_is_that_of_the_field(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(tape(response_headers={"a": "b", "c": ["d", None]}))
    with pytest.raises(CassetteError) as caught:
        cassette.load(path)
    lines = path.read_text().splitlines()
    assert caught.value.line is not None
    assert lines[caught.value.line - 2 : caught.value.line + 2] == [
        "      c:",
        "      - d",
        "      - null",
        "    body:",
    ]


def test_every_cassette_means_the_same_as_to_pyyaml() -> None:
    """The two readers differ on dates only, and no cassette of ours has a date."""
    files = [path for path, _ in cassette.find([ROOT / "cassettes"])]
    assert len(files) > 30
    for path in files:
        assert document.parse(path.read_bytes()) == yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader), path
