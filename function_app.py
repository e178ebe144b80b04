"""Azure OpenAI Proxy: an OpenAI-compatible API for a class or a lab, as one Azure Function.

    OpenAI SDK, DSPy, curl ── x-functions-key ──▶ this function ── managed identity ──▶ Azure OpenAI

Forwarded  The body byte for byte (only a `model` that must become a deployment name is rewritten; a compressed one is
           unpacked), the raw query string, the headers of proxy/headers.py. Back come Azure's status, headers and
           bytes; a stream frame by frame.
Dropped    On the way up: authorization, api-key, x-functions-key, cookies and every other header that is not listed;
           QUERY_DROPPED. On the way back: hop-by-hop headers (RFC 9110 section 7.6.1) and some more.
Replaced   By a 502 that says why: Azure's 401 and 403, which are about this function's identity, not the caller's key;
           a redirect, which would lead that key away; a web page with status 200, which no client takes for an error.
Broken off A stream that Azure ends without `[DONE]` or the last event of a Response: no client would notice.
Retried    Nothing but a GET that met a closing connection. The SDKs and DSPy retry on their own, and retries multiply.
Added      `Server-Timing` on every answer; a comment in a stream that has been silent for PROXY_KEEPALIVE_SECONDS.
Refused    What proxy/limits.py finds too much; every limit is a setting and off by default.
Logged     One record per call: proxy/record.py. Never a prompt, an answer, a key or a query string.
"""

import json
import logging
import os
import re
import time
import uuid
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import unquote, unquote_plus

import azure.functions as func
import httpx
from azurefunctions.extensions.http.fastapi import Request, Response
from starlette.requests import ClientDisconnect

from proxy import telemetry, upstream, worker
from proxy.body import read_body
from proxy.caller import unless_caller_leaves
from proxy.errors import ProxyError
from proxy.failure import failure_of
from proxy.headers import Headers, forwarded_headers, relayed_headers
from proxy.identity import Identity
from proxy.limits import check_limits
from proxy.loading import load_in_background
from proxy.model import choose_deployment, deployment_of
from proxy.path import LONGEST, masked, mistake
from proxy.record import Record
from proxy.relay import Relay
from proxy.settings import Settings
from proxy.verdict import judged

Handler = Callable[[Request, Record], Coroutine[Any, Any, Response]]
log = logging.getLogger("azure_openai_proxy")

RESPONSES_SINCE = "2025-03-01"  # the first dated api-version with a Responses API; older ones answer 400

worker.require_indexing(os.environ)
worker.cure()
settings = Settings.from_env(os.environ)
identity = Identity(settings.scope, settings.client_id)
load_in_background()

# --- routes -----------------------------------------------------------------------------------------------------------

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

# Azure's host asks its functions in the order of their names, and the first whose route and method fit is called. It
# does not prefer a literal to a parameter: a catch-all must come last by name.
FORWARDED = {  # function name: (methods, route below /api/v1, which is also the path below Azure's /openai)
    "chat_completions": (["POST"], "chat/completions"),
    "embeddings": (["POST"], "embeddings"),
    "responses": (["POST"], "responses"),
    "responses_input_tokens": (["POST"], "responses/input_tokens"),
    "responses_compact": (["POST"], "responses/compact"),
    "response": (["GET", "HEAD", "DELETE"], "responses/{response_id}"),
    "response_cancel": (["POST"], "responses/{response_id}/cancel"),
    "response_input_items": (["GET", "HEAD"], "responses/{response_id}/input_items"),
}
IN_DEPLOYMENT = ("chat/completions", "embeddings")  # a dated api-version has these below /deployments/{deployment}
NEEDS_MODEL = (*IN_DEPLOYMENT, "responses")


def serves(name: str, route: str, *methods: str) -> Callable[[Handler], Handler]:
    """Makes a handler a function of the app. Whatever goes wrong in it, the caller gets an error in OpenAI's shape."""

    def register(handler: Handler) -> Handler:
        @app.function_name(name)
        @app.route(route=route, methods=methods)
        async def served(req: Request) -> Response:
            telemetry.keep_quiet(req.scope)
            record = Record(req, route.removeprefix("v1/"), settings.key_salt)
            answer = await answer_of(handler, req, record)
            answer.raw_headers.append(record.server_timing())
            if not isinstance(answer, Relay):  # which is not over yet
                record.note_answer(answer.status_code, dict(answer.raw_headers))
                record.close(len(answer.body))
            return answer

        return handler

    return register


async def answer_of(handler: Handler, req: Request, record: Record) -> Response:
    try:
        if req.headers.get("upgrade", "").lower() == "websocket":
            raise ProxyError("websocket_not_served")
        if settings.problems:
            raise ProxyError("misconfigured", "; ".join(settings.problems))
        return await handler(req, record)
    except ClientDisconnect:
        record.fields.outcome = "caller_left"
        return Response(status_code=499)  # nginx's number for it; nobody is there to read it
    except ProxyError as expected:
        error = expected
    except Exception:
        log.exception("unexpected error")
        error = ProxyError("internal_error")
    record.note_error(error)
    return Response(error.body, error.status, error.headers)


@serves("models", "v1/models", "GET", "HEAD")
async def models(req: Request, record: Record) -> Response:
    return json_response({"object": "list", "data": [model_entry(name) for name in settings.deployments]})


@serves("model", "v1/models/{model}", "GET", "HEAD")
async def model(req: Request, record: Record) -> Response:
    name = req.path_params["model"]
    name = name if name in settings.deployments else unquote(name)  # Azure's host leaves a %2F as it is
    deployment_of(name, settings.deployments)
    return json_response(model_entry(name))


@serves("zz_not_found", "{*path}", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
async def not_found(req: Request, record: Record) -> Response:
    path = req.url.path
    record.fields.path = masked(path)
    routes = ", ".join([*(route for _, route in FORWARDED.values()), "models", "models/{model}"])
    raise ProxyError("not_found", req.method, path[:LONGEST] + mistake(path), routes)


def forwarding(route: str) -> Handler:
    return lambda req, record: forward(req, record, route)


for _name, (_methods, _route) in FORWARDED.items():
    serves(_name, f"v1/{_route}", *_methods)(forwarding(_route))


# --- what the routes do -----------------------------------------------------------------------------------------------


async def forward(req: Request, record: Record, route: str) -> Response:
    for value in req.path_params.values():
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value):
            raise ProxyError("invalid_response_id", param="response_id")
        record.note_response(value)
    body, deployment = checked(await read_body(req, record, settings.max_body_bytes), record, route)
    url = upstream_url(route, req.path_params, deployment, req.scope["query_string"].decode("latin-1"))
    headers = forwarded_headers(req.headers.raw, settings.deployments)
    method = "GET" if req.method == "HEAD" else req.method  # what Azure makes of a HEAD nobody says
    record.span = telemetry.begin(record.fields, url, headers)
    answered = await unless_caller_leaves(req.receive, send(method, url, headers, body, record))
    return Relay(answered, relayed_headers(answered.headers.raw), record, settings.keepalive_seconds)


def checked(body: bytes, record: Record, route: str) -> tuple[bytes, str | None]:
    """The body as Azure gets it, and its deployment. What it was parsed to is not kept while Azure answers."""
    in_path = bool(settings.dated) and route in IN_DEPLOYMENT
    asked = choose_deployment(body, settings.deployments, required=route in NEEDS_MODEL, in_path=in_path)
    record.fields.model, record.fields.deployment = asked.model, asked.deployment
    check_limits(settings, route, asked.members)
    return asked.body, asked.deployment


async def send(method: str, url: str, headers: Headers, body: bytes, record: Record) -> httpx.Response:
    """Azure's answer, read up to the end of its headers. Raises ProxyError where there is none."""
    try:
        headers.append((b"authorization", b"Bearer " + (await identity.token()).encode()))
    except Exception as error:
        raise ProxyError("identity_unavailable") from error
    began = time.monotonic()
    try:
        answered = await upstream.client().send(upstream.request(method, url, headers, body), stream=True)
    except upstream.FAILURES as error:
        raise failure_of(error) from error
    finally:
        record.fields.upstream_ms = round(1000 * (time.monotonic() - began), 1)
    if answered.status_code in (401, 403):
        identity.distrust()
    return await judged(answered, method, settings.scope)


# --- small helpers ----------------------------------------------------------------------------------------------------

QUERY_DROPPED = ("code", "clientid", "api-version")  # keys of the Functions host, and what the settings decide


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


def model_entry(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "azure-openai"}


def json_response(content: dict[str, Any]) -> Response:
    headers = {"x-request-id": str(uuid.uuid4())}
    return Response(json.dumps(content), headers=headers, media_type="application/json")
