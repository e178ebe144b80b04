"""Where a route is found: at this proxy, and at Azure."""

from collections.abc import Mapping
from urllib.parse import unquote_plus

from .settings import Settings

IN_DEPLOYMENT = ("chat/completions", "embeddings")  # below /deployments/{deployment} in a dated api-version
RESPONSES_SINCE = "2025-03-01"  # the first dated api-version with a Responses API; older ones answer 400
QUERY_DROPPED = ("code", "clientid", "api-version")  # the Functions host's own two, and one that the settings decide


def addresses(route: str) -> dict[str, str]:
    """The paths of a route, by the prefix of their function's name: one for OpenAI's clients, one for each of Azure's
    two APIs."""
    deployment = "deployments/{deployment}/" if route in IN_DEPLOYMENT else ""
    return {"": f"v1/{route}", "openai_": f"openai/{deployment}{route}", "openai_v1_": f"openai/v1/{route}"}


def names_deployment(settings: Settings, route: str) -> bool:
    """Whether Azure's path names the deployment. If not, the body does."""
    return bool(settings.dated) and route in IN_DEPLOYMENT


def upstream_url(settings: Settings, route: str, ids: Mapping[str, str], deployment: str | None, query: str) -> str:
    """A URL of Azure's v1 API, or of the dated api-version where one is set and has this route."""
    prefix, version = "/openai/v1/", "preview" if settings.preview else ""
    if names_deployment(settings, route):
        prefix, version = f"/openai/deployments/{deployment}/", settings.dated
    elif settings.dated >= RESPONSES_SINCE:
        prefix, version = "/openai/", settings.dated
    pairs = [pair for pair in query.split("&") if unquote_plus(pair.split("=")[0]).lower() not in ("", *QUERY_DROPPED)]
    pairs += [f"api-version={version}"] if version else []
    return settings.base + prefix + route.format_map(ids) + "?" * bool(pairs) + "&".join(pairs)
