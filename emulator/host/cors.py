"""Calls of pages from other sites (CORS), as Azure's host answers them on Flex Consumption.

The platform gives the host the site's allowed origins in CORS_ALLOWED_ORIGINS, and CORS_SUPPORT_CREDENTIALS (the host's
source: HostAssignmentContext, CorsOptionsSetup). ASP.NET Core's CorsService compares an origin and writes the headers.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from .app import AppError

ORIGINS, CREDENTIALS = "CORS_ALLOWED_ORIGINS", "CORS_SUPPORT_CREDENTIALS"
ANY = "*"
ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#@*]+")  # as browsers send it: without a path

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Cors:
    """`origins` are in lower case; `*` among them allows every origin. `credentials` says whether a page may send
    cookies."""

    origins: tuple[str, ...] = ()
    credentials: bool = False

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Cors":
        """Raises AppError where no browser's call could come through, or Azure's host would not start."""
        try:
            listed = json.loads(env.get(ORIGINS) or "[]")
        except ValueError:
            listed = None
        if not isinstance(listed, list) or not all(isinstance(origin, str) for origin in listed):
            raise AppError(f'{ORIGINS} must be a JSON list of origins, such as ["https://course.example.edu"]')
        for origin in listed:
            if origin != ANY and not ORIGIN.fullmatch(origin):
                raise AppError(f"{ORIGINS}: no browser sends the origin {origin!r}; one is like https://a.example:8080")
        credentials = env.get(CREDENTIALS, "").strip().lower() == "true"
        if credentials and ANY in listed:
            raise AppError(f"{ORIGINS} may not be * where {CREDENTIALS} is true; in Azure the host would not start")
        return cls(tuple(origin.lower() for origin in listed), credentials)

    def headers(self, asked: Mapping[bytes, bytes]) -> Headers:
        """What every answer to a page of this origin has; nothing for a page that is not allowed."""
        origin = asked[b"origin"]
        if ANY in self.origins:
            return [(b"access-control-allow-origin", b"*")]
        if origin.decode("latin-1") not in self.origins:
            return []
        said = [(b"access-control-allow-origin", origin)]
        said += [(b"access-control-allow-credentials", b"true")] if self.credentials else []
        return said + ([(b"vary", b"Origin")] if len(self.origins) > 1 else [])

    def preflight(self, asked: Mapping[bytes, bytes]) -> Headers:
        """The headers of a preflight's answer: any method and any header that it asks for."""
        said = self.headers(asked)
        wanted = {
            b"access-control-allow-headers": asked.get(b"access-control-request-headers"),
            b"access-control-allow-methods": asked.get(b"access-control-request-method"),
        }
        return said + [(name, value) for name, value in wanted.items() if said and value]
