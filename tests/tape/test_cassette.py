"""Cassettes are stock VCR.py files: the emulator reads every dialect, and writes whole files that it can read again."""

import gzip
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from emulator.tape import cassette
from emulator.tape.cassette import Interaction, Request, Response
from emulator.tape.stream import pieces

SSE = b'data: {"a":"\xc3\xbc"}\n\nevent: x\ndata: {}\n\ndata: [DONE]\n\n'
URI = "https://any/openai/v1/chat/completions"


def load(tmp_path: Path, request: dict[str, object], response: dict[str, object]) -> Interaction:
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump({"interactions": [{"request": request, "response": response}], "version": 1}))
    return cassette.load(path).interactions[0]


REQUEST: dict[str, object] = {"method": "post", "uri": URI, "headers": {"A": ["1", "2"], "B": "3"}, "body": None}


@pytest.mark.parametrize("body", ["text", b"text", {"string": "text"}, {"base64_string": "dGV4dA=="}])
def test_every_form_of_a_body_is_read(tmp_path: Path, body: object) -> None:
    read = load(tmp_path, REQUEST | {"body": body}, {"status": {"code": 200, "message": "OK"}, "body": body})
    assert (read.request.body, read.response.body) == (b"text", b"text")


def test_headers_of_both_forms_are_read(tmp_path: Path) -> None:
    read = load(tmp_path, REQUEST, {"status": {"code": 200, "message": "OK"}, "headers": {"C": ["4"]}, "body": {}})
    assert read.request.method == "POST"
    assert read.request.headers == (("A", "1"), ("A", "2"), ("B", "3"))
    assert read.response.header("c") == "4"


def test_the_form_of_older_vcrpy_is_read(tmp_path: Path) -> None:
    read = load(tmp_path, REQUEST, {"status_code": 404, "content": "gone", "headers": {}})
    assert (read.response.status, read.response.body) == (404, b"gone")


def test_a_compressed_body_is_replayed_as_the_text_it_is(tmp_path: Path) -> None:
    response = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"content-encoding": ["gzip"], "x": ["y"]},
        "body": {"string": gzip.compress(b"text")},
    }
    read = load(tmp_path, REQUEST, response).response
    assert (read.body, read.header("content-encoding"), read.header("x")) == (b"text", "", "y")


def made(body: bytes = SSE, at: tuple[float, ...] = ()) -> Interaction:
    headers = (("content-type", "text/event-stream; charset=utf-8"), ("x", "1"), ("x", "2"))
    request = Request("POST", URI, (("accept", "*/*"),), b'{"a":1}')
    return Interaction(request, Response(200, "OK", headers, body, at), "c #1")


@pytest.mark.parametrize("body", [SSE, b"", b"\x00\xff", b"line \n\n", "\u2028\ufeff🚆\n".encode(), b"a\r\n\r\nb\r\n"])
def test_what_is_written_is_read_again_byte_for_byte(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "folder" / "c.yaml"
    cassette.save(path, [made(body, (1.0,))], {"origin": "synthetic"})
    read = cassette.load(path)
    assert read.interactions == (made(body, (1.0,)),)
    assert read.notes == {"origin": "synthetic"}
    assert [item.name for item in path.parent.iterdir()] == ["c.yaml"], "no temporary file is left"


def test_a_stream_is_written_as_a_block_that_can_be_reviewed(tmp_path: Path) -> None:
    cassette.save(tmp_path / "c.yaml", [made()], {})
    lines = (tmp_path / "c.yaml").read_text().splitlines()
    assert '        data: {"a":"ü"}' in lines


def test_a_stream_leaves_frame_by_frame_on_its_schedule() -> None:
    frames = [b'data: {"a":"\xc3\xbc"}\n\n', b"event: x\ndata: {}\n\n", b"data: [DONE]\n\n"]
    response = made(at=(100.0, 150.0, 400.0)).response
    assert [piece.data for piece in pieces(response)] == frames
    assert [piece.at for piece in pieces(response)] == [0.1, 0.15, 0.4]
    assert [piece.at for piece in pieces(made(at=(5.0,)).response)] == [0, 0, 0], "a schedule of another stream"


def test_a_cut_stream_keeps_its_last_bytes() -> None:
    assert [piece.data for piece in pieces(made(SSE[:-4]).response)][-1] == b"data: [DON"


def test_a_stream_that_came_in_other_pieces_leaves_in_them(tmp_path: Path) -> None:
    """Azure may cut its frames anywhere, and a connection may break anywhere."""
    arrived = replace(made(SSE[:-4]).response, frame_at_ms=(5.0, 9.0), frame_bytes=(4, len(SSE) - 8), outcome="reset")
    cassette.save(tmp_path / "c.yaml", [Interaction(made().request, arrived, "c #1")], {})
    read = cassette.load(tmp_path / "c.yaml").interactions[0].response
    assert read == arrived
    assert [piece.data for piece in pieces(read)] == [SSE[:4], SSE[4:-4]]
    assert [piece.at for piece in pieces(read)] == [0.005, 0.009]


@pytest.mark.parametrize(
    ("arrived", "told"),
    [
        ({"frame_bytes": [1, 2]}, "response.x-stream.frame_bytes: they add up to 3, the body has 4 bytes"),
        ({"outcome": "fine"}, 'one of complete, reset, truncated, client_cancelled was expected, not "fine"'),
    ],
)
def test_an_impossible_stream_is_refused_by_name(tmp_path: Path, arrived: dict[str, object], told: str) -> None:
    answered = {"status": {"code": 200, "message": "OK"}, "body": {"string": "text"}, "x-stream": arrived}
    with pytest.raises(cassette.CassetteError, match=re.escape(told)):
        load(tmp_path, REQUEST, answered)
