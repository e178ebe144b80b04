"""Where a route is found: at this proxy, and at Azure."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_plus

from .errors import ProxyError
from .media import MEDIA
from .settings import Settings

IN_DEPLOYMENT = ("chat/completions", "embeddings", *MEDIA)  # below /deployments/{deployment} in a dated api-version
RESPONSES_SINCE = "2025-03-01"  # the first dated api-version with a Responses API; older ones answer 400
QUERY_DROPPED = ("code", "clientid", "api-version")  # the Functions host's own two, and one that the settings decide
ID = re.compile(r"[A-Za-z0-9_-]{1,256}")
INVALID_ID = {"response_id": "invalid_response_id", "container_id": "invalid_file_id", "file_id": "invalid_file_id"}


def addresses(route: str) -> dict[str, str]:
    """The paths of a route, by the prefix of their function's name: one for OpenAI's clients, one for each of Azure's
    two APIs."""
    deployment = "deployments/{deployment}/" if route in IN_DEPLOYMENT else ""
    return {"": f"v1/{route}", "openai_": f"openai/{deployment}{route}", "openai_v1_": f"openai/v1/{route}"}


def names_deployment(settings: Settings, route: str) -> bool:
    """Whether Azure's path names the deployment. If not, the body does."""
    return bool(settings.dated) and route in IN_DEPLOYMENT


def check_ids(named: Mapping[str, str]) -> None:
    """Raises ProxyError for an id that could lead to another path of Azure's."""
    for name, code in INVALID_ID.items():
        if name in named and not ID.fullmatch(named[name]):
            raise ProxyError(code, param=name)


def upstream_url(settings: Settings, route: str, ids: Mapping[str, str], deployment: str | None, query: str) -> str:
    """A URL of Azure's v1 API, or of the dated api-version where one is set and has this route.

    Azure documents sounds and images of its v1 API with `api-version=preview` (azure-ai-docs, new-inference-preview.md
    and dall-e.md), and leaves open whether they need it. So they get it, unless the caller names a version of v1.
    """
    prefix, version = "/openai/v1/", "preview" if settings.preview else ""
    if names_deployment(settings, route):
        prefix, version = f"/openai/deployments/{deployment}/", settings.dated
    elif route in MEDIA:
        version = next((pair[1] for pair in parse_qsl(query) if is_version_of_v1(*pair)), "preview")
    elif settings.dated >= RESPONSES_SINCE and route.startswith("responses"):
        prefix, version = "/openai/", settings.dated
    given = query.split("&") if query else []
    pairs = [pair for pair in given if unquote_plus(pair.split("=")[0]).lower() not in ("", *QUERY_DROPPED)]
    pairs += [f"api-version={version}"] if version else []
    return settings.base + prefix + route.format_map(ids) + "?" * bool(pairs) + "&".join(pairs)


def is_version_of_v1(name: str, value: str) -> bool:
    return name.lower() == "api-version" and value in ("v1", "preview")
