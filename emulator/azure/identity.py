"""The managed identity endpoint of App Service and Functions, and the check of its tokens.

Protocol (Microsoft Learn, "How to use managed identities for App Service and Azure Functions", REST reference):
    GET {IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=…   X-IDENTITY-HEADER: {IDENTITY_HEADER}
    {"access_token", "expires_on": "<Unix seconds>", "resource", "token_type": "Bearer", "client_id"}
The answer echoes the exact `resource`: azure-identity caches nothing otherwise.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

AUDIENCE = "https://cognitiveservices.azure.com"
AUDIENCES = (AUDIENCE, "https://ai.azure.com")  # Azure OpenAI's and Foundry's; Microsoft's pages name both
HTML = b"<html><body><h1>502 - Web server received an invalid response.</h1></body></html>"
FAULTS: dict[str, dict[str, Any]] = {
    "identity_400": {"failure": 400},
    "identity_403": {"failure": 403},
    "identity_429": {"failure": 429},
    "identity_500": {"failure": 500},
    "identity_html": {"failure": 502, "html": True},
    "identity_slow": {"delay": 1.0},
    "identity_expiring": {"lifetime": 30.0},
    "identity_expired": {"expired": True},
    "identity_wrong_audience": {"audience": "https://management.azure.com"},
    "identity_clock_jump": {"ahead": 48 * 3600.0},
}
LIFETIME_SECONDS = 24 * 3600  # as in Azure, for managed identities


@dataclass
class ManagedIdentity:
    """Mints and checks tokens. What goes wrong: `failure` (a status that the endpoint answers, as `html` with a page
    instead of JSON), `delay` (seconds before it answers), `lifetime` (seconds), `audience` and `expired` (of the tokens
    minted from now on), `ahead` (seconds that its clock is before ours). `misbehave` sets them by name, which is then
    the `wish`."""

    header: str = field(default_factory=lambda: str(uuid.uuid4()).upper())
    client_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    lifetime: float = LIFETIME_SECONDS
    failure: int | None = None
    audience: str | None = None
    expired: bool = False
    html: bool = False
    delay: float = 0.0
    ahead: float = 0.0
    wish: str | None = None
    requests: int = 0
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def answer(self, query: str, header: str | None) -> tuple[int, bytes]:
        """(status, JSON body) for a request to the endpoint."""
        self.requests += 1
        asked = parse_qs(query)
        resource = asked.get("resource", [""])[0]
        if self.failure:
            return self.failure, HTML if self.html else _problem(self.failure, "It failed, as the test asked.")
        if header is None or not hmac.compare_digest(header.encode(), self.header.encode()):
            return 401, _problem(401, "The X-IDENTITY-HEADER header is missing or wrong.")
        if asked.get("api-version") != ["2019-08-01"] or not resource:
            return 400, _problem(400, "api-version=2019-08-01 and resource are required.")
        expires_on = int(self.now() + self.lifetime)
        token = self.mint(self.audience or resource, 0 if self.expired else expires_on)
        return 200, json.dumps(
            {
                "access_token": token,
                "expires_on": str(expires_on),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": self.client_id,
            }
        ).encode()

    def mint(self, audience: str, expires_on: int) -> str:
        """A token in the shape of a JWT (RFC 7519), signed with a secret that only this emulator has."""
        claims = {"aud": audience, "exp": expires_on, "appid": self.client_id}
        head = ".".join(_b64(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
        return f"{head}.{self._sign(head)}"

    def accepts(self, token: str) -> bool:
        """Whether this identity minted the token for Azure OpenAI, and the token has not expired."""
        head, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._sign(head).encode(), signature.encode()):
            return False
        claims = json.loads(base64.urlsafe_b64decode(head.split(".")[1] + "=="))
        return claims["aud"].rstrip("/").lower() in AUDIENCES and bool(claims["exp"] > self.now())

    def now(self) -> float:
        return time.time() + self.ahead

    def behave(self) -> None:
        """End all faults."""
        self.lifetime, self.failure, self.audience, self.expired = LIFETIME_SECONDS, None, None, False
        self.html, self.delay, self.ahead, self.wish = False, 0.0, 0.0, None

    def misbehave(self, name: str) -> bool:
        """Set one of FAULTS until `behave`. Returns False when there is none of this name."""
        for attribute, value in FAULTS.get(name, {}).items():
            setattr(self, attribute, value)
            self.wish = name
        return name in FAULTS

    def revoke(self) -> None:
        """Make every token minted so far invalid."""
        self._secret = secrets.token_bytes(32)

    def _sign(self, head: str) -> str:
        return _b64(hmac.digest(self._secret, head.encode("utf-8", "replace"), hashlib.sha256))


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _problem(status: int, message: str) -> bytes:
    return json.dumps({"statusCode": status, "message": message}).encode()
