"""No form that the proxy lets through shows another reader another model. Azure's reader is unknown, so these stand for
it: Python's email, python-multipart (FastAPI's), werkzeug (Flask's), and two that take every liberty."""

import email.policy
import os
import re
from collections.abc import Callable
from email.parser import BytesParser
from io import BytesIO

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from python_multipart import FormParser
from werkzeug.formparser import parse_form_data

from proxy.errors import ProxyError
from proxy.form import read_form
from proxy.model import choose_in_form

SERVED = {"fine": "my-fine"}
FORBIDDEN = "forbidden"
Reader = Callable[[bytes, bytes], list[str]]


def by_email(kind: bytes, body: bytes) -> list[str]:
    """Reads parts of parts, line feeds alone, continued and extended names."""
    head = b"MIME-Version: 1.0\r\nContent-Type: " + kind + b"\r\n\r\n"
    message = BytesParser(policy=email.policy.compat32).parsebytes(head + body)
    return [text_of(part.get_payload(decode=True)) for part in message.walk() if name_of(part) == "model"]


def name_of(part: email.message.Message) -> str:
    named = part.get_param("name", header="content-disposition")
    return email.utils.collapse_rfc2231_value(named).lower() if isinstance(named, str | tuple) else ""


def text_of(payload: object) -> str:
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else str(payload)


def by_python_multipart(kind: bytes, body: bytes) -> list[str]:
    from python_multipart.multipart import parse_options_header

    main, options = parse_options_header(kind)
    found: list[str] = []

    def on_field(field: object) -> None:
        if field.field_name.lower() == b"model":  # type: ignore[attr-defined]
            found.append((field.value or b"").decode("utf-8", "replace"))  # type: ignore[attr-defined]

    def on_file(file: object) -> None:
        if (file.field_name or b"").lower() == b"model":  # type: ignore[attr-defined]
            file.file_object.seek(0)  # type: ignore[attr-defined]
            found.append(file.file_object.read().decode("utf-8", "replace"))  # type: ignore[attr-defined]

    parser = FormParser(main.decode(), on_field, on_file, boundary=options.get(b"boundary"))
    parser.write(body)
    parser.finalize()
    return found


def by_werkzeug(kind: bytes, body: bytes) -> list[str]:
    environ = {
        "wsgi.input": BytesIO(body),
        "CONTENT_TYPE": kind.decode("latin-1"),
        "CONTENT_LENGTH": str(len(body)),
        "REQUEST_METHOD": "POST",
    }
    _, fields, files = parse_form_data(environ, lambda *_, **__: BytesIO(), silent=False)
    found = [value for name, value in fields.items(multi=True) if name.lower() == "model"]
    return found + [text_of(file.read()) for name, file in files.items(multi=True) if name.lower() == "model"]


def by_lines(kind: bytes, body: bytes) -> list[str]:
    """Takes every line that begins with a boundary, however the line ends, and every `name=` in the lines after it."""
    found = []
    for boundary in re.findall(rb'boundary[^=]*=\s*"?([^";,\s]*)', kind, re.IGNORECASE):
        for part in re.split(rb"(?:^|[\r\n])--%s[^\r\n]*\r?\n" % re.escape(boundary), body):
            head, *rest = re.split(rb"\r?\n\r?\n", part, maxsplit=1)
            if re.search(rb"(?<!file)name\*?\d*\*?\s*=\s*\"?[^\";]*\bmodel\b", head, re.IGNORECASE):
                found.append(rest[0].rstrip(b"\r\n").decode("utf-8", "replace") if rest else "")
    return found


def by_anything(kind: bytes, body: bytes) -> list[str]:
    """Splits wherever the boundary stands."""
    boundary = re.findall(rb'boundary="?([^";]*)', kind, re.IGNORECASE)[-1]
    parts = [part.partition(b"\r\n\r\n") for part in body.split(boundary)]
    return [text.removesuffix(b"\r\n--").decode("utf-8", "replace") for head, _, text in parts if b'"model"' in head]


READERS: list[Reader] = [by_email, by_python_multipart, by_werkzeug, by_lines, by_anything]
KNOWN = 3  # readers that know what a form is

# --- what an attacker writes ------------------------------------------------------------------------------------------

BOUNDARIES = [b"b", b"--b", b"bb", b"b-", b"in"]
TRICKS = [
    b'; name="model"',
    b'; NAME="model"',
    b"; name=model",
    b"; name*=utf-8''model",
    b'; name*0="mo"; name*1="del"',
    b';\r\n name="model"',
    b'; filename="a"; name="model"',
    b'; filename="a\\"; name="model"; x="b"',
    b'; filename="\\\\"; name="model"',
    b"; filename='a; name=model'",
    b'; name="mo\\del"',
    b'; name="model\0"',
    b'; name="%6dodel"',
    b'; name="x"',
    b'; name="x"; filename="y"',
]
HEADERS = [
    b"",
    b"\r\nContent-Type: text/plain; charset=utf-7",
    b"\r\nContent-Type: multipart/mixed; boundary=in",
    b"\r\nContent-Type: application/octet-stream; name=model",
    b"\r\nContent-Transfer-Encoding: base64",
    b"\r\nContent-Transfer-Encoding: quoted-printable",
    b"\r\nContent-Length: 3",
    b'\nContent-Disposition: form-data; name="model"',
    b"\r\n\tX: y",
]
VALUES = [b"fine", b"forbidden", b"Zm9yYmlkZGVu", b"=66orbidden", b"+AGY-orbidden", b"fine\r\n", b""]
ENDS = [b"\r\n", b"\n", b"\r", b" \r\n", b"", b"--\r\n", b"--", b"X\r\n"]
LINES = st.builds(
    lambda mark, boundary, end: mark + boundary + end, *map(st.sampled_from, ([b"--", b"-", b""], BOUNDARIES, ENDS))
)
HEADS = st.builds(
    lambda kind, trick, more: b"Content-Disposition: " + kind + trick + more + b"\r\n\r\n",
    *map(st.sampled_from, ([b"form-data", b"form-data ", b"attachment", b"FORM-DATA"], TRICKS, HEADERS)),
)
PIECES = st.one_of(LINES, HEADS, st.sampled_from([*VALUES, *ENDS, b"\r\n\r\n"]), st.binary(max_size=6))
PARTS = st.builds(
    lambda mark, head, value, end: mark + head + value + end,
    *(
        LINES | st.just(b"--b\r\n"),
        HEADS,
        st.one_of(st.sampled_from(VALUES), PIECES),
        st.sampled_from(ENDS) | st.just(b"\r\n"),
    ),
)
GOOD = b'Content-Disposition: form-data; name="model"\r\n\r\nfine'
WHOLE = st.builds(  # mostly right, so that many pass
    lambda parts: b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n",
    st.lists(
        st.one_of(st.just(GOOD), st.builds(lambda h, v: h + v, HEADS, st.sampled_from(VALUES) | PIECES)), max_size=4
    ),
)
BODIES = st.one_of(WHOLE, st.lists(st.one_of(PARTS, PIECES), max_size=8).map(b"".join))
KINDS = st.sampled_from(
    [
        *[b"multipart/form-data; boundary=b"] * 5,
        b'multipart/form-data; boundary="b"',
        b"multipart/form-data; boundary=b; boundary=in",
        b'multipart/form-data; x="; boundary=in"; boundary=b',
        b"multipart/form-data; boundary*=utf-8''in; boundary=b",
        b"multipart/form-data; boundary=--b",
        b"multipart/mixed; boundary=b",
    ]
)


def passed_on(kind: bytes, body: bytes, in_path: bool) -> bytes | None:
    try:
        return choose_in_form(read_form([kind], body), SERVED, in_path).body
    except ProxyError:
        return None


def seen_by(reader: Reader, kind: bytes, body: bytes) -> list[str] | None:
    """None where the reader refuses the form."""
    try:
        return reader(kind, body)
    except Exception:
        return None


def judge(kind: bytes, body: bytes, in_path: bool) -> None:
    if (passed := passed_on(kind, body, in_path)) is not None:
        seen = [seen_by(reader, kind, passed) for reader in READERS]
        allowed = ["fine"] if in_path and b"\r\n\r\nfine" in passed else ["my-fine"]
        assert all(found in (allowed, None) for found in seen[:KNOWN]), passed
        assert all(found in (allowed, [], None) for found in seen), passed


@settings(deadline=None, max_examples=400)
@example(b"multipart/form-data; boundary=b", b"--b\r\n" + GOOD + b"\r\n--b--\r\n", False)
@given(KINDS, BODIES, st.booleans())
def test_no_other_reader_sees_another_model(kind: bytes, body: bytes, in_path: bool) -> None:
    judge(kind, body, in_path)


@pytest.mark.long
@settings(deadline=None, max_examples=int(os.environ.get("EXAMPLES", "10000")))
@given(KINDS, BODIES, st.booleans())
def test_no_other_reader_sees_another_model_in_many_forms(kind: bytes, body: bytes, in_path: bool) -> None:
    judge(kind, body, in_path)


@pytest.mark.parametrize("reader", READERS)
def test_each_reader_reads_a_plain_form(reader: Reader) -> None:
    assert reader(b"multipart/form-data; boundary=b", b"--b\r\n" + GOOD + b"\r\n--b--\r\n") == ["fine"]
