"""A form means what its parts mean, whoever sends it; a body that leaves anything open is compared by its bytes."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.azure import FakeAzure
from emulator.match.library import Library
from emulator.server import bind, serving
from emulator.tape.canonical import canonical_json, parse_body
from emulator.tape.form import FORM, fields_of, is_form, parts_of, text_of
from emulator.tape.media import media_of

SOUND = b"RIFF\x00\xff\r\n--b\r\n sound"
FIELDS = {"model": "whisper", "prompt": "Grüße & 🎉", "temperature": "0"}


def body(*parts: bytes, boundary: bytes = b"xyz", end: bytes = b"--\r\n") -> bytes:
    return b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + end


def field(name: str, value: str, *more: str) -> bytes:
    head = [f'Content-Disposition: form-data; name="{name}"', *more]
    return "\r\n".join([*head, "", value]).encode()


A, B = field("a", "1"), field("b", "2")


def test_a_form_reads_as_its_fields_and_files() -> None:
    file = b'content-disposition: form-data; name=file; filename="a.wav"\r\ncontent-type: audio/wav\r\n\r\n' + SOUND
    told = fields_of(body(A, file, field("list[]", "x"), B, B))
    digest = told["file"].pop("content")
    assert told == {
        FORM: True,
        "a": "1",
        "file": {"filename": "a.wav", "content-type": "audio/wav", "bytes": len(SOUND)},
        "list[]": ["x"],
        "b": ["2", "2"],
    }
    assert digest.startswith("blake2b ")


def sent_by(client: str, base: str, tmp_path: Path) -> None:
    url, files = f"{base}/openai/v1/audio/transcriptions", {"file": ("ä.wav", SOUND, "audio/wav")}
    if client == "httpx":
        httpx.post(url, data=FIELDS, files=files)
    elif client == "requests":
        requests.post(url, data=FIELDS, files=files, timeout=10)
    else:
        (tmp_path / "ä.wav").write_bytes(SOUND)
        fields = [word for name, value in FIELDS.items() for word in ("-F", f"{name}={value}")]
        file = ["-F", f"file=@{tmp_path / 'ä.wav'};type=audio/wav"]
        subprocess.run(
            ["curl", "-s", "--noproxy", "*", url, *file, *fields], check=True, capture_output=True, timeout=20
        )


def test_clients_send_one_form_in_many_ways(tmp_path: Path) -> None:
    clients = ["httpx", "requests", *(["curl"] if shutil.which("curl") else [])]
    azure = FakeAzure(Library())
    with serving(azure, bind(0)) as base:
        for client in clients:
            sent_by(client, base, tmp_path)
    bodies = [exchange.body for exchange in azure.journal.exchanges]
    assert len(set(bodies)) == len(clients)
    assert {canonical_json(parse_body(one)) for one in bodies} == {canonical_json(fields_of(bodies[0]))}
    assert all(is_form(parse_body(one)) for one in bodies)
    assert all(exchange.question.key.deployment == "whisper" for exchange in azure.journal.exchanges)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "other",
    [
        body(A, B, boundary=b"another"),
        body(B, A),
        body(A, B, end=b"--"),
        body(field("a", "1", "Content-Length: 1"), B),
        body(field("a", "1", "Content-Type: text/plain; charset=utf-8"), B),
        body(A, field("b", "2").replace(b"form-data;", b"form-data ;").replace(b"Content-D", b"content-d")),
    ],
)
def test_what_means_nothing(other: bytes) -> None:
    assert canonical_json(parse_body(other)) == canonical_json(parse_body(body(A, B)))


@pytest.mark.parametrize(
    "other",
    [
        body(A),
        body(A, B, B),
        body(A, field("b", "2 ")),
        body(A, field("b[]", "2")),
        body(A, field("b", "2", "Content-Type: application/json")),
        body(A, field("b", "2", "Content-Transfer-Encoding: base64")),
        body(A, B.replace(b'"b"', b'"b"; filename="b"')),
        body(A, B.replace(b'"b"', b'"b"; filename=""')),
        b'{"a":"1","b":"2"}',
        b'{"%s":true,"a":"1","b":"2"}' % FORM.encode(),
    ],
)
def test_what_makes_it_another(other: bytes) -> None:
    same = parse_body(other)
    assert type(same) is bytes or canonical_json(same) != canonical_json(parse_body(body(A, B)))


def test_parts_of_one_name_are_in_order() -> None:
    two, other = body(field("x", "1"), field("x", "2")), body(field("x", "2"), field("x", "1"))
    assert parse_body(two) != parse_body(other)


OPEN: dict[str, bytes] = {
    "no end": body(A, end=b"\r\n"),
    "more after the end": body(A) + b"more",
    "a delimiter that goes on": body(A).replace(b"--xyz--", b"--xyzz--"),
    "no part": b"--xyz--\r\n",
    "no name": body(b"Content-Disposition: form-data\r\n\r\n1"),
    "no disposition": body(b"Content-Type: a/b\r\n\r\n1"),
    "two dispositions": body(b'Content-Disposition: form-data; name="a"\r\n' + A),
    "an attachment": body(A.replace(b"form-data", b"attachment")),
    "a header that is none": body(b'Content-Disposition: form-data; name="a"\r\nnonsense\r\n\r\n1'),
    "no header": body(b"\r\n1"),
    "headers in Latin-1": body(A.replace(b'"a"', b'"\xe4"')),
    "line feeds alone": body(A, B).replace(b"\r\n", b"\n"),
    "a preamble": b"hello\r\n" + body(A),
    "a boundary without an end": b"--" + b"x" * 100_000,
    "an empty boundary": body(A, boundary=b""),
    "too many parts": body(*[A] * 1_001),
    "a part that says what it must not": body(field(FORM, "true")),
    "dashes": b"--",
}


@pytest.mark.parametrize("name", OPEN)
def test_what_is_open_to_interpretation_is_compared_by_its_bytes(name: str) -> None:
    assert parse_body(OPEN[name]) is OPEN[name]


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters='"\\%'), max_size=20)


@settings(deadline=None, database=None, max_examples=50)
@given(st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=4), st.binary(max_size=200))
def test_whatever_a_client_sends_is_read(fields: dict[str, str], sound: bytes) -> None:
    made: Any = httpx.Request("POST", "http://x", data=fields, files={"file!": ("a.bin", sound)})
    content = made.read()
    parts = {part.name: part for part in parts_of(content)}
    assert {name: text_of(content, part) for name, part in parts.items() if name != "file!"} == fields
    file = parts["file!"]
    assert (file.filename, content[file.start : file.end]) == ("a.bin", sound)


@settings(deadline=None, database=None, max_examples=100)
@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(noise: bytes) -> None:
    for content in (b"--" + noise, body(noise), body(A.replace(b"1", noise))):
        assert parse_body(content) is content or is_form(parse_body(content))
    assert str(media_of(noise))
    for beginning in (b"RIFF1234WAVE", b"\x89PNG\r\n\x1a\n"):
        assert str(media_of(beginning + noise))
