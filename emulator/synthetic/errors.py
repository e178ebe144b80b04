"""Azure's refusals that belong to a recording: the content filter (recorded November 2025) and the token limit
(recorded December 2025)."""

from http import HTTPStatus

from ..tape.cassette import Response
from . import headers
from .asked import Asked
from .chat import PROMPT_VERDICT
from .responses import frames, whole
from .text import compact, pretty, schedule

FILTERED = (
    "The response was filtered due to the prompt triggering Azure OpenAI{}s content management policy. Please modify "
    "your prompt and retry. To learn more about our content filtering policies please read our documentation: "
    "https://go.microsoft.com/fwlink/?linkid=2198766"
)
OVER_THE_LIMIT = (
    "Your requests to {0} for {0} in East US have exceeded the token rate limit for your current OpenAI S0 pricing "
    "tier. This request was for {1} under Azure OpenAI API version v1. Please retry after {2} seconds. To increase "
    "your default rate limit, visit: https://aka.ms/oai/quotaincrease."
)
OVER_THE_LIMIT_IN_STREAM = "Your requests to {0} for {0} in East US have exceeded token rate limit."
OPERATION_IDS = {
    "chat/completions": "ChatCompletions_Create",
    "responses": "Responses_Create",
    "embeddings": "Embeddings_Create",
}


def filtered(asked: Asked, category: str) -> Response:
    hit = {"filtered": True, "detected": True} if category == "jailbreak" else {"filtered": True, "severity": "medium"}
    error = {
        "message": FILTERED.format("'"),
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": PROMPT_VERDICT | {category: hit},
        },
    }
    body = compact({"error": error}).encode()
    if asked.operation == "responses":  # a typographic apostrophe, and no innererror
        kind = {"type": "invalid_request_error", "param": "prompt", "code": "content_filter"}
        body = pretty({"error": {"message": FILTERED.format("\N{RIGHT SINGLE QUOTATION MARK}")} | kind})
    return Response(400, "Bad Request", headers.chat(asked.seed, asked.deployment, body, served=False), body)


def rate_limited(asked: Asked, retry_after_ms: int) -> Response:
    seconds = max(1, round(retry_after_ms / 1000))
    message = OVER_THE_LIMIT.format(asked.deployment, OPERATION_IDS[asked.operation], seconds)
    body = f'{{"error":{{"code":"RateLimitReached","message": "{message}"}}}}'.encode()
    head = headers.throttled(asked.seed, asked.deployment, body, retry_after_ms)
    return Response(429, "Too Many Requests", head, body)


def rate_limited_in_stream(asked: Asked, retry_after_ms: int) -> Response:
    """A stream of the Responses API that the token limit ends (reported August 2026): status 200 with retry-after, a
    failed response that does not say why, then the error."""
    error = {
        "type": "too_many_requests",
        "code": "rate_limit_exceeded",
        "headers": {"x-ms-fe-error": "true"},
        "message": OVER_THE_LIMIT_IN_STREAM.format(asked.deployment),
        "param": None,
    }
    sent = frames(
        asked,
        (
            {"type": "response.created", "response": whole(asked, None)},
            {"type": "response.failed", "response": whole(asked, None, "failed")},
            {"type": "error", "error": error},
        ),
    )
    body = "".join(sent).encode()
    head = headers.responses(asked.seed, asked.deployment, asked.model, body, headers.SSE)
    wait = {"retry-after": str(max(1, round(retry_after_ms / 1000))), "retry-after-ms": str(retry_after_ms)}
    return Response(200, "OK", tuple(sorted((*head, *wait.items()))), body, schedule(len(sent)))


def not_found(asked: Asked) -> Response:
    """No response has the id in the path. Inferred from Azure's error for an unknown `previous_response_id`."""
    message = f"Response with id '{asked.operation.split('/')[1]}' not found."
    return refused(asked, message, "response_id", "response_not_found", 404)


def refused(asked: Asked, message: str, param: str | None, code: str | None, status: int = 400) -> Response:
    """Azure's answer to a request with an invalid value."""
    kind = {"type": "invalid_request_error", "param": param, "code": code}
    body = pretty({"error": {"message": message} | kind})
    return Response(status, HTTPStatus(status).phrase, headers.stored(asked.seed, body), body)
