"""Azure OpenAI Proxy: an OpenAI-compatible API for a class or a lab, as one Azure Function.

    OpenAI SDK, DSPy, curl ── x-functions-key ──▶ this function ── managed identity ──▶ Azure OpenAI
    any program ── Authorization: Bearer sk-… ──┘  only with PROXY_SIGNING_KEY: proxy/admission.py

Forwarded  The body byte for byte (the proxy unpacks a compressed body, and rewrites nothing but a `model` that must
           become a deployment name), the raw query string, the headers of proxy/headers.py. The caller gets Azure's
           status, headers and bytes; a stream frame by frame.
Dropped    On the way up: authorization, api-key, x-functions-key, cookies and every other header that is not listed;
           QUERY_DROPPED of proxy/address.py. On the way back: hop-by-hop headers (RFC 9110 section 7.6.1) and others.
Replaced   By a 502 that says why: Azure's 401 and 403, which are about this function's identity, not the caller's key;
           a redirect, which would lead the caller's key elsewhere; a web page with status 200, which no client
           recognises as an error.
Broken off A stream that Azure ends without `[DONE]` or its last event: no client would notice.
Retried    Only a GET that met a closing connection. The SDKs and DSPy retry on their own, and retries multiply.
Spilled    A call that a deployment has no room for goes to the model's next one, if a setting lists one:
           proxy/spillover.py.
Added      `Server-Timing` on every answer; a comment in a stream that has been silent for PROXY_KEEPALIVE_SECONDS.
Refused    A request above a limit of proxy/limits.py; every limit is a setting and off by default.
Logged     One record per call: proxy/record.py. Never a prompt, an answer, a key or a query string.
"""

import logging
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import azure.functions as func
import httpx
from azurefunctions.extensions.http.fastapi import Request, Response
from starlette.requests import ClientDisconnect

from proxy import telemetry, upstream, worker
from proxy.address import IN_DEPLOYMENT, addresses, check_ids, names_deployment, upstream_url
from proxy.body import read_body
from proxy.caller import unless_caller_leaves
from proxy.errors import ProxyError
from proxy.failure import failure_of
from proxy.grant import Grant
from proxy.headers import Headers, forwarded_headers, relayed_headers
from proxy.identity import Identity
from proxy.limits import check_limits
from proxy.loading import load_in_background
from proxy.media import FORMS, MAY_BE_EMPTY, MEDIA, SPEECH, characters, form_of
from proxy.model import choose_deployment, choose_in_form, model_in_path, renamed
from proxy.own_answers import OwnAnswers
from proxy.path import LONGEST, advice, masked, mistake
from proxy.record import Record
from proxy.relay import Relay
from proxy.settings import Settings
from proxy.spillover import Chain, Spillover, with_name
from proxy.verdict import judged

Handler = Callable[[Request, Record, Grant], Coroutine[Any, Any, Response]]
Admit = Callable[[Request, Record], Grant]
Served = tuple[list[str], str, Handler]  # methods, route below /v1, its handler
log = logging.getLogger("azure_openai_proxy")


worker.require_indexing(os.environ)
worker.cure()
settings = Settings.from_env(os.environ)
identity = Identity(settings.scope, settings.client_id)
spillover, own = Spillover(settings.chains), OwnAnswers(settings)
load_in_background()

# --- routes -----------------------------------------------------------------------------------------------------------

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

# Azure's host tries its functions in the order of their names, and calls the first whose route and method fit. It does
# not prefer a literal to a parameter: a catch-all must come last by name.
FORWARDED = {  # function name: (methods, route below /api/v1, which is also the path below Azure's /openai)
    "audio_speech": (["POST"], "audio/speech"),
    "audio_transcriptions": (["POST"], "audio/transcriptions"),
    "audio_translations": (["POST"], "audio/translations"),
    "chat_completions": (["POST"], "chat/completions"),
    "container_file": (["GET", "HEAD"], "containers/{container_id}/files/{file_id}/content"),
    "embeddings": (["POST"], "embeddings"),
    "images_edits": (["POST"], "images/edits"),
    "images_generations": (["POST"], "images/generations"),
    "responses": (["POST"], "responses"),
    "responses_input_tokens": (["POST"], "responses/input_tokens"),
    "responses_compact": (["POST"], "responses/compact"),
    "response": (["GET", "HEAD", "DELETE"], "responses/{response_id}"),
    "response_cancel": (["POST"], "responses/{response_id}/cancel"),
    "response_input_items": (["GET", "HEAD"], "responses/{response_id}/input_items"),
}
NEEDS_MODEL = (*IN_DEPLOYMENT, "responses")
EVERY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


@dataclass(frozen=True)
class Door:
    """An entrance to the routes. Their paths begin with `below`, their functions' names with `name`. The host admits a
    call by `level`; then `admit` gives its grant, or raises ProxyError."""

    below: str
    name: str
    level: func.AuthLevel
    admit: Admit

    def open(self, served: Mapping[str, Served]) -> None:
        for name, (methods, route, handler) in served.items():
            for prefix, address in addresses(route).items():
                self.serve(prefix + name, methods, address, route, handler)
        self.serve("zz_not_found", EVERY_METHOD, "{*path}", "{*path}", not_found)

    def serve(self, name: str, methods: list[str], address: str, route: str, handler: Handler) -> None:
        """Makes a handler a function of the app. The caller gets every failure as an error in OpenAI's shape. The
        record names the call by `route`, whatever its `address`."""

        @app.function_name(self.name + name)
        @app.route(route=self.below + address, methods=methods, auth_level=self.level)
        async def served(req: Request) -> Response:
            telemetry.keep_quiet(req.scope)
            record = Record(req, route, settings.key_salt)
            answer = await answer_of(handler, self.admit, req, record)
            answer.raw_headers += record.headers(answer.status_code)
            if not isinstance(answer, Relay):  # a Relay closes its record at its end
                record.note_answer(answer.status_code, dict(answer.raw_headers))
                record.close(len(answer.body))
            return answer


async def answer_of(handler: Handler, admit: Admit, req: Request, record: Record) -> Response:
    try:
        if settings.problems:
            raise ProxyError("misconfigured", "; ".join(settings.problems))
        grant = admit(req, record)
        if record.caller_headers.get(b"upgrade", b"").lower() == b"websocket":
            raise ProxyError("websocket_not_served")
        return await handler(req, record, grant)
    except ClientDisconnect:
        record.fields.outcome = "caller_left"
        return Response(status_code=499)  # nginx's status for a caller who left
    except ProxyError as error:  # nothing may keep it: its traceback holds the body
        return refused(error, record)
    except Exception:
        log.exception("unexpected error")
        return refused(ProxyError("internal_error"), record)


def refused(error: ProxyError, record: Record) -> Response:
    record.note_error(error)
    return Response(error.body, error.status, error.headers)


async def not_found(req: Request, record: Record, grant: Grant) -> Response:
    path = req.url.path
    record.fields.path = masked(path)
    root = "/api/keys" if grant.key else "/api"
    routes = ", ".join(route for _, route, _ in SERVED.values())
    there = path[:LONGEST] + mistake(path)
    raise ProxyError("not_found", req.method, there, advice(path, root), f"{root}/v1", routes)


def forwarding(route: str) -> Handler:
    return lambda req, record, grant: forward(req, record, grant, route)


SERVED: dict[str, Served] = {
    **{name: (methods, route, forwarding(route)) for name, (methods, route) in FORWARDED.items()},
    "models": (["GET", "HEAD"], "models", own.models),
    "model": (["GET", "HEAD"], "models/{model}", own.model),
}

EVERYTHING = Grant(settings.deployments, settings.allow_store)
Door("", "", func.AuthLevel.FUNCTION, lambda req, record: EVERYTHING).open(SERVED)
if settings.signing_keys:  # without signing keys and PROXY_HEALTH the app has no anonymous function
    from proxy.admission import Admission

    Door("keys/", "keys_", func.AuthLevel.ANONYMOUS, Admission(settings)).open(
        {**SERVED, "usage": (["GET", "HEAD"], "usage", own.usage)}
    )
if settings.health:

    @app.function_name("health")
    @app.route(route="health", methods=["GET", "HEAD"], auth_level=func.AuthLevel.ANONYMOUS)
    async def health(req: Request) -> Response:
        return own.health(req)


# --- what the routes do -----------------------------------------------------------------------------------------------


async def forward(req: Request, record: Record, grant: Grant, route: str) -> Response:
    if named := req.path_params:
        check_ids(named)
    if "response_id" in named:
        record.note_response(named["response_id"])
    body = await read_body(req, record, settings.max_body_bytes)
    body, deployment, chain = await checked(body, req, record, grant, route)
    query = req.scope["query_string"].decode("latin-1")
    url = upstream_url(settings, route, named, deployment, query)
    headers = forwarded_headers(req.scope["headers"], grant.deployments)
    method = "GET" if req.method == "HEAD" else req.method  # Azure documents no HEAD
    record.span = telemetry.begin(record.fields, url, headers)
    if not chain:
        answered = await unless_caller_leaves(req.receive, send(method, url, headers, body, record))
        return Relay(answered, relayed_headers(answered.headers.raw), record, settings.keepalive_seconds)

    def send_to(other: str) -> Awaitable[httpx.Response]:
        url = upstream_url(settings, route, named, other, query)
        its_body = body if names_deployment(settings, route) else renamed(body, other)
        return send(method, url, headers.copy(), its_body, record)

    answered = await unless_caller_leaves(req.receive, spillover.ask(chain, send_to, record.fields))
    relayed = with_name(relayed_headers(answered.headers.raw), record.fields.deployment)
    return Relay(answered, relayed, record, settings.keepalive_seconds)


async def checked(
    body: bytes, req: Request, record: Record, grant: Grant, route: str
) -> tuple[bytes, str | None, Chain]:
    """The body for Azure, its deployment, and the chain of deployments that may answer in its place. The parsed members
    end with this call: memory while Azure answers."""
    named, served, by_path = req.path_params, grant.deployments, None
    if "deployment" in named:
        by_path = model_in_path(named["deployment"], served)
        served = spillover.served(served, by_path)
    in_path, has_default = names_deployment(settings, route), route not in MEDIA
    if route in FORMS and (form := form_of(req.headers, body)):
        asked = choose_in_form(form, served, in_path, by_path)
    else:
        asked = choose_deployment(body, served, route in NEEDS_MODEL, in_path, by_path, has_default)
    record.fields.model, record.fields.deployment = asked.model, asked.deployment
    if route == SPEECH:
        record.fields.characters = characters(asked.members)
    check_limits(settings.max_output_tokens, grant.allow_store, route, asked.members)
    if grant.key and grant.accounts:
        record.charge = await grant.accounts.charge(grant.key, route, named, body, asked)
    return asked.body, asked.deployment, spillover.chain(route, asked)


async def send(method: str, url: str, headers: Headers, body: bytes, record: Record) -> httpx.Response:
    """Azure's answer, read up to the end of its headers. Raises ProxyError where Azure gives none."""
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
        record.fields.upstream_ms = round(record.fields.upstream_ms + 1000 * (time.monotonic() - began), 1)
    if answered.status_code in (401, 403):
        identity.distrust()
    may_be_empty = method == "DELETE" or record.fields.route in MAY_BE_EMPTY
    return await judged(answered, settings.scope, may_be_empty)
