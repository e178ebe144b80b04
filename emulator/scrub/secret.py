"""The rules that find secrets: a table with a reason and a replacement for each.

Each pattern has a group `secret`, which is replaced. The rest of the pattern is the context that tells the secret from
an ordinary value.
"""

import base64
import binascii
import functools
import re
from collections.abc import Callable
from typing import NamedTuple

from .key_form import AZURE, GUID, OLD_DEVOPS, OTHERS, Form, is_base32, is_no_placeholder

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
STAND_IN = re.compile(  # documentation and tests write these in place of a name
    r"resource|(?:example|your|my|dummy|test|redacted)"
    r"(?:[-_]?(?:azure|open-?ai|ai|resource|endpoint|account|storage|app|function|search|vault|name))*|fake[\w-]*",
    re.IGNORECASE,
)
IMAGES_AND_CODE = re.compile(r".*\.(?:png|jpe?g|gif|svg|webp|css|js|ts|json|html|tgz|shape|size|dtype|values|data)")


def is_random(value: str) -> bool:
    """Whether a machine seems to have made it: hexadecimal digits, letters with many digits, or letters of both sizes
    with digits."""
    alone = re.fullmatch(r"[0-9a-fA-F]{32,}|(?=(?:\D*\d){5})(?=.*[a-zA-Z])[a-zA-Z0-9]{20,}", value)
    return bool(alone) or all(re.search(kind, value) for kind in (r"[a-z]", r"[A-Z]", r"[0-9]"))


def is_unmistakable(secret: str) -> bool:
    """Whether it is a secret everywhere, and not only in the context where it was found."""
    return "@" in secret or re.fullmatch(GUID, secret) is not None or (len(secret) >= 16 and is_random(secret))


def has_random_part(key: str) -> bool:
    return is_random(key) or any(map(is_random, re.split(r"[-_]", key)))


def names_a_resource(label: str) -> bool:
    return not STAND_IN.fullmatch(label)


def is_an_id(guid: str) -> bool:
    return not guid.startswith("00000000-")


def is_of_a_person(address: str) -> bool:
    """Whether it is a person's address, and no example (RFC 2606) and no name of a file or package."""
    name, _, domain = address.lower().rpartition("@")
    reserved = re.fullmatch(r"(?:.*\.)?(?:example\.(?:com|net|org)|example|test|invalid|localhost)", domain)
    return not reserved and name != "git" and not re.match(r"v?\d[\w]*\.", domain) and not IMAGES_AND_CODE.match(domain)


def is_name_and_password(coded: str) -> bool:
    try:
        return re.fullmatch(rb"[\x20-\x7e]+:[\x20-\x7e]*", base64.b64decode(coded, validate=True)) is not None
    except binascii.Error:
        return False


def is_no_example(password: str) -> bool:
    return password.lower() not in ("password", "pass", "passwd", "pwd", "pw", "secret", "token", "key", "redacted")


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
