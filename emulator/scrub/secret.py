"""The rules that find secrets: a table with a reason and a replacement for each.

Each pattern has a group `secret`, which is replaced. The rest of the pattern is the context that tells the secret from
an ordinary value.
"""

import functools
import re
from collections.abc import Callable
from typing import NamedTuple

from .key_form import AZURE, GUID, OLD_DEVOPS, OTHERS, Form, is_base32, is_no_placeholder
from .lookalike import (
    has_random_part,
    is_an_id,
    is_name_and_password,
    is_no_example,
    is_of_a_person,
    is_random,
    names_a_resource,
)

RESOURCE = "example-resource"
PLACEHOLDER = f"https://{RESOURCE}.openai.azure.com"
NO_ID = "00000000-0000-0000-0000-000000000000"

SAYS = r"""["']?\s*(?:[:=]|\bis\b)\s*["'`]?"""  # between a name and its value, in JSON, code, addresses and prose
RESOURCE_HOSTS = (
    r"(?:(?:openai|cognitiveservices|services\.ai|models\.ai|inference\.ml|infra\.ai|documents)\.azure\.com"
    r"|(?:openai|cognitiveservices)\.azure\.us|azure-api\.net|azurewebsites\.net|azurecontainerapps\.io|azurecr\.io"
    r"|azurestaticapps\.net|(?:(?:blob|queue|table|file|dfs|web)\.core|search|database|servicebus)\.windows\.net"
    r"|vault\.azure\.net|onmicrosoft\.com)"
)


class Rule(NamedTuple):
    """`instead` replaces the secret, and {n} in it numbers different secrets. With None, the recording is refused.
    `needle` is in every text that can match, in small letters. `really` checks the secret itself."""

    name: str
    reason: str
    needle: str
    pattern: re.Pattern[str]
    instead: str | None
    really: Callable[[str], bool] = bool


def _rule(
    name: str,
    reason: str,
    needle: str,
    pattern: str,
    instead: str | None,
    really: Callable[[str], bool] = bool,
    *,
    flags: int = re.ASCII | re.IGNORECASE,
) -> Rule:
    return Rule(name, reason, needle, re.compile(pattern, flags), instead, really)


_exact = functools.partial(_rule, flags=re.ASCII)


def _key(name: str, form: Form, letters: str, really: Callable[[str], bool] = bool) -> Rule:
    """The rule for a form. No `letters` stand beside such a key, and no padding after it."""
    before = rf"(?<![{letters}])" * (not form.looks_back)
    pattern = rf"{before}(?P<secret>{form.pattern})(?![={letters}])"
    return _exact(name, f"{form.of}, by its form", form.needle, pattern, "scrubbed-key", really)


def other_rule(name: str, reason: str, instead: str | None = None) -> Rule:
    """A rule without a pattern."""
    return Rule(name, reason, "", re.compile("(?P<secret>)"), instead)


RULES = (
    _exact(
        "private key",
        "no request to Azure OpenAI needs one",
        "private key-----",
        r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----(?P<secret>\s*[A-Za-z0-9+/:]{16})",
        None,
    ),
    _exact(
        "JSON Web Token",
        "anybody can use it until it expires; it names tenant and user",
        "eyj",
        r"(?<![\w-])(?P<secret>eyJ[\w-]{10,}\.{1,2}[\w-]{4,}(?:\.[\w-]*){0,3})",
        "scrubbed-token",
    ),
    _rule(
        "bearer token",
        "anybody who has it can use it",
        "bearer",
        r"\bbearer\s+(?P<secret>[\w.~+/-]{20,}=*)",
        "scrubbed-token",
        is_random,
    ),
    _rule(
        "name and password",
        "HTTP's Basic authentication",
        "basic",
        r"\bbasic\s+(?P<secret>[A-Za-z0-9+/]{8,}={0,2})",
        "scrubbed-password",
        is_name_and_password,
    ),
    _rule(
        "password in an address",
        "opens the server at this address",
        "://",
        r"://[^/\s:@\"'<>\\]*:(?P<secret>[^/\s@\"'<>\\{}$*\[\]]+)@",
        "scrubbed-password",
        is_no_example,
    ),
    *(_key("key with a mark", form, r"\w+/-") for form in AZURE),
    _exact(
        "key with a mark",
        "Azure DevOps, by its form",
        "",
        rf"(?<![\w+/.-])(?P<secret>{OLD_DEVOPS})(?![\w+/=-])",
        "scrubbed-key",
        is_base32,
    ),
    _exact(
        "OpenAI key",
        "an API key by its form",
        "sk-",
        r"(?<![\w-])(?P<secret>sk-[\w-]{20,})",
        "scrubbed-key",
        has_random_part,
    ),
    *(_key("key of another service", form, r"\w-", is_no_placeholder) for form in OTHERS),
    _rule(
        "connection string",
        "opens a storage account, a queue or a database",
        "=",
        r"\b(?:AccountKey|SharedAccessKey|InstrumentationKey)=(?P<secret>[\w+/-]{16,}={0,2})",
        "scrubbed-key",
    ),
    _rule(
        "password of a connection string",
        "opens a database or a cache",
        "=",
        r";\s*(?:Password|Pwd)=(?P<secret>[^;\s\"'\\<>{}]{4,})(?=[;\"'\\\s]|$)",
        "scrubbed-password",
        is_no_example,
    ),
    _rule(
        "SAS signature",
        "opens a file or a container in a storage account",
        "sig",
        r"(?<![a-z])sig=(?P<secret>[\w+/-]{43}={0,2})(?![\w+/=-])",
        "scrubbed-signature",
    ),
    _rule(
        "function key",
        "opens a function app; the Functions host takes it as ?code=",
        "code=",
        r"[?&]code=(?P<secret>[\w.~+/-]{20,}={0,2})",
        "scrubbed-key",
        is_random,
    ),
    _rule(
        "named key",
        "its name says that it is a key",
        "",
        r"(?:\b|_)(?:primary|secondary|readonly|secret|azure|open-?ai)*"
        r"(?:(?:api|access|account|subscription|functions?|host|master|shared|primary|secondary|service)[-_ ]?key"
        rf"|ocp-apim-subscription-key|(?:client|app)?[-_ ]?secret|password|(?:access|refresh|id)[-_ ]?token){SAYS}"
        r"(?P<secret>[\w.~+/-]{16,}={0,2})",
        "scrubbed-key",
        is_random,
    ),
    _rule(
        "resource group",
        "shows how somebody's subscription is arranged",
        "/resourcegroups/",
        r"/resourceGroups/(?P<secret>(?!example-group\b)[\w.()-]+)",
        "example-group",
    ),
    _rule(
        "id of a subscription, tenant or principal",
        "names a person or an organisation; it stays the same for years",
        "-",
        rf"(?:(?:subscription|tenant|principal|object|client|application|app|directory|identity|user|account)s?"
        rf"[-_ ]?(?:ids?)?|\b(?:oid|tid|appid|sid|puid|azp|aud|sub|InstrumentationKey)"
        rf"|login\.microsoftonline\.com|sts\.windows\.net)"
        rf"(?:{SAYS}|[/\s]+[`'\"(]?)(?P<secret>{GUID})(?![\w-])",
        "00000000-0000-0000-0000-{n:012}",
        is_an_id,
    ),
    _rule(
        "client request id",
        "leads to its caller in Azure's logs",
        "request",
        rf"client[-_ ]?request[-_ ]?id{SAYS}(?P<secret>{GUID})",
        NO_ID,
        is_an_id,
    ),
    _rule(
        "host of a resource",
        "tells where a resource is, and often whose it is",
        ".",
        rf"(?<![\w.-])(?P<secret>[a-z0-9](?:[\w.-]*[a-z0-9])?)(?=\.{RESOURCE_HOSTS}(?![\w-]|\.\w))",
        RESOURCE,
        names_a_resource,
    ),
    _rule(
        "e-mail address",
        "names a person",
        "@",
        r"(?<![\w.+-])(?P<secret>[\w.+\x80-\xff-]+@[a-z0-9\x80-\xff-]+(?:\.[a-z0-9\x80-\xff-]+)*\.[a-z]{2,})(?![\w(\[-])",
        "person-{n}@example.com",
        is_of_a_person,
    ),
)
