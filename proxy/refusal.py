"""Why Azure refused the function's own call with 401 or 403, read from Azure's words.

The patterns come from public reports and from Microsoft's troubleshooting pages. The log gets words that fit none.
"""

import json
import re
from typing import NamedTuple

from .errors import ProxyError

ADMINISTRATOR = "The administrator must"


class Reason(NamedTuple):
    """`words` is a pattern for Azure's code and message."""

    cause: str
    code: str
    words: re.Pattern[str]
    advice: str


def reason(cause: str, code: str, words: str, advice: str) -> Reason:
    return Reason(cause, code, re.compile(words, re.IGNORECASE), advice)


AUDIENCE = re.compile(r"audience is incorrect \((https?://[^\s()]+?)/?\)", re.IGNORECASE)
REASONS = (  # the first that fits
    reason(
        *("network", "upstream_network_denied"),
        r"virtual ?network|vnet|firewall|public (network )?access|private (endpoint|link)|network security perimeter"
        r"|trafficdenied|\bip\b.*(not allowed|denied|blocked)|network (rule|acl|access)",
        f"Its network rules keep the function out. {ADMINISTRATOR} let the function's network in, or check the private "
        "endpoint and its DNS.",
    ),
    reason(
        *("key_disabled", "upstream_token_refused"),
        r"AuthenticationTypeDisabled|key.?based authentication|local ?auth",
        "It got a key instead of the function's token, and takes no keys. "
        f"{ADMINISTRATOR} check gateways between the function and Azure.",
    ),
    reason(
        *("blocked", "upstream_resource_blocked"),
        r"blocked|suspended|abuse|content policy|code ?of ?conduct",
        f"Microsoft has blocked the resource. {ADMINISTRATOR} write to Azure's support.",
    ),
    reason(
        *("quota", "upstream_resource_blocked"),
        r"quota|spending|billing|credit|payment|call volume|budget",
        f"The subscription's money or quota is used up. {ADMINISTRATOR} look at the subscription.",
    ),
    reason(
        *("disabled", "upstream_resource_blocked"),
        r"(subscription|resource|account)\b.*\b(disabled|deactivated|inactive|not active|expired|deleted|read.?only)"
        r"|(subscription|resource|account)disabled|disabled(subscription|resource|account)",
        f"The subscription or the resource is switched off. {ADMINISTRATOR} look at it in the portal.",
    ),
    reason(
        *("role", "upstream_authentication_error"),
        r"PermissionDenied|data ?action|principal|\broles?\b|rbac|AuthorizationFailed|not authorized to perform"
        r"|(lacks?|not have|insufficient|missing) .*(permission|access|privilege)",
        f"{ADMINISTRATOR} grant the function's managed identity the role 'Cognitive Services OpenAI User' on the Azure "
        "OpenAI resource; the role takes about 5 minutes to work.",
    ),
    reason(
        *("tenant", "upstream_token_refused"),
        r"tenant|issuer",
        f"The function and the resource belong to different tenants. {ADMINISTRATOR} move one of them.",
    ),
    reason(
        *("address", "upstream_token_refused"),
        r"wrong API endpoint|subscription key|sub-?domain",
        f"{ADMINISTRATOR} check AZURE_OPENAI_BASE: tokens work at the resource's own host name only, such as "
        "https://my-resource.openai.azure.com.",
    ),
    reason(
        *("token", "upstream_token_refused"),
        r"token|audience|expired|signature|\bjwt\b|InvalidAuthentication",
        f"It did not accept the function's token. {ADMINISTRATOR} check AZURE_OPENAI_SCOPE and AZURE_CLIENT_ID, and "
        "whether the resource is in the function's tenant.",
    ),
)
OTHER = f"{ADMINISTRATOR} read Azure's words in the proxy's log."
LONGEST = 300  # characters of Azure's words in the record
TOKEN = re.compile(r"eyJ[\w.-]+")  # Azure's words may quote the token


def refusal(status: int, body: bytes, scope: str) -> ProxyError:
    """`body` came with a 401 or 403; `scope` is the scope of the function's token."""
    words = words_of(body)
    expected = AUDIENCE.search(words)
    if expected and expected[1] != scope.removesuffix("/.default").rstrip("/"):
        cause, code, advice = "audience", "upstream_token_refused", f"{ADMINISTRATOR} set AZURE_OPENAI_SCOPE to "
        advice += f"{expected[1]}/.default."
    else:
        found = next((one for one in REASONS if one.words.search(words)), None)
        cause, code, advice = (found.cause, found.code, found.advice) if found else ("other", "", OTHER)
    code = code or "upstream_authentication_error"
    return ProxyError(code, status, advice, cause=cause, detail=f"{status} {words}".strip())


def words_of(body: bytes) -> str:
    """Azure's code and message, in one line; for a body that is no JSON, its text without tags."""
    text = body.decode("utf-8", "replace")
    try:
        told = json.loads(text)
        error = told.get("error", told)
        named = f"{error.get('code') or error.get('statusCode') or ''}: {error.get('message') or ''}".strip(": ")
        text = named or text
    except (ValueError, AttributeError, RecursionError):
        text = re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL | re.IGNORECASE)
    printable = "".join(letter if letter.isprintable() else " " for letter in TOKEN.sub("…", text))
    return " ".join(printable.split())[:LONGEST]
