"""The fields of a record. docs/usage.md explains each."""

from msgspec import Struct


class Fields(Struct, gc=False):  # the fields hold no containers
    """None is unknown. Times are in milliseconds, sizes in bytes."""

    method: str
    route: str
    model: str | None = None
    deployment: str | None = None
    asked: str | None = None
    model_served: str | None = None
    status: int | None = None
    outcome: str | None = None
    error: str | None = None
    cause: str | None = None
    detail: str | None = None
    finish_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_seconds: float | None = None
    characters: int | None = None
    estimated: bool | None = None
    upstream_ms: float = 0.0
    proxy_ms: float | None = None
    first_byte_ms: float | None = None
    duration_ms: float | None = None
    bytes_in: int | None = None
    bytes_out: int | None = None
    key: str | None = None
    response: str | None = None
    client_request_id: str | None = None
    request_id: str | None = None
    azure_request_id: str | None = None
    path: str | None = None
