"""No secret gets into a cassette: it is replaced, or nothing is written."""

import json

import pytest

from emulator.tape.interaction import Interaction, Request, Response
from emulator.tape.scrub import Known, SecretFound, scrubbed

BASE = "https://contoso-ai.openai.azure.com"
KNOWN = Known(BASE, ("a key that only the recorder knows",))
TENANT = "11111111-2222-4333-8444-555555555555"
JSON = (("Content-Type", "application/json"), ("Content-Length", "1"))


def interaction(body: bytes, answer: bytes = b"{}") -> Interaction:
    request = Request("POST", f"{BASE}/openai/v1/chat/completions", (), body)
    return Interaction(request, Response(200, "OK", JSON, answer))


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (r'{"a": "mail alice\u0040contoso.com"}', r'{"a": "mail person-1@example.com"}'),
        (r'{"a": "\nbob@contoso.com, amy@contoso.com"}', r'{"a": "\nperson-1@example.com, person-2@example.com"}'),
        (r'{"a":"{\"b\":\"\\u0020amy@contoso.com\"}"}', r'{"a":"{\"b\":\"\\u0020person-1@example.com\"}"}'),
        ('{"a": "CONTOSO-AI.openai.azure.com"}', '{"a": "example-resource.openai.azure.com"}'),
        ("a key that only the recorder knows", "scrubbed-secret"),
        (
            f'{{"tenantId": "{TENANT}", "b": "{TENANT}"}}',
            '{"tenantId": "00000000-0000-0000-0000-000000000001", "b": "00000000-0000-0000-0000-000000000001"}',
        ),
    ],
)
def test_only_the_secret_is_replaced(said: str, written: str) -> None:
    clean = scrubbed(interaction(said.encode(), said.encode()), KNOWN)
    assert (clean.request.body, clean.response.body) == (written.encode(), written.encode())
    assert clean.response.header("content-length") == str(len(written))


def test_what_cannot_be_replaced_is_refused() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC"
    with pytest.raises(SecretFound, match=r"request body messages\[0\].content: private key") as refused:
        scrubbed(interaction(json.dumps({"messages": [{"content": key}]}).encode()), KNOWN)
    assert "MIIE" not in str(refused.value)
