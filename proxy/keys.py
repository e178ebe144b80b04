"""A key for each person: a name, an end and limits, signed. Nothing is stored.

    sk-<claims>.<signature>     claims: base64url of compact JSON · signature: HMAC-SHA-256 by itsdangerous

Only where PROXY_SIGNING_KEY is set does the function load this.
"""

import datetime
import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode
from msgspec import DecodeError, Struct
from msgspec.json import Decoder, Encoder

from .errors import ProxyError

PREFIX = "sk-"  # some programs refuse a key that begins otherwise
SALT = b"azure-openai-proxy.key"  # what else is signed with the same secret is no key
KNOWN = 4_096  # keys; about 1 MB
LONGEST = 8_000  # characters; the longest that `python -m proxy.keys make` makes has half of them

# 43 characters hold 258 bits of which 256 count. The pattern leaves one spelling of each signature: another spelling of
# a key would have its own place in what is known.
SHAPE = re.compile(rb"sk-[\w-]{1,%d}\.[\w-]{42}[AEIMQUYcgkosw048]" % LONGEST, re.ASCII)
BEARER = re.compile(rb"bearer +(.*)", re.IGNORECASE | re.DOTALL)
NAMES = (b"api-key", b"x-api-key")  # of headers beside Authorization: Azure's and Anthropic's clients


class Key(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a key says. `id` is random and tells two keys of one name apart; `ends` is its last good day in UTC; without
    `models` it is for all. A limit that is None does not limit.

    A field that this release does not know makes a key invalid: it may be a limit."""

    id: str
    name: str
    ends: datetime.date | None = None
    models: tuple[str, ...] = ()
    requests_a_day: int | None = None
    tokens_a_day: int | None = None
    requests_a_minute: int | None = None
    tokens_a_minute: int | None = None


encode = Encoder().encode
decode = Decoder(Key).decode


class Keyring:
    """Makes keys and reads them. The first of `secrets` signs, each verifies: a new one in front rotates, and the old
    one's keys end with it. `revoked` are names or ids, in whatever case.

    itsdangerous compares signatures with `hmac.compare_digest`, so that the work does not depend on how much of one is
    right. Keys that were verified are known again by their SHA-256: nobody can make a key whose digest begins like
    another's, so the look-up tells nothing, and no key is kept. What fails is never remembered: forged keys displace
    nothing. An end and a revocation are looked at on every call."""

    def __init__(self, secrets: Sequence[str], revoked: Collection[str] = ()) -> None:
        self.signer = Signer(secrets[::-1], SALT, key_derivation="hmac", digest_method=hashlib.sha256)
        self.revoked = frozenset(map(folded, revoked))
        self.known: dict[bytes, Key] = {}

    def make(self, key: Key) -> str:
        return PREFIX + self.signer.sign(base64_encode(encode(key))).decode()

    def read(self, text: bytes) -> Key:
        """Raises ProxyError where nobody here has signed this. The key may have ended, or be revoked."""
        digest = hashlib.sha256(text).digest()
        key = self.known.get(digest)
        if key is None:
            key = self.verify(text)
            if len(self.known) >= KNOWN:
                self.known.clear()
            self.known[digest] = key
        return key

    def verify(self, text: bytes) -> Key:
        if SHAPE.fullmatch(text):
            try:
                return decode(base64_decode(self.signer.unsign(text.removeprefix(PREFIX.encode()))))
            except (BadData, DecodeError):
                pass
        raise ProxyError("invalid_api_key")

    def require_good(self, key: Key) -> None:
        """Raises ProxyError where the key has ended or was taken back."""
        if self.revoked and (folded(key.name) in self.revoked or folded(key.id) in self.revoked):
            raise ProxyError("api_key_revoked")
        if key.ends and key.ends < datetime.datetime.now(datetime.UTC).date():
            raise ProxyError("api_key_ended", key.ends)


def folded(name: str) -> str:
    """A name without what a keyboard may add: somebody who is taken back must not stay for a capital letter."""
    return unicodedata.normalize("NFC", name).casefold()


def given_key(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The key in a request's headers, whose names are in lower case. Raises ProxyError without one, or with two."""
    found = set()
    for name, value in headers:
        if name in NAMES:
            found.add(value.strip())
        elif name == b"authorization" and (bearer := BEARER.match(value)):
            found.add(bearer[1].strip())
    found.discard(b"")
    if len(found) > 1:
        raise ProxyError("two_api_keys")
    if not found:
        raise ProxyError("missing_api_key")
    return found.pop()


class Allowed(dict[str, str]):
    """Of what is `served`, model to deployment, the part that a key is for."""

    def __init__(self, served: Mapping[str, str], models: tuple[str, ...]) -> None:
        super().__init__({model: deployment for model, deployment in served.items() if model in models})
        self.served = served

    def __missing__(self, model: str) -> str:
        """Raises ProxyError for a model that others may ask, else KeyError."""
        if model in self.served or not self:
            raise ProxyError("model_not_in_key", model, ", ".join(self) or "none that is served here", param="model")
        raise KeyError(model)


if __name__ == "__main__":
    import sys

    from .roster.command import main

    sys.exit(main())
