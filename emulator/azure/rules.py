"""The requests that Azure refuses before it asks a model: unknown routes, api-versions and deployments."""

import re
from collections.abc import Collection

from ..tape.route import Route
from .errors import OPERATION_IDS

RESPONSES_SINCE = "2025-03-01"
IN_DEPLOYMENT = (  # a dated api-version has these in a deployment only
    "chat/completions",
    "embeddings",
    "audio/speech",
    "audio/transcriptions",
    "audio/translations",
    "images/generations",
    "images/edits",
)
OUTSIDE = ("responses", "containers")  # and what begins with these outside deployments only
DATED = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")  # any date: an emulator that rejects new versions is of no use


def refusal(route: Route | None) -> str | None:
    """The name of Azure's error for an address, or None."""
    if route is None:
        return "not_found"
    if route.generation == "v1":
        if route.api_version not in (None, "v1", "preview"):
            return "version_not_supported"
    elif not DATED.fullmatch(route.api_version or "") or is_elsewhere(route):
        return "not_found"
    elif is_of_responses(route) and (route.api_version or "") < RESPONSES_SINCE:
        return "responses_too_old"
    return None


def is_elsewhere(route: Route) -> bool:
    """Whether a dated api-version has it on another path."""
    return route.operation.split("/")[0] in OUTSIDE if route.deployment else route.operation in IN_DEPLOYMENT


def is_of_responses(route: Route) -> bool:
    return route.operation.split("/")[0] == "responses"


def unknown(route: Route | None, deployment: str | None, deployments: Collection[str]) -> str | None:
    """The name of Azure's error for a deployment, or None. `deployments` lists the existing ones; empty means any."""
    if route is None or not deployment or not deployments or deployment in deployments:
        return None
    return "unknown_model" if route.generation == "v1" else "deployment_not_found"


def facts_of(route: Route | None, deployment: str | None) -> dict[str, str]:
    """The parts of the request that Azure repeats in its errors."""
    operation = route.operation if route else ""
    return {
        "model": deployment or "",
        "deployment": deployment or "",
        "operation": OPERATION_IDS.get(operation, "Responses_Create"),
        "seconds": "60",
        "api_version": (route.api_version if route else None) or "v1",
    }
