"""The texts of the proxy's own errors, word for word (tests/golden/errors.txt)."""

import json

from proxy.errors import ERRORS, ProxyError
from proxy.failure import CAUSES, unreachable
from proxy.path import advice, mistake
from proxy.refusal import REASONS, refusal
from proxy.settings import Settings
from tests.golden import assert_golden

BAD = {
    "AZURE_OPENAI_API_VERSION": "x",
    "AZURE_OPENAI_SCOPE": "y",
    "PROXY_MAX_OUTPUT_TOKENS": "x",
    "PROXY_ALLOW_STORE": "x",
    "PROXY_MAX_BODY_MB": "x",
    "PROXY_KEY_SALT": "x",
    "PROXY_SIGNING_KEY": "x",
    "PROXY_KEEPALIVE_SECONDS": "x",
    "PROXY_USAGE_TABLE": "x",
}
AZURES = "/api/v1/openai/deployments/gpt-4o/chat/completions"
MISTYPED = "/api/v1/v1/chat/completions"
FACTS: dict[str, tuple[object, ...]] = {
    "invalid_json": ("Expecting value: line 1 column 10 (char 9)",),
    "invalid_encoding": ("gzip", "it is cut short"),
    "invalid_form": ("its boundary stands inside a part",),
    "missing_model": ("whisper, gpt-image-1",),
    "unsupported_encoding": ("compress", "identity, gzip, deflate"),
    "not_found": (
        "POST",
        MISTYPED + mistake(MISTYPED),
        advice(AZURES, "/api"),
        "/api/v1",
        "chat/completions, responses",
    ),
    "api_key_ended": ("2027-02-28",),
    "model_not_in_key": ("gpt-4o", "gpt-4o-mini"),
    "model_not_found": ("gpt-9", "gpt-4o-mini, gpt-4o"),
    "request_too_large": ("123,456,789", 100_000_000),
    "upstream_redirect": (302,),
    "too_many_output_tokens": (1_000, "4,000", "max_completion_tokens"),
    "storing_is_off": ('send `"store": false`',),
    "owner_not_kept": ("`conversation`", "`previous_response_id`"),
    "key_budget_used_up": (200_000, "tokens", 5, 12),
    "key_budget_reserved": (200_000, "tokens"),
    "key_minute_used_up": (10, "requests", 23),
    "misconfigured": ("; ".join(Settings.from_env(BAD).problems),),
}


def test_every_error_says_what_to_do_next() -> None:
    lines = []
    refusals = [ProxyError(reason.code, 403, reason.advice) for reason in REASONS]
    refusals += [refusal(401, b"audience is incorrect (https://ai.azure.com)", "another"), refusal(403, b"", "")]
    several = [*refusals, *(unreachable(cause, "") for cause in CAUSES)]
    told = {code: [error for error in several if error.code == code] for code in ERRORS}
    for code, found in told.items():
        for error in found or [ProxyError(code, *FACTS.get(code, ()))]:
            retry = "no" if error.headers.get("x-should-retry") == "false" or error.status < 500 else "yes"
            message = json.loads(error.body)["error"]["message"]
            lines.append(f"{error.status} {code} (try again: {retry})\n    {message}\n")
    assert_golden("errors.txt", "".join(lines))
