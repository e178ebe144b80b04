"""Tells a secret from its lookalikes: examples, stand-ins, names of files, and words that no machine made."""

import base64
import binascii
import re

from .key_form import GUID

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
