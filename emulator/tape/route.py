"""Where a request to Azure OpenAI goes: which generation of the API, which operation, which deployment.

Two generations serve the same operations (Azure OpenAI REST reference):
    dated  /openai/deployments/{deployment}/chat/completions?api-version=2024-10-21, /openai/responses?api-version=…
    v1     /openai/v1/chat/completions
It accepts a doubled slash before `openai`, as Azure does, and ignores the host.
"""

import functools
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True)
class Route:
    """`operation` is the path below the generation's prefix, such as `chat/completions` or `responses/resp_1/cancel`.
    `query` has the decoded pairs of the query in order, without `api-version`."""

    generation: str
    operation: str
    deployment: str | None
    api_version: str | None
    query: tuple[tuple[str, str], ...]


_V1 = re.compile(r"/{1,2}openai/v1/(?P<operation>.+)")
_DEPLOYMENT = re.compile(r"/{1,2}openai/deployments/(?P<deployment>[^/]+)/(?P<operation>.+)")
_DATED = re.compile(r"/{1,2}openai/(?P<operation>.+)")


@functools.lru_cache(1024)  # most requests go to few addresses
def parse(target: str) -> Route | None:
    """The route of a URI or a request target; None when it is not one of Azure OpenAI's."""
    try:
        parts = urlsplit(f"http://host{target}" if target.startswith("/") else target)
    except ValueError:  # such as http://[
        return None
    pairs = parse_qsl(parts.query, keep_blank_values=True, errors="surrogateescape")  # keeps invalid bytes apart
    version = next((value for name, value in pairs if name.lower() == "api-version"), None)
    query = tuple(pair for pair in pairs if pair[0].lower() != "api-version")
    for generation, pattern in (("v1", _V1), ("dated", _DEPLOYMENT), ("dated", _DATED)):
        if match := pattern.fullmatch(parts.path.rstrip("/")):
            found = match.groupdict()
            deployment = found.get("deployment")
            deployment = deployment and unquote(deployment, errors="surrogateescape")
            return Route(generation, found["operation"], deployment, version, query)
    return None
