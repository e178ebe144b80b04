"""Azure OpenAI Proxy: an OpenAI-compatible API for a class or a lab, as one Azure Function.

    OpenAI SDK, DSPy, curl ── x-functions-key ──▶ this function ── managed identity ──▶ Azure OpenAI

Forwarded  The body byte for byte (only a `model` that must become a deployment name is rewritten), the raw query
           string, and the REQUEST_HEADERS. Back come Azure's status, headers and bytes; a stream frame by frame.
Dropped    On the way up: authorization, api-key, x-functions-key, cookies and every other header that is not listed;
           QUERY_DROPPED. On the way back: hop-by-hop headers (RFC 9110 section 7.6.1) and RESPONSE_HEADERS_DROPPED.
Replaced   Azure's 401 and 403 are about this function's identity, not the caller's key: they become a 502 that says so.
Broken off A stream that Azure ends without `[DONE]` or the last event of a Response: no client would notice.
Retried    Nothing. The SDKs and DSPy retry on their own, and retries multiply.
Logged     One record per call: route, model, status, times, bytes. Never a body, a key or a query string.
"""

import asyncio
import functools
import json
import logging
import os
import re
import time
import uuid
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote_plus, urlsplit

import azure.functions as func
import httpx
from azurefunctions.extensions.http.fastapi import Request, Response
from starlette.requests import ClientDisconnect

from proxy import upstream
from proxy.ending import Ending
from proxy.errors import ProxyError
from proxy.identity import Identity
from proxy.model import choose_deployment, deployment_of
from proxy.relay import Relay

T = TypeVar("T")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
log = logging.getLogger("azure_openai_proxy")

# --- settings ---------------------------------------------------------------------------------------------------------

MAX_BODY_BYTES = 100_000_000  # just below the Functions host's own 104,857,600, whose 413 says nothing
RESPONSES_SINCE = "2025-03-01"  # the first dated api-version with a Responses API; older ones answer 400
DEFAULT_SCOPE = "https://cognitiveservices.azure.com/.default"


@dataclass(frozen=True)
class Settings:
    """The app settings. `deployments` maps model name to deployment, the default first; `dated` is the dated
    api-version, "" for the v1 API; `problems` has one sentence for every setting that cannot be used."""

    base: str
    deployments: Mapping[str, str]
    dated: str
    preview: bool
    scope: str
    client_id: str | None
    problems: tuple[str, ...]

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        base = env.get("AZURE_OPENAI_BASE", "").strip().rstrip("/")
        listed = [item.partition("=") for item in env.get("AZURE_OPENAI_DEPLOYMENT", "").split(",") if item.strip()]
        pairs = [(model.strip(), (deployment or model).strip()) for model, _, deployment in listed]
        version = env.get("AZURE_OPENAI_API_VERSION", "").strip().lower()
        scope = env.get("AZURE_OPENAI_SCOPE", "").strip() or DEFAULT_SCOPE
        named = all(model and re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", deployment) for model, deployment in pairs)
        checks = {
            "AZURE_OPENAI_BASE must be like https://my-resource.openai.azure.com, without /openai, query or user "
            "(http only on loopback)": is_azure_base(base),
            "AZURE_OPENAI_DEPLOYMENT must be a deployment name, or a list like gpt-4o-mini,gpt-4o=my-4o-deployment "
            "with each model once": bool(pairs) and named and len(dict(pairs)) == len(pairs),
            "AZURE_OPENAI_API_VERSION must be v1, preview, or a date like 2024-10-21 or 2025-04-01-preview": bool(
                re.fullmatch(r"|v1|preview|\d{4}-\d{2}-\d{2}(-preview)?", version)
            ),
            f"AZURE_OPENAI_SCOPE must be like {DEFAULT_SCOPE}": bool(re.fullmatch(r"\w+://\S+/\.default", scope)),
        }
        return cls(
            base,
            dict(pairs),
            dated=version if version[:1].isdigit() else "",
            preview=version == "preview",
            scope=scope,
            client_id=env.get("AZURE_CLIENT_ID", "").strip() or None,
            problems=tuple(problem for problem, fine in checks.items() if not fine),
        )


def is_azure_base(base: str) -> bool:
    try:
        url = urlsplit(base)
        secure = url.scheme == "https" or (url.scheme == "http" and url.hostname in ("localhost", "127.0.0.1", "::1"))
        plain = re.fullmatch(r"[!-~]+", base) and not re.search(r"[?#@\\]|/openai(/|$)", base)
        return bool(secure and url.hostname and plain and url.port != 0)
    except ValueError:  # a port that is no number, half an IPv6 address
        return False


settings = Settings.from_env(os.environ)
identity = Identity(settings.scope, settings.client_id)

# --- routes -----------------------------------------------------------------------------------------------------------

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

FORWARDED = {  # function name: (methods, route below /api/v1, which is also the path below Azure's /openai)
    "chat_completions": (["POST"], "chat/completions"),
    "embeddings": (["POST"], "embeddings"),
    "responses": (["POST"], "responses"),
    "responses_input_tokens": (["POST"], "responses/input_tokens"),
    "responses_compact": (["POST"], "responses/compact"),
    "response": (["GET", "DELETE"], "responses/{response_id}"),
    "response_cancel": (["POST"], "responses/{response_id}/cancel"),
    "response_input_items": (["GET"], "responses/{response_id}/input_items"),
}
IN_DEPLOYMENT = ("chat/completions", "embeddings")  # a dated api-version has these below /deployments/{deployment}
NEEDS_MODEL = (*IN_DEPLOYMENT, "responses")


def serves(name: str, route: str, *methods: str) -> Callable[[Handler], Handler]:
    """Makes a handler a function of the app. Whatever goes wrong in it, the caller gets an error in OpenAI's shape."""

    def register(handler: Handler) -> Handler:
        @app.function_name(name)
        @app.route(route=route, methods=methods)
        async def served(req: Request) -> Response:
            try:
                if settings.problems:
                    raise ProxyError("misconfigured", "; ".join(settings.problems))
                return await handler(req)
            except ProxyError as error:
                log_call(req, error.status, error=error.code)
                return error_response(error)
            except ClientDisconnect:
                log_call(req, 499, outcome="caller_left")
                return Response(status_code=499)  # nginx's number for it; nobody is there to read it
            except Exception:
                log.exception("unexpected error")
                return error_response(ProxyError("internal_error"))

        return handler

    return register


@serves("models", "v1/models", "GET")
async def models(req: Request) -> Response:
    return json_response({"object": "list", "data": [model_entry(name) for name in settings.deployments]})


@serves("model", "v1/models/{model}", "GET")
async def model(req: Request) -> Response:
    name = req.path_params["model"]
    deployment_of(name, settings.deployments)
    return json_response(model_entry(name))


@serves("not_found", "{*path}", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
async def not_found(req: Request) -> Response:
    routes = ", ".join([*(route for _, route in FORWARDED.values()), "models", "models/{model}"])
    raise ProxyError("not_found", req.method, req.url.path[:200], routes)


def forwarding(route: str) -> Handler:
    return lambda req: forward(req, route)


for _name, (_methods, _route) in FORWARDED.items():
    serves(_name, f"v1/{_route}", *_methods)(forwarding(_route))


# --- what the routes do -----------------------------------------------------------------------------------------------


async def forward(req: Request, route: str) -> Response:
    started = time.monotonic()
    if not all(re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value) for value in req.path_params.values()):
        raise ProxyError("invalid_response_id", param="response_id")
    in_path = bool(settings.dated) and route in IN_DEPLOYMENT
    model, deployment, body = choose_deployment(
        await read_body(req), settings.deployments, required=route in NEEDS_MODEL, in_path=in_path
    )
    url = upstream_url(route, req.path_params, deployment, req.scope["query_string"].decode("latin-1"))
    headers = [(name, value) for name, value in req.headers.raw if is_forwarded(name)]
    answered = await unless_caller_leaves(req, send(req.method, url, headers, body))
    first_byte_ms = round(1000 * (time.monotonic() - started))
    log = functools.partial(log_call, req, model=model, deployment=deployment, first_byte_ms=first_byte_ms)
    return Relay(answered, relayed_headers(answered.headers.raw), ending_of(req, route, answered), log)


def ending_of(req: Request, route: str, answered: httpx.Response) -> Ending | None:
    """How the answer must end, if it is a stream of events that can be read."""
    is_stream = answered.headers.get("content-type", "").startswith("text/event-stream")
    if not is_stream or answered.headers.get("content-encoding", "identity") != "identity":
        return None
    return Ending(route if answered.status_code == 200 else "", resumed=req.method == "GET")


async def send(method: str, url: str, headers: list[tuple[bytes, bytes]], body: bytes) -> httpx.Response:
    """Azure's answer, read up to the end of its headers."""
    try:
        headers.append((b"authorization", b"Bearer " + (await identity.token()).encode()))
    except Exception as error:
        raise ProxyError("identity_unavailable") from error
    try:
        request = httpx.Request(method, url, headers=headers, content=body)
        answered = await upstream.client().send(request, stream=True)
    except upstream.FAILURES as error:
        raise ProxyError("upstream_timeout" if upstream.is_timeout(error) else "upstream_unreachable") from error
    if answered.status_code in (401, 403):
        await answered.aclose()
        identity.distrust()
        raise ProxyError("upstream_authentication_error", answered.status_code)
    return answered


# --- small helpers ----------------------------------------------------------------------------------------------------

REQUEST_HEADERS = frozenset(
    b"content-type accept accept-encoding user-agent traceparent tracestate x-client-request-id "
    b"x-ms-client-request-id".split()
)
REQUEST_HEADER_PREFIXES = (b"openai-", b"x-stainless-")
QUERY_DROPPED = ("code", "clientid", "api-version")  # keys of the Functions host, and what the settings decide
RESPONSE_HEADERS_DROPPED = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding "
    b"upgrade set-cookie server date alt-svc strict-transport-security".split()
)


def is_forwarded(header: bytes) -> bool:
    return header in REQUEST_HEADERS or header.startswith(REQUEST_HEADER_PREFIXES)


def relayed_headers(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    lowered = [(name.lower(), value) for name, value in headers]
    listed = {part.strip().lower() for name, value in lowered if name == b"connection" for part in value.split(b",")}
    return [(name, value) for name, value in lowered if name not in RESPONSE_HEADERS_DROPPED | listed]


def upstream_url(route: str, ids: Mapping[str, str], deployment: str | None, query: str) -> str:
    """Azure's v1 API, except where a dated api-version is set and has this route."""
    prefix, version = "/openai/v1/", "preview" if settings.preview else ""
    if settings.dated and route in IN_DEPLOYMENT:
        prefix, version = f"/openai/deployments/{deployment}/", settings.dated
    elif settings.dated >= RESPONSES_SINCE:
        prefix, version = "/openai/", settings.dated
    pairs = [pair for pair in query.split("&") if unquote_plus(pair.split("=")[0]).lower() not in ("", *QUERY_DROPPED)]
    pairs += [f"api-version={version}"] if version else []
    return settings.base + prefix + route.format_map(ids) + "?" * bool(pairs) + "&".join(pairs)


async def read_body(req: Request) -> bytes:
    """The whole body. One that is too large is read to its end as well: a client that still sends hears no answer."""
    chunks, size = [], 0
    async for chunk in req.stream():
        size += len(chunk)
        chunks.append(chunk if size <= MAX_BODY_BYTES else b"")
    if size > MAX_BODY_BYTES:
        raise ProxyError("request_too_large", size, MAX_BODY_BYTES)
    return b"".join(chunks)


def model_entry(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "azure-openai"}


def json_response(content: dict[str, Any]) -> Response:
    headers = {"x-request-id": str(uuid.uuid4())}
    return Response(json.dumps(content), headers=headers, media_type="application/json")


def error_response(error: ProxyError) -> Response:
    return Response(error.body, error.status, error.headers)


async def unless_caller_leaves(req: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`; when the caller leaves first, `work` is cancelled, which nothing else would do."""
    doing, gone = asyncio.create_task(work), asyncio.create_task(caller_left(req))
    try:
        await asyncio.wait((doing, gone), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return doing.result()
        raise ClientDisconnect
    finally:
        doing.cancel()
        gone.cancel()


async def caller_left(req: Request) -> None:
    while (await req.receive())["type"] != "http.disconnect":
        pass


def log_call(req: Request, status: int, **record: Any) -> None:
    log.info("call %s", json.dumps({"method": req.method, "path": req.url.path[:200], "status": status, **record}))
