"""The matrix: what the proxy makes of each fault, and what each client makes of that.

A cell is the class of the exception that the client's user sees, or `whole`, or curl's exit status; `×2` is how many
requests reach Azure when the client may try once more (DSPy and curl are told not to); where it says nothing, one.
"""

from collections.abc import Iterator
from typing import NamedTuple

COLUMNS = ("openai 2", "openai 3", "DSPy on LiteLLM", "DSPy's own", "openai npm", "curl")
PLAIN, STREAMED = "An answer in one piece", "A streamed answer"
TOKENLESS = "A proxy that never had a token"


def cells(*row: str) -> dict[str, str]:
    return dict(zip(COLUMNS, row, strict=True))


FAILED = cells(*["InternalServerError ×2"] * 2, *["LMServerError"] * 2, "InternalServerError ×2", "exit 22")
FAILED_FOR_GOOD = {client: cell.removesuffix(" ×2") for client, cell in FAILED.items()}

OUTCOMES: dict[str, dict[str, str]] = {  # what the proxy does: what each client's user sees
    "passes it on": cells(*["whole"] * 6),
    "502": FAILED,
    "502, not to be tried again": FAILED_FOR_GOOD,
    "502, without asking Azure": {client: f"{cell} ×0" for client, cell in FAILED_FOR_GOOD.items()},
    "passes on 400": cells(*["BadRequestError"] * 2, *["LMInvalidRequestError"] * 2, "BadRequestError", "exit 22"),
    "passes on 400, too long": cells(
        *["BadRequestError"] * 2, *["ContextWindowExceededError"] * 2, "BadRequestError", "exit 22"
    ),
    "passes on 404": cells(
        *["NotFoundError"] * 2, "LMUnsupportedModelError", "LMInvalidRequestError", "NotFoundError", "exit 22"
    ),
    "passes on 404, no deployment": cells(
        *["NotFoundError"] * 2, *["LMUnsupportedModelError"] * 2, "NotFoundError", "exit 22"
    ),
    "passes on 408": cells(*["APIStatusError ×2"] * 2, *["LMTimeoutError"] * 2, "APIError ×2", "exit 22"),
    "passes on 429": cells(*["RateLimitError ×2"] * 2, *["LMRateLimitError"] * 2, "RateLimitError ×2", "exit 22"),
    "passes on 5xx": FAILED,
    "breaks off": cells(*["APIConnectionError ×2"] * 2, "LMServerError", "LMTransportError", "TypeError", "exit 56"),
    "breaks off the stream": cells(
        "ReadError", "APIConnectionError", "LMServerError", "LMTransportError", "TypeError", "exit 56"
    ),
    "says why, breaks off the stream": cells(
        *["APIError"] * 2, "LMServerError", "LMProviderError", "APIError", "exit 56"
    ),
    "waits with the client": cells(
        *["APITimeoutError ×2"] * 2, "LMTimeoutError", "LMTransportError", "DOMException", "exit 28"
    ),
    "waits with the stream's client": cells(
        "ReadTimeout", "APITimeoutError", "LMServerError", "LMTransportError", "DOMException", "exit 28"
    ),
    "passes on what is no JSON": cells(
        *["JSONDecodeError"] * 2, "LMServerError", "LMProviderError", "SyntaxError", "exit 0"
    ),
    "passes on an event that is no JSON": cells(
        *["JSONDecodeError"] * 2, "LMServerError", "LMUnexpectedError", "SyntaxError", "exit 0"
    ),
    "passes on the error": cells(*["APIError"] * 2, *["LMServerError"] * 2, "APIError", "exit 0"),
    "passes on the filter's word": cells(
        *["content_filter"] * 2, *["AdapterParseError"] * 2, "content_filter", "exit 0"
    ),
}

MATRIX: dict[str, dict[str, str]] = {  # fault: what the proxy does; "or" where a break may overtake bytes on their way
    PLAIN: {
        "slow_first_byte; seconds=0.1": "passes it on",
        "slow_frames; seconds=0.01": "passes it on",
        "one_byte_chunks": "passes it on",
        "stall; at_frame=2": "waits with the client",
        "reset": "502",
        "wrong_content_type": "502",
        "reset; at_byte=100": "breaks off or 502",
        "close; at_frame=2": "breaks off or 502",
        "malformed_chunk; at_frame=2": "breaks off or 502",
        "malformed_json; at_frame=2": "passes on what is no JSON",
        "silent_truncation; at_frame=2": "passes on what is no JSON",
        "content_filter": "passes on 400",
        "context_length_exceeded": "passes on 400, too long",
        "bad_token": "502, not to be tried again",
        "network_denied": "502, not to be tried again",
        "not_found": "passes on 404",
        "deployment_not_found": "passes on 404, no deployment",
        "timeout": "passes on 408",
        "rate_limited; retry=ms": "passes on 429",
        "server_error": "passes on 5xx",
        "bad_gateway": "passes on 5xx",
        "unavailable": "passes on 5xx",
    },
    STREAMED: {
        "slow_first_byte; seconds=0.1": "passes it on",
        "slow_frames; seconds=0.01": "passes it on",
        "one_byte_chunks": "passes it on",
        "stall; at_frame=2": "waits with the stream's client",
        "reset": "502",
        "wrong_content_type": "502",
        "reset; at_frame=2": "says why, breaks off the stream or 502",
        "reset; at_byte=100": "breaks off the stream or says why, breaks off the stream or 502",
        "close; at_frame=0": "says why, breaks off the stream or 502",
        "close; at_frame=2": "says why, breaks off the stream or 502",
        "close; at_byte=100": "breaks off the stream or says why, breaks off the stream or 502",
        "malformed_chunk; at_frame=2": "says why, breaks off the stream or 502",
        "half_character; at_frame=2": "breaks off the stream or says why, breaks off the stream or 502",
        "no_end": "says why, breaks off the stream or passes it on",  # all was said: some clients wait for no more
        "silent_truncation; at_frame=2": "says why, breaks off the stream",
        "silent_truncation; at_byte=100": "breaks off the stream",
        "malformed_json; at_frame=2": "passes on an event that is no JSON",
        "error_event; at_frame=2": "passes on the error",
        "content_filter_event; at_frame=2": "passes on the filter's word",
        "rate_limited; retry=ms": "passes on 429",
    },
    TOKENLESS: {  # in this order: the last leaves it with a token, which Azure refuses
        "identity_400": "502, without asking Azure",
        "identity_403": "502, without asking Azure",
        "identity_wrong_audience": "502, not to be tried again",
    },
}


class Expected(NamedTuple):
    """What one client's user may see of a fault, and the number of requests that may reach Azure."""

    seen: set[str]
    tries: set[int]


def expected(kind: str, fault: str, column: str) -> Expected:
    possible = [OUTCOMES[outcome][column].partition(" ×") for outcome in MATRIX[kind][fault].split(" or ")]
    return Expected({seen for seen, _, _ in possible}, {int(tries or 1) for _, _, tries in possible})


def table() -> str:
    """The matrix in Markdown, for tests/README.md."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for kind, faults in MATRIX.items():
        yield f"\n{kind}:\n"
        yield f"| fault | the proxy | {' | '.join(COLUMNS)} |"
        yield "|---" * (2 + len(COLUMNS)) + "|"
        for fault, outcome in faults.items():
            said = outcome.split(" or ")
            row = [" or ".join(dict.fromkeys(OUTCOMES[one][column] for one in said)) for column in COLUMNS]
            yield f"| `{fault}` | {outcome} | {' | '.join(row)} |"
    yield ""
