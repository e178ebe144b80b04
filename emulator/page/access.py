"""Decides who may use the control API.

Every web page that is open on this machine can send requests to loopback. A page that rebinds its name to 127.0.0.1
(DNS rebinding, CVE-2018-14505 in mitmweb) can read the answers, too. A browser says where a request comes from, in
`Host`, `Origin` (WHATWG Fetch, section 3.2) and `Sec-Fetch-Site` (W3C Fetch Metadata, section 2.3). Other programs send
`Host` alone, and that is enough.
"""

import hmac
import ipaddress
import re
from collections.abc import Iterable

from ..azure.asgi import Scope
from .refusal import Refusal

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
AUTHORITY = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::[0-9]{1,5})?")  # RFC 9110, 7.2
OWN_SITE = ("same-origin", "none")  # none: typed, or a bookmark
FOLLOWED_LINK = {("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")}  # no frame, no script


class Access:
    """Callers may call this machine by the names of loopback and by those in `hosts`. With a `token`, every caller
    shows it and may be on any machine; without one, callers must be on this machine."""

    def __init__(self, hosts: Iterable[str] = (), token: str | None = None) -> None:
        self.hosts = frozenset(name.lower() for name in (*LOOPBACK_NAMES, *hosts))
        self.token = token

    def check(self, scope: Scope, is_page: bool = False, is_document: bool = False) -> None:
        """Raises Refusal for a caller who may not use the control API. The page's files hold nothing of a run, so they
        need no token. Other sites may link to the page's document."""
        said = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        host = self._own_host([value for name, value in said if name == "host"])
        for value in (value for name, value in said if name == "origin"):
            if not re.fullmatch(rf"https?://{re.escape(host)}", value, re.IGNORECASE):
                raise Refusal(403, "foreign_origin", "A page of another site may not use this API.", "origin")
        is_followed = is_document and {*said} >= FOLLOWED_LINK
        for value in (value for name, value in said if name == "sec-fetch-site"):
            if value not in OWN_SITE and not is_followed:
                raise Refusal(403, "foreign_origin", "A page of another site may not use this API.", "sec-fetch-site")
        if self.token is None:
            self._require_neighbour(scope)
        elif not is_page:
            self._require_token([value for name, value in said if name == "authorization"])

    def _own_host(self, given: list[str]) -> str:
        found = AUTHORITY.fullmatch(given[0]) if len(given) == 1 else None
        if not found or (found["v6"] or found["name"]).lower() not in self.hosts:
            raise Refusal(
                403,
                "foreign_host",
                f"Call the control API by {', '.join(sorted(self.hosts))}. --page-host NAME adds a name.",
                "host",
            )
        return given[0]

    def _require_neighbour(self, scope: Scope) -> None:
        """Without a token the server listens on loopback. This check holds even where it listens elsewhere."""
        client = scope.get("client")
        if not client or not ipaddress.ip_address(client[0]).is_loopback:
            raise Refusal(403, "foreign_host", "Only this machine may use the control API here.")

    def _require_token(self, shown: list[str]) -> None:
        assert self.token is not None
        scheme, _, token = (shown[0] if len(shown) == 1 else "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip(" ").encode(), self.token.encode()):
            raise Refusal(
                401,
                "token_required",
                "Send the token that the emulator printed when it started: `authorization: Bearer TOKEN`.",
                "authorization",
                (("www-authenticate", "Bearer"),),
            )
