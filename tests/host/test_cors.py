"""Pages of other sites: the host answers them as Microsoft's does (recorded/README.md), from the same setting."""

from collections.abc import Iterator

import pytest

from emulator.host.app import AppError
from emulator.host.cors import Cors
from tests.host.hosts import BACKENDS, KEY, Host, running

A, B = "https://a.example", "https://b.example"
KEPT = ("access-control-", "vary")


@pytest.fixture(scope="module")
def shared() -> Iterator[Host]:
    """The sample app for the pages of one site."""
    with running(BACKENDS[-1], CORS_ALLOWED_ORIGINS=f'["{A}"]') as host:
        yield host


def told(
    host: Host, method: str, path: str, origin: str, key: str | None, *more: tuple[str, str]
) -> tuple[int, dict[str, str]]:
    """The status, and the headers about pages of other sites."""
    reply = host.ask(method, f"/base/v2/{path}", key=key, headers=[("origin", origin), *more])
    return reply.status, {name: value for name, value in reply.headers if name.startswith(KEPT)}


PREFLIGHT = (("access-control-request-method", "POST"), ("access-control-request-headers", "authorization,x-mine"))
ALLOWED = {"access-control-allow-origin": A}
MAY = {"access-control-allow-headers": "authorization,x-mine", "access-control-allow-methods": "POST"}


def test_pages_of_an_allowed_origin_may_call(shared: Host) -> None:
    for path in "text", "unknown", "for-admins":
        assert told(shared, "OPTIONS", path, A, None, *PREFLIGHT) == (204, ALLOWED | MAY)
        assert told(shared, "OPTIONS", path, B, None, *PREFLIGHT) == (204, {})
    for path, key, status in (("text", KEY, 200), ("text", None, 401), ("unknown", KEY, 404), ("raises", KEY, 500)):
        assert told(shared, "GET", path, A, key) == (status, ALLOWED)
        assert told(shared, "GET", path, B, key) == (status, {})


def test_a_preflight_that_asks_for_no_header_is_allowed_none(shared: Host) -> None:
    assert told(shared, "OPTIONS", "text", A, None, PREFLIGHT[0]) == (
        204,
        ALLOWED | {"access-control-allow-methods": "POST"},
    )


def test_an_answer_to_nobody_elses_page_stays_as_it_is(shared: Host) -> None:
    assert not [name for name, _ in shared.ask("GET", "/base/v2/text").headers if name.startswith(KEPT)]


ASKED = {b"origin": A.encode(), b"access-control-request-method": b"GET"}


def headers(value: str, credentials: str = "") -> dict[bytes, bytes]:
    cors = Cors.from_env({"CORS_ALLOWED_ORIGINS": value, "CORS_SUPPORT_CREDENTIALS": credentials})
    return dict(cors.headers(ASKED))


@pytest.mark.parametrize("value", ["", "[]", f'["{B}"]', f'["{A}:8443"]', '["http://a.example"]'])
def test_no_other_origin_is_allowed(value: str) -> None:
    assert headers(value) == {}


def test_every_origin_may_be_allowed_and_several_make_the_answer_vary() -> None:
    assert headers('["*"]') == {b"access-control-allow-origin": b"*"}
    assert headers(f'["{B}", "HTTPS://A.example"]') == {b"access-control-allow-origin": A.encode(), b"vary": b"Origin"}
    assert headers(f'["{A}"]', "true")[b"access-control-allow-credentials"] == b"true"


@pytest.mark.parametrize(
    ("value", "credentials", "why"),
    [
        (A, "", "must be a JSON list"),
        (f'"{A}"', "", "must be a JSON list"),
        ("[1]", "", "must be a JSON list"),
        (f'["{A}/"]', "", "no browser sends the origin"),
        ('["a.example"]', "", "no browser sends the origin"),
        ('["https://*.a.example"]', "", "no browser sends the origin"),
        ('["*"]', "true", "would not start"),
    ],
)
def test_a_setting_that_lets_nobody_in_is_refused(value: str, credentials: str, why: str) -> None:
    with pytest.raises(AppError, match=why):
        headers(value, credentials)
