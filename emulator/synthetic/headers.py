"""The headers of Azure's answers, as recorded from chat in January 2026 and reported for v1 Responses in 2026."""

from email.utils import format_datetime

from ..tape.cassette import Headers
from .seed import WRITTEN, Seed

JSON = "application/json"
SSE = "text/event-stream; charset=utf-8"
DATE = format_datetime(WRITTEN, usegmt=True)
LIMIT_REQUESTS, LIMIT_TOKENS = 300, 30_000


def chat(seed: Seed, deployment: str, body: bytes, kind: str = JSON, served: bool = True) -> Headers:
    """A chat or embeddings answer. `served` means that a model answered. A filtered prompt has fewer headers."""
    model_only = {
        "azureml-model-session": f"d{seed.number('session', 90) + 10:03}-20261015093000",
        "x-accel-buffering": "no",
    }
    request_id = {"x-request-id": seed.uuid("request")}
    return _headers(
        seed,
        body,
        kind,
        (model_only if served else {})
        | {
            "x-ms-client-request-id": "Not-Set",
            "x-ms-deployment-name": deployment,
            "x-ms-rai-invoked": "true",
        }
        | _limits(seed)
        | (request_id if served else {}),
    )


def responses(seed: Seed, deployment: str, served_model: str, body: bytes, kind: str = JSON) -> Headers:
    own = {
        "azureai-fe-is-streaming": str(kind == SSE),
        "azureai-fe-offer-type": "paygo",
        "skip-error-remapping": "true",
        "x-ms-aoai-configured-data-retention-days": "30",
        "x-ms-is-spilled-over": "false",
        "x-ms-served-model": served_model,
        "x-ratelimit-abusepenalty-active": "False",
        "x-ratelimit-key": deployment,
        "x-ratelimit-renewalperiod-requests": "60",
        "x-ratelimit-renewalperiod-tokens": "60",
        "x-ratelimit-reset-requests": "1",
        "x-ratelimit-reset-tokens": "1",
        "x-request-id": seed.uuid("request"),
    }
    return _headers(seed, body, kind, own | _limits(seed))


def stored(seed: Seed, body: bytes, kind: str = JSON) -> Headers:
    """An answer about a stored response. No recording of one exists, so these are the headers that all answers have."""
    return _headers(seed, body, kind, {"x-request-id": seed.uuid("request")})


def throttled(seed: Seed, deployment: str, body: bytes, retry_after_ms: int) -> Headers:
    seconds = str(max(1, round(retry_after_ms / 1000)))
    own = {
        "policy-id": "DeploymentRatelimit-Token",
        "retry-after": seconds,
        "retry-after-ms": str(retry_after_ms),
        "x-ms-deployment-name": deployment,
        "x-ratelimit-reset-tokens": seconds,
    }
    return _headers(seed, body, JSON, own)


def _limits(seed: Seed) -> dict[str, str]:
    return {
        "x-ratelimit-limit-requests": str(LIMIT_REQUESTS),
        "x-ratelimit-limit-tokens": str(LIMIT_TOKENS),
        "x-ratelimit-remaining-requests": str(LIMIT_REQUESTS - 1 - seed.number("requests", 20)),
        "x-ratelimit-remaining-tokens": str(LIMIT_TOKENS - 1 - seed.number("tokens", 4_000)),
    }


def _headers(seed: Seed, body: bytes, kind: str, own: dict[str, str]) -> Headers:
    framing = {"Transfer-Encoding": "chunked"} if kind == SSE else {"Content-Length": str(len(body))}
    common = {
        "Content-Type": kind,
        "Date": DATE,
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
        "apim-request-id": seed.uuid("apim"),
        "x-content-type-options": "nosniff",
        "x-ms-region": "East US",
    }
    return tuple(sorted((framing | common | own).items()))
