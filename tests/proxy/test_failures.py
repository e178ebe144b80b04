"""When something is wrong, a caller gets the documented answer, soon, and never a traceback."""

import socket
from collections.abc import Iterator

import httpx
import pytest

from emulator.match.library import Library
from tests.support import Arrived, Proxy, RawUpstream, closed_port, proxy, recording

BODY = b'{"model":"gpt-4o-mini","messages":[]}'
RECORDINGS = Library([recording(BODY, b'{"ok":true}')])


@pytest.fixture(scope="module")
def served() -> Iterator[Proxy]:
    with proxy(library=RECORDINGS) as running:
        yield running


@pytest.fixture(autouse=True)
def healthy(served: Proxy) -> None:
    served.azure.reset()


def post(running: Proxy, path: str = "chat/completions", body: bytes = BODY, **headers: str) -> httpx.Response:
    return httpx.post(f"{running.base_url}/{path}", content=body, headers=running.headers | headers, timeout=30)


def assert_error(response: httpx.Response, status: int, code: str) -> str:
    assert response.status_code == status
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code
    assert response.headers["x-request-id"]
    assert "Traceback" not in response.text
    return str(error["message"])


@pytest.mark.parametrize("headers", [{}, {"x-functions-key": ""}, {"x-functions-key": "wrong"}])
def test_a_missing_or_wrong_key_is_an_empty_401(served: Proxy, headers: dict[str, str]) -> None:
    response = httpx.post(f"{served.base_url}/chat/completions", content=BODY, headers=headers)
    assert (response.status_code, response.content) == (401, b"")
    assert served.azure.journal.exchanges == []


@pytest.mark.parametrize("path", ["v1/chat/completions", "nothing", "chat", "responses/resp_1/other", "../v1/files"])
def test_a_wrong_path_names_the_right_ones(served: Proxy, path: str) -> None:
    message = assert_error(post(served, path), 404, "not_found")
    assert "/api/v1" in message
    assert "chat/completions" in message


def test_a_wrong_method_is_explained_too(served: Proxy) -> None:
    response = httpx.get(f"{served.base_url}/chat/completions", headers=served.headers)
    assert_error(response, 404, "not_found")


def test_an_unknown_model_is_never_substituted(served: Proxy) -> None:
    message = assert_error(post(served, body=b'{"model":"gpt-9","messages":[]}'), 404, "model_not_found")
    assert "gpt-4o-mini" in message
    assert served.azure.journal.exchanges == []


def test_models_are_listed_without_asking_azure(served: Proxy) -> None:
    listed = httpx.get(f"{served.base_url}/models", headers=served.headers).json()
    assert [entry["id"] for entry in listed["data"]] == ["gpt-4o-mini", "gpt-4o"]
    one = httpx.get(f"{served.base_url}/models/gpt-4o", headers=served.headers)
    assert one.json() == listed["data"][1]
    assert_error(httpx.get(f"{served.base_url}/models/gpt-9", headers=served.headers), 404, "model_not_found")
    assert served.azure.journal.exchanges == []


def test_a_response_id_cannot_lead_elsewhere(served: Proxy) -> None:
    for odd in ("..%2F..%2Fdeployments", "a%3Fb", "a%20b", "x" * 257, "%7F"):
        response = httpx.get(f"{served.base_url}/responses/{odd}", headers=served.headers)
        assert_error(response, 400, "invalid_response_id")
    assert served.azure.journal.exchanges == []


def test_invalid_json_is_explained(served: Proxy) -> None:
    assert_error(post(served, body=b'{"model":'), 400, "invalid_json")


def test_a_body_too_large_is_refused_with_the_limit(served: Proxy) -> None:
    assert "100,000,000" in assert_error(post(served, body=b"x" * 100_000_001), 413, "request_too_large")


def test_an_identity_endpoint_that_fails_is_a_502_that_says_so() -> None:
    with proxy(library=RECORDINGS) as running:
        running.azure.identity.failure = 500
        response = post(running)
        assert "managed identity" in assert_error(response, 502, "identity_unavailable")
        running.azure.identity.failure = None
        assert post(running).json() == {"ok": True}, "it recovers with the endpoint"


def test_an_identity_endpoint_that_is_down_is_a_502_that_says_so() -> None:
    endpoint = f"{closed_port()}/msi/token"
    with proxy(library=RECORDINGS, settings={"IDENTITY_ENDPOINT": endpoint}) as running:
        assert_error(post(running), 502, "identity_unavailable")


def test_azure_down_is_a_502_that_can_be_tried_again() -> None:
    with proxy(closed_port()) as running:
        response = post(running)
        assert_error(response, 502, "upstream_unreachable")
        assert "x-should-retry" not in response.headers


@pytest.mark.parametrize("what", ["expired", "audience", "revoked"])
def test_a_token_that_azure_refuses_is_about_the_proxys_identity(what: str) -> None:
    with proxy(library=RECORDINGS) as running:
        if what == "revoked":
            assert post(running).status_code == 200
            running.azure.identity.revoke()
        else:
            running.azure.identity.expired = what == "expired"
            running.azure.identity.audience = "https://vault.azure.net" if what == "audience" else None
        response = post(running)
        message = assert_error(response, 502, "upstream_token_refused")
        assert "AZURE_OPENAI_SCOPE" in message
        assert response.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("status", [401, 403])
def test_azures_401_and_403_never_blame_the_callers_key(upstream: RawUpstream, behind: Proxy, status: int) -> None:
    upstream.answer = lambda _, sock: sock.sendall(b"HTTP/1.1 %d No\r\ncontent-length: 2\r\n\r\n{}" % status)
    assert_error(post(behind), 502, "upstream_authentication_error")


def test_a_bad_setting_is_a_503_that_names_every_one() -> None:
    with proxy("https://x/openai", {"AZURE_OPENAI_DEPLOYMENT": "", "AZURE_OPENAI_API_VERSION": "new"}) as running:
        for response in (post(running), httpx.get(f"{running.base_url}/models", headers=running.headers)):
            message = assert_error(response, 503, "misconfigured")
            for name in ("AZURE_OPENAI_BASE", "AZURE_OPENAI_DEPLOYMENT", "AZURE_OPENAI_API_VERSION"):
                assert name in message


# --- an upstream that misbehaves --------------------------------------------------------------------------------------


def hang_up(_: Arrived, sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_RDWR)


def reset(_: Arrived, sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()


def no_http(_: Arrived, sock: socket.socket) -> None:
    sock.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    sock.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("misbehaviour", [hang_up, reset, no_http])
def test_an_upstream_that_breaks_before_its_answer_is_a_502(
    upstream: RawUpstream, behind: Proxy, misbehaviour: object
) -> None:
    upstream.answer, upstream.arrived = misbehaviour, []  # type: ignore[assignment]
    assert_error(post(behind), 502, "upstream_unreachable")
    assert len(upstream.arrived) == 1, "nothing is sent twice"


def test_azures_other_errors_pass_byte_for_byte(upstream: RawUpstream, behind: Proxy) -> None:
    body = b'{"error": {"code":"429",\n"message":  "slow down"}}\n'
    upstream.answer = lambda _, sock: sock.sendall(
        b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: %d\r\nretry-after: 7\r\nretry-after-ms: 6500\r\n"
        b"x-ratelimit-remaining-tokens: 0\r\napim-request-id: a-1\r\nx-request-id: r-1\r\nx-ms-region: East US\r\n\r\n"
        % len(body)
        + body
    )
    response = post(behind)
    assert (response.status_code, response.content) == (429, body)
    kept = {"retry-after": "7", "retry-after-ms": "6500", "x-ratelimit-remaining-tokens": "0"}
    kept |= {"apim-request-id": "a-1", "x-request-id": "r-1", "x-ms-region": "East US"}
    assert {name: response.headers.get(name) for name in kept} == kept
    assert "content-type" not in response.headers, "what Azure did not send is not made up"


def test_hop_by_hop_headers_and_cookies_stay_behind(upstream: RawUpstream, behind: Proxy) -> None:
    upstream.answer, upstream.arrived = (
        lambda _, sock: sock.sendall(
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive, x-private\r\nx-private: 1\r\n"
            b"set-cookie: session=one-caller; path=/\r\nserver: azure\r\nalt-svc: h3\r\nx-kept: a\r\nx-kept: b\r\n"
            b"strict-transport-security: max-age=1\r\n\r\n{}"
        ),
        [],
    )
    first = post(behind)
    assert not {"x-private", "set-cookie", "alt-svc", "strict-transport-security"} & set(first.headers)
    assert first.headers.get_list("x-kept") == ["a", "b"]
    post(behind, cookie="mine=1")
    assert all("cookie" not in arrived.headers for arrived in upstream.arrived)


def test_only_listed_headers_go_up(upstream: RawUpstream, behind: Proxy) -> None:
    upstream.answer = lambda _, sock: sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
    upstream.arrived = []
    secret = {"authorization": "Bearer mine", "api-key": "mine", "cookie": "a=b", "x-forwarded-for": "1.2.3.4"}
    secret |= {"forwarded": "for=1.2.3.4", "x-api-key": "mine", "x-original-url": "/x"}
    open_ = {"openai-organization": "lab", "traceparent": "00-1-2-03", "x-client-request-id": "c-1"}
    post(behind, "chat/completions?code=wrong&x=%2F", **secret, **open_)
    (arrived,) = upstream.arrived
    assert arrived.line == "POST /openai/v1/chat/completions?x=%2F HTTP/1.1"
    assert arrived.headers.pop("authorization").startswith("Bearer ey")
    assert open_.items() <= arrived.headers.items()
    assert not (set(secret) | {"x-functions-key"}) & set(arrived.headers)
    assert "mine" not in str(arrived.headers)
    assert arrived.headers["host"] == upstream.base.removeprefix("http://"), "never the caller's Host"


@pytest.mark.parametrize("stream", [b"false", b"true"])
def test_a_web_page_is_no_answer(served: Proxy, stream: bytes) -> None:
    """A captive portal or a gateway may send its login page with status 200. Clients read it as an empty stream."""
    body = BODY.replace(b"}", b',"stream":' + stream + b"}")
    served.azure.library.add(recording(body, b"data: [DONE]\n\n", sse=True))
    response = post(served, body=body, **{"openai-emulator-fault": "wrong_content_type"})
    assert_error(response, 502, "upstream_web_page")
