"""A call is a span in its caller's trace, above Azure's spans. Without a tracer its headers stay unchanged."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import azure_attributes, gen_ai_attributes, url_attributes
from opentelemetry.semconv.attributes import error_attributes, http_attributes

from proxy import telemetry
from proxy.fields import Fields
from proxy.telemetry import ATTRIBUTES
from tests.support import Arrived, Proxy, RawUpstream, proxy

# A sitecustomize.py runs before anything else, as Azure's worker configures telemetry before it loads the function.
TRACER = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

file = open({path!r}, "a", buffering=1)
exporter = ConsoleSpanExporter(out=file, formatter=lambda span: span.to_json(indent=None) + "\\n")
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
"""
TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HEADERS = {"traceparent": f"00-{TRACE}-{CALLER}-01", "tracestate": "vendor=1"}
BODY = {"model": "gpt-4o", "messages": [{"role": "user", "content": "a private prompt"}]}
ANSWER = {
    "choices": [{"finish_reason": "stop", "index": 0, "message": {"content": "a private answer"}}],
    "model": "gpt-4o-2024-11-20",
    "usage": {"completion_tokens": 7, "prompt_tokens": 11, "total_tokens": 18},
}


class Spans:
    """The exported spans of the function's process: its own, and FastAPI's."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text().split("\n")[:-1]] if self.path.exists() else []

    def own(self) -> list[dict[str, Any]]:
        return [span for span in self.all() if span["kind"] == "SpanKind.CLIENT"]

    def last(self, count: int) -> dict[str, Any]:
        """The `count`-th of the function's own spans."""
        deadline = time.monotonic() + 5
        while len(spans := self.own()) < count and time.monotonic() < deadline:
            time.sleep(0.005)
        assert len(spans) == count
        return spans[-1]

    def above(self, span: dict[str, Any]) -> list[str]:
        """The ids of the spans above it, the nearest first."""
        parents = {one["context"]["span_id"]: one["parent_id"] for one in self.all()}
        parents[span["context"]["span_id"]] = span["parent_id"]
        chain = [span["context"]["span_id"]]
        while parent := parents.get(chain[-1]):
            chain.append(parent)
        return chain[1:]


@pytest.fixture(scope="module")
def spans(tmp_path_factory: pytest.TempPathFactory) -> Spans:
    folder = tmp_path_factory.mktemp("telemetry")
    spans = Spans(folder / "spans.jsonl")
    (folder / "sitecustomize.py").write_text(TRACER.format(path=str(spans.path)))
    return spans


@pytest.fixture(scope="module")
def traced(upstream: RawUpstream, spans: Spans) -> Iterator[Proxy]:
    """The proxy in a process with a tracer."""
    settings = {"PYTHONPATH": str(spans.path.parent), "PROXY_KEY_SALT": "a salt of its own"}
    with proxy(upstream.base, settings) as running:
        yield running


def answering(upstream: RawUpstream, body: bytes, status: int = 200, kind: str = "application/json") -> None:
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\napim-request-id: a-1\r\ncontent-length: {len(body)}\r\n\r\n"

    def answer(_: Arrived, sock: socket.socket) -> None:
        sock.sendall(head.encode() + body)

    upstream.answer, upstream.arrived = answer, []


def post(running: Proxy, **headers: str) -> httpx.Response:
    return httpx.post(f"{running.base_url}/chat/completions", json=BODY, headers=running.headers | headers)


def test_azure_is_called_below_a_span_below_the_callers(upstream: RawUpstream, traced: Proxy, spans: Spans) -> None:
    answering(upstream, json.dumps(ANSWER).encode())
    before = len(spans.own())
    post(traced, **HEADERS)
    span = spans.last(before + 1)
    (arrived,) = upstream.arrived
    version, trace_id, span_id, flags = arrived.headers["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", TRACE, "01")
    assert span["context"]["trace_id"] == f"0x{TRACE}"
    assert spans.above(span)[-1] == f"0x{CALLER}"
    assert span["context"]["span_id"] == f"0x{span_id}"
    assert arrived.headers["tracestate"] == "vendor=1"


def test_the_span_takes_the_callers_place_in_the_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry.trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(telemetry, "tracer", provider.get_tracer("test"))
    headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()] + [(b"accept", b"*/*")]
    fields = Fields("POST", "embeddings", model="e-1", status=200, outcome="complete")
    telemetry.end(telemetry.begin(fields, "https://azure.example/", headers), fields, at=2_000)
    (span,) = exporter.get_finished_spans()
    assert (span.name, span.end_time) == ("embeddings e-1", 2_000)
    parent = f"00-{TRACE}-{span.context.span_id:016x}-01"
    assert headers == [(b"accept", b"*/*"), (b"traceparent", parent.encode()), (b"tracestate", b"vendor=1")]
    provider.shutdown()


def test_a_call_without_a_trace_begins_one(upstream: RawUpstream, traced: Proxy, spans: Spans) -> None:
    answering(upstream, b"{}")
    before = len(spans.own())
    post(traced)
    span = spans.last(before + 1)
    assert all(not above.endswith(CALLER) for above in spans.above(span))
    assert upstream.arrived[0].headers["traceparent"].split("-")[1] == span["context"]["trace_id"].removeprefix("0x")


@pytest.mark.parametrize(
    "headers",
    [
        HEADERS,
        {"traceparent": f"01-{TRACE}-{CALLER}-01-a-later-version"},
        {"traceparent": "nonsense"},
        {"tracestate": "vendor=1"},
        {},
    ],
)
def test_without_a_tracer_the_callers_headers_stay_as_they_are(
    upstream: RawUpstream, behind: Proxy, headers: dict[str, str]
) -> None:
    answering(upstream, b"{}")
    post(behind, **headers)
    arrived = upstream.arrived[0].headers
    assert {name: arrived.get(name) for name in HEADERS} == {name: headers.get(name) for name in HEADERS}


def test_a_span_says_what_the_record_says(upstream: RawUpstream, traced: Proxy, spans: Spans) -> None:
    answering(upstream, json.dumps(ANSWER).encode())
    before = len(spans.own())
    post(traced)
    span = spans.last(before + 1)
    assert (span["name"], span["kind"], span["status"]["status_code"]) == ("chat gpt-4o", "SpanKind.CLIENT", "UNSET")
    key = span["attributes"].pop("azure_openai_proxy.key")
    assert len(key) == 12
    assert span["attributes"] == {
        "gen_ai.provider.name": "azure.ai.openai",
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-11-20",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 7,
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "url.template": "chat/completions",
        "server.address": "127.0.0.1",
        "azure.service.request.id": "a-1",
    }
    assert "private" not in json.dumps(span)


def test_a_stream_is_a_span_until_its_end(upstream: RawUpstream, traced: Proxy, spans: Spans) -> None:
    events = [{"choices": [{"delta": {}, "finish_reason": "length"}]}, {"choices": [], "usage": ANSWER["usage"]}]
    body = b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in events)
    answering(upstream, body + b"data: [DONE]\n\n", kind="text/event-stream")
    before = len(spans.own())
    post(traced)
    attributes = spans.last(before + 1)["attributes"]
    assert attributes["gen_ai.usage.output_tokens"] == 7
    assert attributes["gen_ai.response.finish_reasons"] == ["length"]


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (429, "application/json", "RateLimitReached"),
        (401, "application/json", "upstream_authentication_error"),
        (200, "text/event-stream", "RateLimitReached"),  # and no [DONE]
    ],
)
def test_an_error_is_a_failed_span(
    upstream: RawUpstream, traced: Proxy, spans: Spans, status: int, kind: str, error: str
) -> None:
    answering(upstream, b': {"error":{"code":"RateLimitReached","message":"private"}}\n\n', status, kind)
    before = len(spans.own())
    try:
        post(traced)
    except httpx.ReadError:
        assert kind == "text/event-stream"
    span = spans.last(before + 1)
    assert span["status"]["status_code"] == "ERROR"
    assert span["attributes"]["error.type"] == error
    assert "private" not in json.dumps(span)


def test_no_span_has_the_key_in_it(upstream: RawUpstream, traced: Proxy, spans: Spans) -> None:
    """FastAPI's own spans quote the query."""
    answering(upstream, b"{}")
    before = len(spans.own())
    httpx.post(f"{traced.base_url}/chat/completions?code=test-key&q=private", json=BODY)
    spans.last(before + 1)
    post(traced)  # FastAPI's span of the call before is out by now
    spans.last(before + 2)
    assert len(spans.all()) >= before + 2
    for secret in ("test-key", "private"):
        assert secret not in spans.path.read_text()


def test_the_names_are_the_conventions_own() -> None:
    modules = (azure_attributes, gen_ai_attributes, url_attributes, error_attributes, http_attributes)
    known = {value for module in modules for value in vars(module).values() if isinstance(value, str)}
    assert {name for name in ATTRIBUTES.values() if not name.startswith("azure_openai_proxy.")} <= known
