"""Azure's known deviations from the OpenAI SDK's types and from its own OpenAPI descriptions. They are no defects."""

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal, NamedTuple

from .schema import Flaw, Violation

Against = Literal["sdk", "openapi", "both"]
Asked = Mapping[str, Any]


class Deviation(NamedTuple):
    """`operation` is a pattern of `Kind.operation`. `path` is a JSON path without indices. It may begin with `*`, as in
    `*.usage`. `fits` checks the value and the request."""

    against: Against
    operation: str
    paths: tuple[str, ...]
    kind: Flaw
    reason: str
    source: str
    fits: Callable[[Any, Asked], bool] = lambda value, asked: True


CHAT, RESPONSES, EMBEDDINGS, ANY = "POST chat/completions", "* responses*", "POST embeddings", "*"
CONTROL = "the first chunk and those of the asynchronous filter are about the filter only"
ASYNCHRONOUS = "microsoft/autogen#6465; DataDog/dd-trace-py, azure_chat_completion_streamed.yaml"
LATE = "the SDK's types are ahead of the service"
MIRASCOPE, CHATLAS, OPENLLMETRY = "Mirascope/mirascope", "posit-dev/chatlas", "traceloop/openllmetry"


def is_null(value: Any, _: Asked) -> bool:
    return value is None


def is_empty(value: Any, _: Asked) -> bool:
    return bool(value == "")


def is_base64(value: Any, asked: Asked) -> bool:
    """Whether the value is base64. The SDK asks for it by itself, and decodes it."""
    return isinstance(value, str) and asked.get("encoding_format") == "base64"


def is_from_user(value: Any, _: Asked) -> bool:
    return isinstance(value, dict) and value.get("role") == "user"


DEVIATIONS = (
    Deviation("both", CHAT, ("object",), "mistyped", CONTROL, MIRASCOPE, is_empty),
    Deviation("both", CHAT, ("choices[].delta",), "missing", CONTROL, ASYNCHRONOUS),
    Deviation("sdk", CHAT, ("choices[].content_filter_offsets",), "unknown", CONTROL, ASYNCHRONOUS),
    Deviation(
        "sdk",
        CHAT,
        ("prompt_filter_results", "choices[].content_filter_results"),
        "unknown",
        "what the content filter found",
        MIRASCOPE,
    ),
    Deviation("sdk", ANY, ("obfuscation",), "unknown", "padding of streams since October 2025", MIRASCOPE),
    Deviation("sdk", RESPONSES, ("*content_filters",), "unknown", "what the content filter found", MIRASCOPE),
    Deviation("sdk", RESPONSES, ("*store",), "unknown", "Azure repeats what was asked for", MIRASCOPE),
    Deviation(
        "sdk",
        RESPONSES,
        ("*frequency_penalty", "*presence_penalty"),
        "unknown",
        "v1 has them since 2026",
        "reported, April to August 2026",
    ),
    Deviation("sdk", RESPONSES, ("*usage.input_tokens_details.cache_write_tokens",), "missing", LATE, MIRASCOPE),
    Deviation("sdk", RESPONSES, ("name",), "missing", LATE, MIRASCOPE),
    Deviation(
        "sdk",
        "POST responses/compact",
        ("output[]",),
        "mistyped",
        "what users said; the SDK's type describes it and has no form for it",
        "openai-python",
        is_from_user,
    ),
    Deviation("both", EMBEDDINGS, ("data[].embedding",), "mistyped", "base64 was asked for", OPENLLMETRY, is_base64),
    Deviation("openapi", CHAT, ("system_fingerprint",), "mistyped", "reasoning models have none", MIRASCOPE, is_null),
    Deviation(
        "openapi", CHAT, ("choices[].delta.role",), "mistyped", "the SDK's type allows null", "openai-python", is_null
    ),
    Deviation(
        "openapi",
        CHAT,
        ("prompt_filter_results[].content_filter_results",),
        "missing",
        "an image has its own verdict",
        MIRASCOPE,
    ),
    Deviation("openapi", ANY, ("error.type",), "mistyped", "described as 'error', which is never sent", MIRASCOPE),
    Deviation(
        "openapi",
        ANY,
        ("error.code", "error.param"),
        "mistyped",
        "null where there is none",
        "pydantic/pydantic-ai#169",
        is_null,
    ),
    Deviation(
        "openapi",
        RESPONSES,
        ("*user", "*text.format.description", "*usage"),
        "mistyped",
        "null until it is known",
        MIRASCOPE,
        is_null,
    ),
    Deviation(
        "openapi",
        RESPONSES,
        ("item.content", "*output[].content"),
        "missing",
        "a reasoning item has none",
        CHATLAS,
    ),
)


def known(violation: Violation, path: str, operation: str, against: Against, asked: Asked) -> Deviation | None:
    """The known deviation that explains a violation, or None. `path` is the violation's, with [] for any index."""
    fitting: Iterable[Deviation] = (
        one
        for one in DEVIATIONS
        if one.against in (against, "both")
        and one.kind == violation.kind
        and fnmatchcase(operation, one.operation)
        and any(path.endswith(wanted[1:]) if wanted[0] == "*" else path == wanted for wanted in one.paths)
        and one.fits(violation.value, asked)
    )
    return next(iter(fitting), None)
