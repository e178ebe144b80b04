"""The files of the page: what a browser may do with them, and who gets them."""

from pathlib import Path

import httpx
import pytest

from emulator.page.access import Access
from emulator.page.control import Control
from emulator.page.routes import API
from emulator.server import bind, serving
from tests.page.conftest import Running
from tests.page.test_access import code

pytestmark = pytest.mark.usefixtures("files")

LINK = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def test_the_page_is_the_file(running: Running, files: Path) -> None:
    for path, name, kind in (("", "index.html", "text/html"), ("static/main.js", "main.js", "text/javascript")):
        answer = running.api("GET", path)
        assert (answer.status_code, answer.content) == (200, (files / name).read_bytes())
        assert answer.headers["content-type"] == f"{kind}; charset=utf-8"


def test_a_browser_runs_only_what_comes_from_here_and_no_text_as_html(running: Running) -> None:
    policy = running.api("GET", "").headers["content-security-policy"].split("; ")
    assert policy == [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]


def test_an_update_is_seen_at_once_and_nothing_else_is_sent_twice(running: Running, files: Path) -> None:
    first = running.api("GET", "static/main.js")
    assert first.headers["cache-control"] == "no-cache"
    known = {"if-none-match": f'"another", W/{first.headers["etag"]}'}
    again = running.api("GET", "static/main.js", headers=known)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert "content-length" not in again.headers
    (files / "main.js").write_text("export const answer = 43;")
    changed = running.api("GET", "static/main.js", headers=known)
    assert (changed.status_code, changed.text) == (200, "export const answer = 43;")


def test_another_site_may_link_to_the_page_and_to_nothing_else(running: Running) -> None:
    for site in ("cross-site", "same-site"):
        assert running.api("GET", "", headers={"sec-fetch-site": site} | LINK).status_code == 200
        for path in ("static/main.js", "state", "calls", "events", "journal"):
            refused = running.api("GET", path, headers={"sec-fetch-site": site} | LINK)
            assert (refused.status_code, code(refused)) == (403, "foreign_origin"), path
        for other in ({"sec-fetch-dest": "iframe"}, {"sec-fetch-dest": "embed"}, {"sec-fetch-mode": "no-cors"}):
            headers = {"sec-fetch-site": site} | LINK | other
            assert running.api("GET", "", headers=headers).status_code == 403, "no frame and no script"
    rebound = running.api("GET", "", headers=LINK | {"sec-fetch-site": "cross-site", "host": "evil.example"})
    assert code(rebound) == "foreign_host"


@pytest.mark.parametrize(
    "name",
    [
        "index.html.bak",
        "secret.txt",
        "nobody.js",
        ".hidden.js",
        "..%5cmain.js",
        "main.js%00",
        "MAIN.JS",
        "main.js/",
        "con.js",
    ],
)
def test_only_files_of_the_page_are_served(running: Running, files: Path, name: str) -> None:
    (files / "secret.txt").write_text("secret")
    (files.parent / "nobody.js").write_text("secret")
    (files / ".hidden.js").write_text("secret")
    url = httpx.URL(running.base, raw_path=f"/_emulator/static/{name}".encode())
    answer = running.client.send(running.client.build_request("GET", url))
    assert (answer.status_code, "secret" in answer.text) == (404, False)
    assert code(answer) in ("no_such_file", "no_such_route")


def test_a_shorter_address_leads_to_the_page(running: Running) -> None:
    answer = running.client.get("/_emulator")
    assert (answer.status_code, answer.headers["location"]) == (307, "/_emulator/")
    with serving(Control(running.subject), bind(0)) as base:
        assert httpx.get(base, follow_redirects=True).url == f"{base}/_emulator/"
        assert httpx.get(f"{base}/favicon.ico").status_code == 404
    assert httpx.get(running.base).status_code == 401, "at the fake Azure's address that is the fake Azure's"


def test_where_no_page_is_wanted_there_is_none(running: Running) -> None:
    with serving(Control(running.subject, routes=API), bind(0)) as base:
        assert [httpx.get(base + path).status_code for path in ("", "/_emulator", "/_emulator/")] == [404] * 3
        assert httpx.get(f"{base}/_emulator/static/main.js").status_code == 404
        assert httpx.get(f"{base}/_emulator/state").status_code == 200


def test_the_page_needs_no_token_and_tells_nothing(running: Running) -> None:
    """It keeps the token of its address (`#token=`), which no browser sends, and shows it with each of its requests."""
    running.ask()
    with serving(Control(running.subject, Access(["emulator"], "a-token-of-this-run")), bind(0)) as base:
        for path in ("", "static/main.js"):
            answer = httpx.get(f"{base}/_emulator/{path}", headers={"host": "emulator:7072"})
            assert answer.status_code == 200
            assert "a-token-of-this-run" not in answer.text
            assert httpx.get(f"{base}/_emulator/{path}", headers={"host": "elsewhere"}).status_code == 403
