"""A form passes byte for byte; its `model` is found wherever it stands; what two readers may read in two ways is
refused."""

import asyncio
import shutil
import subprocess
import time
from pathlib import Path

import aiohttp
import httpx
import pytest
import urllib3
from starlette.datastructures import Headers

from proxy.errors import ProxyError
from proxy.form import HEAD_BYTES, MOST_PARTS, read_form
from proxy.media import form_of
from proxy.model import Asked, choose_in_form, renamed
from tests.support import raw_upstream, sending

SERVED = {"whisper": "whisper", "gpt-image-1": "my-images"}
B = b"x-boundary-7"
KIND = b"multipart/form-data; boundary=" + B
FILE = b'Content-Disposition: form-data; name="file"; filename="a.mp3"\r\nContent-Type: audio/mpeg\r\n\r\n'
MODEL = b'Content-Disposition: form-data; name="model"\r\n\r\n'
SOUND = bytes(range(256)) * 8  # every byte, line ends and dashes among them


def form(*parts: bytes, boundary: bytes = B) -> bytes:
    return b"".join(b"--%s\r\n%s\r\n" % (boundary, part) for part in parts) + b"--%s--\r\n" % boundary


def chosen(body: bytes, kind: bytes = KIND, in_path: bool = False, by_path: str | None = None) -> Asked:
    return choose_in_form(read_form([kind], body), SERVED, in_path, by_path)


def refused(body: bytes, kind: bytes = KIND, **options: bool) -> ProxyError:
    with pytest.raises(ProxyError) as caught:
        chosen(body, kind, **options)
    assert caught.value.status in (400, 404)
    return caught.value


# --- what clients write -----------------------------------------------------------------------------------------------

WRITTEN = {
    "httpx": (KIND, form(MODEL + b"whisper", FILE + SOUND)),
    "a browser": (
        b"multipart/form-data; boundary=----WebKitFormBoundaryAbC123",
        form(FILE + SOUND, MODEL + b"whisper", boundary=b"----WebKitFormBoundaryAbC123"),
    ),
    ".NET": (
        b'multipart/form-data; boundary="c4d2e8a1-0000"',
        form(
            b"Content-Disposition: form-data; name=model\r\n\r\nwhisper",
            b"Content-Type: audio/mpeg\r\nContent-Disposition: form-data; name=file; filename=a.mp3; "
            b"filename*=utf-8''a.mp3\r\n\r\n" + SOUND,
            boundary=b"c4d2e8a1-0000",
        ),
    ),
    "a blank line first, none last": (KIND, b"\r\n" + form(FILE + SOUND, MODEL + b"whisper")[:-2]),
    "another parameter": (b"Multipart/Form-Data;charset=utf-8; BOUNDARY=" + B, form(MODEL + b"whisper", FILE + SOUND)),
    "a name in UTF-8": (KIND, form(FILE.replace(b"a.mp3", "Größe; C:\\ü.mp3".encode()) + SOUND, MODEL + b"whisper")),
    "an empty file": (KIND, form(FILE, MODEL + b"whisper")),
}


@pytest.mark.parametrize("client", WRITTEN)
def test_a_form_whose_model_fits_stays_as_it_is(client: str) -> None:
    kind, body = WRITTEN[client]
    asked = chosen(body, kind)
    assert (asked.model, asked.deployment) == ("whisper", "whisper")
    assert asked.body is body


ODD_NAME = 'Größe; "x" (1) name.mp3'


async def by_aiohttp() -> tuple[bytes, bytes]:
    data = aiohttp.FormData({"prompt": "Grüß Gott"})
    data.add_field("file", SOUND, filename=ODD_NAME, content_type="audio/mpeg")
    data.add_field("model", "whisper")
    written = data()
    return written.content_type.encode(), await written.as_bytes()


def by_httpx() -> tuple[bytes, bytes]:
    files = {"file": (ODD_NAME, SOUND, "audio/mpeg")}
    request = httpx.Request("POST", "http://x", files=files, data={"model": "whisper", "include[]": ["a", "b"]})
    return request.headers["content-type"].encode(), request.read()


def by_urllib3() -> tuple[bytes, bytes]:
    body, kind = urllib3.encode_multipart_formdata([("file", (ODD_NAME, SOUND)), ("model", "whisper")])
    return kind.encode(), body


def by_curl(folder: Path) -> tuple[bytes, bytes]:
    """Its request, as a server that hangs up has seen it."""
    (folder / "a b.mp3").write_bytes(SOUND)
    with raw_upstream() as server:
        server.answer = sending(b"{}")
        command = ["curl", "-s", "-F", "file=@a b.mp3;type=audio/mpeg", "-F", "model=whisper", server.base]
        subprocess.run(command, cwd=folder, check=True, timeout=20, stdout=subprocess.DEVNULL)
        (arrived,) = server.arrived
    return arrived.headers["content-type"].encode(), arrived.body


@pytest.mark.parametrize("client", ["aiohttp", "httpx", "urllib3", "curl"])
def test_forms_of_real_clients_are_read(client: str, tmp_path: Path) -> None:
    if client == "curl" and not shutil.which("curl"):
        pytest.skip("curl is not here")
    ways = {"httpx": by_httpx, "urllib3": by_urllib3, "curl": lambda: by_curl(tmp_path)}
    kind, body = asyncio.run(by_aiohttp()) if client == "aiohttp" else ways[client]()
    asked = chosen(body, kind)
    assert asked.body is body
    assert (asked.model, dict(asked.members)["file"]) == ("whisper", None)


@pytest.mark.parametrize("before", [(), (FILE + SOUND,)])
@pytest.mark.parametrize("after", [(), (FILE + SOUND,)])
def test_only_the_model_is_rewritten_wherever_it_stands(before: tuple[bytes, ...], after: tuple[bytes, ...]) -> None:
    asked = chosen(form(*before, MODEL + b"gpt-image-1", *after))
    assert asked.body == form(*before, MODEL + b"my-images", *after)
    assert (asked.model, asked.deployment) == ("gpt-image-1", "my-images")


def test_a_model_with_headers_of_its_own_is_written_anew() -> None:
    """OkHttp's has a Content-Length. A `charset` or an encoding would let another reader see another name."""
    odd = MODEL.replace(b"\r\n\r\n", b"\r\nContent-Type: text/plain; charset=utf-16\r\nContent-Length: 9\r\n\r\n")
    assert chosen(form(FILE + SOUND, odd + b"whisper")).body == form(FILE + SOUND, MODEL + b"whisper")


def test_a_model_in_the_path_wins_and_comes_into_the_form() -> None:
    assert chosen(form(FILE), by_path="gpt-image-1").body == form(MODEL + b"my-images", FILE)
    assert chosen(form(FILE, MODEL + b"whisper"), by_path="gpt-image-1").body == form(FILE, MODEL + b"my-images")


def test_a_form_stays_as_it_is_where_azures_path_names_the_deployment() -> None:
    body = form(FILE, MODEL + b"gpt-image-1")
    assert chosen(body, in_path=True).body is body
    assert chosen(form(FILE), in_path=True, by_path="gpt-image-1").body == form(FILE)


def test_a_model_that_is_not_the_paths_does_not_reach_azure() -> None:
    asked = chosen(form(FILE, MODEL + b"whisper"), in_path=True, by_path="gpt-image-1")
    assert asked.body == form(FILE, MODEL + b"my-images")


def test_texts_are_members_and_files_are_none() -> None:
    quality = b'Content-Disposition: form-data; name="quality"\r\n\r\nlow'
    members = chosen(form(FILE + SOUND, quality, MODEL + b"whisper")).members
    assert members == (("file", None), ("quality", "low"), ("model", "whisper"))


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
def test_a_body_in_json_is_no_form(kind: str) -> None:
    assert form_of(Headers({"content-type": kind}), b"{}") is None


# --- what is refused --------------------------------------------------------------------------------------------------


def with_header(header: bytes) -> bytes:
    return form(b"%s\r\n\r\nx" % header, MODEL + b"whisper")


DISPOSITION = b"Content-Disposition: form-data; "
INNER = b"--in\r\n" + MODEL + b"gpt-image-1\r\n--in--"
NO_FORM = {
    "no boundary": (form(MODEL + b"whisper"), b"multipart/form-data"),
    "an empty boundary": (form(MODEL + b"whisper", boundary=b""), b'multipart/form-data; boundary=""'),
    "a long boundary": (form(MODEL, boundary=b"b" * 71), b"multipart/form-data; boundary=" + b"b" * 71),
    "two boundaries": (form(MODEL + b"whisper"), KIND + b"; boundary=other"),
    "two boundaries in capitals": (form(MODEL + b"whisper"), b"multipart/form-data; Boundary=a; boundary=" + B),
    "a boundary inside quotes": (form(MODEL + b"whisper"), b'multipart/form-data; x="; boundary=a"; boundary=' + B),
    "an extended boundary": (form(MODEL + b"whisper"), b"multipart/form-data; boundary*=utf-8''a; boundary=" + B),
    "a boundary with an equals sign": (form(MODEL, boundary=b"a=b"), b"multipart/form-data; boundary=a=b"),
    "a quoted pair": (form(MODEL + b"whisper"), b'multipart/form-data; boundary="%s"' % B.replace(b"7", b"\\7")),
    "another kind": (form(MODEL + b"whisper"), b"multipart/mixed; boundary=" + B),
    "no kind": (form(MODEL + b"whisper"), b""),
    "no form": (b'{"model":"whisper"}', KIND),
    "nothing": (b"", KIND),
    "another boundary": (form(MODEL + b"whisper", boundary=b"other"), KIND),
    "text before": (b"text\r\n" + form(MODEL + b"whisper"), KIND),
    "text after": (form(MODEL + b"whisper") + form(MODEL + b"gpt-image-1"), KIND),
    "a long end": (form(MODEL + b"whisper") + b"\r\n" * 100, KIND),
    "no end": (form(MODEL + b"whisper")[: -len(B) - 6], KIND),
    "an end that is cut": (form(MODEL + b"whisper")[:-4], KIND),
    "blanks after a boundary": (form(MODEL + b"whisper").replace(B + b"\r\n", B + b" \r\n", 1), KIND),
    "line feeds alone": (form(MODEL + b"whisper").replace(b"\r\n", b"\n"), KIND),
    "a boundary inside a file": (form(FILE + b"\n--" + B + b"\n" + MODEL + b"gpt-image-1", MODEL + b"whisper"), KIND),
    "a boundary inside a line": (form(FILE + b"x--" + B + b"--", MODEL + b"whisper"), KIND),
    "a longer boundary in a file": (form(FILE + b"\r\n--" + B + b"7\r\n", MODEL + b"whisper"), KIND),
    "no headers": (form(b"\r\n\r\nx", MODEL + b"whisper"), KIND),
    "nothing in a part": (form(b"", MODEL + b"whisper"), KIND),
    "huge headers": (with_header(b"X: " + b"x" * HEAD_BYTES + b"\r\n" + DISPOSITION + b'name="x"'), KIND),
    "many parts": (form(*(DISPOSITION + b'name="x"\r\n\r\n1' for _ in range(MOST_PARTS)), MODEL + b"whisper"), KIND),
    "parts in a part": (
        with_header(DISPOSITION + b'name="x"\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n' + INNER),
        KIND,
    ),
    "a message in a part": (with_header(DISPOSITION + b'name="x"\r\nContent-Type: message/rfc822'), KIND),
    "a header twice": (with_header(DISPOSITION + b'name="x"\r\n' + DISPOSITION + b'name="model"'), KIND),
    "a folded header": (with_header(b'Content-Disposition: form-data;\r\n name="model"'), KIND),
    "a blank before the colon": (with_header(b'Content-Disposition : form-data; name="x"'), KIND),
    "a line feed in a header": (with_header(DISPOSITION + b'name="x"\nX: y'), KIND),
    "a carriage return in a header": (with_header(DISPOSITION + b'name="x"\rX: y'), KIND),
    "a zero in a header": (with_header(DISPOSITION + b'name="x"; filename="\0"'), KIND),
    "no disposition": (with_header(b"Content-Type: text/plain"), KIND),
    "another disposition": (with_header(b'Content-Disposition: attachment; name="x"'), KIND),
    "no name": (with_header(DISPOSITION + b'filename="x"'), KIND),
    "two names": (with_header(DISPOSITION + b'name="x"; name="model"'), KIND),
    "two names, one in capitals": (with_header(DISPOSITION + b'name="x"; NAME="model"'), KIND),
    "an extended name": (with_header(DISPOSITION + b"name=\"x\"; name*=utf-8''model"), KIND),
    "a continued name": (with_header(DISPOSITION + b'name*0="mo"; name*1="del"'), KIND),
    "a name inside quotes": (with_header(DISPOSITION + b'name="x"; filename="; name=model"'), KIND),
    "a quoted pair in a name": (with_header(DISPOSITION + b'name="m\\odel"'), KIND),
    "a quoted quote": (with_header(DISPOSITION + b'name="x"; filename="a\\"; x="b"'), KIND),
    "an open quote": (with_header(DISPOSITION + b'name="x"; filename="a'), KIND),
    "a percent in a name": (with_header(DISPOSITION + b'name="%6dodel"'), KIND),
    "an encoded word": (with_header(DISPOSITION + b'name="=?utf-8?Q?model?="'), KIND),
    "blanks around equals": (with_header(DISPOSITION + b'name = "model"'), KIND),
    "a name in another header": (with_header(DISPOSITION + b'name="x"\r\nContent-Type: text/plain; name=model'), KIND),
    "something else beside the name": (with_header(DISPOSITION + b'name="x"; size=1'), KIND),
}


@pytest.mark.parametrize("case", NO_FORM)
def test_what_two_readers_may_read_in_two_ways_is_refused(case: str) -> None:
    body, kind = NO_FORM[case]
    assert refused(body, kind).code == "invalid_form"


@pytest.mark.parametrize(
    "parts",
    [
        (MODEL + b"whisper", MODEL + b"gpt-image-1"),
        (MODEL + b"whisper", MODEL + b"whisper"),
        (MODEL.replace(b'"\r', b'"; filename="a"\r') + b"whisper",),
        (MODEL + b"whisper", MODEL.replace(b"model", b"Model") + b"gpt-image-1"),
        (MODEL + b"whisper", MODEL.replace(b"model", b"model[]") + b"gpt-image-1"),
        (MODEL.replace(b"model", b"MODEL") + b"whisper",),
    ],
)
def test_two_models_and_a_model_that_is_a_file_are_refused(parts: tuple[bytes, ...]) -> None:
    error = refused(form(*parts, FILE))
    assert error.code == "invalid_model"
    assert refused(form(*parts, FILE), in_path=True).code == "invalid_model"


def test_two_content_types_are_refused() -> None:
    with pytest.raises(ProxyError) as caught:
        read_form([b"application/json", KIND], form(MODEL + b"whisper"))
    assert caught.value.code == "invalid_form"


@pytest.mark.parametrize(
    "named", [b"gpt-4o", b"my-images", b" whisper", b"whisper\r\n", b"", b"w\0", b"\xff", b"w" * 99_999]
)
def test_a_model_that_is_not_served_is_refused(named: bytes) -> None:
    assert refused(form(FILE, MODEL + named)).code in ("model_not_found", "missing_model")


def test_a_form_without_a_model_is_refused_with_the_models_that_are_served() -> None:
    error = refused(form(FILE))
    assert error.code == "missing_model"
    assert b"whisper, gpt-image-1" in error.body


@pytest.mark.parametrize("client", WRITTEN)
def test_a_form_can_be_sent_to_another_deployment(client: str) -> None:
    kind, body = WRITTEN[client]
    again = chosen(renamed(body, "gpt-image-1"), kind)
    assert (again.model, again.deployment) == ("gpt-image-1", "my-images")


@pytest.mark.parametrize(
    "kind",
    [
        b"multipart/form-data; a=b" + b" " * 60_000 + b"x",
        b"multipart/form-data; boundary=" + b"b" * 60_000,
        b"multipart/form-data" + b";a=b" * 15_000 + b"\0",
        b"multipart/form-data; boundary=" + B + b' ; x="' + b"boundary " * 6_000,
    ],
)
def test_a_long_header_costs_no_time(kind: bytes) -> None:
    """A pattern that tries every beginning of a run of blanks would take seconds, in which nobody else is served."""
    began = time.process_time()
    refused(form(MODEL + b"whisper"), kind)
    refused(form(b"Content-Disposition: form-data; name=" + kind[-4_000:] + b"\r\n\r\n", MODEL + b"whisper"))
    refused(form(b"Content-Disposition:" + b" " * 4_000 + b"\1\r\n\r\n", MODEL + b"whisper"))
    assert time.process_time() - began < 0.1
