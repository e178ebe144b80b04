"""One OpenTelemetry span per call to Azure, named by the GenAI semantic conventions. Without a tracer in the function's
process nothing happens, and the caller's `traceparent` goes on as it is."""

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.context import Context, get_current
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from .fields import Fields

OPERATIONS = {"chat/completions": "chat", "responses": "chat", "embeddings": "embeddings"}
ATTRIBUTES = {  # field of the record: attribute of the span
    "model": "gen_ai.request.model",
    "model_served": "gen_ai.response.model",
    "finish_reason": "gen_ai.response.finish_reasons",
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cached_tokens": "gen_ai.usage.cache_read.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "method": "http.request.method",
    "route": "url.template",
    "status": "http.response.status_code",
    "error": "error.type",
    "azure_request_id": "azure.service.request.id",
    "key": "azure_openai_proxy.key",
}
W3C = TraceContextTextMapPropagator()
W3C_HEADERS = (b"traceparent", b"tracestate")

tracer = trace.get_tracer("azure_openai_proxy")


def begin(fields: Fields, url: str, headers: list[tuple[bytes, bytes]]) -> Span:
    """Begins a span below the caller's. In `headers` it replaces the caller's, so that Azure's spans go below it."""
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):  # the provider of a process without a tracer
        return trace.INVALID_SPAN
    given = {name.decode(): value.decode("latin-1") for name, value in headers if name in W3C_HEADERS}
    around, parent = get_current(), W3C.extract(given, get_current())
    if trace_of(around) == trace_of(parent):
        parent = around  # the host's or FastAPI's span is below the caller's already
    operation = OPERATIONS.get(fields.route)
    span = tracer.start_span(
        f"{operation} {fields.model}" if operation else f"{fields.method} {fields.route}",
        parent,
        SpanKind.CLIENT,
        {"gen_ai.provider.name": "azure.ai.openai", "server.address": urlsplit(url).hostname or ""}
        | ({"gen_ai.operation.name": operation} if operation else {}),
    )
    if span.get_span_context() != trace.get_current_span(parent).get_span_context():
        passed_on: dict[str, str] = {}
        W3C.inject(passed_on, trace.set_span_in_context(span))
        headers[:] = [header for header in headers if header[0] not in W3C_HEADERS]
        headers += [(name.encode(), value.encode()) for name, value in passed_on.items()]
    return span


def trace_of(context: Context) -> int:
    return trace.get_current_span(context).get_span_context().trace_id


def keep_quiet(scope: MutableMapping[str, Any]) -> None:
    """Empties the query in FastAPI's own span, which exists where a tracer is configured: a key may be in it."""
    if span := getattr(scope.get("fastapi.telemetry"), "span", None):
        span.set_attribute("url.query", "")


def end(span: Span, fields: Fields, at: int) -> None:
    """`at` is in nanoseconds since 1970."""
    if span.is_recording():
        for field, attribute in ATTRIBUTES.items():
            if (value := getattr(fields, field)) is not None:
                span.set_attribute(attribute, value.split(",") if field == "finish_reason" else value)
        if (fields.status or 0) >= 400 or fields.outcome in ("upstream_stream_broken", "silent"):
            span.set_status(Status(StatusCode.ERROR, fields.error or fields.outcome))
        span.end(at)
