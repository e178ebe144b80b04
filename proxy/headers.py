"""Which headers pass, in both directions."""

import functools
from collections.abc import Mapping

from .coding import offered
from .model import deployment_by_either_name

Headers = list[tuple[bytes, bytes]]

# Microsoft documents more headers. The list leaves out those that would choose for everybody who shares the resource: a
# deployment (`x-ms-spillover-deployment`, `azureml-model-deployment`), another content filter (`x-policy-id`), a
# preview of another API (`aoai-evals`).
REQUEST_HEADERS = frozenset(
    b"content-type accept user-agent traceparent tracestate x-client-request-id x-ms-client-request-id".split()
)
REQUEST_HEADER_PREFIXES = (b"openai-", b"x-stainless-")
IMAGE_DEPLOYMENT = b"x-ms-oai-image-generation-deployment"  # for the image tool of the Responses API
RESPONSE_HEADERS_DROPPED = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding "
    b"upgrade set-cookie server date alt-svc strict-transport-security".split()
)

# What a page of another site may read of an answer, beside the few headers that every page may (Fetch standard,
# "CORS-safelisted response-header name"). No name may be a pattern, and `*` tells a page that sends cookies nothing.
READABLE = (
    *("x-request-id", "apim-request-id", "x-ms-region", "x-ms-deployment-name", "server-timing"),
    *("retry-after", "retry-after-ms", "x-should-retry", "x-proxy-limit-of", "x-proxy-tokens-left"),
    *(
        f"x-ratelimit-{what}-{counted}"
        for what in ("limit", "remaining", "reset", "renewalperiod")
        for counted in ("requests", "tokens")
    ),
)
FOR_PAGES = [(b"access-control-expose-headers", ", ".join(READABLE).encode()), (b"vary", b"Origin")]

lower = functools.lru_cache(256)(bytes.lower)  # 1,000 streams share the same names


def forwarded_headers(headers: Headers, deployments: Mapping[str, str]) -> Headers:
    """The headers for Azure. Raises ProxyError where one names a deployment that is not served."""
    kept, accepted = [], []
    for name, value in headers:
        if name in REQUEST_HEADERS or name.startswith(REQUEST_HEADER_PREFIXES):
            kept.append((name, value))
        elif name == b"accept-encoding":
            accepted.append(value)
        elif name == IMAGE_DEPLOYMENT:
            named = deployment_by_either_name(value.decode("latin-1").strip(), deployments, IMAGE_DEPLOYMENT.decode())
            kept.append((name, named.encode()))
    kept.append((b"accept-encoding", offered(b",".join(accepted))))  # without this header Azure might choose any coding
    return kept


def relayed_headers(headers: Headers) -> Headers:
    lowered = [(lower(name), value) for name, value in headers]
    listed = {part.strip().lower() for name, value in lowered if name == b"connection" for part in value.split(b",")}
    dropped = RESPONSE_HEADERS_DROPPED | listed
    return [(name, value) for name, value in lowered if name not in dropped]
