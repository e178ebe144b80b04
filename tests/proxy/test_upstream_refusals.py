"""Azure's 401 and 403 to the function have many reasons. The proxy tells them apart, and logs Azure's words."""

import gzip
import json
import zlib

import httpx
import pytest

from proxy.refusal import LONGEST, refusal
from proxy.settings import DEFAULT_SCOPE
from tests.support import Log, Proxy, RawUpstream, sending

ROLE, NETWORK = "upstream_authentication_error", "upstream_network_denied"
TOKEN, BLOCKED = "upstream_token_refused", "upstream_resource_blocked"
AUDIENCE = "Unauthorized. Access token is missing, invalid, audience is incorrect ({}), or have expired."


def enveloped(code: str, message: str) -> str:
    return json.dumps({"error": {"code": code, "message": message}})


def bare(message: str) -> str:
    return json.dumps({"statusCode": 401, "message": message})


WORDS = {  # Azure's words: the cause, the error's code, words of the advice
    enveloped("403", "Access to this account is denied by its virtual network."): ("network", NETWORK, "network rules"),
    enveloped("AccessDenied", "Public network access is disabled here."): ("network", NETWORK, "private endpoint"),
    enveloped("403", "This traffic is from no approved private endpoint."): ("network", NETWORK, "network rules"),
    enveloped("Forbidden", "IP 10.1.2.3 is not allowed."): ("network", NETWORK, "network rules"),
    enveloped("Forbidden", "The resource is blocked; see our code of conduct."): (
        "blocked",
        BLOCKED,
        "support",
    ),
    enveloped("Forbidden", "Access was suspended after abuse."): ("blocked", BLOCKED, "support"),
    enveloped("403", "Out of call volume for this tier."): ("quota", BLOCKED, "subscription"),
    enveloped("insufficient_quota", "Nothing is left."): ("quota", BLOCKED, "subscription"),
    enveloped("SubscriptionDisabled", "No."): ("disabled", BLOCKED, "switched off"),
    enveloped("403", "The subscription of this resource has been disabled."): ("disabled", BLOCKED, "switched off"),
    enveloped("AuthenticationTypeDisabled", "Keys are off."): (
        "key_disabled",
        TOKEN,
        "a key instead",
    ),
    enveloped("PermissionDenied", "No access to this operation."): ("role", ROLE, "Cognitive Services OpenAI User"),
    enveloped("401", "The principal `1-2` lacks the data action `x/y/action`."): ("role", ROLE, "role"),
    enveloped("Forbidden", "You do not have sufficient permissions."): ("role", ROLE, "role"),
    bare(AUDIENCE.format("https://ai.azure.com")): ("audience", TOKEN, "https://ai.azure.com/.default"),
    bare(AUDIENCE.format("https://cognitiveservices.azure.com")): ("token", TOKEN, "AZURE_CLIENT_ID"),
    enveloped("Unauthorized", "The token has expired."): ("token", TOKEN, "AZURE_OPENAI_SCOPE"),
    enveloped("Unauthorized", "The token's tenant is not the resource's."): ("tenant", TOKEN, "tenants"),
    enveloped("401", "A subscription key is wrong, or you use the wrong API endpoint."): ("address", TOKEN, "_BASE"),
    json.dumps({"code": "403", "message": "Ask from the virtual network."}): ("network", NETWORK, "network rules"),
    json.dumps({"Message": "The account was deactivated."}): ("disabled", BLOCKED, "switched off"),
    enveloped("403", "Something new."): ("other", ROLE, "log"),
    "": ("other", ROLE, "log"),
    "<html><style>a{}</style><body>403 <b>Forbidden</b></body></html>": ("other", ROLE, "log"),
}


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("words", WORDS)
def test_every_reason_has_its_own_advice(words: str, status: int) -> None:
    cause, code, named = WORDS[words]
    error = refusal(status, words.encode(), DEFAULT_SCOPE)
    message = json.loads(error.body)["error"]["message"]
    assert (error.cause, error.code, error.status) == (cause, code, 502)
    assert named in message
    assert "your key is fine" in message
    assert ("role" in message) == (cause == "role"), "nobody is advised in vain to grant a role"


def test_azures_words_are_in_the_record_and_the_log_and_not_in_the_answer(
    upstream: RawUpstream, logged: Proxy, log: Log
) -> None:
    words = enveloped("PermissionDenied", "The principal `00-11`\n lacks the data action `x/chat/action`.").encode()
    upstream.answer, before = sending(words, b"content-type: application/json", status=b"401 No"), len(log.records())
    answer = httpx.post(f"{logged.base_url}/chat/completions", json={"messages": []}, headers=logged.headers)
    record, told = (
        log.last(before + 1),
        "401 PermissionDenied: The principal `00-11` lacks the data action `x/chat/action`.",
    )
    assert (record["error"], record["cause"], record["detail"]) == ("upstream_authentication_error", "role", told)
    assert f"upstream_authentication_error: role: {told}\n" in log.text(), "one line, to be found in the log"
    assert "00-11" not in answer.text
    assert answer.headers["x-should-retry"] == "false"


def test_without_a_body_the_challenge_is_read(upstream: RawUpstream, logged: Proxy) -> None:
    challenge = b'www-authenticate: Bearer error="invalid_token", error_description="The token has expired"'
    upstream.answer = sending(b"", challenge, status=b"401 No")
    answer = httpx.post(f"{logged.base_url}/chat/completions", json={"messages": []}, headers=logged.headers)
    assert answer.json()["error"]["code"] == TOKEN
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "unknown"])
def test_a_compressed_refusal_is_read_as_well(upstream: RawUpstream, logged: Proxy, coding: str) -> None:
    plain = enveloped("403", "Denied by the firewall.").encode()
    body = {"deflate": zlib.compress, "unknown": bytes}.get(coding, gzip.compress)(plain)
    upstream.answer = sending(body, f"content-encoding: {coding}".encode(), status=b"403 No")
    answer = httpx.post(f"{logged.base_url}/chat/completions", json={"messages": []}, headers=logged.headers)
    assert answer.json()["error"]["code"] == (ROLE if coding == "unknown" else NETWORK)


@pytest.mark.parametrize(
    "body",
    [
        *(b"\xff\xfe\0", b"[]", b'"text"', b'{"error":"text"}', b'{"error":null}', b"[" * 50_000),
        *(b"eyJhbGciOiJ.eyJhdWQi.c2ln " * 99, b"a\r\ncall {}\r\n\x1b[2J" * 99),
    ],
)
def test_whatever_a_refusal_says_becomes_one_short_line_without_a_token(body: bytes) -> None:
    error = refusal(403, body, DEFAULT_SCOPE)
    assert error.detail is not None
    assert error.detail.isprintable()
    assert "eyJ" not in error.detail
    assert len(error.detail) <= LONGEST + len("403 ")


def test_a_refusal_that_never_ends_is_not_read_to_its_end(upstream: RawUpstream, logged: Proxy) -> None:
    upstream.answer = lambda _, sock: sock.sendall(
        b"HTTP/1.1 403 No\r\ncontent-length: 999999999\r\n\r\n" + b"denied by the firewall " * 9_000
    )
    answer = httpx.post(f"{logged.base_url}/chat/completions", json={"messages": []}, headers=logged.headers, timeout=5)
    assert answer.json()["error"]["code"] == NETWORK
