"""Azure's own error answers where no recording is involved: exact bytes, with where each was seen."""

import json
from dataclasses import dataclass

JSON = ("content-type", "application/json")


@dataclass(frozen=True)
class AzureError:
    """A whole answer; `source` says where these bytes come from."""

    status: int
    body: str
    source: str
    headers: tuple[tuple[str, str], ...] = (JSON,)


BAD_KEY = AzureError(
    401,
    '{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint. Make sure '
    'to provide a valid key for an active subscription and use a correct regional API endpoint for your resource."}}',
    "recorded by 18 projects; 224 bytes, no other headers than these",
)
BAD_TOKEN = AzureError(
    401,
    '{"statusCode":401,"message":"Unauthorized. Access token is missing, invalid, audience is incorrect '
    '(https://cognitiveservices.azure.com), or have expired."}',
    "reported in Azure-Samples/azure-search-openai-demo#458: no `error` envelope",
)
NOT_FOUND = AzureError(
    404,
    '{"error":{"code":"404","message": "Resource not found"}}',
    "recorded by crewAI for a wrong path; reported for a missing api-version",
)
RESPONSES_TOO_OLD = AzureError(
    400,
    '{"error":{"code":"BadRequest","message":"Azure OpenAI Responses API is enabled only for api-version '
    '2025-03-01-preview and later"}}',
    "message reported in Aider#4029; the envelope is inferred",
)
VERSION_NOT_SUPPORTED = AzureError(
    400,
    '{"error":{"code":"BadRequest","message":"API version not supported"}}',
    "reported for a dated api-version on /openai/v1",
)


NO_RECORDING_HEADERS = (JSON, ("x-should-retry", "false"))  # a 424 costs every client one try, a 5xx up to four


def no_recording(message: str) -> bytes:
    """The emulator's own answer to a request that nobody recorded: 424, never to be confused with Azure's errors."""
    error = {"message": message, "type": "emulator_error", "param": None, "code": "no_recorded_interaction"}
    return json.dumps({"error": error}, ensure_ascii=False).encode()
