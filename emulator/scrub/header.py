"""The headers that a cassette keeps."""

import re
from dataclasses import replace

from ..tape.interaction import Interaction
from .secret import NO_ID

CREDENTIALS = ("authorization", "api-key", "x-functions-key", "ocp-apim-subscription-key")
KEPT_HEADERS = ("accept", "content-type", "user-agent")  # name the client; others tell of a machine or a secret
ASKING_HEADERS = re.compile("|".join((*KEPT_HEADERS, "content-encoding")))
ANSWERING_HEADERS = re.compile(
    "access-control-allow-origin|api-supported-versions|apim-request-id|azure-openai-data-collection|azureai-fe-.+|"
    "azureml-model-session|cache-control|cmp-upstream-response-duration|content-encoding|content-length|content-type|date|"
    "openai-(?:model|processing-ms|version)|policy-id|request-id|retry-after|retry-after-ms|skip-error-remapping|"
    "strict-transport-security|transfer-encoding|x-accel-buffering|x-content-type-options|"
    "x-envoy-upstream-service-time|x-ms-aoai-configured-data-retention-days|x-ms-client-request-id|"
    "x-ms-deployment-name|x-ms-error-code|x-ms-fe-error|x-ms-is-spilled-over|x-ms-rai-invoked|x-ms-region|"
    "x-ms-served-model|x-ratelimit-.+|x-request-id"
)
CLIENT_REQUEST_ID, NOT_SET = "x-ms-client-request-id", "Not-Set"  # Azure's word where the client sent none


def with_kept_headers(interaction: Interaction) -> Interaction:
    """Keeps the headers on the list and drops the others. Replaces the client's own request id."""
    request, response = interaction.request, interaction.response
    asked = tuple(sorted(pair for pair in request.headers if ASKING_HEADERS.fullmatch(pair[0].lower())))
    answered = tuple(
        (name, NO_ID if name.lower() == CLIENT_REQUEST_ID and value != NOT_SET else value)
        for name, value in response.headers
        if ANSWERING_HEADERS.fullmatch(name.lower())
    )
    return replace(interaction, request=replace(request, headers=asked), response=replace(response, headers=answered))


def hides_its_body(name: str, value: str) -> bool:
    return name.lower() == "content-encoding" and value.lower() != "identity"
