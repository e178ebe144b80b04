"""What the proxy's own errors say, word for word (tests/golden/errors.txt)."""

import json

from proxy.errors import ERRORS, ProxyError
from proxy.settings import Settings
from tests.golden import assert_golden

BAD = {
    "AZURE_OPENAI_API_VERSION": "x",
    "AZURE_OPENAI_SCOPE": "y",
    "PROXY_MAX_OUTPUT_TOKENS": "x",
    "PROXY_ALLOW_STORE": "x",
    "PROXY_MAX_BODY_MB": "x",
    "PROXY_KEY_SALT": "x",
}
FACTS: dict[str, tuple[object, ...]] = {
    "invalid_json": ("Expecting value: line 1 column 10 (char 9)",),
    "not_found": ("POST", "/api/v1/v1/chat/completions", "chat/completions, responses"),
    "model_not_found": ("gpt-9", "gpt-4o-mini, gpt-4o"),
    "request_too_large": (123_456_789, 100_000_000),
    "upstream_authentication_error": (401,),
    "too_many_output_tokens": (1_000, "4,000", "max_completion_tokens"),
    "storing_is_off": ('send `"store": false`',),
    "misconfigured": ("; ".join(Settings.from_env(BAD).problems),),
}


def test_every_error_says_what_to_do_next() -> None:
    lines = []
    for code in ERRORS:
        error = ProxyError(code, *FACTS.get(code, ()))
        retry = "no" if error.headers.get("x-should-retry") == "false" or error.status < 500 else "yes"
        lines.append(f"{error.status} {code} (try again: {retry})\n    {json.loads(error.body)['error']['message']}\n")
    assert_golden("errors.txt", "".join(lines))
