"""A signed key for each person: it holds a name, an end and limits. The function stores nothing.

    sk-<claims>.<signature>     claims: base64url of compact JSON · signature: HMAC-SHA-256 by itsdangerous

The function loads this file only where PROXY_SIGNING_KEY is set.
"""

import datetime
import functools
import hashlib
import re
import time
import unicodedata
from collections.abc import Collection, Mapping, Sequence

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode
from msgspec import DecodeError, Struct
from msgspec.json import Decoder, Encoder

from .errors import ProxyError

PREFIX = "sk-"  # some programs refuse a key that begins otherwise
SALT = b"azure-openai-proxy.key"  # other texts signed with the same secret are no keys
KNOWN = 4_096  # keys; about 1 MB
LONGEST = 8_000  # characters; `python -m proxy.keys make` makes keys of half that at most
EPOCH = datetime.date(1970, 1, 1).toordinal()
DAY_SECONDS = 86_400  # of UTC, which knows no summer time

# A signature's 43 characters hold 258 bits, of which 256 count. The pattern admits one spelling of each signature: each
# further spelling would take a place of its own in `Keyring.known`.
SHAPE = re.compile(rb"sk-[\w-]{1,%d}\.[\w-]{42}[AEIMQUYcgkosw048]" % LONGEST, re.ASCII)


class Key(Struct, frozen=True, cache_hash=True, omit_defaults=True, forbid_unknown_fields=True):
    """The claims of a key. `id` is random and tells two keys of one name apart; `ends` is the last good day in UTC; a
    key without `models` is for all models. None means no limit.

    A field that this release does not know makes a key invalid: the field may be a limit."""

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
    """Makes keys and reads them. The first of `secrets` signs, and each verifies. To rotate, put a new secret in front;
    the keys of an old secret end when it is removed. `revoked` holds names or ids, in any case.

    itsdangerous compares signatures with `hmac.compare_digest`, so the time does not tell how much of a signature is
    right. `known` finds a verified key again by its SHA-256. It keeps no key. Its look-up tells an attacker nothing,
    because nobody can make a key whose digest begins like another's. It holds no failures, so forged keys displace
    nothing. Every call checks the end and the revocation."""

    def __init__(self, secrets: Sequence[str], revoked: Collection[str] = ()) -> None:
        self.signer = Signer(secrets[::-1], SALT, key_derivation="hmac", digest_method=hashlib.sha256)
        self.revoked = frozenset(map(folded, revoked))
        self.known: dict[bytes, Key] = {}

    def make(self, key: Key) -> str:
        return PREFIX + self.signer.sign(base64_encode(encode(key))).decode()

    def read(self, text: bytes) -> Key:
        """Raises ProxyError where none of the secrets has signed `text`. The key may have ended, or be revoked."""
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
        """Raises ProxyError where the key has ended or is revoked."""
        if self.revoked and (folded(key.name) in self.revoked or folded(key.id) in self.revoked):
            raise ProxyError("api_key_revoked")
        if key.ends and time.time() >= end_of(key.ends):
            raise ProxyError("api_key_ended", key.ends)


def end_of(day: datetime.date) -> int:
    """In seconds since 1970."""
    return (day.toordinal() - EPOCH + 1) * DAY_SECONDS


@functools.lru_cache(2 * KNOWN)
def folded(name: str) -> str:
    """A name for comparison. A revocation must hold however somebody types the name: capitals, composed letters."""
    return unicodedata.normalize("NFC", name).casefold()


KEY_HEADERS = (b"api-key", b"x-api-key")  # Azure's and Anthropic's clients send them in the place of Authorization


def given_key(headers: Mapping[bytes, bytes]) -> bytes:
    """The key in a request's headers. Their names are in lower case; the host joins fields of one name. Raises
    ProxyError for no key, and for two."""
    scheme, _, shown = headers.get(b"authorization", b"").partition(b" ")
    key = shown.strip() if scheme.lower() == b"bearer" else b""
    for name in KEY_HEADERS:
        if name in headers and (other := headers[name].strip()):
            if key and key != other:
                raise ProxyError("two_api_keys")
            key = other
    if not key:
        raise ProxyError("missing_api_key")
    return key


class Allowed(dict[str, str]):
    """The part of `served` (model to deployment) that a key is for."""

    def __init__(self, served: Mapping[str, str], models: tuple[str, ...]) -> None:
        super().__init__({model: deployment for model, deployment in served.items() if model in models})
        self.served = served

    def __missing__(self, model: str) -> str:
        """Raises ProxyError for a model that only other keys are for, else KeyError."""
        if model in self.served or not self:
            raise ProxyError("model_not_in_key", model, ", ".join(self) or "none that is served here", param="model")
        raise KeyError(model)


if __name__ == "__main__":
    import sys

    from .roster.command import main

    sys.exit(main())
