"""Microsoft's own host answered 364 requests. Ours gets the same requests, and answers none of them more kindly."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.host.answer import Answer, differences, is_kinder, read
from tests.host.hosts import BACKENDS, LocalHost, running
from tests.host.recording import FOLDER, Row, ask_all, compared, recorded, request

RECORDED = recorded()
STATUS, HEADERS, BODY, END = {"status"}, {"headers"}, {"body"}, {"end"}
DIFFERENT = {  # every request with another answer: the difference, and the reason to keep it
    "root": (BODY, "the page of 150 KB at `/` is the platform's"),
    "key query, other case": (
        STATUS | HEADERS | BODY,
        "there a key in other letters is right, once it was right in its own",
    ),
    "method CONNECT any": (STATUS | BODY | END, "never answered there, a loud 500 here"),
    "header utf-8": (STATUS | BODY | END, "never answered there, a loud 500 here"),
    "header upgrade": (STATUS | BODY | END, "never answered there, a loud 500 here"),
    "header invocation id": (STATUS | BODY | END, "never answered there, a loud 500 here"),
}
STAY_OPEN = {  # the worker's web server answers these, and the invocation waits for ever
    *("path name/a%0Ab", "path rest/x/a%0Ab/y", "method PROPFIND any", "method FOO any", "method QUERY any"),
}
UNANSWERED = re.compile(r"function (\w+): in Azure this call would ")


class Asked:
    """A host that has answered every request, and its lines about those that Azure would not answer."""

    def __init__(self, host: LocalHost) -> None:
        self.answers = ask_all((host.name, host.port))
        self.told = UNANSWERED.findall(host.written())


@pytest.fixture(scope="module", params=BACKENDS)
def asked(request: pytest.FixtureRequest) -> Iterator[Asked]:
    with running(request.param, app=FOLDER / "app") as host:
        asked = Asked(host)
        host.meant.append(len(asked.told))
        yield asked


def test_every_request_of_the_recording_is_asked(asked: Asked) -> None:
    assert asked.answers.keys() == RECORDED.keys()
    assert len(RECORDED) == 364


def test_no_answer_is_kinder_than_microsofts(asked: Asked) -> None:
    assert [name for name, row in RECORDED.items() if compared(row, asked.answers[name])[1]] == []


def test_what_differs_is_what_the_table_names_and_nothing_else(asked: Asked) -> None:
    found = {name: set(compared(row, asked.answers[name])[0]) for name, row in RECORDED.items()}
    assert {name: parts for name, parts in found.items() if parts} == {
        name: parts for name, (parts, _) in DIFFERENT.items()
    }


def test_a_connection_that_microsofts_host_closes_is_closed(asked: Asked) -> None:
    assert [name for name, row in RECORDED.items() if row.end == "closed" and asked.answers[name].end == "open"] == []


def test_what_azure_never_answers_or_leaves_open_is_told_call_by_call(asked: Asked) -> None:
    silent = [name for name, row in RECORDED.items() if row.end == "silent"]
    assert len(silent) == 4
    assert Counter(asked.told) == {"f_open": 3, "f_any": 4, "e_name": 1, "e_rest": 1}
    assert len(asked.told) == len(silent) + len(STAY_OPEN)


# --- what is compared, and how


def answer(text: str, *, end: str = "closed", ms: int = 5) -> Answer:
    return read([(ms, text.replace("\n", "\r\n"))], end)


CALLED = 'HTTP/1.1 200 OK\nA: b\n\n{"function":"f","method":"GET","parameters":{},"query":"","body":"","headers":[]}'
OTHER = {
    "status": CALLED.replace("200", "201"),
    "headers": CALLED.replace("A: b", "A: c"),
    "body": CALLED.replace('"query":""', '"query":"x"'),
    "arrived": CALLED.replace('"headers":[]', '"headers":[["a","b"]]'),
}


@pytest.mark.parametrize("part", OTHER)
def test_a_part_that_differs_is_seen(part: str) -> None:
    assert set(differences(answer(CALLED), answer(OTHER[part]))) == {part}


def test_an_answer_that_ends_otherwise_or_begins_early_is_seen() -> None:
    assert set(differences(answer(CALLED, ms=1_000), answer(CALLED, end="reset"))) == {"end", "early"}


def test_kestrels_name_date_and_framing_are_no_difference() -> None:
    chunked = "HTTP/1.1 200 OK\nServer: Kestrel\nTransfer-Encoding: chunked\n\n2\nhi\n0\n\n"
    assert differences(answer("HTTP/1.1 200 OK\nDate: now\nContent-Length: 2\n\nhi"), answer(chunked)) == {}


def test_of_what_was_cut_the_beginning_is_compared() -> None:
    original = answer("HTTP/1.1 200 OK\n\nhello… (4,000 bytes)")
    assert differences(original, answer("HTTP/1.1 200 OK\n\nhello world")) == {}
    assert set(differences(original, answer("HTTP/1.1 200 OK\n\nhallo world"))) == {"body"}


@pytest.mark.parametrize(
    ("there", "here", "kinder"),
    [
        ("HTTP/1.1 404 Not Found\n\n", CALLED, True),
        ("HTTP/1.1 500 Internal Server Error\n\n", "HTTP/1.1 204 No Content\n\n", True),
        (CALLED, CALLED.replace('"f"', '"g"'), True),
        (CALLED, "HTTP/1.1 404 Not Found\n\n", False),
        (CALLED, CALLED, False),
    ],
)
def test_an_answer_is_kinder_where_another_function_gives_it_or_one_that_there_does_not(
    there: str, here: str, kinder: bool
) -> None:
    assert is_kinder(answer(there), answer(here)) == kinder


def test_a_row_is_asked_as_it_was_recorded() -> None:
    row = Row("name", "POST /api/size, 1,048,576 bytes, chunked", [], "closed")
    sent = b"".join(request(row, {}))
    assert sent.endswith(b"\r\n0\r\n\r\n")
    assert sent.count(b"x" * 65_536) == 16
